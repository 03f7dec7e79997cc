"""String functions (https://docs.jsonata.org/string-functions)."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite, trunc
from typing import Final

from ..errors import JSONataError
from ..evaluation import Evaluation
from ..values import NUMBERS, UNDEFINED, OuterSequence, Value, is_function, is_number, print_15


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How numbers and, inside arrays and objects, strings are written."""

    number: Callable[[float], str]
    quoted: Callable[[str], str]


JAVASCRIPT: Final = TextStyle(print_15, partial(json.dumps, ensure_ascii=False))
"""15 significant digits; strings as JSON.stringify has them."""


def string(
    run: Evaluation,
    value: Value = UNDEFINED,
    prettify: Value = False,
    *,
    style: TextStyle = JAVASCRIPT,
) -> Value:
    """Write as JSON text what is no string (``$string``)."""
    if value is UNDEFINED:
        return UNDEFINED
    run.tick()
    return to_string(run, value, indent=2 if prettify is True else 0, style=style)


def to_string(
    run: Evaluation, value: Value, *, indent: int = 0, style: TextStyle = JAVASCRIPT
) -> str:
    """Return the text of a value that is there."""
    if type(value) is str:
        return value
    if type(value) in NUMBERS:
        if not isfinite(value):
            raise JSONataError("D3001", value=value)
        return style.number(value)
    if is_function(value):
        return ""
    if type(value) is OuterSequence:
        value = value[0]
    pieces: list[str] = []
    _Writer(run, indent, style, pieces).write(value, "\n")
    run.allocate(sum(map(len, pieces)))
    return "".join(pieces)


class _Writer:
    """JSON.stringify, within the bounds of the evaluation."""

    def __init__(self, run: Evaluation, indent: int, style: TextStyle, pieces: list[str]) -> None:
        self._run = run
        self._style = style
        self._pieces = pieces
        self._indent = " " * indent
        self._colon = ": " if indent else ":"

    def write(self, value: Value, newline: str) -> None:
        """Add the pieces of the text; ``newline`` comes before the value's closing bracket."""
        self._run.tick(2)
        kind = type(value)
        if kind is str:
            self._quote(value)
        elif kind in NUMBERS:
            self._pieces.append(self._style.number(value) if is_number(value) else "null")
        elif value is None or kind is bool:
            self._pieces.append({None: "null", True: "true", False: "false"}[value])
        elif isinstance(value, list):
            self._wrap("[]", [(None, item) for item in value], newline)
        elif isinstance(value, dict):
            self._wrap("{}", list(value.items()), newline)
        else:
            self._pieces.append('""')  # a function

    def _quote(self, text: str) -> None:
        self._run.allocate(len(text))
        self._pieces.append(self._style.quoted(text))

    def _wrap(self, brackets: str, members: list[tuple[str | None, Value]], newline: str) -> None:
        if not members:
            self._pieces.append(brackets)
            return
        inner = newline + self._indent
        before = brackets[0] + (inner if self._indent else "")
        for name, member in members:
            self._pieces.append(before)
            if name is not None:
                self._quote(name)
                self._pieces.append(self._colon)
            self.write(member, inner)
            before = "," + (inner if self._indent else "")
        self._pieces.append((newline if self._indent else "") + brackets[1])


def length(_run: Evaluation, text: Value = UNDEFINED) -> Value:
    """``$length``, in characters."""
    return UNDEFINED if text is UNDEFINED else len(text)


def substring(
    run: Evaluation, text: Value, start: Value = UNDEFINED, size: Value = UNDEFINED
) -> Value:
    """``$substring``: a negative start counts from the end."""
    if start is UNDEFINED:  # as in jsonata-js: it counts as 0, but makes the end not a number
        return text if size is UNDEFINED else ""
    run.allocate(len(text))
    if len(text) + start < 0:
        start = 0
    if size is UNDEFINED:
        return text[trunc(start) :]
    if size <= 0:
        return ""
    end = start + size if start >= 0 else len(text) + start + size
    return text[trunc(start) : trunc(end)]


def substring_before(run: Evaluation, text: Value, mark: Value = UNDEFINED) -> Value:
    """``$substringBefore``: all of it if the mark isn't there."""
    if mark is UNDEFINED:
        return text
    run.allocate(len(text))
    return text[: _index(text, mark)]


def substring_after(run: Evaluation, text: Value, mark: Value = UNDEFINED) -> Value:
    """``$substringAfter``: all of it if the mark isn't there."""
    if mark is UNDEFINED or mark not in text:
        return text
    run.allocate(len(text))
    return text[_index(text, mark) + len(mark) :]


