"""Placeholders of a deployment, `${Name}`, and texts that remember where they were put in.

Values are put into the text, before it is parsed, as AWS does it: a number, a list or a whole state
may stand there without quotes, and a value is pasted as it is. A value may hold another
placeholder. Source: AWS's public resource handler of AWS::StepFunctions::StateMachine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..values.json_problem import line_column
from . import source_locations

MAX_BYTES = 1_048_576
"""What a definition may have (fact 203)."""
ROUNDS = 20
"""Rounds in which values that hold placeholders are put in: two may name each other."""
WITHOUT_VALUE = "PLACEHOLDER_WITHOUT_VALUE"
"""The code of a diagnostic about a placeholder that is left where none can be."""
PLACEHOLDER = re.compile(r"\$\{([^${}\s]+)\}")
_STRING_OR_PLACEHOLDER = re.compile(rf'"(?:[^"\\]|\\.)*"|{PLACEHOLDER.pattern}')


def placeholders(text: str) -> dict[str, int]:
    """Return the placeholders that are left in a text, each with the offset where it stands."""
    left: dict[str, int] = {}
    for match in PLACEHOLDER.finditer(text):
        left.setdefault(match[1], match.start())
    return left


def has_placeholder(text: str) -> bool:
    """Return whether a deployment tool still has to fill something in: `${Name}`."""
    return "${" in text and PLACEHOLDER.search(text) is not None


def unquoted_placeholders(text: str) -> Iterator[tuple[str, int]]:
    """Yield the placeholders outside of quotes, each with its offset."""
    for match in _STRING_OR_PLACEHOLDER.finditer(text):
        if match[1]:
            yield match[1], match.start()


def with_numbers(text: str) -> str:
    """Return a text with a number in place of each placeholder outside of quotes."""
    return _STRING_OR_PLACEHOLDER.sub(lambda match: "0" if match[1] else match[0], text)


@dataclass(frozen=True, slots=True)
class Traced:
    """A text, and the offset in its source of each of its characters."""

    text: str
    offsets: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Traced:
        """Return a text that is its own source."""
        return cls(text, range(len(text)))

    def position(self, source: str, offset: int) -> tuple[int, int]:
        """Return line and column in the source of an offset in this text."""
        at = min(offset, len(self.offsets) - 1)
        return line_column(source, self.offsets[at] if at >= 0 else 0)

    def replaced(self, pattern: re.Pattern[str], value: Callable[[re.Match[str]], str]) -> Traced:
        """Return the text with what a pattern matches replaced."""
        text, offsets, at = "", list[int](), 0
        for match in pattern.finditer(self.text):
            new = value(match)
            text += self.text[at : match.start()] + new
            offsets += self.offsets[at : match.start()]
            offsets += [self.offsets[match.start()]] * len(new)
            at = match.end()
        return Traced(text + self.text[at:], [*offsets, *self.offsets[at:]])

    def filled(self, values: Mapping[str, str]) -> Traced:
        """Return the text with the values of its placeholders; others stay."""
        filled = self
        for _ in range(ROUNDS if values else 0):
            before = filled
            filled = before.replaced(PLACEHOLDER, lambda match: values.get(match[1], match[0]))
            if filled.text == before.text or len(filled.text) > MAX_BYTES:
                break
        return filled


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """A definition's text, in which pointers are looked up, and where it comes from."""

    traced: Traced
    yaml: bool

    def locate(self, source: str, pointer: str) -> tuple[int, int]:
        """Return line and column in the source of what a pointer names."""
        offset = source_locations.offset(self.traced.text, pointer, yaml=self.yaml)
        return self.traced.position(source, offset)
