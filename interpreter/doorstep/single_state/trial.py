"""The program of one state: it runs the state once, and records the outcome.

A mock stands for a Task's answer, and for the work of a Parallel's branches or a Map's iterations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import islice
from random import Random
from typing import Any, Literal

from ..asl.compile import compile_map, compile_state
from ..asl.context import Env, Exit
from ..asl.data_flow import compile_arguments, compile_leave, stages
from ..asl.map import MapPlan
from ..asl.retry import matches
from ..asl.states import StateProgram, assign
from ..engine import Body, Fiber
from ..errors import StateFailed
from ..map_runs import (
    EXCEEDED,
    UNREADABLE,
    MapItem,
    batched,
    exceeds,
    failed,
    most_items,
    own_items,
    parse_items,
)
from ..model import TASK_EVENTS, WORKING, State, integration
from ..runtime import Answer
from ..values.json_values import ABSENT, dumps, loads
from .request import StateMock, StateTest

STATE_NAME = "StateName"
"""What a state under test is called in its context object, whatever its name in the definition."""
Show = Callable[[str, Any], None]
Status = Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How the state ended: with an exit, a failure, or a failure and the exit of a catcher."""

    status: Status
    leaving: Exit | None = None
    failed: StateFailed | None = None
    details: dict[str, int] = field(default_factory=dict)
    """inspectionData.errorDetails: which retrier and which catcher took the failure."""


class TrialEnv(Env):
    """A visit whose context object may be the request's."""

    def __init__(self, fiber: Fiber, works: bool, raw: Any, context: dict[str, Any] | None) -> None:
        super().__init__(fiber, STATE_NAME, works, raw)
        self.own_context = context

    def context(self) -> dict[str, Any]:
        """Return the context object: the request's as it is, and the item of a Map."""
        if self.own_context is None:
            return super().context()
        return (
            self.own_context
            if self.item is None
            else {**self.own_context, "Map": {"Item": self.item}}
        )

    def rng(self) -> Random:
        """Return random numbers: the same for a twin as for the visit itself."""
        if self._random is None:
            self._random = self.fiber.engine.identity.random(STATE_NAME)
        return self._random

    def twin(self) -> TrialEnv:
        """Return the visit once more from its beginning: same token, same random numbers."""
        twin = TrialEnv(self.fiber, self.works, self.raw, self.own_context)
        twin.token, twin.entered_at = self.token, self.entered_at
        return twin


class Trial:
    """A program (`messages.Program`) of one state, with the request's variables and context."""

    timeout = _SECONDS
    """AWS ends a test after five minutes (API: TestState)."""

    def __init__(self, test: StateTest, state: State) -> None:
        self.test = test
        self.state = state
        self.outcome = TrialOutcome("FAILED", failed=StateFailed("States.Timeout"))
        self.seen: dict[str, Any] = {}
        """Values of a mocked Map or Parallel, under the names of inspectionData."""
        self.env: TrialEnv
        self.program = _program(test, state, self.seen.__setitem__)

    def run(self, fiber: Fiber, raw: Any) -> Body:
        """Run one visit without retrying: the status says whether AWS would.

        Fact 480: RETRIABLE, with the delay, where AWS would retry; CAUGHT_ERROR with the catcher.
        """
        fiber.variables = self.test.variables
        works = self.state.type in WORKING
        self.env = env = TrialEnv(fiber, works, raw, self.test.context)
        try:
            if self.program.work:
                leaving = self.program.work(env)
            else:
                leaving = yield from self.program.wait(env)  # type: ignore[misc]
            output, _, assigned = leaving
            fiber.encode(output, self.state.name)
            assign(fiber, assigned or {}, self.state.name)
            self.outcome = TrialOutcome("SUCCEEDED", leaving)
        except StateFailed as failed:
            self.outcome = self._recover(failed)

    @property
    def variables(self) -> dict[str, Any]:
        """The variables after the state."""
        _, _, assigned = self.outcome.leaving or (None, None, None)
        return {**self.test.variables, **(assigned or {})}

    @property
    def result(self) -> Any:
        """The raw result of a Task's, Parallel's or Map's work; ABSENT when it gave none."""
        if self.state.type != "Task":
            return self.seen.get("result", ABSENT)
        mocked = self.test.mock.result if self.test.mock else None
        done = TASK_EVENTS[integration(self.state.fields["Resource"]).kind]["Succeeded"]
        for event in self.env.fiber.engine.history:
            if event.type == done and event.details:
                return mocked.value if mocked else loads(event.details["output"])
        return ABSENT

    def text(self, value: Any) -> str:
        """Return a value's JSON text; what came as text and was not changed keeps its spacing."""
        if value is self.env.raw:
            return self.test.input
        mocked = self.test.mock
        if mocked and mocked.result and value is mocked.result.value:
            return mocked.result.text
        return dumps(value)

    def _recover(self, failed: StateFailed) -> TrialOutcome:
        # Facts 90 and 480: Retry before Catch, a used-up retrier fails with its index.
        details = {}
        for index, retrier in enumerate(self.program.retriers):
            if matches(retrier.names, failed):
                details["retryIndex"] = index
                if self.test.retries >= retrier.max_attempts:
                    break
                delay = retrier.delay(self.test.retries, self.env.rng)
                details["retryBackoffIntervalSeconds"] = round(delay)
                return TrialOutcome("RETRIABLE", None, failed, details)
        for index, catcher in enumerate(self.program.catchers):
            if matches(catcher.names, failed):
                details["catchIndex"] = index
                try:
                    leaving = catcher.leave(self.env, failed.error_output)
                except StateFailed as worse:
                    return TrialOutcome("FAILED", None, worse, details)
                return TrialOutcome("CAUGHT_ERROR", leaving, failed, details)
        return TrialOutcome("FAILED", None, failed, details)


