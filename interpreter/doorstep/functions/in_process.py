"""A Python function in Doorstep's own process: breakpoints, mocks and coverage reach it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ..runtime import Context
from .environment import variables
from .function import Changes, Function, python_failure
from .private_modules import PrivateModules


class InProcess:
    """A handler that loads the function's module at the first call, and again when a file changed.

    The module has its own `app`, `util` and environment, whatever other functions have. Its time
    limit is not enforced: whoever stops at a breakpoint takes longer than Lambda would allow.
    """

    def __init__(self, function: Function) -> None:
        """Load nothing yet."""
        self._function = function
        self._variables = function.variables()
        self._folders = (function.code, *_layer_paths(function))
        self._changes = Changes(self._folders)
        self._loaded: Any = None
        self._lock = threading.Lock()

    def __call__(self, event: Any, context: Context) -> Any:
        """Call the function; raise TaskFailed when it does not load, else what it raises."""
        with variables(self._variables):
            with self._lock:
                if self._loaded is None or self._changes.seen():
                    self._loaded = self._load()
            return self._loaded(event, context)

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


def _layer_paths(function: Function) -> list[Path]:
    return [folder / "python" for folder in function.layers if (folder / "python").is_dir()]
