"""The engine: an execution is a function of its definition and the facts that reached it.

`engine.py` opens with the law. What other folders may use is listed here.
"""

from __future__ import annotations

from .collector import seldom_collected
from .engine import EXECUTION, SLICE, Engine
from .fibers import Body, Fiber, FiberGroup, HistoryFull, Redriven, written
from .identity import ACCOUNT, ROLE, Identity, check_name, is_name, role_in
from .journal import (
    Header,
    Journal,
    JournalEntry,
    Reader,
    entry_line,
    header_line,
    read_all,
    replay,
    scheduled_line,
    states_of,
)
from .messages import (
    ENDED,
    TERMINAL,
    TOO_LARGE,
    UNSUCCESSFUL,
    WHOLE,
    BatchPlan,
    Cancel,
    Command,
    Event,
    Fact,
    FactKind,
    FindActivity,
    Invoke,
    ItemSource,
    Program,
    ResultTarget,
    SetTimer,
    StartMapRun,
    details_member,
)
from .quotas import EXPRESS, MOST_BYTES, STANDARD, Quotas, quotas_of

# fmt: off
__all__ = [
    "ACCOUNT", "ENDED", "EXECUTION", "EXPRESS", "MOST_BYTES", "ROLE", "SLICE", "STANDARD",
    "TERMINAL", "TOO_LARGE", "UNSUCCESSFUL", "WHOLE", "BatchPlan", "Body", "Cancel", "Command",
    "Engine", "Event", "Fact", "FactKind", "Fiber", "FiberGroup", "FindActivity", "Header",
    "HistoryFull", "Identity", "Invoke", "ItemSource", "Journal", "JournalEntry", "Program",
    "Quotas", "Reader", "Redriven", "ResultTarget", "SetTimer", "StartMapRun", "check_name",
    "details_member", "entry_line", "header_line", "is_name", "quotas_of", "read_all", "replay",
    "role_in", "scheduled_line", "seldom_collected", "states_of", "written",
]
# fmt: on
