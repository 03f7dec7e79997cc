"""Let many workers wait at once: each gets one task, and other requests hardly slow down.

    python benchmarks/emulator_polls.py [--polls 10000]

Uses as many activities as the limit of 1,000 workers each needs, and one more worker, which is
refused. Exits with 1 if a task went to no worker or to two. The tests include a smaller run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
import urllib.request
from contextlib import ExitStack
from statistics import median
from typing import Any

from served import ROLE, Call, Refused, Served, emulator, plain_client
from verdict import verdict

from doorstep_emulator.http.connections import most_connections

_EACH = 1000
"""Workers that AWS lets wait for one activity."""


def worker(server: Served, activity: str) -> socket.socket:
    """Return a worker that has asked for a task."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    body = json.dumps({"activityArn": activity})
    target = "X-Amz-Target: AWSStepFunctions.GetActivityTask"
    head = f"POST / HTTP/1.1\r\nHost: x\r\n{target}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    return connection


def response(connection: socket.socket) -> dict[str, Any]:
    """Return what a worker received."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    found: dict[str, Any] = json.loads(answer.read())
    return found


def delay(call: Call, activity: str) -> float:
    """Return the median latency of other requests (ms)."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        call("DescribeActivity", activityArn=activity)
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def until_all_wait(server: Served, polls: int) -> None:
    """Wait until the server has taken every worker's request."""
    waiting, until = 0, time.monotonic() + 60
    while waiting < polls and time.monotonic() < until:
        with urllib.request.urlopen(f"{server.url}/health") as health:
            waiting = json.load(health)["activities"]["polls"]


def machine_of(call: Call, activity: str) -> str:
    """Create a machine whose only state is a task of the activity."""
    task = {"Type": "Task", "Resource": activity, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": task}})
    name = activity.rpartition(":")[2]
    given = {"name": name, "definition": definition, "roleArn": ROLE}
    arn: str = call("CreateStateMachine", **given)["stateMachineArn"]
    return arn


def is_refused(call: Call, activity: str) -> bool:
    """Return whether one more worker is refused."""
    try:
        call("GetActivityTask", activityArn=activity)
    except Refused as refused:
        return str(refused) == "ActivityWorkerLimitExceeded"
    return False


def run(server: Served, polls: int, stack: ExitStack) -> list[str]:
    """Run everything; return what is wrong."""
    call = plain_client(server.url)
    names = [f"activity-{number}" for number in range(-(-polls // _EACH))]
    activities = [call("CreateActivity", name=name)["activityArn"] for name in names]
    alone, began = delay(call, activities[0]), time.perf_counter()
    workers = [
        stack.enter_context(worker(server, activities[number // _EACH])) for number in range(polls)
    ]
    until_all_wait(server, polls)
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
    tasks = [response(one) for one in workers]
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
    return verdict(broken, "each task was given once")


if __name__ == "__main__":
    sys.exit(main())
