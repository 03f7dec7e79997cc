"""Every task carried out twice by its handler, as when an answer is lost: what is different?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from ..answers import ABSENT, Answer
from ..calling import call, context_of
from ..commands import Invoke
from ..drivers import Execution
from ..handlers import Handlers
from ..jsontext import dumps
from .findings import Finding, Place
from .script import Script
from .subject import Subject

_LACKING = "Doorstep."
"""Begins the errors that tell of a handler that is not there or does not load."""


@dataclass(slots=True)
class _Twice:
    """Calls handlers twice; the first answer counts."""

    handlers: Handlers
    differing: dict[str, tuple[Answer, Answer]] = field(default_factory=dict)

    def respond(self, execution: Execution, invoke: Invoke) -> Answer | None:
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
