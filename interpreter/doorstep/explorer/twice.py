"""Tasks that may be carried out twice: their answer was lost after the work had been done.

A task whose time runs out, or whose worker dies, may have done its work. A retrier that takes such
an error has it done again. That is harmless when it only reads, or when its arguments tell the
worker that it is the same work: an id of the execution, a condition, a client token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..coverage import Item
from ..engine import Invoke
from ..model.definition import State
from ..model.resource import Integration, integration
from ..runtime import Answer, Handlers, Running, call, context_of
from ..values.json_values import ABSENT, dumps
from .findings import Finding, Place, Severity
from .script import Script
from .subject import Subject

_LOSING = frozenset(
    ("States.ALL", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout")
)
_READING = re.compile(r"(batchGet|get|list|describe|head|query|scan|search|detect|select|lookup)")
_SAME = frozenset(
    ("dynamodb:putItem", "dynamodb:deleteItem", "s3:putObject", "s3:deleteObject", "s3:copyObject")
)
"""What a second time leaves as the first time did."""
_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
"""Methods of HTTP (RFC 9110, section 9.2.2)."""
_OF_EXECUTION = re.compile(r"Execution\.(Id|Name|StartTime)\b|State\.EnteredTime\b")
_TOKEN = re.compile(r"Task\.Token\b")
_KEY = re.compile(r"(?i:(?:^|[._])(?:id|key|uuid)$)|(?:Id|ID|Key)$")
_GIVEN = re.compile(r"(?i:idempoten|dedup|client_?(request_?)?token|conditionexpression)|^Name$")
_WHOLE = ("$", "$$.Execution.Input", "{% $states.input %}", "{% $states.context.Execution.Input %}")

_LACKING = "Doorstep."
"""Begins the errors that tell of a handler that is not there or does not load."""


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A task, and the retrier that may have its work done again."""

    state: State
    retrier: Item
    around: str
    """The Parallel or Map whose retrier it is; empty for the task's own."""
    known: bool
    """Whether the definition spells out what the worker is given, not just the whole input."""


def repeated(subject: Subject) -> Iterator[Finding]:
    """The tasks whose work may be done twice with nothing to tell."""
    found = list(_repeated(subject))
    if spelt := [one for one in found if one.known]:
        told = "no key in the arguments tells a repetition"
        advice = "pass the execution's id, by which the worker knows what it has done"
        yield _finding("warning", spelt, told, advice)
    if whole := [one for one in found if not one.known]:
        told = "given the whole input, only the handler can tell"
        yield _finding("note", whole, told, "look at it, or have it called twice: --handlers PATH")


def _finding(severity: Severity, found: list[_Repeated], told: str, advice: str) -> Finding:
    places = [
        Place(
            one.retrier.pointer,
            f"{one.state.name} (the retrier of {one.around})" if one.around else one.state.name,
        )
        for one in found
    ]
    many = f"{len(found)} tasks" if len(found) > 1 else found[0].state.name
    return Finding("twice", severity, f"{many} may be carried out twice: {told}", places, advice)


def _repeated(subject: Subject) -> Iterator[_Repeated]:
    for state in subject.states.values():
        if state.type != "Task" or _harmless(state):
            continue
        if found := _retrier(subject, state):
            given = _given(state)
            yield _Repeated(state, *found, known=given is not None and not _is_whole(given))


def _given(state: State) -> Any:
    return state.fields.get("Arguments" if state.jsonata else "Parameters")


def _is_whole(given: Any) -> bool:
    if isinstance(given, dict):
        return any(map(_is_whole, given.values()))
    return given in _WHOLE


def _retrier(subject: Subject, task: State) -> tuple[Item, str] | None:
    state: State | None = task
    while state:
        for retrier, item in subject.parts[state.name].retriers:
            if retrier.max_attempts and not _losing(task, state).isdisjoint(retrier.names):
                return item, "" if state is task else state.name
        state = subject.around[state.name]
    return None


def _losing(task: State, retried: State) -> frozenset[str]:
    called = integration(task.fields["Resource"])
    # A job that failed is over; only one that took too long may still be at work.
    job = called.pattern.startswith("sync") and task is retried
    return _LOSING - {"States.TaskFailed"} if job else _LOSING


def _harmless(state: State) -> bool:
    given = _given(state)
    return _may_repeat(integration(state.fields["Resource"]), given) or _tells(given)


def _may_repeat(called: Integration, given: Any) -> bool:
    verb = called.action.rpartition(":")[2]
    if verb == "invoke" and isinstance(given, dict) and given.get("Method") in _IDEMPOTENT:
        return True
    short = called.action.removeprefix("aws-sdk:")
    return bool(_READING.match(verb)) or short in _SAME


def _tells(given: Any, name: str = "") -> bool:
    """Whether arguments hold something that is the same when the work is done again."""
    match given:
        case dict():
            return any(_tells(member, key) for key, member in given.items())
        case list():
            return any(_tells(item, name) for item in given)
        case str():
            return _is_key(given, name)
    return False


def _is_key(text: str, name: str) -> bool:
    if _GIVEN.search(name.removesuffix(".$")) or _OF_EXECUTION.search(text):
        return True
    evaluated = name.endswith(".$") or is_expression(text)
    if not evaluated or _TOKEN.search(text):
        return False
    words = re.findall(r"[\w.]+", text.removesuffix("%}"))
    return bool(_KEY.search(name.removesuffix(".$"))) or any(map(_KEY.search, words))


@dataclass(slots=True)
class _Twice:
    """Calls handlers twice; the first answer counts."""

    handlers: Handlers
    differing: dict[str, tuple[Answer, Answer]] = field(default_factory=dict)

    def respond(self, execution: Running, invoke: Invoke) -> Answer | None:
        context = partial(context_of, execution.identity, remaining=lambda: 900.0, send=_nowhere)
        carry_out = partial(call, self.handlers, invoke, execution.identity, context)
        first = carry_out()
        if first.failed:
            return None if (first.error or "").startswith(_LACKING) else first
        second = carry_out()
        if second != first:
            self.differing.setdefault(invoke.state, (first, second))
        return None if first.output is ABSENT else first


def _nowhere(*_: object) -> None:
    """A callback that a handler sends: the script answers for it."""


def called_twice(subject: Subject, script: Script, handlers: Handlers) -> Iterator[Finding]:
    """The tasks whose second call goes otherwise than the first.

    Calls without a handler, and callbacks, are answered by the script.
    """
    twice = _Twice(handlers)
    subject.run(script, first=twice.respond)
    for name, (first, second) in twice.differing.items():
        message = (
            f"{name} {_outcome(second)} when it is carried out again; the first time it "
            f"{_outcome(first)}"
        )
        place = Place(subject.states[name].pointer, name)
        advice = "let the handler remember what it has done, by context.idempotency_key"
        yield Finding("twice", "warning", message, [place], advice)


def _outcome(answer: Answer) -> str:
    if answer.failed:
        return f"fails with {answer.error}"
    return "answers nothing" if answer.output is ABSENT else f"answers {dumps(answer.output)}"
