"""What is told of executions beside their journals: counts, status changes, log lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from doorstep.engine.messages import Event

from ..programs import Programs
from ..store.store import Row
from .logs import log_lines
from .metrics import Metrics
from .sinks import Sinks
from .status_changes import status_change

Watch = Callable[[Row, Event, Sequence[Event]], None]
"""Told of new events of an execution, whose first event is the second argument."""


class Watcher:
    """Passes on what happens to executions.

    Sinks are told once it is durable, and once only: a crash may swallow what had not reached its
    target, but nobody hears of what then has not happened. (AWS: "best effort".)
    """

    def __init__(
        self,
        metrics: Metrics,
        sinks: Sinks,
        programs: Programs,
        safely: Callable[[Callable[[], None]], None],
    ) -> None:
        """`safely`: does something when all until now is durable."""
        self._metrics = metrics
        self._sinks = sinks
        self._programs = programs
        self._safely = safely

    def __call__(self, row: Row, first: Event, events: Sequence[Event]) -> None:
        """An execution has gone on."""
        self._metrics.went_on(row, events)
        if self._sinks.all:
            then = replace(row)
            self._safely(lambda: self._tell(then, first, events))

    def _tell(self, row: Row, first: Event, events: Sequence[Event]) -> None:
        if self._sinks.events:
            for event in events:
                if told := status_change(row, first, event):
                    for sink in self._sinks.events:
                        sink.send(told)
        if self._sinks.logs:
            for line in log_lines(row, events, self._programs.of(row.revision).logging):
                for sink in self._sinks.logs:
                    sink.send(line)
