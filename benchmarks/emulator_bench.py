"""The emulator's figures (issue 5): first answer, latency, throughput, memory, long histories,
full stores.

    python benchmarks/emulator_bench.py [--boto3] [--rounds 500] [--finished 100000]

Other work on the machine slows client and server alike, so each figure stands beside that of a
stub that only answers, measured in turn with it. With --boto3 the clients are boto3's, which have
a ceiling of their own; else plain http.client.
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

from doorstep_emulator.sqlite import SqliteStore

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
    """Seconds from a start to the answer that it has succeeded."""
    began = time.perf_counter()
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        pass
    return time.perf_counter() - began


def together(calls: list[Call], machine: str, count: int) -> list[float]:
    """What each of `count` executions took, when the clients share them."""
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
    """Both servers in turn, so that both meet the same machine; the best turn of each counts."""
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


def long_history(call: Call) -> None:
    machine = create(call, "endless", ENDLESS)
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        pass
    began = time.perf_counter()
    count, more = 0, {}
    while True:
        page = call("GetExecutionHistory", executionArn=arn, maxResults=1000, **more)
        count += len(page["events"])
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    print(f"history of {count} events: {time.perf_counter() - began:.2f} s")


def fill(db: Path, machine: str, count: int) -> list[str]:
    """Copies of the only execution; gives their ARNs."""
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


def listed(call: Call, machine: str, arns: list[str], asked: int = 200) -> dict[str, float]:
    """The median time (seconds) of each operation whose cost might grow with the store."""
    random = Random(1)
    given = {"stateMachineArn": machine}
    page = call("ListExecutions", **given, maxResults=100)
    requests: dict[str, Callable[[int], dict[str, Any]]] = {
        "StartExecution": lambda n: {**given, "name": f"later-{n}"},
        "DescribeExecution": lambda _: {"executionArn": random.choice(arns)},
        "GetExecutionHistory": lambda _: {"executionArn": random.choice(arns)},
        "ListExecutions": lambda _: {**given, "maxResults": 100},
        "ListExecutions statusFilter": lambda _: {**given, "statusFilter": "FAILED"},
        "ListExecutions nextToken": lambda _: {**given, "nextToken": page["nextToken"]},
    }
    found = {}
    for what, request in requests.items():
        times = []
        for number in range(asked):
            began = time.perf_counter()
            call(what.split()[0], **request(number))
            times.append(time.perf_counter() - began)
        found[what] = median(times)
    return found


def full_store(connect: Connect, folder: Path, count: int) -> None:
    """The same questions to a store with 200 finished executions and to one with `count`."""
    found = []
    for size in (200, count):
        db = folder / f"{size}.db"
        with running(emulator(db)) as server:
            call = connect(server.url)
            machine = create(call, "pass", ONE_PASS)
            call("StartExecution", stateMachineArn=machine, name="first")
        arns = fill(db, machine, size)
        began = time.perf_counter()
        with running(emulator(db)) as server:
            call = connect(server.url)
            call("ListStateMachines")
            print(f"first answer with {size} executions: {time.perf_counter() - began:.2f} s")
            found.append(listed(call, machine, arns))
            print(f"  memory: {server.memory()}")
    few, many = found
    for what, seconds in many.items():
        print(f"  {what}: {seconds * 1000:.2f} ms, {seconds / few[what]:.2f} times that of few")


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
            print(f"first answer: {time.perf_counter() - began:.2f} s")
            with running(Served(str(Path(__file__).parent / "stub_server.py"))) as stub:
                for clients in (1, CLIENTS):
                    servers = {"emulator": server, "stub": stub}
                    throughput(connect, servers, clients, options.rounds)
            print(f"memory: {server.memory()}")
            long_history(connect(server.url))
        full_store(connect, folder, options.finished)


if __name__ == "__main__":
    main()
