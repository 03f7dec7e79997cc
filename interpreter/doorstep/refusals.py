"""How CreateStateMachine words the diagnostics for which it refuses a definition."""

from __future__ import annotations

from collections.abc import Iterable

from .diagnostics import Diagnostic
from .errors import DefinitionError


def invalid_definition_message(diagnostics: Iterable[Diagnostic]) -> str:
    """InvalidDefinition's message: `Invalid State Machine Definition: 'CODE: text at /path, …'`.

    A diagnostic without a place is "at null" (recorded for MISSING_END_STATE).
    """
    said = ", ".join(
        f"{one.code}: {one.message} at {'null' if one.location is None else one.location}"
        for one in diagnostics
    )
    return f"Invalid State Machine Definition: '{said}'"


def refusal(diagnostics: Iterable[Diagnostic]) -> DefinitionError:
    """The error to raise for a definition that AWS would refuse."""
    found = list(diagnostics)
    return DefinitionError(invalid_definition_message(found), found)
