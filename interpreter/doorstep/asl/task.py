"""The Task state: one attempt of its work, from Scheduled to Succeeded, Failed or TimedOut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine import WHOLE, Body, Fact, Fiber, FindActivity, Invoke
from ..errors import StateFailed, runtime
from ..model import (
    TASK_EVENTS,
    Integration,
    mistyped,
    partition_named_in,
    partition_of,
    unfit,
)
from . import jsonpath_fields
from .context import PROVIDED, Closure, Env, Leave
from .states import Working

_new_tuple = tuple.__new__
_ELSEWHERE = "The resource belongs to a different partition from the running execution."


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """A Task's fields, compiled; durations in seconds."""

    state: str
    resource: str
    integration: Integration
    arguments: Closure
    timeout: Closure | None
    heartbeat: Closure | None
    credentials: Closure | None
    templated: bool
    """The arguments are a payload template's."""
    leave: Leave


def task(plan: TaskPlan) -> Callable[[Env], Working]:
    """Task: send the arguments to the world, wait for the answer, pass the result on.

    Facts 411 to 413: which events a task leaves. Fact 233: callback and `.sync` tasks have a token.
    Fact 236: an execution reaches the resources of its own partition only.
    """
    partition = partition_named_in(plan.resource)

    def work(env: Env) -> Working:
        fiber = env.fiber
        if partition and partition != partition_of(fiber.engine.identity.region):
            raise runtime(_ELSEWHERE)
        key = fiber.next_key()
        if plan.integration.pattern:
            env.new_token(key)
        invoke, details = _prepare(plan, env, key)
        fiber.open(key)
        settled = False
        try:
            if plan.integration.kind == "activity":
                yield from _look_up(fiber, invoke)
            _schedule(fiber, invoke, details)
            while not settled:
                fact: Fact = yield None
                settled = _take_in(fiber, invoke, fact)
        finally:
            fiber.close()
        return plan.leave(env, fact.data)

    return work


def _prepare(plan: TaskPlan, env: Env, key: str) -> tuple[Invoke, dict[str, Any]]:
    """Return the call, and the details of the event that it is scheduled with.

    Facts 314 and 146: fields that fail, fail before anything is scheduled. Fact 231:
    taskCredentials.
    """
    fiber, integration = env.fiber, plan.integration
    arguments = plan.arguments(env)
    timeout = plan.timeout(env) if plan.timeout else None
    heartbeat = plan.heartbeat(env) if plan.heartbeat else None
    text = fiber.text if arguments is fiber.value else fiber.encode(arguments, plan.state, PROVIDED)
    env.first_key = env.first_key or key
    details: dict[str, Any]
    if integration.kind == "service":
        _check(plan, arguments, text)
        region = fiber.engine.identity.region
        details = {**integration.details, "region": region, "parameters": text}
    else:
        details = {"resource": plan.resource, "input": text, "inputDetails": WHOLE}
    if timeout is not None:
        details["timeoutInSeconds"] = timeout
    # LambdaFunctionScheduled has no such member (the service's API model).
    if heartbeat is not None and integration.kind != "lambda":
        details["heartbeatInSeconds"] = heartbeat
    if plan.credentials:
        role = plan.credentials(env).get("RoleArn")
        if role is None:
            raise runtime("The field 'RoleArn' is required but was missing")
        details["taskCredentials"] = {"roleArn": role}
    invoke = (
        key,
        env.first_key,
        plan.state,
        plan.resource,
        integration,
        arguments,
        env.token or "",
        timeout,
        heartbeat,
        env.retries,
        fiber.engine.count_call(plan.state),
        text,
    )
    # As `Invoke(…)`, without the call of Python that a NamedTuple has for it.
    return _new_tuple(Invoke, invoke), details


