"""Python's garbage collector, less often while an execution runs.

All that a run makes is referred to until its end: its history, and what is open. The collector
looks at all of it again and again, which makes long runs slower than linear.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (10_000, 100, 100)
"""In place of 700, 10, 10: inline Maps of 100,000 items are linear with these. With five times as
many at a time, which no processor's cache holds, they take a sixth longer."""
_lock = threading.Lock()
_inside = 0
_before = _SELDOM


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the collector wait longer, for the whole process; may be used inside of itself.

    What was set before is set again, unless somebody else has changed it meanwhile.
    """
    global _inside, _before  # noqa: PLW0603  the collector is global as well
    with _lock:
        if not _inside:
            _before = gc.get_threshold()
            if 0 < _before[0] <= _SELDOM[0]:
                gc.set_threshold(*_SELDOM)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and gc.get_threshold() == _SELDOM:
                gc.set_threshold(*_before)
