"""`doorstep.resume`: an execution goes on from where its history ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from ..api import Definition, Machines, Type, as_machine
from ..engine.messages import StartMapRun
from ..errors import InputError, ReplayError
from ..history.state_visits import Visit
from ..map_runs.run import MapRun
from ..runtime import Driver, Execution, VirtualClock
from ..runtime.clocks import Clock
from ..runtime.handlers import Handlers, Source
from ..runtime.persistence import InMemory, resume_execution
from ..runtime.ports import OnEvent
from ..values.did_you_mean import did_you_mean
from .children import Absence, Place, Start, of_map_run
from .family import Children, Family
from .follower import Follower
from .handing import HandedOut
from .recording import History, Recording, read_recording
from .replayer import Replayer


class ResumeOptions(TypedDict, total=False):
    """The options of `begin_again`; see there."""

    state: str | None
    at: int | None
    arn: str | None
    type: Type | None
    times: bool
    machines: Machines | None
    children: Children | None
    bucket: Path | str | None
    on_event: OnEvent | None


def resume(
    history: History,
    definition: Definition,
    handlers: Source | None = None,
    **options: Unpack[ResumeOptions],
) -> Execution:
    """Go on from where a recorded execution failed: its past from the history, the rest from here.

    A failed, timed out or stopped execution is redriven: what succeeded is not done again. The
    other options are those of `begin_again`, with which one can go back further. Raises InputError
    where there is nothing to go on with, and ReplayError where the definition does not lead there.
    """
    driver, execution = begin_again(history, definition, handlers, **options)
    driver.run(execution)
    return execution


def begin_again(
    history: History,
    definition: Definition,
    handlers: Source | None = None,
    *,
    state: str | None = None,
    at: int | None = None,
    arn: str | None = None,
    type: Type | None = None,
    times: bool = True,
    machines: Machines | None = None,
    children: Children | None = None,
    bucket: Path | str | None = None,
    on_event: OnEvent | None = None,
) -> tuple[Driver, Execution]:
    """An execution that stands where it goes on; `driver.run(execution)` lets it do so.

    | option | |
    |---|---|
    | state | do the last visit of this state again, whether it failed or not |
    | at | do all from this event on again |
    | arn, type, times | as in `replay` |
    | machines, bucket, on_event | as in `doorstep.start` |
    | children | as in `replay`: of a distributed Map, those that succeeded are not run again |

    The clock is virtual and goes on from the recording's last event. An execution that was still
    running just goes on; callbacks and jobs that were begun before are waited for.
    """
    if children is not None and (state is not None or at is not None):
        raise InputError("children go on where their parent ended, not from a state or event")
    recording = read_recording(history, arn)
    replayer = Replayer(definition, type=type, times=times)
    limit = _limit(recording, state, at)
    driver_handlers = Handlers(handlers)
    family = None if children is None else replayer.family(children, machines, bucket)
    standing = stand(replayer, replayer.follow(recording, limit, family), family)
    clock = VirtualClock(standing.until)
    past = Past(clock)
    execution = past.put(standing)
    driver = Driver(
        clock,
        driver_handlers,
        machines={name: as_machine(name, given) for name, given in (machines or {}).items()},
        bucket=None if bucket is None else Path(bucket),
        on_event=on_event,
        persistence=past,
        new_map_run=MapRun,
    )
    if execution.ended:
        driver.redrive(execution)
    else:
        resume_execution(driver, execution)
    for child in past.running:
        resume_execution(driver, child)
    return driver, execution


# Children that go on -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """An execution at the end of its recording."""

    replayer: Replayer
    follower: Follower
    children: Mapping[str, Sequence[Standing]]
    """Of the map runs that have not succeeded, by their keys: in the order of their indexes."""

    @property
    def until(self) -> float:
        """When the last thing happened in it, or in its children."""
        inside = (child.until for children in self.children.values() for child in children)
        return max([self.follower.engine.now, *inside])


def stand(replayer: Replayer, follower: Follower, family: Family | None) -> Standing:
    """Where an execution, followed to its end, goes on.

    Raises ReplayError where a history can't be gone on with, InputError where one is missing.
    """
    if follower.difference:
        raise ReplayError(f"the history can't be gone on with: {follower.difference}")
    if family is None:
        return Standing(replayer, follower, {})
    children = {
        key: [_child(place, family) for place in of_map_run(replayer, follower, handed, family)]
        for key, handed in _unfinished(follower)
    }
    return Standing(replayer, follower, children)


def _unfinished(follower: Follower) -> list[tuple[str, HandedOut]]:
    """The map runs that go on: of a Map that was retried, the last one."""
    last = {
        visit: (key, handed)
        for key, handed in follower.map_runs.items()
        if (visit := follower.recording.visit(handed.started.id)) and not visit.over
    }
    return list(last.values())


def _child(place: Place, family: Family) -> Standing:
    start = place.start
    if not isinstance(start, Start):
        raise InputError(f"{place.where} {_REFUSED[start]}")
    follower = start.replayer.follow(start.recording, family=family)
    if found := start.difference or follower.difference:
        told = f"the history of {place.where}, {place.name}, can't be gone on with: {found}"
        raise ReplayError(told)
    return stand(start.replayer, follower, family)


class Past(InMemory):
    """What a driver finds of map runs that began in a recording: their children."""

    def __init__(self, clock: Clock) -> None:
        self.running: list[Execution] = []
        """Children that had not ended."""
        self._clock = clock
        self._children: dict[tuple[str, str], list[Execution]] = {}

    def children(self, parent: Execution, command: StartMapRun) -> Sequence[Execution]:
        """Those of a map run, in the order of their indexes."""
        return self._children.get((parent.arn, command.key), ())

    def put(self, standing: Standing) -> Execution:
        """The execution, whose children will be found."""
        engine, journal = standing.follower.engine, standing.follower.journal
        execution = Execution(
            standing.replayer.program, journal.header, self._clock, engine=engine, journal=journal
        )
        for key, standings in standing.children.items():
            children = [self.put(child) for child in standings]
            self._children[execution.arn, key] = children
            self.running += (child for child in children if not child.ended)
        return execution


_REFUSED: Mapping[Absence, str] = {
    "missing": "has no history among its children's: its item would be done again",
    "surplus": "has a child that gets none of its items now",
    "not given": "has none of its children's histories: without any, all its items are done again",
    "no items": "reads its items from a bucket: which child had which is known with that only",
}


def _limit(recording: Recording, state: str | None, at: int | None) -> int | None:
    """The first event that is not taken from the recording."""
    events = recording.events
    if state is not None:
        return _last_visit(recording, state).entered.id + 1
    if at is None and events[-1].type == "ExecutionSucceeded":
        raise InputError(
            "the execution succeeded: name a state or an event to go on from "
            "(--from STATE, --at EVENT; in Python state=, at=)"
        )
    if at is not None and not 1 < at <= len(events):
        raise InputError(f"the history has the events 1 to {len(events)}, not {at}")
    return at


def _last_visit(recording: Recording, state: str) -> Visit:
    names = {visit.name: visit for visit in recording.visits.all}
    if state not in names:
        known = did_you_mean(state, names) or f"it enters {', '.join(names)}"
        raise InputError(f"the history does not enter the state {state!r}: {known}")
    return names[state]
