"""How the events of a replay are compared with the recorded ones, and what a difference says.

An event's counterpart has the same type, name and index, and follows from the counterpart of the
event that ours follows from. So every line of control (a branch, an iteration) is compared in its
own order, whatever came between in the others. Details are compared member by member, JSON texts
by their values. What belongs to a run is not compared: see `OF_THE_RUN`, moments near one another,
and what `RecordedValues` adopts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..engine import Event
from ..errors import shortened
from ..history import Entry, Visit, as_aws, truncated
from ..model import State, Workflow
from ..values.json_values import ABSENT, JsonDifference, differences, dumps, value_of
from ..values.timestamps import parse_timestamp
from .recording import Recording

OF_THE_RUN = frozenset(
    (
        "inputDetails",
        "outputDetails",
        "assignedVariablesDetails",
        "mapRunArn",
        "region",
        "roleArn",
        "stateMachineAliasArn",
        "stateMachineVersionArn",
        "workerName",
    )
)
"""Members of an event's details that differ from run to run of one definition."""

NEAR = 5.0
"""Seconds between two moments that count as one: events take AWS some time, and us none."""

EARLY = 1.0
"""Seconds by which a timer may end early: AWS's histories have milliseconds, delays whole
seconds.
"""
LATE = 10.0
"""Seconds by which AWS may be late, or a tenth of the wait where that is more."""

ALIASES = {
    "ActivityScheduleFailed": "ActivityFailed",
    "LambdaFunctionScheduleFailed": "LambdaFunctionFailed",
    "LambdaFunctionStartFailed": "LambdaFunctionFailed",
    "TaskStartFailed": "TaskFailed",
    "TaskSubmitFailed": "TaskFailed",
}
"""Failures of a call before its work began, and the events that we record for them."""

_TEXTS = ("input", "output", "parameters", "cause")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)")
_ENTERED = re.compile(r"\(entered at the event id #\d+\)")
_MILLISECONDS = 1e12
"""Larger numbers are taken for moments in epoch milliseconds (2001 and later)."""

Tolerate = Callable[[Any, Any], bool]
"""(recorded, ours) → whether two values that differ count as equal."""


@dataclass(frozen=True, slots=True)
class ComparisonRules:
    """How the comparison is made."""

    same: Tolerate
    times: bool = True
    """Return whether the lengths of waits and of the execution are compared."""
    before: int | None = None
    """The first event that is not taken from the recording; None: all are."""


def kind_of(event: Event | Entry) -> tuple[str, Any, Any]:
    """Return type, name and index: what an event has in common with its counterpart."""
    details = event.details or {}
    return ALIASES.get(event.type, event.type), details.get("name"), details.get("index")


def first_difference(recorded: Entry, ours: Event, same: Tolerate) -> JsonDifference | None:
    """Return the first difference between the details of two events that `same` does not accept."""
    for one in _differences(recorded.details, ours.details or {}):
        if not (_within_the_run(one.first, one.second) or same(one.first, one.second)):
            return one
    return None


