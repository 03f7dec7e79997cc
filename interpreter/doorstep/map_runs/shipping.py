"""Handlers as workers in other processes and on other machines can load them.

Files are sent as text, with the folder where they are here; functions by their import path.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import HandlerLoadError, InputError
from ..runtime.handlers import OneSource, Source, several

_MOST_TEXT = 2**20
"""Bytes of a folder's files, which are sent along with every batch."""


def shipped(source: Source | None) -> list[list[Any]]:
    """Return the sources of handlers as `worker.run_batch` takes them.

    Raises InputError for a function that can't be imported by its path.
    """
    return [_one(one) for one in several(source)]


def _one(source: OneSource) -> list[Any]:
    match source:
        case ModuleType():
            return ["module", source.__name__]
        case Mapping():
            return ["functions", {name: _path(name, one) for name, one in source.items()}]
        case str() if not Path(source).exists() and find_spec(source):
            return ["module", source]
    path = Path(source).resolve()
    if not path.exists():
        raise HandlerLoadError(f"there is no handler file {path}")
    return ["files", {"path": str(path), "files": _texts(path)}]


def _texts(path: Path) -> dict[str, str]:
    if path.is_file():
        return {"": path.read_text("utf-8")}
    files = [one for one in sorted(path.rglob("*.py")) if "__pycache__" not in one.parts]
    texts = {one.relative_to(path).as_posix(): one.read_text("utf-8") for one in files}
    if sum(map(len, texts.values())) > _MOST_TEXT:
        raise InputError(
            f"the Python files of {path} have more than {_MOST_TEXT // 2**20} MB, too much to send "
            "to workers: name a module that is installed there"
        )
    return texts


def _path(name: str, function: Callable[..., Any]) -> str:
    module, qualified = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(module)
    for part in qualified.split("."):
        found = getattr(found, part, None)
    if module in ("", "__main__") or found is not function:
        raise InputError(
            f"the handler {name!r} can't be imported by workers (it is {qualified or function!r} "
            f"of {module or 'nowhere'}): put it into a file or module, and give that"
        )
    return f"{module}:{qualified}"
