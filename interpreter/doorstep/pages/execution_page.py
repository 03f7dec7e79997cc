"""One execution as a page: graph, state visits, events, and the data at each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from math import inf, log2
from statistics import median
from typing import Any

from markupsafe import Markup

from ..coverage.marks import StateMarks, of_execution
from ..drawing import Mark, draw, svg
from ..history import Entry, Visit
from ..history.causes import cause_lines
from ..history.child_failures import ChildGroup, reasons
from ..model import workflow
from ..replayer import Moment, Moments
from ..values.json_values import JsonDifference, value_of
from ..values.printable import printable
from .rendering import drawn

EVENTS, VISITS, ITERATIONS = 200, 100, 25
"""How many rows of each are on a page."""
Counts = tuple[int, int, int]
"""Of a map run: how many items succeeded, failed, and are in progress."""
_WIDE = 1000
"""Units of a time bar."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events and state visits are shown; empty: all."""

    state: str = ""
    type: str = ""
    iteration: str = ""
    text: str = ""
    since: float | None = None
    """Seconds after the start."""
    until: float | None = None
    failed: bool = False
    """Failures alone."""
    page: int = 0
    """Of the events, from 1; 0: the one that has the chosen event, or the last."""
    visits_page: int = 0

    @property
    def query(self) -> dict[str, Any]:
        """The query that asks for it."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: value for name, value in values if value not in ("", None, 0, False)}


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A state visit with its time bar, and what is inside of it."""

    visit: Visit
    begins: float
    width: float
    """Of the bar, in thousandths of the whole."""
    took: float
    branches: Sequence[VisitRow] = ()
    iterations: Sequence[Iteration] = ()
    more: int = 0
    """Iterations that are not shown."""


@dataclass(frozen=True, slots=True)
class Iteration:
    """An iteration of a Map, folded."""

    index: int
    outcome: str
    rows: Sequence[VisitRow]


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event and where it stands."""

    entry: Entry
    place: str
    outcome: str
    after: float


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of many; pages are numbered from 1."""

    rows: Sequence[Any]
    number: int
    pages: int
    total: int


