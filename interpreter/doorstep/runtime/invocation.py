"""One call of a handler: its event and context, and what its result or exception is to AWS."""

from __future__ import annotations

import inspect
import json
import os
import traceback
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import dropwhile
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from ..engine import FactKind, Identity, Invoke
from ..errors import HandlerLoadError, InputError, is_interrupt, message_of
from ..model import function_name, partition_of
from ..values.json_values import ABSENT, dumps
from ..values.timestamps import in_utc
from .answers import Answer, Duration, TaskFailed, check_failure
from .handlers import Handler, Handlers, missing
from .payloads import as_json, event_from, rejected, returned

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep
"""Where our own code is: what calls a handler."""
LAMBDA_SECONDS = 900.0
"""The longest that a Lambda function may run (Lambda quotas, "Function timeout")."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What whoever has a task token may do with it.

    Raises DoorstepError for a token that no task has had, or whose task is over.
    """

    _send: Callable[[str, FactKind, Any, Duration], None] = field(repr=False)

    def send_task_success(self, token: str, output: Any, *, after: Duration = 0) -> None:
        """SendTaskSuccess: the task with this token ends with `output`, `after` from now."""
        self._send(token, "succeeded", returned(output), after)

    def send_task_failure(
        self,
        token: str,
        error: str | None = None,
        cause: str | None = None,
        *,
        after: Duration = 0,
    ) -> None:
        """SendTaskFailure: the task with this token fails, `after` from now."""
        check_failure(error, cause)
        self._send(token, "failed", {"error": error, "cause": cause}, after)

    def send_task_heartbeat(self, token: str, *, after: Duration = 0) -> None:
        """SendTaskHeartbeat for the task with this token."""
        self._send(token, "heartbeat", None, after)


