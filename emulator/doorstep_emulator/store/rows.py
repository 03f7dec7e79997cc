"""Documents, executions and journals as rows: in SQL that SQLite and PostgreSQL both understand.

A journal's entries lie in chunks of up to 100, so that a page of a long history is read without the
rest. They, the rows and the documents have checksums, which cover the place of a
value as well: what is damaged, or was moved elsewhere by a damaged key, is noticed.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar, get_args

from doorstep.engine.journal import JournalEntry
from doorstep.engine.messages import Event, Fact

from ..errors import StoreError
from . import condensed
from .packing import checksum, is_whole, packed, row_checksum, row_is_whole, unpacked
from .store import Kind, ListQuery, Row
from .transactions import Owner, Transactions

T = TypeVar("T")
log = logging.getLogger("doorstep")
_CHUNK = 100

_COLUMNS = [field.name for field in fields(Row)]
_REAL = [_COLUMNS.index(name) for name in ("started", "stopped", "redriven")]
_values_of = attrgetter(*_COLUMNS)
_WRITTEN = [*_COLUMNS, "checksum"]
_SELECT = f"SELECT {', '.join(_WRITTEN)} FROM executions"
_INSERT = (
    f"INSERT INTO executions ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' for _ in _WRITTEN)})"
)
_CHANGING = ("status", "stopped", "redrives", "redriven")
_UPDATE = (
    f"UPDATE executions SET {', '.join(f'{one} = ?' for one in _CHANGING)}, checksum = ? "
    "WHERE id = ?"
)
_PUT = (
    "INSERT INTO documents (kind, arn, body, checksum) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (kind, arn) DO UPDATE SET body = excluded.body, checksum = excluded.checksum"
)
_APPEND = (
    "INSERT INTO journal (execution, number, first, last, checksum, entries) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_OWN = ", ".join(condensed.OWN)
_CONDENSE = (
    f"INSERT INTO children ({_OWN}, family, body, checksum) "
    f"VALUES ({', '.join('?' for _ in range(len(condensed.OWN) + 3))}) "
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, stopped = excluded.stopped, "
    "redrives = excluded.redrives, redriven = excluded.redriven, body = excluded.body, "
    "checksum = excluded.checksum"
)
_CHILDREN = f"SELECT {_OWN}, family, body, checksum FROM children"
_OF_MAP_RUN = "family = (SELECT id FROM families WHERE map_run = ?)"
_CHUNK_COLUMNS = "number, first, last, entries, checksum"
_ENDS = (
    f"SELECT {_CHUNK_COLUMNS} FROM journal WHERE execution = ? AND first <= last AND "
    "(first = 1 OR last = (SELECT max(last) FROM journal WHERE execution = ?)) ORDER BY number"
)
"""The chunks that have the first and the last event."""
_OVER = "'SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'"


class Rows(Transactions):
    """What is stored, in either database."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.damaged: dict[str, str] = {}
        self._chunks: dict[int, tuple[int, int]] = {}
        """Of each execution: its next chunk's number, its next event's id."""
        self._families: dict[str, int] = {}
        """Where what the children of a map run have in common is stored, by its ARN."""
        self._common: dict[int, dict[str, Any]] = {}
        """What that is, of those that were read."""
        self._begun: dict[int, tuple[int, Row]] = {}
        """Of those whose rows are not written yet: where among what was collected, and the row."""

    def _check_open_rows(self) -> None:
        """Notice the damaged rows of executions that run, or may, and documents of no kind."""
        rows = self._read(f"{_SELECT} WHERE status NOT IN ({_OVER})")
        deque(_whole(self._row, rows), maxlen=0)
        kinds = get_args(Kind)
        known = ", ".join("?" for _ in kinds)
        sql = f"SELECT kind, arn FROM documents WHERE kind NOT IN ({known})"
        for kind, arn in self._read(sql, *kinds):
            self._damage(f"a document, {kind!r:.100} {arn!r:.300},")

    @abstractmethod
    def next_id(self) -> int:
        """Return an id that no other execution has."""

    # Writing -------------------------------------------------------------------------------------

    def put(self, kind: Kind, arn: str, document: dict[str, Any]) -> None:
        blob = packed(document)
        values = {"kind": kind, "arn": arn, "body": blob, "checksum": checksum(blob, kind, arn)}
        self._write(_document(kind, arn), _PUT, values)

    def drop(self, kind: Kind, arn: str) -> None:
        sql = "DELETE FROM documents WHERE kind = ? AND arn = ?"
        self._write(_document(kind, arn), sql, {"kind": kind, "arn": arn})

    def begin(self, row: Row) -> None:
        self._begun[row.id] = len(self._collected), row
        self._write(row.id, _INSERT, dict(zip(_COLUMNS, _columns_of(row), strict=True)))
        self._chunks[row.id] = 0, 1

    def update(self, row: Row) -> None:
        if row.id not in self._begun:
            values = {name: getattr(row, name) for name in _CHANGING}
            values |= {"checksum": row_checksum(_columns_of(row)), "id": row.id}
            self._write(row.id, _UPDATE, values)
        if row.status != "RUNNING":
            self._chunks.pop(row.id, None)

    def remove(self, row: Row) -> None:
        self._write(row.id, "DELETE FROM executions WHERE id = ?", {"id": row.id})
        for table in ("journal", "promises"):
            self._write(row.id, f"DELETE FROM {table} WHERE execution = ?", {"id": row.id})

    def condense(self, row: Row, entries: Sequence[JournalEntry]) -> None:
        family, blob = self._family(row), condensed.compressed(packed(entries))
        values = dict(zip(condensed.OWN, condensed.own(row), strict=True))
        values |= {"family": family, "body": blob}
        values["checksum"] = row_checksum([*values.values()])
        self._write(row.id, _CONDENSE, values)
        if row.redrives:
            # It may be of before there were such rows.
            self.remove(row)

    def _family(self, row: Row) -> int:
        """Store what the children of a row's map run have in common, once; return its id."""
        run = row.map_run or ""
        if run not in self._families:
            stored = self._read_all("SELECT id FROM families WHERE map_run = ?", run)
            self._families[run] = number = stored[0][0] if stored else self.next_id()
            if not stored:
                blob = packed(condensed.common(row))
                values = {"id": number, "map_run": run, "body": blob}
                values["checksum"] = checksum(blob, number)
                sql = "INSERT INTO families (id, map_run, body, checksum) VALUES (?, ?, ?, ?)"
                self._write(f"the children of {run}", sql, values)
        return self._families[run]

    def append(self, execution: int, entries: Sequence[JournalEntry]) -> None:
        for start in range(0, len(entries), _CHUNK):
            self._append(execution, entries[start : start + _CHUNK])

    def _append(self, execution: int, entries: Sequence[JournalEntry]) -> None:
        number, first = self._chunks.get(execution) or self._chunk_after(execution)
        last = first - 1 + sum(isinstance(entry, Event) for entry in entries)
        blob = packed([["fact" if isinstance(one, Fact) else "event", *one] for one in entries])
        place = {"execution": execution, "number": number, "first": first, "last": last}
        values = {**place, "checksum": checksum(blob, *place.values()), "entries": blob}
        self._write(execution, _APPEND, values)
        self._chunks[execution] = number + 1, last + 1

    def _chunk_after(self, execution: int) -> tuple[int, int]:
        sql = "SELECT number, last FROM journal WHERE execution = ? ORDER BY number DESC LIMIT 1"
        last = self._read_all(sql, execution)
        return (last[0][0] + 1, last[0][1] + 1) if last else (0, 1)

    def schedule(self, execution: int, fact: Fact) -> None:
        blob = packed(list(fact))
        values = {"execution": execution, "fact": blob, "checksum": checksum(blob, execution)}
        self._write(
            execution, "INSERT INTO promises (execution, fact, checksum) VALUES (?, ?, ?)", values
        )

    def own_token(self, token: str, execution: int) -> None:
        values = {"token": token, "execution": execution}
        self._write(execution, "INSERT INTO tokens VALUES (?, ?) ON CONFLICT DO NOTHING", values)

    def commit(self) -> None:
        # Most executions end in the transaction in which they begin: they are written once.
        for place, row in self._begun.values():
            values = _columns_of(row)
            self._collected[place] = row.id, _INSERT, [*values, row_checksum(values)]
        self._begun.clear()
        super().commit()

    def _refuse(self, owner: Owner, problem: Exception) -> None:
        super()._refuse(owner, problem)
        self._families.clear()
        if isinstance(owner, int):
            # Its journal continues after what was written.
            self._chunks.pop(owner, None)

    # Reading -------------------------------------------------------------------------------------

    def _read_all(self, sql: str, *values: Any) -> list[Any]:
        self.commit()
        return self._read(sql, *values)

    def get(self, kind: Kind, arn: str) -> dict[str, Any] | None:
        sql = "SELECT kind, arn, body, checksum FROM documents WHERE kind = ? AND arn = ?"
        documents = self._read_all(sql, kind, arn)
        return self._read_document(*documents[0]) if documents else None

    def documents(self, kind: Kind) -> Iterator[dict[str, Any]]:
        sql = "SELECT kind, arn, body, checksum FROM documents WHERE kind = ?"
        return _whole(self._read_document, self._read_all(sql, kind))

    def _read_document(self, kind: Kind, arn: str, *stored: Any) -> dict[str, Any]:
        document: dict[str, Any] = self._value(_document(kind, arn), *stored, kind, arn)
        return document

    def row(self, arn: str) -> Row | None:
        rows = self._read(f"{_SELECT} WHERE arn = ?", arn)
        if rows:
            return self._row(*rows[0])
        name = condensed.name_in(arn)
        found = self._read(f"{_CHILDREN} WHERE name = ?", name) if name else []
        rows = [row for row in _whole(self._child, found) if row.arn == arn]
        return rows[0] if rows else None

    def _child(self, *values: Any) -> Row:
        """Return the row of a child that is condensed."""
        *own, family, _, recorded = values
        if recorded != row_checksum([*values[:-1]]):
            raise self._damage(f"the child execution {own[0]}")
        if family not in self._common:
            rows = self._read("SELECT body, checksum, id FROM families WHERE id = ?", family)
            what = f"what the children of family {family} have in common"
            self._common[family] = self._value(what, *(rows[0] if rows else (None, None)))
        return condensed.row_of(self._common[family], own)

    def _condensed(self, execution: int) -> list[JournalEntry]:
        """Return facts and last event of a child that is condensed; nothing for another one."""
        rows = self._read_all(f"{_CHILDREN} WHERE id = ?", execution)
        if not rows:
            return []
        self._child(*rows[0])
        return condensed.entries_of(unpacked(condensed.decompressed(rows[0][-2])))

    def rows(self, query: ListQuery) -> list[Row]:
        own = {
            "status = ?": query.status,
            "id < ?": query.before,
            "(redrives > 0) = ?": query.redriven,
        }
        shared = {
            "machine = ?": query.machine,
            "version = ?": query.version,
            "alias = ?": query.alias,
            "map_run = ?": query.map_run,
        }
        rows = [*_whole(self._row, self._selected(_SELECT, own | shared, query.limit))]
        if query.map_run is None:
            return rows
        children = self._selected(_CHILDREN, own | {_OF_MAP_RUN: query.map_run}, query.limit)
        rows += _whole(self._child, children)
        return sorted(rows, key=lambda row: row.id, reverse=True)[: query.limit]

    def _selected(self, select: str, conditions: dict[str, Any], limit: int) -> list[Any]:
        applied = {text: value for text, value in conditions.items() if value is not None}
        where = f" WHERE {' AND '.join(applied)}" if applied else ""
        return self._read_all(f"{select}{where} ORDER BY id DESC LIMIT ?", *applied.values(), limit)

    def count_children(self, map_run: str) -> int:
        (whole,) = self._read_all("SELECT count(*) FROM executions WHERE map_run = ?", map_run)
        (ended,) = self._read(f"SELECT count(*) FROM children WHERE {_OF_MAP_RUN}", map_run)
        return int(whole[0] + ended[0])

    def running(self, roots: Sequence[str] | None = None) -> list[Row]:
        of_roots = "" if roots is None else " AND root = ANY(?)"
        sql = f"{_SELECT} WHERE status = 'RUNNING'{of_roots} ORDER BY id DESC"
        values = () if roots is None else (list(roots),)
        return list(_whole(self._row, self._read_all(sql, *values)))

    def journal(self, execution: int) -> list[JournalEntry]:
        entries = [entry for chunk in self._chunks_of(execution) for entry in chunk]
        return entries or self._condensed(execution)

    def events(self, execution: int, first: int, last: int) -> list[Event]:
        chunks = self._chunks_of(execution, " AND last >= ? AND first <= ?", first, last)
        return [
            entry
            for chunk in chunks
            for entry in chunk
            if isinstance(entry, Event) and first <= entry.id <= last
        ]

    def _chunks_of(
        self, execution: int, where: str = "", *values: Any
    ) -> Iterator[list[JournalEntry]]:
        sql = f"SELECT {_CHUNK_COLUMNS} FROM journal WHERE execution = ?{where} ORDER BY number"
        expected = None if where else 0
        for number, *stored in self._read_all(sql, execution, *values):
            if number != (number if expected is None else expected):
                raise self._damage(f"chunk {expected} of the journal of execution {execution}")
            expected = number + 1
            yield self._chunk(execution, number, *stored)

    def _chunk(
        self, execution: int, number: int, first: int, last: int, *stored: Any
    ) -> list[JournalEntry]:
        what = f"chunk {number} of the journal of execution {execution}"
        place = (execution, number, first, last)
        return [_entry(*row) for row in self._value(what, *stored, *place)]

    def ends(self, execution: int) -> tuple[Event, Event]:
        found = self._read_all(_ENDS, execution, execution)
        entries = [entry for chunk in found for entry in self._chunk(execution, *chunk)]
        events = [entry for entry in entries if isinstance(entry, Event)]
        if not events or events[0].id != 1:
            raise self._damage(f"chunk 0 of the journal of execution {execution}")
        return events[0], events[-1]

    def last_event(self, execution: int) -> int:
        sql = "SELECT max(last) FROM journal WHERE execution = ?"
        return self._read_all(sql, execution)[0][0] or 0

    def scheduled(self, execution: int) -> list[Fact]:
        sql = "SELECT fact, checksum FROM promises WHERE execution = ?"
        what = f"a scheduled answer to execution {execution}"
        rows = self._read_all(sql, execution)
        return [Fact(*self._value(what, *stored, execution)) for stored in rows]

    def knows_token(self, token: str) -> bool:
        return bool(self._read_all("SELECT 1 FROM tokens WHERE token = ?", token))

    def _value(self, what: str, blob: Any, recorded: int | None, *place: int | str) -> Any:
        with suppress(ValueError):
            if is_whole(blob, recorded, *place):
                return unpacked(blob)
        raise self._damage(what)

    def _row(self, *values: Any) -> Row:
        *columns, recorded = values
        members = dict(zip(_COLUMNS, columns, strict=True))
        if not row_is_whole(columns, recorded):
            raise self._damage(f"the row of execution {members['id']}, {members['arn']!r:.300},")
        return Row(**members)

    def _damage(self, what: str) -> StoreError:
        problem = self._refusal(ValueError(f"{what} is damaged"))
        if what not in self.damaged:
            log.error("%s", problem)
        self.damaged[what] = str(problem)
        return problem


def _whole(read: Callable[..., T], rows: Iterable[Any]) -> Iterator[T]:
    """Yield what can be read; `_damage` has recorded the rest."""
    for values in rows:
        with suppress(StoreError):
            yield read(*values)


def _columns_of(row: Row) -> list[Any]:
    values = list(_values_of(row))
    for place in _REAL:
        # A REAL column returns a float for an integer that was written.
        if type(values[place]) is int:
            values[place] = float(values[place])
    return values


def _document(kind: Kind, arn: str) -> str:
    return f"the {kind} {arn}"


def _entry(kind: str, *members: Any) -> JournalEntry:
    return Fact(*members) if kind == "fact" else Event(*members)
