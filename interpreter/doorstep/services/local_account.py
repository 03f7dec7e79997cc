"""Step Functions and Lambda as code of the user's own calls them: the machines and functions here.

Requests come from boto3 in this process, from processes of functions, from the server's clients;
events come from EventBridge's rules. Each reaches the same machines and functions.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ..engine import Identity, Invoke
from ..errors import ApiError
from ..model import integration
from ..runtime import Answer, Handlers, call_apart
from ..values.json_values import dumps, loads
from ..values.timestamps import in_utc

Headers = Mapping[str, str]
Reply = tuple[int, dict[str, str], bytes]
_STEP_FUNCTIONS = "AWSStepFunctions."
_INVOCATION = re.compile(r"/(?:2015-03-31|2014-11-13)/functions/([^/]+)/(invocations|invoke-async)")
_JSON = "application/x-amz-json-1.0"


class Machines(Protocol):
    """The state machines and executions that requests are for."""

    @property
    def handlers(self) -> Handlers:
        """What answers functions by their names."""

    def answer(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation of the API; raise ApiError. Called from any thread."""

    def send(self, operation: str, members: dict[str, Any]) -> None:
        """Let an operation be done whose answer nobody waits for; a refusal is logged."""


class LocalAccount:
    """The machines and functions of this process, as an account of AWS."""

    def __init__(self, machines: Machines) -> None:
        """Answer for these machines, and for the functions that their tasks would call."""
        self.machines = machines

    # Requests ------------------------------------------------------------------------------------

    def answer(self, path: str, headers: Headers, read: Callable[[], bytes]) -> Reply | None:
        """Answer a request of Step Functions, or one that invokes a function; None for others.

        `read`: gives the body, which is left alone for whoever answers others.
        """
        named = {name.lower(): value for name, value in headers.items()}
        target = _text(named.get("x-amz-target"))
        if target.startswith(_STEP_FUNCTIONS):
            return self._step_functions(target.removeprefix(_STEP_FUNCTIONS), read())
        if match := _INVOCATION.fullmatch(path):
            later = _text(named.get("x-amz-invocation-type")) == "Event"
            return self.invoke(unquote(match[1]), read(), later)
        return None

    def _step_functions(self, operation: str, body: bytes) -> Reply:
        try:
            answer = self.machines.answer(operation, loads(body.decode()) if body else {})
        except ApiError as refused:
            error = {"__type": refused.code, "message": str(refused)}
            return 400, {"Content-Type": _JSON}, dumps(error).encode()
        return 200, {"Content-Type": _JSON}, dumps(answer).encode()

    def invoke(self, function: str, payload: bytes, later: bool = False) -> Reply:
        """Invoke: a failure of the function is an answer with X-Amz-Function-Error."""
        name = _function_name(function)
        if self.machines.handlers.by_name(name) is None:
            message = f"Function not found: {_function_arn(name)}"
            error = dumps({"Type": "User", "Message": message, "message": message}).encode()
            kind = {"x-amzn-ErrorType": "ResourceNotFoundException"}
            return 404, {"Content-Type": "application/json", **kind}, error
        if later:
            threading.Thread(target=self._call, args=(name, payload), daemon=True).start()
            return 202, {}, b""
        answer = self._call(name, payload)
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if not answer.failed:
            return 200, headers, dumps(answer.output).encode()
        headers["X-Amz-Function-Error"] = "Unhandled"
        return 200, headers, _report(answer)

    def _call(self, name: str, payload: bytes) -> Answer:
        resource = _function_arn(name)
        event = loads(payload.decode()) if payload else {}
        request = str(uuid.uuid4())
        called = Invoke(
            *(request, request, name, resource, integration(resource), event, ""),
            timeout=None,
            heartbeat=None,
            attempt=0,
            number=0,
        )
        return call_apart(self.machines.handlers, called, Identity(name=request, seed=request))

    # Events --------------------------------------------------------------------------------------

    def deliver(self, arn: str, event: Any) -> None:
        """Give an event to the machine or function that a rule names."""
        if ":stateMachine:" in arn:
            self.machines.send("StartExecution", {"stateMachineArn": arn, "input": dumps(event)})
        elif ":function:" in arn:
            self.invoke(arn, dumps(event).encode(), later=True)

    # Where they come from ------------------------------------------------------------------------

    @contextlib.contextmanager
    def in_process(self) -> Iterator[None]:
        """Answer clients of boto3 that are made in this process while it lasts."""
        from botocore import handlers
        from botocore.awsrequest import AWSResponse

        def answered(request: Any, **_: Any) -> Any:
            path = urlsplit(request.url).path
            reply = self.answer(path, request.headers, lambda: _bytes(request.body))
            if reply is None:
                return None
            status, headers, body = reply
            return AWSResponse(request.url, status, headers, _Raw(body))

        before = list(handlers.BUILTIN_HANDLERS)
        handlers.BUILTIN_HANDLERS.insert(0, ("before-send", answered))
        try:
            with _rules_delivering(self.deliver):
                yield
        finally:
            handlers.BUILTIN_HANDLERS[:] = before

    def before(self, application: Any) -> Callable[..., Iterable[bytes]]:
        """Return a WSGI application that answers what it can, and asks another for the rest."""

        def served(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            headers = {
                "x-amz-target": environ.get("HTTP_X_AMZ_TARGET", ""),
                "x-amz-invocation-type": environ.get("HTTP_X_AMZ_INVOCATION_TYPE", ""),
            }
            length = int(environ.get("CONTENT_LENGTH") or 0)
            reply = self.answer(
                environ.get("PATH_INFO", ""), headers, lambda: environ["wsgi.input"].read(length)
            )
            if reply is None:
                return application(environ, start_response)  # type: ignore[no-any-return]
            status, own, answer = reply
            start_response(f"{status} ", [*own.items(), ("Content-Length", str(len(answer)))])
            return [answer]

        return served


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _bytes(body: Any) -> bytes:
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")


def _function_name(given: str) -> str:
    """Return the name in a name, an ARN, a part of one; without a qualifier."""
    parts = given.split(":")
    return parts[parts.index("function") + 1] if "function" in parts else parts[0]


def _function_arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


def _report(answer: Answer) -> bytes:
    """Return the error object: a cause that is one already, as functions' are."""
    try:
        if isinstance(json.loads(answer.cause or ""), dict):
            return (answer.cause or "").encode()
    except ValueError:
        pass
    return dumps({"errorType": answer.error, "errorMessage": answer.cause}).encode()


@contextlib.contextmanager
def _rules_delivering(deliver: Callable[[str, Any], None]) -> Iterator[None]:
    """Let moto's rules of EventBridge start machines and invoke functions, which moto has not."""
    try:
        from moto.events import models
    except ImportError:
        yield
        return
    rules: Any = models.Rule
    original = rules.send_to_targets

    def send(rule: Any, event: Any, transform_input: bool = True) -> None:
        ours = [one for one in rule.targets if _is_ours(one["Arn"])]
        if ours and rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
            for target in ours:
                deliver(target["Arn"], rule_input(target, event))
        others = [one for one in rule.targets if not _is_ours(one["Arn"])]
        if others:
            whole, rule.targets = rule.targets, others
            try:
                original(rule, event, transform_input)
            finally:
                rule.targets = whole

    rules.send_to_targets = send
    try:
        yield
    finally:
        rules.send_to_targets = original


def _is_ours(arn: str) -> bool:
    return ":states:" in arn or ":lambda:" in arn


def rule_input(target: Mapping[str, Any], event: Mapping[str, Any]) -> Any:
    """Return what a rule's target gets: the event, a part of it, a text made of it, a constant."""
    event = json.loads(json.dumps(event))
    assert isinstance(event, dict)
    if isinstance(event.get("time"), int | float):
        event["time"] = f"{in_utc(event['time']):%Y-%m-%dT%H:%M:%SZ}"
    if "Input" in target:
        return loads(target["Input"])
    for name in str(target.get("InputPath", "$")).split(".")[1:]:
        event = event[name]
    if transformer := target.get("InputTransformer"):
        from moto.events import models

        parser: Any = getattr(models, "EventTemplateParser")  # noqa: B009
        made = parser.parse(
            input_template=transformer["InputTemplate"],
            input_paths_map=transformer.get("InputPathsMap", {}),
            event=event,
        )
        return loads(made) if isinstance(made, str) else made
    return event
