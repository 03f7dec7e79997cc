"""`--watch`: a command that runs again whenever a file changes that it may depend on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from .options import F
from .output import Problem, echo, style

_OPTION = "--watch"
_IGNORED = ("__pycache__", "node_modules", ".git", ".venv", ".pytest_cache", ".hypothesis")


def watch_option(command: F) -> F:
    """Add --watch. What the command writes (`--history`, `--output` …) starts no new run."""
    return click.option(
        _OPTION,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_watch,
        help="Run again whenever a file changes below the folders of the files that are named.",
    )(command)


def _watch(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    arguments = [one for one in sys.argv[1:] if one != _OPTION]
    if any(one.partition("=")[0] == "--against" for one in arguments):
        raise click.UsageError("--watch would start real executions at each change (--against)")
    try:
        follow(arguments, folders_of(arguments))
    except KeyboardInterrupt:
        ctx.exit(130)
    ctx.exit(0)


def folders_of(arguments: Sequence[str]) -> list[Path]:
    """Return the folders of what arguments name; the current one when they name nothing."""
    named = (argument.removeprefix("@").partition("#")[0] for argument in arguments[1:])
    paths = [Path(one) for one in named if one and Path(one).exists()]
    folders = {(path if path.is_dir() else path.parent).resolve() for path in paths}
    return sorted(folders or {Path.cwd()})


def follow(arguments: Sequence[str], folders: Sequence[Path]) -> None:
    """Run `doorstep` with the arguments, and again after each change, until Ctrl-C."""
    try:
        from watchfiles import DefaultFilter, watch
    except ModuleNotFoundError:
        raise Problem("--watch needs watchfiles: pip install 'doorstep[watch]'") from None
    import subprocess

    program = "from doorstep_cli.main import entry; entry()"
    written = _written(arguments)

    class Changes(DefaultFilter):  # type: ignore[misc,unused-ignore]
        """What can matter: no caches, and nothing that the command itself writes."""

        ignore_dirs = _IGNORED

        def __call__(self, change: Any, path: str) -> bool:
            own = any(Path(path).is_relative_to(one) for one in written) or is_output(path)
            return not own and bool(super().__call__(change, path))

    def once() -> None:
        subprocess.run([sys.executable, "-c", program, *arguments], check=False)
        where = ", ".join(map(str, folders))
        echo(style(f"— waiting for changes in {where} (Ctrl-C ends)", fg="cyan"), err=True)

    once()
    for _ in watch(*folders, watch_filter=Changes(), raise_interrupt=True):
        once()


def is_output(path: str) -> bool:
    """Return whether a file is where this process's output goes: `doorstep … --watch > log`."""
    with contextlib.suppress(OSError):
        file = Path(path).stat()
        return any(os.path.samestat(file, os.fstat(number)) for number in (1, 2))
    return False


def _written(arguments: Sequence[str]) -> list[Path]:
    """Return the files and folders that the command writes."""
    outputs = ("--history", "--output", "--journal", "--children", "--html", "--write-suite")
    pairs = pairwise(arguments)
    named = [value for option, value in pairs if option in outputs]
    named += [one.partition("=")[2] for one in arguments if one.partition("=")[0] in outputs]
    return [Path(one).resolve() for one in named if one]
