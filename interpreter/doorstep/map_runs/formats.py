"""Formats of objects with items: CSV, JSON, JSON Lines, Parquet; gzip and zstd around them.

CSV and JSON behave as recorded on AWS. All are read bit by bit, whatever their size.
"""

from __future__ import annotations

import base64
import csv
import gzip
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from io import BufferedReader, RawIOBase, TextIOWrapper
from math import isfinite
from typing import IO, Any

from ..values.json_values import loads
from . import json_stream
from .buckets import failed

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
MAX_ITEM_BYTES = 8 * 1024 * 1024
"""AWS: 8 MB an item, before ItemSelector."""
_PACKED = 1 << 10
"""Bytes that are unpacked at a time."""
_ROWS = 1_000
"""Rows of a Parquet file that are held at a time."""


def parse_object(config: Mapping[str, Any], file: IO[bytes], key: str) -> Iterator[Any]:
    """Yield the items of an object, as its name and ReaderConfig say that they are written.

    Raises what `buckets.UNREADABLE` names.
    """
    if config.get("InputType") == "PARQUET":
        yield from _parquet(file)
        return
    with unpacked(file, key) as lines:
        yield from parse_items(config, lines)


def unpacked(file: IO[bytes], key: str) -> IO[str]:
    """Return an object's text; one that is packed says so by its name (fact 279)."""
    plain: Any = file
    if key.endswith(".gz"):
        plain = gzip.GzipFile(mode="rb", fileobj=file)
    elif key.endswith(".zst"):
        plain = BufferedReader(_Unpacked(file, _zstd(key)))
    return TextIOWrapper(plain, encoding="utf-8-sig", newline="")


