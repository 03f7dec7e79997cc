"""A Python function in Doorstep's own process: breakpoints, mocks and coverage reach it."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from ..runtime import Context
from .environment import variables
from .function import Changes, Function, Log, exited, label, python_failure
from .printing import Printing
from .private_modules import PrivateModules


class InProcess:
    """A handler that loads the function's module at the first call, and again when a file changed.

    The module has its own `app`, `util` and environment, whatever other functions have. Its time
    limit is not enforced: whoever stops at a breakpoint takes longer than Lambda would allow.
    """

    def __init__(self, function: Function, log: Log) -> None:
        """Load nothing yet."""
        self._function = function
        self._log = log
        self._printing = Printing()
        self._variables = function.variables()
        self._folders = (function.code, *_layer_paths(function))
        self._changes = Changes(self._folders)
        self._loaded: Any = None
        self._lock = threading.Lock()

    def __call__(self, event: Any, context: Context) -> Any:
        """Call the function; raise TaskFailed when it does not load, else what it raises."""
        shown = partial(self._log, label(self._function, context))
        with variables(self._variables), self._printing.shown(shown):
            with self._lock:
                if self._loaded is None or self._changes.seen():
                    self._loaded = self._load()
            try:
                return _not_awaited(self._loaded(event, context))
            except SystemExit as end:
                raise exited(context.aws_request_id, _code_of(end)) from None

    def _load(self) -> Any:
        path, _, name = self._function.handler.rpartition(".")
        if not path:
            message = f"Bad handler '{self._function.handler}'"
            raise python_failure("Runtime.MalformedHandlerName", message)
        module = self._module(path)
        if not hasattr(module, name):
            message = f"Handler '{name}' missing on module '{path}'"
            raise python_failure("Runtime.HandlerNotFound", message)
        return getattr(module, name)

    def _module(self, path: str) -> Any:
        try:
            return PrivateModules(self._folders).load(path.replace("/", "."))
        except ImportError as problem:
            text = f"Unable to import module '{path}': {problem}"
            raise python_failure("Runtime.ImportModuleError", text) from None
        except SyntaxError as problem:
            where = f'  File "{problem.filename}" Line {problem.lineno}\n    {problem.text}'
            text = f"Syntax error in module '{path}': {problem}"
            raise python_failure("Runtime.UserCodeSyntaxError", text, where) from None


def _not_awaited(result: Any) -> Any:
    """Return a result, for which Lambda's runtime for Python does not wait: awslambdaric's."""
    if isinstance(result, Coroutine):
        result.close()
        message = "Object of type coroutine is not JSON serializable"
        raise python_failure("Runtime.MarshalError", f"Unable to marshal response: {message}")
    return result


def _code_of(end: SystemExit) -> int:
    """Return the exit code that a process would have."""
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _layer_paths(function: Function) -> list[Path]:
    return [folder / "python" for folder in function.layers if (folder / "python").is_dir()]
