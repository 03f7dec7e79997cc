"""Functions in processes of their own, behind Lambda's runtime API on loopback.

A process asks for its next event (`GET /runtime/invocation/next`, which waits), and posts the
response or the error; so any runtime that has a bootstrap works. A process takes one event at a
time and stays warm; calls at the same time take one each. Source: Lambda's developer guide,
"Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from ..errors import HandlerLoadError
from ..runtime import Context, TaskFailed
from ..values.json_values import dumps, loads
from .function import Changes, Function, Log, exited, label, lambda_failure

_HERE = Path(__file__).parent
_STRIPS_TYPES = (22, 6)
"""The Node from which on types are stripped, behind a flag until 22.18 and 23.6."""
_MOST = 16
"""Processes of one function at a time; more calls wait for one."""
_INIT = 10.0
"""Seconds that the code has to load before its first event: Lambda's limit of the init phase."""
_RESPONSE = 6 * 1024 * 1024 + 100
"""Bytes of a response: Lambda's quota of a synchronous invocation."""
_CHUNK = 65_536
_CANT_LOOK = (OSError, ValueError)
"""`select` looks into no pipe on Windows, and into none whose number is past 1,023."""
_SETTLED = 0.05
"""Seconds that a call waits there for what its function printed just before its response."""


class Pool:
    """A handler that calls a function in one of its processes."""

    def __init__(self, function: Function, command: Sequence[str], log: Log) -> None:
        """Start nothing yet."""
        self._function = function
        self._command = list(command)
        self._log = log
        self._idle: list[_Process] = []
        self._slots = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()
        self._changes = Changes((function.code, *function.layers))
        atexit.register(self.close)

    def __call__(self, event: Any, context: Context) -> Any:
        """Call the function; raise TaskFailed with Lambda's error when it fails."""
        with self._slots:
            process = self._take(context.aws_request_id)
            try:
                return process.invoke(event, context)
            finally:
                self._give_back(process)

    def close(self) -> None:
        """End the processes that wait for events."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _take(self, request: str) -> _Process:
        if self._changes.seen():
            self.close()
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                process.close()
        try:
            return _Process(self._function, self._command, self._log)
        except OSError as problem:
            # The words of Lambda's own (aws-lambda-runtime-interface-emulator, fatalerror).
            why = (problem.strerror or str(problem)).lower()
            message = f"RequestId: {request} Error: fork/exec {self._command[0]}: {why}"
            raise lambda_failure("Runtime.InvalidEntrypoint", message) from None

    def _give_back(self, process: _Process) -> None:
        if not process.alive:
            process.close()
            return
        with self._lock:
            self._idle.append(process)


class _Process:
    """One process and the runtime API that it talks to."""

    def __init__(self, function: Function, command: Sequence[str], log: Log) -> None:
        self._function = function
        self._events: queue.Queue[tuple[str, bytes, str, float] | None] = queue.Queue()
        self._outcomes: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._ready = threading.Event()
        self._log = log
        self._label = function.name
        self._reading = threading.Lock()
        self._begun, self._closed = b"", False
        """Of its output: the line that has no end yet, and whether there is no more."""
        self._server = _RuntimeApi(self)
        try:
            self._process = self._started(command)
        except OSError:
            self._server.close()
            raise
        self._printed = threading.Thread(target=self._follow, daemon=True)
        self._printed.start()
        threading.Thread(target=self._mourn, daemon=True).start()

    def _started(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        own = {**_variables(self._function), "AWS_LAMBDA_RUNTIME_API": self._server.at}
        return subprocess.Popen(
            command,
            cwd=self._function.code,
            env={**os.environ, **own},
            # Never written to: its end tells the bootstrap that Doorstep is gone.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: Any, context: Context) -> Any:
        """Hand over one event and wait for what becomes of it."""
        request, self._label = context.aws_request_id, label(self._function, context)
        limit = self._function.timeout
        if not self._ready.is_set():
            limit += _INIT
        body = dumps(event).encode()
        self._events.put((request, body, context.invoked_function_arn, limit))
        try:
            kind, answer = self._outcomes.get(timeout=limit)
        except queue.Empty:
            self._kill()
            raise _timed_out(request, self._function.timeout) from None
        self._settle()
        if kind == "exited":
            raise exited(request, self._process.wait())
        if kind == "error":
            raise _failed(answer)
        if len(answer) > _RESPONSE:
            raise lambda_failure(
                "Function.ResponseSizeTooLarge",
                f"Response payload size ({len(answer)} bytes) exceeded maximum allowed payload "
                f"size ({_RESPONSE} bytes).",
            )
        return loads(answer.decode(errors="replace")) if answer else None

    def next_event(self) -> tuple[str, bytes, str, float] | None:
        """Wait for an event; None when the process shall end."""
        self._ready.set()
        return self._events.get()

    def answered(self, kind: str, body: bytes) -> None:
        """Take what the process posted."""
        self._outcomes.put((kind, body))

    def close(self) -> None:
        """End the process and its API, and wait for both."""
        self._kill()
        self._server.close()

    def _kill(self) -> None:
        self._events.put(None)
        if self.alive:
            self._process.kill()
        self._process.wait()
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _follow(self) -> None:
        """Log what the function prints, line by line, until it closes its output."""
        assert self._process.stdout
        with self._process.stdout as pipe:
            try:
                while not self._closed:
                    select.select([pipe], [], [])
                    self._read_on()
            except _CANT_LOOK:
                while not self._closed:
                    self._take_in(os.read(pipe.fileno(), _CHUNK))

    def _read_on(self) -> None:
        """Log what has been printed so far, whichever thread comes first."""
        pipe = self._process.stdout
        with self._reading:
            while pipe and not self._closed and select.select([pipe], [], [], 0)[0]:
                self._take_in(os.read(pipe.fileno(), _CHUNK))

    def _take_in(self, chunk: bytes) -> None:
        *lines, self._begun = (self._begun + chunk).split(b"\n")
        if not chunk:
            self._closed = True
            lines = [self._begun] if self._begun else []
        for line in lines:
            self._log(self._label, line.decode(errors="replace").rstrip("\r"))

    def _mourn(self) -> None:
        self._process.wait()
        self._printed.join(1)
        self._outcomes.put(("exited", b""))

    def _settle(self) -> None:
        """Log what the function has printed, so that it stands with its call."""
        try:
            self._read_on()
        except _CANT_LOOK:
            time.sleep(_SETTLED)


def _variables(function: Function) -> dict[str, str]:
    """Return the function's variables, with where its runtime looks for modules."""
    python = [str(function.code), *(str(layer / "python") for layer in function.layers)]
    node = [str(layer / "nodejs" / "node_modules") for layer in function.layers]
    paths = {"DOORSTEP_PATHS": os.pathsep.join(python), "NODE_PATH": os.pathsep.join(node)}
    return {**function.variables(), **paths}


