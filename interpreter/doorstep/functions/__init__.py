"""Lambda code: functions of a project, in this process or behind Lambda's runtime API."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import HandlerLoadError
from ..runtime import Handler
from .function import Function, Log
from .in_process import InProcess
from .processes import Pool, command_of

__all__ = ["Function", "Log", "close", "handler_of", "why_not_run"]


def handler_of(function: Function, log: Log) -> Handler:
    """Return what answers a task that calls the function; no code is loaded before the first call.

    Raises HandlerLoadError when nothing here can run the code: no such folder, no such runtime.
    """
    if problem := why_not_run(function):
        raise HandlerLoadError(problem)
    if _is_in_process(function):
        return InProcess(function, log)
    return Pool(function, command_of(function), log)


def why_not_run(function: Function) -> str | None:
    """Return why nothing here can run a function's code, with what to do; None if it runs."""
    if not function.code.is_dir():
        return (
            f"the code of {function.name} is not there: {function.code}. Build it first, or give "
            f"it a handler (@doorstep.handler({function.name!r})) or a mock"
        )
    if not _is_in_process(function):
        try:
            command_of(function)
        except HandlerLoadError as problem:
            return str(problem)
    return None


def _is_in_process(function: Function) -> bool:
    return function.runtime.startswith("python") and not function.isolated


def close(handlers: Iterable[Handler]) -> None:
    """End the processes of these handlers."""
    for one in handlers:
        if isinstance(one, Pool):
            one.close()
