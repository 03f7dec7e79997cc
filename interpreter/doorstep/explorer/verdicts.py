"""What the runs of a search showed, and the findings that follow from it.

Evidence has each fact with the first script that showed it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ..engine import EXPRESS, STANDARD
from ..history import Visit
from ..model import WORKING, State
from ..values.json_values import ABSENT, dumps
from . import flow_states
from .choices import fixed
from .data_repair import (
    ImpossibleRead,
    MissingValue,
    data_failures,
    impossible_read,
    missing_values,
    reads_outside_data,
)
from .findings import INPUT, Finding, FindingPlace, Origin, Script, Severity
from .flow import PARSED, TEXT, Put, Read, expression, get, path_text
from .run import Loop, Run, RunStep, Trace
from .search import UNEXPECTED, Search

# Evidence -----------------------------------------------------------------------------------------

_EXCEEDED = "States.ExceedToleratedFailureThreshold"
_NO_RULE = "Failed to transition out of the state"
"""In the cause of a Choice without Default none of whose rules matched (recorded)."""


@dataclass(frozen=True, slots=True)
class FailedState:
    """A state that failed over its data, although none was missing."""

    script: Script
    cause: str
    outside: bool
    """Whether any of what it reads comes from outside of the definition."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Data that a state reads without checking for it."""

    source: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class UncertainValue:
    """Data that must be in the input on one path, while on another a state outputs it."""

    script: Script
    writer: str
    read: str


@dataclass(slots=True)
class Evidence:
    """All that runs showed."""

    missing: dict[tuple[str, str], tuple[Script, ImpossibleRead]] = field(default_factory=dict)
    """By state and field."""
    failed: dict[str, FailedState] = field(default_factory=dict)
    unsure: dict[tuple[str, str], UncertainValue] = field(default_factory=dict)
    """By the state that reads, and the one that outputs the data on another path."""
    loops: dict[frozenset[str], Loop] = field(default_factory=dict)
    """By their states."""
    uncaught: dict[tuple[str, str], Script] = field(default_factory=dict)
    """By task and error."""
    no_rule: dict[str, Script] = field(default_factory=dict)
    choices: dict[str, RunStep] = field(default_factory=dict)
    """A visit of each Choice."""
    needs: dict[Requirement, str] = field(default_factory=dict)
    """Each with a state that reads it."""
    success: tuple[Script | None, set[str]] = (None, set())
    """The script with which the execution succeeds after the most states, and these states; one
    in which no task fails, if there is one.
    """

    ends: dict[str, Script] = field(default_factory=dict)
    """By the state with which the workflow comes to an end of its own."""

    def add(self, run: Run) -> None:
        """Add what a run showed."""
        if end := run.end:
            self.ends.setdefault(end, run.script)
        if run.execution.status == "SUCCEEDED":
            self.success = max(self.success, (run.script, run.entered), key=_smoothness)
        for step in run.steps():
            if step.state.type == "Choice":
                self.choices.setdefault(step.state.name, step)
        self._add_failures(run)
        if loop := run.loop:
            self.loops.setdefault(frozenset(loop.states), loop)
        for error in (UNEXPECTED, "States.Timeout"):
            if state := uncaught_by(run, error):
                self.uncaught.setdefault((state, error), run.script)

    def _add_failures(self, run: Run) -> None:
        for failure in data_failures(run):
            name = failure.step.state.name
            if _NO_RULE in failure.cause:
                # The latest: values of the right type are tried after those that are made up.
                self.no_rule[name] = run.script
                continue
            missing = missing_values(failure)
            for one in missing:
                self.needs.setdefault(_requirement(one.origin, one.example), name)
                if other := _other_writer(failure.step, one):
                    self.unsure.setdefault((name, other[0]), UncertainValue(run.script, *other))
            if missing:
                continue
            if impossible := impossible_read(failure):
                self.missing.setdefault((name, impossible.field), (run.script, impossible))
            outside = reads_outside_data(failure)
            self.failed.setdefault(name, FailedState(run.script, failure.cause, outside))


def _requirement(origin: Origin, example: object) -> Requirement:
    keys = tuple(0 if isinstance(key, int) else key for key in origin.keys if key is not TEXT)
    path = path_text("$", keys).replace("[0]", "[*]")
    types = {list: "an array", int: "a number", bool: "true or false", dict: "an object"}
    return Requirement(str(origin.source), path, types.get(type(example), ""))


def _smoothness(success: tuple[Script | None, set[str]]) -> tuple[bool, int]:
    script, entered = success
    answers = [one for some in script.answers.values() for one in some] if script else []
    return not any(one.failed or one.output is ABSENT for one in answers), len(entered)


