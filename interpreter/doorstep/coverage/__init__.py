"""Coverage of state machines by tests: which parts of a definition were used, and which never."""

from __future__ import annotations

from .items import KINDS, Item, ItemKind, StateItems
from .reader import Coverage, Setting, deciding
from .suite import MachineCoverage, SuiteCoverage

__all__ = [
    "KINDS",
    "Coverage",
    "Item",
    "ItemKind",
    "MachineCoverage",
    "Setting",
    "StateItems",
    "SuiteCoverage",
    "deciding",
]
