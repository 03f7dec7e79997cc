"""The store's file: its tables, and how it is opened: locked, checked and migrated, or refused."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from doorstep.values.private_files import private

from ..errors import StoreError
from .packing import UNCHECKED

APPLICATION_ID = 0x446F6F72
"""SQLite's own mark of what a file is for: "Door"."""

_TABLES = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE documents (
    kind TEXT NOT NULL, arn TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, arn)
) WITHOUT ROWID;
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, status TEXT NOT NULL, started REAL NOT NULL, identity TEXT NOT NULL,
    revision TEXT NOT NULL, stopped REAL, version TEXT, alias TEXT, trace TEXT, map_run TEXT,
    redrives INTEGER NOT NULL, redriven REAL
);
CREATE INDEX executions_of_machine ON executions (machine);
CREATE INDEX executions_of_status ON executions (machine, status);
CREATE INDEX executions_of_map_run ON executions (map_run) WHERE map_run IS NOT NULL;
CREATE INDEX executions_that_run ON executions (id) WHERE status = 'RUNNING';
CREATE TABLE journal (
    execution INTEGER NOT NULL, number INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, checksum INTEGER NOT NULL, entries BLOB NOT NULL,
    PRIMARY KEY (execution, number)
) WITHOUT ROWID;
CREATE TABLE promises (execution INTEGER NOT NULL, fact BLOB NOT NULL);
CREATE INDEX promises_of_execution ON promises (execution);
CREATE TABLE tokens (token TEXT PRIMARY KEY, execution INTEGER NOT NULL) WITHOUT ROWID;
"""

_TIMELINES = """
ALTER TABLE executions ADD COLUMN clock TEXT NOT NULL DEFAULT 'real';
ALTER TABLE executions ADD COLUMN root TEXT;
"""

_TEST_CASES = "ALTER TABLE executions ADD COLUMN test_case TEXT;"

_CHECKS = """
ALTER TABLE documents ADD COLUMN checksum INTEGER;
ALTER TABLE promises ADD COLUMN checksum INTEGER;
CREATE INDEX executions_of_version ON executions (version) WHERE version IS NOT NULL;
CREATE INDEX executions_of_alias ON executions (alias) WHERE alias IS NOT NULL;
"""

_ROWS = f"""
ALTER TABLE executions ADD COLUMN checksum INTEGER NOT NULL DEFAULT {UNCHECKED};
UPDATE documents SET checksum = {UNCHECKED} WHERE checksum IS NULL;
UPDATE promises SET checksum = {UNCHECKED} WHERE checksum IS NULL;
CREATE TABLE progress (mark TEXT NOT NULL, commits INTEGER NOT NULL);
INSERT INTO progress VALUES (lower(hex(randomblob(8))), 0);
"""

_CHILDREN = """
CREATE TABLE families (
    id INTEGER PRIMARY KEY, map_run TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE children (
    id INTEGER PRIMARY KEY, family INTEGER NOT NULL, name BLOB NOT NULL UNIQUE, seed BLOB NOT NULL,
    status TEXT NOT NULL, started REAL NOT NULL, stopped REAL NOT NULL, redrives INTEGER NOT NULL,
    redriven REAL, body BLOB NOT NULL, checksum INTEGER NOT NULL
);
CREATE INDEX children_of_family ON children (family);
"""

MIGRATIONS = (_TABLES, _TIMELINES, _TEST_CASES, _CHECKS, _ROWS, _CHILDREN)
"""What leads from each version to the next one; version 0 is an empty file."""


def _is_new(connection: sqlite3.Connection) -> bool:
    """Return whether nothing was ever written to the file."""
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return tables == 0


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, step by step; raise ValueError when it is of a later one.

    A step and the version that it leads to become durable together.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    latest = len(MIGRATIONS)
    if not 0 <= version <= latest:
        raise ValueError(f"it was written by a later Doorstep (version {version}, not {latest})")
    for step in range(version, latest):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[step]} PRAGMA user_version = {step + 1}; COMMIT;"
        )


log = logging.getLogger("doorstep")
MEMORY = ":memory:"
"""The path of a store that ends with its server."""
_CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Up to this size (bytes) the whole file is checked when it is opened; half a second at most."""
_WRITE_ADVICE = "See that its folder is there and has room, or give another --db."
_TEMPORARY = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
    *(sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT),
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
}
"""Primary codes (https://www.sqlite.org/rescode.html) of what is no fault of the values: the disk
and the file, a damaged one included. Nothing may be acknowledged on it before somebody has looked.
"""
_RESTORE_ADVICE = "Restore it from a copy, or move it away to begin with an empty one."


def connect(path: str, *, fsync: bool) -> sqlite3.Connection:
    """Open the file at a path, or `:memory:`; raise StoreError."""
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
    if not _is_new(connection):
        _check(connection, path)
    migrate(connection)
    # The tables are in the file itself, whatever becomes of the log.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    # Damaged bytes are read, so that the row to which they belong can be named.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")


def _check(connection: sqlite3.Connection, path: str) -> None:
    mark, pages, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "page_count", "page_size")
    )
    if mark != APPLICATION_ID:
        raise ValueError("it is not a file of Doorstep's")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    length = Path(path).stat().st_size
    if length < pages * size:
        raise ValueError(f"it has {length} bytes of {pages * size}: its end is missing")
    if length <= _CHECKED_AT_ONCE:
        result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise ValueError(result)
        result = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if result != "ok":
            log.warning("%s: %s; its indexes are built again", path, result)
            connection.execute("REINDEX")


def refused(path: str, problem: Exception) -> StoreError:
    """Return the error that says what to do about a problem with the file at a path."""
    if "locked" in str(problem):
        return StoreError(f"another program uses {path}; give this server a --db of its own")
    # SQLite's word for what comes from outside: no room, no permission, no such folder.
    outside = isinstance(problem, (sqlite3.OperationalError, OSError))
    advice = _WRITE_ADVICE if outside else _RESTORE_ADVICE
    return StoreError(f"{path} can't be used: {problem}. {advice}")


def is_temporary(problem: Exception) -> bool:
    """Return whether to try a write again: the file refuses it, whatever the values are."""
    code = getattr(problem, "sqlite_errorcode", None)
    if code is None:
        return isinstance(problem, sqlite3.OperationalError)
    return code & 0xFF in _TEMPORARY
