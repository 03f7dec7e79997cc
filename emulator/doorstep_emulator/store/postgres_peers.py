"""Servers that share a PostgreSQL database: leases, timelines, inboxes, offers of tasks.

A server's lease is a column of its row. Whoever sees that one has passed marks the row as `over`,
and from then on that server writes nothing more (see `postgres`); only then its timelines may be
taken. Notifications say that there is something to look for; what it is stands in tables, and those
are looked at now and then in any case.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import psycopg

from doorstep.errors import DoorstepError

from ..arns import Caller
from .packing import packed, unpacked
from .peers import InboxRequest, Members, Offer, Peers, Reply, as_document, of_document
from .postgres import Database
from .postgres_database import Connection
from .transactions import Owner, log

_RENEWALS, _LOOKS = 3, 15
"""How often within a lease it is renewed, and others' are looked at."""
_BATCH = 50
"""Timelines that are taken over at a time: other servers take some as well."""
_AGAIN = 0.3
"""Seconds until a connection that was lost is made again."""
_RENEW = (
    "UPDATE servers SET expires = now() + make_interval(secs => %s) "
    "WHERE id = %s AND NOT over RETURNING id"
)
_DECLARE_OVER = (
    "UPDATE servers SET over = true WHERE id IN (SELECT id FROM servers "
    "WHERE NOT over AND expires < now() "
    # Nobody could renew a lease while the database was down.
    "AND pg_postmaster_start_time() < now() - make_interval(secs => %s) "
    # Who waits for a server that is halted in a transaction would not renew its own lease.
    "FOR UPDATE SKIP LOCKED) AND NOT over AND expires < now() RETURNING id, name"
)
_CLEAN = (
    "DELETE FROM inbox WHERE asker IN (SELECT id FROM servers WHERE over)",
    """
    DELETE FROM servers WHERE over AND expires < now() - interval '1 hour'
    AND NOT EXISTS (SELECT 1 FROM timelines WHERE owner = servers.id)
    """,
)
"""What servers leave behind that are over: nobody waits for an answer there any more."""
_STANDING = (
    "SELECT s.id, s.name, extract(epoch FROM s.expires - now())::float8, count(t.root) "
    "FROM servers s LEFT JOIN timelines t ON t.owner = s.id WHERE NOT s.over GROUP BY s.id "
    "ORDER BY s.id"
)


class Lease:
    """A thread with its own connection: renews the lease, listens, and looks at others' leases."""

    def __init__(
        self, connect: Callable[[], Connection], server: Callable[[], int], seconds: float
    ) -> None:
        """`server`: returns this server's id, which changes when it has to begin again."""
        self._connect = connect
        self._server = server
        self._seconds = seconds
        self._closed = threading.Event()
        self._renewed = time.monotonic()
        self._standing: list[tuple[Any, ...]] = []
        self._thread: threading.Thread | None = None

    @property
    def left(self) -> float:
        """Seconds for which nobody takes over. May be read from any thread."""
        return self._seconds - (time.monotonic() - self._renewed)

    @property
    def standing(self) -> list[dict[str, Any]]:
        """The servers that live. May be read from any thread."""
        return [
            {"id": server, "name": name, "left": round(left, 1), "timelines": count}
            for server, name, left, count in self._standing
        ]

    def start(self, news: Callable[[], None]) -> None:
        """Begin; `news` is called when there may be something to do."""
        self._thread = threading.Thread(
            target=self._run, args=(news,), name="doorstep-lease", daemon=True
        )
        self._thread.start()

    def close(self, wake: Callable[[], None]) -> None:
        """End within a moment; `wake`: sends a notification."""
        self._closed.set()
        wake()
        if self._thread:
            self._thread.join(1.0)

    def _run(self, news: Callable[[], None]) -> None:
        while not self._closed.is_set():
            with suppress(psycopg.Error), self._connect() as connection:
                self._hold(connection, self._server(), news)
            self._closed.wait(_AGAIN)

    def _hold(self, connection: Connection, server: int, news: Callable[[], None]) -> None:
        connection.execute("LISTEN doorstep")
        connection.execute(f"LISTEN doorstep_{server:d}".encode())
        renew = look = 0.0
        patience = self._seconds / _LOOKS
        while not self._closed.is_set() and self._server() == server:
            now = time.monotonic()
            if now >= renew:
                if connection.execute(_RENEW, (self._seconds, server)).fetchall():
                    self._renewed = now
                renew = now + self._seconds / _RENEWALS
            if now >= look:
                self._look(connection)
                look = now + patience
            news()
            # Until the first notification, or for a while.
            deque(connection.notifies(timeout=patience, stop_after=1), maxlen=0)

    def _look(self, connection: Connection) -> None:
        grace = min(10.0, self._seconds / _RENEWALS)
        for server, name in connection.execute(_DECLARE_OVER, (grace,)).fetchall():
            log.warning("server %d (%s) is silent: others take over what it ran", server, name)
            connection.execute("SELECT pg_notify('doorstep', 'over')")
        for sql in _CLEAN:
            connection.execute(sql)
        self._standing = connection.execute(_STANDING).fetchall()