def _check(plan: TaskPlan, arguments: Any, text: str) -> None:
    """Refuse arguments that a service does not take (fact 146)."""
    reasons = unfit(plan.integration, arguments) + mistyped(plan.integration, arguments)
    if plan.templated and '.$":' in text:
        reasons += jsonpath_fields.unresolved(arguments)
    if reasons:
        why = ", ".join(reasons)
        raise runtime(f"The Parameters '{text}' could not be used to start the Task: [{why}]")


def _look_up(fiber: Fiber, invoke: Invoke) -> Body:
    """Make sure that the activity exists: if not, the task leaves no event (recorded).

    Fact 234.
    """
    fiber.engine.issue(FindActivity(invoke.key, invoke))
    fact: Fact = yield None
    if not fact.data:
        raise runtime(f"The activity {invoke.resource} does not exist.")


def _schedule(fiber: Fiber, invoke: Invoke, details: dict[str, Any]) -> None:
    # Facts 411 to 413: an activity is started, and its heart beats, when a worker picks it up.
    integration, at_once = invoke.integration, invoke.integration.kind != "activity"
    events = TASK_EVENTS[integration.kind]
    fiber.record(events["Scheduled"], details)
    if at_once:
        fiber.record(events["Started"], {**integration.details} or None)
    if invoke.timeout is not None:
        # Fact 94: limits end exactly when they pass; one of 0 seconds, before there is an answer.
        fiber.timer(invoke.key, "timeout", fiber.engine.now + invoke.timeout)
    if at_once:
        _beat(fiber, invoke)
    fiber.engine.issue(invoke)


def _beat(fiber: Fiber, invoke: Invoke) -> None:
    # Fact 98: the limit is on the gap between two heartbeats.
    if invoke.heartbeat is not None:
        fiber.timer(invoke.key, "heartbeat", fiber.engine.now + invoke.heartbeat)


def _take_in(fiber: Fiber, invoke: Invoke, fact: Fact) -> bool:
    """Take in a fact about the call; return whether that settles it with a result.

    Facts 97 and 308: a missed heartbeat is recorded as States.Timeout, and both names catch it;
    fact 313: without a cause.
    """
    integration = invoke.integration
    match fact.kind:
        case "succeeded":
            _succeeded(integration, fiber, fact.data)
            return True
        case "failed":
            raise _failed(integration, fiber, _as_reported(fiber, **fact.data))
        case "due":
            also = ("States.HeartbeatTimeout",) if fact.data == "heartbeat" else ()
            ended = TASK_EVENTS[integration.kind]["TimedOut"]
            fiber.record(ended, integration.details | {"error": "States.Timeout"})
            raise StateFailed("States.Timeout", also=also)
        case "submitted":
            text = fiber.encode(fact.data, integration.name)
            details = integration.details | {"output": text, "outputDetails": WHOLE}
            fiber.record("TaskSubmitted", details)
        case "picked up":
            fiber.record("ActivityStarted", {"workerName": fact.data} if fact.data else {})
            _beat(fiber, invoke)
        case "heartbeat":
            _beat(fiber, invoke)
    return False


def _as_reported(
    fiber: Fiber, error: str | None = None, cause: str | None = None, final: bool = False
) -> StateFailed:
    # Fact 526: what is longer is cut.
    quotas = fiber.engine.quotas
    return StateFailed(
        error and error[: quotas.error_characters],
        cause and cause[: quotas.cause_characters],
        final=final,
    )


def _succeeded(integration: Integration, fiber: Fiber, output: Any) -> None:
    # Fact 315: a result that is too large is a failure in the place of the success.
    try:
        text = fiber.encode(output, integration.name)
    except StateFailed as too_large:
        raise _failed(integration, fiber, too_large) from None
    details = integration.details | {"output": text, "outputDetails": WHOLE}
    fiber.record(TASK_EVENTS[integration.kind]["Succeeded"], details)


def _failed(integration: Integration, fiber: Fiber, failed: StateFailed) -> StateFailed:
    # Facts 93 and 442: what is not set is left out of the event, and null in the data.
    details = integration.details | failed.failure.details()
    fiber.record(TASK_EVENTS[integration.kind]["Failed"], details)
    return failed
