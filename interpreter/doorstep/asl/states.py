"""The states, each a function that reads like its section of the States Language specification.

Task and Map have modules of their own.

What all have in common is the loop of `ScopeProgram.run`: enter, work, leave. What fails on the way
is taken to `persist`: Retry, then Catch, and a failure that neither takes parks the fiber, so that
a redrive can continue from here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine import WHOLE, Body, Fiber, FiberGroup, HistoryFull, Redriven, written
from ..errors import StateFailed, data_limit_exceeded
from ..values.json_values import byte_length
from .context import PROVIDED, Closure, Env, Exit, Leave
from .retry import Retrier, matches

Working = Generator[StateFailed | None, Any, Exit]


@dataclass(frozen=True, slots=True)
class Catcher:
    """One entry of Catch."""

    names: tuple[str, ...]
    leave: Leave


@dataclass(frozen=True, slots=True, kw_only=True)
class StateProgram:
    """A compiled state: `work` returns its Exit at once, `wait` is a generator that does."""

    name: str
    type: str
    work: Callable[[Env], Exit] | None = None
    wait: Callable[[Env], Working] | None = None
    retriers: Sequence[Retrier] = ()
    catchers: Sequence[Catcher] = ()
    entered: str = ""
    exited: str = ""
    """The types of its events."""
    works: bool = False
    """Whether it can be retried."""
    composite: bool = False
    """Whether failures leave a ParallelStateFailed or MapStateFailed."""


class ScopeProgram:
    """The states of a scope: from StartAt along the transitions to an end."""

    __slots__ = ("start_at", "states", "timeout")

    def __init__(
        self, start_at: str, states: Mapping[str, StateProgram], timeout: float | None = None
    ) -> None:
        self.start_at = start_at
        self.states = states
        self.timeout = timeout

    def run(self, fiber: Fiber, value: Any) -> Body:
        """Return the body of a fiber, which returns the output."""
        states, engine = self.states, fiber.engine
        following: str | None = self.start_at
        while following is not None:
            if len(engine.history) >= engine.pause_at:
                yield from fiber.pause()
            state = states[following]
            env = enter(state, fiber, value)
            try:
                if state.work:
                    leaving = state.work(env)
                else:
                    leaving = yield from state.wait(env)  # type: ignore[misc]
                value, following = leave(state, fiber, leaving)
            except HistoryFull:
                raise
            except Exception as problem:  # noqa: BLE001  rule 6 of the engine
                value, following = yield from persist(state, env, problem)
        return value


def enter(state: StateProgram, fiber: Fiber, raw: Any) -> Env:
    """Record that a state is entered; return its visit.

    Facts 400 and 410: the entry is recorded before anything is evaluated; a retry has no second
    entry (fact 414).
    """
    text = fiber.text if raw is fiber.value else fiber.encode(raw, state.name)
    fiber.env = env = Env(fiber, state.name, state.works, raw)
    env.entered = fiber.record(
        state.entered, {"name": state.name, "input": text, "inputDetails": WHOLE}
    )
    fiber.state = state
    return env


def persist(
    state: StateProgram, env: Env, problem: Exception
) -> Generator[StateFailed | None, Any, tuple[Any, str | None]]:
    """Recover from what ended a state's work, and do that again, until the state is left."""
    while True:
        try:
            if isinstance(problem, StateFailed):
                caught = yield from recover(state, env, explain(state, env, problem))
                if caught:
                    return caught
            elif isinstance(problem, Redriven):
                env.redrive()
            else:
                yield from park(env, problem)
            if state.work:
                leaving = state.work(env)
            else:
                leaving = yield from state.wait(env)  # type: ignore[misc]
            return leave(state, env.fiber, leaving)
        except HistoryFull:
            raise
        except Exception as another:  # noqa: BLE001  rule 6 of the engine
            problem = another


def park(env: Env, problem: Exception) -> Generator[StateFailed | None, Any, None]:
    """Fail the state with what nobody foresaw, until a redrive runs it again."""
    failure = env.fiber.engine.crash(problem)
    try:
        yield StateFailed(failure.error, failure.cause, final=True)
    except Redriven:
        env.redrive()


def leave(state: StateProgram, fiber: Fiber, leaving: Exit) -> tuple[Any, str | None]:
    """Record the exit and assign the variables.

    Facts 81 and 330: variables are assigned on the way out, so that the next state is the first to
    see them.
    """
    output, following, assigned = leaving
    text = fiber.text if output is fiber.value else fiber.encode(output, state.name)
    details: dict[str, Any] = {"name": state.name, "output": text, "outputDetails": WHOLE}
    if assigned:
        details["assignedVariables"] = assign(fiber, assigned, state.name)
        details["assignedVariablesDetails"] = WHOLE
    fiber.record(state.exited, details)
    fiber.group = None
    return output, following


def assign(fiber: Fiber, assigned: Mapping[str, Any], state: str) -> dict[str, str]:
    """Assign variables; return the texts of their values.

    Fact 333: their quotas. With which error AWS answers is not recorded.
    """
    texts = {name: written(value) for name, value in assigned.items()}
    variables = {**fiber.variables, **assigned}
    quotas = fiber.engine.quotas
    own, together = quotas.assign_bytes, quotas.variables_bytes
    # A character is four bytes at the most, so that what is short is not measured.
    most = 4 * sum(map(len, texts.values()))
    total = fiber.variable_bytes + most
    too_large = own is not None and most > own and _bytes(texts.values()) > own
    if together is not None and total > together:
        total = _bytes(map(written, variables.values()))
        too_large = too_large or total > together
    if too_large:
        raise data_limit_exceeded(state, "assigned variables")
    fiber.variables, fiber.variable_bytes = variables, total
    return texts


