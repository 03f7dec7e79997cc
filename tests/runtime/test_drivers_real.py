"""Real time: the same events as in virtual time, but for the times. The waits are tiny."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

import doorstep
from doorstep.api import compile_definition
from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header, JournalEntry
from doorstep.engine.messages import Fact
from doorstep.map_runs.run import MapRun
from doorstep.runtime import Driver, RealClock, Running, VirtualClock
from doorstep.runtime import clocks as runtime_clocks
from doorstep.runtime.handlers import Handlers
from doorstep.runtime.invocation import Context
from doorstep.runtime.persistence import InMemory

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
TIMED = ("timestamp",)


def machine() -> dict[str, Any]:
    charge = {
        "Type": "Task",
        "Resource": FUNCTION + "charge",
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 0}],
        "End": True,
    }
    pause = {"Type": "Wait", "Seconds": 0, "Next": "Each"}
    each = {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "Charge", "States": {"Charge": charge}},
        "MaxConcurrency": 1,
        "End": True,
    }
    return {"StartAt": "Pause", "States": {"Pause": pause, "Each": each}}


def charge_after(failures: int) -> Any:
    left = [failures]

    def charge(event: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise doorstep.fail("Busy", "try again")
        return event * 2

    return charge


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Work", "States": {"Work": {**state, "End": True}}}


def without_times(execution: doorstep.Execution) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in event.items() if key not in TIMED}
        for event in execution.history
    ]


def test_the_events_are_those_of_virtual_time() -> None:
    real, virtual = (
        doorstep.run(machine(), [1, 2], {"charge": charge_after(2)}, clock=clock, seed=1)
        for clock in ("real", "virtual")
    )
    assert real.output == virtual.output == [2, 4]
    assert without_times(real) == without_times(virtual)


def test_a_wait_lasts() -> None:
    began = int(time.time() * 1000) / 1000  # as precise as the clock of executions
    until = {"QueryLanguage": "JSONata", "Type": "Wait"}
    until["Timestamp"] = "{% $fromMillis($millis() + 60) %}"
    execution = doorstep.run(one(until), clock="real")
    assert execution.status == "SUCCEEDED"
    entered, exited = execution.events[1].at, execution.events[2].at
    assert began <= entered
    assert exited - entered >= 0.05


def test_handlers_of_branches_run_at_the_same_time() -> None:
    # Each waits for the other: one after another they would never meet.
    meeting = threading.Barrier(2, timeout=5)

    def meet(event: Any) -> bool:
        meeting.wait()
        return True

    state = {"Type": "Task", "Resource": FUNCTION + "meet", "End": True}
    branches = [{"StartAt": name, "States": {name: state}} for name in ("A", "B")]
    execution = doorstep.run(
        one({"Type": "Parallel", "Branches": branches}), handlers={"meet": meet}, clock="real"
    )
    assert execution.output == [True, True]


def test_a_handler_that_never_returns_is_ended_by_its_timeout() -> None:
    release = threading.Event()
    state = {"Type": "Task", "Resource": FUNCTION + "hang", "TimeoutSeconds": 1}
    try:
        execution = doorstep.run(
            one(state), handlers={"hang": lambda event: release.wait(20)}, clock="real"
        )
    finally:
        release.set()
    assert execution.error == "States.Timeout"


def test_a_heartbeat_from_the_handlers_thread_arrives() -> None:
    def beat(event: Any, context: Context) -> Any:
        context.heartbeat()
        context.send_task_success(context.task_token, "done")
        return {}

    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}},
        "HeartbeatSeconds": 30,
    }
    execution = doorstep.run(one(state), handlers={"*": beat}, clock="real")
    assert execution.output == "done"


class Noting(InMemory):
    """Notes what it is told of, and in which thread."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.threads: set[int] = set()

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        self._note(entries[0].kind if isinstance(entries[0], Fact) else "")

    def scheduled(self, execution: Running, fact: Fact) -> None:
        self._note("scheduled")

    def _note(self, what: str) -> None:
        self.told.append(what)
        self.threads.add(threading.get_ident())


class SetBack(RealClock):
    """A clock that is set back an hour after every look at it."""

    def __init__(self) -> None:
        super().__init__()
        self.back = 0.0

    def now(self) -> float:
        self.back += 3600
        return super().now() - self.back


