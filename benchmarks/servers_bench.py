"""Throughput of several servers on one PostgreSQL beside one, and beside SQLite, in one run.

    python benchmarks/servers_bench.py [--seconds 20] [--clients 16] [--servers 1 3] [--no-fsync]

Each client starts an execution at any server and waits for its end, again and again: one Task that
a handler answers at once, eight events. What crosses servers is measured apart: StopExecution at a
server that does not run the execution. The database waits for the disk, unless told otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from cluster import Cluster
from served import ROLE, Call, Served, emulator, plain_client

HANDLERS = "def work(event, context):\n    return event\n"
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
WAIT = {"Type": "Wait", "Seconds": 1000}


def machine(call: Call, name: str, state: dict[str, Any]) -> str:
    definition = {"StartAt": "Only", "States": {"Only": {**state, "End": True}}}
    made = call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
    return str(made["stateMachineArn"])


def executions(urls: list[str], clients: int, seconds: float) -> tuple[float, list[float]]:
    """Return how many executions end in a second, and how long each took."""
    arn = machine(plain_client(urls), "task", TASK)
    end, took, numbers = time.monotonic() + seconds, list[float](), count()

    def work() -> None:
        call = plain_client(urls)
        while time.monotonic() < end:
            began = time.monotonic()
            started = call("StartExecution", stateMachineArn=arn, name=f"run-{next(numbers)}")
            execution = started["executionArn"]
            while call("DescribeExecution", executionArn=execution)["status"] == "RUNNING":
                time.sleep(0.002)
            took.append(time.monotonic() - began)

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / (time.monotonic() - began), took


def forwarded(urls: list[str], times: int = 100) -> float:
    """Return the median milliseconds of a StopExecution that another server carries out."""
    here, there = plain_client(urls[0]), plain_client(urls[1])
    arn, took = machine(here, "wait", WAIT), []
    for number in range(times):
        started = here("StartExecution", stateMachineArn=arn, name=f"stopped-{number}")
        began = time.monotonic()
        there("StopExecution", executionArn=started["executionArn"])
        took.append(time.monotonic() - began)
    return median(took) * 1000


def report(name: str, servers: list[Served], options: argparse.Namespace) -> None:
    urls = [server.url for server in servers]
    cpu = sum(server.cpu() for server in servers)
    rate, took = executions(urls, options.clients, options.seconds)
    cpu = sum(server.cpu() for server in servers) - cpu
    took.sort()
    line = (
        f"{name}: {rate:.0f} executions/s, p50 {median(took) * 1000:.0f} ms, "
        f"p99 {took[len(took) * 99 // 100] * 1000:.0f} ms, "
        f"{cpu / len(took) * 1000:.1f} ms of the servers' CPU each"
    )
    print(
        line + (f"; StopExecution across servers p50 {forwarded(urls):.0f} ms" if urls[1:] else "")
    )


def stored(cluster: Cluster) -> None:
    """Print what an execution takes in the database, its indexes included."""
    sql = (
        "SELECT sum(pg_total_relation_size(oid)), (SELECT count(*) FROM doorstep.executions) "
        "FROM pg_class WHERE relnamespace = 'doorstep'::regnamespace AND relkind = 'r'"
    )
    with psycopg.connect(cluster.url) as connection:
        ((size, executions),) = connection.execute(sql).fetchall()
    print(
        f"{executions} executions take {size / 2**20:.0f} MiB, {size / executions:.0f} bytes each"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--no-fsync", action="store_true", help="do not wait for the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        handlers = Path(folder) / "handlers.py"
        handlers.write_text(HANDLERS)
        own = ("--handlers", str(handlers))
        server = emulator(Path(folder) / "doorstep.db", *own)
        report("SQLite, 1 server", [server], options)
        server.stop()
        for servers in options.servers:
            cluster = Cluster(fsync=not options.no_fsync)
            stack.callback(cluster.close)
            several = [emulator(cluster.url, *own) for _ in range(servers)]
            report(f"PostgreSQL, {servers} server{'s' * (servers > 1)}", several, options)
            stored(cluster)
            for one in several:
                one.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
