"""The checks by code, in the order in which they are reported, and how one is silenced.

    CHECKS["RETRY_LAMBDA"]  what it looks for, why, the source, and what to do
    advise(definition)      what they find

A state whose Comment says `doorstep: ignore CODE` is left alone by that check, and so is the whole
machine whose own Comment says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..errors import Diagnostic
from ..model import Workflow, workflow
from . import loops, payloads, tasks

_DOCS = "https://docs.aws.amazon.com/step-functions/latest/dg"
_IGNORED = re.compile(r"doorstep:\s*ignore\s+([A-Z_][A-Z_, ]*)")
Findings = Iterator[tuple[str, str]]
"""JSON Pointers, each with what was found there."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of advice."""

    title: str
    reason: str
    """Why it matters."""
    cure: str
    source: str
    find: Callable[[Workflow, str | None], Findings]
    """Looks through a workflow; the type is STANDARD, EXPRESS, or None where nobody said it."""


_RETRIES = f"{_DOCS}/concepts-error-handling.html"
_PRACTICE = f"{_DOCS}/sfn-best-practices.html"
_TYPES = f"{_DOCS}/choosing-workflow-type.html"

CHECKS: Mapping[str, Check] = {
    "RETRY_LAMBDA": Check(
        "a Lambda function without Retry for Lambda's own errors",
        "Lambda is sometimes not there for a moment, or busy; without a retrier such a moment "
        "fails the execution",
        'add a retrier for "Lambda.ServiceException", "Lambda.AWSLambdaException", '
        '"Lambda.SdkClientException" and "Lambda.TooManyRequestsException"',
        _PRACTICE,
        tasks.without_lambda_retry,
    ),
    "REPEATED_EFFECT": Check(
        "a side effect that may happen twice",
        "the first call may have had its effect although its answer was lost; the second one has "
        "it again",
        "give the call a key by which the service knows it again, made of the execution's name, or "
        "write on a condition",
        _TYPES,
        tasks.repeated_effects,
    ),
    "UNLIMITED_WAIT": Check(
        "a task that waits for somebody without a limit",
        "a worker or a callback that is lost is noticed after a year",
        "set HeartbeatSeconds or TimeoutSeconds",
        _PRACTICE,
        tasks.without_time_limit,
    ),
    "NOTHING_CATCHES": Check(
        "a workflow in which nothing catches",
        "an error that no retrier takes ends the execution where it is, and what was done so far "
        "stays done",
        "add a Catch that undoes, reports or stores what failed",
        _RETRIES,
        loops.without_catch,
    ),
    "UNLIMITED_MAP": Check(
        "a Map without a limit before a service with a low quota",
        "all iterations call at the same time, and the service throttles them",
        "set MaxConcurrency",
        f"{_DOCS}/state-map.html",
        tasks.unlimited_maps,
    ),
    "HAND_MADE_RETRY": Check(
        "a loop that is a retry written by hand",
        "Retry does it in the state, with back-off, fewer transitions and its attempts in the "
        "history",
        "replace the catcher, the Wait and the way back by a retrier",
        _RETRIES,
        loops.retries,
    ),
    "HAND_MADE_POLL": Check(
        "a polling loop where .sync would do",
        "Step Functions waits for the job itself, without transitions, and stops it with the "
        "execution",
        "use the Resource with .sync, and leave Wait, query and Choice out",
        f"{_DOCS}/connect-to-resource.html",
        loops.polls,
    ),
    "ENDLESS_LOOP": Check(
        "a loop that nothing bounds before 25,000 events",
        "a Standard execution fails when its history has 25,000 events",
        "count the rounds, wait longer, or go on in a new execution",
        f"{_DOCS}/limits-overview.html",
        loops.endless,
    ),
    "GROWING_PAYLOAD": Check(
        "data that grows with each round of a loop",
        "a state's input and output have at most 256 KiB",
        "store what is collected in S3 or DynamoDB, or let a Map collect it",
        f"{_DOCS}/sfn-best-practices.html",
        payloads.growing,
    ),
    "LONG_EXPRESS": Check(
        "an Express workflow that waits for more than five minutes",
        "Express executions end after five minutes, with States.Timeout",
        "make it STANDARD, or let a Standard workflow wait",
        _TYPES,
        loops.long_express,
    ),
    "STANDARD_FOR_SHORT": Check(
        "a Standard workflow that could be Express",
        "it only asks services and answers, each call may be made again, and Express costs a "
        "fraction when it runs often",
        "compare the two with `doorstep cost`",
        _TYPES,
        loops.express_would_do,
    ),
    "JSONPATH_CHAIN": Check(
        "several Pass states that work on data one after another",
        "in JSONata one expression does it, in the Output of the state before",
        'set "QueryLanguage": "JSONata" on that state and join the steps',
        f"{_DOCS}/transforming-data.html",
        payloads.chains,
    ),
    "UNUSED_VARIABLE": Check(
        "a variable that nothing reads",
        "it is either a mistake or in the way of whoever reads the workflow next",
        "leave it out",
        f"{_DOCS}/workflow-variables.html",
        payloads.unused_variables,
    ),
    "UNUSED_STATE": Check(
        "states that no way from StartAt reaches",
        "they name each other, so that AWS accepts them, and never run",
        "leave them out, or lead somebody there",
        "https://states-language.net/spec.html#toplevelfields",
        loops.unreachable,
    ),
}


