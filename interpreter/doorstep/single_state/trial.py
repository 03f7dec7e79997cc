"""The program of one state: it runs the state once, and keeps what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from ..asl.context import Env
from ..asl.data_flow import Exit
from ..asl.retry import matches
from ..engine.fibers import Body, Fiber
from ..errors import StateFailed
from ..model.definition import State
from ..model.resource import integration
from ..model.state_types import WORKING
from ..values.json_values import ABSENT, dumps, loads
from .mocked import program
from .request import Request
from .subject import STATE_NAME

Status = Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the state ended: with an exit, a failure, or a failure and the exit of a catcher."""

    status: Status
    leaving: Exit | None = None
    failed: StateFailed | None = None
    details: dict[str, int] = field(default_factory=dict)
    """inspectionData.errorDetails: which retrier and which catcher took the failure."""


class TrialEnv(Env):
    """A visit whose context object may be the request's."""

    __slots__ = ("given",)

    def __init__(self, fiber: Fiber, works: bool, raw: Any, given: dict[str, Any] | None) -> None:
        super().__init__(fiber, STATE_NAME, works, raw)
        self.given = given

    def context(self) -> dict[str, Any]:
        """The context object: the request's as it is, and the item of a Map."""
        if self.given is None:
            return super().context()
        return self.given if self.item is None else {**self.given, "Map": {"Item": self.item}}

    def rng(self) -> Random:
        """Random numbers: the same for a twin as for the visit itself."""
        if self._random is None:
            self._random = self.fiber.engine.identity.random(STATE_NAME)
        return self._random

    def twin(self) -> TrialEnv:
        """The visit once more, from its beginning: the same token, the same random numbers."""
        twin = TrialEnv(self.fiber, self.works, self.raw, self.given)
        twin.token, twin.entered_at = self.token, self.entered_at
        return twin


class Trial:
    """A program (see `engine.Program`) of one state, with the request's variables and context."""

    timeout = _SECONDS
    """AWS ends a test after five minutes."""

    def __init__(self, asked: Request, state: State) -> None:
        self.asked = asked
        self.state = state
        self.outcome = Outcome("FAILED", failed=StateFailed("States.Timeout"))
        self.seen: dict[str, Any] = {}
        """What a mocked Map or Parallel came by, under the names of inspectionData."""
        self.env: TrialEnv
        self.program = program(asked, state, self.seen.__setitem__)

    def run(self, fiber: Fiber, raw: Any) -> Body:
        """One visit, in which nothing is tried again: the answer tells what would be."""
        fiber.variables = self.asked.variables
        works = self.state.type in WORKING
        self.env = env = TrialEnv(fiber, works, raw, self.asked.context)
        try:
            if self.program.work:
                leaving = self.program.work(env)
            else:
                leaving = yield from self.program.wait(env)  # type: ignore[misc]
            fiber.encode(leaving.output, self.state.name)
            self.outcome = Outcome("SUCCEEDED", leaving)
        except StateFailed as failed:
            self.outcome = self._recover(failed)

    @property
    def variables(self) -> dict[str, Any]:
        """The variables after the state."""
        leaving = self.outcome.leaving
        return {**self.asked.variables, **(leaving.assigned or {} if leaving else {})}

    @property
    def result(self) -> Any:
        """The raw result of a Task's, Parallel's or Map's work; ABSENT when it gave none."""
        if self.state.type != "Task":
            return self.seen.get("result", ABSENT)
        mocked = self.asked.mock.result if self.asked.mock else None
        done = integration(self.state.fields["Resource"]).event("Succeeded")
        for event in self.env.fiber.engine.history:
            if event.type == done and event.details:
                return mocked.value if mocked else loads(event.details["output"])
        return ABSENT

    def text(self, value: Any) -> str:
        """A value's JSON text; what was given as text and not changed keeps its spacing."""
        if value is self.env.raw:
            return self.asked.input
        mocked = self.asked.mock
        if mocked and mocked.result and value is mocked.result.value:
            return mocked.result.text
        return dumps(value)

    def _recover(self, failed: StateFailed) -> Outcome:
        details = {}
        for index, retrier in enumerate(self.program.retriers):
            if matches(retrier.names, failed):
                details["retryIndex"] = index
                if self.asked.retries >= retrier.max_attempts:
                    break
                delay = retrier.delay(self.asked.retries, self.env.rng)
                details["retryBackoffIntervalSeconds"] = round(delay)
                return Outcome("RETRIABLE", None, failed, details)
        for index, catcher in enumerate(self.program.catchers):
            if matches(catcher.names, failed):
                details["catchIndex"] = index
                try:
                    leaving = catcher.leave(self.env, failed.error_output)
                except StateFailed as worse:
                    return Outcome("FAILED", None, worse, details)
                return Outcome("CAUGHT_ERROR", leaving, failed, details)
        return Outcome("FAILED", None, failed, details)
