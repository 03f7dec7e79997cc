"""JSON text read as AWS reads it, its errors in the words of AWS's parser (Jackson).

AWS answers INVALID_JSON_DESCRIPTION with Jackson's message and Jackson's location in the text, e.g.
`Unrecognized token 'not': was expecting (JSON String, …)` at
`[Source: (String)"not JSON"; line: 1, column: 4]` (recorded: test_sfn_api_validation and
test_invalid_start_execution_input). Duplicate members: the last one wins, as with Jackson.
Executions are read by a later Jackson, which does not repeat the text: `redacted` (fact 129).
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any

from ..errors import shortened
from .json_values import MAX_DEPTH, finite, is_deep

_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_TOKEN = re.compile(r"[\w$]+")
_STRING_OR_MARK = re.compile(r'"(?:\\.|[^"\\])*"?|[{}\[\]]|-?Infinity|NaN', re.DOTALL)
_STRING_OR_NUMBER = re.compile(r'"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*', re.DOTALL)
_WHOLE = re.compile(r"-?\d+")
_NUMBER_LENGTH = 40
_NOT_BLANK = re.compile(r"\S")
_SOURCE_LENGTH = 500
_REDACTED = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"


class JSONProblem(Exception):  # noqa: N818  a problem of the text, not of ours
    """Where and why a text is not JSON.

    ``at`` counts characters from the start of the text; Jackson points behind what it has read:
    ``consumed`` characters further on. ``opened``: where the object or array begins that has no
    end, which the message repeats.
    """

    def __init__(
        self, reason: str, text: str, at: int, consumed: int, opened: int | None = None
    ) -> None:
        self.reason, self.text, self.at, self.consumed = reason, text, at, consumed
        self.opened = opened
        self.message = self._message(None if opened is None else self._location(opened))
        super().__init__(self.message)

    @property
    def redacted(self) -> str:
        """Message and location without the text, as a later Jackson has them (fact 129).

        That one points at an unexpected character, and still behind an unknown word.
        """
        opened = None if self.opened is None else self._location(self.opened, redacted=True)
        consumed = 0 if self.reason.startswith("Unexpected character") else self.consumed
        where = self._location(self.at, consumed, redacted=True)
        return f"{self._message(opened)}\n at {where}"

    def _message(self, opened: str | None) -> str:
        return f"{self.reason} (start marker at {opened})" if opened else self.reason

    @property
    def line_column(self) -> tuple[int, int]:
        """Line and column of the offending character, from 1."""
        return line_column(self.text, self.at)

    @property
    def location(self) -> str:
        """The location as Jackson prints it."""
        return self._location(self.at, self.consumed)

    def _location(self, at: int, consumed: int = 0, *, redacted: bool = False) -> str:
        line, column = line_column(self.text, at)
        source = self.text[:_SOURCE_LENGTH]
        left = len(self.text) - len(source)
        more = f"[truncated {left} chars]" if left else ""
        named = _REDACTED if redacted else f'(String)"{source}"{more}'
        return f"[Source: {named}; line: {line}, column: {column + consumed}]"


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def loads(text: str) -> Any:
    """Return the value of a JSON text; raise JSONProblem, or RecursionError when too deep.

    Facts 21, 129 and 455.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=finite)
    except json.JSONDecodeError as error:
        raise _problem(text, error.msg, error.pos) from None
    except _NotANumberError as error:
        raise _constant(text, str(error)) from None
    except ValueError:
        raise _number(text) from None
    if is_deep(text, value):
        raise RecursionError(f"Document nesting depth exceeds the maximum allowed ({MAX_DEPTH})")
    return value


class _NotANumberError(Exception):
    """NaN, Infinity or -Infinity stood where a value is wanted."""


def _refuse(constant: str) -> Any:
    raise _NotANumberError(constant)


def _constant(text: str, token: str) -> JSONProblem:
    at = next(m.start() for m in _STRING_OR_MARK.finditer(text) if m.group() == token)
    message = f"Non-standard token '{token}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS"
    return JSONProblem(f"{message} to allow", text, at, len(token))