@dataclass(frozen=True, slots=True)
class Context(Callbacks):
    """What a handler gets as its second argument: Lambda's context, and Doorstep's own members."""

    aws_request_id: str
    function_name: str
    idempotency_key: str
    """The same whenever this work is tried again: in a retry, in a redrive, after a crash."""
    task_token: str
    """The token of a `.waitForTaskToken` or `.sync` task; empty for others."""
    state_name: str
    execution_arn: str
    attempt: int
    """0 for the first call, then the number of the retry."""
    resource: str
    """The Resource of the task, as the definition has it."""
    invoked_function_arn: str
    """The function's; of a task that calls none, the Resource."""
    log_group_name: str
    log_stream_name: str
    _remaining: Callable[[], float] = field(repr=False)
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 128

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the task's TimeoutSeconds, or Lambda's 15 minutes."""
        return max(0, round(self._remaining() * 1000))

    def heartbeat(self) -> None:
        """SendTaskHeartbeat for this call."""
        self._send(self.task_token or self.idempotency_key, "heartbeat", None, 0)


def context_of(
    identity: Identity,
    invoke: Invoke,
    request_id: str,
    *,
    remaining: Callable[[], float],
    send: Callable[[str, FactKind, Any, Duration], None],
    now: float = 0,
) -> Context:
    """Return the context of a call; `remaining` in seconds, `send` to a token's task.

    `now`: epoch seconds, for the day in the log stream's name.
    """
    day = in_utc(now).strftime("%Y/%m/%d")
    return Context(
        aws_request_id=request_id,
        function_name=called_name(invoke),
        idempotency_key=f"{identity.arn}#{invoke.visit}",
        task_token=invoke.token,
        state_name=invoke.state,
        execution_arn=identity.arn,
        attempt=invoke.attempt,
        resource=invoke.resource,
        invoked_function_arn=_function_arn(identity, invoke),
        log_group_name=f"/aws/lambda/{called_name(invoke)}",
        log_stream_name=f"{day}/[$LATEST]{identity.uuid('log').replace('-', '')}",
        _remaining=remaining,
        _send=send,
    )


def _function_arn(identity: Identity, invoke: Invoke) -> str:
    """Return the ARN with which the function is called: version and alias belong to it."""
    if invoke.integration.action != "lambda:invoke" or not isinstance(invoke.arguments, dict):
        return invoke.resource
    name = str(invoke.arguments.get("FunctionName", ""))
    qualifier = invoke.arguments.get("Qualifier")
    end = f":{qualifier}" if qualifier else ""
    if name.startswith("arn:"):
        return f"{name}{end}"
    # A name may be ACCOUNT:function:NAME as well (Lambda API, "Invoke").
    of = name if ":function:" in name else f"{identity.account}:function:{name}"
    return f"arn:{partition_of(identity.region)}:lambda:{identity.region}:{of}{end}"


def call(
    handlers: Handlers, invoke: Invoke, identity: Identity, make: Callable[..., Context], *of: Any
) -> Answer:
    """Call the handler of a task; whatever happens becomes an Answer.

    `make(*of, invoke, request's id)` makes the handler's context, if it takes one.

    Raises KeyboardInterrupt, and that in the main thread only, where it is the user's Ctrl-C.
    """
    try:
        function = handlers.find(invoke)
        if function is None:
            cause = missing(invoke, handlers.described)
            return Answer(failed=True, error="Doorstep.HandlerNotFound", cause=cause, final=True)
        action = invoke.integration.action
        event = event_from(action, invoke.arguments)
        if action == "lambda:invoke" and (refused := rejected(invoke, event)):
            return refused
        event = as_json(event, invoke.text if event is invoke.arguments else "")
        try:
            takes_context = _takes_context(function)
        except TypeError:  # it has no hash, as an object of a dataclass
            takes_context = _takes_context.__wrapped__(function)
        if takes_context:
            result = function(event, make(*of, invoke, _request_id(identity, invoke)))
        else:
            result = function(event)
        kind = type(result)
        # As `inspect.isawaitable`; to find that a dict has no such member takes as long as a call.
        if kind is not dict and hasattr(kind, "__await__"):
            result = _awaited(result, invoke.timeout)
        return _answer(invoke, identity, result)
    except HandlerLoadError as problem:
        cause = str(problem)
        return Answer(failed=True, error="Doorstep.HandlerNotLoaded", cause=cause, final=True)
    except TaskFailed as failed:
        return failed.answer
    except _TimedOut:
        # The task's own timer ends it, on the execution's clock; nobody answers.
        return Answer(accepted=False)
    except BaseException as problem:  # the user's code may raise whatever it likes
        if is_interrupt(problem):
            raise
        return _failure(invoke, identity, problem)


def call_apart(handlers: Handlers, invoke: Invoke, identity: Identity) -> Answer:
    """Call the handler of a task outside of an execution: what it sends to tasks is dropped."""
    context = partial(
        context_of,
        identity,
        remaining=lambda: invoke.timeout or LAMBDA_SECONDS,
        send=lambda *_: None,
    )
    return call(handlers, invoke, identity, context)


class _TimedOut(Exception):  # noqa: N818  what happened, not a mistake
    """An `async def` handler was cancelled, as it had taken longer than its task may."""


def _awaited(result: Awaitable[Any], limit: float | None) -> Any:
    """Return what an `async def` handler returns, run on an event loop of its own.

    A loop for each call, as each Lambda invocation has its own process: nothing that belongs to a
    loop outlives a call. After `limit` real seconds the coroutine is cancelled.
    """
    import asyncio

    async def run() -> tuple[Any, BaseException | None]:
        try:
            async with asyncio.timeout(limit) as scope:
                return await result, None
        except (Exception, SystemExit) as problem:  # noqa: BLE001  raised below, without asyncio's frames
            expired = isinstance(problem, TimeoutError) and scope.expired()
            return None, _TimedOut() if expired else problem

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        value, problem = asyncio.run(run())
    else:
        # In a notebook or an async test this thread has a loop already; a thread has one at most.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            value, problem = pool.submit(copy_context().run, asyncio.run, run()).result()
    if problem:
        raise problem
    return value


@lru_cache(maxsize=1024)
def _takes_context(function: Handler) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _answer(invoke: Invoke, identity: Identity, result: Any) -> Answer:
    # Fact 232: the result is the payload, null included.
    if isinstance(result, TaskFailed):
        return result.answer
    plain = not isinstance(result, Answer)
    output, response = (result, ABSENT) if plain else (result.output, result.response)
    try:
        output = output if output is ABSENT else returned(output)
        response = response if response is ABSENT else returned(response)
    except InputError as problem:
        return _unmarshallable(invoke, identity, problem)
    if plain and invoke.integration.pattern == "waitForTaskToken":
        # What a plain handler returns is the answer to the request, not the callback.
        output, response = ABSENT, output
    if invoke.integration.action == "lambda:invoke":
        if response is not ABSENT:
            response = _invocation(response, identity, invoke)
        if output is not ABSENT and not invoke.integration.pattern:
            output = _invocation(output, identity, invoke)
    if plain:
        # Names cost as much again as the rest.
        return Answer(output) if response is ABSENT else Answer(output, response=response)
    changed: Answer = replace(result, output=output, response=response)
    return changed


def checked(invoke: Invoke, identity: Identity, answer: Answer) -> Answer:
    """Return an answer that JSON can say, or the failure that a handler's would be without that."""
    try:
        if answer.output is not ABSENT:
            dumps(answer.output)
    except InputError as problem:
        return _unmarshallable(invoke, identity, problem)
    return answer