def _other_writer(step: RunStep, missing: MissingValue) -> tuple[str, str] | None:
    """Return a state before this one on another path that outputs the data, and what is read."""
    subject, reader, read = step.run.subject, step.state.name, missing.read
    if missing.origin.source != INPUT or not isinstance(read, Read) or read.root != "input":
        return None
    for name, state in subject.states.items():
        if reader in subject.after[name] and name not in subject.after[reader]:
            put = (one.output for one in flow_states.exits(state) if isinstance(one.output, Put))
            if any(one.keys == read.keys[: len(one.keys)] for one in put):
                return name, expression(read, jsonata=step.state.jsonata)
    return None


def uncaught_by(run: Run, error: str) -> str | None:
    """Return the task whose failure with an error ended the execution."""
    execution = run.execution
    if execution.status != "FAILED" or execution.error not in (error, _EXCEEDED):
        return None
    for step in reversed(run.steps()):
        visit, task = step.visit, step.state.type == "Task"
        if task and error in visit.errors and not _taken(step.trace, visit):
            return step.state.name
    return None


def _taken(trace: Trace, visit: Visit) -> bool:
    """Return whether a catcher took a visit's failure, there or further out."""
    if any(one.exited for one in visit.outward()):
        return True
    return trace.parent is not None and _taken(trace.parent[0], trace.parent[0].started(trace))


# Findings -----------------------------------------------------------------------------------------

ShownFinding = tuple[Finding, str, object]
"""A finding, and what has to be in the evidence of a run that shows it: a field, a key in it."""
_ASKS_CLOCK = re.compile(r"(\$\$|\bcontext)\.(?!Execution\b)|\$(now|millis|random|uuid)\b")


