"""Progress on a terminal: the current state, states entered, items done, the simulated time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..output import console

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

    from doorstep import Execution
    from doorstep.engine.messages import Event
    from doorstep.runtime import ItemCounts

_DELAY = 0.5
"""Seconds until a progress line appears; most runs are over by then."""
_ENOUGH = 2.0
"""Seconds after which the time that is left is estimated."""
_ITEM_ENDS = ("MapIterationSucceeded", "MapIterationFailed", "MapIterationAborted")


def wanted() -> bool:
    """Return whether to show progress: stderr can rewrite a line, and this is not CI."""
    return sys.stderr.isatty() and "CI" not in os.environ and os.environ.get("TERM") != "dumb"


class ProgressLine:
    """A line on stderr that is updated while work goes on; it appears after a short delay."""

    def __init__(self, text: Callable[[], str]) -> None:
        self._text = text
        self._live: Live | None = None
        self._timer = threading.Timer(_DELAY, self._show)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._live:
            self._live.stop()

    def _show(self) -> None:
        # Imported here, in the timer's thread: a run of milliseconds does without it.
        from rich.live import Live
        from rich.spinner import Spinner

        terminal = console(stderr=True)
        spinner = Spinner("line" if terminal.options.ascii_only else "dots")

        def refresh() -> Spinner:
            spinner.update(text=self._text())
            return spinner

        self._live = Live(console=terminal, get_renderable=refresh, transient=True)
        self._live.start()


class Progress(ProgressLine):
    """Count events as they happen and show the counts."""

    def __init__(self) -> None:
        super().__init__(self.__str__)
        self.state = ""
        self.states = 0
        self.items = 0
        self.items_done = 0
        self.simulated = 0.0
        self.execution: Execution | None = None
        """The one that runs, once it has been started."""
        self._clock = time.monotonic
        self._runs: dict[str, float] = {}
        """When each map run was seen first, by ARN."""
        self._begun: float | None = None

    def on_event(self, execution: Execution, event: Event) -> None:
        """Count an event of the execution, or of a child of one of its map runs."""
        self._begun = event.at if self._begun is None else self._begun
        self.simulated = max(self.simulated, event.at - self._begun)
        kind, details = event.type, event.details or {}
        if kind.endswith("StateEntered"):
            self.state = details["name"]
            self.states += 1
        elif kind == "MapStateStarted":
            self.items += details["length"]
        elif kind in _ITEM_ENDS:
            self.items_done += 1

    def __str__(self) -> str:
        parts = [self.state or "…", f"{self.states:,} states entered"]
        if self.items_done:
            parts.append(f"{self.items_done:,} of {self.items:,} Map items done")
        runs = self.execution.map_runs if self.execution else {}
        parts += [self._of_run(arn, counts) for arn, counts in runs.items()]
        simulated = timedelta(seconds=round(self.simulated))
        return " · ".join([*parts, f"simulated time {simulated}"])

    def _of_run(self, arn: str, counts: ItemCounts) -> str:
        """Return how far a map run has come: items done and failed, a second, and time left."""
        now = self._clock()
        spent = now - self._runs.setdefault(arn, now)
        done = counts.succeeded + counts.failed
        parts = [f"{done:,} items done", f"{counts.failed:,} failed"]
        if spent > 0 and done:
            parts.append(f"{done / spent:,.0f} a second")
        begun = done + counts.running
        if counts.share and done and spent >= _ENOUGH:
            share = counts.share * done / begun
            if 0 < share < 1:
                parts.append(f"{timedelta(seconds=round(spent / share - spent))} left")
        return ", ".join(parts)
