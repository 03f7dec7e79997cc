"""Coverage in a run of pytest: collected test by test, from every worker of xdist, reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..coverage import SuiteCoverage
from ..coverage.reports import Measurement
from ..errors import DoorstepError
from .stash import SESSION

_SENT = "doorstep_coverage"


def page_of_coverage(suite: SuiteCoverage) -> str:
    """Return the page of a coverage: imported when it is asked for, it needs jinja2."""
    from ..pages import coverage_page

    return coverage_page(suite)


class Collector:
    """A plugin of pytest, registered by `--doorstep-cov`."""

    def __init__(self, config: pytest.Config) -> None:
        """Begin to measure; raise UsageError for options that can't be used."""
        try:
            self.measurement = Measurement(
                [config.rootpath / path for path in config.getoption("doorstep_cov_source")],
                config.getoption("doorstep_cov_report"),
                config.getoption("doorstep_cov_fail_under"),
                page_of_coverage,
            )
        except (ValueError, DoorstepError) as problem:
            raise pytest.UsageError(f"--doorstep-cov: {problem}") from None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Count what the test's executions used, however the test ended."""
        if SESSION in item.stash:
            self.measurement.count(item.stash[SESSION])
        yield

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports; fail when a threshold is not reached. A worker sends its counts."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_SENT] = self.measurement.suite.plain()
            return
        try:
            self.measurement.write()
        except OSError as problem:
            message = f"can't write {problem.filename}: {problem.strerror}"
            pytest.exit(message, returncode=pytest.ExitCode.USAGE_ERROR)
        if session.exitstatus == 0 and self.measurement.shortfalls:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker of xdist has counted."""
        self.measurement.suite.merge(getattr(node, "workeroutput", {}).get(_SENT, ()))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table and write the reports."""
        lines = list(self.measurement.table())
        if not lines:
            return
        terminalreporter.section("coverage of state machines")
        for line in lines:
            terminalreporter.write_line(line)
        for shortfall in self.measurement.shortfalls:
            terminalreporter.write_line(f"FAIL: {shortfall}", red=True)
