"""`doorstep mcp`: tools for coding assistants, over the Model Context Protocol.

Each tool is a command of this program with some of its options, run in a process of its own, so
that an assistant sees what a person would see, and can do nothing that a command can't.
https://modelcontextprotocol.io
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from doorstep.errors import shortened

from ..output import Problem

_LONGEST = 20_000
"""Characters of an answer."""
_SECONDS = 120.0
_GRACE = 5.0
"""Seconds in which a command that is stopped can write its history and end what it started."""
_PROGRAM = "from doorstep_cli.main import entry; entry()"
_ABOUT = (
    "Runs AWS Step Functions workflows (Amazon States Language) on this machine, offline. Paths "
    "are relative to {folder}; files outside of it can't be named. Begin with `validate`, then "
    "`run` with an input and mocks; `failures` says what ended a run whose history was written."
)


@click.command("mcp", short_help="Tools for coding assistants: a server of the MCP on stdio.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The project; tools take no file outside of it.",
)
def mcp(folder: Path) -> None:
    """Serve a coding assistant on standard input and output: validate, run, test and more.

    The assistant starts it and speaks the Model Context Protocol. Its tools are commands of this
    program: validate, lint, run (with mocks), explore, failures, test, graph. Answers are bounded,
    files are those below the folder, and a tool takes two minutes at most. A run calls the
    project's own handlers and functions, as `doorstep run` does. docs/assistants.md has the set-up.

    \b
    Examples:
      doorstep mcp
      doorstep mcp --folder ~/projects/shop
      pip install 'doorstep[mcp]'     # what it needs
    """
    try:
        from mcp.server.mcpserver import MCPServer
    except ModuleNotFoundError:
        raise Problem("doorstep mcp needs the MCP SDK: pip install 'doorstep[mcp]'") from None
    folder = folder.resolve()
    server: Any = MCPServer("doorstep", instructions=_ABOUT.format(folder=folder))
    for tool in Tools(folder).all:
        server.add_tool(_answering(tool))
    server.run("stdio")


Tool = Callable[..., Awaitable[str]]


def _answering(tool: Tool) -> Tool:
    """Return a tool that says why it can't be used, in place of an error without a reason."""

    @functools.wraps(tool)
    async def answer(**arguments: Any) -> str:
        try:
            return await tool(**arguments)
        except ValueError as problem:
            return f"not done: {problem}"

    return answer


class Tools:
    """The tools, for files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @property
    def all(self) -> list[Tool]:
        """All of them."""
        return [
            *(self.validate, self.lint, self.run, self.explore),
            *(self.failures, self.test, self.graph),
        ]

    async def validate(self, path: str) -> str:
        """Check a definition, a template or a folder as AWS does: its codes and messages."""
        return await self._doorstep("validate", self._file(path), "--format", "json")

    async def lint(self, path: str) -> str:
        """Advise on a definition that AWS accepts: missing retries, effects that may repeat."""
        return await self._doorstep("lint", self._file(path), "--format", "json")

    async def run(
        self,
        path: str,
        input: Any = None,
        mocks: list[dict[str, Any]] | None = None,
        handlers: str | None = None,
        history: str | None = None,
    ) -> str:
        """Run a workflow to its end on simulated time, and return status, output, error and cause.

        `input`: the JSON value. `mocks`: answers of tasks, such as {"state": "Charge", "answer":
        {"id": 1}} or {"state": "Charge", "fail": {"error": "Declined"}}; tasks without one need
        `handlers` (a Python file or folder) or the project's own functions. `history`: a file to
        write the history to, for `failures`.
        """
        options = ["--format", "json", "--quiet"]
        if input is not None:
            options += ["--input", json.dumps(input)]
        if handlers:
            options += ["--handlers", self._file(handlers)]
        if history:
            options += ["--history", self._history(history)]
        if mocks is None:
            return await self._doorstep("run", self._file(path), *options)
        with _written(mocks) as file:
            return await self._doorstep("run", self._file(path), *options, "--mocks", file)

    async def explore(self, path: str, seconds: int = 20) -> str:
        """Find what may go wrong in a workflow: errors nobody catches, data that is missing."""
        limit = str(min(max(seconds, 1), 60))
        return await self._doorstep(
            "explore", self._file(path), "--seconds", limit, "--format", "json"
        )

    async def failures(self, history: str, definition: str | None = None) -> str:
        """Say what ended the execution of a history, and what else failed in it."""
        more = ["--definition", self._file(definition)] if definition else []
        return await self._doorstep("failures", self._file(history), *more, "--format", "json")

    async def test(self, path: str = ".") -> str:
        """Run the tests in YAML (`*.doorstep.yaml`) of a file or folder."""
        return await self._doorstep("test", self._file(path))

    async def graph(self, path: str, history: str | None = None) -> str:
        """Draw a workflow as Mermaid; with a history, as it ran."""
        more = ["--history", self._file(history)] if history else []
        return await self._doorstep("graph", self._file(path), *more)

    def _file(self, name: str, *, there: bool = True) -> str:
        """Return a path below the folder. Raises ValueError for others."""
        try:
            path = (self._folder / name).resolve()
            missing = there and not path.exists()
        # A loop of links, a name that is too long, one with a null character.
        except (OSError, RuntimeError, ValueError) as problem:
            raise ValueError(f"{shortened(name, 60)} can't be found: {problem}") from None
        if not path.is_relative_to(self._folder):
            raise ValueError(f"{name} is not below {self._folder}")
        if missing:
            raise ValueError(f"there is no {name} in {self._folder}")
        return str(path)

    def _history(self, name: str) -> str:
        """Return a path to write a history to: a new file's, or an earlier history's."""
        path = Path(self._file(name, there=False))
        earlier = path.is_file() and path.read_bytes().lstrip(b"{ \n").startswith(b'"events"')
        if path.exists() and not earlier:
            raise ValueError(f"{name} exists and is not a history: choose another name")
        return str(path)

    async def _doorstep(self, *arguments: str) -> str:
        """Return what a command prints, on both streams, cut where it is too long.

        When nobody waits for it any more, because the call was cancelled, it is stopped.
        """
        command = (sys.executable, "-c", _PROGRAM, *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        try:
            printed = await asyncio.wait_for(process.communicate(), _SECONDS)
        except TimeoutError:
            return f"it did not end within {_SECONDS:.0f} seconds"
        finally:
            if process.returncode is None:
                process.terminate()
                asyncio.get_running_loop().call_later(_GRACE, _kill, process)
        texts = [text.decode("utf-8", "replace") for text in printed]
        return _bounded(texts, process.returncode or 0)


@contextmanager
def _written(mocks: list[dict[str, Any]]) -> Iterator[str]:
    import tempfile

    # In a folder: Windows lets no other process open a temporary file.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mocks.json")
        file.write_text(json.dumps({"mocks": mocks}), "utf-8")
        yield str(file)


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()


def _bounded(texts: Sequence[str], code: int) -> str:
    said = "\n".join(text.strip() for text in texts if text.strip())
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}\n… ({len(said):,} characters; ask for less)"
    return f"{said}\nexit code {code}"
