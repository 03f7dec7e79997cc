"""Faults from outside: a full disk, clients that are slow or cut off, damaged files."""

from __future__ import annotations

import http.client
import json
import logging
import random
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import Options, StoreError, running, serving
from doorstep_emulator.http import app, connections
from doorstep_emulator.store import sqlite as sqlite_store
from doorstep_emulator.store.sqlite import SqliteStore
from doorstep_emulator.store.store import ListQuery

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
HANDLERS = """
import pathlib, time

FOLDER = pathlib.Path(__file__).parent

def work(event, context):
    (FOLDER / "called").touch()
    while not (FOLDER / "open").exists():
        time.sleep(0.005)
    return event
"""
WORK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
RUN = {
    "Type": "Map",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Item",
        "States": {"Item": {**WORK, "End": True}},
    },
}
Ask = Callable[..., tuple[int, Any]]
Eventually = Callable[[Callable[[], Any]], Any]


class SmallDisk(SqliteStore):
    """A store whose disk may be full."""

    full = False

    def _transact(self) -> None:
        if type(self).full:
            raise sqlite3.OperationalError("database or disk is full")
        super()._transact()


class World:
    """Servers, one after another, on one store."""

    def __init__(self, folder: Path, ask: Ask, stack: ExitStack) -> None:
        (folder / "handlers.py").write_text(HANDLERS)
        self.folder = folder
        self.file = folder / "doorstep.db"
        self._ask = ask
        self._stack = stack
        self.address = ""

    def serve(self) -> World:
        handlers = str(self.folder / "handlers.py")
        options = Options(port=0, db=str(self.file), handlers=handlers, grace=0)
        self.address = urlsplit(self._stack.enter_context(running(options))).netloc
        return self

    def stop(self) -> None:
        self._stack.close()

    def call(self, operation: str, body: Any = None) -> Any:
        status, told = self._ask(self.address, operation, body)
        assert status == 200, told
        return told

    def create(self, state: dict[str, Any]) -> None:
        definition = json.dumps({"StartAt": "A", "States": {"A": {**state, "End": True}}})
        given = {"name": "machine", "definition": definition, "roleArn": ROLE}
        assert self.call("CreateStateMachine", given)["stateMachineArn"] == MACHINE

    def start(self, name: str = "run", input: str = "{}") -> str:
        request = {"stateMachineArn": MACHINE, "name": name, "input": input}
        arn: str = self.call("StartExecution", request)["executionArn"]
        return arn

    def status(self, arn: str) -> str:
        status: str = self.call("DescribeExecution", {"executionArn": arn})["status"]
        return status

    def health(self) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request("GET", "/health")
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    def connect(self) -> socket.socket:
        host, _, port = self.address.partition(":")
        found = socket.create_connection((host, int(port)), timeout=10)
        self._stack.callback(found.close)
        return found

    def open(self) -> None:
        (self.folder / "open").touch()


@pytest.fixture
def world(tmp_path: Path, ask: Ask) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, ask, stack)


