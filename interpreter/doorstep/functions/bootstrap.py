"""Run a Python function behind Lambda's runtime API (2018-06-01), in a process of its own.

Started as a script, by the Python that the function shall have: it imports nothing of Doorstep.
Errors have the shapes that Lambda's own client (awslambdaric) posts.
"""

from __future__ import annotations

import decimal
import http.client
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any

API = "/2018-06-01/runtime/"


class Context:
    """What the function gets as its second argument."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        """Read it from the headers of the event and from the environment."""
        variable = os.environ.get
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = variable("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = variable("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = variable("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = variable("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = self.client_context = None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda would end the call."""
        return max(0, self._deadline - int(time.time() * 1000))


class InitError(Exception):
    """Why the function could not be loaded: Lambda's name for it, and its message."""


def load(handler: str) -> Any:
    """Import the function that `package/module.name` names; raise InitError."""
    path, _, name = handler.rpartition(".")
    if not path:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{handler}'")
    try:
        module = importlib.import_module(path.replace("/", "."))
    except ImportError as problem:
        message = f"Unable to import module '{path}': {problem}"
        raise InitError("Runtime.ImportModuleError", message) from problem
    except SyntaxError as problem:
        where = f'  File "{problem.filename}" Line {problem.lineno}\n    {problem.text}'
        message = f"Syntax error in module '{path}': {problem}"
        raise InitError("Runtime.UserCodeSyntaxError", message, [where]) from problem
    if not hasattr(module, name):
        message = f"Handler '{name}' missing on module '{path}'"
        raise InitError("Runtime.HandlerNotFound", message)
    return getattr(module, name)


def simple(value: Any) -> Any:
    """Write what `json` can't, as Lambda's Python runtime does."""
    if isinstance(value, decimal.Decimal):
        return int(value) if str(value).lstrip("-").isdigit() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def report(problem: BaseException, request: str) -> bytes:
    """Return the error that Lambda's client posts: frames from the function on."""
    frames = traceback.extract_tb(problem.__traceback__)
    stack = [line for line in frames if line.filename != __file__]
    return error(type(problem).__name__, str(problem), request, traceback.format_list(stack))


def error(kind: str, message: str, request: str, stack: list[str]) -> bytes:
    """Return an error in the shape that Lambda's client posts."""
    members = {"errorMessage": message, "errorType": kind}
    return json.dumps({**members, "requestId": request, "stackTrace": stack}).encode()


class Client:
    """The runtime API."""

    def __init__(self) -> None:
        """Connect to where AWS_LAMBDA_RUNTIME_API names."""
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def next_event(self) -> tuple[http.client.HTTPMessage, bytes]:
        """Wait for an event."""
        return self._ask("GET", "invocation/next", None)

    def post(self, name: str, body: bytes) -> None:
        """Post a response or an error."""
        self._ask("POST", name, body)

    def _ask(
        self, method: str, name: str, body: bytes | None
    ) -> tuple[http.client.HTTPMessage, bytes]:
        self._connection.request(method, API + name, body)
        answer = self._connection.getresponse()
        return answer.headers, answer.read()


def end_with_parent() -> None:
    """End once stdin does: Doorstep is gone then."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def serve(client: Client, function: Any) -> None:
    """Take one event after another, until Doorstep closes the connection."""
    while True:
        try:
            headers, body = client.next_event()
        except (OSError, http.client.HTTPException):
            return
        context = Context(headers)
        request = context.aws_request_id
        try:
            result = function(json.loads(body), context)
        except Exception as problem:  # noqa: BLE001  the function may raise whatever it likes
            client.post(f"invocation/{request}/error", report(problem, request))
            continue
        try:
            text = result if isinstance(result, bytes) else json.dumps(result, default=simple)
        except (TypeError, ValueError) as problem:
            message = f"Unable to marshal response: {problem}"
            posted = error("Runtime.MarshalError", message, request, [])
            client.post(f"invocation/{request}/error", posted)
            continue
        client.post(
            f"invocation/{request}/response", text if isinstance(text, bytes) else text.encode()
        )


def main() -> None:
    """Load the function, then serve."""
    sys.path[:1] = os.environ.get("DOORSTEP_PATHS", "").split(os.pathsep)
    threading.Thread(target=end_with_parent, daemon=True).start()
    client = Client()
    try:
        function = load(os.environ["_HANDLER"])
    except InitError as problem:
        kind, message, *stack = problem.args
        client.post("init/error", error(kind, message, "", stack[0] if stack else []))
        sys.exit(1)
    except BaseException as problem:  # noqa: BLE001  the module may raise whatever it likes
        client.post("init/error", report(problem, ""))
        sys.exit(1)
    serve(client, function)


if __name__ == "__main__":
    main()
