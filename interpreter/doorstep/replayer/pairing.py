"""Our events and their counterparts in the recording, found along the chain of causes.

An event's counterpart has the same type, name and index, and follows from the counterpart of the
event that ours follows from. So every line of control (a branch, an iteration) is compared in its
own order, whatever came between in the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..engine.messages import Event
from ..history.recorded import Entry
from ..history.state_visits import Visit
from .comparing import kind_of
from .recording import Recording

_JOINS = ("Parallel", "Map", "EvaluationFailed")
"""What these types of events follow from depends on which line ended last, or on AWS's year."""


class Pairing:
    """Which recorded event each of ours stands for, and which are left."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.of: dict[int, int] = {0: 0}
        """Our event's id → the recorded one's."""
        self.ours: dict[int, int] = {0: 0}
        """The recorded event's id → ours."""
        self.followed: set[int] = set()
        """Those of our events that another one follows from."""
        self._left = {entry.id for entry in recording.events}
        self._first = 1
        self._joins: defaultdict[tuple[Visit | None, tuple[object, ...]], list[Entry]]
        self._joins = defaultdict(list)
        for entry in recording.events:
            if entry.type.startswith(_JOINS):
                self._joins[recording.visit(entry.id), kind_of(entry)].append(entry)

    def is_left(self, entry: Entry) -> bool:
        """Whether it is nobody's counterpart yet."""
        return entry.id in self._left

    def take(self, event: Event) -> Entry | None:
        """The counterpart of our next event; None when the recording has none."""
        self.followed.add(event.previous)
        before = self.of.get(event.previous)
        if before is None:
            return None
        entry = self._follower(event, before) or self._join(event, before)
        if entry is not None:
            self.of[event.id], self.ours[entry.id] = entry.id, event.id
            self._left.discard(entry.id)
        elif event.type.endswith("Started") and self._never_started(before):
            self.of[event.id] = before
        return entry

    def next_after(self, ours: int) -> Entry | None:
        """What the recording has next in the line that stands at our event."""
        return next(iter(self.after(ours)), None)

    def after(self, ours: int) -> list[Entry]:
        """What is left of what follows from our event's counterpart, the aborts of others aside."""
        before = self.of.get(ours)
        following = self.recording.following.get(before, ()) if before is not None else ()
        return [e for e in following if e.id in self._left and not e.type.endswith("Aborted")]

    def left(self, limit: int | None) -> Iterator[Entry]:
        """The recorded events below an id that are nobody's counterpart yet."""
        events = self.recording.events
        while self._first <= len(events) and self._first not in self._left:
            self._first += 1
        for entry in events[self._first - 1 : None if limit is None else limit - 1]:
            if entry.id in self._left:
                yield entry

    def drop(self, entry: Entry) -> None:
        """It has no counterpart and needs none."""
        self._left.discard(entry.id)

    def _follower(self, event: Event, before: int) -> Entry | None:
        kind = kind_of(event)
        return next(
            (
                entry
                for entry in self.recording.following.get(before, ())
                if entry.id in self._left and kind_of(entry) == kind
            ),
            None,
        )

    def _join(self, event: Event, before: int) -> Entry | None:
        if before and self.recording[before].type == "ExecutionRedriven":
            return self._redriven(event, before)
        if not event.type.startswith(_JOINS):
            return None
        visit, kind = self.recording.visit(before), kind_of(event)
        for around in visit.outward() if visit else (None,):
            for entry in self._joins.get((around, kind), ()):
                if entry.id in self._left:
                    return entry
        return None

    def _redriven(self, event: Event, before: int) -> Entry | None:
        """The next of its kind: what AWS chains the events after a redrive to is not known."""
        kind = kind_of(event)
        later = self.recording.events[before:]
        return next((e for e in later if e.id in self._left and kind_of(e) == kind), None)

    def _never_started(self, scheduled: int) -> bool:
        following = self.recording.following.get(scheduled, ())
        return any(entry.type.endswith(("ScheduleFailed", "StartFailed")) for entry in following)
