"""One execution's trouble stays its own, and an answer says what happened.

No threads, no time and no network: a test's own thread is the server's, `respond` the world.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import doorstep

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.engine.messages import Invoke
from doorstep.errors import OUR_FAULT, ApiError
from doorstep.runtime import Execution
from doorstep.runtime.answers import Answer, no_answer
from doorstep.values.json_values import MAX_DEPTH
from doorstep_cli.commands.remote import Remote
from doorstep_emulator import Options, StoreError, running
from doorstep_emulator.api import OPERATIONS
from doorstep_emulator.arns import Caller
from doorstep_emulator.clock import REAL, Pace
from doorstep_emulator.handlers import LiveHandlers
from doorstep_emulator.http.app import health
from doorstep_emulator.publish.sinks import Sinks
from doorstep_emulator.server import Server
from doorstep_emulator.store.sqlite import SqliteStore

pytestmark = pytest.mark.faults

OWNER = Caller("123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/doorstep"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
WAIT = {"Type": "Wait", "Seconds": 3600}
GONE = "TaskTimedOut"
Machine = dict[str, Any]


class World:
    """Servers one after another on one store, their time and what answers the tasks."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder / "store")
        self.time = 1_000_000.0
        self.answers: dict[str, Answer] = {}
        """What answers a function's calls; others get no answer, not even to a request."""
        self.tokens: list[str] = []
        self.server: Server

    def serve(self, store: SqliteStore | None = None, pace: Pace = REAL) -> Server:
        self.server = Server(
            store or SqliteStore(self.file),
            LiveHandlers(None),
            Sinks(),
            pace=pace,
            respond=self.respond,
        )
        self.server.lost = self.server.recorder.recover()
        return self.server

    def die(self) -> None:
        self.server.store._connection.close()  # type: ignore[attr-defined]

    def respond(self, execution: Execution, invoke: Invoke) -> Answer | None:
        if invoke.integration.resource_type in ("states", "aws-sdk:sfn"):
            return None
        if invoke.token:
            self.tokens.append(invoke.token)
        name = invoke.resource.rpartition(":")[2]
        return self.answers.get(name, Answer(accepted=False))

    def turn(self, turns: int = 20) -> None:
        for _ in range(turns):
            self.server.recorder.commit()
            self.server.clock.turn(0)
        self.server.recorder.commit()

    def ask(self, operation: str, **request: Any) -> Any:
        """An answer, once it is durable; "Code" for a refusal."""
        replies: list[Any] = []
        act = lambda: OPERATIONS[operation](self.server, OWNER, request)  # noqa: E731
        self.server.ask(act, replies.append)
        self.turn()
        [reply] = replies
        return reply.code if isinstance(reply, ApiError) else reply

    def start(self, machine: Machine, name: str = "run", input: str = "{}") -> str:
        given = {"name": "main", "definition": json.dumps(machine), "roleArn": ROLE}
        arn = self.ask("CreateStateMachine", **given)["stateMachineArn"]
        arn = self.ask("StartExecution", stateMachineArn=arn, name=name, input=input)
        return str(arn["executionArn"])

    def status(self, arn: str) -> str:
        return str(self.ask("DescribeExecution", executionArn=arn)["status"])

    def types(self, arn: str) -> list[str]:
        events = self.ask("GetExecutionHistory", executionArn=arn)["events"]
        return [event["type"] for event in events]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path)
    monkeypatch.setattr("time.time", lambda: world.time)
    monkeypatch.setattr("doorstep.runtime.clocks.RealClock.exact", lambda _: world.time)
    yield world
    world.die()


def ask(**fields: Any) -> dict[str, Any]:
    payload = {"token.$": "$$.Task.Token"}
    return {
        "Type": "Task",
        "Resource": CALLBACK,
        "Parameters": {"FunctionName": "ask", "Payload": payload},
        **fields,
    }


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("a mistake of ours")


# One execution's trouble stays its own ---------------------------------------------------------


class Picky(SqliteStore):
    """A store that refuses one execution's entries from a fact of a certain kind on."""

    refuses = ""
    id = 0

    def append(self, execution: int, entries: Any) -> None:
        if execution == self.id and entries[0].kind == self.refuses:
            raise StoreError("the entries can't be stored")
        super().append(execution, entries)


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH])
def test_the_deepest_output_that_is_accepted_is_stored(
    world: World, chain: Any, levels: int
) -> None:
    world.serve()
    world.answers["ask"] = no_answer(response={})
    world.answers["invoke.waitForTaskToken"] = no_answer(response={})
    arn = world.start(chain({"Ask": ask()}))
    output = "[" * levels + "]" * levels
    assert world.ask("SendTaskSuccess", taskToken=world.tokens[0], output=output) == {}
    assert world.ask("DescribeExecution", executionArn=arn)["output"] == output