ASK = one(
    {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    }
)


def driven(clock: RealClock, definition: Any, handlers: Any, keeper: Any) -> Running:
    driver = Driver(clock, Handlers(handlers), persistence=keeper, new_map_run=MapRun)
    identity = Identity(name="test", seed="test")
    execution = driver.start(
        compile_definition(definition), Header.of(definition, identity), "[1, 2]"
    )
    driver.run(execution)
    return execution


def test_what_a_handler_promises_is_kept_before_its_answer_and_in_the_driver_s_thread() -> None:
    def ask(event: Any, context: Context) -> None:
        context.send_task_success(event["token"], "yes", after="1ms")

    keeper = Noting()
    execution = driven(RealClock(), ASK, {"ask": ask}, keeper)
    assert execution.output == "yes"
    assert keeper.told == ["started", "scheduled", "submitted", "succeeded"]
    assert keeper.threads == {threading.get_ident()}


def test_a_history_goes_on_in_time_when_the_machine_s_clock_is_set_back() -> None:
    execution = driven(SetBack(), machine(), {"charge": lambda event: event}, InMemory())
    times = [event.at for event in execution.events]
    assert execution.status == "SUCCEEDED"
    assert times == sorted(times)


def test_a_wait_looks_up_from_time_to_time_where_ctrl_c_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Windows: a flag that a signal's handler sets is seen between two spells of the wait.
    monkeypatch.setattr(runtime_clocks, "_SPELL", 0.01)
    clock = RealClock()
    clock.call_at(clock.now() + 60, lambda: None)
    looks = iter([False, False, False, True])
    clock.run(lambda: next(looks))
    assert next(looks, None) is None


def test_a_call_with_a_limit_is_waited_for_in_spells_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_clocks, "_SPELL", 0.01)
    waits: list[float | None] = []
    join = threading.Thread.join

    def seen(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", seen)
    clock, answers, go = VirtualClock(), [], threading.Event()
    clock.invoke(lambda: go.wait(0.1), answers.append, 60)
    clock.run(lambda: bool(answers))
    assert answers == [False]
    assert len(waits) > 1
    assert max(waits) == 0.01


# The machine's clock is set -----------------------------------------------------------------------


class Machine:
    """The clocks of a machine, set by a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.awake, self.asleep = 1.8e9, 5000.0, 0.0
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "monotonic", lambda: self.awake)
        clocks = (lambda: self.awake + self.asleep, lambda: self.awake)
        monkeypatch.setattr(runtime_clocks, "_CLOCKS", clocks)
        monkeypatch.setattr(time, "clock_gettime", lambda clock: clock())

    def let_pass(self, seconds: float, asleep: float = 0.0) -> None:
        self.wall += seconds + asleep
        self.awake += seconds
        self.asleep += asleep


@pytest.fixture
def machine_clock(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize("step", [-3600.0, 3600.0, -1e9, 0.5])
def test_a_timer_lasts_as_long_as_it_says_whatever_the_clock_is_set_to(
    machine_clock: Machine, step: float
) -> None:
    clock = RealClock()
    began = clock.now()
    done: list[float] = []
    clock.call_at(began + 60, lambda: done.append(clock.now() - began))
    clock.step(0)
    machine_clock.let_pass(10)
    machine_clock.wall += step
    clock.call_at(clock.now() + 60, lambda: done.append(clock.now() - began))
    clock.step(0)
    for _ in range(12):
        machine_clock.let_pass(5)
        clock.step(0)
    assert done == [60, 70]
    assert clock.ahead() == -step


def test_a_machine_that_sleeps_wakes_to_what_was_due(machine_clock: Machine) -> None:
    clock, done = RealClock(), list[str]()
    clock.call_at(clock.now() + 3600, lambda: done.append("due"))
    clock.step(0)
    machine_clock.let_pass(1, asleep=3599)
    assert clock.step(0)
    assert done == ["due"]
    assert clock.ahead() == 0


def test_histories_do_not_go_back_in_time(machine_clock: Machine) -> None:
    def set_back(event: Any) -> None:
        machine_clock.wall -= 3600

    task = {"Type": "Task", "Resource": FUNCTION + "set"}
    execution = doorstep.run(one(task), handlers={"set": set_back}, clock="real")
    times = [event.at for event in execution.events]
    assert times == sorted(times)
