"""A suite's tests as items of pytest."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ..errors import DoorstepError
from ..testing.clock import freezing_once
from ..testing.suites.files import Test, read
from ..testing.suites.results import Result, run, session_of
from ..values.file_names import relative
from ..values.printable import printable
from .stash import SESSION


class SuiteFile(pytest.File):
    """A `*.doorstep.yaml`."""

    def setup(self) -> None:
        """Let all its tests start freezegun once; nothing of that is left for those of others."""
        around = ExitStack()
        around.enter_context(freezing_once())
        self.addfinalizer(around.close)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the suite's tests."""
        try:
            tests = read(self.path, relative(self.path)).tests
        except DoorstepError as problem:
            raise self.CollectError(printable(str(problem))) from None
        for test in tests:
            yield SuiteItem.from_parent(self, name=printable(test.name), test=test)


class NotPassed(Exception):  # noqa: N818  what happened, not a mistake of ours
    """A result other than passed."""

    def __init__(self, result: Result) -> None:
        super().__init__(printable(result.message))


class SuiteItem(pytest.Item):
    """One test."""

    def __init__(self, *, test: Test, **more: Any) -> None:
        super().__init__(**more)
        self.test = test

    def runtest(self) -> None:
        """Run it; what happened is shown by the plugin, as for other tests."""
        self.stash[SESSION] = session_of(self.test)
        update = self.config.getoption("doorstep_update")
        result = run(self.test, self.stash[SESSION], update=update)
        for remark in result.remarks:
            warnings.warn(pytest.PytestWarning(printable(remark)), stacklevel=1)
        if result.outcome != "passed":
            raise NotPassed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what was not as expected, without a traceback through Doorstep."""
        if isinstance(excinfo.value, NotPassed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """Return file, line from 0, name."""
        return self.path, self.test.line - 1, self.name
