"""The store in one SQLite file: WAL, one writer, one transaction for many facts.

A journal's entries lie in chunks of up to 100, each with a checksum, so that a page of a long
history is read without the rest, and a damaged one is noticed.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any
from zlib import crc32

from doorstep.events import Event, Fact
from doorstep.journal import Entry
from doorstep.jsontext import dumps

from . import schema
from .errors import StoreError
from .store import Kind, Query, Row

_CHUNK = 100
_CHECKED_AT_ONCE = 64 * 1024 * 1024
"""Up to this size (bytes) the whole file is checked when it is opened; half a second at most."""

_COLUMNS = [field.name for field in fields(Row)]
_values_of = attrgetter(*_COLUMNS)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM executions"
_INSERT = (
    f"INSERT INTO executions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"
)


class SqliteStore:
    """A file, or `:memory:`."""

    def __init__(self, path: str, *, fsync: bool = False) -> None:
        """`fsync`: a commit survives a power cut as well, not only the end of the process.

        Raises StoreError when another server has the file, or when it is damaged.
        """
        self.path = path
        self.commits = 0
        self._synchronous = "FULL" if fsync else "NORMAL"
        self._collected: deque[tuple[str, Sequence[Any]]] = deque()
        self._chunks: dict[int, tuple[int, int]] = {}
        """Of each execution: its next chunk's number, its next event's id."""
        try:
            self._connection = self._open()
        except (sqlite3.Error, ValueError) as problem:
            raise self._refused(problem) from None
        row = self._connection.execute("SELECT max(id) FROM executions").fetchone()
        self._last_id: int = row[0] or 0

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=0
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # An exclusive lock from the first access on: a second server is refused, and no shared
        # memory file is needed. It goes with the process, however that ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        if not schema.is_new(connection):
            self._check(connection)
        schema.migrate(connection)

    def _check(self, connection: sqlite3.Connection) -> None:
        mark, pages, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "page_count", "page_size")
        )
        if mark != schema.APPLICATION_ID:
            raise ValueError("it is not a file of Doorstep's")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        length = Path(self.path).stat().st_size
        if length < pages * size:
            raise ValueError(f"it has {length} bytes of {pages * size}: its end is missing")
        if length <= _CHECKED_AT_ONCE:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise ValueError(said)

    def _refused(self, problem: Exception) -> StoreError:
        if "locked" in str(problem):
            return StoreError(f"another server uses {self.path}; give this one a --db of its own")
        return StoreError(
            f"{self.path} can't be used: {problem}. Restore it from a copy, or move it away to "
            "begin with an empty one."
        )

    # Writing -------------------------------------------------------------------------------------

    def _write(self, sql: str, *values: Any) -> None:
        self._collected.append((sql, values))

    def commit(self) -> None:
        """One transaction; raises OSError and keeps everything when the disk refuses it."""
        if not self._collected:
            return
        connection = self._connection
        collected = list(self._collected)
        try:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in collected:
                connection.execute(sql, values)
            connection.execute("COMMIT")
        except sqlite3.Error as problem:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise OSError(f"{self.path}: {problem}") from None
        self.commits += 1
        for _ in collected:
            self._collected.popleft()

    def close(self) -> None:
        """Commit and let go."""
        try:
            self.commit()
        finally:
            self._connection.close()

    def put(self, kind: Kind, arn: str, document: dict[str, Any]) -> None:
        self._write("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", kind, arn, _blob(document))

    def drop(self, kind: Kind, arn: str) -> None:
        self._write("DELETE FROM documents WHERE kind = ? AND arn = ?", kind, arn)

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def begin(self, row: Row) -> None:
        self._chunks[row.id] = 0, 1
        self._write(_INSERT, *_values_of(row))

    def update(self, row: Row) -> None:
        self._write(
            "UPDATE executions SET status = ?, stopped = ?, redrives = ?, redriven = ? "
            "WHERE id = ?",
            *(row.status, row.stopped, row.redrives, row.redriven, row.id),
        )
        if row.status != "RUNNING":
            self._chunks.pop(row.id, None)

    def remove(self, row: Row) -> None:
        self._write("DELETE FROM executions WHERE id = ?", row.id)

    def append(self, execution: int, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), _CHUNK):
            self._append(execution, entries[start : start + _CHUNK])

    def _append(self, execution: int, entries: Sequence[Entry]) -> None:
        number, first = self._chunks.get(execution) or self._chunk_after(execution)
        last = first - 1 + sum(isinstance(entry, Event) for entry in entries)
        blob = _blob([["fact" if isinstance(one, Fact) else "event", *one] for one in entries])
        self._chunks[execution] = number + 1, last + 1
        self._write(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)",
            *(execution, number, first, last, crc32(blob), blob),
        )

    def _chunk_after(self, execution: int) -> tuple[int, int]:
        sql = "SELECT number, last FROM journal WHERE execution = ? ORDER BY number DESC LIMIT 1"
        found = self._read_all(sql, execution)
        return (found[0][0] + 1, found[0][1] + 1) if found else (0, 1)

    def promise(self, execution: int, fact: Fact) -> None:
        self._write("INSERT INTO promises VALUES (?, ?)", execution, _blob(list(fact)))

    def own_token(self, token: str, execution: int) -> None:
        self._write("INSERT OR IGNORE INTO tokens VALUES (?, ?)", token, execution)

    # Reading -------------------------------------------------------------------------------------

    def _read_all(self, sql: str, *values: Any) -> list[Any]:
        self.commit()
        return self._read(sql, *values)

    def _read(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as problem:
            raise self._refused(problem) from None

    def get(self, kind: Kind, arn: str) -> dict[str, Any] | None:
        sql = "SELECT body FROM documents WHERE kind = ? AND arn = ?"
        found = self._read_all(sql, kind, arn)
        return _value(found[0][0]) if found else None

    def documents(self, kind: Kind) -> Iterator[dict[str, Any]]:
        for (body,) in self._read_all("SELECT body FROM documents WHERE kind = ?", kind):
            yield _value(body)

    def row(self, arn: str) -> Row | None:
        found = self._read(f"{_SELECT} WHERE arn = ?", arn)
        return Row(**dict(zip(_COLUMNS, found[0], strict=True))) if found else None

    def rows(self, query: Query) -> list[Row]:
        conditions = {
            "machine = ?": query.machine,
            "version = ?": query.version,
            "alias = ?": query.alias,
            "map_run = ?": query.map_run,
            "status = ?": query.status,
            "id < ?": query.before,
            "(redrives > 0) = ?": query.redriven,
        }
        given = {text: value for text, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        sql = f"{_SELECT}{where} ORDER BY id DESC LIMIT ?"
        found = self._read_all(sql, *given.values(), query.limit)
        return [Row(**dict(zip(_COLUMNS, row, strict=True))) for row in found]

    def journal(self, execution: int) -> list[Entry]:
        return [entry for chunk in self._chunks_of(execution) for entry in chunk]

    def events(self, execution: int, first: int, last: int) -> list[Event]:
        chunks = self._chunks_of(execution, " AND last >= ? AND first <= ?", first, last)
        return [
            entry
            for chunk in chunks
            for entry in chunk
            if isinstance(entry, Event) and first <= entry.id <= last
        ]

    def _chunks_of(self, execution: int, where: str = "", *values: Any) -> Iterator[list[Entry]]:
        sql = f"SELECT number, checksum, entries FROM journal WHERE execution = ?{where}"
        for number, checksum, blob in self._read_all(f"{sql} ORDER BY number", execution, *values):
            if crc32(blob) != checksum:
                where = f"chunk {number} of the journal of execution {execution}"
                raise self._refused(ValueError(f"{where} is damaged"))
            yield [_entry(*row) for row in _value(blob)]

    def last_event(self, execution: int) -> int:
        sql = "SELECT max(last) FROM journal WHERE execution = ?"
        return self._read_all(sql, execution)[0][0] or 0

    def promises(self, execution: int) -> list[Fact]:
        sql = "SELECT fact FROM promises WHERE execution = ?"
        return [Fact(*_value(blob)) for (blob,) in self._read_all(sql, execution)]

    def knows_token(self, token: str) -> bool:
        return bool(self._read_all("SELECT 1 FROM tokens WHERE token = ?", token))


def _blob(value: Any) -> bytes:
    # As bytes: a text may hold half of a surrogate pair, which SQLite's texts can't.
    return dumps(value).encode("utf-8", "surrogatepass")


def _value(blob: bytes) -> Any:
    # Not through `jsontext.loads`: what is within its depth lies some levels deeper here.
    return json.loads(blob.decode("utf-8", "surrogatepass"))


def _entry(kind: str, *members: Any) -> Entry:
    return Fact(*members) if kind == "fact" else Event(*members)
