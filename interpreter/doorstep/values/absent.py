"""A value that is not there."""

from __future__ import annotations

from typing import Final


class Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""A value that was not given; None is JSON's null."""
