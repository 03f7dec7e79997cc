"""The modules of one function, apart from those of every other: two may have an `app.py` each.

A module that lies in the function's folders is not left in `sys.modules`. What it imports, when it
is loaded or later, is looked for among the function's own modules first: such a module has builtins
with an `__import__` of its own, which each import statement uses (Python language reference, 7.11).
"""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_LOCK = threading.RLock()
"""Held while `sys.modules` and `sys.path` are those of one function."""


class PrivateModules:
    """Imports what lies below some folders, for one function only."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Load nothing yet."""
        self._folders = [str(folder.resolve()) for folder in folders]
        self._names = {entry.name.partition(".")[0] for one in folders for entry in one.iterdir()}
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        """Import a module of the function by its dotted name; raise whatever the import raises."""
        top = name.partition(".")[0]
        if top not in self._names:
            # Another's module of that name may be importable in this process.
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)
        with self._in_place():
            return importlib.import_module(name)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        if not level and name.partition(".")[0] not in self._names:
            return builtins.__import__(name, globals, locals, fromlist, level)
        with self._in_place():
            return builtins.__import__(name, globals, locals, fromlist, level)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """Make the function's modules and folders those of the process, and take them back."""
        with _LOCK:
            others = {
                name: module
                for name, module in sys.modules.items()
                if name.partition(".")[0] in self._names
            }
            for name in others:
                del sys.modules[name]
            path, finder = list(sys.path), _Finder(self._folders, self._builtins)
            sys.modules.update(self._modules)
            sys.path[:0] = self._folders
            sys.meta_path.insert(0, finder)
            try:
                yield
            finally:
                sys.meta_path.remove(finder)
                sys.path[:] = path
                self._take_back()
                sys.modules.update(others)

    def _take_back(self) -> None:
        for name in list(sys.modules):
            if name.partition(".")[0] in self._names:
                self._modules[name] = sys.modules.pop(name)


class _Finder:
    """Finds modules in a function's folders, and nowhere else."""

    def __init__(self, folders: Sequence[str], builtins_: dict[str, Any]) -> None:
        self._folders = folders
        self._builtins = builtins_

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path or self._folders, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return spec
        if not any(str(spec.origin).startswith(folder) for folder in self._folders):
            return spec
        spec.loader = _Loader(spec.loader.name, spec.loader.path, self._builtins)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Gives a module the builtins of its function before its code runs."""

    def __init__(self, name: str, path: str, builtins_: dict[str, Any]) -> None:
        super().__init__(name, path)
        self.builtins = builtins_

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        super().exec_module(module)
