"""Several servers on one PostgreSQL, and kill -9 of them and of it at random moments.

    python benchmarks/servers_kill.py [--kills 50] [--executions 300] [--clients 16] [--servers 3]
                                      [--lease 30] [--seed 7]

Some servers are only halted until others have taken over what they had. The executions, the clients
and all that has to hold are those of `emulator_kill.py`; the clients ask any server. And then:

- no journal has entries of a server after those of the one that took its execution over;
- what a killed server had is taken over within its lease and five seconds;
- nothing is left in the tables of what is owned, asked or offered.

Exits with 1 and prints what is wrong. The tests include a smaller run with a short lease.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from cluster import Cluster, Unavailable
from emulator_kill import Killed, eventually, run
from kill_workload import HANDLERS
from served import Served, emulator, plain_client
from verdict import verdict

OF_DATABASE, OF_HALTS = 4, 5
"""Of so many kills one is of the database, and one halts a server until its lease has passed."""


class Servers(Killed):
    """Servers of one database; each kill is of one of them, or of the database."""

    def __init__(self, folder: Path, cluster: Cluster, servers: int, lease: float) -> None:
        self._folder = folder
        self._cluster = cluster
        self._lease = lease
        (folder / "handlers.py").write_text(HANDLERS)
        self._servers = [self._start(0) for _ in range(servers)]
        self.url = [server.url for server in self._servers]
        self.kills = self.database_kills = 0
        self.recoveries: list[float] = []
        self.take_overs: list[float] = []
        """Seconds from each kill of a server until it owned nothing any more."""
        self._watches: list[threading.Thread] = []
        self._halted: set[int] = set()
        self.halts = 0

    def _start(self, port: int) -> Served:
        handlers, events = str(self._folder / "handlers.py"), str(self._folder / "events")
        options = ("--handlers", handlers, "--events", events, "--lease", str(self._lease))
        return emulator(self._cluster.url, *options, port=port)

    def kill_and_restart(self, down: float = 0.0) -> None:
        """Kill a server, or the database, and start it again after so many seconds."""
        self.kills += 1
        began = time.monotonic()
        if self.kills % OF_DATABASE == 0:
            self.database_kills += 1
            self._cluster.kill()
            time.sleep(down)
            self._cluster.start()
        elif self.kills % OF_HALTS == 0 and not self._halted:
            self._in_background(self._halt, random.randrange(len(self._servers)))
        else:
            living = [n for n in range(len(self._servers)) if n not in self._halted]
            number = random.choice(living)
            killed = self._servers[number]
            owner = _id_of(killed.url)
            killed.stop(signal.SIGKILL)
            self._in_background(self._watch, owner, self.database_kills)
            time.sleep(down)
            self._servers[number] = self._start(killed.port)
        eventually(lambda: plain_client(self.url)("ListActivities"))
        self.recoveries.append(time.monotonic() - began - down)

    def _in_background(self, act: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=act, args=arguments)
        self._watches.append(thread)
        thread.start()

    def _halt(self, number: int) -> None:
        """Halt a server; it goes on when others have taken over what it had."""
        self.halts += 1
        self._halted.add(number)
        process = self._servers[number].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(self._lease * 1.3)
        process.send_signal(signal.SIGCONT)
        self._halted.discard(number)

    def _watch(self, owner: int | None, database_kills: int) -> None:
        """Measure how long a server that was killed owns something."""
        began = time.monotonic()
        sql = "SELECT count(*) FROM doorstep.timelines WHERE owner = %s"
        while owner is not None and self.database_kills == database_kills:
            with suppress(psycopg.Error):
                if self.select(sql, owner) == [(0,)]:
                    self.take_overs.append(time.monotonic() - began)
                    return
            time.sleep(0.1)

    def select(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database."""
        with psycopg.connect(self._cluster.url) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def stop(self) -> None:
        for server in self._servers:
            server.stop(signal.SIGKILL)

    def join(self) -> None:
        """Wait for what is still measured, or halted."""
        for watch in self._watches:
            watch.join()


def _id_of(url: str) -> int | None:
    """Return the id of a server; None when it is in trouble."""
    with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        return int(json.load(answer)["store"]["server"])
    return None


def wrong_writers(servers: Servers) -> Iterator[str]:
    """Yield the executions of which a server wrote after another one had."""
    rows = servers.select(
        "SELECT execution, count(DISTINCT writer), count(*) FILTER (WHERE changed) FROM ("
        "SELECT execution, writer, writer IS DISTINCT FROM lag(writer) OVER "
        "(PARTITION BY execution ORDER BY number) AS changed FROM doorstep.journal) AS chunks "
        "GROUP BY execution HAVING count(DISTINCT writer) <> count(*) FILTER (WHERE changed)"
    )
    for execution, writers, changes in rows:
        yield f"execution {execution}: {writers} servers wrote it, and took turns {changes} times"


def left_over(servers: Servers) -> Iterator[str]:
    """Yield what nobody has taken away."""
    for table in ("timelines", "inbox", "offers"):
        sql = f"SELECT count(*) FROM doorstep.{table}"
        end = time.monotonic() + 10
        while time.monotonic() < end and servers.select(sql) != [(0,)]:
            time.sleep(0.2)
        if (count := servers.select(sql)[0][0]) != 0:
            yield f"{count} rows are left in {table}"
    sql = "SELECT arn FROM doorstep.executions WHERE status = 'RUNNING'"
    yield from (f"{arn} runs, and no server has it" for (arn,) in servers.select(sql))
    several = servers.select(
        "SELECT count(*) FROM (SELECT execution FROM doorstep.journal GROUP BY execution "
        "HAVING count(DISTINCT writer) > 1) AS taken_over"
    )
    print(f"{several[0][0]} executions were written by more than one server, one after another")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--executions", type=int, default=300)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=7, help="of the moments of the kills")
    options = parser.parse_args()
    random.seed(options.seed)
    try:
        cluster = Cluster()
    except Unavailable as why:
        print(f"skipped: {why}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            servers = Servers(Path(folder), cluster, options.servers, options.lease)
            try:
                broken = run(servers, options.kills, options.executions, options.clients)
                servers.join()
                broken += [*wrong_writers(servers), *left_over(servers)]
            finally:
                servers.stop()
        finally:
            cluster.close()
    slowest = max(servers.take_overs, default=0.0)
    print(
        f"{servers.database_kills} kills of the database, {servers.halts} servers halted; "
        f"{len(servers.take_overs)} take-overs measured, the slowest after {slowest:.1f} s"
    )
    if slowest > options.lease + 5:
        broken.append(f"a take-over took {slowest:.1f} s, with a lease of {options.lease:.0f} s")
    return verdict(broken, "nothing lost, nothing doubled")


if __name__ == "__main__":
    sys.exit(main())