def request(operation: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [
        *("POST / HTTP/1.1", "Host: x", f"X-Amz-Target: AWSStepFunctions.{operation}", *headers),
        f"Content-Length: {len(body) if length is None else length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(connection: socket.socket) -> tuple[int, bytes]:
    found = http.client.HTTPResponse(connection)
    found.begin()
    return found.status, found.read()


# The disk ----------------------------------------------------------------------------------------


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> type[SmallDisk]:
    monkeypatch.setattr(serving, "SqliteStore", SmallDisk)
    monkeypatch.setattr(SmallDisk, "full", False)
    monkeypatch.setattr(app, "_LATE", 0.1)
    return SmallDisk


def test_nothing_is_answered_or_called_that_is_not_on_the_disk(
    world: World, disk: type[SmallDisk], monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    world.serve().create(WORK)
    monkeypatch.setattr(disk, "full", True)
    arns: list[str] = []
    asking = threading.Thread(target=lambda: arns.append(world.start()))
    asking.start()
    eventually(lambda: world.health()[0] == 503)
    told = world.health()[1]
    assert told["status"] == "trouble"
    assert "disk is full. See that its folder" in told["trouble"]
    assert asking.is_alive()
    assert not (world.folder / "called").exists()
    monkeypatch.setattr(disk, "full", False)
    asking.join()
    world.open()
    eventually(lambda: world.status(arns[0]) == "SUCCEEDED")
    assert world.health()[1]["status"] == "ok"


def test_a_server_that_starts_on_a_full_disk_goes_on_when_there_is_room(
    world: World, disk: type[SmallDisk], monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    world.serve().create(RUN)
    arn = world.start(input="[1, 2, 3]")
    eventually((world.folder / "called").exists)
    world.stop()
    monkeypatch.setattr(disk, "full", True)
    world.serve()
    eventually(lambda: world.health()[0] == 503)
    monkeypatch.setattr(disk, "full", False)
    world.open()
    eventually(lambda: world.status(arn) == "SUCCEEDED")


def test_a_file_that_another_program_has_locked_is_refused(world: World) -> None:
    world.serve().create(WORK)
    world.stop()
    other = sqlite3.connect(world.file)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"another program uses .*doorstep\.db"):
        world.serve()
    other.close()
    assert world.serve().call("ListStateMachines")["stateMachines"]


def test_a_file_that_can_not_be_made_is_told_of(world: World) -> None:
    world.file = world.folder / "missing" / "doorstep.db"
    with pytest.raises(StoreError, match=r"unable to open database file\. See that its folder"):
        world.serve()


# Damaged files -----------------------------------------------------------------------------------


def flipped(file: Path, text: bytes) -> None:
    data = file.read_bytes()
    assert text in data
    file.write_bytes(data.replace(text, text[:-1] + bytes([text[-1] ^ 1]), 1))


def test_an_execution_whose_journal_is_damaged_holds_up_no_other(
    world: World, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    world.serve().create(WORK)
    damaged, other = world.start("damaged", '"damaged input"'), world.start("other")
    eventually((world.folder / "called").exists)
    world.stop()
    flipped(world.file, b"damaged input")
    world.open()
    with caplog.at_level(logging.ERROR, "doorstep"):
        world.serve()
        eventually(lambda: world.status(other) == "SUCCEEDED")
    status, told = world.health()
    assert (status, list(told["stuck"])) == (200, [damaged])
    assert "of execution 1 is damaged. Restore it from a copy" in told["stuck"][damaged]
    assert (
        f"{damaged} is set aside, it can't be continued: {told['stuck'][damaged]}"
        in caplog.messages
    )


def test_a_machine_whose_document_is_damaged_is_named_and_holds_up_no_other(
    world: World, eventually: Eventually
) -> None:
    world.serve().create(WORK)
    arn = world.start()
    world.call("CreateActivity", {"name": "errands"})
    world.stop()
    flipped(world.file, b'"name":"machine"')
    world.open()
    world.serve()
    eventually(lambda: world.status(arn) == "SUCCEEDED")
    assert world.call("ListStateMachines") == {"stateMachines": []}
    assert len(world.call("ListActivities")["activities"]) == 1
    status, told = world.health()
    assert (status, told["status"]) == (200, "damaged")
    assert list(told["damaged"]) == [f"the machine {MACHINE}"]
    assert "is damaged. Restore it from a copy" in told["damaged"][f"the machine {MACHINE}"]


@pytest.mark.parametrize("column", ["status", "identity", "machine", "type", "map_run"])
def test_an_execution_whose_row_is_damaged_is_named_and_holds_up_no_other(
    world: World, caplog: pytest.LogCaptureFixture, eventually: Eventually, column: str
) -> None:
    world.serve().create(WORK)
    damaged, other = world.start("damaged"), world.start("other")
    world.stop()
    file = sqlite3.connect(world.file)
    file.execute(f"UPDATE executions SET {column} = 'RUNNINF' WHERE arn = ?", [damaged])
    file.commit()
    file.close()
    world.open()
    world.serve()
    eventually(lambda: world.status(other) == "SUCCEEDED")
    status, told = world.health()
    assert (status, told["status"]) == (200, "damaged")
    assert list(told["damaged"]) == [f"the row of execution 1, '{damaged}',"]
    assert sum("the row of execution 1," in message for message in caplog.messages) == 1


def test_any_flip_in_a_row_is_noticed(world: World) -> None:
    world.serve().create(WORK)
    world.open()
    arn = world.start("flipped", json.dumps("input"))
    world.stop()
    whole = world.file.read_bytes()
    store = SqliteStore(str(world.file))
    row = store.row(arn)
    store.close()
    assert row is not None
    at = whole.index(f"{arn}{row.machine}flipped".encode())
    for place in range(at, at + len(arn + row.machine) + 40):
        for bit in range(8):
            data = bytearray(whole)
            data[place] ^= 1 << bit
            world.file.write_bytes(data)
            try:
                store = SqliteStore(str(world.file))
            except StoreError:
                continue
            assert store.rows(ListQuery()) in ([], [row])
            assert store.damaged
            store._connection.close()


def changed(file: Path, statement: str) -> SqliteStore:
    """The store after a change by another program."""
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()
    return SqliteStore(str(file))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET kind = 'machinf' WHERE kind = 'machine'",
        "UPDATE documents SET arn = arn || 'x' WHERE kind = 'machine'",
        "UPDATE documents SET checksum = NULL WHERE kind = 'machine'",
        "UPDATE documents SET body = 5 WHERE kind = 'machine'",
        "UPDATE executions SET arn = CAST(x'ff' || arn AS TEXT)",
        "UPDATE executions SET checksum = checksum + 1",
        "UPDATE journal SET number = number + 1",
        "UPDATE journal SET last = last + 1",
        "UPDATE journal SET entries = CAST(entries AS TEXT)",
    ],
)
def test_damage_to_keys_and_types_is_noticed_and_named(world: World, damage: str) -> None:
    world.serve().create(WORK)
    arn = world.start()
    world.stop()
    store = changed(world.file, damage)
    for read in (lambda: store.row(arn), lambda: store.journal(1)):
        with suppress(StoreError):
            read()
    assert list(store.documents("machine")) == [] or "documents" not in damage
    assert len(store.damaged) == 1
    store.close()


@pytest.mark.parametrize("lost", ["", "-wal"])
@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_file_that_is_deleted_while_it_is_served_is_noticed(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lost: str,
    replaced: bool,
) -> None:
    monkeypatch.setattr(sqlite_store, "_INTERVAL", 0.0)
    world.serve().create(WORK)
    assert world.health()[1]["status"] == "ok"
    path = Path(f"{world.file}{lost}")
    beside = path.rename(world.folder / "beside")
    if replaced:
        path.write_bytes(beside.read_bytes())
    what = "replaced" if replaced else "deleted or moved"
    told = world.health()[1]
    assert told["status"] == "trouble"
    assert told["trouble"].startswith(f"{path} was {what} while it was in use")
    assert told["trouble"] in caplog.messages
    beside.rename(path)
    assert world.health()[1]["status"] == "ok"


def committed(file: Path) -> bytes:
    """The log of a server that was killed after twelve commits."""
    store = SqliteStore(str(file))
    for number in range(12):
        store.put("activity", f"{number:02}", {"number": number, "text": "x" * 5000})
        store.commit()
    log = Path(f"{file}-wal").read_bytes()
    store._connection.close()
    return log


def missing_with(file: Path, beginning: bytes, log: bytes | None, count: bytes) -> tuple[int, int]:
    """How many commits are reported as missing, and how many are there."""
    file.write_bytes(beginning)
    Path(f"{file}-commits").write_bytes(count)
    Path(f"{file}-wal").unlink(missing_ok=True)
    if log is not None:
        Path(f"{file}-wal").write_bytes(log)
    store = SqliteStore(str(file))
    numbers = [document["number"] for document in store.documents("activity")]
    assert numbers == list(range(len(numbers)))
    store._connection.close()
    return store.missing, len(numbers)


def test_commits_that_a_damaged_log_has_lost_are_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    SqliteStore(str(world.file)).close()
    beginning = world.file.read_bytes()
    log = committed(world.file)
    count = Path(f"{world.file}-commits").read_bytes()
    assert missing_with(world.file, beginning, log, count) == (0, 12)
    assert missing_with(world.file, beginning, None, count) == (12, 0)
    assert missing_with(world.file, beginning, b"", count) == (12, 0)
    chance = random.Random(8)
    for _ in range(40):
        damaged = bytearray(log)
        damaged[chance.randrange(len(log))] ^= 1 << chance.randrange(8)
        missing, there = missing_with(world.file, beginning, bytes(damaged), count)
        assert missing + there == 12
    for length in range(0, len(log), 5000):
        missing, there = missing_with(world.file, beginning, log[:length], count)
        assert missing + there == 12
    assert f"{world.file}: its last commits are missing: 12" in caplog.messages


def test_of_a_file_in_place_of_another_one_all_commits_are_missing(world: World) -> None:
    committed(world.file)
    world.file.unlink()
    told = world.serve().health()[1]
    assert (told["status"], told["store"]["missing"]) == ("damaged", 12)
    world.stop()
    assert world.serve().health()[1]["status"] == "ok"


@pytest.mark.parametrize("count", [None, b"", b"x", b"0 1 2", b"\xff" * 9])
def test_a_count_that_is_not_there_or_damaged_reports_nothing(
    world: World, count: bytes | None
) -> None:
    committed(world.file)
    path = Path(f"{world.file}-commits")
    path.unlink()
    if count is not None:
        path.write_bytes(count)
    store = SqliteStore(str(world.file))
    assert (store.missing, len(list(store.documents("activity")))) == (0, 12)
    store.close()


PAGE = 4096


def test_a_damaged_page_is_refused_or_named_wherever_it_is(
    world: World, eventually: Eventually
) -> None:
    world.serve().create(WORK)
    world.open()
    arns = [world.start(f"run-{number}", json.dumps("x" * 9000)) for number in range(3)]
    eventually(lambda: {world.status(arn) for arn in arns} == {"SUCCEEDED"})
    world.stop()
    whole = world.file.read_bytes()

    def histories(*, damaged: bytes) -> list[Any]:
        world.file.write_bytes(damaged)
        store = SqliteStore(str(world.file))
        try:
            list(store.documents("machine"))
            return [store.journal(number) for number in (1, 2, 3)]
        finally:
            store._connection.close()

    expected = histories(damaged=whole)
    for at in range(0, len(whole), PAGE):
        for rubbish in (b"\xff" * PAGE, random.Random(at).randbytes(PAGE)):
            with pytest.raises(StoreError, match=r"doorstep\.db can't be used"):
                histories(damaged=whole[:at] + rubbish + whole[at + PAGE :])
        with pytest.raises(StoreError, match=r"doorstep\.db can't be used"):
            histories(damaged=whole[: at + PAGE // 2])
    assert histories(damaged=whole) == expected


def test_of_a_log_that_is_cut_off_all_before_the_cut_is_there(world: World) -> None:
    store = SqliteStore(str(world.file))
    for number in range(12):
        store.put("activity", f"{number:02}", {"number": number})
        store.commit()
    log = Path(f"{world.file}-wal").read_bytes()
    beginning = world.file.read_bytes()
    store._connection.close()
    counts = []
    for length in range(0, len(log) + 1, 3000):
        world.file.write_bytes(beginning)
        Path(f"{world.file}-wal").write_bytes(log[:length])
        again = SqliteStore(str(world.file))
        numbers = [document["number"] for document in again.documents("activity")]
        assert numbers == list(range(len(numbers)))
        counts.append(len(numbers))
        again._connection.close()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


# Clients -----------------------------------------------------------------------------------------


def test_a_request_that_is_cut_off_does_nothing(world: World) -> None:
    world.serve()
    cut = world.connect()
    body = json.dumps({"name": "cut"}).encode()
    cut.sendall(request("CreateActivity", body, length=len(body) + 1))
    cut.shutdown(socket.SHUT_WR)
    assert b" 200 " not in cut.recv(1000)
    assert world.call("ListActivities") == {"activities": []}


HALF_A_HEAD, HALF_A_BODY = b"POST / HTTP/1.1\r\nHo", request("StopExecution", b"{", length=100)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (False, b""),
        (False, HALF_A_HEAD),
        (False, HALF_A_BODY),
        (True, HALF_A_HEAD),
        (True, HALF_A_BODY),
    ],
    ids=["nothing", "head", "body", "head of a second", "body of a second"],
)
def test_a_request_that_does_not_come_in_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, kept: bool, said: bytes
) -> None:
    monkeypatch.setattr(connections, "_SECONDS", 0.2)
    world.serve()
    activity = world.call("CreateActivity", {"name": "errands"})["activityArn"]
    slow, worker = world.connect(), world.connect()
    # A worker that waits longer than that has said all that it had to say.
    worker.sendall(request("GetActivityTask", json.dumps({"activityArn": activity}).encode()))
    if kept:
        slow.sendall(request("ListActivities", b"{}"))
        assert answer(slow)[0] == 200
    slow.sendall(said)
    assert slow.recv(1000) == b""
    world.create({"Type": "Task", "Resource": activity})
    world.start()
    assert b"taskToken" in answer(worker)[1]


def test_a_head_without_an_end_is_refused(world: World) -> None:
    slow = world.serve().connect()
    slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
    lines = repeat(b"X-More: " + b"x" * 10_000 + b"\r\n")
    with pytest.raises(ConnectionError):
        deque(map(slow.sendall, lines), maxlen=0)
    assert world.call("ListActivities") == {"activities": []}


def test_one_client_too_many_is_told_so_and_the_others_are_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "most_connections", lambda: 4)
    world.serve()
    clients = []
    for status in (200, 200, 200, 503):
        clients.append(world.connect())
        clients[-1].sendall(request("ListActivities", b"{}"))
        assert answer(clients[-1])[0] == status
    assert clients[-1].recv(1) == b""  # closed: it counts no more
    clients[0].sendall(request("ListActivities", b"{}"))
    assert answer(clients[0])[0] == 200