def _bytes(texts: Iterable[str]) -> int:
    return sum(map(byte_length, texts))


def explain(state: StateProgram, env: Env, failed: StateFailed) -> StateFailed:
    """Say which state failed, once, at the innermost; a failed query leaves an event as well.

    Facts 29 and 62: the sentence that names the state stands in ours alone, not in what tasks and
    Fail states say (fact 264).
    """
    if not failed.ours:
        return failed
    explained = failed.passed_on(
        f"An error occurred while executing the state '{state.name}' "
        f"(entered at the event id #{env.entered}). "
    )
    if explained.failure.error == "States.QueryEvaluationError":
        where = {"location": failed.location} if failed.location else {}
        details = {
            "error": explained.failure.error,
            "cause": explained.failure.cause,
            **where,
            "state": state.name,
        }
        env.fiber.record("EvaluationFailed", details)
    return explained


def recover(
    state: StateProgram, env: Env, failed: StateFailed
) -> Generator[StateFailed | None, Any, tuple[Any, str | None] | None]:
    """Retry (None after the delay), catch (output and next state), or park until a redrive.

    A catcher restores the state's input: its ResultPath puts the error onto `env.raw` (data_flow).

    Fact 90: Retry before Catch. Fact 303: the first catcher that names the error is taken. Facts
    307 and 422: a final failure, States.Runtime, has neither, nor a …StateFailed event. Fact 306: a
    catcher's own failure leaves a second one.
    """
    fiber = env.fiber
    delay = env.next_delay(state.retriers, failed) if state.retriers else None
    if delay is not None:
        env.retry()
        yield from fiber.sleep_until(fiber.engine.now + delay)
        return None
    if state.composite and not failed.final:
        fiber.record(f"{state.type}StateFailed")
    for catcher in state.catchers:
        if matches(catcher.names, failed):
            try:
                return leave(state, fiber, catcher.leave(env, failed.error_output))
            except StateFailed as worse:
                failed = explain(state, env, worse)
                if state.composite:
                    fiber.record(f"{state.type}StateFailed")
            break
    yield failed
    return None


def pass_state(arguments: Closure, result: tuple[Any] | None, leave: Leave) -> Any:
    """Pass: its input, its Parameters or its Result on to the next state (fact 267)."""
    if result is None:
        return lambda env: leave(env, arguments(env))
    (fixed,) = result

    def work(env: Env) -> Exit:
        arguments(env)
        return leave(env, fixed)

    return work


def succeed(arguments: Closure, leave: Leave) -> Callable[[Env], Exit]:
    """Succeed: ends its scope; Output or OutputPath shape its output (fact 322)."""
    return lambda env: leave(env, arguments(env))


def fail(error: Closure, cause: Closure) -> Callable[[Env], Exit]:
    """Fail: ends its scope with an error and a cause of the author's (facts 92 and 264)."""

    def work(env: Env) -> Exit:
        raise StateFailed(error(env), cause(env))

    return work


def choice(
    arguments: Closure,
    first: Callable[[Env], int | None],
    rules: Sequence[Leave],
    default: Leave | None,
) -> Callable[[Env], Exit]:
    """Choice: the first rule that holds says where to go; Default when none does.

    Facts 250 and 253.
    """

    def work(env: Env) -> Exit:
        value = arguments(env)
        place = first(env)
        leave = rules[place] if place is not None else default
        if leave is None:
            raise no_choice()
        return leave(env, value)

    return work


def no_choice() -> StateFailed:
    """Return the error that AWS has here; the guide promises States.NoChoiceMatched (fact 254)."""
    return StateFailed(
        "States.Runtime",
        "Failed to transition out of the state. The state does not point to a next state.",
        ours=True,
        final=True,
    )


def wait(
    arguments: Closure, until: Callable[[Env], float], leave: Leave
) -> Callable[[Env], Working]:
    """Wait: until a moment, or for a time; what is past ends at once (fact 261)."""

    def work(env: Env) -> Working:
        value = arguments(env)
        moment = until(env)
        fiber = env.fiber
        while fiber.engine.now < moment:
            yield from fiber.sleep_until(moment)
        return leave(env, value)

    return work


def parallel(
    arguments: Closure, branches: Sequence[ScopeProgram], leave: Leave
) -> Callable[[Env], Working]:
    """Parallel: all branches with the same input; their outputs in the order of the definition.

    Facts 262 and 420.
    """

    def start(env: Env) -> FiberGroup:
        fiber, value = env.fiber, arguments(env)
        fiber.encode(value, env.state, PROVIDED)
        fiber.record("ParallelStateStarted")
        count = len(branches)
        return FiberGroup(
            fiber, count, count, lambda child: branches[child.index].run(child, value)
        )

    def work(env: Env) -> Working:
        outputs = yield from gathered(env, start)
        env.fiber.record_leaf("ParallelStateSucceeded")
        return leave(env, outputs)

    return work


def gathered(
    env: Env, start: Callable[[Env], FiberGroup]
) -> Generator[StateFailed | None, Any, list[Any]]:
    """Return the outputs of a group that begins now, or continues after a redrive (fact 504)."""
    group = env.fiber.group
    if group:
        group.redrive()
    else:
        group = start(env)
    return (yield from group.gather())