class ExecutionPage:
    """What a page shows of an execution."""

    def __init__(
        self,
        moments: Moments,
        definition: Mapping[str, Any] | None,
        title: str,
        wanted: Filter,
        event: int | None = None,
        *,
        states: StateMarks | None = None,
        map_runs: Mapping[str, Counts] | None = None,
        groups: Sequence[ChildGroup] = (),
    ) -> None:
        """`event`: the id of the chosen one; by default the failure that ended it, or the last.

        `states`: the marks of its states, where they are known; `map_runs`: the counts of
        distributed Maps, by state. `groups`: what its states started.
        """
        self.moments = moments
        self.visits = moments.visits
        self.definition = definition
        self.title = title
        self.filter = wanted
        end = moments.ending
        found = reasons(end, groups) if end else ()
        self.why = [(one.text, _read(one.ending.cause or "")) for one in found]
        self._states = states
        self._map_runs = map_runs or {}
        self.entries = moments.recording.events
        self.begun = self.entries[0].at
        self.failure = self._cause_of_the_end()
        chosen = event or self.failure or len(self.entries)
        self.event = min(max(chosen, 1), len(self.entries))

    def _cause_of_the_end(self) -> int | None:
        """Return the id of the failure that ended it."""
        if self.moments.status not in ("FAILED", "TIMED_OUT"):
            return None
        first = self.moments.first_failure
        return None if first is None else self.entries[first].id

    @property
    def input_text(self) -> str:
        """The input as JSON text."""
        return str(self.entries[0].details.get("input", "{}"))

    @property
    def cause(self) -> str:
        """The cause of the end; of a function's error report its message."""
        return _read(self.moments.cause or "")

    # The graph -----------------------------------------------------------------------------------

    def graph(self, href: Any) -> Markup | None:
        """Return the drawing, coloured by what happened; `href(name)`: where a state leads."""
        if self.definition is None:
            return None
        tree = workflow(self.definition)
        marks = dict(self.marks)
        for state in tree.scope.walk():
            marks[state.pointer] = replace(marks[state.pointer], link=href(state.name))
        return drawn(svg(draw(tree, self.title, marks), style=False))

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """The marks of the drawing: of states, and of the ways between them."""
        if self.definition is None:
            return {}
        marks = of_execution(self.definition, self.visits, self._states)
        end = self.moments.ending
        last = end.visit.name if end and end.visit else None
        for state in workflow(self.definition).scope.walk():
            if counts := self._map_runs.get(state.name):
                marks[state.pointer] = replace(marks[state.pointer], iterations=counts)
            if state.name == last:
                text = "this ended the execution"
                marks[state.pointer] = replace(marks[state.pointer], ended=True, text=text)
        return marks

    @property
    def live_marks(self) -> dict[str, tuple[str, str, bool]]:
        """Return colour, counts and whether it ended the execution for each mark, by its pointer.

        Pointers are as the drawing has them.
        """
        return {
            printable(pointer): (mark.colour, mark.counts, mark.ended)
            for pointer, mark in self.marks.items()
        }

    @cached_property
    def timeline(self) -> Timeline:
        """The colour of each state after each event that changed it."""
        return Timeline(self.definition, self.entries)

    # State visits --------------------------------------------------------------------------------

    def visit_rows(self) -> Page:
        """Return the visits as trees, or those of the chosen state or iteration one by one."""
        every = self.visits.all
        if self.filter.state or self.filter.iteration:
            rows = [self._row(one) for one in every if self._is_wanted(one)]
        else:
            rows = [self._row(one) for one in every if one.parent is None]
        page = _page(rows, self.filter.visits_page, VISITS)
        if self.filter.state or self.filter.iteration:
            return page
        return replace(page, rows=[self._with_inner(row) for row in page.rows])

    def _is_wanted(self, visit: Visit | None) -> bool:
        """Return whether a visit is of the chosen state, in the chosen iteration."""
        wanted = self.filter
        if wanted.state and (visit is None or visit.name != wanted.state):
            return False
        outward = visit.outward() if visit else ()
        return not wanted.iteration or any(
            one.iteration == f"[{wanted.iteration}]" for one in outward
        )

    @cached_property
    def _inner(self) -> dict[Visit, list[Visit]]:
        inner: dict[Visit, list[Visit]] = {}
        for visit in self.visits.all:
            if visit.parent:
                inner.setdefault(visit.parent, []).append(visit)
        return inner

    def _with_inner(self, row: VisitRow) -> VisitRow:
        inner = self._inner.get(row.visit, [])
        if row.visit.entered.type != "MapStateEntered":
            return replace(row, branches=[self._with_inner(self._row(one)) for one in inner])
        groups: dict[int, list[Visit]] = {}
        for one in inner:
            groups.setdefault(one.index or 0, []).append(one)
        worst = {index: _worst(visits) for index, visits in groups.items()}
        # What needs a look comes first.
        order = sorted(groups, key=lambda index: (worst[index] == "succeeded", index))
        shown = [
            Iteration(i, worst[i], [self._with_inner(self._row(one)) for one in groups[i]])
            for i in order[:ITERATIONS]
        ]
        return replace(row, iterations=shown, more=len(order) - len(shown))

    def _row(self, visit: Visit) -> VisitRow:
        begun = visit.entered.at
        ended = self.entries[-1].at if visit.outcome == "in progress" else visit.events[-1].at
        left, right = self._squeezed[begun], self._squeezed[ended]
        return VisitRow(visit, round(left, 1), round(max(right - left, 4), 1), ended - begun)

    @cached_property
    def _squeezed(self) -> dict[float, float]:
        """The place of each time on a bar: long pauses are drawn shorter than they were."""
        times = sorted({entry.at for entry in self.entries})
        gaps = [later - one for one, later in pairwise(times)]
        usual = median(gaps) if gaps else 1
        places, at = {times[0]: 0.0}, 0.0
        for time, gap in zip(times[1:], gaps, strict=True):
            at += gap / usual if gap <= usual else 1 + log2(gap / usual)
            places[time] = at
        return {time: place / (at or 1) * _WIDE for time, place in places.items()}

    # Events --------------------------------------------------------------------------------------

    @property
    def types(self) -> list[str]:
        """The types of events that occur."""
        return sorted({entry.type for entry in self.entries})

    @property
    def states(self) -> list[str]:
        """The states that were entered."""
        return list(dict.fromkeys(one.name for one in self.visits.all))

    def events(self) -> Page:
        """Return the page of events that is asked for."""
        entries = self.entries
        if self.filter != Filter(page=self.filter.page, visits_page=self.filter.visits_page):
            entries = [entry for entry in entries if self._shows(entry)]
        number = self.filter.page
        if not number:
            before = sum(1 for entry in entries if entry.id < self.event)
            number = before // EVENTS + 1
        page = _page(entries, number, EVENTS)
        return replace(page, rows=[self._event(entry) for entry in page.rows])

    def _shows(self, entry: Entry) -> bool:
        wanted = self.filter
        after = entry.at - self.begun
        if wanted.type and entry.type != wanted.type:
            return False
        if wanted.failed and not _is_failure(entry):
            return False
        if not (wanted.since or 0) <= after <= (inf if wanted.until is None else wanted.until):
            return False
        visit = self.visits.of.get(entry.id)
        if (wanted.state or wanted.iteration) and not self._is_wanted(visit):
            return False
        return not wanted.text or wanted.text.lower() in f"{entry.type} {entry.details}".lower()

    def _event(self, entry: Entry) -> EventRow:
        visit = self.visits.of.get(entry.id)
        outcome = "failed" if _is_failure(entry) else ""
        return EventRow(entry, visit.place if visit else "", outcome, entry.at - self.begun)

    # The data at an event ------------------------------------------------------------------------

    def moment(self, event: int | None = None) -> MomentPanel:
        """Return the data at an event, by default the chosen one."""
        moment = self.moments[(event or self.event) - 1]
        # Along previousEventId: the event before by number may be of another iteration.
        previous = moment.event.previous
        return MomentPanel(moment, self.moments[previous - 1] if previous else None)

    @property
    def parted(self) -> str | None:
        """Where a replay of the definition leaves the history; None: nowhere, or no replay."""
        return str(self.moments.difference) if self.moments.difference else None