def test_as_many_files_may_be_open_as_the_system_lets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    limits = [(256, 20_000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert connections.most_connections() == 20_000 - 128
    assert limits[-1] == (20_000, 20_000)
    assert caplog.messages == []
    limits.append((256, 256))
    assert connections.most_connections() == 128
    assert caplog.messages == ["128 connections at most: raise the limit of open files (ulimit -n)"]


def test_macos_is_asked_for_what_it_grants_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    # setrlimit(2) there: EINVAL for more than OPEN_MAX, while the hard limit is infinite.
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    granted: list[tuple[int, int]] = []

    def setrlimit(_: int, limit: tuple[int, int]) -> None:
        if limit[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")
        granted.append(limit)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    assert connections.most_connections() == 10_240 - 128
    assert granted == [(10_240, resource.RLIM_INFINITY)]


def test_windows_has_no_limit_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert connections.most_connections() is None


def test_a_port_is_of_one_server_on_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # SO_REUSEADDR would let a second one have it: learn.microsoft.com, "Using SO_REUSEADDR and
    # SO_EXCLUSIVEADDRUSE".
    options: list[int] = []
    exclusive = socket.SO_KEEPALIVE  # stands for a constant that only Windows has
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", exclusive, raising=False)
    monkeypatch.setattr(
        socket.socket, "setsockopt", lambda _, level, option, value: options.append(option)
    )
    serving._listen("127.0.0.1", 0).close()
    assert options == [exclusive]


@pytest.mark.parametrize(
    ("operation", "member", "code"),
    [
        ("CreateStateMachine", "definition", "InvalidDefinition"),
        ("StartExecution", "input", "InvalidExecutionInput"),
        ("SendTaskSuccess", "output", "InvalidOutput"),
    ],
)
def test_json_that_is_too_deep_is_refused(
    world: World, ask: Ask, operation: str, member: str, code: str
) -> None:
    world.serve().create(WORK)
    given = {"name": "a", "roleArn": ROLE, "stateMachineArn": MACHINE, "taskToken": "t"}
    deep = "[" * 100_000 + "]" * 100_000
    status, told = ask(world.address, operation, {**given, member: deep})
    assert (status, told["__type"]) == (400, code)


def test_each_of_many_workers_that_wait_is_given_one_task() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "emulator_polls.py"
    command = [sys.executable, script, "--polls", "1000"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1000 tasks given" in ran.stdout
