"""What runs while the server is killed; and the handlers, which note every call.

Waits, retries, callbacks, delayed answers, nested executions, Map, Parallel and map runs.
"""

from __future__ import annotations

from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine:"
INPUT = {"items": [1, 2, 3]}

HANDLERS = """
import json, os, pathlib, time

FOLDER = pathlib.Path(__file__).parent

def note(name, context, **more):
    call = {"key": context.idempotency_key, "attempt": context.attempt, "server": os.getpid()}
    with open(FOLDER / name, "ab", buffering=0) as file:
        file.write(json.dumps({**call, **more}).encode() + b"\\n")

def slow(event, context):
    note("calls", context)
    time.sleep(0.05)
    return event

def flaky(event, context):
    note("calls", context)
    if context.attempt < 2:
        raise ValueError("not yet")
    return {"attempts": context.attempt}

def ask(event, context):
    note("tokens", context, token=event["token"])

def contest(event, context):
    note("contested", context, token=event["token"], execution=event["execution"])
    if event["slow"]:
        time.sleep(0.2)

def later(event, context):
    import doorstep
    note("calls", context)
    return doorstep.answer("later", after=0.3)
"""


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def single(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


CHILD = {
    "StartAt": "Rest",
    "States": {"Rest": {"Type": "Wait", "Seconds": 1, "Next": "Do"}, "Do": task("slow", End=True)},
}
RETRY = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "BackoffRate": 1}]
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
}
NESTED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Parameters": {"StateMachineArn": MACHINES + "child", "Input": {"nested": True}},
    "ResultSelector": {"output.$": "$.Output"},
}
MAP_RUN = {
    "Type": "Map",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **single("Child", task("slow")),
    },
    "ItemsPath": "$.items",
    "MaxConcurrency": 2,
}
BRANCHES = [
    single("Rest", {"Type": "Wait", "Seconds": 1}),
    single("Flaky", task("flaky", Retry=RETRY)),
    single("Later", task("later")),
    single("Ask", ASK),
    single("Nested", NESTED),
    single("Run", MAP_RUN),
]
MAIN = {
    "StartAt": "All",
    "States": {
        "All": {"Type": "Parallel", "Branches": BRANCHES, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemProcessor": single("Item", task("slow")),
            "ItemsPath": "$[5]",
            "MaxConcurrency": 2,
            "Next": "Last",
        },
        "Last": task("slow", End=True),
    },
}
CONTESTED = single(
    "Contest",
    {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": "contest",
            "Payload": {
                "token.$": "$$.Task.Token",
                "execution.$": "$$.Execution.Id",
                "slow.$": "$$.Execution.Input",
            },
        },
        "TimeoutSeconds": 5,
    },
)
"""Its answers contradict each other, and some come too late."""
CLOCKS = ("real", "virtual", "60")
"""There is a state machine for each."""
DEFINITIONS = {
    "child": ("real", CHILD),
    "contested": ("real", CONTESTED),
    **{f"main-{clock}": (clock, MAIN) for clock in CLOCKS},
}
"""By name: the clock and the definition."""
