"""Following a recording: its facts are given to an engine, whose events are compared with it.

The engine says by itself what it waits for. What the recording has next in that line is the fact:
an answer, a timeout, the end of a delay. Facts are taken in the order of the recording, each at its
time, and after each one what the engine concludes is paired with what AWS recorded.

In a Parallel or a Map that fails, how far the siblings still got is chance, and is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..engine.engine import EXECUTION, Engine
from ..engine.fibers import Fiber
from ..engine.journal import Journal
from ..engine.messages import Command, Event, Fact, FindActivity, Invoke, SetTimer, StartMapRun
from ..history.recorded import Entry
from ..model.definition import Workflow
from .comparing import Rules, other_length, other_limit, unlike
from .difference import Difference, Explaining
from .facts import OF_THE_EXECUTION, answer, is_shown, map_run_result
from .family import Family
from .handing import HandedOut, hand_out
from .pairing import Pairing
from .recording import Recording, map_run_arn


class Follower:
    """One pass of an engine along a recording."""

    def __init__(
        self,
        recording: Recording,
        machine: Workflow,
        engine: Engine,
        journal: Journal,
        rules: Rules,
        family: Family | None = None,
    ) -> None:
        self.recording = recording
        self.engine = engine
        self.journal = journal
        self.rules = rules
        self.pairing = Pairing(recording)
        self.difference: Difference | None = None
        self.answers: list[tuple[Invoke, Fact, Entry]] = []
        """What reached the calls: the call, the fact, and the event that tells of it."""
        self.map_runs: dict[str, HandedOut] = {}
        """By their keys those whose children's histories were looked for."""
        self.explain = Explaining(recording, machine)
        self._family = family

    def follow(self) -> None:
        """Go on until the recording ends, or `difference` is found."""
        started = self.recording.events[0]
        self._deliver(Fact("started", started.at, "", started.text("input")), started)
        while self.difference is None:
            entry, key = min(self._next(), default=(None, ""), key=_order)
            self.difference = self._missed(entry)
            if entry is None or self.difference:
                return
            self._step(entry, key)

    # The next fact ---------------------------------------------------------------------------

    def _next(self) -> Iterator[tuple[Entry, str]]:
        """What the recording has for all that the engine waits for."""
        for key, fiber in self.engine.waiting.items():
            if (entry := self.pairing.next_after(fiber.last)) and self._is_before(entry):
                yield entry, key
        for entry in self.recording.of_the_execution:
            if self.pairing.is_left(entry) and self._is_before(entry):
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
            self._keep_alive(fact)
            self._deliver(fact, entry)
        left = self.difference is None and self.pairing.is_left(entry)
        if left and not self._follows_a_lookup(entry):
            self.difference = self.explain.other_event(entry, None, entry.previous)

    def _follows_a_lookup(self, entry: Entry) -> bool:
        """Whether a lookup comes first, as before the next attempt of an activity's task: no event
        shows that its delay is over.
        """
        keys = [key for following, key in self._next() if key and following is entry]
        return any(isinstance(self.engine.open[key].get(""), FindActivity) for key in keys)

    def _fact(self, entry: Entry, key: str) -> Fact | None:
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
        fact = answer(entry, at, invoke.key, commands)
        if fact and fact.kind == "due":
            timer = commands[fact.data]
            assert isinstance(timer, SetTimer)
            fact = fact._replace(at=max(at, timer.at))
        if fact:
            self.answers.append((invoke, fact, entry))
        return fact

    def _end_of_run(self, entry: Entry, at: float, run: StartMapRun) -> Fact | None:
        handed = self.map_runs.get(run.key)
        if handed and entry not in self.recording.ends_of(handed.started)[-1:]:
            # The children's histories tell how they ended after the last redrive.
            handed = None
        state = self.explain.states[run.state]
        if handed and (told := handed.otherwise(entry, is_shown(run, state))):
            self.difference = self.explain.other_end(entry, told)
            return None
        return map_run_result(entry, at, run, state, self.recording, handed)

    def _of_the_execution(self, entry: Entry, at: float) -> Fact:
        if entry.type == "ExecutionTimedOut":
            timer = self.engine.open.get(EXECUTION, {}).get("timeout")
            at = max(at, timer.at) if isinstance(timer, SetTimer) and not self.rules.times else at
        return OF_THE_EXECUTION[entry.type](entry, at)

    def _keep_alive(self, fact: Fact) -> None:
        """Heartbeats leave no events: where no timeout is recorded, they must have come."""
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
        self.journal.append((fact, *events))
        return events, commands

    def _deliver(self, fact: Fact, entry: Entry) -> None:
        events, commands = self._receive(fact)
        found = [
            difference
            for event in events
            if (difference := self._compare(event, entry)) is not None
        ]
        if found:
            first = min(found, key=lambda one: _order((one.recorded, "")))
            self.difference = (first.recorded and self._missed(first.recorded)) or first
        for command in commands:
            if isinstance(command, StartMapRun):
                self._hand_out(command)

    def _hand_out(self, run: StartMapRun) -> None:
        """Find the histories of a map run's children, if any were given."""
        fiber = self.engine.waiting.get(run.key)
        started = self.pairing.of.get(fiber.last) if fiber else None
        if self._family is None or run.key in self.map_runs or started is None:
            return
        entry = self.recording[started]
        taken = {child for other in self.map_runs.values() for child in other.taken}
        arn, lasted = map_run_arn(entry), self.recording.lasted(entry)
        own = [one for one in self._family.of_map_run(arn, *lasted) if one not in taken]
        bucket = self._family.bucket
        self.map_runs[run.key] = hand_out(run, entry, own, bucket, self.rules.same)

    def _compare(self, event: Event, cause: Entry) -> Difference | None:
        entry = self.pairing.take(event)
        if entry is None:
            return self._unpaired(event)
        found = unlike(entry, event, self.rules.same)
        return self.explain.other_details(entry, event, found) if found else None

    def _unpaired(self, event: Event) -> Difference | None:
        before = self.pairing.of.get(event.previous)
        if before is None or event.id in self.pairing.of or _is_abort(event):
            return None
        left = self.pairing.next_after(event.previous)
        stopped = self.recording.gave_up(before) or not self.recording.ended
        if left is None and stopped:
            return None
        return self.explain.other_event(left, event, before)

    def _missed(self, upto: Entry | None) -> Difference | None:
        """What was recorded before an event, and has not happened here though it had its cause."""
        limit = upto.id if upto else self.rules.before
        standing = {fiber.last for fiber in self.engine.waiting.values()}
        for entry in self.pairing.left(limit):
            ours = self.pairing.ours.get(entry.previous)
            if ours in standing:
                continue
            if not self._is_chance(entry, ours):
                return self.explain.other_event(entry, None, entry.previous)
            self.pairing.drop(entry)
        return None

    def _is_chance(self, entry: Entry, ours: int | None) -> bool:
        """Whether it happened in a line that was given up here at an earlier moment."""
        if _is_abort(entry) or ours is None:
            return True
        stopped = ours not in self.pairing.followed
        return stopped and self.recording.gave_up(entry.previous)

    # Time --------------------------------------------------------------------------------------

    def _other_length(self, entry: Entry, timer: SetTimer, fiber: Fiber) -> Difference | None:
        """A wait or a retry's delay that lasts longer or shorter now than it did."""
        _, name = fiber.state
        state = self.explain.states[name]
        jitter = any("JitterStrategy" in retrier for retrier in state.fields.get("Retry", ()))
        if jitter or not entry.type.endswith(("WaitStateExited", "Scheduled", "StateStarted")):
            return None
        began = self.recording[self.pairing.of[fiber.last]].at
        begins = self.engine.history[fiber.last - 1].at
        told = other_length(entry.at, timer.at, began, begins)
        return self.explain.other_time(entry, told) if told else None

    def _over_by_now(self, entry: Entry) -> Difference | None:
        """The execution's own time limit has passed, and the recording goes on."""
        timer = self.engine.open.get(EXECUTION, {}).get("timeout")
        if not isinstance(timer, SetTimer):
            return None
        told = other_limit(entry, timer.at, self.engine.started_at)
        return self.explain.other_time(entry, told) if told else None


def _is_abort(event: Event | Entry) -> bool:
    return event.type.endswith(("StateAborted", "IterationAborted"))


def _order(found: tuple[Any, str]) -> float:
    return found[0].id if found[0] else float("inf")
