"""The store's file opened: locked, checked and brought up to date, or refused with advice."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from math import isnan
from pathlib import Path

from doorstep.values.private_files import private

from ..errors import StoreError
from . import schema

log = logging.getLogger("doorstep")
MEMORY = ":memory:"
"""The path of a store that is forgotten."""
_CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Up to this size (bytes) the whole file is checked when it is opened; half a second at most."""
_LET_IT_BE_WRITTEN = "See that its folder is there and has room, or give another --db."
_MAY_PASS = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
    *(sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT),
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
}
"""Primary codes (https://www.sqlite.org/rescode.html) of what is no fault of the values: the disk
and the file, a damaged one included. Nothing may be acknowledged on it before somebody has looked.
"""
_RESTORE_IT = "Restore it from a copy, or move it away to begin with an empty one."


def opened(path: str, *, fsync: bool) -> sqlite3.Connection:
    """The file at a path, or `:memory:`; raises StoreError."""
    try:
        _create(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        try:
            _prepare(connection, path, "FULL" if fsync else "NORMAL")
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError, ValueError) as problem:
        raise refused(path, problem) from None
    return connection


def _create(path: str) -> None:
    """Create an empty file that only its owner may read; SQLite gives its log the same mode."""
    # One that exists is not opened here: to close it would take the lock of a server in this
    # process from it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    if path != MEMORY:
        with suppress(OSError):
            os.close(private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))


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
    # The tables are in the file itself, whatever becomes of the log.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # Damaged bytes are read, so that the row to which they belong can be named.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")


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
        said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if said != "ok":
            log.warning("%s: %s; its indexes are built again", path, said)
            connection.execute("REINDEX")


def refused(path: str, problem: Exception) -> StoreError:
    """What to do about a problem with the file at a path."""
    if "locked" in str(problem):
        return StoreError(f"another program uses {path}; give this server a --db of its own")
    # SQLite's word for what comes from outside: no room, no permission, no such folder.
    outside = isinstance(problem, (sqlite3.OperationalError, OSError))
    advice = _LET_IT_BE_WRITTEN if outside else _RESTORE_IT
    return StoreError(f"{path} can't be used: {problem}. {advice}")


def may_pass(problem: Exception) -> bool:
    """Return whether to try a write again: the file refuses it, whatever the values are."""
    code = getattr(problem, "sqlite_errorcode", None)
    if code is None:
        return isinstance(problem, sqlite3.OperationalError)
    return code & 0xFF in _MAY_PASS


def unbindable(value: object, longest: int) -> str | None:
    """Return why SQLite can't store a value; None when it can. `longest`: its limit, in bytes."""
    if value is None:
        return None
    if isinstance(value, str):
        return _unbindable_text(value, longest)
    if isinstance(value, bytes):
        return _too_long(len(value), longest)
    if isinstance(value, int):
        return None if -(1 << 63) <= value < 1 << 63 else "an integer of more than 64 bits"
    if isinstance(value, float):
        return "a float that is no number" if isnan(value) else None
    return f"a value of type {type(value).__name__}"


def _unbindable_text(text: str, longest: int) -> str | None:
    if "\0" in text:
        return "a text with a NUL character"
    try:
        return _too_long(len(text.encode()), longest)
    except UnicodeEncodeError:
        return "a text with half of a surrogate pair"


def _too_long(length: int, longest: int) -> str | None:
    return f"{length} bytes, of {longest} at most" if length > longest else None