def missing(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find states that read what can't be there."""
    for key, (script, read) in evidence.missing.items():
        state = search.subject.states[key[0]]
        reads = " and ".join(read.reads)
        are = "is" if len(read.reads) == 1 else "are"
        finding = Finding(
            "missing",
            "error",
            f"{state.name} reads {reads}, which {are} missing on this path",
            [FindingPlace(_pointer(state, read.field), f"{read.field} of {state.name}")],
            _fix(state, read),
            script,
        )
        yield finding, "missing", key


def _pointer(state: State, field: str) -> str:
    """Return the JSON Pointer of a field, as far as the definition has it."""
    value, pointer = state.fields, state.pointer
    for name in field.split("/"):
        value = get(value, (int(name) if name.isdecimal() else name,))
        if value is ABSENT:
            break
        pointer += f"/{name}"
    return pointer


def _fix(state: State, read: ImpossibleRead) -> str:
    if isinstance(read.key, int):
        return f"the array has no item {read.key}: check for it with a Choice"
    if read.key is PARSED:
        return "the text that it reads is not JSON"
    if read.reads[0].startswith(f"${read.key}"):
        return f"no state on this path assigns ${read.key}"
    how = "in a variable (Assign)" if state.jsonata else "with ResultPath"
    check = "$exists" if state.jsonata else "IsPresent"
    return f"preserve it on this path {how}, or check for it with a Choice ({check})"


def broken(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find states that failed with all data."""
    known = {name for name, _ in evidence.missing}
    for name, failed in evidence.failed.items():
        if name in known or search.passed(name):
            continue
        how = "fails with all data that was tried" if failed.outside else "always fails"
        finding = Finding(
            "broken",
            "note" if failed.outside else "error",
            f"{name} {how}: {_short(failed.cause)}",
            [FindingPlace(search.subject.states[name].pointer, name)],
            script=failed.script,
        )
        yield finding, "failed", name


def _short(cause: str) -> str:
    return re.sub(
        r"^An error occurred while executing the state .*?\(entered at .*?\)\. ", "", cause
    )


def unsure(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find states that read what another one outputs, on a path without that one."""
    for key, value in evidence.unsure.items():
        state = search.subject.states[key[0]]
        finding = Finding(
            "missing",
            "warning",
            f"{state.name} reads {value.read}, which {value.writer} outputs, but on another path",
            [FindingPlace(state.pointer, state.name)],
            "output it on this path too, unless the input always has it",
            value.script,
        )
        yield finding, "unsure", key


def endless(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find loops that continue with nothing changed, or with no end in sight."""
    for key, loop in evidence.loops.items():
        states = [search.subject.states[name] for name in loop.states]
        left = any(_leaves(search, name, key) for name in loop.states)
        if (loop.rounds and left) or _ends_by_clock(search, states):
            continue
        severity, description = _describe(search, evidence, loop, left=left)
        finding = Finding(
            "endless",
            severity,
            f"{' → '.join([*loop.states, loop.states[0]])} {description}",
            [FindingPlace(states[0].pointer, loop.states[0])],
            "count the iterations and exit with a Choice, or give the workflow TimeoutSeconds",
            loop.script,
        )
        yield finding, "loops", key


def _leaves(search: Search, name: str, loop: Collection[str]) -> bool:
    """Return whether some run left a loop at a state other than by a catcher."""
    transitions = search.subject.parts[name].transitions.items()
    return any(
        target not in loop and "/Catch/" not in item.pointer and item in search.reached
        for target, item in transitions
    )


def _describe(
    search: Search, evidence: Evidence, loop: Loop, *, left: bool
) -> tuple[Severity, str]:
    if loop.rounds:
        return "warning", f"had not ended after {loop.rounds} iterations, and no run left it"
    states = [search.subject.states[name] for name in loop.states]
    working = [state.name for state in states if state.type in WORKING]
    choices = [evidence.choices[state.name] for state in states if state.type == "Choice"]
    if not working or (choices and not left and all(map(fixed, choices))):
        return "error", f"loops with nothing to end it, {_until(search)}"
    same = "its tasks return the same answers"
    if len(working) == 1:
        same = f"{working[0]} returns the same answer"
    return "warning", f"loops as long as {same}, {_until(search)}"


def _ends_by_clock(search: Search, states: Sequence[State]) -> bool:
    """Return whether time ends a loop, though virtual time may not get there in a run."""
    limited = search.subject.type == "EXPRESS" or "TimeoutSeconds" in search.subject.definition
    if limited and any(state.type in ("Wait", "Task") for state in states):
        return True
    choices = [state for state in states if state.type == "Choice"]
    return any(_ASKS_CLOCK.search(dumps(state.fields["Choices"])) for state in choices)


def _until(search: Search) -> str:
    if search.subject.type == "EXPRESS":
        return f"until the execution times out after {EXPRESS.execution_seconds // 60} minutes"
    return f"until the history is full ({STANDARD.history_events:,} events)"


def no_rule(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find Choices without Default whose rules may all fail to match."""
    for name, script in evidence.no_rule.items():
        finding = Finding(
            "no-rule",
            "warning",
            f"{name} has no Default; when no rule matches, the execution fails (States.Runtime)",
            [FindingPlace(search.subject.states[name].pointer, name)],
            "add a Default, to a Fail state if nothing else fits",
            script,
        )
        yield finding, "no_rule", name


def uncaught(search: Search, evidence: Evidence) -> Iterator[ShownFinding]:
    """Find errors that end the execution, those of all tasks in one finding."""
    handles = any(state.catchers for state in search.subject.states.values())
    severity: Severity = "warning" if handles else "note"
    any_error = {name: s for (name, error), s in evidence.uncaught.items() if error == UNEXPECTED}
    late = {
        name: script
        for (name, error), script in evidence.uncaught.items()
        if error == "States.Timeout" and name not in any_error
    }
    if any_error:
        what = "an unexpected error" if handles else "any error"
        advice = "catch States.ALL, unless the execution should fail"
        yield _uncaught(search, severity, any_error, what, UNEXPECTED, advice)
    if late:
        advice = "States.TaskFailed does not match States.Timeout: name it, or States.ALL"
        yield _uncaught(search, "warning", late, "a timeout", "States.Timeout", advice)


def _uncaught(
    search: Search,
    severity: Severity,
    scripts: dict[str, Script],
    what: str,
    error: str,
    advice: str,
) -> ShownFinding:
    states = search.subject.states
    order = [name for name in states if name in scripts]
    first = order[0]
    tasks = first if len(order) == 1 else f"these {len(order)} tasks"
    finding = Finding(
        "uncaught",
        severity,
        f"nothing catches {what} of {tasks}",
        [FindingPlace(states[name].pointer, name) for name in order],
        advice,
        scripts[first],
    )
    return finding, "uncaught", (first, error)


def needs(search: Search, evidence: Evidence) -> Iterator[Finding]:
    """Find data that is read without a check for it."""
    places = [
        FindingPlace(
            search.subject.states[name].pointer,
            f"{need.source}: {need.path}{f' ({need.kind})' if need.kind else ''}, for {name}",
        )
        for need, name in evidence.needs.items()
    ]
    if places:
        message = "the workflow fails without this data, and does not check for it"
        yield Finding("needs", "note", message, places)


VERDICTS = (missing, unsure, broken, endless, no_rule, uncaught)
