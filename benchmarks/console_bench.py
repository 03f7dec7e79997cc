"""Measure what open pages of the console cost the server: idle, and beside executions.

    python benchmarks/console_bench.py [--pages 100] [--rounds 8] [--executions 300]

The pages look at what changes: the list of state machines, the machine that is started, and an
execution that waits. Rounds with and without them alternate in one run, so that other work on the
machine slows both alike; what is compared is the server's processor time for an execution, and how
long a round takes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from socket import create_connection
from statistics import median
from urllib.parse import quote, urlsplit

from served import ROLE, Call, Served, emulator, plain_client

CHAIN = {
    "StartAt": "S0",
    "States": {
        **{f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(9)},
        "S9": {"Type": "Succeed"},
    },
}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 86400, "End": True}}}


class OpenPages:
    """Streams of pages that are open in browsers; what they are sent is counted."""

    def __init__(self, url: str, addresses: list[str], number: int) -> None:
        host = urlsplit(url)
        self.bytes = 0
        self._selector = DefaultSelector()
        self._sockets = []
        for index in range(number):
            one = create_connection((host.hostname, host.port))
            address = addresses[index % len(addresses)]
            one.sendall(
                f"GET /console/stream/{address} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n".encode()
            )
            self._selector.register(one, EVENT_READ)
            self._sockets.append(one)
        self._open = True
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        """Leave all pages."""
        self._open = False
        self._thread.join()
        for one in self._sockets:
            one.close()

    def _read(self) -> None:
        while self._open:
            for key, _ in self._selector.select(0.1):
                self.bytes += len(key.fileobj.recv(1 << 16))  # type: ignore[union-attr]


def work(server: Served, machine: str, executions: int) -> tuple[float, float]:
    """Run executions with eight clients; return processor and real seconds for one of them."""

    def start(part: int) -> None:
        call = plain_client(server.url)
        for _ in range(part):
            call("StartExecution", stateMachineArn=machine)

    before, began = server.cpu(), time.perf_counter()
    clients = [threading.Thread(target=start, args=(executions // 8,)) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    number = executions // 8 * 8
    return (server.cpu() - before) / number, (time.perf_counter() - began) / number


def machine(call: Call, name: str, definition: object) -> str:
    """Create a state machine."""
    created = call("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
    return str(created["stateMachineArn"])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--executions", type=int, default=800)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds of doing nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = emulator(Path(folder) / "doorstep.db")
        call = plain_client(server.url)
        chain, wait = machine(call, "chain", CHAIN), machine(call, "wait", WAIT)
        waits = call("StartExecution", stateMachineArn=wait)["executionArn"]
        addresses = ["?q=", f"machine?arn={quote(chain)}", f"execution?arn={quote(waits)}"]
        work(server, chain, options.executions)
        results: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        for number in range(2 * options.rounds):
            pages = OpenPages(server.url, addresses, options.pages) if number % 2 else None
            time.sleep(1)
            results[bool(pages)].append(work(server, chain, options.executions))
            if pages:
                pages.close()
        for index, what in enumerate(("processor time", "time")):
            without, beside = (
                median(one[index] for one in results[with_]) for with_ in (False, True)
            )
            print(
                f"{what} of an execution: {without * 1000:.2f} ms, beside {options.pages} open "
                f"pages {beside * 1000:.2f} ms: {beside / without:.3f}"
            )
        for number in (0, 1, options.pages):
            pages = OpenPages(server.url, addresses, number)
            time.sleep(2)
            before = server.cpu()
            time.sleep(options.idle)
            share = (server.cpu() - before) / options.idle
            print(f"idle, {number} open pages: {share:.2%} of a core")
            pages.close()
        server.stop()


if __name__ == "__main__":
    main()