# Mocked work ------------------------------------------------------------------------------------


def answer(mock: StateMock) -> Answer:
    """Return the mock as the answer to a Task (fact 482)."""
    if mock.result:
        return Answer(output=mock.result.value)
    failure = mock.error or {}
    return Answer(failed=True, error=failure.get("error"), cause=failure.get("cause"))


def _result(mock: StateMock) -> Any:
    """Return the mock as the result of branches or iterations; raise StateFailed for an error."""
    mocked = answer(mock)
    if mocked.failed:
        raise StateFailed(mocked.error, mocked.cause)
    return mocked.output


def _program(test: StateTest, state: State, show: Show) -> StateProgram:
    """Return the state's program, in which the mock does the work of branches and iterations.

    `show(member, value)` gets the result of that work, and before it the values of a Map's fields,
    under the names that inspectionData has for them.
    """
    compiled = compile_state(state)
    match test.mock, state.type:
        case StateMock() as mock, "Parallel":
            return replace(compiled, work=_parallel(state, mock, show), wait=None)
        case StateMock() as mock, "Map":
            return replace(compiled, work=_map(test, state, mock, show), wait=None)
    return compiled


def _parallel(state: State, mock: StateMock, show: Show) -> Callable[[Env], Exit]:
    arguments = compile_arguments(state.fields, state.jsonata)
    leave = compile_leave(state.fields, state.jsonata, shows="result")

    def work(env: Env) -> Exit:
        arguments(env)
        result = _result(mock)
        show("result", result)
        return leave(env, result)

    return work


def _map(test: StateTest, state: State, mock: StateMock, show: Show) -> Callable[[Env], Exit]:
    plan = compile_map(state)

    def work(env: Env) -> Exit:
        plan.effective(env)
        limits = _limits(plan, env)
        items = _items(plan, env, test.reader_data, show)
        for name, value in limits.items():
            show(name, value)
        selected = _selected(plan, env, items)
        if state.selector is not None:
            show("afterItemSelector", selected)
        if plan.batch:
            batches = [batch.input for batch in batched(plan.batch(env), iter(selected))]
            show("afterItemBatcher", batches)
        result = _result(mock)
        total = len(result) if isinstance(result, list) else len(items)
        count, percentage = (limits.get(name) for name in _NUMBERS[1:])
        # Fact 485: without a tolerance the number of failed iterations decides nothing.
        tolerates = count is not None or percentage is not None
        if tolerates and exceeds(test.failed_iterations or 0, total, count, percentage):
            raise StateFailed("States.ExceedToleratedFailureThreshold", EXCEEDED)
        show("result", result)
        return plan.leave(env, result)

    return work


def _limits(plan: MapPlan, env: Env) -> dict[str, Any]:
    """Return a Map's limits by their names in inspectionData, which shows them after the items.

    Facts 275 and 481.
    """
    limits = {"maxConcurrency": plan.concurrency(env) or 0}
    count, percentage = plan.tolerated_count(env), plan.tolerated_percentage(env)
    if count is not None:
        limits["toleratedFailureCount"] = count
    if percentage is not None:
        limits["toleratedFailurePercentage"] = float(percentage)
    return limits


def _items(plan: MapPlan, env: Env, data: str | None, show: Show) -> list[MapItem]:
    if plan.reader is None:
        values = plan.items(env)
        show("afterItemsPath", values)
        return list(own_items(values))
    source = plan.reader(env)
    if data is None:
        return []
    most = most_items(source)
    try:
        parsed = islice(parse_items(source.config, StringIO(data)), most)
        items = [MapItem.of(item, "") for item in parsed]
    except UNREADABLE as problem:
        raise failed(str(problem)) from None
    if "ItemsPointer" in source.config:
        show("afterItemsPointer", [item.whole for item in items])
    return items


def _selected(plan: MapPlan, env: Env, items: list[MapItem]) -> list[Any]:
    selected = [
        plan.select(env, {"Index": index, **item.named, "Value": item.value})
        for index, item in enumerate(items)
    ]
    env.show_item(env.fiber.item)
    return selected


# inspectionData ---------------------------------------------------------------------------------

_NUMBERS = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")


def inspection_data(trial: Trial) -> dict[str, Any]:
    """Return `inspectionData` of the response, for the levels DEBUG and TRACE.

    `stages` says which members there are; all have input, and variables and errorDetails when
    there are any. What failed ends the list.

    Fact 481: the members that apply to the state.
    """
    data: dict[str, Any] = {"input": trial.text(trial.env.raw)}
    try:
        for name, value in stages(trial.state, trial.env.twin(), trial.result, seen=trial.seen):
            data[name] = value if name in _NUMBERS else trial.text(value)
    except StateFailed:
        pass
    if trial.variables:
        data["variables"] = trial.text(trial.variables)
    if trial.outcome.details:
        data["errorDetails"] = trial.outcome.details
    return data
