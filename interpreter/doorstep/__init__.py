"""Doorstep: AWS Step Functions at your own doorstep.

    execution = doorstep.run(definition, input={…}, handlers={"name": function})
    execution.status, execution.output, execution.history

Names are imported when they are first used, so that `import doorstep` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import jsonata
    from .answers import Answer, TaskFailed, answer, fail, no_answer
    from .calling import Context
    from .diagnostics import Diagnostic
    from .drivers import Driver, Execution
    from .errors import (
        ApiError,
        DefinitionError,
        DoorstepError,
        Failure,
        HandlerLoadError,
        InputError,
        ReplayError,
    )
    from .exploring import Exploration, explore
    from .handlers import handler
    from .replaying import Moment, Moments, Replay, moments, replay, resume
    from .rules import validate
    from .running import run, start
    from .teststate import test_state

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "ApiError",
    "Context",
    "DefinitionError",
    "Diagnostic",
    "DoorstepError",
    "Driver",
    "Execution",
    "Exploration",
    "Failure",
    "HandlerLoadError",
    "InputError",
    "Moment",
    "Moments",
    "Replay",
    "ReplayError",
    "TaskFailed",
    "answer",
    "explore",
    "fail",
    "handler",
    "jsonata",
    "moments",
    "no_answer",
    "replay",
    "resume",
    "run",
    "start",
    "test_state",
    "validate",
]

_HOMES = {
    "answers": ("Answer", "TaskFailed", "answer", "fail", "no_answer"),
    "calling": ("Context",),
    "diagnostics": ("Diagnostic",),
    "drivers": ("Driver", "Execution"),
    "errors": (
        "ApiError",
        "DefinitionError",
        "DoorstepError",
        "Failure",
        "HandlerLoadError",
        "InputError",
        "ReplayError",
    ),
    "exploring": ("Exploration", "explore"),
    "handlers": ("handler",),
    "replaying": ("Moment", "Moments", "Replay", "moments", "replay", "resume"),
    "rules": ("validate",),
    "running": ("run", "start"),
    "teststate": ("test_state",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "jsonata":
        return import_module(".jsonata", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
