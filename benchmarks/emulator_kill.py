"""kill -9 at random moments: every Standard execution ends with the history it would have had.

    python benchmarks/emulator_kill.py [--kills 50] [--executions 1000] [--clients 16] [--seed 7]

The clients start executions, read their histories and see them end, while the server is killed
and started again on its store. Then, for every execution:

- its history, and those of its nested executions and of its map runs' children, are those of an
  undisturbed execution, apart from times and interleaving, whatever its clock;
- what a client had read of the history before a kill is still there, unchanged;
- a handler was called again only with its key, and only by another server;
- no status change was reported twice, and none that a kill has undone;
- of callbacks that are answered several times, contradicting and too late, every acknowledged
  answer has had its effect, and no refused one has.

Exits with 1 and prints what is wrong. The tests include a smaller run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from kill_answers import Answers, summary, wrong_answers
from kill_checks import (
    History,
    descendants,
    history,
    once,
    wrong_calls,
    wrong_history,
    wrong_status_changes,
)
from kill_workload import CLOCKS, DEFINITIONS, HANDLERS, INPUT, MACHINES
from served import ROLE, Call, Refused, Served, emulator, plain_client
from verdict import verdict

BATCH = 8
"""Executions that a client has at a time."""
PATIENCE = 600.0
"""Seconds for a batch to end."""


class Killed:
    """A server that is killed and started again on the same store, at the same port."""

    def __init__(self, folder: Path, handlers: str = "", *options: str) -> None:
        """`handlers`: source of more handlers; `options`: more options of `doorstep serve`."""
        self._folder = folder
        self._options = options
        (folder / "handlers.py").write_text(HANDLERS + handlers)
        self._server = self._start(0)
        self.url: str | Sequence[str] = self._server.url
        self.kills = 0
        self.recoveries: list[float] = []
        """Seconds from each start to its first answer."""

    def _start(self, port: int) -> Served:
        handlers, events = str(self._folder / "handlers.py"), str(self._folder / "events")
        options = ("--handlers", handlers, "--events", events, *self._options)
        return emulator(self._folder / "doorstep.db", *options, port=port)

    def kill_and_restart(self, down: float = 0.0) -> None:
        """Kill the server, wait so many seconds, and start it again."""
        self.stop()
        self.kills += 1
        time.sleep(down)
        began = time.monotonic()
        self._server = self._start(self._server.port)
        plain_client(self.url)("ListActivities")
        self.recoveries.append(time.monotonic() - began)

    def stop(self) -> None:
        self._server.stop(signal.SIGKILL)

    def end(self, patience: float) -> int:
        """Stop the server with SIGTERM; return its exit code. Raises TimeoutExpired."""
        self._server.process.send_signal(signal.SIGTERM)
        return self._server.process.wait(patience)

    @property
    def contested(self) -> Path:
        """The file in which handlers record tokens that are answered several times."""
        return self._folder / "contested"

    def calls(self) -> list[dict[str, Any]]:
        """Everything that the handlers recorded."""
        return self.notes("calls") + self.notes("tokens")

    def notes(self, name: str) -> list[dict[str, Any]]:
        """Return what the handlers recorded, without lines that a kill truncated."""
        file = self._folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]


def eventually(act: Callable[[], Any]) -> Any:
    """Retry an action until it returns something, however often the server dies."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if result := act():
                return result
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def patient(call: Call) -> Call:
    """Return a client that asks again when the connection breaks."""
    return lambda operation, **members: eventually(lambda: [call(operation, **members)])[0]