def advise(
    definition: Mapping[str, Any],
    *,
    type: Literal["STANDARD", "EXPRESS"] | None = None,
    ignore: Sequence[str] = (),
    endless: Collection[str] | None = None,
) -> list[Diagnostic]:
    """Return the advice on a definition that AWS accepts, as warnings with code and place.

    ``type`` is the machine's, when it is known; ``ignore`` are codes to leave out. ``endless`` are
    the places of the endless loops that `doorstep.explore` found, when it was run; the other loops
    end then. The hint of each says what to do, and the source. Raises what
    `doorstep.validation.check` raises for definitions that AWS refuses.
    """
    from ..validation import check

    check(dict(definition), type=type or "STANDARD")
    return advice_on(definition, type, ignore, endless)


def advice_on(
    definition: Mapping[str, Any],
    type: Literal["STANDARD", "EXPRESS"] | None,
    ignore: Sequence[str] = (),
    endless: Collection[str] | None = None,
) -> list[Diagnostic]:
    """Return what `advise` does, of a definition that is known to be accepted."""
    tree = workflow(definition)
    silent = ignored_in(definition)
    found = [
        _Found(code, one, pointer, said)
        for code, one in CHECKS.items()
        if code not in ignore and code not in silent.get("", ())
        for pointer, said in one.find(tree, type)
        if code != "ENDLESS_LOOP"
        or endless is None
        or not loops.loop_at(tree, pointer).isdisjoint(endless)
    ]
    return [
        Diagnostic(
            each.code,
            f"{each.said}: {each.check.reason}",
            each.pointer or "/",
            "WARNING",
            f"{each.check.cure} ({each.check.source})",
        )
        for each in found
        if not any(
            each.code in codes and each.pointer.startswith(state)
            for state, codes in silent.items()
            if state
        )
    ]


class _Found(NamedTuple):
    code: str
    check: Check
    pointer: str
    said: str


def ignored_in(definition: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the codes that Comments silence, by the state's JSON Pointer ("": machine)."""
    silent = {"": _codes(definition)}
    for state in workflow(definition).scope.walk():
        silent[state.pointer] = _codes(state.fields)
    return {pointer: codes for pointer, codes in silent.items() if codes}


def _codes(fields: Mapping[str, Any]) -> tuple[str, ...]:
    comment = fields.get("Comment")
    found = _IGNORED.search(comment) if isinstance(comment, str) else None
    return tuple(found[1].replace(",", " ").split()) if found else ()
