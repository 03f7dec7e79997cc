"""Following a recording: its facts go into an engine, whose events are compared with it.

The engine knows what it waits for. What the recording has next in that line is the fact:

| recorded event | fact about the call, map run or timer that it follows |
|---|---|
| ActivityScheduled, or the failure in its place | looked up |
| ActivityStarted | picked up |
| TaskSubmitted | submitted |
| …Succeeded | succeeded |
| …Failed | failed |
| …TimedOut | due: its timeout, or its heartbeat where that came first |
| any, after a delay | due |
| ExecutionAborted, ExecutionTimedOut, ExecutionRedriven | stopped, due, redriven |

Facts are taken in the order of the recording, each at its time, and after each one what the engine
concludes is paired with what AWS recorded. In a Parallel or a Map that fails, how far the siblings
still got is chance, and is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ..engine import (
    EXECUTION,
    Command,
    Engine,
    Event,
    Fact,
    Fiber,
    FindActivity,
    Invoke,
    Journal,
    SetTimer,
    StartMapRun,
)
from ..errors import InputError
from ..history import Entry
from ..jsonpath import ReferenceConflict, compile_reference
from ..map_runs import export_result, read_items
from ..model import State, Workflow
from ..values.json_values import ABSENT, loads
from .child_histories import ChildHistories
from .comparison import (
    ALIASES,
    EARLY,
    ComparisonRules,
    Difference,
    DifferenceReporter,
    Pairing,
    first_difference,
    other_length,
    other_limit,
)
from .matching import MapRunMatch, match_children
from .recording import Recording, map_run_arn


class Follower:
    """One pass of an engine along a recording."""

    def __init__(
        self,
        recording: Recording,
        machine: Workflow,
        engine: Engine,
        journal: Journal,
        rules: ComparisonRules,
        histories: ChildHistories | None = None,
    ) -> None:
        self.recording = recording
        self.engine = engine
        self.journal = journal
        self.rules = rules
        self.pairing = Pairing(recording)
        self.difference: Difference | None = None
        self.answers: list[tuple[Invoke, Fact, Entry]] = []
        """What reached the calls: the call, the fact, and the recorded event."""
        self.map_runs: dict[str, MapRunMatch] = {}
        """By their keys those whose children's histories were looked for."""
        self.report = DifferenceReporter(recording, machine)
        self._histories = histories

    def follow(self) -> None:
        """Continue until the recording ends, or `difference` is found."""
        started = self.recording.events[0]
        self._deliver(Fact("started", started.at, "", started.text("input")))
        while self.difference is None:
            entry, key = min(self._next(), default=(None, ""), key=_order)
            self.difference = self._missed(entry)
            if entry is None or self.difference:
                return
            self._step(entry, key)

    # The next fact ---------------------------------------------------------------------------

    def _next(self) -> Iterator[tuple[Entry, str]]:
        """Yield what the recording has next for each thing that the engine waits for."""
        for key, fiber in self.engine.waiting.items():
            if (entry := self.pairing.next_after(fiber.last)) and self._is_before(entry):
                yield entry, key
        for entry in self.recording.of_the_execution:
            if self.pairing.is_unpaired(entry) and self._is_before(entry):
                yield entry, ""
                return

    def _is_before(self, entry: Entry) -> bool:
        return self.rules.before is None or entry.id < self.rules.before

    def _step(self, entry: Entry, key: str) -> None:
        if self.rules.times and (late := self._over_by_now(entry)):
            self.difference = late
            return
        fact = self._fact(entry, key)
        if fact is not None and self.difference is None:
            self._add_heartbeats(fact)
            self._deliver(fact)
        unpaired = self.difference is None and self.pairing.is_unpaired(entry)
        if unpaired and not self._follows_a_lookup(entry):
            self.difference = self.report.other_event(entry, None, entry.previous)

    def _follows_a_lookup(self, entry: Entry) -> bool:
        """Return whether a lookup comes first, as before the next attempt of an activity's task.

        No event shows that the delay before it is over.
        """
        keys = [key for following, key in self._next() if key and following is entry]
        return any(isinstance(self.engine.open[key].get(""), FindActivity) for key in keys)

    def _fact(self, entry: Entry, key: str) -> Fact | None:
        # Facts 400 to 402: what a recorded event follows says what caused it.
        at = max(self.engine.now, entry.at)
        if not key:
            return self._of_the_execution(entry, at)
        commands = self.engine.open[key]
        match commands.get(""):
            case Invoke() as invoke:
                return self._answer(entry, at, invoke, commands)
            case FindActivity():
                return Fact("looked up", at, key, entry.type.endswith("Scheduled"))
            case StartMapRun() as run:
                return self._end_of_run(entry, at, run)
        timer = commands["delay"]
        assert isinstance(timer, SetTimer)
        if self.rules.times:
            self.difference = self._other_length(entry, timer, self.engine.waiting[key])
        return Fact("due", max(at, timer.at), key, "delay")

    def _answer(
        self, entry: Entry, at: float, invoke: Invoke, commands: Mapping[str, Command]
    ) -> Fact | None:
        fact = _answer(entry, at, invoke.key, commands)
        if fact and fact.kind == "due":
            timer = commands[fact.data]
            assert isinstance(timer, SetTimer)
            fact = fact._replace(at=max(at, timer.at))
        if fact:
            self.answers.append((invoke, fact, entry))
        return fact

    def _end_of_run(self, entry: Entry, at: float, run: StartMapRun) -> Fact | None:
        match = self.map_runs.get(run.key)
        if match and entry not in self.recording.ends_of(match.started)[-1:]:
            # The children's histories end as they did after the last redrive.
            match = None
        state = self.report.states[run.state]
        if match and (message := match.other_end(entry, _is_recorded(run, state))):
            self.difference = self.report.other_end(entry, message)
            return None
        if entry.type == "MapRunFailed":
            return Fact("failed", at, run.key, _failure(entry))
        if entry.type == "MapRunSucceeded":
            result = _map_run_result(entry, run, state, self.recording, match)
            return Fact("succeeded", at, run.key, result)
        return None

    def _of_the_execution(self, entry: Entry, at: float) -> Fact:
        if entry.type == "ExecutionTimedOut":
            timer = self.engine.open.get(EXECUTION, {}).get("timeout")
            at = max(at, timer.at) if isinstance(timer, SetTimer) and not self.rules.times else at
        return _OF_THE_EXECUTION[entry.type](entry, at)

    def _add_heartbeats(self, fact: Fact) -> None:
        """Add the heartbeats, which leave no events: without a timeout they must have come.

        Facts 98 and 418: a heartbeat is no event, and limits the gap before it.
        """
        if fact.kind != "due":
            return
        for key, commands in list(self.engine.open.items()):
            timer = commands.get("heartbeat")
            expires = key == fact.key and fact.data == "heartbeat"
            if isinstance(timer, SetTimer) and timer.at <= fact.at and not expires:
                self._receive(Fact("heartbeat", fact.at, key))

    # What follows from it ----------------------------------------------------------------------

    def _receive(self, fact: Fact) -> tuple[list[Event], list[Command]]:
        before = len(self.engine.history)
        commands = self.engine.receive(fact)
        events = self.engine.history[before:]
        self.journal.entries.extend((fact, *events))
        return events, commands

    def _deliver(self, fact: Fact) -> None:
        events, commands = self._receive(fact)
        differences = [one for event in events if (one := self._compare(event)) is not None]
        if differences:
            first = min(differences, key=lambda one: _order((one.recorded, "")))
            self.difference = (first.recorded and self._missed(first.recorded)) or first
        for command in commands:
            if isinstance(command, StartMapRun):
                self._match_children(command)

    def _match_children(self, run: StartMapRun) -> None:
        """Find the histories of a map run's children, where there are any."""
        fiber = self.engine.waiting.get(run.key)
        started = self.pairing.of.get(fiber.last) if fiber else None
        if self._histories is None or run.key in self.map_runs or started is None:
            return
        entry = self.recording[started]
        matched = {child for other in self.map_runs.values() for child in other.histories}
        arn, lasted = map_run_arn(entry), self.recording.lasted(entry)
        candidates = [c for c in self._histories.of_map_run(arn, *lasted) if c not in matched]
        read = partial(read_items, run, self._histories.buckets)
        self.map_runs[run.key] = match_children(run, entry, candidates, read, self.rules.same)

    def _compare(self, event: Event) -> Difference | None:
        entry = self.pairing.pair(event)
        if entry is None:
            return self._unpaired(event)
        difference = first_difference(entry, event, self.rules.same)
        return self.report.other_details(entry, event, difference) if difference else None

    def _unpaired(self, event: Event) -> Difference | None:
        before = self.pairing.of.get(event.previous)
        if before is None or event.id in self.pairing.of or _is_abort(event):
            return None
        instead = self.pairing.next_after(event.previous)
        stopped = self.recording.gave_up(before) or not self.recording.ended
        if instead is None and stopped:
            return None
        return self.report.other_event(instead, event, before)

    def _missed(self, upto: Entry | None) -> Difference | None:
        """Return what was recorded before `upto`, and did not happen here though its cause did."""
        limit = upto.id if upto else self.rules.before
        standing = {fiber.last for fiber in self.engine.waiting.values()}
        for entry in self.pairing.unpaired(limit):
            ours = self.pairing.ours.get(entry.previous)
            if ours in standing:
                continue
            if not self._is_chance(entry, ours):
                return self.report.other_event(entry, None, entry.previous)
            self.pairing.drop(entry)
        return None

    def _is_chance(self, entry: Entry, ours: int | None) -> bool:
        """Return whether it happened in a line that was stopped here at an earlier moment.

        A line continues where one of our events follows from `ours`: then it is a difference.

        Facts 108, 137 and 421: which events a line that is aborted still has depends on the moment.
        """
        if _is_abort(entry) or ours is None:
            return True
        stopped = ours not in self.pairing.followed
        return stopped and self.recording.gave_up(entry.previous)

    # Time --------------------------------------------------------------------------------------

    def _other_length(self, entry: Entry, timer: SetTimer, fiber: Fiber) -> Difference | None:
        """Return how a wait or a retry's delay lasts longer or shorter now; none with jitter."""
        assert fiber.state
        state = self.report.states[fiber.state.name]
        jitter = any("JitterStrategy" in retrier.fields for retrier in state.retriers)
        if jitter or not entry.type.endswith(("WaitStateExited", "Scheduled", "StateStarted")):
            return None
        began = self.recording[self.pairing.of[fiber.last]].at
        begins = self.engine.history[fiber.last - 1].at
        message = other_length(entry.at, timer.at, began, begins)
        return self.report.other_time(entry, message) if message else None

    def _over_by_now(self, entry: Entry) -> Difference | None:
        """Return how the recording contradicts the execution's own time limit (fact 94)."""
        timer = self.engine.open.get(EXECUTION, {}).get("timeout")
        if not isinstance(timer, SetTimer):
            return None
        message = other_limit(entry, timer.at, self.engine.started_at)
        return self.report.other_time(entry, message) if message else None


