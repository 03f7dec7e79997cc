"""Tasks that may run twice: their answer was lost after the work had been done.

A task whose time runs out, or whose worker dies, may have done its work. A retrier that matches
such an error runs it again. That is harmless when it only reads, or when its arguments let the
worker recognize the same work: an id of the execution, a condition, a client token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..coverage import Item
from ..engine import Invoke
from ..model import Integration, State, integration
from ..runtime import Answer, Handlers, Running, call_apart, comparable
from ..values.json_values import ABSENT, dumps
from .findings import Finding, FindingPlace, Script, Severity
from .run import Subject

_LOSING = frozenset(
    ("States.ALL", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout")
)
"""Names that match errors after which nobody knows whether the work was done."""
_READING = re.compile(r"(batchGet|get|list|describe|head|query|scan|search|detect|select|lookup)")
"""Verbs of actions that change nothing, as AWS's APIs name them."""
_SAME = frozenset(
    ("dynamodb:putItem", "dynamodb:deleteItem", "s3:putObject", "s3:deleteObject", "s3:copyObject")
)
"""Actions that replace or delete one named thing: a second time changes nothing more."""
_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
"""Idempotent methods of HTTP (RFC 9110, section 9.2.2)."""
_OF_EXECUTION = re.compile(r"Execution\.(Id|Name|StartTime)\b|State\.EnteredTime\b")
"""Members of the context object that are the same in every attempt of a visit."""
_TOKEN = re.compile(r"Task\.Token\b")
"""The task token, which every attempt has anew."""
_KEY = re.compile(r"(?i:(?:^|[._])(?:id|key|uuid)$)|(?:Id|ID|Key)$")
"""Names of members that identify the work by convention: order_id, orderId, key."""
_CONDITION = re.compile(
    r"(?i:idempoten|dedup|client_?(request_?)?token|conditionexpression)|^Name$"
)
"""Arguments by which AWS's services recognize or refuse a repetition: a ClientToken, a condition, a
MessageDeduplicationId; StartExecution refuses the Name of another input.
"""
_WHOLE = ("$", "$$.Execution.Input", "{% $states.input %}", "{% $states.context.Execution.Input %}")
_NO_HANDLER = "Doorstep."
"""Begins the errors of a handler that is missing or does not load."""


@dataclass(frozen=True, slots=True)
class _RepeatableTask:
    """A task, and the retrier that may run it again."""

    state: State
    retrier: Item
    around: str
    """The Parallel or Map whose retrier it is; empty for the task's own."""
    known: bool
    """Whether the definition spells out the task's arguments, instead of the whole input."""


def repeated(subject: Subject) -> Iterator[Finding]:
    """Find the tasks that may run twice without recognizing it."""
    tasks = list(_repeated(subject))
    if spelt_out := [one for one in tasks if one.known]:
        reason = "no key in the arguments identifies the work"
        advice = "pass the execution's id, so that the worker can recognize a repetition"
        yield _finding("warning", spelt_out, reason, advice)
    if whole := [one for one in tasks if not one.known]:
        reason = "it gets the whole input, and only the handler can recognize a repetition"
        advice = "check the handler, or call it twice with --handlers PATH"
        yield _finding("note", whole, reason, advice)


def _finding(severity: Severity, tasks: list[_RepeatableTask], reason: str, advice: str) -> Finding:
    places = [
        FindingPlace(
            one.retrier.pointer,
            f"{one.state.name} (the retrier of {one.around})" if one.around else one.state.name,
        )
        for one in tasks
    ]
    many = f"{len(tasks)} tasks" if len(tasks) > 1 else tasks[0].state.name
    return Finding("twice", severity, f"{many} may run twice: {reason}", places, advice)


def _repeated(subject: Subject) -> Iterator[_RepeatableTask]:
    for state in subject.states.values():
        if state.type != "Task" or _harmless(state):
            continue
        if retrier := _retrier(subject, state):
            arguments = state.arguments
            known = arguments is not None and not _has_whole_input(arguments)
            yield _RepeatableTask(state, *retrier, known=known)


def _has_whole_input(arguments: Any) -> bool:
    if isinstance(arguments, dict):
        return any(map(_has_whole_input, arguments.values()))
    return arguments in _WHOLE


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
    arguments = state.arguments
    return _may_repeat(integration(state.fields["Resource"]), arguments) or _identifies(arguments)


def _may_repeat(called: Integration, arguments: Any) -> bool:
    verb = called.action.rpartition(":")[2]
    if verb == "invoke" and isinstance(arguments, dict) and arguments.get("Method") in _IDEMPOTENT:
        return True
    short = called.action.removeprefix("aws-sdk:")
    return bool(_READING.match(verb)) or short in _SAME


def _identifies(arguments: Any, name: str = "") -> bool:
    """Return whether arguments have something that is the same when the work is done again."""
    match arguments:
        case dict():
            return any(_identifies(member, key) for key, member in arguments.items())
        case list():
            return any(_identifies(item, name) for item in arguments)
        case str():
            return _is_key(arguments, name)
    return False


def _is_key(text: str, name: str) -> bool:
    if _CONDITION.search(name.removesuffix(".$")) or _OF_EXECUTION.search(text):
        return True
    evaluated = name.endswith(".$") or is_expression(text)
    if not evaluated or _TOKEN.search(text):
        return False
    words = re.findall(r"[\w.]+", text.removesuffix("%}"))
    return bool(_KEY.search(name.removesuffix(".$"))) or any(map(_KEY.search, words))


@dataclass(slots=True)
class _DoubleCalls:
    """Calls handlers twice; the first answer counts."""

    handlers: Handlers
    differing: dict[str, tuple[Answer, Answer]] = field(default_factory=dict)

    def respond(self, execution: Running, invoke: Invoke) -> Answer | None:
        # Callbacks that the handler sends are dropped: the script answers instead.
        first = call_apart(self.handlers, invoke, execution.identity)
        if first.failed:
            return None if (first.error or "").startswith(_NO_HANDLER) else first
        second = call_apart(self.handlers, invoke, execution.identity)
        if _essence(second) != _essence(first):
            self.differing.setdefault(invoke.state, (first, second))
        return None if first.output is ABSENT else first


def called_twice(subject: Subject, script: Script, handlers: Handlers) -> Iterator[Finding]:
    """Find the tasks whose second call has another outcome than the first.

    Calls without a handler, and callbacks, are answered by the script.
    """
    twice = _DoubleCalls(handlers)
    subject.run(script, first=twice.respond)
    for name, (first, second) in twice.differing.items():
        message = (
            f"{name} {_outcome(second)} when it runs again; the first time it {_outcome(first)}"
        )
        place = FindingPlace(subject.states[name].pointer, name)
        advice = "have the handler recognize finished work by context.idempotency_key"
        yield Finding("twice", "warning", message, [place], advice)


def _essence(answer: Answer) -> Any:
    if answer.failed:
        return comparable({"error": answer.error, "cause": answer.cause})
    return comparable({"output": answer.output})


def _outcome(answer: Answer) -> str:
    if answer.failed:
        return f"fails with {answer.error}"
    return "returns nothing" if answer.output is ABSENT else f"returns {dumps(answer.output)}"
