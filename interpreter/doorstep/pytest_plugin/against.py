"""`--doorstep-against`: the executions of marked tests, compared with those of an account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ..against.own_executions import ComparedExecutions
from ..against.target import Target, target_of
from ..errors import AccountError
from ..runtime import seconds
from ..testing.clock import SimulatedClock
from ..values.printable import printable

MARK = "doorstep_against"


class Against:
    """A plugin of pytest, registered by `--doorstep-against`."""

    def __init__(self, config: pytest.Config) -> None:
        """Look up what is deployed there; raise UsageError when nothing can be asked."""
        where = config.getoption("doorstep_against")
        try:
            limit = seconds(config.getoption("doorstep_time_limit"))
            target = target_of(where, None, limit)
        except (AccountError, ValueError) as problem:
            raise pytest.UsageError(f"--doorstep-against: {problem}") from None
        another = f'@pytest.mark.{MARK}(machine="NAME")'
        self.target: Target = replace(target, another=another, longer="--doorstep-time-limit")

    def comparison(self, item: pytest.Item, clock: SimulatedClock) -> ComparedExecutions | None:
        """Return what the executions of a test are compared with; None without the mark."""
        mark = item.get_closest_marker(MARK)
        if mark is None:
            return None
        if mark.args or mark.kwargs.keys() - {"machine"}:
            pytest.fail(f"the mark {MARK} takes machine=NAME, and nothing else", pytrace=False)
        return ComparedExecutions(self.target, clock, mark.kwargs.get("machine"))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print for each marked test what was compared, and what could not be."""
        terminalreporter.section(f"state machines at {self.target.label}")
        lines = [line for reports in terminalreporter.stats.values() for line in _remarks(reports)]
        for line in lines or [f"no test that ran has the mark {MARK}"]:
            terminalreporter.write_line(line)


def _remarks(reports: Any) -> Iterator[str]:
    # The last report of a test has what its fixtures left when they ended.
    for report in reports:
        if getattr(report, "when", None) == "teardown":
            for name, remark in report.user_properties:
                if name == MARK:
                    yield printable(f"{report.nodeid}: {remark}")
