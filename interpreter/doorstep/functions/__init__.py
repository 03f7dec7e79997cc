"""Lambda code: functions of a project, in this process or behind Lambda's runtime API."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import HandlerLoadError
from ..runtime import Handler
from .function import Function, Log
from .in_process import InProcess
from .processes import Pool, command_of

__all__ = ["Function", "Log", "close", "handler_of"]


def handler_of(function: Function, log: Log) -> Handler:
    """Return what answers a task that calls the function; no code is loaded before the first call.

    Raises HandlerLoadError when nothing here can run the code: no such folder, no such runtime.
    """
    if not function.code.is_dir():
        raise HandlerLoadError(f"the code of {function.name} is not there: {function.code}")
    if function.runtime.startswith("python") and not function.isolated:
        return InProcess(function)
    return Pool(function, command_of(function), log)


def close(handlers: Iterable[Handler]) -> None:
    """End the processes of these handlers."""
    for one in handlers:
        if isinstance(one, Pool):
            one.close()
