"""The keys of `doorstep debug`, and where they lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorstep import Moments
    from doorstep.history.recorded import Entry

KEYS: Mapping[str, str] = {
    "n →": "next event",
    "p ←": "previous event",
    "N P": "next, previous state entered",
    "f": "next failure",
    "g": "go to an event by its number",
    "/": "search a state or a type of event",
    "i a": "all of input, of asked",
    "o v c": "all of output, variables, context",
    "↓ ↑": "scroll in it",
    "d": "changes since the event before",
    "?": "these keys",
    "q": "quit",
}
PANES: Mapping[str, str] = {
    "i": "input",
    "a": "asked",
    "o": "output",
    "v": "variables",
    "c": "context",
    "d": "changes",
    "?": "keys",
}
"""What a key shows in place of the overview, until it is pressed again."""
_NAMED = {
    "\x1b[C": "n", "\x1b[D": "p", "\x1b[A": "up", "\x1b[B": "down", "\x1b": "escape",
    "\x1bOC": "n", "\x1bOD": "p", "\x1bOA": "up", "\x1bOB": "down",
    "\xe0M": "n", "\xe0K": "p", "\xe0H": "up", "\xe0P": "down",
    "\x00M": "n", "\x00K": "p", "\x00H": "up", "\x00P": "down",
}  # fmt: skip
"""Keys that terminals send as sequences: xterm's two modes, then Windows'."""
_ERASE = ("\x7f", "\x08")


@dataclass(slots=True)
class DebugSession:
    """Where one is in an execution, and what the keys have asked for."""

    moments: Moments
    index: int
    pane: str = ""
    """One of PANES; empty for the overview."""
    scrolled: int = 0
    asking: str = ""
    """The key whose question is being answered: g or /."""
    typed: str = ""
    searched: str = ""
    message: str = ""

    def press(self, key: str) -> bool:
        """Do what a key stands for; False when it is the one to quit."""
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
            self.message = f"{key!r} is none of the keys; ? shows them"
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
            self._stand(int(text) - 1)
        else:
            self.message = f"there are the events 1 to {len(self.moments)}, not {text!r}"

    def _search(self, text: str) -> None:
        self.searched = wanted = (text or self.searched).lower()
        events = self.moments.recording.events
        later = [*range(self.index + 1, len(events)), *range(self.index + 1)]
        for index in later:
            if wanted in events[index].type.lower() or wanted in self._state(events[index]):
                self._stand(index)
                return
        self.message = f"no state and no type of event has {wanted!r} in it"

    def _state(self, event: Entry) -> str:
        visit = self.moments.recording.visit(event.id)
        return visit.name.lower() if visit else ""

    def _stand(self, index: int) -> None:
        self.index, self.scrolled = index, 0

    def _by(self, steps: int) -> None:
        index = self.index + steps
        if 0 <= index < len(self.moments):
            self._stand(index)
        else:
            self.message = "this is the last event" if steps > 0 else "this is the first event"

    def _to(self, indexes: Iterable[int], what: str) -> None:
        index = next(iter(indexes), None)
        if index is None:
            self.message = f"no {what}"
        else:
            self._stand(index)

    def _entered(self) -> list[int]:
        events = self.moments.recording.events
        return [i for i, event in enumerate(events) if event.type.endswith("StateEntered")]

    def next_state(self) -> None:
        """Where the next state is entered."""
        self._to((i for i in self._entered() if i > self.index), "state is entered after this")

    def previous_state(self) -> None:
        """Where the state before was entered."""
        earlier = (i for i in reversed(self._entered()) if i < self.index)
        self._to(earlier, "state is entered before this")

    def next_failure(self) -> None:
        """The failure after this event."""
        later = (i for i in self.moments.failures if i > self.index)
        self._to(later, "failure comes after this")

    def next(self) -> None:
        """The next event."""
        self._by(1)

    def previous(self) -> None:
        """The event before."""
        self._by(-1)


_MOVES: Mapping[str, Callable[[DebugSession], None]] = {
    "n": DebugSession.next,
    "p": DebugSession.previous,
    "N": DebugSession.next_state,
    "P": DebugSession.previous_state,
    "f": DebugSession.next_failure,
}
