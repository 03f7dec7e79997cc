"""The items of a JSON file, one by one: the file is never held as a whole.

ItemsPointer (RFC 6901) leads to the array or object; what stands before it is read and dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from ..values.json_values import MAX_DEPTH, finite, is_deep
from .buckets import failed

_CHUNK = 1 << 16
_CUT_OFF = len("e+")
_SPACE = re.compile(r"[ \t\n\r]*")
_STOPS = re.compile(r'["{}\[\]]')
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


_decode = json.JSONDecoder(parse_float=finite, parse_constant=_no_constant).raw_decode


class Member(NamedTuple):
    """An item that is a member of an object."""

    key: str
    value: Any


def items(text: IO[str], pointer: str, longest: int) -> Iterator[Any]:
    """Yield the elements of the array, or the `Member`s of the object, that a pointer finds.

    `longest`: characters of one item, at the most. Raises ValueError for what is not JSON.

    Fact 277: other values can't be mapped over.
    """
    source = _Source(text, longest)
    for name in pointer.split("/")[1:]:
        _enter(source, name.replace("~1", "/").replace("~0", "~"))
    first = source.peek()
    if first == "[":
        yield from _elements(source)
    elif first == "{":
        yield from _mappable(_members(source), not pointer)
    else:
        source.value()
        raise failed("Attempting to map over non-iterable node.")
    if not pointer and source.peek():
        raise source.broken("Extra data")


def _mappable(members: Iterator[Member], whole: bool) -> Iterator[Member]:
    """Return the members of an object, if AWS maps over it.

    Fact 287: it was observed to refuse a file that holds `{"Hello": "world"}`, and to take one
    whose values are objects.
    """
    for number, member in enumerate(members):
        if whole and number == 0 and not isinstance(member.value, (dict, list)):
            raise failed("Attempting to map over non-iterable node.")
        yield member


def _enter(source: _Source, name: str) -> None:
    """Read up to the member or element with this name."""
    match source.peek():
        case "{":
            for key in source.names():
                if key == name:
                    return
                source.skip()
        case "[" if re.fullmatch("0|[1-9][0-9]*", name):
            for index, _ in enumerate(source.parts("]")):
                if index == int(name):
                    return
                source.skip()
    raise failed(
        "The provided ReaderConfig.ItemsPointer does not match any valid path "
        "in the JSON structure."
    )


def _elements(source: _Source) -> Iterator[Any]:
    return (source.value() for _ in source.parts("]"))


def _members(source: _Source) -> Iterator[Member]:
    return (Member(key, source.value()) for key in source.names())


class _Source:
    """A text that is read as far as it is needed."""

    def __init__(self, text: IO[str], longest: int) -> None:
        self._text = text
        self._longest = longest
        self._held = ""
        self._at = 0
        self._line, self._column = 1, 1
        """Where `_held` begins in the file."""

    def peek(self) -> str:
        """Return the next character that is no space; an empty text at the end."""
        while True:
            self._at = _SPACE.match(self._held, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._held) or not self._more():
                return self._held[self._at : self._at + 1]

    def parts(self, end: str) -> Iterator[None]:
        """Stand before each element or member in turn, from the opening bracket to `end`."""
        self._at += 1
        if self.peek() == end:
            self._at += 1
            return
        while True:
            yield
            follows = self.peek()
            if follows not in (",", end) or not follows:
                raise self.broken("Expecting ',' delimiter")
            self._at += 1
            if follows == end:
                return

    def names(self) -> Iterator[str]:
        """Yield the names of an object's members, standing before the value of each."""
        for _ in self.parts("}"):
            if self.peek() != '"':
                raise self.broken("Expecting property name enclosed in double quotes")
            name = self.value()
            if self.peek() != ":":
                raise self.broken("Expecting ':' delimiter")
            self._at += 1
            yield name

    def value(self) -> Any:
        """Read a value."""
        self.peek()
        while True:
            try:
                value, end = _decode(self._held, self._at)
            except json.JSONDecodeError as problem:
                if not self._more_of_value():
                    raise self._broken_at(problem.pos, problem.msg) from None
            except RecursionError:
                raise self.broken(f"a value is nested more than {MAX_DEPTH} levels deep") from None
            else:
                # A number may go on in what was not read yet: `1.`, `1e` and `1e+` are cut off.
                whole = isinstance(value, (str, dict, list)) or len(self._held) - end > _CUT_OFF
                if whole or not self._more_of_value():
                    text = self._held[self._at : end]
                    if is_deep(text, value):
                        raise self.broken(f"a value is nested more than {MAX_DEPTH} levels deep")
                    self._at = end
                    return value

    def skip(self) -> None:
        """Read past a value, however long it is."""
        if self.peek() not in ("{", "["):
            self.value()
            return
        depth = 0
        while True:
            stop = _STOPS.search(self._held, self._at)
            if stop is None:
                self._at = len(self._held)
                if not self._more():
                    raise self.broken("Unexpected end of the text")
                continue
            self._at = stop.end()
            if stop.group() == '"':
                self._skip_string()
                continue
            depth += 1 if stop.group() in "{[" else -1
            if depth == 0:
                return

    def _skip_string(self) -> None:
        while (end := _STRING_END.match(self._held, self._at)) is None:
            if not self._more_of_value():
                raise self.broken("Unterminated string")
        self._at = end.end()

    def _more_of_value(self) -> bool:
        if len(self._held) - self._at > self._longest:
            raise failed(f"An item has {self._longest:,} characters at most.")
        return self._more()

    def _more(self) -> bool:
        """Read on, twice as much as is still held, and drop what was read past."""
        more = self._text.read(max(_CHUNK, len(self._held) - self._at))
        if more:
            self._line, self._column = self._place(self._held[: self._at])
            self._held, self._at = self._held[self._at :] + more, 0
        return bool(more)

    def _place(self, passed: str) -> tuple[int, int]:
        lines = passed.count("\n")
        column = len(passed) - passed.rfind("\n") if lines else self._column + len(passed)
        return self._line + lines, column

    def broken(self, why: str) -> ValueError:
        """Return the error that the text is no JSON where it was read up to."""
        return self._broken_at(self._at, why)

    def _broken_at(self, at: int, why: str) -> ValueError:
        line, column = self._place(self._held[:at])
        return ValueError(f"This is not valid JSON (line {line}, column {column}): {why}")