@dataclass(frozen=True, slots=True)
class MomentPanel:
    """A moment, and that of the event which it follows."""

    moment: Moment
    before: Moment | None

    @property
    def sections(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the data, in the order in which a state has it."""
        data = self.moment.data()
        stages = data.pop("stages", {})
        order = ("error", "cause", "input", "asked", "output", "variables", "context")
        for name in order:
            if name == "asked":
                yield from stages.items()
            if name in data:
                # A handler's cause is the JSON text of a Python error.
                yield name, value_of(data[name]) if name == "cause" else data[name]

    @property
    def changes(self) -> list[JsonDifference]:
        """Where the data differs from that of the event which it follows."""
        return self.moment.changes(self.before)[:200] if self.before else []


class Timeline:
    """The marks of the states of a drawing, one step for each that an event changed."""

    def __init__(self, definition: Mapping[str, Any] | None, entries: Iterable[Entry] = ()) -> None:
        states = list(workflow(definition).scope.walk()) if definition else []
        self.pointers = [printable(state.pointer) for state in states]
        """As the drawing has them, `data-state`."""
        self._numbers = {state.name: number for number, state in enumerate(states)}
        self._marks = StateMarks()
        self._last: dict[str, Mark] = {}
        self.steps: list[tuple[int, int, str, str]] = []
        """(event id, index of the pointer, colour, counts) for each state that changed."""
        self.events = 0
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add the next event."""
        self.events = entry.id
        for name in sorted(self._marks.add(entry)):
            mark = self._marks.mark(name)
            if name in self._numbers and mark != self._last.get(name):
                self._last[name] = mark
                self.steps.append((entry.id, self._numbers[name], mark.colour, mark.counts))


def _read(cause: str) -> str:
    return "\n".join(cause_lines(cause, frames=False))


_ORDER = ("failed", "in progress", "caught", "aborted", "succeeded")


def _is_failure(entry: Entry) -> bool:
    return entry.failed or entry.type == "FailStateEntered"


def _worst(visits: Sequence[Visit]) -> str:
    outcomes = {visit.outcome for visit in visits}
    return next(one for one in _ORDER if one in outcomes)


def _page(rows: Sequence[Any], number: int, size: int) -> Page:
    """Return a page of rows; number 0 is the last."""
    pages = max(1, -(-len(rows) // size))
    number = min(number or pages, pages)
    return Page(rows[(number - 1) * size : number * size], number, pages, len(rows))
