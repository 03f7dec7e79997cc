"""Several servers on one PostgreSQL: what clients see of them, and what a lost lease costs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("psycopg", reason="doorstep[postgres] is not installed")
import psycopg

from doorstep.engine.messages import Event, Fact
from doorstep_emulator import Options, StoreError, running
from doorstep_emulator.store import postgres_database
from doorstep_emulator.store.postgres_peers import PostgresStore
from doorstep_emulator.store.store import Row

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "servers_kill.py"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
LEASE = 3.0
WAIT = {"Type": "Wait", "Seconds": 1000, "End": True}
CALLBACK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    "End": True,
}


def only(state: dict[str, Any]) -> str:
    return json.dumps({"StartAt": "Only", "States": {"Only": state}})


def machine_of(arn: str) -> str:
    return arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]


def entry_with(*words: str) -> None:
    from doorstep_cli.main import cli

    cli.main(list(words), standalone_mode=True)


class Site:
    """Servers that share a database, a client of each, and a look at the tables."""

    def __init__(self, url: str, folder: Path, aws: Any, eventually: Any, stack: ExitStack) -> None:
        self.url = url
        self.folder = folder
        (folder / "handlers.py").write_text(
            "import pathlib\n"
            "def ask(event, context):\n"
            "    (pathlib.Path(__file__).parent / 'token').write_text(event['token'])\n"
        )
        self._aws = aws
        self._stack = stack
        self.eventually = eventually
        self.addresses: list[str] = []

    def serve(self, stack: ExitStack | None = None) -> Any:
        """Start one more server; return its client. It ends with the stack."""
        options = Options(
            port=0,
            db=self.url,
            lease=LEASE,
            grace=0,
            handlers=str(self.folder / "handlers.py"),
            events=(str(self.folder / "events"),),
        )
        self.addresses.append((stack or self._stack).enter_context(running(options)))
        return self._aws(self.addresses[-1])

    def health(self, number: int) -> Any:
        with urlopen(f"{self.addresses[number]}/health", timeout=10) as answer:
            return json.load(answer)

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            connection.execute("SELECT set_config('search_path', %s, false)", (self.schema,))
            cursor = connection.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    @property
    def schema(self) -> str:
        return self.url.rpartition("%3D")[2]

    def start(self, client: Any, state: dict[str, Any], name: str = "run") -> str:
        machine = client.create_state_machine(name="m", definition=only(state), roleArn=ROLE)
        arn = machine["stateMachineArn"]
        started: str = client.start_execution(stateMachineArn=arn, name=name)["executionArn"]
        return started

    def status(self, client: Any, arn: str) -> str:
        found: str = client.describe_execution(executionArn=arn)["status"]
        return found


@pytest.fixture
def site(schemas: Any, tmp_path: Path, aws: Any, eventually: Any) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(schemas(":memory:"), tmp_path, aws, eventually, stack)


def test_a_request_reaches_the_server_that_runs_the_execution(site: Site) -> None:
    one, other = site.serve(), site.serve()
    arn = site.start(one, WAIT)
    other.stop_execution(executionArn=arn, error="E", cause="because")
    described = one.describe_execution(executionArn=arn)
    assert (described["status"], described["cause"]) == ("ABORTED", "because")
    # Nobody owns what has ended: the one that is asked continues it.
    first = other.redrive_execution(executionArn=arn, clientToken="once")
    one.stop_execution(executionArn=arn)
    site.eventually(lambda: site.status(one, arn) == "ABORTED")
    again = one.redrive_execution(executionArn=arn, clientToken="once")
    assert again["redriveDate"] == first["redriveDate"]
    history = one.get_execution_history(executionArn=arn)["events"]
    types = [event["type"] for event in history]
    assert types.count("ExecutionAborted") == 2
    assert types.count("ExecutionRedriven") == 1
    writers = site.sql("SELECT DISTINCT writer FROM journal ORDER BY writer")
    assert writers == [(site.health(number)["store"]["server"],) for number in (0, 1)]


def test_a_refusal_of_another_server_is_the_clients(site: Site) -> None:
    one, other = site.serve(), site.serve()
    arn = site.start(one, WAIT)
    with pytest.raises(one.exceptions.ExecutionNotRedrivable) as refused:
        other.redrive_execution(executionArn=arn)
    assert "Execution is RUNNING and cannot be redriven" in str(refused.value)


def test_the_same_start_at_two_servers_at_once_starts_one_execution(site: Site) -> None:
    clients = [site.serve(), site.serve()]
    machine = clients[0].create_state_machine(name="m", definition=only(WAIT), roleArn=ROLE)
    arn = machine["stateMachineArn"]
    started: list[str] = []
    events = site.folder / "events"

    def start(client: Any, number: int) -> None:
        name = f"run-{number}"
        started.append(client.start_execution(stateMachineArn=arn, name=name)["executionArn"])

    for number in range(8):
        threads = [threading.Thread(target=start, args=(one, number)) for one in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(started) == 16
    assert len(set(started)) == 8
    assert site.sql("SELECT count(*) FROM executions") == [(8,)]
    assert [site.health(number)["stuck"] for number in (0, 1)] == [{}, {}]
    site.eventually(lambda: events.exists() and len(events.read_text().splitlines()) >= 8)
    changes = [json.loads(line)["id"] for line in events.read_text().splitlines()]
    assert len(changes) == len(set(changes)) == 8
    with pytest.raises(clients[1].exceptions.ExecutionAlreadyExists):
        clients[1].start_execution(stateMachineArn=arn, name="run-0", input="[]")


def test_a_machine_that_one_server_has_changed_is_so_at_the_others_at_once(site: Site) -> None:
    one, other = site.serve(), site.serve()
    for number in range(5):
        name = f"m{number}"
        machine = one.create_state_machine(name=name, definition=only(WAIT), roleArn=ROLE)
        arn = machine["stateMachineArn"]
        other.update_state_machine(stateMachineArn=arn, definition=only({"Type": "Succeed"}))
        execution = one.start_execution(stateMachineArn=arn)["executionArn"]
        site.eventually(lambda arn=execution: site.status(other, arn) == "SUCCEEDED")
        other.delete_state_machine(stateMachineArn=arn)
        with pytest.raises(one.exceptions.StateMachineDoesNotExist):
            one.start_execution(stateMachineArn=arn)


def test_of_two_machines_of_one_name_made_at_once_one_is_refused(site: Site) -> None:
    clients = [site.serve(), site.serve()]
    outcomes: list[str] = []

    def create(client: Any, seconds: int) -> None:
        definition = only(WAIT | {"Seconds": seconds})
        try:
            client.create_state_machine(name="same", definition=definition, roleArn=ROLE)
        except client.exceptions.StateMachineAlreadyExists:
            outcomes.append("refused")
        else:
            outcomes.append("made")

    threads = [threading.Thread(target=create, args=pair) for pair in zip(clients, (1, 2))]  # noqa: B905
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused"]
    revisions = site.sql("SELECT count(*) FROM documents WHERE kind = 'revision'")
    assert revisions == [(1,)]


def test_any_server_takes_the_answer_to_a_callback(site: Site) -> None:
    one, other = site.serve(), site.serve()
    arn = site.start(one, CALLBACK)
    token = site.eventually(
        lambda: (site.folder / "token").exists() and (site.folder / "token").read_text()
    )
    other.send_task_heartbeat(taskToken=token)
    other.send_task_success(taskToken=token, output='"yes"')
    site.eventually(lambda: site.status(other, arn) == "SUCCEEDED")
    for client in (one, other):
        with pytest.raises(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output='"again"')
        with pytest.raises(client.exceptions.InvalidToken):
            client.send_task_success(taskToken="unknown", output='"again"')


def test_an_execution_answers_a_task_that_another_server_runs(site: Site) -> None:
    one, other = site.serve(), site.serve()
    waiting = site.start(one, CALLBACK)
    token = site.eventually(
        lambda: (site.folder / "token").exists() and (site.folder / "token").read_text()
    )
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Parameters": {"TaskToken": token, "Output": {"from": "another"}},
        "End": True,
    }
    machine = other.create_state_machine(name="send", definition=only(send), roleArn=ROLE)
    started = other.start_execution(stateMachineArn=machine["stateMachineArn"])
    sender = started["executionArn"]
    site.eventually(lambda: site.status(one, sender) == "SUCCEEDED")
    site.eventually(lambda: site.status(other, waiting) == "SUCCEEDED")
    assert json.loads(other.describe_execution(executionArn=waiting)["output"]) == {
        "from": "another"
    }


@pytest.mark.parametrize("worker_first", [True, False])
def test_a_worker_at_any_server_gets_the_task(site: Site, worker_first: bool) -> None:
    one, other = site.serve(), site.serve()
    activity = one.create_activity(name="work")["activityArn"]
    tasks: list[Any] = []

    def work() -> None:
        tasks.append(other.get_activity_task(activityArn=activity, workerName="bob"))

    worker = threading.Thread(target=work)
    if worker_first:
        worker.start()
        site.eventually(lambda: site.health(1)["activities"]["polls"] == 1)
    arn = site.start(one, {"Type": "Task", "Resource": activity, "End": True})
    if not worker_first:
        worker.start()
    worker.join()
    other.send_task_success(taskToken=tasks[0]["taskToken"], output="1")
    site.eventually(lambda: site.status(other, arn) == "SUCCEEDED")
    history = other.get_execution_history(executionArn=arn)["events"]
    (begun,) = [event for event in history if event["type"] == "ActivityStarted"]
    assert begun["activityStartedEventDetails"]["workerName"] == "bob"
    assert site.sql("SELECT count(*) FROM offers") == [(0,)]


def test_a_map_run_is_described_and_changed_at_any_server(site: Site) -> None:
    one, other = site.serve(), site.serve()
    state = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Rest",
            "States": {"Rest": WAIT},
        },
        "MaxConcurrency": 1,
        "End": True,
    }
    machine = one.create_state_machine(name="m", definition=only(state), roleArn=ROLE)
    arn = one.start_execution(stateMachineArn=machine["stateMachineArn"], input="[1, 2, 3]")
    execution = arn["executionArn"]
    (run,) = site.eventually(lambda: other.list_map_runs(executionArn=execution)["mapRuns"])
    run = run["mapRunArn"]

    def running_children() -> int:
        counts: int = other.describe_map_run(mapRunArn=run)["executionCounts"]["running"]
        return counts

    site.eventually(lambda: running_children() == 1)
    other.update_map_run(mapRunArn=run, maxConcurrency=3)
    site.eventually(lambda: running_children() == 3)
    other.stop_execution(executionArn=execution)
    assert site.eventually(lambda: other.describe_map_run(mapRunArn=run)["status"] == "ABORTED")


def test_the_console_and_ps_show_what_runs_at_any_server(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = site.serve(), site.serve()
    arn = site.start(one, CALLBACK, name="elsewhere")
    site.eventually((site.folder / "token").exists)
    for page in ("waiting", f"execution?arn={quote(arn)}", f"machine?arn={quote(machine_of(arn))}"):
        with urlopen(f"{site.addresses[1]}/console/{page}", timeout=20) as answer:
            text = answer.read().decode()
        assert "elsewhere" in text
        assert page.startswith("machine") or (site.folder / "token").read_text() in text
    with pytest.raises(SystemExit) as ended:
        entry_with("ps", "--endpoint", site.addresses[1])
    assert ended.value.code == 0
    assert "elsewhere" in capsys.readouterr().out
    other.stop_execution(executionArn=arn)


def test_an_open_page_follows_an_execution_of_another_server(site: Site) -> None:
    one, other = site.serve(), site.serve()
    arn = site.start(one, WAIT)
    address = f"{site.addresses[1]}/console/stream/execution?arn={quote(arn)}"
    with urlopen(address, timeout=20) as stream:
        assert b"ABORTED" not in next(line for line in stream if line.startswith(b"data:"))
        one.stop_execution(executionArn=arn)
        assert next(line for line in stream if b"ABORTED" in line)
    assert site.status(other, arn) == "ABORTED"


def test_what_an_ended_server_had_continues_elsewhere_at_once(site: Site) -> None:
    with ExitStack() as short:
        first = site.serve(short)
        arn = site.start(first, CALLBACK)
        site.eventually((site.folder / "token").exists)
        other = site.serve()
    site.eventually(lambda: site.health(1)["running"] == 1)
    other.send_task_success(taskToken=(site.folder / "token").read_text(), output="1")
    site.eventually(lambda: site.status(other, arn) == "SUCCEEDED")


def test_a_server_whose_lease_has_passed_writes_nothing_and_begins_again(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    one = site.serve()
    arn = site.start(one, WAIT)
    before = site.health(0)["store"]["server"]
    other = site.serve()

    def silenced() -> bool:
        site.sql("UPDATE servers SET expires = now() - interval '1 min' WHERE id = %s", before)
        return bool(site.sql("SELECT 1 FROM servers WHERE id = %s AND over", before))

    with caplog.at_level(logging.WARNING, "doorstep"):
        site.eventually(silenced)
        site.eventually(lambda: site.health(1)["running"] == 1)
        other.stop_execution(executionArn=arn, cause="by the new owner")
        site.eventually(lambda: site.health(0)["store"]["server"] != before)
    assert any("silent: others take over" in message for message in caplog.messages)
    assert any("it begins again without them" in message for message in caplog.messages)
    described = one.describe_execution(executionArn=arn)
    assert (described["status"], described["cause"]) == ("ABORTED", "by the new owner")
    assert site.health(0)["running"] == 0
    again = site.start(one, WAIT, name="again")
    assert site.status(other, again) == "RUNNING"


def test_a_server_that_is_halted_in_a_transaction_holds_up_no_other(site: Site) -> None:
    one = site.serve()
    arn = site.start(one, WAIT)
    one.stop_execution(executionArn=arn)
    made = "INSERT INTO servers (name, expires) VALUES (%s, now() - interval '1 min') RETURNING id"
    ((halted,),), ((dead,),) = site.sql(made, "halted"), site.sql(made, "dead")
    with psycopg.connect(site.url) as transaction:
        sql = f"UPDATE {site.schema}.servers SET rev = rev + 1 WHERE id = {halted}"
        transaction.execute(sql.encode())
        site.eventually(lambda: site.sql("SELECT 1 FROM servers WHERE id = %s AND over", dead))
        assert not site.sql("SELECT 1 FROM servers WHERE id = %s AND over", halted)
    site.eventually(lambda: site.sql("SELECT 1 FROM servers WHERE id = %s AND over", halted))


def test_a_request_to_a_server_that_died_is_answered_by_the_next_owner(site: Site) -> None:
    one = site.serve()
    arn = site.start(one, WAIT)
    # A server that owns the execution and never answers, for as long as its lease lasts.
    sql = "INSERT INTO servers (name, expires) VALUES ('dead', now() + '1 h') RETURNING id"
    with ExitStack() as short:
        other = site.serve(short)
        one.stop_execution(executionArn=arn)
        ((dead,),) = site.sql(sql)
        site.sql("UPDATE executions SET status = 'RUNNING', checksum = -1")
        site.sql("DELETE FROM journal WHERE number > 1")
        site.sql("INSERT INTO timelines (root, owner) SELECT arn, %s FROM executions", dead)
        asking = threading.Thread(target=lambda: other.stop_execution(executionArn=arn))
        asking.start()
        site.eventually(lambda: site.sql("SELECT 1 FROM inbox WHERE server = %s", dead))
        site.sql("UPDATE servers SET expires = now() - interval '1 min' WHERE id = %s", dead)
        asking.join()
    assert site.status(one, arn) == "ABORTED"
    assert site.sql("SELECT count(*) FROM inbox") == [(0,)]


def test_health_names_the_lease_and_all_servers(site: Site) -> None:
    site.serve()
    site.start(site.serve(), WAIT)
    store = site.eventually(
        lambda: (
            (found := site.health(0)["store"])
            and [one["timelines"] for one in found["servers"]] == [0, 1]
            and found
        )
    )
    assert store["server"] == store["servers"][0]["id"]
    assert store["lease"]["seconds"] == LEASE
    assert 0 < store["lease"]["left"] <= LEASE


# What the store does when the database does not answer --------------------------------------------


def row(store: PostgresStore, name: str) -> Row:
    made = Row(
        id=store.next_id(),
        arn=name,
        machine="m",
        name=name,
        type="STANDARD",
        status="RUNNING",
        started=1.5,
        identity="{}",
        revision="r",
        root=name,
    )
    store.peers.own(name, made.id)
    store.begin(made)
    return made


@pytest.fixture
def database(schemas: Callable[[str], str]) -> str:
    return schemas(":memory:")


def test_a_commit_whose_answer_was_lost_is_not_written_twice(database: str) -> None:
    class Deaf(PostgresStore):
        lost = 1

        def _carried_out(self) -> None:
            if self.lost:
                self.lost -= 1
                self._connection.close()
                raise psycopg.OperationalError("the connection was lost")
            super()._carried_out()

    store = Deaf(database, lease=LEASE)
    entries = [Fact("due", 2.25, "1", "delay"), Event(1, 0, "X", 2.25, {"name": "é\ud800"})]
    one = row(store, "one")
    store.append(one.id, entries)
    store.commit()
    assert store.lost == 0
    assert store.take_refused() == {}
    assert store.journal(one.id) == entries
    assert store.row("one") == one
    store.close()


def test_a_server_that_is_over_writes_nothing(database: str) -> None:
    store, other = PostgresStore(database, lease=LEASE), PostgresStore(database, lease=LEASE)
    row(store, "one")
    store.commit()
    other.read("UPDATE servers SET over = true WHERE id = ? RETURNING id", store.server)
    row(store, "two")
    store.commit()
    assert store.fenced
    assert other.row("two") is None
    assert list(other.peers.take_over() or ()) == ["one"]
    store.peers.rejoin()
    again = row(store, "three")
    store.commit()
    assert other.row("three") == again
    store.close()
    other.close()


def test_the_database_takes_its_locks_from_a_server_that_is_halted(database: str) -> None:
    store = PostgresStore(database, lease=LEASE)
    assert store.read("SHOW idle_in_transaction_session_timeout") == [("1s",)]
    store.close()


def test_servers_that_take_over_at_the_same_time_share_what_there_is(database: str) -> None:
    dead = PostgresStore(database, lease=LEASE)
    for number in range(600):
        row(dead, f"run-{number}")
    dead.close()
    servers = [PostgresStore(database, lease=LEASE) for _ in range(3)]
    taken: list[str] = []

    def take(server: PostgresStore) -> None:
        while roots := server.peers.take_over():
            taken.extend(roots)

    threads = [threading.Thread(target=take, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"run-{number}" for number in range(600))
    for server in servers:
        server.close()


def test_a_name_that_another_server_has_used_refuses_that_execution_alone(database: str) -> None:
    store, other = PostgresStore(database, lease=LEASE), PostgresStore(database, lease=LEASE)
    row(store, "one")
    store.commit()
    twice, after = row(other, "one"), row(other, "two")
    other.commit()
    assert list(other.take_refused()) == [twice.id]
    assert other.row("two") == after
    assert other.trouble is None
    store.close()
    other.close()


def test_a_value_that_no_index_takes_is_refused_and_not_tried_for_ever(database: str) -> None:
    store = PostgresStore(database, lease=LEASE)
    one = row(store, "one")
    store.commit()
    token = "".join(str(number) for number in range(5000))
    store.own_token(token, one.id)
    store.commit()
    assert "index row" in store.take_refused()[one.id]
    assert store.trouble is None
    store.close()


@pytest.mark.parametrize("text", ["half \ud800", "nul \0"])
def test_what_postgresql_can_not_store_is_not_there(database: str, text: str) -> None:
    store = PostgresStore(database, lease=LEASE)
    assert store.row(text) is None
    assert not store.knows_token(text)
    with pytest.raises(StoreError, match="can't be stored"):
        store.own_token(text, 1)
    store.close()


def test_a_schema_is_migrated_step_by_step(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PostgresStore(database, lease=LEASE)
    store.put("machine", "a", {"name": "a"})
    store.close()
    step = "ALTER TABLE documents ADD COLUMN later text DEFAULT 'new'"
    steps = (*postgres_database.MIGRATIONS, step)
    with monkeypatch.context() as later:
        later.setattr(postgres_database, "MIGRATIONS", steps)
        newer = PostgresStore(database, lease=LEASE)
        assert newer.read("SELECT later FROM documents") == [("new",)]
        assert newer.get("machine", "a") == {"name": "a"}
        newer.close()
    with pytest.raises(StoreError, match="written by a later Doorstep"):
        PostgresStore(database, lease=LEASE)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/db",
        "postgresql://user@127.0.0.1:1/db?password=s3cret",
        "postgresql://user:s3cret%zz@127.0.0.1:1/db",
        "postgresql://user:s3cret@127.0.0.1:1/db?nosuch=s3cret",
    ],
)
def test_a_database_that_is_not_there_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        PostgresStore(url, lease=LEASE)
    assert "s3cret" not in str(refused.value)
    assert "--db is no URL" in str(refused.value) or "127.0.0.1:1/db" in str(refused.value)


def test_servers_wait_for_a_database_that_was_killed_and_lose_nothing(
    site: Site, cluster: Any, ask: Callable[..., tuple[int, Any]]
) -> None:
    own = type(cluster)()
    site.url = own.schema("own")
    try:
        with ExitStack() as short:
            client = site.serve(short)
            arn = site.start(client, CALLBACK)
            site.eventually((site.folder / "token").exists)
            own.kill()
            status, answer = ask(site.addresses[0].removeprefix("http://"), "ListActivities")
            assert (status, answer["__type"]) == (503, "ServiceUnavailable")
            assert site.url not in answer["message"]
            own.start()
            site.eventually(lambda: site.health(0)["status"] == "ok")
            token = (site.folder / "token").read_text()
            client.send_task_success(taskToken=token, output="1")
            site.eventually(lambda: site.status(client, arn) == "SUCCEEDED")
    finally:
        own.close()


def test_nothing_is_lost_or_doubled_when_servers_and_the_database_are_killed(
    cluster: object,
) -> None:
    command = [sys.executable, SCRIPT, "--kills", "4", "--executions", "6", "--lease", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 executions, 16 clients, 4 kills" in ran.stdout
    assert "1 kills of the database" in ran.stdout
