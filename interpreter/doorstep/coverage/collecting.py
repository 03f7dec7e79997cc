"""Coverage in a run of pytest: collected test by test, from every worker of xdist, reported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ..errors import DoorstepError
from ..pytest_plugin import BENCH
from . import reports
from .suite import Suite, thresholds

_SENT = "doorstep_coverage"


class Collector:
    """A plugin of pytest, registered by `--doorstep-cov`."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises UsageError for options that can't be used."""
        self.suite = Suite()
        try:
            self.files = [reports.wanted(text) for text in config.getoption("doorstep_cov_report")]
            self.thresholds = thresholds(config.getoption("doorstep_cov_fail_under"))
            for path in config.getoption("doorstep_cov_source"):
                self.suite.add_source(config.rootpath / path)
        except (ValueError, DoorstepError) as problem:
            raise pytest.UsageError(f"--doorstep-cov: {problem}") from None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Count what the test's executions used, however the test ended."""
        if BENCH in item.stash:
            for execution, file in item.stash[BENCH].all:
                self.suite.add(execution, os.path.relpath(file) if file else None)
        yield

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports; fail when a threshold is not reached. A worker sends its counts."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_SENT] = self.suite.plain()
            return
        for kind, file in self.files:
            reports.write(self.suite, kind, file)
        if session.exitstatus == 0 and any(self.suite.shortfalls(self.thresholds)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker of xdist has counted."""
        self.suite.merge(getattr(node, "workeroutput", {}).get(_SENT, ()))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table."""
        if not self.suite.machines:
            return
        terminalreporter.section("coverage of state machines")
        terminalreporter.write_line(reports.table(self.suite))
        for kind, file in self.files:
            terminalreporter.write_line(f"{kind} report written to {file}")
        for shortfall in self.suite.shortfalls(self.thresholds):
            terminalreporter.write_line(f"FAIL: {shortfall}", red=True)
