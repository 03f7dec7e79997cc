"""`doorstep.resume`: an execution continues from where its history ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ..api import Definition, StateMachines, Type, buckets_of, driver_with, handlers_with
from ..engine import StartMapRun
from ..errors import InputError, ReplayError
from ..history import Visit
from ..runtime import (
    Clock,
    Execution,
    InMemory,
    OnEvent,
    Running,
    Source,
    Startable,
    VirtualClock,
    resume_execution,
)
from ..values.did_you_mean import did_you_mean
from .child_histories import ChildHistories, ChildSource
from .children import Absence, ChildPlace, MatchedChild, map_run_children
from .follower import Follower
from .matching import MapRunMatch
from .recording import History, Recording, read_recording
from .replayer import Replayer

if TYPE_CHECKING:
    from ..services import AtWork


class ResumeOptions(TypedDict, total=False):
    """The options of `prepare_resume`; see there."""

    state: str | None
    at: int | None
    arn: str | None
    type: Type | None
    times: bool
    state_machines: StateMachines | None
    children: ChildSource | None
    s3_root: Path | str | None
    services: AtWork | None
    on_event: OnEvent | None


def resume(
    history: History,
    definition: Definition,
    handlers: Source | None = None,
    **options: Unpack[ResumeOptions],
) -> Execution:
    """Resume a recorded execution where it failed: its past from the history, the rest from here.

    A failed, timed out or stopped execution is redriven: what succeeded is not run again. The
    other options are those of `prepare_resume`, which can go back further. Raises InputError where
    there is nothing to resume, and ReplayError where the definition does not lead there.

    Facts 500 to 505.
    """
    return prepare_resume(history, definition, handlers, **options).wait()


def prepare_resume(
    history: History,
    definition: Definition,
    handlers: Source | None = None,
    *,
    state: str | None = None,
    at: int | None = None,
    arn: str | None = None,
    type: Type | None = None,
    times: bool = True,
    state_machines: StateMachines | None = None,
    children: ChildSource | None = None,
    s3_root: Path | str | None = None,
    services: AtWork | None = None,
    on_event: OnEvent | None = None,
) -> Execution:
    """Return an execution at the point where it resumes; `.wait()` continues it.

    | option | |
    |---|---|
    | state | run the last visit of this state again, whether it failed or not |
    | at | run all from this event on again |
    | arn, type, times | as in `replay` |
    | state_machines, s3_root, services, on_event | as in `doorstep.start` |
    | children | as in `replay`: of a distributed Map, those that succeeded are not run again |

    The clock is virtual and continues from the recording's last event. An execution that was still
    running continues; it waits for callbacks and jobs that were begun before.
    """
    if children is not None and (state is not None or at is not None):
        raise InputError("children resume where their parent ended, not from a state or event")
    recording = read_recording(history, arn)
    replayer = Replayer(definition, type=type, times=times)
    limit = _limit(recording, state, at)
    local = handlers_with(services, handlers)
    histories = None
    if children is not None:
        buckets = buckets_of(services, s3_root)
        histories = replayer.child_histories(children, state_machines, buckets)
    point = _resume_point(replayer, replayer.follow(recording, limit, histories), histories)
    clock = VirtualClock(point.until)
    past = _RecordedChildren(clock)
    running = past.put(point)
    driver = driver_with(
        services,
        _machine(replayer, running),
        state_machines,
        clock,
        local,
        s3_root=s3_root,
        on_event=on_event,
        persistence=past,
    )
    if running.ended:
        driver.redrive(running)
    else:
        resume_execution(driver, running)
    for child in past.running:
        resume_execution(driver, child)
    return Execution(driver, running)


def _machine(replayer: Replayer, running: Running) -> Startable:
    identity = running.identity
    return Startable(
        identity.machine, replayer.program, replayer.definition, identity.type, identity.role
    )


# Where executions resume --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ResumePoint:
    """An execution at the end of its recording."""

    replayer: Replayer
    follower: Follower
    children: Mapping[str, Sequence[_ResumePoint]]
    """By the keys of the map runs that have not succeeded, in the order of the indexes."""

    @property
    def until(self) -> float:
        """When the last thing happened in it or in its children, in epoch seconds."""
        inside = (child.until for children in self.children.values() for child in children)
        return max([self.follower.engine.now, *inside])


def _resume_point(
    replayer: Replayer, follower: Follower, histories: ChildHistories | None
) -> _ResumePoint:
    """Return where an execution, followed to its end, resumes.

    Raises ReplayError where a history differs, InputError where one is missing.
    """
    if follower.difference:
        raise ReplayError(f"cannot resume this history: {follower.difference}")
    if histories is None:
        return _ResumePoint(replayer, follower, {})
    children = {
        key: [
            _child(place, histories)
            for place in map_run_children(replayer, follower, match, histories)
        ]
        for key, match in _unfinished(follower)
    }
    return _ResumePoint(replayer, follower, children)


def _unfinished(follower: Follower) -> list[tuple[str, MapRunMatch]]:
    """Return the map runs that continue: of a Map that was retried, the last one.

    Fact 505: a redrive continues the map run.
    """
    last = {
        visit: (key, match)
        for key, match in follower.map_runs.items()
        if (visit := follower.recording.visit(match.started.id)) and not visit.over
    }
    return list(last.values())


def _child(place: ChildPlace, histories: ChildHistories) -> _ResumePoint:
    child = place.child
    if not isinstance(child, MatchedChild):
        raise InputError(f"{place.where} {_REFUSED[child]}")
    follower = child.replayer.follow(child.recording, histories=histories)
    if difference := child.difference or follower.difference:
        raise ReplayError(f"cannot resume the history of {place.where}, {place.name}: {difference}")
    return _resume_point(child.replayer, follower, histories)


class _RecordedChildren(InMemory):
    """What is stored of map runs that began in a recording: their children."""

    def __init__(self, clock: Clock) -> None:
        self.running: list[Running] = []
        """Children that had not ended."""
        self._clock = clock
        self._children: dict[tuple[str, str], list[Running]] = {}

    def children(self, parent: Running, command: StartMapRun) -> Sequence[Running]:
        """Return those of a map run, in the order of their indexes."""
        return self._children.get((parent.arn, command.key), ())

    def put(self, point: _ResumePoint) -> Running:
        """Store the children of an execution, and return it."""
        engine, journal = point.follower.engine, point.follower.journal
        execution = Running(
            point.replayer.program, journal.header, self._clock, engine=engine, journal=journal
        )
        for key, points in point.children.items():
            children = [self.put(child) for child in points]
            self._children[execution.arn, key] = children
            self.running += (child for child in children if not child.ended)
        return execution


_REFUSED: Mapping[Absence, str] = {
    "missing": "has no history among those of the children: its item would be run again",
    "unmatched": "has a child that matches none of its items now",
    "not given": "has no histories of its children: without --children all its items run again",
    "no items": "reads its items from a bucket: give it with --s3-root to match children and items",
}


def _limit(recording: Recording, state: str | None, at: int | None) -> int | None:
    """Return the first event that is not taken from the recording; None: all are."""
    events = recording.events
    if state is not None:
        return _last_visit(recording, state).entered.id + 1
    if at is None and events[-1].type == "ExecutionSucceeded":
        raise InputError(
            "the execution succeeded: name a state or an event to resume from "
            "(--from STATE, --at EVENT; in Python state=, at=)"
        )
    if at is not None and not 1 < at <= len(events):
        raise InputError(f"the history has the events 1 to {len(events)}, not {at}")
    return at


def _last_visit(recording: Recording, state: str) -> Visit:
    names = {visit.name: visit for visit in recording.visits.all}
    if state not in names:
        suggestion = did_you_mean(state, names) or f"it enters {', '.join(names)}"
        raise InputError(f"the history does not enter the state {state!r}: {suggestion}")
    return names[state]