def _is_abort(event: Event | Entry) -> bool:
    # Facts 403 and 421: aborts are leaves, nothing follows them.
    return event.type.endswith(("StateAborted", "IterationAborted"))


def _order(next_fact: tuple[Entry | None, str]) -> float:
    return next_fact[0].id if next_fact[0] else float("inf")


# The fact that a recorded event stands for --------------------------------------------------------

_OWN_FAILURE = "Doorstep."
"""Begins the errors of a run that is set up wrong: no retrier and no catcher takes them."""

_OF_THE_EXECUTION: Mapping[str, Callable[[Entry, float], Fact]] = {
    "ExecutionAborted": lambda entry, at: Fact("stopped", at, "", _failure(entry)),
    "ExecutionTimedOut": lambda _, at: Fact("due", at, EXECUTION, "timeout"),
    "ExecutionRedriven": lambda _, at: Fact("redriven", at),
}

_ANSWERS: Mapping[str, Callable[[Entry, float, str], Fact]] = {
    "Started": lambda e, at, key: Fact("picked up", at, key, e.details.get("workerName")),
    "Submitted": lambda e, at, key: Fact("submitted", at, key, loads(e.text("output"))),
    "Succeeded": lambda e, at, key: Fact("succeeded", at, key, loads(e.text("output"))),
    "Failed": lambda e, at, key: Fact("failed", at, key, _failure(e)),
}


