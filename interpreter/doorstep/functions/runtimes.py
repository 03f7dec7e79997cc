"""Which command runs a function's code, by its Runtime."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from ..errors import HandlerLoadError
from .function import Function

_HERE = Path(__file__).parent
_STRIPS_TYPES = (22, 6)
"""The Node from which on types are stripped, behind a flag until 22.18 and 23.6."""


def command_of(function: Function) -> list[str]:
    """Return the command that starts the function's runtime.

    Raises HandlerLoadError when this machine has no such runtime; the message says what to do.
    """
    runtime = function.runtime
    if runtime.startswith("nodejs"):
        return _node(function)
    if runtime.startswith("python"):
        return [sys.executable, "-u", str(_HERE / "bootstrap.py")]
    if runtime.startswith("provided"):
        return _provided(function)
    raise HandlerLoadError(
        f"the function {function.name} has the runtime {runtime or 'of a container image'}, which "
        "Doorstep does not run; it runs python*, nodejs* and provided*. Give it a handler "
        f"(--handlers, @doorstep.handler({function.name!r})) or a mock"
    )


def _node(function: Function) -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise HandlerLoadError(
            f"the function {function.name} needs Node.js ({function.runtime}), and no `node` is on "
            "the PATH. Install it, or give the function a handler or a mock"
        )
    version = _node_version(node)
    flags = ["--experimental-strip-types"] if version >= _STRIPS_TYPES else []
    return [node, "--no-warnings", *flags, str(_HERE / "bootstrap.mjs")]


@lru_cache(maxsize=8)
def _node_version(node: str) -> tuple[int, ...]:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = shown.stdout.strip().lstrip("v").split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def _provided(function: Function) -> list[str]:
    bootstrap = function.code / "bootstrap"
    if not bootstrap.is_file():
        raise HandlerLoadError(
            f"the function {function.name} ({function.runtime}) has no file {bootstrap}. "
            "Build it first, for this machine's kind of processor, or give it a handler or a mock"
        )
    return [str(bootstrap)]
