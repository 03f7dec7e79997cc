"""Python's garbage collector, less often while an execution runs.

All that a run makes is referred to until its end: its history, and what is open. The collector
looks at all of it again and again, which makes long runs slower than linear.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (10_000, 100, 100)
"""In place of 700, 10, 10: inline Maps of 100,000 items are linear with these. With five times as
many at a time, which no processor's cache holds, they take a sixth longer."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the collector wait longer, for the whole process; may be used inside of itself.

    What was set before is set again, unless somebody else has changed it meanwhile. Of threads that
    do this at the same time, the first to end sets it again for all.
    """
    before = gc.get_threshold()
    if 0 < before[0] < _SELDOM[0]:
        gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        if gc.get_threshold() == _SELDOM:
            gc.set_threshold(*before)