def _differences(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[JsonDifference]:
    for name in dict.fromkeys((*recorded, *ours)):
        theirs, own = recorded.get(name, ABSENT), ours.get(name, ABSENT)
        the_same = isinstance(own, str) and theirs == own
        if the_same or name in OF_THE_RUN or truncated(recorded, name):
            continue
        if name in _TEXTS:
            theirs, own = value_of(theirs), value_of(own)
        elif name == "assignedVariables":
            theirs, own = _variables(theirs), _variables(own)
        yield from differences(name, theirs, own)


def _variables(texts: Any) -> Any:
    # Fact 81: each assigned value is a JSON text.
    return {k: value_of(v) for k, v in texts.items()} if isinstance(texts, dict) else texts


def _within_the_run(recorded: Any, ours: Any) -> bool:
    """Return whether two values are the same but for the time that passed and event ids."""
    match recorded, ours:
        case str(), str():
            plain = [_ENTERED.sub("", _MOMENT.sub("", text)) for text in (recorded, ours)]
            moments = [_MOMENT.findall(text) for text in (recorded, ours)]
            return (
                plain[0] == plain[1]
                and len(moments[0]) == len(moments[1])
                and all(_near(*pair) for pair in zip(*moments, strict=True))
            )
        case int() | float(), int() | float() if min(recorded, ours) > _MILLISECONDS:
            return abs(recorded - ours) <= NEAR * 1000
    return False


def _near(recorded: str, ours: str) -> bool:
    first, second = parse_timestamp(recorded), parse_timestamp(ours)
    if first is None or second is None:
        return recorded == ours
    return abs(first[0] + first[1] / 1e9 - second[0] - second[1] / 1e9) <= NEAR


# Time ---------------------------------------------------------------------------------------------


def other_length(ended: float, due: float, began: float, begins: float) -> str | None:
    """Return what differs in the length of a wait; None where nothing does.

    It `began` and `ended` in the recording; it `begins` and is `due` now. The end of a Wait may be
    a moment (Timestamp) or a length from when AWS came so far: one of the two has to agree.

    Facts 261 and 300: how long a Wait, or the delay of a retry, takes.
    """
    length = due - begins
    if _on_time(due, ended, length) or _on_time(began + length, ended, length):
        return None
    return f"it lasted {ended - began:.0f} s in the recording, {length:.0f} s now"


def other_limit(entry: Entry, due: float, started: float) -> str | None:
    """Return how the execution's time limit, `due` now, contradicts what was recorded next.

    Facts 94 and 95: the execution's own limit ends it exactly then.
    """
    length = due - started
    if entry.type != "ExecutionTimedOut":
        over = entry.at - due > LATE
        return f"the execution times out after {length:.0f} s" if over else None
    if _on_time(due, entry.at, length):
        return None
    lasted = entry.at - started
    return f"the execution timed out after {lasted:.0f} s, now after {length:.0f} s"


def _on_time(planned: float, actual: float, length: float) -> bool:
    return -EARLY <= actual - planned <= max(LATE, length / 10)


# Counterparts ------------------------------------------------------------------------------------

_JOINS = ("Parallel", "Map", "EvaluationFailed")
"""Types of events whose predecessor depends on which line ended last, or on the year in which AWS
recorded them: any event of the kind in the same state is their counterpart.
"""


class Pairing:
    """Which recorded event each of ours stands for, and which have no counterpart yet."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.of: dict[int, int] = {0: 0}
        """Our event's id → the recorded one's."""
        self.ours: dict[int, int] = {0: 0}
        """The recorded event's id → ours."""
        self.followed: set[int] = set()
        """Those of our events that another one follows from, paired or not."""
        self._unpaired = {entry.id for entry in recording.events}
        self._first = 1
        self._joins: defaultdict[tuple[Visit | None, tuple[object, ...]], list[Entry]]
        self._joins = defaultdict(list)
        for entry in recording.events:
            if entry.type.startswith(_JOINS):
                self._joins[recording.visit(entry.id), kind_of(entry)].append(entry)

    def is_unpaired(self, entry: Entry) -> bool:
        """Return whether a recorded event is no counterpart yet."""
        return entry.id in self._unpaired

    def pair(self, event: Event) -> Entry | None:
        """Return the counterpart of our next event; None when the recording has none."""
        self.followed.add(event.previous)
        before = self.of.get(event.previous)
        if before is None:
            return None
        entry = self._follower(event, before) or self._join(event, before)
        if entry is not None:
            self.of[event.id], self.ours[entry.id] = entry.id, event.id
            self._unpaired.discard(entry.id)
        elif event.type.endswith("Started") and self._never_started(before):
            self.of[event.id] = before
        return entry

    def next_after(self, ours: int) -> Entry | None:
        """Return what the recording has next in the line that stands at our event; no aborts."""
        before = self.of.get(ours)
        following = self.recording.following.get(before, ()) if before is not None else ()
        for entry in following:
            if entry.id in self._unpaired and not entry.type.endswith("Aborted"):
                return entry
        return None

    def unpaired(self, limit: int | None) -> Iterator[Entry]:
        """Yield the recorded events below an id that are no counterpart yet."""
        events = self.recording.events
        while self._first <= len(events) and self._first not in self._unpaired:
            self._first += 1
        for entry in events[self._first - 1 : None if limit is None else limit - 1]:
            if entry.id in self._unpaired:
                yield entry

    def drop(self, entry: Entry) -> None:
        """Accept that a recorded event has no counterpart."""
        self._unpaired.discard(entry.id)

    def _follower(self, event: Event, before: int) -> Entry | None:
        kind = kind_of(event)
        for entry in self.recording.following.get(before, ()):
            if entry.id in self._unpaired and kind_of(entry) == kind:
                return entry
        return None

    def _join(self, event: Event, before: int) -> Entry | None:
        if before and self.recording[before].type == "ExecutionRedriven":
            return self._redriven(event, before)
        if not event.type.startswith(_JOINS):
            return None
        visit, kind = self.recording.visit(before), kind_of(event)
        for around in visit.outward() if visit else (None,):
            for entry in self._joins.get((around, kind), ()):
                if entry.id in self._unpaired:
                    return entry
        return None

    def _redriven(self, event: Event, before: int) -> Entry | None:
        """Return the next of its kind: AWS does not document what events follow from a redrive."""
        kind = kind_of(event)
        later = self.recording.events[before:]
        return next((e for e in later if e.id in self._unpaired and kind_of(e) == kind), None)

    def _never_started(self, scheduled: int) -> bool:
        # No recording shows these events; the API has them (HistoryEvent, fact 443).
        following = self.recording.following.get(scheduled, ())
        return any(entry.type.endswith(("ScheduleFailed", "StartFailed")) for entry in following)


# What a difference says --------------------------------------------------------------------------

Reason = Literal["definition", "unclear"]
ADVICE: Mapping[Reason, str] = {
    "definition": "the definition is not the one that ran then",
    "unclear": "the definition was changed since then, and this is what the change does; if it is "
    "the one that ran, AWS behaves differently: please report it with the history",
}
_OF_THE_DEFINITION = ("resource", "resourceType", "timeoutInSeconds", "heartbeatInSeconds")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where a replay leaves its recording; either event may be missing."""

    place: str
    """The state with what is around it: `Map[3] > Charge`; empty for the execution itself."""
    state: str | None
    recorded: Entry | None
    ours: Event | None
    message: str
    """What differs, in one line."""
    reason: Reason
    at: str | None = None
    """Where in the event's details: `output.total`; None when the events are different ones."""

    @property
    def advice(self) -> str:
        """What the likely reason is, in words."""
        return ADVICE[self.reason]

    def __str__(self) -> str:
        where = f" in {self.place}" if self.place else ""
        number = f"event {self.recorded.id}" if self.recorded else "the end of the recording"
        return f"{number}{where}: {self.message}; {self.advice}"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON for programs; the events as GetExecutionHistory has them."""
        return {
            "state": self.state,
            "place": self.place,
            "at": self.at,
            "recorded": as_aws(self.recorded) if self.recorded else None,
            "now": as_aws(self.ours) if self.ours else None,
            "told": self.message,
            "reason": self.reason,
            "advice": self.advice,
        }


class DifferenceReporter:
    """Makes the differences of one recording and one definition."""

    def __init__(self, recording: Recording, machine: Workflow) -> None:
        self.recording = recording
        self.states: dict[str, State] = {state.name: state for state in machine.scope.walk()}

    def other_event(self, recorded: Entry | None, ours: Event | None, before: int) -> Difference:
        """Report another event than the recorded one; `before`: the recorded predecessor's id."""
        there = f"the recording has {_named(recorded)}" if recorded else "the recording ends"
        here = f"now it is {_named(ours)}" if ours else "now nothing happens"
        return self._difference(recorded, ours, f"{there}, {here}", before)

    def other_details(self, recorded: Entry, ours: Event, difference: JsonDifference) -> Difference:
        """Report an event with other details."""
        there, here = as_line(difference.first), as_line(difference.second)
        at = difference.at
        message = f"{recorded.type} has a different {at}: recorded {there}, now {here}"
        return self._difference(recorded, ours, message, recorded.id, at)

    def other_end(self, recorded: Entry, message: str) -> Difference:
        """Report an end that contradicts the children's histories."""
        return self._difference(recorded, None, message, recorded.id)

    def other_time(self, recorded: Entry, message: str) -> Difference:
        """Report an event that happens at another time."""
        return self._difference(recorded, None, message, recorded.previous, "timestamp")

    def _difference(
        self,
        recorded: Entry | None,
        ours: Event | None,
        message: str,
        near: int,
        at: str | None = None,
    ) -> Difference:
        visit = self.recording.visit(recorded.id if recorded else near)
        visit = visit or self.recording.visit(near)
        return Difference(
            place=visit.place if visit else "",
            state=visit.name if visit else None,
            recorded=recorded,
            ours=ours,
            message=message,
            reason=self._reason(recorded, at),
            at=at,
        )

    def _reason(self, recorded: Entry | None, at: str | None) -> Reason:
        if at in _OF_THE_DEFINITION:
            return "definition"
        if recorded and recorded.type.endswith("StateEntered"):
            state = self.states.get(recorded.name or "")
            if state is None or not recorded.type.startswith(state.type):
                return "definition"
        return "unclear"


def _named(event: Entry | Event) -> str:
    name = (event.details or {}).get("name")
    return f"{event.type} of '{name}'" if name else event.type


def as_line(value: Any) -> str:
    """Return a value as part of one line of text."""
    return "nothing" if value is ABSENT else shortened(dumps(value), _SHOWN)
