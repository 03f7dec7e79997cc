"""Send contradictory answers to callbacks that time out, while the server is killed.

Acknowledged requests must have had their effect, and refused ones none:

- an acknowledged SendTaskSuccess or SendTaskFailure is in the history, with what it brought, and
  its task has not timed out; a refused one is not there;
- at most one end of a task is acknowledged, and no heartbeat that was sent after it;
- an execution whose start or stop was acknowledged is there, or has ended.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

from kill_checks import History, history
from kill_workload import MACHINES
from served import Call, Refused, plain_client

TRIES = 5
"""How often a token is answered."""
LATEST = 7.0
"""Seconds until the last answer; the task's time limit is 5."""
WAITING = 100
"""Answers that may be due before more executions are started."""
ENDS = ("SendTaskSuccess", "SendTaskFailure")
OPERATIONS = (*ENDS * 4, *["SendTaskHeartbeat"] * 3, "StopExecution")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request about the task of an execution, and its result."""

    operation: str
    execution: str
    marker: str
    """A unique text in what the request sends."""
    result: str
    """ok, the name of an error, or lost: the server died before it answered."""
    began: float
    ended: float

    @property
    def acknowledged(self) -> bool:
        return self.result == "ok"


class Answers:
    """Threads that start executions of `contested` and answer their callbacks several times."""

    def __init__(
        self, url: str | Sequence[str], notes: Path, most: int, answerers: int = 4
    ) -> None:
        self._url = url
        self._notes = notes
        self._most = most
        self._numbers = count()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._due: list[tuple[float, str, str]] = []
        """A heap: when a token is to be answered, the token, its execution."""
        self.started: list[str] = []
        """The ARNs of acknowledged starts."""
        self.sent: list[Sent] = []
        works = [self._read, *[self._start, self._answer] * answerers]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        call = plain_client(self._url)
        machine = MACHINES + "contested"
        while (number := self._next_number()) < self._most:
            name, slow = f"contested-{number}", number % 3 == 0
            request = {"stateMachineArn": machine, "name": name, "input": json.dumps(slow)}
            while not self._stop.is_set():
                try:
                    self.started.append(call("StartExecution", **request)["executionArn"])
                except Refused:
                    # It started, and the answer was lost; it has ended meanwhile.
                    self.started.append(
                        f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
                    )
                except (OSError, http.client.HTTPException):
                    self._stop.wait(0.02)
                    continue
                break
            # Answers that come late because others wait only ever find tasks that have timed out.
            while not self._stop.wait(0.04) and len(self._due) > WAITING:
                pass
            if self._stop.is_set():
                return

    def _next_number(self) -> int:
        with self._lock:
            return next(self._numbers)

    def _read(self) -> None:
        """Read the tokens that the handlers recorded, without lines that a kill truncated."""
        read = 0
        known = set()
        while not self._stop.wait(0.02):
            lines = self._notes.read_bytes().splitlines() if self._notes.exists() else []
            for line in lines[read:]:
                if line.endswith(b"}") and (note := json.loads(line))["token"] not in known:
                    known.add(note["token"])
                    self._plan(note["token"], note["execution"])
            # The last one may not be whole yet.
            read = max(len(lines) - 1, 0)

    def _plan(self, token: str, execution: str) -> None:
        now = time.monotonic()
        with self._lock:
            for _ in range(TRIES):
                heappush(self._due, (now + random.uniform(0, LATEST), token, execution))

    def _answer(self) -> None:
        call = plain_client(self._url)
        while not self._stop.wait(0.005):
            with self._lock:
                if not self._due or self._due[0][0] > time.monotonic():
                    continue
                _, token, execution = heappop(self._due)
            sent = self._send(call, random.choice(OPERATIONS), token, execution)
            with self._lock:
                self.sent.append(sent)

    def _send(self, call: Call, operation: str, token: str, execution: str) -> Sent:
        marker = f"m{random.getrandbits(64):016x}"
        members = {
            "SendTaskSuccess": {"taskToken": token, "output": json.dumps(marker)},
            "SendTaskFailure": {"taskToken": token, "error": marker},
            "SendTaskHeartbeat": {"taskToken": token},
            "StopExecution": {"executionArn": execution, "cause": marker},
        }[operation]
        began = time.monotonic()
        try:
            self._once_up(lambda: call(operation, **members))
            result = "ok"
        except Refused as refusal:
            result = str(refusal)
        except (OSError, http.client.HTTPException):
            result = "lost"
        return Sent(operation, execution, marker, result, began, time.monotonic())

    def _once_up(self, act: Callable[[], Any]) -> None:
        """Send the request as soon as the server is up."""
        while not self._stop.is_set():
            try:
                act()
            except ConnectionRefusedError:
                time.sleep(0.005)
            else:
                return
        raise ConnectionRefusedError


def summary(answers: Answers) -> str:
    """Return how many requests were acknowledged, refused and lost."""
    results = Counter(sent.result for sent in answers.sent)
    acknowledged = Counter(sent.operation for sent in answers.sent if sent.acknowledged)
    counts = ", ".join(f"{name} {number}" for name, number in sorted(acknowledged.items()))
    return (
        f"{len(answers.started)} contested executions, {len(answers.sent)} contradicting answers: "
        f"{results['ok']} acknowledged ({counts}), {results['lost']} lost, "
        f"{len(answers.sent) - results['ok'] - results['lost']} refused"
    )


def wrong_answers(
    call: Call, answers: Answers, eventually: Callable[[Callable[[], Any]], Any]
) -> Iterator[str]:
    """Yield requests that were acknowledged without effect, or refused with one."""
    of: dict[str, list[Sent]] = defaultdict(list)
    for sent in answers.sent:
        of[sent.execution].append(sent)
    for arn in answers.started:
        events = eventually(lambda arn=arn: _whole(call, arn))  # type: ignore[misc]
        yield from (f"{arn}: {problem}" for problem in wrong_effects(of[arn], events))


def _whole(call: Call, arn: str) -> History | None:
    events = history(call, arn)
    ended = events[-1]["type"].startswith("Execution") and len(events) > 1
    return events if ended else None


def wrong_effects(requests: list[Sent], events: History) -> Iterator[str]:
    """Yield what is wrong with the history of the execution of these requests."""
    text = json.dumps(events)
    types = [event["type"] for event in events]
    ends = [sent for sent in requests if sent.operation in ENDS and sent.acknowledged]
    if len(ends) > 1:
        yield f"{len(ends)} ends of one task were acknowledged: {ends}"
    for sent in requests:
        if sent.acknowledged and sent in ends:
            # An end waits for the answer to the task's request: a stop may come first.
            stopped = "TaskSubmitted" not in types and types[-1] == "ExecutionAborted"
            if sent.marker not in text and not stopped:
                yield f"{sent.operation} was acknowledged and has no effect: {sent}, {types}"
            if any("TimedOut" in each for each in types):
                yield f"{sent.operation} was acknowledged, and the task timed out: {sent}"
        elif sent.result not in ("ok", "lost") and sent.marker in text:
            yield f"{sent.operation} was refused ({sent.result}) and has an effect: {sent}"
        late = sent.acknowledged and sent.operation == "SendTaskHeartbeat"
        if late and any(end.ended < sent.began for end in ends):
            yield f"a heartbeat was acknowledged after the end of its task: {sent}, {ends}"
    stopped_by = events[-1].get("executionAbortedEventDetails", {}).get("cause")
    stops = [sent.marker for sent in requests if sent.operation == "StopExecution"]
    if types[-1] == "ExecutionAborted" and stopped_by not in stops:
        yield f"no request stopped it: {stopped_by}"
