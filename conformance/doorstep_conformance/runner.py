"""Doorstep's answers to cases, in the shapes of the API. AWS's recording is never read."""

from __future__ import annotations

import os
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import doorstep
from doorstep import Answer, ApiError, DefinitionError, Execution, InputError
from doorstep.engine.messages import Invoke
from doorstep.runtime import OnEvent, Running
from doorstep.validation import check
from doorstep.values.json_values import ABSENT, dumps, loads

from .cases import Case, CaseKind, load_cases

SEED = "conformance"
"""Fixes names, UUIDs and times: every run of a case begins at 2025-01-01T00:00:00Z."""

GroupIndexes = tuple[int, ...]
"""The number of the branch or iteration in each group around a state, from the outside in."""
_GROUP = re.compile(r"\.(\d+)/")
"""Matches these numbers in a command's key."""
_WRITTEN = 1_735_689_600
"""When objects were last modified, in epoch seconds: the same case has the same answer."""
_MOST_DIAGNOSTICS = 100


def run_cases(directory: Path) -> Iterator[dict[str, Any]]:
    """Yield the answers to all cases below a directory, {"id": …, **answer}, sorted by id."""
    for case in load_cases(directory):
        yield {"id": case.id, **answer(case)}


def answer(case: Case) -> dict[str, Any]:
    """Return Doorstep's answer to a case.

    | kind | answer |
    |---|---|
    | history | GetExecutionHistory's: {"events": […]} |
    | sync | of StartSyncExecution's: {"status", "output" or "error" and "cause"} |
    | validate | ValidateStateMachineDefinition's: {"result", "diagnostics", "truncated"} |
    | create_error | {"Error": {"Code", "Message"}}; {} if nothing is wrong |

    {"crash": text} if Doorstep crashes.
    """
    try:
        return _ANSWERS[case.kind](case)
    except Exception as problem:  # noqa: BLE001  a crash is a finding about one case
        return {"crash": f"{type(problem).__name__}: {problem}"}


def execute(case: Case, on_event: OnEvent | None = None) -> Execution:
    """Run the case's definition to its end; its tasks return `task_outcomes`.

    With `handlers` they are called as a user's are, and services that Doorstep has answer.
    `on_event` is called with (execution, event) for every event, also of a map run's children.
    """
    with tempfile.TemporaryDirectory() as folder:
        lay_out(case.objects, Path(folder))
        handlers = None
        if case.handlers is not None:
            handlers = Path(folder) / "handlers.py"
            handlers.write_text("\n".join(case.handlers), "utf-8")
        return doorstep.run(
            case.definition,
            handlers=handlers,
            state_machines=case.machines,
            input_json=dumps(case.input),
            type=case.type,
            seed=SEED,
            s3_root=folder,
            # Recordings have masks such as activity_arn where the ARN stood.
            resource_names=True,
            on_event=on_event,
            respond=script(case.task_outcomes) if case.handlers is None else None,
        )


def _history(case: Case) -> dict[str, Any]:
    return {"events": execute(case).history}


def _sync(case: Case) -> dict[str, Any]:
    execution = execute(case)
    if execution.status == "SUCCEEDED":
        return {"status": execution.status, "output": dumps(execution.output)}
    failure = {"error": execution.error, "cause": execution.cause}
    present = {name: text for name, text in failure.items() if text is not None}
    return {"status": execution.status, **present}


def _validate(case: Case) -> dict[str, Any]:
    request = case.request or {}
    diagnostics = doorstep.validate(
        request["definition"],
        type=request.get("type", "STANDARD"),
        severity=request.get("severity", "ERROR"),
    )
    most = request.get("maxResults") or _MOST_DIAGNOSTICS
    return {
        "result": "FAIL" if any(one.severity == "ERROR" for one in diagnostics) else "OK",
        "diagnostics": [one.as_aws() for one in diagnostics[:most]],
        "truncated": len(diagnostics) > most,
    }


def _create_error(case: Case) -> dict[str, Any]:
    request = case.request or {}
    try:
        check(
            request["definition"],
            type=request.get("type", "STANDARD"),
            # As in histories: a mask may stand where the ARN stood.
            resource_names=True,
        )
    except DefinitionError as refused:
        return {"Error": {"Code": "InvalidDefinition", "Message": str(refused)}}
    return {}


def _test_state(case: Case) -> dict[str, Any]:
    try:
        return doorstep.test_state(case.request or {})
    except ApiError as refused:
        return refused.as_aws()


_ANSWERS: dict[CaseKind, Callable[[Case], dict[str, Any]]] = {
    "history": _history,
    "sync": _sync,
    "validate": _validate,
    "create_error": _create_error,
    "test_state": _test_state,
}


def script(
    outcomes: Mapping[str, list[Mapping[str, Any]]],
) -> Callable[[Running, Invoke], Answer]:
    """Return a function that answers the calls of each state with its outcomes, in order.

    Calls after the last outcome get no answer. An outcome with a `place` is reserved for the calls
    of that branch or iteration.
    """
    left: dict[tuple[str, GroupIndexes | None], deque[Mapping[str, Any]]] = {}
    for state, calls in outcomes.items():
        for call in calls:
            place = tuple(call["place"]) if "place" in call else None
            left.setdefault((state, place), deque()).append(call)

    def respond(_: Running, invoke: Invoke) -> Answer:
        place = tuple(map(int, _GROUP.findall(invoke.key)))
        calls = left.get((invoke.state, place)) or left.get((invoke.state, None))
        return _outcome(calls.popleft() if calls else {})

    return respond


def _outcome(outcome: Mapping[str, Any]) -> Answer:
    accepted = "submitted" in outcome
    response = _value(outcome["submitted"]) if accepted else ABSENT
    after = outcome.get("after", 0.0)
    if "output" in outcome:
        output = _value(outcome["output"])
        return Answer(output=output, after=after, response=response, accepted=accepted)
    if outcome.keys() & {"error", "cause", "failed_as"}:
        cause = outcome.get("cause")
        text = cause if cause is None or isinstance(cause, str) else dumps(cause)
        error = outcome.get("error")
        return Answer(
            failed=True, error=error, cause=text, after=after, response=response, accepted=accepted
        )
    return Answer(response=response, accepted=accepted)


def _value(value: Any) -> Any:
    """Return the value of a JSON text; other values unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return loads(value)
    except InputError:
        return value


def lay_out(objects: Iterable[Mapping[str, str]], folder: Path) -> None:
    """Write a case's objects into a folder, each below its bucket's name."""
    for stored in objects:
        path = (folder / stored["bucket"] / stored["key"]).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InputError(f"the object {stored['key']!r} is outside its bucket.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored["body"].encode())
        os.utime(path, (_WRITTEN, _WRITTEN))
