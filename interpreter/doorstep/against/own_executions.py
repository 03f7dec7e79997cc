"""Executions of a test in Python, each held against the same one elsewhere.

The test's assertions are about Doorstep's own execution. Without mocks a deployed state machine is
started with the same input, and both histories are compared; with mocks TestState is asked about
each visit of a state. What differs fails the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import uuid4

from ..testing.clock import SimulatedClock
from ..testing.mocks import Mocks
from ..testing.state_machines import ObservedExecution
from ..testing.suites.expectations import both
from ..values.json_values import dumps
from .differences import Difference
from .executions import RealExecution, differences
from .single_states import Comparison
from .target import Target


class ComparedExecutions:
    """Compares executions of a test with the same ones elsewhere: a `Compare` of the test kit."""

    def __init__(self, target: Target, clock: SimulatedClock, machine: str | None) -> None:
        """`machine`: the deployed one's name; None: each is called there as here."""
        self.target = target
        self.clock = clock
        self.machine = machine
        self.seen = self.executions = self.answers = 0
        """How many there were, and how many were compared: executions, and answers of TestState."""
        self.not_compared: list[str] = []

    def __call__(self, own: ObservedExecution, mocks: Mocks, *, services: bool) -> None:
        """Raise AssertionError for what differs, AccountError when it can't be compared."""
        self.seen += 1
        if reason := _hindered(own, services):
            self.not_compared.append(f"{own.machine}: {reason}")
            return
        # Requests are signed with the time, which has to be the real one.
        with self.clock.thawed():
            found = list(self._by_states(own) if mocks.mocks else self._by_execution(own))
        if found:
            raise AssertionError("\n".join(_lines(found)))

    def remarks(self, began: int) -> Iterator[str]:
        """Yield what was compared and what was not; `began`: the executions of the test."""
        if self.executions:
            yield f"executions compared: {self.executions}"
        if self.answers:
            yield f"answers of TestState compared: {self.answers}"
        for reason in dict.fromkeys(self.not_compared):
            yield f"not compared: {reason}"
        if began > self.seen:
            yield f"not compared: {began - self.seen} of `.start`; only those of `.run` are"

    def _by_execution(self, own: ObservedExecution) -> Iterator[Difference]:
        deployed = self.target.find(self.machine or own.machine)
        if deployed.type == "EXPRESS":
            self.not_compared.append(f"{own.machine}: Express executions have no history")
            return
        name = str(uuid4())
        events = self.target.run(deployed.arn, name, dumps(own.input))
        self.executions += 1
        real = RealExecution(name, own.machine, own.definition, events)
        yield from differences(real, own)

    def _by_states(self, own: ObservedExecution) -> Iterator[Difference]:
        comparison = Comparison(self.target.account, self.target.label, own, self.target.pause)
        yield from comparison.run()
        self.answers += len(comparison.asked)
        for place, reason in comparison.not_compared.items():
            self.not_compared.append(f"{place}: {reason}")


def _hindered(own: ObservedExecution, services: bool) -> str:
    if services:
        return "in a test with `services` or `project` moto answers in place of AWS"
    if (own.error or "").startswith("Doorstep."):
        return f"Doorstep's own execution ended with {own.error}"
    return ""


def _lines(found: Iterable[Difference]) -> Iterator[str]:
    for one in found:
        yield f"{one}\n{both(one.own, one.there)}"
