"""One Lambda function of a project, as its template describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..runtime.answers import TaskFailed

Log = Callable[[str, str], None]
"""Takes a function's name and a line that it printed."""


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


def lambda_failure(kind: str, message: str) -> TaskFailed:
    """Return the failure that Lambda itself reports, beside the function's runtime."""
    return TaskFailed(kind, _compact({"errorType": kind, "errorMessage": message}))


def python_failure(kind: str, message: str, *stack: str) -> TaskFailed:
    """Return what Lambda's Python runtime reports of a function that does not load."""
    report = {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": stack}
    return TaskFailed(kind, _compact(report))


def _compact(report: Mapping[str, Any]) -> str:
    return json.dumps(report, separators=(",", ":"), ensure_ascii=False)
