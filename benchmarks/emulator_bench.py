"""Measure the emulator: first answer, latency, throughput, memory, long histories, full stores.

    python benchmarks/emulator_bench.py [--boto3] [--rounds 500] [--finished 100000]

Other work on the machine slows client and server alike, so each figure is compared with that of a
stub that only answers, measured in turn with it. With --boto3 the clients are boto3's, which have
an upper limit of their own; otherwise they are plain http.client.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from served import ROLE, Call, Served, emulator, plain_client

from doorstep_emulator.store.sqlite import SqliteStore

ONE_PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
ENDLESS = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    },
}
CLIENTS, TURNS = 16, 5
Connect = Callable[[str], Call]


def boto3_client(url: str) -> Call:
    import boto3

    client = boto3.session.Session().client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    names = {name.replace("_", ""): name for name in dir(client)}
    return lambda operation, **request: getattr(client, names[operation.lower()])(**request)


@contextmanager
def running(server: Served) -> Iterator[Served]:
    try:
        yield server
    finally:
        server.stop()


def create(call: Call, name: str, definition: dict[str, Any]) -> str:
    given = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE}
    arn: str = call("CreateStateMachine", **given)["stateMachineArn"]
    return arn


def once(call: Call, machine: str) -> float:
    """Return the seconds from a start to the response that it succeeded."""
    began = time.perf_counter()
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        pass
    return time.perf_counter() - began


def together(calls: list[Call], machine: str, count: int) -> list[float]:
    """Return how long each of `count` executions took, shared among clients."""
    times: list[float] = []

    def work(call: Call) -> None:
        times.extend(once(call, machine) for _ in range(count // len(calls)))

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def throughput(connect: Connect, servers: dict[str, Served], clients: int, rounds: int) -> None:
    """Measure both servers in turn, under the same load; return the best turn of each."""
    rates: dict[str, list[float]] = {name: [] for name in servers}
    times: dict[str, list[float]] = {name: [] for name in servers}
    used = dict.fromkeys(servers, 0.0)
    calls = {name: [connect(one.url) for _ in range(clients)] for name, one in servers.items()}
    machine = create(calls["emulator"][0], "pass", ONE_PASS)
    for _ in range(TURNS):
        for name, server in servers.items():
            cpu, began = server.cpu(), time.perf_counter()
            took = together(calls[name], machine, rounds // TURNS)
            rates[name].append(len(took) / (time.perf_counter() - began))
            times[name] += took
            used[name] += server.cpu() - cpu
    best = {name: max(found) for name, found in rates.items()}
    print(f"{clients} at a time: {best['emulator'] / best['stub']:.0%} of the stub's rate")
    for name, found in times.items():
        found.sort()
        p50, p95 = (found[round((len(found) - 1) * share)] * 1000 for share in (0.5, 0.95))
        print(
            f"  {name}: {best[name]:.0f}/s, p50 {p50:.2f} ms, p95 {p95:.2f} ms, "
            f"{used[name] / len(found) * 1000:.2f} ms of processor time each"
        )


def long_history(call: Call, server: Served) -> None:
    machine = create(call, "endless", ENDLESS)
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        pass
    cpu, began = server.cpu(), time.perf_counter()
    count, more = 0, {}
    while True:
        page = call("GetExecutionHistory", executionArn=arn, maxResults=1000, **more)
        count += len(page["events"])
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    took = time.perf_counter() - began
    print(f"history of {count} events: {took:.2f} s, {server.cpu() - cpu:.2f} s of processor time")


def fill(db: Path, machine: str, count: int) -> list[str]:
    """Copy the only execution; return the ARNs of the copies."""
    store = SqliteStore(str(db))
    like = store.row(f"{machine.replace(':stateMachine:', ':execution:')}:first")
    assert like is not None
    entries, arns = store.journal(like.id), []
    for number in range(count):
        name = f"finished-{number}"
        arn = f"{like.arn.rpartition(':')[0]}:{name}"
        row = replace(like, id=store.next_id(), arn=arn, name=name)
        arns.append(arn)
        store.begin(row)
        store.append(row.id, entries)
        if number % 1000 == 0:
            store.commit()
    store.close()
    return arns


class Filled:
    """A server whose store has many finished executions."""

    def __init__(self, connect: Connect, db: Path, size: int) -> None:
        with running(emulator(db)) as server:
            call = connect(server.url)
            self.machine = create(call, "pass", ONE_PASS)
            call("StartExecution", stateMachineArn=self.machine, name="first")
        self.arns = fill(db, self.machine, size)
        self._random = Random(1)
        self.server = emulator(db)
        self.call = connect(self.server.url)
        self._page = self.call("ListExecutions", stateMachineArn=self.machine)["nextToken"]
        print(f"{size} executions: started with {self.server.cpu():.2f} s of processor time")

    def requests(self, number: int) -> dict[str, dict[str, Any]]:
        """Return the operations whose cost might grow with the store."""
        given = {"stateMachineArn": self.machine}
        one = {"executionArn": self._random.choice(self.arns)}
        return {
            "StartExecution": {**given, "name": f"later-{number}"},
            "DescribeExecution": one,
            "GetExecutionHistory": one,
            "ListExecutions": given,
            "ListExecutions statusFilter": {**given, "statusFilter": "FAILED"},
            "ListExecutions nextToken": {**given, "nextToken": self._page},
        }


def full_store(connect: Connect, folder: Path, count: int, asked: int = 200) -> None:
    """Measure the same requests in turn on an almost empty and a full store."""
    stores = [Filled(connect, folder / f"{size}.db", size) for size in (200, count)]
    times: dict[str, tuple[list[float], list[float]]] = {}
    for number in range(asked):
        for which, store in enumerate(stores):
            for what, request in store.requests(number).items():
                began = time.perf_counter()
                store.call(what.split()[0], **request)
                took = time.perf_counter() - began
                times.setdefault(what, ([], []))[which].append(took)
    for what, taken in times.items():
        few, many = map(median, taken)
        print(f"  {what}: {many * 1000:.2f} ms, {many / few:.2f} times that of few")
    for store in stores:
        store.server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boto3", action="store_true")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--finished", type=int, default=100_000)
    options = parser.parse_args()
    connect = boto3_client if options.boto3 else plain_client
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        with running(emulator(folder / "bench.db")) as server:
            connect(server.url)("ListStateMachines")
            took = time.perf_counter() - began
            print(f"first answer: {took:.2f} s, {server.cpu():.2f} s of processor time")
            with running(Served(str(Path(__file__).parent / "stub_server.py"))) as stub:
                for clients in (1, CLIENTS):
                    servers = {"emulator": server, "stub": stub}
                    throughput(connect, servers, clients, options.rounds)
            print(f"memory: {server.memory()}")
            long_history(connect(server.url), server)
        full_store(connect, folder, options.finished)


if __name__ == "__main__":
    main()
