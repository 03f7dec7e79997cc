"""What belongs to a run: names, ARNs, tokens, random values. A recording shows those that it had.

A replay begins with values of its own making. Where the recording has another one in their place,
that one is learned, and the replay begins again with it: what is then computed from it can be
compared to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Slot = tuple[str, ...]
"""What is learned: ("name",), ("token", key), ("draw", place, number), …"""

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MADE = re.compile(f"AQC[0-9a-f]{{64}}|{UUID}|replayed-(?:execution|machine)")
ARN = re.compile(
    r"arn:[\w-]+:states:(?P<region>[\w-]+):(?P<account>\d+):"
    r"(?:(?:stateMachine|mapRun):|(?P<executed>execution|express):)"
    r"(?P<machine>[^:/]+)(?:/(?P<label>[^:]+))?(?::(?P<name>[^:]+))?(?::[^:]+)?"
)
_FITS: dict[str, Callable[[str], Any]] = {
    "draw": re.compile(UUID).fullmatch,
    "token": re.compile(r"\S{16,}").fullmatch,
    "name": re.compile(r"\S{1,80}").fullmatch,
    "machine": re.compile(r"\S{1,80}").fullmatch,
}


@dataclass(slots=True)
class Learned:
    """The values of the recording by slot, and those that this pass has made up itself."""

    values: dict[Slot, Any] = field(default_factory=dict)
    made: dict[str, Slot] = field(default_factory=dict)
    numbers: dict[float, list[Slot]] = field(default_factory=dict)
    fresh: bool = False
    """Whether something was learned since the last `begin`."""

    def begin(self) -> None:
        """Another pass: nothing is made up yet."""
        self.made.clear()
        self.numbers.clear()
        self.fresh = False

    def get(self, slot: Slot, make: Callable[[], str]) -> str:
        """The recording's text for a slot, or one that is made up."""
        if slot in self.values:
            return str(self.values[slot])
        text = make()
        self.made[text] = slot
        return text

    def take(self, recorded: Any, ours: Any) -> bool:
        """Learn from two values that differ; False when they have no reason to."""
        if isinstance(recorded, str) and isinstance(ours, str):
            return self._take_text(recorded, ours)
        for slot in self.numbers.get(ours, ()) if _is_number(ours) and _is_number(recorded) else ():
            if slot not in self.values and type(recorded) is type(ours):
                self._keep(slot, recorded)
                return True
        return False

    def _take_text(self, recorded: str, ours: str) -> bool:
        pattern, slots, at = "", [], 0
        for made in _MADE.finditer(ours):
            if slot := self.made.get(made[0]):
                pattern += f"{re.escape(ours[at : made.start()])}(.+?)"
                slots.append(slot)
                at = made.end()
        found = re.fullmatch(pattern + re.escape(ours[at:]), recorded, re.DOTALL)
        if not slots or found is None:
            return self._take_arn(recorded, ours)
        taken = list(zip(slots, found.groups(), strict=True))
        if all(_FITS[slot[0]](text) for slot, text in taken):
            for slot, text in taken:
                self._keep(slot, text)
            return True
        return False

    def _take_arn(self, recorded: str, ours: str) -> bool:
        theirs = ARN.fullmatch(recorded)
        if theirs is None or not ARN.fullmatch(ours):
            return False
        before = len(self.values)
        for name, text in parts_of(theirs):
            self._keep((name,), text)
        return len(self.values) > before

    def _keep(self, slot: Slot, value: Any) -> None:
        if slot not in self.values:
            self.values[slot] = value
            self.fresh = True


def parts_of(arn: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Names and values of the fields of an identity that an ARN tells."""
    names = ("region", "account", "machine", *(("name",) if arn["executed"] else ()))
    return ((name, arn[name]) for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