def _answer(entry: Entry, at: float, key: str, commands: Mapping[str, Command]) -> Fact | None:
    """Return the fact about a call that a recorded event stands for, if it is about a call."""
    event_type = ALIASES.get(entry.type, entry.type)
    for family in ("LambdaFunction", "Activity", "Task"):
        what = event_type.removeprefix(family)
        if what == "TimedOut":
            timer = _expired(commands, at)
            return None if timer is None else Fact("due", at, key, timer.name)
        if what != event_type and what in _ANSWERS:
            return _ANSWERS[what](entry, at, key)
    return None


def _expired(commands: Mapping[str, Command], at: float) -> SetTimer | None:
    """Return the timer that ended a call: both leave the same event, and heartbeats leave none.

    Facts 97 and 308: both limits are recorded as States.Timeout.
    """
    timers = [commands[name] for name in ("timeout", "heartbeat") if name in commands]
    due = [timer for timer in timers if isinstance(timer, SetTimer) and timer.at <= at + EARLY]
    return next(iter(due), None) or next((t for t in timers if isinstance(t, SetTimer)), None)


def _map_run_result(
    succeeded: Entry,
    command: StartMapRun,
    state: State,
    recording: Recording,
    match: MapRunMatch | None,
) -> Any:
    """Return a map run's result: where it was exported to, or its children's outputs.

    Where these are not all known, it is read off the output of its state.
    """
    if command.writer is not None and command.writer.bucket is not None:
        # A ResultWriter exports below the map run's id (developer guide, "ResultWriter").
        map_run = recording[succeeded.previous].details.get("mapRunArn", command.arn)
        return export_result(command.writer, map_run)
    result = match.result(_is_recorded(command, state)) if match else ABSENT
    return _recorded_result(succeeded, command, state, recording) if result is ABSENT else result