class _Unpacked(RawIOBase):
    """A file packed with zstd, unpacked as it is read; damaged or cut off, it raises OSError."""

    def __init__(self, file: IO[bytes], new: Callable[[], Any]) -> None:
        """Unpack a file; `new` makes what unpacks a frame, of which there may be several."""
        self._file = file
        self._new = new
        self._frame: Any = None
        self._packed = self._plain = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain:
            # No more at a time: a few bytes may unfold to a hundred thousand.
            self._packed = self._packed or self._file.read(_PACKED)
            if not self._packed:
                if self._frame:
                    raise OSError("its end is missing")
                return 0
            self._unpack()
        part, self._plain = self._plain[: len(buffer)], self._plain[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _unpack(self) -> None:
        frame = self._frame = self._frame or self._new()
        try:
            self._plain, self._packed = frame.decompress(self._packed), b""
        except Exception as problem:  # noqa: BLE001  each package has its own
            raise OSError(f"it can't be unpacked: {problem}") from None
        if frame.eof:
            self._packed, self._frame = frame.unused_data, None


def _zstd(key: str) -> Callable[[], Any]:
    """Return what makes a decompressor of one frame."""
    try:
        from compression.zstd import ZstdDecompressor  # from Python 3.14 on
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise failed(
                f"{key} is packed with zstd, which takes Python 3.14 or the package zstandard: "
                "pip install 'doorstep[zstd]'"
            ) from None
        return lambda: zstandard.ZstdDecompressor().decompressobj()
    return ZstdDecompressor  # type: ignore[no-any-return]


def parse_items(config: Mapping[str, Any], lines: IO[str]) -> Iterable[Any]:
    """Return the items of an object's text, as ReaderConfig says that they are written.

    Those of a JSON object are `json_stream.Member`s. Raises what `buckets.UNREADABLE` names.
    """
    kind = config.get("InputType", "JSON")
    read = _FORMATS.get(kind)
    if read is None:
        raise failed(f"Doorstep does not read items of InputType {kind}.")
    return read(config, lines)


def _csv(config: Mapping[str, Any], lines: IO[str]) -> Iterator[Any]:
    # Fact 276: every value is a text, header cells are taken as they are.
    rows = rows_of(lines, _DELIMITERS[config.get("CSVDelimiter", "COMMA")])
    in_definition = config.get("CSVHeaderLocation") == "GIVEN"
    headers = config.get("CSVHeaders", []) if in_definition else next(rows, [])
    if len(set(headers)) < len(headers):
        raise failed("CSV headers cannot contain duplicates.")
    return named(headers, rows)


def named(headers: list[str], rows: Iterable[list[str]]) -> Iterator[dict[str, str]]:
    """Yield rows as objects; short ones are filled up with "", cells beyond are dropped.

    Fact 276.
    """
    for row in rows:
        if row:
            padded = row + [""] * (len(headers) - len(row))
            yield dict(zip(headers, padded, strict=False))


def rows_of(text: IO[str], delimiter: str = ",") -> Iterator[list[str]]:
    """Yield the rows of a CSV file; in a cell that is not quoted, two quotes are one (fact 150).

    Python's reader halves them in quoted cells only, and does not say which cells are.
    """
    # For the process, but only ever upwards: Python's own limit is below what AWS reads.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ITEM_BYTES))
    read: list[str] = []

    def remembered() -> Iterator[str]:
        for line in _lines(text):
            read.append(line)
            yield line

    for row in csv.reader(remembered(), delimiter=delimiter, escapechar="\\", strict=False):
        if any('""' in cell for cell in row):
            quoted = _quoted("".join(read), _cell(delimiter))
            yield [
                cell if is_quoted else cell.replace('""', '"')
                for cell, is_quoted in zip(row, quoted, strict=False)
            ]
        else:
            yield row
        read.clear()


def _quoted(row: str, cell: re.Pattern[str]) -> Iterator[bool]:
    """Yield of each cell of a row whether it begins with a quote."""
    position = 0
    while match := cell.match(row, position):
        yield row.startswith('"', position)
        position = match.end() + 1


def _cell(delimiter: str) -> re.Pattern[str]:
    return re.compile(
        rf'(?:"(?:[^"\\]|\\.|"")*"?)?(?:[^{re.escape(delimiter)}\r\n\\]|\\.)*', re.DOTALL
    )


def _json(config: Mapping[str, Any], text: IO[str]) -> Iterator[Any]:
    # Fact 277: ItemsPointer leads into the file.
    return json_stream.items(text, config.get("ItemsPointer", ""), MAX_ITEM_BYTES)


def _jsonl(_: Mapping[str, Any], text: IO[str]) -> Iterator[Any]:
    # Fact 277: a value a line. `loads` is quick where no blanks follow.
    return (loads(line.rstrip(" \t\r\n")) for line in _lines(text) if not line.isspace())


def _lines(text: IO[str]) -> Iterator[str]:
    while line := text.readline(MAX_ITEM_BYTES + 1):
        if len(line) > MAX_ITEM_BYTES:
            raise failed(f"A line has {MAX_ITEM_BYTES:,} characters at most, as an item has.")
        yield line


_FORMATS: dict[str, Callable[[Mapping[str, Any], IO[str]], Iterable[Any]]] = {
    "CSV": _csv,
    "JSON": _json,
    "JSONL": _jsonl,
}


def _parquet(file: IO[bytes]) -> Iterator[Any]:
    """Yield the rows of a Parquet file as objects, a row group's pages at a time (fact 288)."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise failed(
            "Parquet files take the package pyarrow: pip install 'doorstep[parquet]'"
        ) from None
    try:
        for batch in ParquetFile(file).iter_batches(batch_size=_ROWS):
            yield from map(_json_value, batch.to_pylist())
    except ArrowException as problem:
        raise failed(f"the Parquet file can't be read: {problem}") from None


def _json_value(value: Any) -> Any:
    """Return a Parquet value as JSON: times as ISO 8601, bytes in base64; AWS does not say how."""
    match value:
        case dict():
            return {name: _json_value(member) for name, member in value.items()}
        case list():
            return [_json_value(element) for element in value]
        case tuple():
            # An entry of a map.
            return [_json_value(element) for element in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case float():
            return value if isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case None | bool() | int() | str():
            return value
    return str(value)
