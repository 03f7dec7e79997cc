"""Values as bytes, and the checksums by which what is damaged, or was moved, is noticed."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

from doorstep.values.json_values import STORED_DEPTH, dumps

UNCHECKED = -1
"""In place of a checksum: written by a version that made none."""


def packed(value: Any) -> bytes:
    """Return a JSON value as bytes: SQLite's texts can't hold half of a surrogate pair."""
    return dumps(value, STORED_DEPTH).encode("utf-8", "surrogatepass")


def unpacked(blob: bytes) -> Any:
    """Return the value that was packed."""
    return json.loads(blob.decode("utf-8", "surrogatepass"))


def checksum(blob: bytes, *place: int | str) -> int:
    """Return the checksum of a value and of the keys under which it is stored."""
    return crc32(blob, crc32(repr(place).encode()))


def is_whole(blob: object, recorded: int | None, *place: int | str) -> bool:
    """Return whether a value is as it was written.

    Documents of before version 4 have no checksum, those of before version 5 one without the place.
    """
    if not isinstance(blob, bytes):
        return False
    return recorded in (UNCHECKED, checksum(blob, *place), crc32(blob))


def row_checksum(values: list[Any]) -> int:
    """Return the checksum of a row's columns, as a database returns them."""
    return crc32(repr(values).encode())


def row_is_whole(values: list[Any], recorded: int | None) -> bool:
    """Return whether a row is as it was written; those before version 5 have no checksum."""
    if recorded != UNCHECKED:
        return recorded == row_checksum(values)
    try:
        "".join(value for value in values if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        # Bytes that are no text: see `database`.
        return False
    return True