def _index(text: str, mark: str) -> int:
    """Return where the mark is, or the end."""
    at = text.find(mark)
    return at if at >= 0 else len(text)


def lowercase(run: Evaluation, text: Value) -> Value:
    """``$lowercase``."""
    return _copied(run, text).lower()


def uppercase(run: Evaluation, text: Value) -> Value:
    """``$uppercase``."""
    return _copied(run, text).upper()


def _copied(run: Evaluation, text: str) -> str:
    """Count the copy that will be made of a text; return the text."""
    run.allocate(len(text))
    run.tick(len(text) >> 7)
    return text


_BLANKS: Final = re.compile(r"[ \t\n\r]+")


def trim(run: Evaluation, text: Value) -> Value:
    """``$trim``: one space for every run of white space, none at the ends."""
    return _BLANKS.sub(" ", _copied(run, text)).strip(" ")


def pad(run: Evaluation, text: Value, width: Value = UNDEFINED, filler: Value = UNDEFINED) -> Value:
    """``$pad``: to the left for a negative width."""
    if width is UNDEFINED:
        return text
    missing = abs(trunc(width)) - len(text)
    if missing <= 0:
        return text
    run.allocate(missing)
    filler = filler or " "
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return text + padding if width > 0 else padding + text


def join(run: Evaluation, texts: Value, separator: Value = UNDEFINED) -> Value:
    """``$join``."""
    between = "" if separator is UNDEFINED else separator
    run.tick(len(texts) >> 1)
    run.allocate(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


# -- encodings


def base64_encode(run: Evaluation, text: Value) -> Value:
    """``$base64encode``: of the UTF-8 bytes.

    AWS runs a JVM engine, whose bytes are UTF-8, as are those of its intrinsic States.Base64Encode;
    jsonata-js takes the low byte of each UTF-16 unit, which loses what is beyond latin-1. For ASCII
    the two are the same.
    """
    run.allocate(2 * len(text))
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def base64_decode(run: Evaluation, text: Value) -> Value:
    """``$base64decode``: the other way; bytes that aren't UTF-8 are taken as latin-1."""
    run.tick(len(text) >> 7)
    clean = re.sub(r"[^A-Za-z0-9+/]", "", text.split("=")[0].replace("-", "+").replace("_", "/"))
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    data = base64.b64decode(clean + "=" * (-len(clean) % 4))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


_COMPONENT_SAFE: Final = "-_.!~*'()"
URL_RESERVED: Final = ";/?:@&=+$,#"
_URL_SAFE: Final = _COMPONENT_SAFE + URL_RESERVED


def _encoder(name: str, safe: str) -> Callable[..., Value]:
    def encode(run: Evaluation, text: Value) -> Value:
        run.tick(len(text) >> 4)
        run.allocate(3 * len(text))
        try:
            return urllib.parse.quote(text, safe=safe, encoding="utf-8", errors="strict")
        except UnicodeEncodeError:
            raise JSONataError("D3140", value=text, functionName=name) from None

    return encode


def url_decoder(
    name: str, reserved: str, *, errors: str = "strict", plus: str = "+"
) -> Callable[..., Value]:
    """Return a function that decodes; ``reserved``: characters that stay escaped.

    ``errors``: what becomes of bytes that are no UTF-8; ``plus``: what a plus stands for.
    """

    def unescape(match: re.Match[str]) -> str:
        if match.group() == "+":
            return plus
        decoded = _bytes(match.group()).decode("utf-8", errors)
        return "".join(f"%{ord(c):02X}" if c in reserved else c for c in decoded)

    def decode(run: Evaluation, text: Value) -> Value:
        run.tick(len(text) >> 2)
        run.allocate(len(text))
        try:
            return _ESCAPES.sub(unescape, text)
        except ValueError:
            raise JSONataError("D3140", value=text, functionName=name) from None

    return decode


_ESCAPES: Final = re.compile(r"(?:%..?)+|%|\+", re.DOTALL)


def _bytes(escapes: str) -> bytes:
    data = bytes.fromhex(escapes[1:].replace("%", " "))
    if len(data) * 3 != len(escapes):
        raise ValueError(escapes)
    return data


encode_url_component = _encoder("encodeUrlComponent", _COMPONENT_SAFE)
encode_url = _encoder("encodeUrl", _URL_SAFE)
decode_url_component = url_decoder("decodeUrlComponent", "")
decode_url = url_decoder("decodeUrl", URL_RESERVED)
