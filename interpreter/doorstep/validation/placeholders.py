"""Placeholders of a deployment, `${Name}`, that a definition in a file still has.

Where a text may stand they stay what they are: a Resource is then a name that a handler can have.
Where AWS wants a number, a truth value or an object, no deployment can help (a value is put into
the text between the quotes: to the API it is a text, fact 224); a path or one of several words
can't be followed without its value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..definitions.substitution import WITHOUT_VALUE, placeholders
from ..errors import Diagnostic
from ..model import Field, Steps
from .diagnostics import Diagnostics, Location, error

LEFT_AS_TEXT = "PLACEHOLDER_LEFT_AS_TEXT"
_JSON = {
    "boolean": "true or false",
    "integer": "a number",
    "number": "a number",
    "list": "an array",
    "object": "an object",
    "rule": "an object",
    "rules": "an array",
    "states": "an object",
    "variables": "an object",
}


def in_field(value: str, field: Field, location: Location) -> Diagnostics:
    """Report a placeholder in a field that can't hold it."""
    kind = _JSON.get(field.kind)
    if kind:
        hint = f"write {_first(value)} without quotes, and "
        yield _report(value, f"{kind} stands here", location, hint=f"{hint}{_advice(value)}")
    else:
        yield from computed(value, location)


def computed(value: str, location: Location) -> Diagnostics:
    """Report a placeholder in a path, an expression or a word, of which the run needs the value."""
    needed = _report(value, "its value is needed here", location, hint=_advice(value))
    yield needed if location.machine.runnable else _as_warning(needed)


def left_as_text(value: Any, location: Location) -> Diagnostics:
    """Warn of the placeholders in all texts of a definition."""
    for text, steps in _texts(value, ()):
        if location.left_open(text):
            report = _report(text, "it stays text", location.at(steps), hint=_advice(text))
            yield replace(_as_warning(report), code=LEFT_AS_TEXT)


def _texts(value: Any, steps: Steps) -> list[tuple[str, Steps]]:
    """Return the texts that look like it, names among them, each with the way to it."""
    if isinstance(value, str):
        return [(value, steps)] if "${" in value else []
    texts: list[tuple[str, Steps]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            way = (*steps, name)
            texts += _texts(name, way)
            texts += _texts(inner, way)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            texts += _texts(inner, (*steps, index))
    return texts


def _report(value: str, why: str, location: Location, *, hint: str) -> Diagnostic:
    names = ", ".join(f"${{{name}}}" for name in placeholders(value))
    return error(f"{names} has no value, and {why}", location, WITHOUT_VALUE, hint=hint)


def _as_warning(one: Diagnostic) -> Diagnostic:
    return replace(one, severity="WARNING")


def _first(value: str) -> str:
    return f"${{{next(iter(placeholders(value)))}}}"


def _advice(value: str) -> str:
    return "give it a value: " + " ".join(f"--param {name}=…" for name in placeholders(value))
