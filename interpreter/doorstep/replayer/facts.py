"""Which fact a recorded event tells of: AWS's events turned back into what reached the execution.

| event | fact about the call, map run or timer that it follows |
|---|---|
| ActivityScheduled, or the failure in its place | looked up |
| ActivityStarted | picked up |
| TaskSubmitted | submitted |
| …Succeeded | succeeded |
| …Failed | failed |
| …TimedOut | due: its timeout, or its heartbeat where that came first |
| any, after a delay | due |
| ExecutionAborted, ExecutionTimedOut, ExecutionRedriven | stopped, due, redriven |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine.engine import EXECUTION
from ..engine.messages import Command, Fact, SetTimer, StartMapRun
from ..errors import InputError
from ..history.recorded import Entry
from ..jsonpath import ReferenceConflict, compile_reference
from ..map_runs.writers import export_result
from ..model.definition import State
from ..values.json_values import ABSENT, loads
from .comparing import ALIASES, EARLY
from .handing import HandedOut
from .recording import Recording

_OWN_FAILURE = "Doorstep."
"""How the errors begin by which we say that a run is set up wrong; nothing catches them."""

OF_THE_EXECUTION: Mapping[str, Callable[[Entry, float], Fact]] = {
    "ExecutionAborted": lambda entry, at: Fact("stopped", at, "", _why(entry)),
    "ExecutionTimedOut": lambda _, at: Fact("due", at, EXECUTION, "timeout"),
    "ExecutionRedriven": lambda _, at: Fact("redriven", at),
}

_ANSWERS: Mapping[str, Callable[[Entry, float, str], Fact]] = {
    "Started": lambda e, at, key: Fact("picked up", at, key, e.details.get("workerName")),
    "Submitted": lambda e, at, key: Fact("submitted", at, key, loads(e.text("output"))),
    "Succeeded": lambda e, at, key: Fact("succeeded", at, key, loads(e.text("output"))),
    "Failed": lambda e, at, key: Fact("failed", at, key, _why(e)),
}


def answer(entry: Entry, at: float, key: str, commands: Mapping[str, Command]) -> Fact | None:
    """The fact about a call's command that an event tells of; None if it is not about the call."""
    event_type = ALIASES.get(entry.type, entry.type)
    for family in ("LambdaFunction", "Activity", "Task"):
        what = event_type.removeprefix(family)
        if what == "TimedOut":
            timer = _expired(commands, at)
            return None if timer is None else Fact("due", at, key, timer.name)
        if what != event_type and what in _ANSWERS:
            return _ANSWERS[what](entry, at, key)
    return None


def _expired(commands: Mapping[str, Command], at: float) -> SetTimer | None:
    """The timer that ended a call; both leave the same event, and heartbeats leave none."""
    timers = [commands[name] for name in ("timeout", "heartbeat") if name in commands]
    due = [timer for timer in timers if isinstance(timer, SetTimer) and timer.at <= at + EARLY]
    return next(iter(due), None) or next((t for t in timers if isinstance(t, SetTimer)), None)


def map_run_result(
    entry: Entry,
    at: float,
    command: StartMapRun,
    state: State,
    recording: Recording,
    handed: HandedOut | None,
) -> Fact | None:
    """How a map run ended; its result is where it was exported to, or its children's outputs.

    Where these are not all known, it is read off the output of its state.
    """
    match entry.type:
        case "MapRunFailed":
            return Fact("failed", at, command.key, _why(entry))
        case "MapRunSucceeded":
            result = _exported(entry, command, recording)
            if result is ABSENT and handed:
                result = handed.result(is_shown(command, state))
            if result is ABSENT:
                result = _result(entry, command, state, recording)
            return Fact("succeeded", at, command.key, result)
    return None


def _exported(succeeded: Entry, command: StartMapRun, recording: Recording) -> Any:
    """Where a ResultWriter put it: below the map run's id, as the developer guide shows it."""
    if command.writer is None or command.writer.bucket is None:
        return ABSENT
    map_run = recording[succeeded.previous].details.get("mapRunArn", command.arn)
    return export_result(command.writer, map_run)


def is_shown(command: StartMapRun, state: State) -> bool:
    """Whether the result of a map run is known without its children."""
    exported = command.writer is not None and command.writer.bucket is not None
    changed = any(name in state.fields for name in ("Output", "ResultSelector", "OutputPath"))
    return exported or not changed


def _result(succeeded: Entry, command: StartMapRun, state: State, recording: Recording) -> Any:
    run = recording.visit(succeeded.id)
    exited = run.last if run else None
    if exited is None or exited.type != "MapStateExited":
        raise InputError(f"the history does not show what the map run of {state.name!r} gave")
    output = loads(exited.text("output"))
    fields = state.fields
    path = "$" if state.jsonata else fields.get("ResultPath", "$")
    if path is None:
        return None
    if not is_shown(command, state):
        raise InputError(
            f"the history does not hold the result of the map run of {state.name!r}: its Output, "
            "ResultSelector or OutputPath made something else of it. It can be made of the "
            "histories of all its children (--children), with the bucket of its items (--s3-root)"
        )
    try:
        return output if path == "$" else compile_reference(path).get(output)
    except ReferenceConflict as problem:
        raise InputError(f"the result of the map run of {state.name!r}: {problem}") from None


def _why(entry: Entry) -> dict[str, Any]:
    ours = str(entry.details.get("error", "")).startswith(_OWN_FAILURE)
    return entry.why | ({"final": True} if ours and entry.type != "ExecutionAborted" else {})
