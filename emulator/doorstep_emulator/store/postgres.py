"""The store in PostgreSQL, which several servers may share.

Each transaction begins with this server's row: it has to have the number of the last one (`rev`),
and not to be `over`. So nothing is written by a server whose executions others have taken over, and
after a connection that was lost in a COMMIT the number says whether that was carried out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import cache
from typing import Any

import psycopg

from .postgres_database import Address, Connection, is_temporary, migrate, refused
from .rows import Rows
from .store import Kind
from .transactions import Owner, log

_LONGEST = 500_000_000
"""Bytes: a row has one GiB at most (https://www.postgresql.org/docs/current/limits.html)."""
_FENCE = (
    "WITH own AS (UPDATE servers SET rev = rev + 1 WHERE id = %s AND rev = %s AND NOT over "
    "RETURNING 1) SELECT 1 / count(*) FROM own"
)
"""Fails with a division by zero, and with it the whole transaction, unless the row is there."""
_HALTED = 10.0
"""Seconds that a transaction may wait for its next statement."""
_CATALOGUE = ("machine", "activity")
_EPOCH = 1_577_836_800_000
"""2020-01-01 in milliseconds."""


class Database(Rows):
    """The rows of one server's; `PostgresStore` adds the other servers."""

    def __init__(self, url: str, *, lease: float) -> None:
        """`lease`: seconds for which nobody takes over what a server has that is silent.

        Raises StoreError when the database can't be used.
        """
        self._address = Address(url)
        super().__init__(self._address.text, _LONGEST, is_temporary, refused)
        self.lease = lease
        self.fenced = False
        self.server = self._rev = 0
        self._unsure = False
        """Whether a COMMIT may have been carried out that was not answered."""
        self._locked = False
        """Whether a transaction is open that has the catalogue."""
        self._catalogue = -1
        """The change of the catalogue that was read last."""
        self._changes_catalogue = False
        self._last_id = 0
        self._alone = threading.RLock()
        """A handler that sends to a task may look for its token in a thread of its own."""
        try:
            self._connection = self._address.connect()
            with ExitStack() as unless_ready:
                unless_ready.callback(self._connection.close)
                migrate(self._connection)
                self._join()
                self._check_open_rows()
                unless_ready.pop_all()
        except (psycopg.Error, ValueError) as problem:
            raise refused(self.path, problem) from None

    def file_trouble(self) -> str | None:
        return None

    def next_id(self) -> int:
        """Return an id by time: lists of all servers are in the order of the starts."""
        now = int(time.time() * 1000) - _EPOCH
        self._last_id = max(self._last_id + 1, now << 22 | self.server % 1024 << 12)
        return self._last_id

    # Servers -------------------------------------------------------------------------------------

    def _join(self) -> None:
        """Become a server that has nothing yet."""
        sql = (
            "INSERT INTO servers (name, expires) "
            "VALUES (%s, now() + make_interval(secs => %s)) RETURNING id"
        )
        name = f"{socket.gethostname()}:{os.getpid()}"
        (row,) = self._connection.execute(sql, (name, self.lease)).fetchall()
        self.server, self._rev, self._unsure, self.fenced = row[0], 0, False, False
        self._locked = self._changes_catalogue = False
        self._set_up(self._connection)

    def rejoin(self) -> None:
        """Become another server: others have what this one had."""
        self._collected.clear()
        self._begun.clear()
        self._chunks.clear()
        self._families.clear()
        while True:
            try:
                self._connected()
                self._join()
            except psycopg.Error as problem:
                self._wait(refused(self.path, problem))
            else:
                self.trouble = None
                return

    def look_at_own_row(self) -> None:
        """Notice that others have declared this server over."""
        rows = self._read("SELECT over FROM servers WHERE id = ?", self.server)
        self.fenced = self.fenced or not rows or bool(rows[0][0])

    def _set_up(self, connection: Connection) -> None:
        # The one says who has written a chunk of a journal: see its default. With the other the
        # database takes its locks from a server that is halted in the midst of a transaction.
        connection.execute(
            "SELECT set_config('doorstep.server', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false)",
            (str(self.server), str(round(min(_HALTED, self.lease / 3) * 1000))),
        )

    def connect(self) -> Connection:
        """Return another connection; raise psycopg.Error. May be called from any thread."""
        return self._address.connect()

    def wake(self) -> None:
        """Notify this server, if the database can be reached."""
        with suppress(psycopg.Error):
            self._connection.execute(f"NOTIFY doorstep_{self.server:d}".encode())

    def read(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a statement, as soon as the database answers it."""
        return self._read(sql, *values)

    def write(self, owner: Owner, sql: str, values: Mapping[str, Any]) -> None:
        """Collect a statement."""
        self._write(owner, sql, values)

    # The catalogue: state machines and activities, which every server has in memory --------------

    def lock_catalogue(self) -> None:
        """Let no other server change it until the next commit."""
        self.commit()
        while not self._locked:
            try:
                self._connected().execute("BEGIN")
                self._connection.execute("SELECT rev FROM catalogue FOR UPDATE")
                self._locked = True
            except psycopg.Error as problem:
                self._roll_back()
                self._wait(refused(self.path, problem))
        self.trouble = None

    def catalogue_changed(self) -> bool:
        """Return whether another server has changed it since this was asked last."""
        ((rev,),) = self._read("SELECT rev FROM catalogue")
        seen, self._catalogue = self._catalogue, rev
        return bool(seen != rev)

    def put(self, kind: Kind, arn: str, document: dict[str, Any]) -> None:
        self._changes_catalogue |= kind in _CATALOGUE
        super().put(kind, arn, document)

    def drop(self, kind: Kind, arn: str) -> None:
        self._changes_catalogue |= kind in _CATALOGUE
        super().drop(kind, arn)

    # Transactions --------------------------------------------------------------------------------

    def _connected(self) -> Connection:
        """Return the connection, made anew when it was lost."""
        if self._connection.closed or self._connection.broken:
            self._locked = False
            self._connection.close()
            self._connection = self._address.connect()
            self._set_up(self._connection)
        return self._connection

    def commit(self) -> None:
        if self.fenced:
            self._collected.clear()
            self._begun.clear()
        super().commit()
        if self._locked:
            # Nothing was changed under the lock.
            self._roll_back()

    def _transact(self) -> None:
        with self._alone:
            self._transact_alone()

    def _transact_alone(self) -> None:
        connection = self._connected()
        if self._unsure and self._was_carried_out():
            return
        try:
            with connection.pipeline():
                if not self._locked:
                    connection.execute("BEGIN")
                connection.execute(_FENCE, (self.server, self._rev))
                for _, sql, values in self._collected:
                    connection.execute(_in_its_words(sql), values)
                if self._changes_catalogue:
                    connection.execute("UPDATE catalogue SET rev = rev + 1")
                    connection.execute("SELECT pg_notify('doorstep', 'catalogue')")
                connection.execute("COMMIT")
        except psycopg.errors.DivisionByZero:
            self._start_over()
            if not self._was_carried_out():
                raise psycopg.OperationalError("this server's row is not as it was") from None
        except psycopg.Error as problem:
            self._unsure = is_temporary(problem)
            self._start_over()
            raise
        else:
            self._carried_out()

    def _carried_out(self) -> None:
        self._rev += 1
        self._catalogue += self._changes_catalogue
        self._unsure = self._locked = self._changes_catalogue = False

    def _was_carried_out(self) -> bool:
        """Return whether the last COMMIT was; true as well when nothing is to be written again."""
        sql = "SELECT rev, over FROM servers WHERE id = %s"
        rows = self._connection.execute(sql, (self.server,)).fetchall()
        self._unsure = False
        if rows and rows[0][0] == self._rev + 1:
            self._carried_out()
            return True
        if not rows or rows[0][1]:
            self.fenced = True
        return self.fenced

    def _start_over(self) -> None:
        # Not with ROLLBACK: what is left of a pipeline that failed takes statements for prepared
        # that were skipped.
        self._connection.close()
        with suppress(psycopg.Error):
            self._connected()

    def _refuse(self, owner: Owner, problem: Exception) -> None:
        if isinstance(problem, psycopg.errors.UniqueViolation) and isinstance(owner, int):
            # Another server has begun an execution of the same name: see `Recorder.set_aside`.
            log.info("execution %d is another server's: %s", owner, problem)
            self._refused[owner] = str(problem)
            self._chunks.pop(owner, None)
        else:
            super()._refuse(owner, problem)

    def _roll_back(self) -> None:
        self._locked = False
        with suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def _read(self, sql: str, *values: Any) -> list[Any]:
        while True:
            try:
                with self._alone:
                    connection = self._connected()
                    rows = connection.execute(_in_its_words(sql), values, binary=True).fetchall()
            except (UnicodeEncodeError, psycopg.DataError):
                # What can't be stored is not there.
                return []
            except psycopg.Error as problem:
                if self._locked:
                    self._roll_back()
                if not is_temporary(problem):
                    raise refused(self.path, problem) from None
                self._wait(refused(self.path, problem))
            else:
                self.trouble = None
                return rows

    def close(self) -> None:
        try:
            self.commit()
            with suppress(psycopg.Error):
                # Others need not wait for the end of the lease.
                self._connection.execute(
                    "UPDATE servers SET over = true WHERE id = %s", (self.server,)
                )
                self._connection.execute("SELECT pg_notify('doorstep', 'over')")
        finally:
            self._connection.close()


@cache
def _in_its_words(sql: str) -> str:
    return sql.replace("?", "%s")
