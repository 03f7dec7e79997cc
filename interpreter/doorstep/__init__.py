"""Doorstep: AWS Step Functions at your own doorstep.

execution = doorstep.run(definition, input={…}, handlers={"name": function})
execution.status, execution.output, execution.history
"""

from __future__ import annotations

from .answers import Answer, TaskFailed, answer, fail, no_answer
from .calling import Context
from .diagnostics import Diagnostic
from .drivers import Driver, Execution
from .errors import (
    DefinitionError,
    DoorstepError,
    Failure,
    HandlerLoadError,
    InputError,
    ReplayError,
)
from .handlers import handler
from .rules import validate
from .running import run, start

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Context",
    "DefinitionError",
    "Diagnostic",
    "DoorstepError",
    "Driver",
    "Execution",
    "Failure",
    "HandlerLoadError",
    "InputError",
    "ReplayError",
    "TaskFailed",
    "answer",
    "fail",
    "handler",
    "no_answer",
    "run",
    "start",
    "validate",
]
