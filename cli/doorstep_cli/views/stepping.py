"""The keys of `doorstep debug`: what each does to the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorstep import Moments
    from doorstep.history.recorded import Entry

KEYS: Mapping[str, str] = {
    "n →": "next event",
    "p ←": "previous event",
    "N P": "next, previous state",
    "f F": "next, previous failure",
    "t": "table of all that failed",
    "g": "go to an event by its number",
    "/": "search for a state, a type of event, an error or a cause",
    "i a": "full input; what the task was asked",
    "o v c": "full output, variables, context",
    "↓ ↑": "scroll the full view",
    "d": "changes since the event that this one follows from",
    "?": "this list of keys",
    "q": "quit",
}
PANES: Mapping[str, str] = {
    "i": "input",
    "a": "asked",
    "o": "output",
    "v": "variables",
    "c": "context",
    "d": "changes",
    "t": "failures",
    "?": "keys",
}
"""Panes that a key opens in place of the overview; the same key closes it."""
_NAMED = {
    "\x1b[C": "n", "\x1b[D": "p", "\x1b[A": "up", "\x1b[B": "down", "\x1b": "escape",
    "\x1bOC": "n", "\x1bOD": "p", "\x1bOA": "up", "\x1bOB": "down",
    "\xe0M": "n", "\xe0K": "p", "\xe0H": "up", "\xe0P": "down",
    "\x00M": "n", "\x00K": "p", "\x00H": "up", "\x00P": "down",
}  # fmt: skip
"""Keys that terminals send as sequences: both xterm modes, then Windows."""
_SEQUENCES = sorted(_NAMED, key=len, reverse=True)
_ERASE = ("\x7f", "\x08")


@dataclass(slots=True)
class DebugSession:
    """The position in an execution, the open pane, and a question being answered."""

    moments: Moments
    index: int
    pane: str = ""
    """A value of PANES; empty for the overview."""
    scrolled: int = 0
    asking: str = ""
    """The key whose question is being answered: g, / or none."""
    typed: str = ""
    searched: str = ""
    message: str = ""
    inner: Sequence[str] = ()
    """What failed in the executions that it started, as lines of the table of failures."""

    def type(self, text: str) -> bool:
        """Obey all keys that arrived together, as when a text is pasted; False: one quits."""
        while text:
            match = (keys for keys in _SEQUENCES if text.startswith(keys))
            key = next(match, text[0])
            text = text[len(key) :]
            if not self.press(key):
                return False
        return True

    def press(self, key: str) -> bool:
        """Obey a key; return False when it quits."""
        key, self.message = _NAMED.get(key, key), ""
        if self.asking:
            self._type(key)
            return True
        if key == "q":
            return False
        if key in ("g", "/"):
            self.asking = key
        elif key in PANES:
            self.pane, self.scrolled = "" if self.pane == PANES[key] else PANES[key], 0
        elif key in ("up", "down"):
            self.scrolled = max(0, self.scrolled + (1 if key == "down" else -1))
        elif key == "escape":
            self.pane = ""
        elif key in _MOVES:
            _MOVES[key](self)
        else:
            self.message = f"{key!r} does nothing; ? lists the keys"
        return True

    def _type(self, key: str) -> None:
        if key in ("\r", "\n"):
            asked, text, self.asking, self.typed = self.asking, self.typed, "", ""
            (self._go if asked == "g" else self._search)(text)
        elif key == "escape":
            self.asking = self.typed = ""
        elif key in _ERASE:
            self.typed = self.typed[:-1]
        elif key.isprintable() and len(key) == 1:
            self.typed += key

    def _go(self, text: str) -> None:
        if text.isdecimal() and 1 <= int(text) <= len(self.moments):
            self._go_to(int(text) - 1)
        else:
            self.message = f"{text!r} is not an event: they are numbered 1 to {len(self.moments)}"

    def _search(self, text: str) -> None:
        self.searched = wanted = (text or self.searched).lower()
        events = self.moments.recording.events
        later = [*range(self.index + 1, len(events)), *range(self.index + 1)]
        for index in later:
            if any(wanted in text.lower() for text in self._searchable(events[index])):
                self._go_to(index)
                return
        self.message = f"no state, type of event, error or cause contains {wanted!r}"

    def _searchable(self, event: Entry) -> Iterator[str]:
        visit = self.moments.visits.of.get(event.id)
        yield visit.name if visit else ""
        yield event.type
        yield from map(str, event.why.values())

    def _go_to(self, index: int) -> None:
        self.index, self.scrolled = index, 0

    def _by(self, steps: int) -> None:
        index = self.index + steps
        if 0 <= index < len(self.moments):
            self._go_to(index)
        else:
            self.message = "this is the last event" if steps > 0 else "this is the first event"

    def _to(self, indexes: Iterable[int], what: str) -> None:
        index = next(iter(indexes), None)
        if index is None:
            self.message = f"no {what}"
        else:
            self._go_to(index)

    def _entered(self) -> list[int]:
        events = self.moments.recording.events
        return [i for i, event in enumerate(events) if event.type.endswith("StateEntered")]

    def next_state(self) -> None:
        """Go to where the next state is entered."""
        self._to(
            (i for i in self._entered() if i > self.index), "state is entered after this event"
        )

    def previous_state(self) -> None:
        """Go to where the previous state was entered."""
        earlier = (i for i in reversed(self._entered()) if i < self.index)
        self._to(earlier, "state was entered before this event")

    def next_failure(self) -> None:
        """Go to the next failure."""
        later = (i for i in self.moments.failures if i > self.index)
        self._to(later, "failure after this event")

    def previous_failure(self) -> None:
        """Go to the failure before."""
        earlier = (i for i in reversed(self.moments.failures) if i < self.index)
        self._to(earlier, "failure before this event")

    def next(self) -> None:
        """Go to the next event."""
        self._by(1)

    def previous(self) -> None:
        """Go to the previous event."""
        self._by(-1)


_MOVES: Mapping[str, Callable[[DebugSession], None]] = {
    "n": DebugSession.next,
    "p": DebugSession.previous,
    "N": DebugSession.next_state,
    "P": DebugSession.previous_state,
    "f": DebugSession.next_failure,
    "F": DebugSession.previous_failure,
}