def _number(text: str) -> JSONProblem:
    """Return the problem of the first number too large for a double, or too long for Python.

    Jackson bounds the length of numbers as well (StreamReadConstraints, 1,000 by default); which
    bound AWS has set was not recorded.
    """
    for number in _STRING_OR_NUMBER.finditer(text):
        if message := _too_large(number.group()):
            return JSONProblem(message, text, number.start(), len(number.group()))
    return JSONProblem("Invalid numeric value", text, 0, 0)


def _too_large(token: str) -> str | None:
    if token.startswith('"'):
        return None
    if _WHOLE.fullmatch(token):
        length, most = len(token.removeprefix("-")), sys.get_int_max_str_digits()
        if 0 < most < length:
            return f"Number value length ({length}) exceeds the maximum allowed ({most})"
    elif math.isinf(float(token)):
        return f"Numeric value ({shortened(token, _NUMBER_LENGTH)}) out of range of double"
    return None


def _problem(text: str, reason: str, at: int) -> JSONProblem:
    """Return Python's reason and position in Jackson's words."""
    if reason.startswith("Illegal trailing comma"):
        # Python from 3.13 on points at the comma; Jackson at what follows it.
        at = next(m.start() for m in _NOT_BLANK.finditer(text, at + 1))
        reason = "Expecting value" if text[at] == "]" else "Expecting property name"
    if reason.startswith("Unterminated string"):
        quote = "Unexpected end-of-input: was expecting closing quote for a string value"
        return JSONProblem(quote, text, len(text), 0)
    if text[at:].strip() == "":
        return _end_of_input(text)
    if reason == "Expecting value" and (token := _TOKEN.match(text, at)):
        unknown = f"Unrecognized token '{token.group()}': was expecting {_VALUES}"
        return JSONProblem(unknown, text, at, len(token.group()))
    return JSONProblem(_unexpected(text, reason, at), text, at, 1)


def _unexpected(text: str, reason: str, at: int) -> str:
    char = text[at + 1 if reason.startswith("Invalid \\") else at]
    quoted = f"'{char}' (code {ord(char)})"
    if reason.startswith("Invalid control character"):
        where = "has to be escaped using backslash to be included in string value"
        return f"Illegal unquoted character ((CTRL-CHAR, code {ord(char)})): {where}"
    if reason.startswith("Invalid \\"):
        return f"Unrecognized character escape {quoted}"
    return f"Unexpected character ({quoted}): {_expected(text, reason, at)}"


def _expected(text: str, reason: str, at: int) -> str:
    match reason.partition(":")[0]:
        case "Expecting ',' delimiter":
            container = "Object" if _open_containers(text[:at])[-1][0] == "{" else "Array"
            return f"was expecting comma to separate {container} entries"
        case "Expecting value":
            return f"expected a valid value {_VALUES}"
        case "Extra data":
            return "was expecting the end of the definition"
    if "':'" in reason:
        return "was expecting a colon to separate field name and value"
    return "was expecting double-quote to start field name"


def _end_of_input(text: str) -> JSONProblem:
    opened = _open_containers(text)
    if not opened:
        return JSONProblem("Unexpected end-of-input", text, len(text), 0)
    bracket, at = opened[-1]
    kind = "Object" if bracket == "{" else "Array"
    reason = f"Unexpected end-of-input: expected close marker for {kind}"
    return JSONProblem(reason, text, len(text), 0, at)


def _open_containers(text: str) -> list[tuple[str, int]]:
    """Return the brackets open at the end of a text, outermost first, with their offsets."""
    opened: list[tuple[str, int]] = []
    for mark in _STRING_OR_MARK.finditer(text):
        if mark.group() in "{[":
            opened.append((mark.group(), mark.start()))
        elif mark.group() in "}]" and opened:
            opened.pop()
    return opened
