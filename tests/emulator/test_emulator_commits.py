"""A server that dies at its n-th commit, for every n: the end is that of one that never died.

No threads, no time and no network: a test's own thread is the server's, `respond` the world.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from doorstep.engine.journal import Header

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.engine.identity import Identity
from doorstep.engine.messages import Event, Invoke
from doorstep.runtime import Execution
from doorstep.runtime.answers import Answer, answer, no_answer
from doorstep_emulator.api import OPERATIONS
from doorstep_emulator.arns import Caller
from doorstep_emulator.clock import Pace
from doorstep_emulator.handlers import LiveHandlers
from doorstep_emulator.publish.sinks import Sinks
from doorstep_emulator.server import Server
from doorstep_emulator.store.sqlite import SqliteStore
from doorstep_emulator.store.store import Row

OWNER = Caller("123456789012", "us-east-1")
MAIN, CHILD = (OWNER.arn("stateMachine", name) for name in ("main", "child"))
ARN = OWNER.arn("execution", "main:run")
ROLE = "arn:aws:iam::123456789012:role/doorstep"
INPUT = '{"items": [1, 2, 3]}'
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
GONE = "Task Timed Out: 'Provided task does not exist anymore'"
TURNS = 500
"""More than any of these runs needs."""


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def service(resource: str, **arguments: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::{resource}"
    return {"Type": "Task", "Resource": resource, "Parameters": arguments, "ResultPath": "$.told"}


def definitions(chain: Any, each: Any) -> dict[str, Any]:
    again = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60}]
    payload = {"token.$": "$$.Task.Token"}
    states = {
        "Retried": task("busy", Retry=again, ResultPath="$.told"),
        "Pause": {"Type": "Wait", "Seconds": 3600},
        "Job": service("glue:startJobRun.sync", JobName="night"),
        "Ask": service("lambda:invoke.waitForTaskToken", FunctionName="ask", Payload=payload),
        "Nested": service("states:startExecution.sync:2", StateMachineArn=CHILD),
        "Each": each({"Work": task("work")}, distributed=True, ItemsPath="$.items"),
    }
    child = {"Do": task("work"), "Rest": {"Type": "Wait", "Seconds": 60}}
    return {"main": chain(states), "child": chain(child)}


class Died(BaseException):
    """The end of a process: nothing handles it."""


class Dying(SqliteStore):
    """A store whose process dies at a commit: before it is written, or right after."""

    def __init__(self, file: str, dies_at: int | None = None, written: bool = False) -> None:
        super().__init__(file)
        self._dies_at = dies_at
        self._written = written

    def commit(self) -> None:
        if self._collected and self.commits == self._dies_at and not self._written:
            self._collected.clear()
            raise Died
        super().commit()
        if self.commits == self._dies_at and self._written:
            raise Died

    def durable_events(self, row: int) -> int:
        """What another process would find; the store's own reads write what was collected."""
        found = self._read("SELECT max(last) FROM journal WHERE execution = ?", row)
        return int(found[0][0] or 0)


class World:
    """What answers the tasks, and the clients that ask until they are told."""

    def __init__(self, definitions: dict[str, Any], clock: str = "virtual") -> None:
        self.definitions = definitions
        self.clock = clock
        self.calls: Counter[tuple[str, str, int]] = Counter()
        """How often each call was made, by its execution, key and attempt."""
        self.tokens: list[str] = []
        self.replies: list[Any] = []
        """What whoever has a token was told."""
        self.rash: list[str] = []
        """Calls that were made before that from which they follow was durable."""
        self.store: Dying
        self.rows: dict[str, Row]

    def server(self, store: Dying) -> Server:
        self.store = store
        pace = Pace.of(self.clock)
        server = Server(store, LiveHandlers(None), Sinks(), pace=pace, respond=self.respond)
        self.rows = server.recorder.rows
        return server

    def respond(self, execution: Execution, invoke: Invoke) -> Answer | None:
        action = invoke.integration.action
        if action == "states:startExecution":
            return None
        row = self.rows[execution.arn].id
        if self.store.durable_events(row) < len(execution.events):
            self.rash.append(f"{invoke.state} of {execution.arn}")
        self.calls[execution.arn, invoke.visit, invoke.attempt] += 1
        if invoke.integration.pattern == "waitForTaskToken":
            self.tokens.append(invoke.token)
            return no_answer(response={})
        if invoke.resource.endswith("busy") and not invoke.attempt:
            return Answer(failed=True, error="Busy")
        if action == "glue:startJobRun":
            return answer({"JobRunState": "SUCCEEDED"}, after="8h")
        return answer({"items": [1, 2, 3]})

    def live(self, server: Server) -> None:
        """All of a server's life, until it dies or nothing runs any more."""
        server.recorder.recover()
        self._begin(server)
        asked: set[str] = set()
        for _ in range(TURNS):
            for token in set(self.tokens) - asked:
                asked.add(token)
                server.ask(partial(approve, server, token), self.replies.append)
            server.recorder.commit()
            if not server.recorder.rows:
                return
            server.clock.turn(0)

    def _begin(self, server: Server) -> None:
        for name, definition in self.definitions.items():
            given = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE}
            OPERATIONS["CreateStateMachine"](server, OWNER, given)
        if server.row(ARN) is None:
            main = server.programs.startable(server.catalogue.target(MAIN))
            # With a seed: ids and tokens are then those of the run that nothing disturbs.
            identity = Identity(name="run", seed="seed", machine="main")
            clock = server.timelines.clock(server.pace, ARN)
            header = Header.of(main.definition, identity)
            server.driver.start(main.program, header, INPUT, clock)
            server.clock.turn(0)


