"""Workers that wait, all at once: each is given one task, and others hardly notice them.

    python benchmarks/emulator_polls.py [--polls 10000]

As many activities as their limit of 1,000 workers needs, and a worker more than that, which is
refused. Ends with 1 when a task went to nobody or to two. A smaller run is among the tests.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import Any

from served import ROLE, Call, Refused, Served, emulator, plain_client

from doorstep_emulator.http.connections import most_connections

_EACH = 1000
"""Workers that AWS lets wait for one activity."""


def worker(server: Served, activity: str) -> socket.socket:
    """One that has asked for a task."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    body = json.dumps({"activityArn": activity})
    target = "X-Amz-Target: AWSStepFunctions.GetActivityTask"
    head = f"POST / HTTP/1.1\r\nHost: x\r\n{target}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    return connection


def told(connection: socket.socket) -> dict[str, Any]:
    """What a worker is answered."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    found: dict[str, Any] = json.loads(answer.read())
    return found


def delay(call: Call, activity: str) -> float:
    """The median of what others wait for an answer (ms)."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        call("DescribeActivity", activityArn=activity)
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def machine_of(call: Call, activity: str) -> str:
    """A machine whose only state is a task of the activity."""
    task = {"Type": "Task", "Resource": activity, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": task}})
    name = activity.rpartition(":")[2]
    given = {"name": name, "definition": definition, "roleArn": ROLE}
    arn: str = call("CreateStateMachine", **given)["stateMachineArn"]
    return arn


def is_refused(call: Call, activity: str) -> bool:
    """Whether one worker more is refused."""
    try:
        call("GetActivityTask", activityArn=activity)
    except Refused as refused:
        return str(refused) == "ActivityWorkerLimitExceeded"
    return False


def run(server: Served, polls: int, stack: ExitStack) -> list[str]:
    """All of it; gives what does not hold."""
    call = plain_client(server.url)
    names = [f"activity-{number}" for number in range(-(-polls // _EACH))]
    activities = [call("CreateActivity", name=name)["activityArn"] for name in names]
    alone, began = delay(call, activities[0]), time.perf_counter()
    workers = [
        stack.enter_context(worker(server, activities[number // _EACH])) for number in range(polls)
    ]
    among_them = delay(call, activities[0])
    print(
        f"{polls} workers wait after {time.perf_counter() - began:.1f} s; the server holds "
        f"{server.memory()}; others wait {among_them:.2f} ms, alone {alone:.2f} ms"
    )
    broken = []
    if polls >= _EACH and not is_refused(call, activities[0]):
        broken.append(f"a worker more than {_EACH} was not refused")
    began = time.perf_counter()
    machines = [machine_of(call, activity) for activity in activities]
    for number in range(polls):
        given = json.dumps({"number": number})
        call("StartExecution", stateMachineArn=machines[number // _EACH], input=given)
    tasks = [told(one) for one in workers]
    numbers = sorted(json.loads(task["input"])["number"] for task in tasks if "input" in task)
    print(f"{len(numbers)} tasks given after {time.perf_counter() - began:.1f} s")
    if numbers != list(range(polls)) or len({task["taskToken"] for task in tasks}) != polls:
        broken.append(f"{polls} tasks, but {len(set(numbers))} were given to {len(numbers)}")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--polls", type=int, default=10_000)
    options = parser.parse_args()
    most = most_connections()
    if most is not None and most < options.polls:
        parser.error(f"{most} connections at most: raise the limit of open files (ulimit -n)")
    server = emulator(":memory:")
    try:
        with ExitStack() as stack:
            broken = run(server, options.polls, stack)
    finally:
        server.stop()
    print("\n".join(broken) or "each task was given once")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
