"""Run an execution to its end and print the result, as `run` and `resume` do.

While it runs, stdout is reserved for the result, and SIGTERM ends the run as Ctrl-C does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from doorstep.history import ending, visits_of
from doorstep.history.child_failures import groups_of

from .children import Family
from .definitions import DefinitionFile, Type, machines_in, read_accepted
from .options import F, format_option, pairs, renamed_option, s3_root_option
from .output import OutputFile, Problem, echo, note, print_json
from .views import ended
from .views.progress import Progress
from .world import Choices

if TYPE_CHECKING:
    from doorstep import Execution
    from doorstep.engine.messages import Event
    from doorstep.replayer import ChildFiles
    from doorstep.runtime import OnEvent

_FAILED = ("ExecutionFailed", "ExecutionTimedOut")
_MOST_FAILED = 100
"""Executions that stay in memory, so that the end can say why they failed."""
Begin = Callable[["OnEvent | None"], "Execution"]


@contextlib.contextmanager
def needs_jinja(what: str) -> Iterator[None]:
    """Import pages; raise Problem where what they need is not installed."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise Problem(f"{what} needs {missing.name}: pip install 'doorstep[test]'") from None


def world_options(command: F) -> F:
    """Add --state-machine and --s3-root."""
    for option in (
        renamed_option(
            "--state-machine",
            "state_machines",
            former="--machine",
            multiple=True,
            metavar="NAME=FILE",
            callback=pairs,
            help="A definition that states:startExecution can start by this name; repeatable.",
        ),
        s3_root_option,
    ):
        command = option(command)
    return command


def driving_options(command: F) -> F:
    """Add the options of every command that runs an execution to its end."""
    for option in (
        click.option(
            "--quiet", "-q", is_flag=True, help="Print no progress and no remarks on stderr."
        ),
        format_option(
            "json: an object with status, output, error and cause instead of the output alone."
        ),
        world_options,
        click.option(
            "--history",
            type=OutputFile(),
            help="Write the history to this file, in GetExecutionHistory's JSON.",
        ),
    ):
        command = option(command)
    return command


def run_to_end(
    begin: Begin, *, watched: bool, files: ChildFiles | None = None
) -> tuple[Execution, KeyboardInterrupt | None, list[Execution]]:
    """Start an execution and run it to its end, or until Ctrl-C or SIGTERM.

    Returns the execution, the interrupt if it was interrupted, and some of the executions that
    failed on the way. `files` receives every event.
    """
    failed: list[Execution] = []
    with prints_go_to_stderr(), _sigterm_interrupts():
        watch = Progress() if watched else contextlib.nullcontext()
        with watch as progress, begin(_notify_all(failed, progress, files)) as execution:
            if progress:
                progress.execution = execution
            try:
                execution.wait()
            except KeyboardInterrupt as stop:
                return execution, stop, failed
        return execution, None, failed


def _notify_all(failed: list[Execution], *watching: Progress | ChildFiles | None) -> OnEvent:
    """Return a function that passes each event to all watchers, and notes what failed."""
    watchers = [one.on_event for one in watching if one is not None]

    def on_event(execution: Execution, event: Event) -> None:
        if event.type in _FAILED and len(failed) < _MOST_FAILED:
            failed.append(execution)
        for watcher in watchers:
            watcher(execution, event)

    return on_event


@contextlib.contextmanager
def handlers_of(paths: Sequence[str] | None, option: str = "--handlers") -> Iterator[None]:
    """Let handlers load from the current folder; raise Problem with advice when they can't."""
    from doorstep import HandlerLoadError

    # An installed program has its own folder on the path; `--handlers MODULE` means the user's.
    sys.path.append(str(Path.cwd()))
    try:
        yield
    except HandlerLoadError as problem:
        is_file = all(os.path.isfile(path) and path.endswith(".py") for path in paths or ())
        advice = "" if is_file else "; PATH is a .py file, a folder of them, or a module's name"
        named = " ".join(f"{option} {path}" for path in paths or ())
        raise Problem(f"{named}: {problem}{advice}") from None


@contextlib.contextmanager
def carrying_out(
    chosen: Choices | None, option: str = "--handlers", *, quiet: bool = False
) -> Iterator[list[Any] | None]:
    """Yield the sources of handlers, functions and services that are chosen; None for nothing."""
    if chosen is None:
        yield None
        return
    with handlers_of(chosen.handlers, option), chosen.at_work(quiet=quiet) as around:
        yield [*(around.sources if around else ()), *chosen.handlers]


def finish(
    execution: Execution,
    stop: KeyboardInterrupt | None,
    failed: Sequence[Execution],
    output_format: str,
) -> int:
    """Print the output, or on stderr why there is none; return the exit code.

    `failed`: executions, among them children, that say why it failed.
    """
    if output_format == "json":
        print_json(ended.as_json(execution))
    elif execution.status == "SUCCEEDED":
        print_json(execution.output)
    if stop is not None:
        echo(ended.interrupted(execution), err=True)
        return _interrupted_code(stop)
    if execution.status != "SUCCEEDED":
        echo(ended.describe(execution, [*_why(execution, failed)]), err=True)
    return ended.exit_code(execution)


def _why(execution: Execution, failed: Sequence[Execution]) -> Iterator[str]:
    """Yield why those failed that an execution started, as `doorstep failures` says it."""
    from doorstep.runtime.execution import lookup_among

    visits = visits_of(execution)
    if end := ending(visits):
        yield from Family(groups_of(visits, lookup_among(failed))).reason_lines(end)


def write(file: Path, lines: Iterable[str], *, quiet: bool) -> None:
    """Write lines to a file and print its name on stderr."""
    try:
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    except OSError as problem:
        raise Problem(f"can't write {file}: {problem.strerror}") from None
    if not quiet:
        note(f"written: {file}")


def write_children(files: ChildFiles, execution: Execution, *, quiet: bool) -> None:
    """Write the remaining histories of children and print the folder's name on stderr."""
    files.close(execution)
    if not quiet:
        note(f"written: {files.folder} ({len(files.written):,} histories)")


def startable(
    path: Path, definition: DefinitionFile, parameters: Mapping[str, str], named: Mapping[str, str]
) -> dict[str, tuple[Mapping[str, Any], Type]]:
    """Return what states:startExecution may start by name: `given`, and siblings in a template.

    Of a template only state machines that `definition` refers to are read, directly or not.
    """
    from doorstep.values.json_values import dumps

    machines = {name: read_accepted(Path(file), parameters) for name, file in named.items()}
    siblings = [name for name in machines_in(path, parameters) if name not in machines]
    calling = [definition]
    while calling:
        text = dumps(calling.pop().document.definition)
        for name in siblings:
            if name not in machines and f":stateMachine:{name}" in text:
                machines[name] = read_accepted(path, parameters, name)
                calling.append(machines[name])
    return {name: (one.document.definition, one.type) for name, one in machines.items()}


_INTERRUPTED, _TERMINATED = 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: a request to stop that does not come from the keyboard."""


def _interrupted_code(stop: KeyboardInterrupt) -> int:
    """Return 128 plus the signal's number, as shells do."""
    return _TERMINATED if isinstance(stop, Terminated) else _INTERRUPTED


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Raise Terminated on SIGTERM, so that the history so far can be written."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextlib.contextmanager
def prints_go_to_stderr() -> Iterator[None]:
    """Send what handlers and the programs they start print to stderr, away from the output."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
