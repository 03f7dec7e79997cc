"""What counts as a difference between Doorstep's answers and those from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..testing.snapshots import unvarying

_HOME = re.compile(r"arn:aws[\w-]*:([\w-]+):[\w-]*:(\d{12})?:")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where Doorstep's own answer is not the one from there: possibly a fault of Doorstep."""

    place: str
    """A visit of a state, or an attempt of one: `Charge, visit 1, attempt 2`."""
    member: str
    """Of what happened there: `output.items[2]`."""
    own: Any
    there: Any
    """Both: ABSENT when nothing is there."""
    other: str = ""
    """What answered there, where it was not an execution: `TestState at aws`."""
    what: str = "execution"
    """Of Doorstep's differs."""

    def __str__(self) -> str:
        other = f" from {self.other}" if self.other else ""
        return (
            f"{self.place}, {self.member}: Doorstep's own {self.what} (expected) differs{other}, "
            "possibly a fault of Doorstep"
        )


def plain(value: Any, name: str) -> Any:
    """Return a value without what belongs to one run, account or Region."""
    value = unvarying(value, name)
    match value:
        case dict():
            return {key: plain(inner, name) for key, inner in value.items()}
        case list():
            return [plain(inner, name) for inner in value]
    return _HOME.sub(r"arn:aws:\1:::", value) if isinstance(value, str) else value