def approve(server: Server, token: str) -> Any:
    request = {"taskToken": token, "output": INPUT}
    return OPERATIONS["SendTaskSuccess"](server, OWNER, request)


@contextmanager
def opened(file: Path, **death: Any) -> Iterator[Dying]:
    store = Dying(str(file), **death)
    try:
        yield store
    finally:
        store._connection.close()


def lived(world: World, file: Path) -> dict[str, Any]:
    """What a store holds after the life of a server: histories without times."""
    with opened(file) as store:
        world.live(world.server(store))
        return histories(store)


def died(world: World, file: Path, **death: Any) -> bool:
    """Whether a server died: not when it came to its end before."""
    with opened(file, **death) as store:
        try:
            world.live(world.server(store))
        except Died:
            return True
    return False


def histories(store: Dying) -> dict[str, list[tuple[Any, ...]]]:
    rows = store._read("SELECT arn, id FROM executions")
    return {arn: [timeless(event) for event in store.events(row, 1, 1000)] for arn, row in rows}


def timeless(event: Event) -> tuple[Any, ...]:
    details = re.sub(r'(StartDate|StopDate)(\\*)":\d+', r"\1", json.dumps(event.details))
    return event.id, event.previous, event.type, details


@pytest.fixture
def machines(chain: Any, each: Any) -> dict[str, Any]:
    return definitions(chain, each)


@pytest.mark.parametrize("written", [False, True], ids=["before it", "after it"])
def test_wherever_a_server_dies_the_next_one_ends_as_if_it_had_not(
    machines: dict[str, Any], tmp_path: Path, written: bool
) -> None:
    undisturbed = World(machines)
    expected = lived(undisturbed, tmp_path / "undisturbed")
    assert expected[ARN][-1][2] == "ExecutionSucceeded"
    assert len(expected) == 5
    # How many commits there are depends on the machine: a turn of the server has its time.
    for number in count(1):
        world, file = World(machines), tmp_path / f"{number}"
        if not died(world, file, dies_at=number, written=written):
            break
        assert lived(world, file) == expected, f"after a death at commit {number}"
        assert world.calls.keys() == undisturbed.calls.keys()
        assert max(world.calls.values()) <= 2
        assert world.rash == []
        # Who asks again, as the answer was lost, may hear that the task is over; nothing else.
        assert {str(reply) for reply in world.replies} <= {"{}", GONE}
    assert number > 15


@pytest.mark.parametrize("clock", ["real", "virtual", "60"])
def test_who_is_told_that_a_task_has_ended_was_heard(
    chain: Any, tmp_path: Path, clock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A turn may end, and be made durable, after anything that is done in it.
    monkeypatch.setattr("doorstep_emulator.clock._TURN", 0.0)
    payload = {"token.$": "$$.Task.Token"}
    ask = service("lambda:invoke.waitForTaskToken", FunctionName="ask", Payload=payload)
    world = World({"main": chain({"Ask": ask, "Pause": {"Type": "Wait", "Seconds": 3600}})}, clock)
    durable: list[list[str]] = []

    def told(_: Any) -> None:
        found = store.durable_events(world.rows[ARN].id)
        durable.append([event.type for event in server.driver.executions[ARN].events[:found]])

    with opened(tmp_path / "store") as store:
        server = world.server(store)
        world._begin(server)
        while not durable:
            if world.tokens:
                server.ask(partial(approve, server, world.tokens.pop()), told)
            server.recorder.commit()
            server.clock.turn(0)
    assert "TaskSucceeded" in durable[0]


def test_children_of_an_older_server_keep_their_tokens(
    chain: Any, each: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before, the seed of a child was its name.
    child = Identity.child

    def as_before(self: Identity, *of: str) -> Identity:
        return replace(child(self, *of), seed=child(self, *of).name)

    payload = {"token.$": "$$.Task.Token"}
    ask = service("lambda:invoke.waitForTaskToken", FunctionName="ask", Payload=payload)
    run = each({"Ask": {**ask, "ResultPath": "$"}}, distributed=True, ItemsPath="$.items")
    world = World({"main": chain({"Each": run})})
    file = tmp_path / "store"
    with monkeypatch.context() as older, opened(file) as store:
        older.setattr(Identity, "child", as_before)
        server = world.server(store)
        world._begin(server)
        while len(world.tokens) < 3:
            server.recorder.commit()
            server.clock.turn(0)
    ended = lived(world, file)
    assert [history[-1][2] for history in ended.values()] == ["ExecutionSucceeded"] * 4
    assert len(set(world.tokens)) == 3
