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
    from .api import run, start
    from .errors import (
        ApiError,
        DefinitionError,
        Diagnostic,
        DoorstepError,
        Failure,
        HandlerLoadError,
        InputError,
        ReplayError,
    )
    from .explorer import Exploration, explore
    from .history import ExecutionView, StateView
    from .replayer import Moment, Moments, Replay, moments, replay, resume
    from .runtime import (
        Answer,
        Callbacks,
        Context,
        Execution,
        TaskFailed,
        answer,
        fail,
        handler,
        no_answer,
    )
    from .single_state import test_state
    from .validation import validate

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "ApiError",
    "Callbacks",
    "Context",
    "DefinitionError",
    "Diagnostic",
    "DoorstepError",
    "Execution",
    "ExecutionView",
    "Exploration",
    "Failure",
    "HandlerLoadError",
    "InputError",
    "Moment",
    "Moments",
    "Replay",
    "ReplayError",
    "StateView",
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
    "runtime.answers": ("Answer", "TaskFailed", "answer", "fail", "no_answer"),
    "history": ("ExecutionView", "StateView"),
    "runtime.invocation": ("Callbacks", "Context"),
    "runtime": ("Execution",),
    "errors": (
        "ApiError",
        "DefinitionError",
        "Diagnostic",
        "DoorstepError",
        "Failure",
        "HandlerLoadError",
        "InputError",
        "ReplayError",
    ),
    "explorer": ("Exploration", "explore"),
    "runtime.handlers": ("handler",),
    "replayer": ("Moment", "Moments", "Replay", "moments", "replay", "resume"),
    "validation": ("validate",),
    "api": ("run", "start"),
    "single_state": ("test_state",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "jsonata":
        return import_module(".jsonata", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
