"""The store in one SQLite file: WAL, one writer, one transaction for many facts.

FILE-commits has what the file can't say of itself: how many commits it had. SQLite reads the log of
its last commits (FILE-wal) up to the first frame that is not whole, and takes all that comes after
it for never written (https://www.sqlite.org/fileformat2.html, section 4.3). A log that is damaged,
cut off or gone costs commits without a word, unless somebody counts.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from typing import Any
from weakref import finalize
from zlib import crc32

from doorstep.values.private_files import private

from .database import MEMORY, connect, is_temporary, refused
from .peers import Peers
from .rows import Rows

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
        stat = os.stat(name)  # noqa: PTH116  a Path made for each commit costs more
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


class SqliteStore(Rows):
    """A file, or `:memory:`."""

    def __init__(self, path: str, *, fsync: bool = False) -> None:
        """`fsync`: a commit survives a power cut as well, not only the end of the process.

        Raises StoreError when another server has the file, or when it is damaged.
        """
        self._connection = connect(path, fsync=fsync)
        self._execute = self._connection.cursor().execute
        longest = self._connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        super().__init__(path, longest, is_temporary, refused)
        self.peers = Peers()
        self._sidecar: Sidecar | None = None
        self._paths: Paths | None = None
        # Whatever a damaged row holds, the one is ASCII and the other an integer.
        sql = "SELECT hex(mark), CAST(commits AS INTEGER) FROM progress"
        mark, self._committed = (self._read(sql) or [("", 0)])[0]
        if path != MEMORY:
            self._watch(mark)
        tables = ("executions", "children", "families")
        ids = [self._read(f"SELECT max(id) FROM {table}")[0][0] or 0 for table in tables]
        self._last_id: int = max(ids)
        self._check_open_rows()

    def _watch(self, mark: str) -> None:
        try:
            self._sidecar = Sidecar(self.path, mark, self._committed)
        except OSError as problem:
            self._connection.close()
            raise refused(self.path, problem) from None
        self.missing = self._sidecar.missing
        if self.missing:
            log.error("%s: its last commits are missing: %d", self.path, self.missing)
        self._paths = Paths(self.path)

    def file_trouble(self) -> str | None:
        return self._paths.trouble() if self._paths else None

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _transact(self) -> None:
        execute = self._execute
        try:
            execute("BEGIN IMMEDIATE")
            for _, sql, values in self._collected:
                execute(sql, values)
            execute("UPDATE progress SET commits = commits + 1")
            execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise

    def _wrote(self) -> None:
        super()._wrote()
        if self._sidecar:
            self._sidecar.record(self._committed + self.commits)
        self.file_trouble()

    def close(self) -> None:
        try:
            self.commit()
        finally:
            self._connection.close()
            if self._sidecar:
                self._sidecar.close()

    def _read(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self._execute(sql, values).fetchall()
        except UnicodeEncodeError:
            # What can't be stored is not there.
            return []
        except sqlite3.DatabaseError as problem:
            raise refused(self.path, problem) from None
