"""`doorstep mcp`: tools for coding assistants, over the Model Context Protocol.

Each tool is a command of this program with some of its options, run in a process of its own, so
that an assistant sees what a person would see, and can do nothing that a command can't.
https://modelcontextprotocol.io
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from doorstep.errors import shortened

from ..output import Problem

_LONGEST = 20_000
"""Characters of an answer."""
_SECONDS = 120.0
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


def _answering(tool: Callable[..., str]) -> Callable[..., str]:
    """Return a tool that says why it can't be used, in place of an error without a reason."""

    @functools.wraps(tool)
    def answer(**arguments: Any) -> str:
        try:
            return tool(**arguments)
        except ValueError as problem:
            return f"not done: {problem}"

    return answer


class Tools:
    """The tools, for files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @property
    def all(self) -> list[Callable[..., str]]:
        """All of them."""
        return [
            *(self.validate, self.lint, self.run, self.explore),
            *(self.failures, self.test, self.graph),
        ]

    def validate(self, path: str) -> str:
        """Check a definition, a template or a folder as AWS does: its codes and messages."""
        return self._doorstep("validate", self._file(path), "--format", "json")

    def lint(self, path: str) -> str:
        """Advise on a definition that AWS accepts: missing retries, effects that may repeat."""
        return self._doorstep("lint", self._file(path), "--format", "json")

    def run(
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
            return self._doorstep("run", self._file(path), *options)
        return self._with_mocks(mocks, "run", self._file(path), *options)

    def explore(self, path: str, seconds: int = 20) -> str:
        """Find what may go wrong in a workflow: errors nobody catches, data that is missing."""
        limit = str(min(max(seconds, 1), 60))
        return self._doorstep("explore", self._file(path), "--seconds", limit, "--format", "json")

    def failures(self, history: str, definition: str | None = None) -> str:
        """Say what ended the execution of a history, and what else failed in it."""
        more = ["--definition", self._file(definition)] if definition else []
        return self._doorstep("failures", self._file(history), *more, "--format", "json")

    def test(self, path: str = ".") -> str:
        """Run the tests in YAML (`*.doorstep.yaml`) of a file or folder."""
        return self._doorstep("test", self._file(path))

    def graph(self, path: str, history: str | None = None) -> str:
        """Draw a workflow as Mermaid; with a history, as it ran."""
        more = ["--history", self._file(history)] if history else []
        return self._doorstep("graph", self._file(path), *more)

    def _with_mocks(self, mocks: list[dict[str, Any]], *arguments: str) -> str:
        import tempfile

        # In a folder: Windows lets no other process open a temporary file.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "mocks.json")
            file.write_text(json.dumps({"mocks": mocks}), "utf-8")
            return self._doorstep(*arguments, "--mocks", str(file))

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

    def _doorstep(self, *arguments: str) -> str:
        """Return what a command prints, on both streams, cut where it is too long."""
        try:
            ended = subprocess.run(
                [sys.executable, "-c", _PROGRAM, *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not end within {_SECONDS:.0f} seconds"
        return _bounded([ended.stdout, ended.stderr], ended.returncode)


def _bounded(texts: Sequence[str], code: int) -> str:
    said = "\n".join(text.strip() for text in texts if text.strip())
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}\n… ({len(said):,} characters; ask for less)"
    return f"{said}\nexit code {code}"
