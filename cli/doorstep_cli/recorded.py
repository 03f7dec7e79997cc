"""Read the histories that commands name: files, `-` for standard input, ARNs of executions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.history import recorded
from doorstep.history.recorded import Entry, entries, of_one

from .definitions import fetched_with
from .options import F, read_text

if TYPE_CHECKING:
    from doorstep.replayer import Recording


class HistoryPath(click.Path):
    """A history's file; an execution's ARN, or the console's URL, is fetched into one."""

    def __init__(self, *, folder: bool = False, every: bool = False) -> None:
        """`folder`: a folder of them as well. `every`: fetch all children, not only failed ones."""
        super().__init__(exists=True, dir_okay=folder, allow_dash=True, path_type=Path)
        self._every = every

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the file."""
        from .execution_files import arn_in, fetched

        arn = arn_in(value) if isinstance(value, str) and "arn" in value else None
        if arn is None:
            if isinstance(value, str) and value.startswith("arn:") and not Path(value).exists():
                self.fail(
                    f"{value}: expected the ARN of an execution or a map run, such as "
                    "arn:aws:states:eu-west-1:123456789012:execution:order:order-17 (machine "
                    "order, name order-17); `doorstep download --machine ARN` fetches the "
                    "executions of a state machine",
                    param,
                    ctx,
                )
            return super().convert(value, param, ctx)
        return fetched(arn, ctx.meta.get(_ENDPOINT) if ctx else None, every=self._every)


_ENDPOINT = "doorstep.endpoint"
HISTORY = HistoryPath()


def _remember(ctx: click.Context, parameter: click.Parameter, endpoint: str | None) -> None:
    ctx.meta[_ENDPOINT] = endpoint


endpoint_option = click.option(
    "--endpoint",
    is_eager=True,
    expose_value=False,
    callback=_remember,
    metavar="URL",
    help="Where an ARN in place of a file is asked for, such as `doorstep serve`; else AWS.",
)


arn_option = click.option(
    "--arn", help="ARN of the execution: chooses one of several, or adds what a history leaves out."
)


def history_arguments(command: F) -> F:
    """Add the files that hold the pages of one history, and --arn."""
    return arguments_of(HISTORY)(command)


def arguments_of(history: HistoryPath) -> Callable[[F], F]:
    """Return what adds the files, read as `history` says, and --arn."""
    files = click.argument("histories", nargs=-1, required=True, type=history, metavar="HISTORY...")
    return lambda command: files(arn_option(endpoint_option(command)))


def read_history(paths: Sequence[Path], arn: str | None = None) -> list[Entry]:
    """Return the events in the files, ordered by id. Raises InputError for other files."""
    events, _ = of_one(_pages(paths), arn, _names(paths))
    return entries(events, _names(paths))


def recording_of(paths: Sequence[Path], arn: str | None = None) -> Recording:
    """Return a history with all its events, and the ARN with which it was fetched, if it was.

    Raises InputError when events are missing.
    """
    from doorstep.replayer import read_recording

    about = fetched_with(paths[0])
    arn = arn or (str(about["arn"]) if about else None)
    return read_recording(_pages(paths), arn, source=_names(paths))


def read_events(path: Path) -> list[Any]:
    """Return the events of a file, at least one, in GetExecutionHistory's shape."""
    return recorded.read_events(read_text(path, "history"), _names([path]))


def _pages(paths: Sequence[Path]) -> list[Any]:
    return [event for path in paths for event in read_events(path)]


def _names(paths: Sequence[Path]) -> str:
    return ", ".join("standard input" if str(path) == "-" else str(path) for path in paths)