class Clients:
    """Threads that start executions and follow them to their end."""

    def __init__(self, url: str | Sequence[str], executions: int, clients: int) -> None:
        self._url = url
        self._numbers = iter(range(executions))
        self._batch = min(BATCH, -(-executions // clients))
        self._lock = threading.Lock()
        self.started = 0
        self.histories: dict[str, History] = {}
        """Of those that have ended."""
        self.broken: list[str] = []
        self._threads = [
            threading.Thread(target=self._guarded, daemon=True) for _ in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> bool:
        """Return whether some are still running."""
        return any(thread.is_alive() for thread in self._threads)

    def _guarded(self) -> None:
        try:
            self._work(plain_client(self._url))
        except (AssertionError, Refused) as problem:
            self.broken.append(f"a client gave up: {problem!r}")

    def _work(self, call: Call) -> None:
        while arns := [start(call, number) for number in self._next()]:
            with self._lock:
                self.started += len(arns)
            seen: dict[str, History] = {arn: [] for arn in arns}
            end = time.monotonic() + PATIENCE
            while seen:
                assert time.monotonic() < end, f"these do not end: {', '.join(seen)}"
                for arn in list(seen):
                    self._look(call, arn, seen)
                time.sleep(0.1)

    def _next(self) -> list[int]:
        with self._lock:
            return list(islice(self._numbers, self._batch))

    def _look(self, call: Call, arn: str, seen: dict[str, History]) -> None:
        events = eventually(lambda: history(call, arn))
        if events[: len(seen[arn])] != seen[arn]:
            self.broken.append(f"{arn}: events that had been read are not there any more")
        seen[arn] = events
        if events[-1]["type"].startswith("Execution") and len(events) > 1:
            self.histories[arn] = events
            del seen[arn]


def start(call: Call, number: int) -> str:
    """Start an execution exactly once, whatever the number of requests; alternate the clocks."""
    machine, name = f"{MACHINES}main-{CLOCKS[number % len(CLOCKS)]}", f"run-{number}"

    def act() -> str:
        try:
            given = {"stateMachineArn": machine, "input": json.dumps(INPUT)}
            arn: str = call("StartExecution", name=name, **given)["executionArn"]
        except Refused as refused:
            # The answer was lost in a kill, and the execution has ended meanwhile.
            if str(refused) != "ExecutionAlreadyExists":
                raise
            return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        return arn

    arn: str = eventually(act)
    return arn


def answer_tokens(server: Killed, stop: threading.Event) -> None:
    """Approve every task that asks for it."""
    call, answered = plain_client(server.url), set[str]()
    while not stop.wait(0.05):
        for token in {note["token"] for note in server.notes("tokens")} - answered:
            try:
                call("SendTaskSuccess", taskToken=token, output='"approved"')
            except Refused as refused:
                # Answered before the kill, though the answer's answer was lost.
                if str(refused) != "TaskTimedOut":
                    raise
            except (OSError, http.client.HTTPException):
                continue
            answered.add(token)


def kill_at_random(server: Killed, clients: Clients, kills: int, executions: int) -> None:
    """Kill the server at random times, spread over the starts."""
    for number in range(kills):
        while clients.busy and clients.started < executions * number // (kills + 1):
            time.sleep(0.01)
        time.sleep(random.uniform(0.0, 0.5))
        # Time limits pass meanwhile: they are due when the first answers come.
        server.kill_and_restart(down=1.2 if number % 4 == 0 else 0.0)
        print_progress(
            f"\r{number + 1} of {kills} kills, {len(clients.histories)} executions have ended"
        )
    while clients.busy:
        time.sleep(0.1)
        print_progress(
            f"\r{kills} of {kills} kills, {len(clients.histories)} executions have ended"
        )


def print_progress(text: str) -> None:
    """Print progress if stdout is a terminal."""
    if sys.stderr.isatty():
        print(text, end="", file=sys.stderr, flush=True)


def create(call: Call) -> None:
    """Create the state machines."""
    for name, (clock, definition) in DEFINITIONS.items():
        given = {"definition": json.dumps(definition), "roleArn": ROLE}
        tags = [{"key": "doorstep:clock", "value": clock}]
        call("CreateStateMachine", name=name, tags=tags, **given)


def run(server: Killed, kills: int, executions: int, clients: int) -> list[str]:
    """Run everything; return what is wrong."""
    call = plain_client(server.url)
    create(call)
    stop = threading.Event()
    answering = threading.Thread(target=answer_tokens, args=(server, stop), daemon=True)
    answering.start()
    undisturbed = start(call, -len(CLOCKS))
    eventually(lambda: call("DescribeExecution", executionArn=undisturbed)["status"] != "RUNNING")
    alone = once(server.calls())
    began = time.monotonic()
    busy = Clients(server.url, executions, clients)
    answers = Answers(server.url, server.contested, executions)
    kill_at_random(server, busy, kills, executions)
    busy.join()
    answers.stop()
    took = time.monotonic() - began
    stop.set()
    answering.join()
    print_progress("\n")

    call, calls = patient(plain_client(server.url)), server.calls()
    print(
        f"{executions} executions, {clients} clients, {server.kills} kills, {took:.0f} s; "
        f"{len(calls)} calls, {len(calls) - len(once(calls))} of them made again after a kill; "
        f"the slowest restart took {max(server.recoveries, default=0.0):.2f} s"
    )
    print(summary(answers))
    ended = len(busy.histories)
    return [
        *([] if ended == executions else [f"{ended} executions have ended, not {executions}"]),
        *busy.broken,
        *wrong_histories(call, undisturbed, busy.histories),
        *wrong_calls(calls, len(alone) * (1 + executions)),
        *wrong_answers(call, answers, eventually),
        *wrong_status_changes(call, server.notes("events")),
    ]


def wrong_histories(call: Call, like: str, found: dict[str, History]) -> Iterator[str]:
    """Yield what is wrong with the histories and those of their descendants."""
    own = history(call, like)
    expected = [own, *descendants(call, like, own)]
    if own[-1]["type"] != "ExecutionSucceeded":
        yield f"{like} ended with {own[-1]['type']}"
    for arn, events in found.items():
        yield from wrong_history(arn, [events, *descendants(call, arn, events)], expected)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7, help="of the moments of the kills")
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        server = Killed(Path(folder))
        try:
            broken = run(server, options.kills, options.executions, options.clients)
        finally:
            server.stop()
    return verdict(broken, "nothing lost, nothing doubled")


if __name__ == "__main__":
    sys.exit(main())
