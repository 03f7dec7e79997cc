"""What production needs after an execution was continued on this machine: redrive, or start anew.

A redrive continues a Standard execution where it failed, with the definition that it began with:
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html (facts 500 to 507).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorstep.history import Ending

_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")


def next_steps(
    about: Mapping[str, Any],
    folder: Path,
    *,
    end: Ending | None,
    succeeded: bool,
    further_back: bool,
    other_definition: bool,
) -> Iterator[str]:
    """Yield what is left to do for an execution that was fetched into a folder (`about.json`).

    `end`: its own; `succeeded`: here; `further_back`: it was continued from an earlier state;
    `other_definition`: with another than it began with.
    """
    arn, fail_state = about["arn"], _fail_state(end)
    yield f"this run was on this machine; {arn} is {about['status']} as before"
    if about["status"] not in _FAILED:
        return
    if not succeeded:
        if end and end.first_visit and fail_state and not further_back:
            outermost = list(end.first_visit.outward())[-1].name
            yield (
                f"it ended in the Fail state {fail_state}, and that alone runs again; add "
                f"--from {shlex.quote(outermost)} to run again what led there"
            )
        return
    why = _why_not_redrive(about, fail_state, further_back, other_definition)
    if why is None:
        run_again = about.get("parent") or arn
        whole = " the whole map run:" if about.get("parent") else ""
        yield f"to do the same in production: deploy what you changed, then redrive{whole}"
        yield _command(about, "redrive-execution", "--execution-arn", run_again)
    elif about.get("parent"):
        yield f"to do the same in production: deploy what you changed; {why}. It belongs to"
        yield f"  {about['parent']}"
    else:
        yield f"to do the same in production: deploy what you changed; {why}."
        yield "Start a new execution, and think of what this one has already done:"
        start = ("--state-machine-arn", about["stateMachineArn"])
        given = ("--input", f"file://{folder / 'input.json'}")
        yield _command(about, "start-execution", *start, *given)


def _fail_state(end: Ending | None) -> str | None:
    """Return the Fail state that ended an execution, unless it is in a Parallel or a Map."""
    if end and end.visit and not end.visit.parent and end.event.type == "FailStateEntered":
        return end.visit.name
    return None


def _why_not_redrive(
    about: Mapping[str, Any], fail_state: str | None, further_back: bool, other_definition: bool
) -> str | None:
    if about.get("redriveStatus") == "NOT_REDRIVABLE":
        return f"a redrive is refused ({about.get('redriveStatusReason', 'without a reason')})"
    if other_definition:
        return "a redrive would run the definition that it began with"
    if further_back:
        return "a redrive would continue where it failed, not where you did"
    if fail_state:
        return f"a redrive would run the Fail state {fail_state} alone"
    return None


def _command(about: Mapping[str, Any], action: str, *options: str) -> str:
    region = ("--region", about["arn"].split(":")[3])
    endpoint = ("--endpoint-url", about["endpoint"]) if about.get("endpoint") else ()
    return f"  {shlex.join(['aws', 'stepfunctions', action, *region, *endpoint, *options])}"
