"""Local handlers asked again what AWS's tasks were asked, and their answers compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from ..engine.identity import Identity
from ..engine.messages import Fact, Invoke
from ..runtime.answers import Answer
from ..runtime.handlers import Handlers
from ..runtime.invocation import Context, call, context_of
from ..values.json_values import ABSENT, differences, value_of
from .comparing import Tolerate

Verdict = Literal["same", "mended", "different", "no handler", "no answer"]
_OF_THE_CALL = ("SdkHttpMetadata", "SdkResponseMetadata", "ExecutedVersion", "StatusCode")
_OF_THE_REPORT = ("requestId", "stackTrace", "trace")
_REMAINING = 900.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One call: what AWS's task answered, and what the handler answers now.

    | verdict | |
    |---|---|
    | same | the same output, or a failure with the same error and message |
    | mended | it failed or timed out then, and succeeds now |
    | different | anything else |
    | no handler | nothing answers it here |
    | no answer | the handler leaves the answer to a callback that the recording has |
    """

    state: str
    attempt: int
    verdict: Verdict
    recorded: Any
    """{"output": …} or {"error": …, "cause": …}."""
    now: Any
    at: str | None = None
    """Where they differ first: `output.total`."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "state": self.state,
            "attempt": self.attempt,
            "verdict": self.verdict,
            "recorded": self.recorded,
            "now": self.now,
            "at": self.at,
        }


class Asking:
    """Calls a handler for every answer of a recording."""

    def __init__(self, handlers: Handlers, identity: Identity, same: Tolerate) -> None:
        self.answers: list[Answered] = []
        self._handlers = handlers
        self._identity = identity
        self._same = same

    def __call__(self, invoke: Invoke, fact: Fact) -> None:
        """An answer of the recording is about to reach a call."""
        if fact.kind not in ("succeeded", "failed", "due"):
            return
        recorded = {"output": fact.data} if fact.kind == "succeeded" else _failure(fact)
        answer = self._ask(invoke)
        if answer is None:
            self._add(invoke, "no handler", recorded, None)
        elif answer.failed:
            self._compare(invoke, recorded, {"error": answer.error, "cause": answer.cause})
        elif answer.output is ABSENT:
            self._add(invoke, "no answer", recorded, None)
        else:
            self._compare(invoke, recorded, {"output": answer.output})

    def _ask(self, invoke: Invoke) -> Answer | None:
        if self._handlers.find(invoke) is None:
            return None
        return call(self._handlers, invoke, self._identity, partial(_context, self._identity))

    def _compare(self, invoke: Invoke, recorded: dict[str, Any], now: dict[str, Any]) -> None:
        if "output" in now and "output" not in recorded:
            self._add(invoke, "mended", recorded, now)
            return
        unlike = differences("", _plain(recorded), _plain(now))
        found = next((one for one in unlike if not self._same(one.first, one.second)), None)
        verdict: Verdict = "different" if found else "same"
        self._add(invoke, verdict, recorded, now, found.at if found else None)

    def _add(self, invoke: Invoke, verdict: Verdict, *rest: Any) -> None:
        self.answers.append(Answered(invoke.state, invoke.attempt, verdict, *rest))


def _failure(fact: Fact) -> dict[str, Any]:
    if fact.kind == "due":
        return {"error": "States.Timeout"}
    return {name: fact.data[name] for name in ("error", "cause") if name in fact.data}


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Without what every call has of its own: a request's metadata, the frames of a stack."""
    shown: dict[str, Any] = {}
    for name, value in answer.items():
        leaves_out = _OF_THE_CALL if name == "output" else _OF_THE_REPORT
        read = value_of(value) if name == "cause" else value
        if isinstance(read, dict):
            read = {key: one for key, one in read.items() if key not in leaves_out}
        shown[name] = read
    return shown


def _context(identity: Identity, invoke: Invoke, request_id: str) -> Context:
    return context_of(
        identity,
        invoke,
        request_id,
        remaining=lambda: invoke.timeout or _REMAINING,
        # Whoever sends to a task sends nothing here: the recording says what came.
        send=lambda *_: None,
    )
