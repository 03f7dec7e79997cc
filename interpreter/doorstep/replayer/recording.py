"""A recorded history, indexed for those who follow it: what comes after what, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Any

from ..engine import TERMINAL
from ..errors import InputError
from ..history import Entry, Visit, Visits, entries, of_one, read_events, whole

_FROM_OUTSIDE = ("ExecutionAborted", "ExecutionTimedOut", "ExecutionRedriven")
_GROUPS = ("MapStateEntered", "ParallelStateEntered")
_RUN_ENDS = ("MapRunSucceeded", "MapRunFailed", "MapRunAborted")


class Recording:
    """The events of one execution, in the order of their ids."""

    def __init__(
        self,
        events: list[Entry],
        arn: str | None = None,
        map_run: str | None = None,
        visits: Visits | None = None,
    ) -> None:
        """`visits`: those of the events, where they are known."""
        self.events = events
        self.arn = arn
        """The execution's ARN, where log lines, its parent or the user name it."""
        self.map_run = map_run
        """ARN of the map run that started it, if one did."""
        self._known_visits = visits

    def __getitem__(self, number: int) -> Entry:
        return self.events[number - 1]

    @cached_property
    def following(self) -> defaultdict[int, list[Entry]]:
        """What follows each event, by its id."""
        following: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in self.events:
            following[entry.previous].append(entry)
        return following

    @cached_property
    def visits(self) -> Visits:
        """The visits of states."""
        return self._known_visits or Visits(self.events)

    @property
    def ended(self) -> bool:
        """Whether the execution was over when its history was asked for."""
        return self.events[-1].type in TERMINAL

    @cached_property
    def of_the_execution(self) -> list[Entry]:
        """The events of the execution as a whole: stopped, timed out, redriven."""
        return [entry for entry in self.events if entry.type in _FROM_OUTSIDE]

    @cached_property
    def _map_runs(self) -> Mapping[str, list[Entry]]:
        """The events with which each map run, by its ARN, began and was redriven."""
        begun = defaultdict(list)
        for entry in self.events:
            if entry.type in ("MapRunStarted", "MapRunRedriven"):
                begun[map_run_arn(entry)].append(entry)
        return begun

    def ends_of(self, started: Entry) -> list[Entry]:
        """Return a map run's ends, those after redrives too; `started`: its MapRunStarted.

        Fact 505: a redrive continues the same map run.
        """
        begun = self._map_runs[map_run_arn(started)]
        return [e for one in begun for e in self.following[one.id] if e.type in _RUN_ENDS]

    def lasted(self, started: Entry) -> tuple[float, float]:
        """Return when a map run began and when it last ended; infinity if it had not."""
        ends = self.ends_of(started)
        over = len(ends) == len(self._map_runs[map_run_arn(started)])
        return started.at, ends[-1].at if over else inf

    def visit(self, number: int) -> Visit | None:
        """Return the visit that an event belongs to; None: the execution itself, or event 0."""
        return self.visits.of.get(number)

    def gave_up(self, number: int) -> bool:
        """Return whether an event stands in a Parallel or a Map that did not succeed."""
        visit = self.visit(number)
        return any(
            one.outcome != "succeeded" and one.entered.type in _GROUPS
            for one in (visit.outward() if visit else ())
        )


History = Mapping[str, Any] | Sequence[Any] | str | Path | Recording
"""GetExecutionHistory's answer, its events, its text, a file with it, or what was read before."""


def map_run_arn(entry: Entry) -> str:
    """Return the ARN of the map run that an event is about (facts 433 and 505)."""
    return str(entry.details.get("mapRunArn"))


def read_recording(
    history: History, arn: str | None = None, *, source: str | None = None
) -> Recording:
    """Read a recording; one that was read before is returned as it is.

    `arn`: the execution's, where the history does not name it or has several. Raises InputError
    for what is no history, has events missing, or has several executions; it names the `source`,
    by default the file.
    """
    if isinstance(history, Recording):
        return history
    source = source or _source(history)
    events, arn = of_one(events_of(history), arn, source)
    return Recording(whole(entries(events, source), source), arn)


def _source(history: History) -> str:
    return str(history) if isinstance(history, Path) else "the history"


def events_of(history: Mapping[str, Any] | Sequence[Any] | str | Path) -> Sequence[Any]:
    """Return the events of a history in GetExecutionHistory's shape; InputError if it is none."""
    match history:
        case Path():
            return read_events(_text(history), _source(history))
        case str():
            return read_events(history, _source(history))
        case Mapping():
            events = history.get("events")
        case _:
            events = history
    if not isinstance(events, Sequence) or isinstance(events, str):
        raise InputError('the history has no "events"')
    return events


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as problem:
        raise InputError(f"can't read the history {path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"the history {path} is not UTF-8 text: {problem.reason}") from None
