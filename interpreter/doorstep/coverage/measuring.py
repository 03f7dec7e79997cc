"""Coverage as options ask for it: counted test by test, reported at the end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import reports
from .suite import Suite, thresholds

if TYPE_CHECKING:
    from ..testing.state_machines import TestSession


class Measurement:
    """What a run of tests covers, its reports, and how much it has to cover."""

    def __init__(
        self, sources: Iterable[Path], wanted: Iterable[str], fail_under: Iterable[str]
    ) -> None:
        """`sources`: definitions that count even when no test runs them. `wanted`: "html:FILE" …;
        `fail_under`: "90", "catcher=75". Raises ValueError or DoorstepError for what can't be used.
        """
        self.suite = Suite()
        self.files = [reports.wanted(text) for text in wanted]
        self.thresholds = thresholds(fail_under)
        for path in sources:
            self.suite.add_source(path)

    def count(self, session: TestSession) -> None:
        """Count what a test's executions used, however the test ended."""
        for execution, file in session.all:
            self.suite.add(execution, os.path.relpath(file) if file else None)

    def write(self) -> None:
        """Write the reports."""
        for kind, file in self.files:
            reports.write(self.suite, kind, file)

    def table(self) -> Iterator[str]:
        """The lines that sum it up; none when no machine was seen."""
        if self.suite.machines:
            yield reports.table(self.suite)
            yield from (f"{kind} report written to {file}" for kind, file in self.files)

    @property
    def shortfalls(self) -> list[str]:
        """What is covered less than it has to be."""
        return list(self.suite.shortfalls(self.thresholds))
