"""An execution as its user sees it, whether it runs here, was recorded, or is replayed.

All that is shown follows from the history: how it ended, which way it went, what each state did.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..engine import TERMINAL, seldom_collected
from ..model import workflow
from ..values.did_you_mean import did_you_mean
from ..values.json_values import value_of
from .aws_json import HistoryEvent, aws_events
from .failures import ending, failure_lines
from .recorded import Entry
from .state_visits import Visits
from .visit import Visit, VisitOutcome

_LINES = 60
_CHARACTERS = 200
_LONGEST_CAUSE = 2_000
"""It may say what to do."""


class StateView:
    """All visits of one state in an execution; what is asked of one visit is of the last.

    `input`, `output`, `next`, `assigned` and `took` raise AssertionError where it was not reached.
    """

    def __init__(self, name: str, visits: Sequence[Visit], inside: Sequence[Visit]) -> None:
        self.name = name
        self._visits = visits
        self._inside = inside

    @property
    def visits(self) -> int:
        """How often it was entered."""
        return len(self._visits)

    @property
    def retries(self) -> int:
        """How often its work was retried, in all visits."""
        return sum(len(visit.retries) for visit in self._visits)

    @property
    def errors(self) -> list[str]:
        """The names of the errors of its work, retried ones included."""
        return [error for visit in self._visits for error in visit.errors]

    @property
    def outcome(self) -> VisitOutcome | None:
        """succeeded, caught, failed, aborted or in progress; None when it was never entered."""
        return self._visits[-1].outcome if self._visits else None

    @property
    def input(self) -> Any:
        """Its input as a JSON value, before InputPath."""
        return self._last.input

    @property
    def output(self) -> Any:
        """Its output as a JSON value; None when it was not left."""
        return self._last.output

    @property
    def next(self) -> str | None:
        """The state that followed; None at an end."""
        return self._last.following

    @property
    def assigned(self) -> dict[str, Any]:
        """The variables that it assigned, by name."""
        return self._last.assigned

    @property
    def took(self) -> timedelta:
        """The modelled time from its entry to its latest event."""
        return _between(self._last.events)

    @property
    def paths(self) -> list[list[str]]:
        """In a Parallel or inline Map, the states that each branch or iteration went through.

        Branches and iterations that were retried are there again.
        """
        return [path for visit in self._visits for path in _lines(visit, self._inside)]

    def __getitem__(self, visit: int) -> StateView:
        """Return one visit, from 0."""
        return StateView(self.name, [self._visits[visit]], self._inside)

    def __repr__(self) -> str:
        return f"<State {self.name}: {self.visits} visits, {self.outcome or 'not reached'}>"

    @property
    def _last(self) -> Visit:
        if not self._visits:
            raise AssertionError(f"the state '{self.name}' was not reached")
        return self._visits[-1]


class ExecutionView(ABC):
    """What the history of an execution says of it. All of it is as of now."""

    @property
    @abstractmethod
    def events(self) -> Sequence[HistoryEvent]:
        """The history: events with `id`, `previous`, `type`, `at` (epoch seconds), `details`."""

    @property
    @abstractmethod
    def definition(self) -> Mapping[str, Any] | None:
        """The definition that it runs, as a value; None: not known."""

    @property
    def status(self) -> str:
        """NOT_STARTED, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return TERMINAL.get(self.events[-1].type, "RUNNING") if self.events else "NOT_STARTED"

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.status == "SUCCEEDED"

    @property
    def failed(self) -> bool:
        """Whether it ended with an error of its own; timed out and aborted are other ends."""
        return self.status == "FAILED"

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status == "RUNNING"

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status not in ("NOT_STARTED", "RUNNING")

    @property
    def input(self) -> Any:
        """The input as a JSON value; None before it has begun."""
        return value_of((self.events[0].details or {}).get("input")) if self.events else None

    @property
    def output(self) -> Any:
        """The output as a JSON value; None unless it succeeded."""
        return value_of(self._end.get("output"))

    @property
    def error(self) -> str | None:
        """The error's name, if it failed with one."""
        return self._end.get("error")

    @property
    def cause(self) -> str | None:
        """The cause, if it failed with one."""
        return self._end.get("cause")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The events as GetExecutionHistory returns them, in the JSON of the AWS CLI."""
        with seldom_collected():
            return list(aws_events(self.events))

    @property
    def took(self) -> timedelta:
        """The modelled time from its first event to its last."""
        return _between(self.events)

    @property
    def path(self) -> list[str]:
        """The states that it went through, those inside of a Parallel or Map left out."""
        return [one.name for one in self._visits if one.parent is None]

    def state(self, name: str) -> StateView:
        """Return what became of a state, in a distributed Map over all of its items.

        Raises LookupError when the definition has no state of this name.
        """
        visits = [one for view in self._with_items() for one in view._visits]
        if self.definition is None:
            names = list(dict.fromkeys(one.name for one in visits))
        else:
            names = [state.name for state in workflow(self.definition).scope.walk()]
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise LookupError(f"the definition has no state '{name}'; {hint}")
        return StateView(name, [one for one in visits if one.name == name], visits)

    @property
    def picture(self) -> str:
        """What happened, as text: a line for each state that was entered, the latest sixty.

        When (modelled time since the start), how it ended, its retries and errors. What is inside
        of a Parallel or Map stands beneath it, in the order of time.
        """
        if not self.events:
            return "not started"
        begun, of_states = self.events[0].at, visits_of(self)
        visits, end = of_states.all, ending(of_states)
        where = f" in {end.place}" if end and end.place else ""
        error = f": {self.error}" if self.error else ""
        cause = f": {_short(self.cause, _LONGEST_CAUSE)}" if self.cause else ""
        lines = [f"{self.status} after {_after(self.events[-1].at - begun)}{where}{error}{cause}"]
        left_out = len(visits) - _LINES
        if left_out > 0:
            lines.append(f"… {left_out:,} states before these")
        for visit in sorted(visits[max(0, left_out) :], key=_inward):
            lines += _pictured(visit, begun)
        if self.succeeded:
            lines.append(f"output {_short(self._end.get('output', ''))}")
        return "\n".join(lines)

    @property
    def _end(self) -> dict[str, Any]:
        """The details of the event that ended it."""
        return (self.events[-1].details or {}) if self.ended else {}

    @property
    def failure_table(self) -> str:
        """What failed, as a table: first what ended it, then the rest; alike iterations as one.

        Empty when nothing failed.
        """
        return "\n".join(failure_lines(visits_of(self)))

    @property
    def _visits(self) -> list[Visit]:
        return visits_of(self).all

    def _resumed(self) -> Mapping[int, int] | None:
        """Return what the events after a redrive continue, see `Visits`; None: not known."""
        return None

    def _with_items(self) -> Iterable[ExecutionView]:
        """Return this execution, and those of its distributed Maps' items as far as known."""
        return (self,)


