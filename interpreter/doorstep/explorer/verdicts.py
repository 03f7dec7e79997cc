"""From what the runs showed to findings, in words that say what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from ..engine import EXPRESS, STANDARD
from ..model.definition import State
from ..model.state_types import WORKING
from ..values.json_values import dumps
from .evidence import Evidence, Loop
from .findings import Finding, Place, Severity
from .flow import ABSENT, PARSED, get
from .goals import SURPRISE, fixed
from .mending import Broken
from .script import Script
from .search import Search

Check = Callable[[Evidence], bool]
"""Whether what a run showed is what the finding says."""
Verdict = tuple[Finding, Check]
"""A finding that a script shows."""
_ASKS_CLOCK = re.compile(r"(\$\$|\bcontext)\.(?!Execution\b)|\$(now|millis|random|uuid)\b")


def missing(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """States that read what can't be there."""
    for key, (script, found) in evidence.missing.items():
        state = search.subject.states[key[0]]
        reads = " and ".join(found.reads)
        are = "is" if len(found.reads) == 1 else "are"
        finding = Finding(
            "missing",
            "error",
            f"{state.name} reads {reads}, which {are} not there on this way to it",
            [Place(_pointer(state, found.field), f"{found.field} of {state.name}")],
            _mend(state, found),
            script,
        )
        yield finding, _still("missing", key)


def _still(what: str, key: object) -> Check:
    """Whether the evidence of another run has the same."""
    return lambda seen: key in getattr(seen, what)


def _pointer(state: State, field: str) -> str:
    """The JSON Pointer of a field, as far as the definition has it."""
    value, pointer = state.fields, state.pointer
    for name in field.split("/"):
        value = get(value, (int(name) if name.isdecimal() else name,))
        if value is ABSENT:
            break
        pointer += f"/{name}"
    return pointer


def _mend(state: State, found: Broken) -> str:
    if isinstance(found.key, int):
        return f"there is no item {found.key}: ask with a Choice whether there is one"
    if found.key is PARSED:
        return "the text that is read is no JSON"
    if found.reads[0].startswith(f"${found.key}"):
        return f"no state on the way assigns ${found.key}"
    kept = "in a variable (Assign)" if state.jsonata else "with ResultPath"
    asked = "$exists" if state.jsonata else "IsPresent"
    return f"keep it on the way here {kept}, or ask for it with a Choice ({asked})"