class _RuntimeApi(ThreadingHTTPServer):
    """The runtime API of one process."""

    daemon_threads = True

    def __init__(self, process: _Process) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.process = process
        self.at = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def server_bind(self) -> None:
        """Bind without asking for the host's name, which can take macOS seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def close(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: the process was killed while it was being answered."""


class _Request(BaseHTTPRequestHandler):
    """One request of a bootstrap."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _RuntimeApi

    def do_GET(self) -> None:
        """Answer `invocation/next` once there is an event."""
        event = self.server.process.next_event()
        if event is None:
            self.close_connection = True
            return
        request, body, arn, limit = event
        deadline = int((time.time() + limit) * 1000)
        self._reply(
            200,
            body,
            ("Lambda-Runtime-Aws-Request-Id", request),
            ("Lambda-Runtime-Deadline-Ms", str(deadline)),
            ("Lambda-Runtime-Invoked-Function-Arn", arn),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{request[:8]}-{request.replace('-', '')[:24]}"),
        )

    def do_POST(self) -> None:
        """Take `invocation/ID/response`, `invocation/ID/error` or `init/error`."""
        body = self._body()
        kind = "response" if self.path.endswith("/response") else "error"
        self._reply(202, b'{"status":"OK"}')
        self.server.process.answered(kind, body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def _timed_out(request: str, limit: float) -> TaskFailed:
    message = f"RequestId: {request} Error: Task timed out after {limit:.2f} seconds"
    return lambda_failure("Sandbox.Timedout", message)


def _failed(body: bytes) -> TaskFailed:
    """Return the error that the function's runtime posted; its text is the cause."""
    text = body.decode(errors="replace")
    try:
        error = json.loads(text)["errorType"]
    except (ValueError, TypeError, KeyError):
        error = None
    return TaskFailed(error if isinstance(error, str) and error else "Lambda.Unknown", text)


# Which command runs a function's code, by its Runtime ---------------------------------------------


def command_of(function: Function) -> list[str]:
    """Return the command that starts the function's runtime.

    Raises HandlerLoadError when this machine has no such runtime; the message says what to do.
    """
    runtime = function.runtime
    if runtime.startswith("nodejs"):
        return _node(function)
    if runtime.startswith("python"):
        return [sys.executable, "-u", str(_HERE / "bootstrap.py")]
    if runtime.startswith("provided"):
        return _provided(function)
    raise HandlerLoadError(
        f"the function {function.name} has the runtime {runtime or 'of a container image'}, which "
        "Doorstep does not run; it runs python*, nodejs* and provided*. Give it a handler "
        f"(--handlers, @doorstep.handler({function.name!r})) or a mock"
    )


def _node(function: Function) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise HandlerLoadError(
            f"the function {function.name} needs Node.js ({function.runtime}), and no `node` is on "
            "the PATH. Install it, or give the function a handler or a mock"
        )
    version = _node_version(node)
    flags = ["--experimental-strip-types"] if version >= _STRIPS_TYPES else []
    return [node, "--no-warnings", *flags, str(_HERE / "bootstrap.mjs")]


@lru_cache(maxsize=8)
def _node_version(node: str) -> tuple[int, ...]:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = shown.stdout.strip().lstrip("v").split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def _provided(function: Function) -> list[str]:
    bootstrap = function.code / "bootstrap"
    if not bootstrap.is_file():
        raise HandlerLoadError(
            f"the function {function.name} ({function.runtime}) has no file {bootstrap}. "
            "Build it first, for this machine's kind of processor, or give it a handler or a mock"
        )
    return [str(bootstrap)]