@pytest.mark.parametrize("kind", ["succeeded", "due"])
def test_what_can_not_be_stored_ends_its_execution_and_no_other(
    world: World, chain: Any, kind: str
) -> None:
    store = Picky(world.file)
    world.serve(store)
    machine = chain({"Ask": ask(TimeoutSeconds=60), "Pause": WAIT})
    world.answers["ask"] = no_answer(response={})
    world.answers["invoke.waitForTaskToken"] = no_answer(response={})
    bad, good = world.start(machine, "bad"), world.start(machine, "good")
    row = world.server.row(bad)
    assert row
    store.id, store.refuses = row.id, kind
    if kind == "due":
        world.time += 61
        world.turn()
    else:
        assert world.ask("SendTaskSuccess", taskToken=world.tokens[0], output="{}") is not None
    assert world.status(bad) == "FAILED"
    told = world.ask("DescribeExecution", executionArn=bad)
    assert told["cause"].startswith(OUR_FAULT)
    assert world.types(bad)[-2:] == ["TaskSubmitted", "ExecutionFailed"]
    expected = "TIMED_OUT" if kind == "due" else "RUNNING"
    assert world.status(good) in (expected, "FAILED")
    # It is the same for the next server.
    world.die()
    world.serve()
    assert world.status(bad) == "FAILED"
    assert world.types(bad)[-1] == "ExecutionFailed"


def test_a_start_that_can_not_be_stored_is_not_acknowledged(world: World, chain: Any) -> None:
    class Full(SqliteStore):
        def begin(self, row: Any) -> None:
            if row.name == "bad":
                raise StoreError("the row can't be stored")
            super().begin(row)

    world.serve(Full(world.file))
    machine = chain({"Pause": WAIT})
    good = world.start(machine, "good")
    arn = good.replace("execution:", "stateMachine:").removesuffix(":good")
    reply = world.ask("StartExecution", stateMachineArn=arn, name="bad")
    assert isinstance(reply, Exception)
    assert world.ask("DescribeExecution", executionArn=f"{good}x") == "ExecutionDoesNotExist"
    assert world.status(good) == "RUNNING"
    assert not world.server.driver.executions.get(good.replace("good", "bad"))