def _is_recorded(command: StartMapRun, state: State) -> bool:
    """Return whether the result of a map run is known without its children."""
    exported = command.writer is not None and command.writer.bucket is not None
    changed = any(name in state.fields for name in ("Output", "ResultSelector", "OutputPath"))
    return exported or not changed


def _recorded_result(
    succeeded: Entry, command: StartMapRun, state: State, recording: Recording
) -> Any:
    run = recording.visit(succeeded.id)
    exited = run.last if run else None
    if exited is None or exited.type != "MapStateExited":
        raise InputError(f"the history does not have the result of the map run of {state.name!r}")
    output = loads(exited.text("output"))
    fields = state.fields
    path = "$" if state.jsonata else fields.get("ResultPath", "$")
    if path is None:
        return None
    if not _is_recorded(command, state):
        raise InputError(
            f"the history does not have the result of the map run of {state.name!r}: its Output, "
            "ResultSelector or OutputPath changed it. Give the histories of all its children "
            "(--children), and the bucket of its items if they are in one (--s3-root)"
        )
    try:
        return output if path == "$" else compile_reference(path).get(output)
    except ReferenceConflict as problem:
        raise InputError(f"the result of the map run of {state.name!r}: {problem}") from None


def _failure(entry: Entry) -> dict[str, Any]:
    ours = str(entry.details.get("error", "")).startswith(_OWN_FAILURE)
    return entry.why | ({"final": True} if ours and entry.type != "ExecutionAborted" else {})
