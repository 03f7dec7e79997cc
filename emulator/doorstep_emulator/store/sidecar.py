"""What the store's file can't say of itself: how many commits it had, and that it is still there.

SQLite reads the log of its last commits (FILE-wal) up to the first frame that is not whole, and
takes all that comes after it for never written (https://www.sqlite.org/fileformat2.html, section
4.3). A log that is damaged, cut off or gone costs commits without a word, unless somebody counts.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from weakref import finalize
from zlib import crc32

from doorstep.values.private_files import private

log = logging.getLogger("doorstep")
_INTERVAL = 1.0
"""Seconds between two looks at the paths."""


class Sidecar:
    """FILE-commits: one line with the file's mark, its count of commits and a checksum."""

    def __init__(self, path: str, mark: str, commits: int) -> None:
        """`mark`, `commits`: what the file itself says. Raises OSError."""
        self._mark = mark
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = private(f"{path}-commits", flags)
        self.close = finalize(self, os.close, self._file)
        """Close the file."""
        self.missing = self._missing(commits)
        """How many commits the file has lost since it was last written to."""
        self.record(commits)

    def _missing(self, commits: int) -> int:
        recorded, _, checksum = os.read(self._file, 200).rpartition(b" ")
        mark, _, count = recorded.partition(b" ")
        with suppress(ValueError):
            if int(checksum, 16) == crc32(recorded):
                same = mark == self._mark.encode()
                return max(0, int(count) - commits) if same else int(count)
        return 0

    def record(self, commits: int) -> None:
        """Count a commit that is durable. A count that can't be written is too small: no harm."""
        line = f"{self._mark} {commits:020}".encode()
        with suppress(OSError):
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, b"%b %08x\n" % (line, crc32(line)))


class Paths:
    """Whether the file and its log are still those that were opened."""

    def __init__(self, path: str) -> None:
        self._looked_at = 0.0
        self._trouble: str | None = None
        places = {name: _place(name) for name in (path, f"{path}-wal")}
        self._first = {name: place for name, place in places.items() if place}

    def trouble(self) -> str | None:
        """Return what is wrong, looked at once a second at most. May be called from any thread."""
        now = time.monotonic()
        if now - self._looked_at >= _INTERVAL:
            self._looked_at = now
            before, self._trouble = self._trouble, self._look()
            if self._trouble and self._trouble != before:
                log.error("%s", self._trouble)
        return self._trouble

    def _look(self) -> str | None:
        for name, first in self._first.items():
            place = _place(name)
            if place != first:
                what = "replaced" if place else "deleted or moved"
                return (
                    f"{name} was {what} while it was in use: what is written from now on is lost "
                    "when the server ends. Put it back, or start the server again"
                )
        return None


def _place(name: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(name)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
