"""Progress on a terminal: the current state, states entered, the simulated time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from doorstep.engine.messages import TERMINAL

from ..output import console

if TYPE_CHECKING:
    from rich.live import Live
    from rich.spinner import Spinner

    from doorstep import Execution
    from doorstep.engine.messages import Event

_DELAY = 0.5
"""Seconds until a progress line appears; most runs are over by then."""
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

        spinner = Spinner("dots")

        def refresh() -> Spinner:
            spinner.update(text=self._text())
            return spinner

        self._live = Live(console=console(stderr=True), get_renderable=refresh, transient=True)
        self._live.start()


class Progress(ProgressLine):
    """Count events as they happen and show the counts."""

    def __init__(self) -> None:
        super().__init__(self.__str__)
        self.state = ""
        self.states = 0
        self.items = 0
        self.items_done = 0
        self.children_done = 0
        self.simulated = 0.0
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
        elif kind in TERMINAL and execution.map_run:
            self.children_done += 1

    def __str__(self) -> str:
        parts = [self.state or "…", f"{self.states:,} states entered"]
        if self.items:
            parts.append(f"{self.items_done:,} of {self.items:,} Map items done")
        if self.children_done:
            parts.append(f"{self.children_done:,} child executions done")
        simulated = timedelta(seconds=round(self.simulated))
        return " · ".join([*parts, f"simulated time {simulated}"])
