"""The store in one SQLite file: WAL, one writer, one transaction for many facts.

A journal's entries lie in chunks of up to 100, so that a page of a long history is read without the
rest. They and the documents have checksums: what is damaged is noticed.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from typing import Any
from zlib import crc32

from doorstep.events import Event, Fact
from doorstep.journal import Entry
from doorstep.jsontext import dumps

from .errors import StoreError
from .opening import may_pass, opened, refused, unbindable
from .store import Kind, Query, Row

log = logging.getLogger("doorstep")
_CHUNK = 100
_AGAIN = 0.2
"""Seconds between two attempts to write to a disk that refuses it."""

Owner = int | str
"""Whose a write is: the id of an execution, or the name of a document."""
Write = tuple[Owner, str, Sequence[Any]]

_COLUMNS = [field.name for field in fields(Row)]
_values_of = attrgetter(*_COLUMNS)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM executions"
_INSERT = (
    f"INSERT INTO executions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"
)
_CHANGING = ("status", "stopped", "redrives", "redriven")
_UPDATE = f"UPDATE executions SET {', '.join(f'{one} = ?' for one in _CHANGING)} WHERE id = ?"


class SqliteStore:
    """A file, or `:memory:`."""

    def __init__(self, path: str, *, fsync: bool = False) -> None:
        """`fsync`: a commit survives a power cut as well, not only the end of the process.

        Raises StoreError when another server has the file, or when it is damaged.
        """
        self.path = path
        self.commits = 0
        self.trouble: str | None = None
        self.refused_documents: list[str] = []
        self._refused: dict[int, str] = {}
        self._collected: list[Write] = []
        self._chunks: dict[int, tuple[int, int]] = {}
        """Of each execution: its next chunk's number, its next event's id."""
        self._connection = opened(path, fsync=fsync)
        self._longest = self._connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        self._last_id: int = self._read("SELECT max(id) FROM executions")[0][0] or 0

    # Writing -------------------------------------------------------------------------------------

    def _write(self, owner: Owner, sql: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if obstacle := unbindable(value, self._longest):
                raise StoreError(f"the {name} of {_name(owner)} can't be stored: {obstacle}")
        self._collected.append((owner, sql, tuple(values.values())))

    def commit(self) -> None:
        """One transaction; when it is refused for what it holds, one for each owner."""
        if self._transacted() is None:
            return
        groups: dict[Owner, list[Write]] = {}
        for write in self._collected:
            groups.setdefault(write[0], []).append(write)
        for owner, self._collected in groups.items():
            if problem := self._transacted():
                self._refuse(owner, problem)
        self._collected = []

    def _transacted(self) -> Exception | None:
        """Write what was collected as soon as the disk takes it; why it never will, otherwise."""
        while self._collected:
            try:
                self._transact()
            except Exception as problem:  # noqa: BLE001  whatever it is, the others are written
                if not may_pass(problem):
                    self.trouble = None
                    return problem
                self._wait(refused(self.path, problem))
            else:
                self.trouble = None
                self.commits += 1
                self._collected.clear()
        return None

    def _refuse(self, owner: Owner, problem: Exception) -> None:
        log.error("what was to be stored of %s is dropped: %s", _name(owner), problem)
        if isinstance(owner, str):
            self.refused_documents.append(_name(owner))
        else:
            self._refused[owner] = str(problem)
            # Its journal continues after what was written.
            self._chunks.pop(owner, None)

    def take_refused(self) -> dict[int, str]:
        refused, self._refused = self._refused, {}
        return refused

    def _transact(self) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for _, sql, values in self._collected:
                connection.execute(sql, values)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _wait(self, problem: StoreError) -> None:
        if self.trouble is None:
            log.error("nothing goes on until this can be written: %s", problem)
        self.trouble = str(problem)
        time.sleep(_AGAIN)

    def close(self) -> None:
        """Commit and let go."""
        try:
            self.commit()
        finally:
            self._connection.close()

    def put(self, kind: Kind, arn: str, document: dict[str, Any]) -> None:
        blob = _blob(document)
        values = {"kind": kind, "arn": arn, "body": blob, "checksum": crc32(blob)}
        sql = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)"
        self._write(_document(kind, arn), sql, values)

    def drop(self, kind: Kind, arn: str) -> None:
        sql = "DELETE FROM documents WHERE kind = ? AND arn = ?"
        self._write(_document(kind, arn), sql, {"kind": kind, "arn": arn})

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def begin(self, row: Row) -> None:
        self._write(row.id, _INSERT, dict(zip(_COLUMNS, _values_of(row), strict=True)))
        self._chunks[row.id] = 0, 1

    def update(self, row: Row) -> None:
        values = {name: getattr(row, name) for name in (*_CHANGING, "id")}
        self._write(row.id, _UPDATE, values)
        if row.status != "RUNNING":
            self._chunks.pop(row.id, None)

    def remove(self, row: Row) -> None:
        self._write(row.id, "DELETE FROM executions WHERE id = ?", {"id": row.id})
        for table in ("journal", "promises"):
            self._write(row.id, f"DELETE FROM {table} WHERE execution = ?", {"id": row.id})

    def append(self, execution: int, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), _CHUNK):
            self._append(execution, entries[start : start + _CHUNK])

    def _append(self, execution: int, entries: Sequence[Entry]) -> None:
        number, first = self._chunks.get(execution) or self._chunk_after(execution)
        last = first - 1 + sum(isinstance(entry, Event) for entry in entries)
        blob = _blob([["fact" if isinstance(one, Fact) else "event", *one] for one in entries])
        values: dict[str, Any] = {
            "execution": execution,
            "number": number,
            "first": first,
            "last": last,
        }
        values |= {"checksum": crc32(blob), "entries": blob}
        self._write(execution, "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", values)
        self._chunks[execution] = number + 1, last + 1

    def _chunk_after(self, execution: int) -> tuple[int, int]:
        sql = "SELECT number, last FROM journal WHERE execution = ? ORDER BY number DESC LIMIT 1"
        found = self._read_all(sql, execution)
        return (found[0][0] + 1, found[0][1] + 1) if found else (0, 1)

    def promise(self, execution: int, fact: Fact) -> None:
        blob = _blob(list(fact))
        values: dict[str, Any] = {"execution": execution, "fact": blob, "checksum": crc32(blob)}
        self._write(execution, "INSERT INTO promises VALUES (?, ?, ?)", values)

    def own_token(self, token: str, execution: int) -> None:
        values = {"token": token, "execution": execution}
        self._write(execution, "INSERT OR IGNORE INTO tokens VALUES (?, ?)", values)

    # Reading -------------------------------------------------------------------------------------

    def _read_all(self, sql: str, *values: Any) -> list[Any]:
        self.commit()
        return self._read(sql, *values)

    def _read(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except UnicodeEncodeError:
            # What can't be stored is not there.
            return []
        except sqlite3.DatabaseError as problem:
            raise refused(self.path, problem) from None

    def get(self, kind: Kind, arn: str) -> dict[str, Any] | None:
        sql = "SELECT body, checksum FROM documents WHERE kind = ? AND arn = ?"
        found = self._read_all(sql, kind, arn)
        return self._value(_document(kind, arn), *found[0]) if found else None

    def documents(self, kind: Kind) -> Iterator[dict[str, Any]]:
        sql = "SELECT arn, body, checksum FROM documents WHERE kind = ?"
        for arn, *found in self._read_all(sql, kind):
            yield self._value(_document(kind, arn), *found)

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
        sql = f"SELECT number, entries, checksum FROM journal WHERE execution = ?{where}"
        for number, *found in self._read_all(f"{sql} ORDER BY number", execution, *values):
            what = f"chunk {number} of the journal of execution {execution}"
            yield [_entry(*row) for row in self._value(what, *found)]

    def last_event(self, execution: int) -> int:
        sql = "SELECT max(last) FROM journal WHERE execution = ?"
        return self._read_all(sql, execution)[0][0] or 0

    def promises(self, execution: int) -> list[Fact]:
        sql = "SELECT fact, checksum FROM promises WHERE execution = ?"
        what = f"a promise to execution {execution}"
        return [Fact(*self._value(what, *found)) for found in self._read_all(sql, execution)]

    def knows_token(self, token: str) -> bool:
        return bool(self._read_all("SELECT 1 FROM tokens WHERE token = ?", token))

    def _value(self, what: str, blob: bytes, checksum: int | None) -> Any:
        # Files of before version 4 have documents without a checksum.
        if checksum not in (None, crc32(blob)):
            raise refused(self.path, ValueError(f"{what} is damaged"))
        # Not through `jsontext.loads`: what is within its depth lies some levels deeper here.
        return json.loads(blob.decode("utf-8", "surrogatepass"))


def _blob(value: Any) -> bytes:
    # As bytes: a text may hold half of a surrogate pair, which SQLite's texts can't.
    return dumps(value).encode("utf-8", "surrogatepass")


def _document(kind: Kind, arn: str) -> str:
    return f"the {kind} {arn}"


def _name(owner: Owner) -> str:
    # For messages: an ARN may be what can't be stored, and of any length.
    name = owner if isinstance(owner, str) else f"execution {owner}"
    return name[:300].encode("ascii", "backslashreplace").decode()


def _entry(kind: str, *members: Any) -> Entry:
    return Fact(*members) if kind == "fact" else Event(*members)
