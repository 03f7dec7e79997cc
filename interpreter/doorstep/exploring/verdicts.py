"""From what the runs showed to findings, in words that say what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ..definition import State
from ..jsontext import dumps
from ..quotas import EXPRESS, STANDARD
from .evidence import Evidence
from .findings import Finding, Place, Severity
from .flow import ABSENT, PARSED, get
from .goals import SURPRISE
from .mending import Broken
from .script import Script
from .search import Search
from .twice import Repeated, repeated

Check = Callable[[Evidence], bool]
"""Whether what a run showed is what the finding says."""
Verdict = tuple[Finding, Check | None]
"""A finding, with the check if a script shows it."""
_ASKS_CLOCK = re.compile(r"\$\$\.|\bcontext\b|\$(now|millis|random|uuid)\b")


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
            _mend(found),
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


def _mend(found: Broken) -> str:
    if isinstance(found.key, int):
        return f"there is no item {found.key}: ask with a Choice whether there is one"
    if found.key is PARSED:
        return "the text that is read is no JSON"
    if found.reads[0].startswith(f"${found.key}"):
        return f"no state on the way assigns ${found.key}"
    return (
        f"nothing on the way leaves {found.key!r}: let the catcher or task before keep its input "
        "with ResultPath, or ask with a Choice (IsPresent)"
    )


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


def endless(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Loops that go round with nothing changed."""
    for key, (script, loop) in evidence.loops.items():
        states = [search.subject.states[name] for name in loop]
        if _ends_in_time(search, states) or any(map(_asks_clock, states)):
            continue
        asked = [state.name for state in states if state.type in ("Task", "Parallel", "Map")]
        way = " → ".join([*loop, loop[0]])
        why = f"as long as {_same(asked)}" if asked else "for ever: nothing in it changes its data"
        finding = Finding(
            "endless",
            "warning" if asked else "error",
            f"{way} goes round {why}, {_until(search)}",
            [Place(states[0].pointer, " → ".join(loop))],
            "count the rounds and leave by a Choice, or give the machine TimeoutSeconds",
            script,
        )
        yield finding, _still("loops", key)


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
            f"{name} has no Default, and no rule may hold: the execution fails with States.Runtime",
            [Place(search.subject.states[name].pointer, name)],
            "add a Default, to a Fail state if nothing else fits",
            script,
        )
        yield finding, _still("no_rule", name)


def uncaught(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Errors that end the execution, those of all tasks in one finding."""
    handles = any("Catch" in state.fields for state in search.subject.states.values())
    severity: Severity = "warning" if handles else "note"
    any_error = {name: s for (name, error), s in evidence.uncaught.items() if error == SURPRISE}
    late = {
        name: script
        for (name, error), script in evidence.uncaught.items()
        if error == "States.Timeout" and name not in any_error
    }
    if any_error:
        told = "any error that no catcher names" if handles else "any error: there is no Catch"
        advice = "catch States.ALL, or leave it so if failing is what you want"
        yield _uncaught(search, severity, any_error, told, SURPRISE, advice)
    if late:
        told = "a timeout, although other errors are caught"
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
        f"{_tasks(order)} the execution with {told}",
        [Place(states[name].pointer, name) for name in order],
        advice,
        found[first],
    )
    return finding, _still("uncaught", (first, error))


def _tasks(names: Sequence[str]) -> str:
    return f"{names[0]} fails" if len(names) == 1 else f"these {len(names)} tasks fail"


def twice(search: Search, _: Evidence) -> Iterator[Verdict]:
    """Tasks whose work may be done twice; those with arguments that say nothing of it apart."""
    found = list(repeated(search.subject))
    spelt = [one for one in found if one.known]
    whole = [one for one in found if not one.known]
    if spelt:
        told = "nothing in the arguments tells a repetition"
        advice = (
            "pass an id that stays the same, such as $$.Execution.Id, and let the worker refuse "
            "what it has done already"
        )
        yield _twice("warning", spelt, told, advice)
    if whole:
        told = "the whole input is handed on, so that only the handler can tell"
        advice = "look at it, or have it called twice: --handlers PATH"
        yield _twice("note", whole, told, advice)


def _twice(severity: Severity, found: Sequence[Repeated], told: str, advice: str) -> Verdict:
    places = [
        Place(
            one.retrier.pointer,
            f"{one.state.name} (the retrier of {one.around})" if one.around else one.state.name,
        )
        for one in found
    ]
    many = f"{len(found)} tasks" if len(found) > 1 else found[0].state.name
    message = f"{many} may be carried out twice, when an answer is lost: {told}"
    return Finding("twice", severity, message, places, advice), None


def needs(search: Search, evidence: Evidence) -> Iterator[Verdict]:
    """Data that are read without asking."""
    if not evidence.needs:
        return
    places = [
        Place(
            search.subject.states[name].pointer,
            f"{need.source}: {need.path}{f' ({need.kind})' if need.kind else ''}, for {name}",
        )
        for need, name in evidence.needs.items()
    ]
    message = "these data are read without asking whether they are there; without them it fails"
    yield Finding("needs", "note", message, places), None


VERDICTS = (missing, broken, endless, no_rule, uncaught, twice, needs)