def visits_of(execution: ExecutionView) -> Visits:
    """Return the state visits of an execution."""
    redriven = any(event.type == "ExecutionRedriven" for event in execution.events)
    return of_execution(execution.events, execution._resumed() if redriven else None)


def of_execution(
    events: Iterable[HistoryEvent], resumed: Mapping[int, int] | None = None
) -> Visits:
    """Return the state visits in these events; `resumed` as for `Visits`."""
    entries = (
        one
        if isinstance(one, Entry)
        else Entry(one.id, one.previous, one.type, one.at, one.details or {})
        for one in events
    )
    return Visits(entries, resumed)


def _between(events: Sequence[HistoryEvent]) -> timedelta:
    seconds = events[-1].at - events[0].at if events else 0
    return timedelta(seconds=round(seconds, 3))


def _lines(around: Visit, visits: Iterable[Visit]) -> list[list[str]]:
    """Return the lines of the visits in a group, those of a branch or iteration together."""
    lines: dict[int, list[str]] = {}
    line_of: dict[int, int] = {}
    for one in visits:
        if one.parent is around:
            before = one.entered.previous
            # Each line begins after an event that is no exit: its own start, or the group's.
            begun = line_of.get(before, one.entered.id)
            lines.setdefault(begun, []).append(one.name)
            if one.exited:
                line_of[one.exited.id] = begun
    return list(lines.values())


def _inward(visit: Visit) -> list[int]:
    return [visit.entered.id for visit in visit.outward()][::-1]


def _pictured(visit: Visit, begun: float) -> Iterator[str]:
    margin = "  " * len(list(visit.outward()))
    when = _after(visit.entered.at - begun)
    notes = [visit.name + visit.iteration]
    if visit.retries:
        notes.append(f"retries: {len(visit.retries)}")
    notes += visit.errors
    yield f"{when:>16}  {visit.outcome:<11}{margin}{', '.join(notes)}"
    if visit.outcome in ("failed", "in progress"):
        text = str(visit.entered.details.get("input", ""))
        yield f"{'':29}{margin}  input {_short(text)}"


def _after(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _short(text: str, characters: int = _CHARACTERS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[:characters]}…"
