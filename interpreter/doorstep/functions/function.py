"""One Lambda function of a project, as its template describes it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..runtime import Context, TaskFailed

Log = Callable[[str, str], None]
"""Takes whose line it is, and a line that was printed."""


@dataclass(frozen=True, slots=True)
class Function:
    """What a template says of a function."""

    name: str
    """FunctionName, or the logical id."""
    runtime: str
    """As Lambda names them: `python3.12`, `nodejs20.x`, `provided.al2023`."""
    handler: str
    """Module and function: `app.lambda_handler`, `src/index.handler`."""
    code: Path
    """The folder that CodeUri names."""
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0
    """Seconds; 3 is Lambda's default."""
    memory: int = 128
    """MB; the code can read it, nothing enforces it."""
    layers: tuple[Path, ...] = ()
    """Folders of layers, each with `python/` or `nodejs/node_modules/` in it."""
    isolated: bool = False
    """Whether Python code runs in a process of its own too."""

    def variables(self) -> dict[str, str]:
        """Return the environment variables that Lambda sets, and the function's own.

        Source: Lambda's developer guide, "Defined runtime environment variables".
        """
        return {
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "doorstep",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.runtime}",
            "LAMBDA_TASK_ROOT": str(self.code),
            "_HANDLER": self.handler,
            **self.environment,
        }


def label(function: Function, context: Context) -> str:
    """Return whose lines they are: the state's, with the function if that has another name."""
    state = context.state_name
    return function.name if state in ("", function.name) else f"{state}: {function.name}"


def lambda_failure(kind: str, message: str) -> TaskFailed:
    """Return the failure that Lambda itself reports, beside the function's runtime."""
    return TaskFailed(kind, _compact({"errorType": kind, "errorMessage": message}))


def exited(request: str, code: int) -> TaskFailed:
    """Return what Lambda reports of a runtime that ended by itself."""
    how = f"signal: {_SIGNALS.get(-code, -code)}" if code < 0 else f"exit status {code}"
    message = f"RequestId: {request} Error: Runtime exited with error: {how}"
    if code == 0:
        message = f"RequestId: {request} Error: Runtime exited without providing a reason"
    return lambda_failure("Runtime.ExitError", message)


_SIGNALS = {2: "interrupt", 6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}
"""As Go's os package, in which Lambda's supervisor is written, names them."""


def python_failure(kind: str, message: str, *stack: str) -> TaskFailed:
    """Return what Lambda's Python runtime reports of a function that does not load."""
    report = {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": stack}
    return TaskFailed(kind, _compact(report))


def _compact(report: Mapping[str, Any]) -> str:
    return json.dumps(report, separators=(",", ":"), ensure_ascii=False)


# Whether its files changed since it was loaded ---------------------------------------------------

_LEFT_OUT = {"node_modules", "__pycache__", ".git", ".venv", ".pytest_cache"}
_PAUSE = 0.5
"""Seconds between two looks: a call in a loop does not pay for one each time."""


class Changes:
    """Looks at names, sizes and times of the files below some folders."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Remember them as they are now."""
        self._folders = folders
        self._state = self._look()
        self._looked = time.monotonic()

    def seen(self) -> bool:
        """Return whether something changed since the last time that this was true."""
        now = time.monotonic()
        if now - self._looked < _PAUSE:
            return False
        self._looked = now
        before, self._state = self._state, self._look()
        return before != self._state

    def _look(self) -> frozenset[tuple[str, int, int]]:
        return frozenset(
            (entry.path, status.st_mtime_ns, status.st_size)
            for folder in self._folders
            for entry in _files(str(folder))
            for status in [entry.stat()]
        )


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _LEFT_OUT:
                    yield from _files(entry.path)
            elif entry.is_file():
                yield entry
