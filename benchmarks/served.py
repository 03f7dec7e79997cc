"""A server in a process of its own and a plain client, for the emulator's benchmarks."""

from __future__ import annotations

import http.client
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/doorstep"
_PROGRAM = "from doorstep_cli.main import entry; entry()"

Call = Callable[..., Any]
"""(operation, **members) → the answer's members."""


class Refused(Exception):  # noqa: N818  what it is to the one who asked
    """An answer other than 200; its text is the error's name."""


class Served:
    """A program that prints its URL at the end of its first line."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, line
        self.url, self.port = found[0], int(found[1])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it and wait for its end."""
        self.process.send_signal(how)
        self.process.communicate()

    def cpu(self) -> float:
        """Return the CPU seconds so far; 0 where a process has no clock."""
        # As clock_getcpuclockid(3), which Python does not have, makes it on Linux.
        clock = ~self.process.pid << 3 | 2
        try:
            return time.clock_gettime(clock)
        except (AttributeError, OSError):
            return 0.0

    def memory(self) -> str:
        """Return what it holds."""
        status = Path(f"/proc/{self.process.pid}/status")
        found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
        return f"{int(found[1]) / 1024:.0f} MB" if found else "not known here"


def emulator(db: Path | str, *options: str, port: int = 0) -> Served:
    """`doorstep serve`."""
    given = ("--port", str(port), "--db", str(db), "--log-level", "warning", *options)
    return Served("-c", _PROGRAM, "serve", *given)


def plain_client(url: str | Sequence[str], more: Mapping[str, str] | None = None) -> Call:
    """Return a client with one persistent connection to each URL; it asks any of them.

    `more`: headers that it sends as well.

    It raises Refused, and OSError or HTTPException when the connection breaks, or when the server
    says that it does not know.
    """
    urls = [url] if isinstance(url, str) else url
    connections = [
        http.client.HTTPConnection(one.removeprefix("http://"), timeout=60) for one in urls
    ]

    def call(operation: str, **request: Any) -> Any:
        connection = random.choice(connections)
        headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}", **(more or {})}
        try:
            connection.request("POST", "/", json.dumps(request), headers)
            answer = connection.getresponse()
            content = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.status == 503:
            raise ConnectionError(content["message"])
        if answer.status != 200:
            raise Refused(content["__type"])
        return content

    return call
