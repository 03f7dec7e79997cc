"""What `doorstep resume` says that production needs, for each kind of execution.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.history import Ending
from doorstep_cli.views.next_steps import next_steps

ARN = "arn:aws:states:eu-west-1:210987654321:execution:order:7"
MACHINE = "arn:aws:states:eu-west-1:210987654321:stateMachine:order"
REDRIVE = f"  aws stepfunctions redrive-execution --region eu-west-1 --execution-arn {ARN}"
START = (
    f"  aws stepfunctions start-execution --region eu-west-1 --state-machine-arn {MACHINE} "
    "--input file:///there/input.json"
)


def steps(end: Ending | None = None, **more: Any) -> list[str]:
    about = {"arn": ARN, "status": "FAILED", "stateMachineArn": MACHINE}
    options = {"succeeded": True, "further_back": False, "other_definition": False}
    about |= {name: more.pop(name) for name in list(more) if name not in options}
    return list(next_steps(about, Path("/there"), end=end, **{**options, **more}))


def test_a_fixed_function_is_deployed_and_the_execution_redriven() -> None:
    assert steps()[1:] == ["to do the same in production: deploy what you changed, then redrive",
                           REDRIVE]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "options"),
    [
        ("the definition that it began with", {"other_definition": True}),
        ("not where you did", {"further_back": True}),
        (
            "refused (Execution redrivable period exceeded)",
            {
                "redriveStatus": "NOT_REDRIVABLE",
                "redriveStatusReason": "Execution redrivable period exceeded",
            },
        ),
    ],
)
def test_where_a_redrive_would_not_do_it_a_new_execution_is_started(
    reason: str, options: dict[str, Any]
) -> None:
    lines = steps(**options)
    assert reason in lines[1]
    assert lines[-1] == START


def test_a_fail_state_alone_would_run_again(chain: Callable[..., Any]) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:pay",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}],
        "End": True,
    }
    definition = chain({"Pay": task})
    definition["States"]["Sorry"] = {"Type": "Fail", "Error": "Declined"}
    run = doorstep.run(definition, {}, {"pay": lambda _: 1 / 0})
    end = doorstep.moments({"events": run.history}).ending
    assert "--from Pay to run again what led there" in steps(end, succeeded=False)[-1]
    assert "would run the Fail state Sorry alone" in steps(end)[1]
    assert steps(end)[-1] == START


def test_a_child_is_redriven_with_its_map_run() -> None:
    parent = ARN.replace("order:7", "batch:1")
    lines = steps(parent=parent)
    assert "redrive the whole map run" in lines[1]
    assert lines[-1] == REDRIVE.replace(ARN, parent)


def test_what_succeeded_or_still_runs_needs_nothing() -> None:
    assert len(steps(status="RUNNING")) == len(steps(status="SUCCEEDED")) == 1
    assert len(steps(succeeded=False)) == 1