def test_what_only_the_commit_refuses_is_set_aside_by_name(world: World, chain: Any) -> None:
    server = world.serve()
    machine = chain({"Pause": {"Type": "Wait", "Seconds": 60}, "More": WAIT})
    bad, good = world.start(machine, "bad"), world.start(machine, "good")
    row = server.row(bad)
    assert row
    server.store._connection.execute(  # type: ignore[attr-defined]
        "CREATE TRIGGER t BEFORE INSERT ON journal WHEN NEW.execution = "
        f"{row.id} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    world.time += 61
    world.turn()
    assert list(health(server)["stuck"]) == [bad]
    assert world.types(good)[-1] == "WaitStateEntered"
    # The next server finds it as it was stored last.
    world.die()
    world.serve()
    assert bad in world.server.recorder.rows


def test_who_waits_for_what_is_set_aside_hears_of_its_end(world: World, chain: Any) -> None:
    server = world.serve()
    child = chain({"Pause": {"Type": "Wait", "Seconds": 60}, "More": WAIT})
    given = {"name": "child", "definition": json.dumps(child), "roleArn": ROLE}
    arn = world.ask("CreateStateMachine", **given)["stateMachineArn"]
    nested = "arn:aws:states:::states:startExecution.sync"
    task = {"Type": "Task", "Resource": nested, "Parameters": {"StateMachineArn": arn}}
    parent = world.start(chain({"Nested": task}))
    [row] = [row for row in server.recorder.rows.values() if row.arn != parent]
    server.store._connection.execute(  # type: ignore[attr-defined]
        "CREATE TRIGGER t BEFORE INSERT ON journal WHEN NEW.execution = "
        f"{row.id} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    world.time += 61
    world.turn()
    assert world.status(parent) == "FAILED"
    assert world.types(parent)[-2:] == ["TaskFailed", "ExecutionFailed"]


def test_whoever_watches_executions_can_not_harm_them(
    world: World, chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.serve()
    monkeypatch.setattr(server.metrics, "count_events", broken)
    assert world.status(world.start(chain({"A": {"Type": "Pass"}}))) == "SUCCEEDED"


def test_one_that_can_not_be_restored_is_set_aside_with_its_children_and_nothing_else(
    world: World, chain: Any, each: Any
) -> None:
    server = world.serve()
    world.answers["work"] = no_answer()
    work = {"Type": "Task", "Resource": FUNCTION + "work"}
    bad = world.start(chain({"Each": each({"W": work}, distributed=True)}), "bad", "[1, 2]")
    good = world.start(chain({"Each": each({"W": work}, distributed=True)}), "good", "[1, 2]")
    row = server.row(bad)
    assert row
    server.store._connection.execute(  # type: ignore[attr-defined]
        f"UPDATE journal SET entries = x'00' WHERE execution = {row.id}"
    )
    world.die()
    server = world.serve()
    stuck = health(server)["stuck"]
    assert bad in stuck
    assert good not in stuck
    children = [arn for arn in stuck if arn != bad]
    assert len(children) == 2
    assert all(bad in stuck[arn] for arn in children)
    assert len(server.recorder.rows) == 3


@pytest.mark.parametrize("pattern", ["sync", "waitForTaskToken"])
def test_a_long_chain_of_nested_executions_is_restored(
    world: World, chain: Any, pattern: str
) -> None:
    server = world.serve()
    world.answers["work"] = no_answer()
    arguments = {
        "StateMachineArn": OWNER.arn("stateMachine", "main"),
        "Input": {"left.$": "States.MathAdd($.left, -1)", "token.$": "$$.Task.Token"},
    }
    resource = f"arn:aws:states:::states:startExecution.{pattern}"
    states = {
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.left", "NumericEquals": 0, "Next": "Work"}],
            "Default": "Nested",
        },
        "Nested": {"Type": "Task", "Resource": resource, "Parameters": arguments, "End": True},
        "Work": {"Type": "Task", "Resource": FUNCTION + "work", "End": True},
    }
    world.start({"StartAt": "More", "States": states}, input='{"left": 300}')
    world.turn(2_000)
    assert len(server.recorder.rows) == 301
    world.die()
    server = world.serve()
    assert health(server)["stuck"] == {}
    assert len(server.recorder.rows) == 301


# An answer says what happened --------------------------------------------------------------------


ENDS: list[tuple[str, dict[str, str]]] = [
    ("SendTaskSuccess", {"output": '"first"'}),
    ("SendTaskFailure", {"error": "First"}),
]


@pytest.mark.parametrize(("operation", "members"), ENDS, ids=["success", "failure"])
@pytest.mark.parametrize(
    ("clock", "request_answered"), [("real", True), ("real", False), ("virtual", True)]
)
def test_the_first_end_of_a_task_counts_and_the_others_are_told_so(
    world: World,
    chain: Any,
    clock: str,
    operation: str,
    members: dict[str, str],
    request_answered: bool,
) -> None:
    """`request_answered`: whether the handler that was given the token has returned."""
    world.serve(pace=Pace.of(clock))
    if request_answered:
        world.answers["invoke.waitForTaskToken"] = no_answer(response={})
    arn = world.start(chain({"Ask": ask(TimeoutSeconds=60), "Pause": WAIT}))
    [token] = world.tokens
    replies: list[Any] = []
    sent = [
        (operation, members),
        ("SendTaskSuccess", {"output": '"second"'}),
        ("SendTaskFailure", {"error": "Second"}),
        ("SendTaskHeartbeat", {}),
    ]
    # All of them before the thread has looked at any.
    for name, more in sent:
        request = {"taskToken": token, **more}
        act = lambda name=name, request=request: OPERATIONS[name](world.server, OWNER, request)  # noqa: E731
        world.server.ask(act, replies.append)
    world.turn()
    assert [str(getattr(reply, "code", reply)) for reply in replies] == ["{}", GONE, GONE, GONE]
    world.time += 61
    world.turn()
    events = world.ask("GetExecutionHistory", executionArn=arn)["events"]
    ended = [one for one in events if one["type"] in ("TaskSucceeded", "TaskFailed")]
    assert len(ended) == 1
    assert "irst" in json.dumps(ended[0])
    assert "TaskTimedOut" not in [one["type"] for one in events]
    after = "RUNNING" if clock == "real" else "SUCCEEDED"
    assert world.status(arn) == ("FAILED" if "Failure" in operation else after)


def test_an_end_that_was_acknowledged_comes_before_the_time_limit_even_after_a_restart(
    world: World, chain: Any
) -> None:
    world.serve()
    arn = world.start(chain({"Ask": ask(TimeoutSeconds=60)}))
    assert world.ask("SendTaskSuccess", taskToken=world.tokens[0], output="7") == {}
    world.die()
    world.time += 3600
    world.serve()
    world.turn()
    assert world.status(arn) == "SUCCEEDED"
    assert "TaskTimedOut" not in world.types(arn)


def test_an_end_that_was_acknowledged_stands_in_the_history_of_what_is_stopped(
    world: World, chain: Any
) -> None:
    world.serve()
    arn = world.start(chain({"Ask": ask(), "Pause": WAIT}))
    assert world.ask("SendTaskSuccess", taskToken=world.tokens[0], output="7") == {}
    world.ask("StopExecution", executionArn=arn)
    assert world.types(arn)[-3:] == ["TaskStateExited", "WaitStateEntered", "ExecutionAborted"]


def test_branches_that_were_acknowledged_do_not_time_out_with_the_others(
    world: World, chain: Any
) -> None:
    world.serve()
    branches = [chain({f"Ask{i}": ask(TimeoutSeconds=60)}) for i in range(3)]
    arn = world.start(chain({"All": {"Type": "Parallel", "Branches": branches}}))
    assert world.ask("SendTaskSuccess", taskToken=world.tokens[1], output="7") == {}
    world.time += 61
    world.turn()
    types = world.types(arn)
    assert types.count("TaskSucceeded") == 1
    assert types.count("TaskTimedOut") == 2


@pytest.mark.parametrize("limit", ["TimeoutSeconds", "HeartbeatSeconds", "the execution's"])
@pytest.mark.parametrize("operation", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"])
def test_a_limit_that_passed_while_the_server_was_down_comes_before_any_answer(
    world: World, chain: Any, limit: str, operation: str
) -> None:
    world.serve()
    world.answers["invoke.waitForTaskToken"] = no_answer(response={})
    fields = {limit: 4} if limit.endswith("Seconds") else {}
    more = {} if fields else {"TimeoutSeconds": 4}
    arn = world.start({**chain({"Ask": ask(**fields)}), **more})
    world.die()
    world.time += 4.5
    world.serve()
    # At once: nothing has looked at the time yet.
    members = {"output": "7"} if operation == "SendTaskSuccess" else {}
    request = {"taskToken": world.tokens[0], **members}
    with pytest.raises(ApiError) as refused:
        OPERATIONS[operation](world.server, OWNER, request)
    assert refused.value.code == GONE
    world.turn()
    assert world.status(arn) in ("TIMED_OUT", "FAILED")
    assert "TaskSucceeded" not in world.types(arn)


def test_a_task_that_sends_to_its_own_execution_is_answered_from_what_it_did(
    world: World, chain: Any
) -> None:
    world.serve()
    send = "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess"
    arguments = {"TaskToken.$": "$.token", "Output": "7"}
    task = {"Type": "Task", "Resource": send, "Parameters": arguments}
    catch = [{"ErrorEquals": ["Sfn.TaskTimedOutException"], "ResultPath": "$.e", "Next": "Late"}]
    world.answers["invoke.waitForTaskToken"] = no_answer(response={})
    waiting = world.start(chain({"Ask": ask()}))
    [token] = world.tokens
    twice = chain(
        {
            "First": {**task, "ResultPath": "$.first"},
            "Second": {**task, "Catch": catch},
            "Early": {"Type": "Fail"},
            "Late": {"Type": "Succeed"},
        }
    )
    arn = world.ask(
        "CreateStateMachine", name="sender", definition=json.dumps(twice), roleArn=ROLE
    )["stateMachineArn"]
    given = {"stateMachineArn": arn, "input": json.dumps({"token": token})}
    sent = world.ask("StartExecution", **given)["executionArn"]
    world.turn(50)
    assert world.status(waiting) == "SUCCEEDED"
    assert world.status(sent) == "SUCCEEDED"


def test_a_callback_that_a_handler_sends_twice_is_refused_the_second_time() -> None:
    refused: list[str] = []

    def ask_and_answer(event: Any, context: doorstep.Context) -> None:
        context.send_task_success(event["token"], "first")
        for _ in range(2):
            try:
                context.send_task_failure(event["token"], "Second")
            except doorstep.DoorstepError as problem:
                refused.append(str(problem))

    machine = {"StartAt": "Ask", "States": {"Ask": {**ask(), "End": True}}}
    execution = doorstep.run(machine, handlers={"ask": ask_and_answer})
    assert execution.output == "first"
    assert len(refused) == 2
    assert all("is over" in text for text in refused)


def test_a_later_end_may_still_be_overtaken() -> None:
    def ask_and_answer(event: Any, context: doorstep.Context) -> None:
        context.send_task_success(event["token"], "late", after="5h")
        context.send_task_success(event["token"], "early", after="1h")

    machine = {"StartAt": "Ask", "States": {"Ask": {**ask(), "End": True}}}
    assert doorstep.run(machine, handlers={"ask": ask_and_answer}).output == "early"


def test_a_server_whose_recovery_fails_as_a_whole_still_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("doorstep_emulator.recorder.Recorder.recover", broken)
    with running(Options(port=0, grace=0)) as url:
        assert Remote(url).ask("ListStateMachines") == {"stateMachines": []}