def _request_id(identity: Identity, invoke: Invoke) -> str:
    return identity.uuid(f"request/{invoke.key}/{invoke.attempt}")


def _invocation(payload: Any, identity: Identity, invoke: Invoke) -> dict[str, Any]:
    """Return the result of lambda:invoke, in which the payload stands (fact 85)."""
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        **metadata(_request_id(identity, invoke), "application/json"),
        "StatusCode": 200,
    }


def metadata(request_id: str, content_type: str) -> dict[str, Any]:
    """Return the members that the SDK adds to an optimized integration's result."""
    headers = {"Content-Type": content_type, "x-amzn-RequestId": request_id}
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


def _failure(invoke: Invoke, identity: Identity, problem: BaseException) -> Answer:
    # Facts 82, 83 and 311: the error's name is its type.
    if not _is_function(invoke):
        return Answer(failed=True, error=type(problem).__name__, cause=message_of(problem))
    stack = _stack(problem.__traceback__)
    return _report(invoke, type(problem).__name__, message_of(problem), identity, stack)


_stacks: dict[tuple[tuple[str, CodeType, int], ...], list[str]] = {}
"""By file, code and instruction of each frame: a retried handler fails in the same place again.

Code that stands in two files is equal to Python, so that it does not say which file it is of.
"""
_MOST_STACKS = 256


def _stack(trace: TracebackType | None) -> list[str]:
    """Return a traceback's lines from the handler on: what calls it is not the user's."""
    rest, places = trace, []
    while rest:
        code = rest.tb_frame.f_code
        places.append((code.co_filename, code, rest.tb_lasti))
        rest = rest.tb_next
    key = tuple(places)
    lines = _stacks.get(key)
    if lines is None:
        if len(_stacks) >= _MOST_STACKS:
            _stacks.clear()
        frames = traceback.extract_tb(trace)
        theirs = dropwhile(lambda frame: frame.filename.startswith(_PACKAGE), frames)
        lines = _stacks[key] = traceback.format_list(list(theirs))
    return lines


def _unmarshallable(invoke: Invoke, identity: Identity, problem: InputError) -> Answer:
    reason = str(problem).removeprefix("This value can't be written as JSON: ")
    message = f"Unable to marshal response: {reason}"
    if not _is_function(invoke):
        return Answer(failed=True, error="Runtime.MarshalError", cause=message)
    return _report(invoke, "Runtime.MarshalError", message, identity, [])


def _report(
    invoke: Invoke, kind: str, message: str, identity: Identity, stack: list[str]
) -> Answer:
    """Return the failure that Lambda's Python runtime reports; the direct ARN keeps its spacing.

    Fact 312.
    """
    report = {
        "errorMessage": message,
        "errorType": kind,
        "requestId": _request_id(identity, invoke),
        "stackTrace": stack,
    }
    direct = invoke.integration.kind == "lambda"
    return Answer(failed=True, error=kind, cause=json.dumps(report) if direct else dumps(report))


def _is_function(invoke: Invoke) -> bool:
    return invoke.integration.kind == "lambda" or invoke.integration.action == "lambda:invoke"


def called_name(invoke: Invoke) -> str:
    """Return the function's name, as its context has it."""
    if invoke.integration.kind == "service" and isinstance(invoke.arguments, dict):
        return function_name(str(invoke.arguments.get("FunctionName", invoke.integration.action)))
    return function_name(invoke.resource)
