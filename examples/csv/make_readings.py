"""Writes the month of readings that the example bills: 10,000 rows, one of them unreadable."""

from __future__ import annotations

import random
import sys
from pathlib import Path

ROWS = 10_000
UNREADABLE = 4_217


def readings() -> str:
    """The same text every time: a header, then a row for each meter."""
    draw = random.Random(2025_03)
    rows = [f"M{meter:05},{draw.uniform(40, 900):.1f}" for meter in range(1, ROWS + 1)]
    rows[UNREADABLE - 1] = f"M{UNREADABLE:05},n/a"
    return "\n".join(["meter,kwh", *rows, ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(readings(), "utf-8")
