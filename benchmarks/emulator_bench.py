"""The emulator's figures (issue 5): first answer, latency, throughput, memory, a long history.

    python benchmarks/emulator_bench.py [--db FILE] [--boto3]

With --boto3 the clients are boto3's, which have a ceiling of their own; else plain http.client.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/doorstep"
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
ROUNDS, CLIENTS = 500, 16
Call = Callable[..., Any]


def plain_client(url: str) -> Call:
    connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def call(operation: str, **request: Any) -> Any:
        headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        connection.request("POST", "/", json.dumps(request), headers)
        return json.loads(connection.getresponse().read())

    return call


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


def once(call: Call, machine: str) -> None:
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    while call("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
        pass


def sequential(call: Call, machine: str) -> None:
    times = []
    began = time.perf_counter()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        once(call, machine)
        times.append(time.perf_counter() - start)
    rate = ROUNDS / (time.perf_counter() - began)
    times.sort()
    p50, p95 = (times[round(ROUNDS * share)] * 1000 for share in (0.5, 0.95))
    print(f"one after another: {rate:.0f}/s, p50 {p50:.2f} ms, p95 {p95:.2f} ms")


def together(client: Callable[[str], Call], url: str, machine: str) -> None:
    calls = [client(url) for _ in range(CLIENTS)]
    each = ROUNDS // CLIENTS

    def work(call: Call) -> None:
        for _ in range(each):
            once(call, machine)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{CLIENTS} clients: {each * CLIENTS / (time.perf_counter() - began):.0f}/s")


def long_history(call: Call, machine: str) -> None:
    arn = call("StartExecution", stateMachineArn=machine)["executionArn"]
    began = time.perf_counter()
    count, more = 0, {}
    while True:
        page = call("GetExecutionHistory", executionArn=arn, maxResults=1000, **more)
        count += len(page["events"])
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    print(f"history of {count} events: {time.perf_counter() - began:.2f} s")


def memory(process: int) -> str:
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return f"{int(found[1]) / 1024:.0f} MB" if found else "not known here"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default=str(Path(tempfile.mkdtemp()) / "bench.db"))
    parser.add_argument("--boto3", action="store_true")
    options = parser.parse_args()
    program = "from doorstep_cli.main import entry; entry()"
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--port", "0", "--db", options.db],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    plain_client(url)("ListStateMachines")
    print(f"first answer: {time.perf_counter() - began:.2f} s")
    client = boto3_client if options.boto3 else plain_client
    call = client(url)
    machines = {
        name: call(
            "CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        for name, definition in (("pass", ONE_PASS), ("endless", ENDLESS))
    }
    try:
        sequential(call, machines["pass"])
        together(client, url, machines["pass"])
        print(f"memory after {ROUNDS * 2} executions: {memory(server.pid)}")
        long_history(call, machines["endless"])
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