class PostgresStore(Database):
    """A database that several servers share."""

    def __init__(self, url: str, *, lease: float) -> None:
        """See `Database`."""
        super().__init__(url, lease=lease)
        self.peers: Peers = PostgresPeers(self)

    def knows_token(self, token: str) -> bool:
        if self.peers.has_task(token):
            raise DoorstepError("another server runs this task: send its end to a server's URL")
        return super().knows_token(token)


class PostgresPeers(Peers):
    """The other servers, and what is shared with them."""

    alone = False

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mine: set[str] = set()
        """The roots of the timelines that this server owns."""
        self._asked: dict[int, tuple[int, InboxRequest, Reply]] = {}
        """Of each request without an answer: whom it was asked, and who waits."""
        self._taken: set[int] = set()
        """Others' requests that are being answered."""
        self._offered: dict[int, set[str]] = {}
        """Of each execution: the keys of the tasks that are offered."""
        self._lease = Lease(database.connect, lambda: database.server, database.lease)

    def start(self, news: Callable[[], None]) -> None:
        self._lease.start(news)

    def close(self) -> None:
        self._lease.close(self._database.wake)

    def standing(self) -> dict[str, Any]:
        seconds, left = self._database.lease, max(0.0, round(self._lease.left, 1))
        return {
            "server": self._database.server,
            "lease": {"seconds": seconds, "left": left},
            "servers": self._lease.standing,
        }

    def lapsed(self) -> bool:
        if self._lease.left <= 0:
            self._database.look_at_own_row()
        return self._database.fenced

    def rejoin(self) -> None:
        self._mine.clear()
        self._asked.clear()
        self._taken.clear()
        self._offered.clear()
        self._database.rejoin()

    # Timelines -----------------------------------------------------------------------------------

    def own(self, root: str, execution: int) -> None:
        if root in self._mine:
            return
        self._mine.add(root)
        sql = "INSERT INTO timelines (root, owner) VALUES (?, ?)"
        # Refused together with the execution: another server may be about to start it.
        self._write(execution, sql, ("root", root), ("owner", self._database.server))

    def release(self, root: str) -> None:
        if root in self._mine:
            self._mine.discard(root)
            sql = "DELETE FROM timelines WHERE root = ? AND owner = ?"
            self._write(root, sql, ("root", root), ("owner", self._database.server))

    def disown(self, root: str) -> None:
        self._mine.discard(root)

    def owner(self, root: str) -> int | None:
        if root in self._mine:
            return None
        rows = self._database.read("SELECT owner FROM timelines WHERE root = ?", root)
        return rows[0][0] if rows and rows[0][0] != self._database.server else None

    def is_over(self, server: int) -> bool:
        rows = self._database.read("SELECT over FROM servers WHERE id = ?", server)
        return not rows or bool(rows[0][0])

    def take(self, root: str) -> bool:
        if root in self._mine:
            return True
        self._database.commit()
        self._database.read(
            "INSERT INTO timelines (root, owner) VALUES (?, ?) ON CONFLICT (root) "
            "DO UPDATE SET owner = excluded.owner "
            "WHERE timelines.owner IN (SELECT id FROM servers WHERE over) RETURNING owner",
            *(root, self._database.server),
        )
        rows = self._database.read("SELECT owner FROM timelines WHERE root = ?", root)
        if not rows or rows[0][0] != self._database.server:
            return False
        self._mine.add(root)
        return True

    def take_over(self) -> Sequence[str] | None:
        read, server = self._database.read, self._database.server
        self._database.commit()
        over = [one for (one,) in read("SELECT id FROM servers WHERE over")]
        # By value: of a row that another server takes meanwhile only its own columns are looked at
        # again (https://www.postgresql.org/docs/current/transaction-iso.html), not what is joined.
        read(
            "UPDATE timelines SET owner = ? WHERE owner = ANY(?) AND root IN (SELECT root "
            "FROM timelines WHERE owner = ANY(?) LIMIT ? FOR UPDATE SKIP LOCKED) RETURNING root",
            *(server, over, over, _BATCH),
        )
        # Those as well that were taken when the connection was lost before it was said.
        rows = read("SELECT root FROM timelines WHERE owner = ?", server)
        roots = [root for (root,) in rows if root not in self._mine]
        self._mine.update(roots)
        return roots

    # The catalogue -------------------------------------------------------------------------------

    def lock_catalogue(self) -> None:
        self._database.lock_catalogue()

    def catalogue_changed(self) -> bool:
        return self._database.catalogue_changed()

    # Requests between servers --------------------------------------------------------------------

    def ask(self, server: int, about: InboxRequest, reply: Reply) -> None:
        self._asked[about.id] = server, about, reply
        request = packed({"caller": asdict(about.caller), "members": about.members})
        self._write(
            about.id,
            "INSERT INTO inbox (id, server, asker, operation, request) VALUES (?, ?, ?, ?, ?)",
            *(("id", about.id), ("server", server), ("asker", self._database.server)),
            *(("operation", about.operation), ("request", request)),
        )
        notify = "SELECT pg_notify('doorstep_' || ?::text, '')"
        self._write(about.id, notify, ("server", server))

    def withdraw(self, request: int) -> None:
        if self._asked.pop(request, None):
            self._write(request, "DELETE FROM inbox WHERE id = ?", ("id", request))

    def settle(self) -> Sequence[tuple[InboxRequest, Reply]]:
        if not self._asked:
            return ()
        rows = self._database.read(
            "SELECT i.id, i.answer, s.over FROM inbox i JOIN servers s ON s.id = i.server "
            "WHERE i.asker = ? AND (i.answer IS NOT NULL OR s.over) ORDER BY i.id",
            self._database.server,
        )
        again: list[tuple[InboxRequest, Reply]] = []
        for number, answer, _ in rows:
            if (asked := self._asked.get(number)) is None:
                continue
            self.withdraw(number)
            _, about, reply = asked
            if answer is None:
                again.append((about, reply))
            else:
                reply(of_document(unpacked(answer)))
        return again

    def requests(self) -> Sequence[InboxRequest]:
        sql = "SELECT id, operation, request FROM inbox WHERE server = ? AND answer IS NULL"
        rows = self._database.read(f"{sql} ORDER BY id", self._database.server)
        new = [row for row in rows if row[0] not in self._taken]
        self._taken = {row[0] for row in rows}
        return [_request(*row) for row in new]

    def answer(self, request: InboxRequest, outcome: Any) -> None:
        blob = packed(as_document(outcome))
        sql = "UPDATE inbox SET answer = ? WHERE id = ?"
        self._write(request.id, sql, ("answer", blob), ("id", request.id))
        self._write(
            request.id,
            "SELECT pg_notify('doorstep_' || asker, '') FROM inbox WHERE id = ?",
            ("id", request.id),
        )

    def others(self) -> Sequence[int]:
        sql = "SELECT id FROM servers WHERE NOT over AND id <> ? AND expires > now()"
        return [server for (server,) in self._database.read(sql, self._database.server)]

    def root_of_token(self, token: str) -> str | None:
        sql = (
            "SELECT coalesce(e.root, e.arn) FROM tokens t JOIN executions e ON e.id = t.execution "
            "WHERE t.token = ?"
        )
        rows = self._database.read(sql, token)
        return rows[0][0] if rows else None

    def has_task(self, token: str) -> bool:
        root = self.root_of_token(token)
        return root is not None and self.owner(root) is not None

    # Tasks of activities -------------------------------------------------------------------------

    def offer(self, execution: int, arn: str, key: str, activity: str) -> None:
        self._offered.setdefault(execution, set()).add(key)
        self._write(
            execution,
            "INSERT INTO offers (execution, key, number, activity, arn, owner) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (execution, key) "
            "DO UPDATE SET owner = excluded.owner, asked = NULL",
            *(("execution", execution), ("key", key), ("number", self._database.next_id())),
            *(("activity", activity), ("arn", arn), ("owner", self._database.server)),
        )
        self._write(execution, "SELECT pg_notify('doorstep', 'offer')")

    def withdraw_offers(self, execution: int, key: str | None = None) -> None:
        keys = self._offered.get(execution, set())
        for one in [one for one in keys if key in (None, one)]:
            keys.discard(one)
            sql = "DELETE FROM offers WHERE execution = ? AND key = ?"
            self._write(execution, sql, ("execution", execution), ("key", one))
        if not keys:
            self._offered.pop(execution, None)

    def seek(self, activity: str) -> Offer | None:
        rows = self._database.read(
            "UPDATE offers SET asked = now() WHERE (execution, key) = ("
            "SELECT execution, key FROM offers WHERE activity = ? AND owner <> ? "
            "AND (asked IS NULL OR asked < now() - make_interval(secs => ?)) "
            "ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING owner, arn, key",
            *(activity, self._database.server, self._database.lease),
        )
        return Offer(*rows[0]) if rows else None

    def _write(self, of: Owner, sql: str, *values: tuple[str, Any]) -> None:
        self._database.write(of, sql, dict(values))


def _request(number: int, operation: str, request: bytes) -> InboxRequest:
    document: Members = unpacked(request)
    return InboxRequest(number, operation, Caller(**document["caller"]), document["members"])
