"""How CreateStateMachine words the diagnostics for which it refuses a definition."""

from __future__ import annotations

from collections.abc import Iterable, Sized

from .diagnostics import Diagnostic
from .errors import DefinitionError
from .values.json_text import shortened

MOST = 50
"""Diagnostics that a text names, with the number of the others: a definition may have thousands."""
_SHOWN = 2_000
"""Characters of a place."""


def invalid_definition_message(diagnostics: Iterable[Diagnostic]) -> str:
    """InvalidDefinition's message: `Invalid State Machine Definition: 'CODE: text at /path, …'`.

    A diagnostic without a place is "at null" (recorded for MISSING_END_STATE).
    """
    diagnostics = list(diagnostics)
    said = ", ".join([*map(_said, diagnostics[:MOST]), *more(diagnostics)])
    return f"Invalid State Machine Definition: '{said}'"


def more(diagnostics: Sized) -> list[str]:
    """Return what stands in place of the diagnostics that a text does not name."""
    left = len(diagnostics) - MOST
    return [f"… and {left:,} more"] if left > 0 else []


def _said(one: Diagnostic) -> str:
    where = "null" if one.location is None else shortened(one.location, _SHOWN)
    return f"{one.code}: {one.message} at {where}"


def refusal(diagnostics: Iterable[Diagnostic]) -> DefinitionError:
    """The error to raise for a definition that AWS would refuse."""
    found = list(diagnostics)
    return DefinitionError(invalid_definition_message(found), found)
