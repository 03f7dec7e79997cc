"""`each`: one test written down, run for each of a list of values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...definitions.config_schema import Form, Record, Schema, SourceValue
from ...errors import InputError
from ...values.did_you_mean import did_you_mean
from ...values.json_values import dumps
from ..conditions import made

_NAME = re.compile(r"\$\{([^${}\s]+)\}")
MOST = 10_000
"""Tests that one `each` may make."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A form whose member `each` is a list of objects, or JSONata that makes one.

    In all other texts `${NAME}` stands for the row's member NAME; a text that is nothing else
    becomes the value itself.
    """

    form: Form

    def read(self, place: SourceValue) -> list[Record]:
        """A record for each row; one when there is no `each`."""
        if not isinstance(place.value, dict) or "each" not in place.value:
            return [self.form.read(place)]
        rows = list(_rows(place.at("each")))
        rest = {name: value for name, value in place.value.items() if name != "each"}
        return [self.form.read(replace(place, value=_filled(place, rest, row))) for row in rows]

    def schema(self) -> Schema:
        """That of the form."""
        return self.form.schema()


def _rows(place: SourceValue) -> Iterator[Mapping[str, Any]]:
    try:
        rows = made(place.value)
    except InputError as problem:
        raise place.problem(str(problem)) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise place.problem("this has to be a list of objects")
    if len(rows) > MOST:
        raise place.problem(f"these are {len(rows):,} tests; {MOST:,} is the most")
    return iter(rows)


def _filled(place: SourceValue, value: Any, row: Mapping[str, Any]) -> Any:
    def known(name: str) -> Any:
        if name in row:
            return row[name]
        hint = did_you_mean(name, row) or f"there are {', '.join(row) or 'none'}"
        raise place.problem(f"`each` has a value without the member '{name}'; {hint}")

    def text(found: re.Match[str]) -> str:
        given = known(found[1])
        return given if isinstance(given, str) else dumps(given)

    def inside(value: Any) -> Any:
        match value:
            case str():
                whole = _NAME.fullmatch(value)
                return known(whole[1]) if whole else _NAME.sub(text, value)
            case dict():
                return {name: inside(inner) for name, inner in value.items()}
            case list():
                return [inside(item) for item in value]
        return value

    return inside(value)
