"""One test, run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import DoorstepError, InputError
from ..clock import SimulatedClock
from ..mocks import Mock
from ..state_machines import ObservedExecution, TestSession
from .expectations import Unmet, check
from .reading import Test

Outcome = Literal["passed", "failed", "error"]
"""error: the test can't be used as it is written."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a test went."""

    test: Test
    observed: ObservedExecution | None
    """None when nothing was run."""
    unmet: Sequence[Unmet]
    problem: str
    """Why it could not be run or compared; else empty."""
    remarks: Sequence[str]
    """Its own mocks that were never reached, and answers that a service would not give."""
    idle: frozenset[str]
    """The suite's mocks that this test did not reach."""
    seconds: float
    """Of real time."""

    @property
    def outcome(self) -> Outcome:
        """How it went."""
        return "error" if self.problem else "failed" if self.unmet else "passed"

    @property
    def told(self) -> str:
        """Why it did not pass: every expectation that was not met, with its place and values."""
        unmet = [f"{unmet.place}: {unmet}" for unmet in self.unmet]
        return "\n".join([*unmet, self.problem] if self.problem else unmet)


def session_of(test: Test) -> TestSession:
    """What a test runs on."""
    return TestSession(test.folder, test.name, SimulatedClock())


def run(test: Test, session: TestSession, *, update: bool = False) -> Result:
    """Run a test; whatever is wrong with it is in the result. `update`: keep its history."""
    begun = time.perf_counter()
    own: list[Mock] = []
    unmet: list[Unmet] = []
    problem = ""
    try:
        own = test.mocks(test.record)
        observed = _observed(test, session, [*own, *test.mocks(test.suite.record)])
        unmet += check(test.record, test.record.get("expect"), observed, test.folder, update)
    except DoorstepError as told:
        problem = str(told)
    seconds = time.perf_counter() - begun
    done = next(iter(session.executions), None)
    remarks = [remark for mocks in session.mocks for remark in mocks.remarks(own)]
    idle = {one.label for mocks in session.mocks for one in mocks.idle if one not in own}
    return Result(test, done, unmet, problem, remarks, frozenset(idle), seconds)


def _observed(test: Test, session: TestSession, mocks: Sequence[Mock]) -> ObservedExecution:
    found = test.machine
    given = {name: test.get(name) for name in ("s3_root", "seed") if test.get(name) is not None}
    machine = session.machine(
        found.document.definition,
        test.get("handlers"),
        file=None if found.document.base else found.document.path,
        state_machine_name=found.name,
        type=found.type,
        state_machines=test.get("state_machines", {}),
        mock_validation=test.get("mock_validation", "strict"),
        **given,
    )
    if start_time := test.get("start_time"):
        session.clock.set(start_time)
    observed = machine.run(test.input, mocks=mocks, name=test.record.get("execution"))
    if (observed.error or "").startswith("Doorstep."):
        # No test can have meant this failure: a handler is missing, or a mock can't answer.
        raise InputError(f"{observed.error}: {observed.cause}")
    return observed
