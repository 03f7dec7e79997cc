"""Run hostile executions beside good ones on one server, with a kill -9 in the middle.

    python benchmarks/emulator_poison.py [--hostile 50] [--good 20] [--seed 7]

- the good ones end with the histories of an execution that is alone on the server;
- `/health` answers throughout, with no trouble but a long evaluation; the slowest is printed;
- a hostile execution whose start was acknowledged exists, and has ended unless it may continue;
- no request is answered with an internal error;
- SIGTERM ends the server in order, within its grace.

Exits with 1 and prints what is wrong.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emulator_kill import Clients, Killed, answer_tokens, create, eventually, start, wrong_histories
from hostile import CATALOGUE, HANDLERS, REQUESTS, Hostile, write_objects
from kill_workload import CLOCKS, MACHINES
from served import Refused, plain_client
from verdict import verdict

POLL = 0.1
"""Seconds between two questions about the server's health."""
HEALTHY = 5.0
"""Seconds for an answer about its health."""
GRACE = 3
"""Seconds that a shutdown waits for running work, and again for events."""
PATIENCE = 60.0
"""Seconds for the hostile executions to end."""


class HealthPoll:
    """A thread that requests /health, except during a restart."""

    def __init__(self, url: str) -> None:
        self._address = url.removeprefix("http://")
        self._stop = threading.Event()
        self.restarting = threading.Event()
        self.slowest = 0.0
        self.asked = 0
        self.busy = 0
        """Responses that the server's thread is busy with one evaluation."""
        self.broken: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(POLL):
            if self.restarting.is_set():
                continue
            began = time.monotonic()
            problem = self._problem()
            if problem and not self.restarting.is_set():
                self.broken.append(f"/health: {problem}")
            elif not problem:
                self.asked += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _problem(self) -> str | None:
        connection = http.client.HTTPConnection(self._address, timeout=HEALTHY)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            return repr(problem)
        finally:
            connection.close()
        if "has been busy with one thing" in text:
            # It answers; what it reports is a long evaluation, which ends at its bound of steps.
            self.busy += 1
            return None
        return None if answer.status == 200 else f"{answer.status} {text}"


class Poison:
    """The hostile executions: start them, and check them at the end."""

    def __init__(self, url: str, hostile: list[Hostile]) -> None:
        self._url = url
        self._address = url.removeprefix("http://")
        self._call = plain_client(url)
        self._hostile = hostile
        self.arns: dict[str, Hostile] = {}
        """Those whose start was acknowledged."""
        self.refused = 0
        self.broken: list[str] = []

    def create(self) -> None:
        """Create their state machines, unless they are refused."""
        accepted = []
        for one in self._hostile:
            definition = json.dumps(one.definition)
            if self._asked("CreateStateMachine", name=one.name, type=one.type, d=definition):
                accepted.append(one)
        self._hostile = accepted

    def start(self) -> None:
        """Start them, and between them send requests that must be refused."""
        for number, one in enumerate(self._hostile):
            self._send(*REQUESTS[number % len(REQUESTS)])
            machine = MACHINES + one.name
            answer = self._asked("StartExecution", stateMachineArn=machine, input=one.text)
            if answer:
                self.arns[answer["executionArn"]] = one

    def _asked(self, operation: str, d: str = "", **members: Any) -> Any:
        """Return the response; None if it is refused."""
        if d:
            members |= {"definition": d, "roleArn": "arn:aws:iam::123456789012:role/any"}
        try:
            return self._call(operation, **members)
        except Refused as refusal:
            self.refused += 1
            if str(refusal).startswith("Internal"):
                name = members.get("name") or members.get("stateMachineArn")
                self.broken.append(f"{operation} {name}: {refusal}")
            return None

    def _send(self, operation: str, body: str) -> None:
        """Send a body that must be refused."""
        connection = http.client.HTTPConnection(self._address, timeout=30)
        connection.request("POST", "/", body, {"X-Amz-Target": f"AWSStepFunctions.{operation}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        # A definition that is not valid is what ValidateStateMachineDefinition reports.
        if answer.status != 400 and '"FAIL"' not in text:
            self.broken.append(f"{operation} {body[:80]}: {answer.status} {text[:200]}")

    def wrong(self) -> Iterator[str]:
        """Yield what is wrong with them after their time is up."""
        yield from self.broken
        # The connection of before the kill is closed.
        self._call = plain_client(self._url)
        end = time.monotonic() + PATIENCE
        for arn, one in self.arns.items():
            if one.type == "EXPRESS":
                continue
            status = self._status(arn, one, end)
            if status == "RUNNING" and not one.endless:
                yield f"{one.name} is still running"
            elif status not in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT"):
                yield f"{one.name}: {status}"

    def _status(self, arn: str, one: Hostile, end: float) -> str:
        while True:
            try:
                status: str = self._call("DescribeExecution", executionArn=arn)["status"]
            except Refused as refusal:
                return str(refusal)
            if status != "RUNNING" or one.endless or time.monotonic() > end:
                return status
            time.sleep(0.1)


def run(server: Killed, hostile: list[Hostile], good: int) -> list[str]:
    """Run everything; return what is wrong."""
    call = plain_client(server.url)
    create(call)
    tokens = threading.Event()
    answering = threading.Thread(target=answer_tokens, args=(server, tokens), daemon=True)
    answering.start()
    undisturbed = start(call, -len(CLOCKS))
    eventually(lambda: call("DescribeExecution", executionArn=undisturbed)["status"] != "RUNNING")
    poll = HealthPoll(server.url)
    poison = Poison(server.url, hostile)
    poison.create()
    clients = Clients(server.url, good, 4)
    poison.start()
    poll.restarting.set()
    server.kill_and_restart()
    poll.restarting.clear()
    clients.join()
    broken = [*clients.broken, *poison.wrong()]
    broken += wrong_histories(plain_client(server.url), undisturbed, clients.histories)
    poll.stop()
    tokens.set()
    answering.join()
    print(
        f"{len(clients.histories)} good executions, {len(poison.arns)} hostile ones, "
        f"{poison.refused} of their requests refused; "
        f"{poll.asked} polls of /health, the slowest took {poll.slowest:.2f} s, "
        f"{poll.busy} of them said that the thread was busy"
    )
    return [*broken, *poll.broken, *wrong_end(server)]


def wrong_end(server: Killed) -> Iterator[str]:
    """Stop the server with SIGTERM; yield what is wrong with its end."""
    began = time.monotonic()
    code = server.end(patience=4 * GRACE)
    took = time.monotonic() - began
    print(f"SIGTERM ended the server after {took:.1f} s")
    if code != 0:
        yield f"SIGTERM ended the server with {code}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hostile", type=int, default=len(CATALOGUE))
    parser.add_argument("--good", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7, help="of the choice and its order")
    options = parser.parse_args()
    random.seed(options.seed)
    hostile = random.sample(CATALOGUE, min(options.hostile, len(CATALOGUE)))
    with tempfile.TemporaryDirectory() as folder:
        write_objects(Path(folder) / "bucket" / "bucket")
        server = Killed(Path(folder), HANDLERS, "--s3-root", str(Path(folder) / "bucket"))
        try:
            broken = run(server, hostile, options.good)
        except OSError as problem:
            broken = [f"the server does not answer: {problem!r}"]
        finally:
            server.stop()
    return verdict(broken, "no execution was harmed")


if __name__ == "__main__":
    sys.exit(main())