def broken(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """States that failed whatever data they had."""
    known = {name for name, _ in evidence.missing}
    for name, failed in evidence.failed.items():
        if name in known or search.passed(name):
            continue
        told = "with all the data that were tried" if failed.fed else "whatever it is given"
        finding = Finding(
            "broken",
            "note" if failed.fed else "error",
            f"{name} fails {told}: {_short(failed.cause)}",
            [Place(search.subject.states[name].pointer, name)],
            script=failed.script,
        )
        yield finding, _still("failed", name)


def _short(cause: str) -> str:
    return re.sub(
        r"^An error occurred while executing the state .*?\(entered at .*?\)\. ", "", cause
    )


def unsure(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """States that read what another one leaves, on a way that does not lead past that one."""
    for key, found in evidence.unsure.items():
        state = search.subject.states[key[0]]
        finding = Finding(
            "missing",
            "warning",
            f"{state.name} reads {found.read}, which {found.leaving} leaves, but on another way",
            [Place(state.pointer, state.name)],
            "have this way leave it too, unless the input always has it",
            found.script,
        )
        yield finding, _still("unsure", key)


def endless(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Loops that go round with nothing changed, or with no end in sight."""
    for key, loop in evidence.loops.items():
        states = [search.subject.states[name] for name in loop.states]
        left = any(_leaves(search, name, key) for name in loop.states)
        if (loop.rounds and left) or _ends_in_time(search, states) or any(map(_asks_clock, states)):
            continue
        severity, told = _round(search, evidence, loop, left=left)
        finding = Finding(
            "endless",
            severity,
            f"{' → '.join([*loop.states, loop.states[0]])} {told}",
            [Place(states[0].pointer, loop.states[0])],
            "count the rounds and leave by a Choice, or give the machine TimeoutSeconds",
            loop.script,
        )
        yield finding, _still("loops", key)


def _leaves(search: Search, name: str, loop: Collection[str]) -> bool:
    """Whether some run left a loop at a state, by no catcher."""
    ways = search.subject.parts[name].transitions.items()
    return any(
        target not in loop and "/Catch/" not in item.pointer and item in search.reached
        for target, item in ways
    )


def _round(search: Search, evidence: Evidence, loop: Loop, *, left: bool) -> tuple[Severity, str]:
    if loop.rounds:
        return "warning", f"had not ended after {loop.rounds} rounds, and no run left it"
    states = [search.subject.states[name] for name in loop.states]
    asked = [state.name for state in states if state.type in WORKING]
    choices = [evidence.choices[state.name] for state in states if state.type == "Choice"]
    if not asked or (choices and not left and all(map(fixed, choices))):
        return "error", f"goes round with nothing to end it, {_until(search)}"
    return "warning", f"goes round as long as {_same(asked)}, {_until(search)}"


def _same(asked: Sequence[str]) -> str:
    if len(asked) == 1:
        return f"{asked[0]} gives the same answer"
    return "its tasks give the same answers"


def _ends_in_time(search: Search, states: Sequence[State]) -> bool:
    limited = search.subject.type == "EXPRESS" or "TimeoutSeconds" in search.subject.definition
    return limited and any(state.type in ("Wait", "Task") for state in states)


def _asks_clock(state: State) -> bool:
    return state.type == "Choice" and bool(_ASKS_CLOCK.search(dumps(state.fields["Choices"])))


def _until(search: Search) -> str:
    if search.subject.type == "EXPRESS":
        return f"until the execution's {EXPRESS.execution_seconds // 60} minutes are over"
    return f"until the history is full ({STANDARD.history_events:,} events)"


def no_rule(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Choices that may find no way on."""
    for name, script in evidence.no_rule.items():
        finding = Finding(
            "no-rule",
            "warning",
            f"{name} has no Default; when no rule holds, the execution fails (States.Runtime)",
            [Place(search.subject.states[name].pointer, name)],
            "add a Default, to a Fail state if nothing else fits",
            script,
        )
        yield finding, _still("no_rule", name)


def uncaught(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Errors that end the execution, those of all tasks in one finding."""
    handles = any(state.catchers for state in search.subject.states.values())
    severity: Severity = "warning" if handles else "note"
    any_error = {name: s for (name, error), s in evidence.uncaught.items() if error == SURPRISE}
    late = {
        name: script
        for (name, error), script in evidence.uncaught.items()
        if error == "States.Timeout" and name not in any_error
    }
    if any_error:
        told = "an unexpected error" if handles else "any error"
        advice = "catch States.ALL, or leave it so if failing is what you want"
        yield _uncaught(search, severity, any_error, told, SURPRISE, advice)
    if late:
        told = "a timeout"
        advice = "States.TaskFailed does not take States.Timeout: name it, or States.ALL"
        yield _uncaught(search, "warning", late, told, "States.Timeout", advice)


def _uncaught(
    search: Search,
    severity: Severity,
    found: dict[str, Script],
    told: str,
    error: str,
    advice: str,
) -> Verdict:
    states = search.subject.states
    order = [name for name in states if name in found]
    first = order[0]
    finding = Finding(
        "uncaught",
        severity,
        f"nothing catches {told} of {_tasks(order)}",
        [Place(states[name].pointer, name) for name in order],
        advice,
        found[first],
    )
    return finding, _still("uncaught", (first, error))


def _tasks(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"these {len(names)} tasks"


def needs(search: Search, evidence: Evidence) -> Iterator[Finding]:
    """Data that are read without asking."""
    places = [
        Place(
            search.subject.states[name].pointer,
            f"{need.source}: {need.path}{f' ({need.kind})' if need.kind else ''}, for {name}",
        )
        for need, name in evidence.needs.items()
    ]
    if places:
        message = "it fails without these data; nothing asks whether they are there"
        yield Finding("needs", "note", message, places)


VERDICTS = (missing, unsure, broken, endless, no_rule, uncaught)
