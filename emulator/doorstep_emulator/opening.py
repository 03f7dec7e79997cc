"""The store's file opened: locked, checked and brought up to date, or refused with advice."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from . import schema
from .errors import StoreError

_CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Up to this size (bytes) the whole file is checked when it is opened; half a second at most."""
_LET_IT_BE_WRITTEN = "See that its folder is there and has room, or give another --db."
_RESTORE_IT = "Restore it from a copy, or move it away to begin with an empty one."


def opened(path: str, *, fsync: bool) -> sqlite3.Connection:
    """The file at a path, or `:memory:`; raises StoreError."""
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            _prepare(connection, path, "FULL" if fsync else "NORMAL")
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, ValueError) as problem:
        raise refused(path, problem) from None
    return connection


def _prepare(connection: sqlite3.Connection, path: str, synchronous: str) -> None:
    # An exclusive lock from the first access on: a second server is refused, and no shared
    # memory file is needed. It goes with the process, however that ends.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("COMMIT")
    if not schema.is_new(connection):
        _check(connection, path)
    schema.migrate(connection)


def _check(connection: sqlite3.Connection, path: str) -> None:
    mark, pages, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "page_count", "page_size")
    )
    if mark != schema.APPLICATION_ID:
        raise ValueError("it is not a file of Doorstep's")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    length = Path(path).stat().st_size
    if length < pages * size:
        raise ValueError(f"it has {length} bytes of {pages * size}: its end is missing")
    if length <= _CHECKED_AT_ONCE:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if said != "ok":
            raise ValueError(said)


def refused(path: str, problem: Exception) -> StoreError:
    """What to do about a problem with the file at a path."""
    if "locked" in str(problem):
        return StoreError(f"another program uses {path}; give this server a --db of its own")
    # SQLite's word for what comes from outside: no room, no permission, no such folder.
    outside = isinstance(problem, sqlite3.OperationalError)
    advice = _LET_IT_BE_WRITTEN if outside else _RESTORE_IT
    return StoreError(f"{path} can't be used: {problem}. {advice}")
