"""Servers: the processor time that they spend on executions and histories over HTTP.

Each is a process of its own, and answers plain clients that sign as SDKs do, as to the headers. It
is started when it is first measured, and stopped at the end.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from emulator_bench import ENDLESS, ONE_PASS, create
from measure import Row, Work
from peers import HAS_MOTO, MINISTACK
from served import Call, Served, emulator, plain_client

MANY, FEW = 500, 60
"""Executions that are measured together: of fast servers, whose share each is small, and others."""
EVENTS, PAGE = 25_000, 1_000
_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/states/aws4_request, "
    "SignedHeaders=host;x-amz-target, Signature=0"
}
_PATIENCE, _GLANCE = 60.0, 0.01
"""Seconds for a peer to start; between two looks at what has not ended."""

Start = Callable[[], Served]


class Peer(Served):
    """A server that is told its port, and ready when it takes connections."""

    def __init__(self, *command: str, port: int, **environment: str) -> None:
        self.process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.url, self.port = f"http://127.0.0.1:{port}", port
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(_GLANCE)
        self.stop()
        raise TimeoutError(f"{command[0]} takes no connections after {_PATIENCE:g} seconds")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _until_the_end(server: Served) -> Served:
    atexit.register(server.stop)
    return server


@cache
def ours() -> Served:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return _until_the_end(emulator(Path(folder.name) / "bench.db"))


@cache
def stub() -> Served:
    return _until_the_end(Served(str(Path(__file__).parent / "stub_server.py")))


@cache
def moto() -> Served:
    port = _free_port()
    server = _until_the_end(Peer(sys.executable, "-m", "moto.server", "-p", str(port), port=port))
    execute = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    urllib.request.urlopen(f"{server.url}/moto-api/config", execute).close()
    return server


@cache
def ministack() -> Served:
    assert MINISTACK
    port = _free_port()
    environment = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    return _until_the_end(Peer(MINISTACK, port=port, **environment))


@cache
def clients(start: Start, count: int) -> tuple[list[Call], str]:
    """Return clients of a server, and a state machine that it has for them."""
    calls = [plain_client(start().url, _SIGNED) for _ in range(count)]
    return calls, create(calls[0], f"pass-{count}", ONE_PASS)


def execute(call: Call, machine: str, count: int) -> None:
    """Start executions one after the other, and see each succeed."""
    for _ in range(count):
        # moto makes no names, and takes no two executions without one.
        name = str(uuid.uuid4())
        arn = call("StartExecution", stateMachineArn=machine, name=name)["executionArn"]
        while (status := call("DescribeExecution", executionArn=arn)["status"]) == "RUNNING":
            time.sleep(_GLANCE)
        assert status == "SUCCEEDED", status


def executed(start: Start, number: int, count: int, spent: Callable[[Served], float]) -> float:
    """Let so many clients make executions at a time; return what is spent on each."""
    calls, machine = clients(start, number)
    failures: list[BaseException] = []

    def work(call: Call) -> None:
        try:
            execute(call, machine, count // number)
        except BaseException as problem:  # noqa: BLE001  raised below, in the thread that measures
            failures.append(problem)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    before = spent(start())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return (spent(start()) - before) / (count // number * number)


def milliseconds(server: Served) -> float:
    return server.cpu() * 1000


def transactions(server: Served) -> float:
    with urllib.request.urlopen(f"{server.url}/health") as answer:
        commits: int = json.load(answer)["store"]["commits"]
    return commits


def executions(number: int, goal: str) -> Row:
    peers: dict[str, Work] = {}
    if HAS_MOTO:
        peers["moto"] = partial(executed, moto, number, FEW, milliseconds)
    if MINISTACK:
        peers["ministack"] = partial(executed, ministack, number, FEW, milliseconds)
    return Row(
        f"execution over HTTP, {number} {'client' if number == 1 else 'clients'} at a time",
        "ms of the server's",
        partial(executed, ours, number, MANY, milliseconds),
        partial(executed, stub, number, MANY, milliseconds),
        peers,
        goal,
    )


@cache
def long_history() -> str:
    """Return the ARN of an execution with as many events as there may be."""
    call = plain_client(ours().url, _SIGNED)
    machine = create(call, "endless", ENDLESS)
    arn: str = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        time.sleep(_GLANCE)
    return arn


def read_history() -> float:
    """Read a history page by page; return the microseconds of the server's for each event."""
    arn, server = long_history(), ours()
    call, before = plain_client(server.url, _SIGNED), server.cpu()
    count, more = 0, {}
    while more is not None:
        page = call("GetExecutionHistory", executionArn=arn, maxResults=PAGE, **more)
        count += len(page["events"])
        more = {"nextToken": page["nextToken"]} if "nextToken" in page else None
    assert count == EVENTS, count
    return (server.cpu() - before) / count * 1e6


def encode_history() -> float:
    """Encode the same pages; return the microseconds for each event."""
    call = plain_client(ours().url, _SIGNED)
    page = call("GetExecutionHistory", executionArn=long_history(), maxResults=PAGE)
    begun = time.process_time()
    for _ in range(EVENTS // PAGE):
        json.dumps(page).encode()
    return (time.process_time() - begun) / EVENTS * 1e6


def rows() -> list[Row]:
    """Return what is measured of servers."""
    return [
        executions(1, "0.8 ms"),
        executions(16, "0.5 ms"),
        Row(
            "transactions an execution, 16 clients at a time",
            "transactions",
            partial(executed, ours, 16, MANY, transactions),
        ),
        Row(
            f"history of {EVENTS:,} events over HTTP, pages of {PAGE:,}",
            "µs an event of the server's",
            read_history,
            encode_history,
        ),
    ]
