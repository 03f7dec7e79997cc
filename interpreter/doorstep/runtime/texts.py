"""Texts in a temporary file, found by their indexes: what is left of a map run's children.

A million takes sixteen bytes of memory for each; a few have no file at all.
"""

from __future__ import annotations

import re
from array import array
from tempfile import SpooledTemporaryFile

_IN_MEMORY = 2**20
"""Bytes that are held before there is a file."""

_HALVES = re.compile("[\ud800-\udfff]")


class Texts:
    """JSON texts by index, which come in any order; a later one replaces the one before."""

    def __init__(self) -> None:
        self._file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
        self._has_read = False
        self._end = 0
        self._places = array("Q")
        self._lengths = array("Q")

    def __len__(self) -> int:
        """Return one more than the highest index."""
        return len(self._lengths)

    def put(self, index: int, text: str) -> int:
        """Store a text; return its length in bytes."""
        blob = _utf_8(text)
        while len(self._lengths) <= index:
            self._places.append(0)
            self._lengths.append(0)
        if self._has_read:
            # Not before each: that would write every text by itself.
            self._file.seek(self._end)
            self._has_read = False
        self._file.write(blob)
        self._places[index], self._lengths[index] = self._end, len(blob)
        self._end += len(blob)
        return len(blob)

    def get(self, index: int) -> bytes | None:
        """Return the text of an index; None where there is none."""
        length = self._lengths[index] if index < len(self._lengths) else 0
        if not length:
            return None
        self._file.seek(self._places[index])
        self._has_read = True
        return self._file.read(length)

    def drop(self, index: int) -> None:
        """Forget the text of an index, if there is one."""
        if index < len(self._lengths):
            self._lengths[index] = 0

    @property
    def total(self) -> int:
        """How long all texts are, in bytes."""
        return sum(self._lengths)

    def close(self) -> None:
        """Let go of all texts."""
        self._file.close()
        del self._places[:], self._lengths[:]

    def __del__(self) -> None:
        self._file.close()


def _utf_8(text: str) -> bytes:
    """Return JSON texts in UTF-8; halves of surrogate pairs, which it has not, in escapes."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
