"""A suite's tests as real executions, on an account or a server, beside Doorstep's own.

Nothing is created or changed there but the executions that are started. What is compared: what a
test expects, as for Doorstep's own executions, and then both histories, visit by visit. Tests with
mocks start nothing there; see `single_states`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from ..asl.jsonata_fields import is_expression
from ..definitions.config_schema import Record
from ..errors import DoorstepError
from ..history import Entry, Visits, entries
from ..history.diff import diff
from ..model import integration, workflow
from ..runtime import event_from, names_by
from ..testing.state_machines import Call, Observation, ObservedExecution
from ..testing.suites import expectations
from ..testing.suites.files import Test
from ..testing.suites.results import Result, run, session_of
from ..values.json_values import dumps, value_of
from ..values.timestamps import in_utc
from .differences import Difference, plain
from .single_states import Comparison
from .target import Target

_NOT_THERE = ("children", "tables", "messages", "objects", "history")
"""Expectations about more than one history says, or about a file that Doorstep wrote."""
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")
_OF_THE_FUNCTION = re.compile(r"cause\.(stackTrace|trace|requestId)\b")
"""Where in its cause a Lambda function says which process failed."""
_NOT_IN_NAMES = re.compile(r"[^\w-]+", re.ASCII)


# One test ----------------------------------------------------------------------------------------


class RealExecution(Observation):
    """What the history of an execution says that ran elsewhere."""

    def __init__(
        self, name: str, machine: str, definition: Mapping[str, Any], events: list[Entry]
    ) -> None:
        self._name, self._machine = name, machine
        self._definition, self._events = definition, events
        self.calls = list(_calls(events, definition))

    @property
    def name(self) -> str:
        """The execution's name."""
        return self._name

    @property
    def machine(self) -> str:
        """The name of its state machine."""
        return self._machine

    @property
    def events(self) -> list[Entry]:
        """The history."""
        return self._events

    @property
    def definition(self) -> Mapping[str, Any]:
        """The suite's definition; the deployed one may be another."""
        return self._definition

    @property
    def children(self) -> list[Observation]:
        """None: they have histories of their own."""
        return []

    def called(self, name: str) -> list[Call]:
        """Return the calls of a function, a `service:action`, or a state."""
        return [call for call in self.calls if name in call.names]


def _calls(events: Sequence[Entry], definition: Mapping[str, Any]) -> Iterator[Call]:
    resources = {
        state.name: state.fields["Resource"]
        for state in workflow(definition).scope.walk()
        if state.type == "Task"
    }
    visits = Visits(events)
    for event in events:
        visit = visits.of.get(event.id)
        if event.type not in _SCHEDULED or visit is None or visit.name not in resources:
            continue
        resource = resources[visit.name]
        arguments = value_of(event.details.get("parameters", event.details.get("input")))
        yield Call(
            state=visit.name,
            event=event_from(integration(resource).action, arguments),
            attempt=sum(1 for retry in visit.retries if retry.id < event.id),
            token="",
            at=timedelta(seconds=event.at - events[0].at),
            names=names_by(visit.name, resource, arguments),
            arn="",
        )


def run_against(test: Test, target: Target) -> Result:
    """Run a test there and here, and compare; whatever is wrong is in the result."""
    begun = time.perf_counter()
    result = Result(test, None, [], "", [], frozenset(), 0.0)
    try:
        result = _compared(test, target, result)
    except DoorstepError as problem:
        result = replace(result, problem=str(problem))
    return replace(result, seconds=time.perf_counter() - begun)


def _compared(test: Test, target: Target, result: Result) -> Result:
    if any((test.mocks(test.record), test.mocks(test.suite.record), test.project_mocks())):
        return _state_by_state(test, target)
    template = test.machine
    definition = template.document.definition
    deployed = target.find(template.name)
    if deployed.type == "EXPRESS":
        return replace(result, skipped="not run there: Express executions have no history")
    name = f"{_NOT_IN_NAMES.sub('-', test.name)[:40]}-{uuid4()}"
    events = target.run(deployed.arn, name, dumps(test.input))
    real = RealExecution(name, template.name, definition, events)
    expect, left_out = _checked(test.record.get("expect"))
    unmet = list(expectations.check(test.record, expect, real, test.folder, update=False))
    remarks = [f"not checked there: {', '.join(left_out)}"] if left_out else []
    own = _own(test, name, in_utc(events[0].at))
    if own.observed is None or own.problem:
        remarks.append(f"not compared with Doorstep's own execution: {own.problem}")
    else:
        unmet += _unmet(test, differences(real, own.observed))
    return replace(result, observed=real, unmet=unmet, remarks=remarks)


def _state_by_state(test: Test, target: Target) -> Result:
    """Run a test with mocks here, and compare each visit of a state with TestState's answer."""
    result = run(test, session_of(test))
    if not isinstance(result.observed, ObservedExecution) or result.problem:
        return result
    comparison = Comparison(target.account, target.label, result.observed, target.pause)
    unmet = [*result.unmet, *_unmet(test, comparison.run())]
    remarks = [*result.remarks, f"answers of TestState compared: {len(comparison.asked)}"]
    for place, reason in comparison.not_compared.items():
        remarks.append(f"not compared with TestState: {place}: {reason}")
    return replace(result, unmet=unmet, remarks=remarks)


def _own(test: Test, name: str, start_time: datetime) -> Result:
    """Run the test here, with the name and start that it had there, without what it expects."""
    members = {key: value for key, value in test.record.members.items() if key != "expect"}
    members |= {"execution": name, "start_time": start_time}
    here = replace(test, record=replace(test.record, members=members))
    return run(here, session_of(here))


def _checked(expect: Record | None) -> tuple[Record | None, list[str]]:
    """Return what is checked there, and the names of what is not.

    Time is modelled here and real there, so lengths are not compared, but conditions on them are.
    """
    if expect is None:
        return None, []
    members, left_out = _without(expect.members, "")
    if "states" in members:
        states = {}
        for name, state in members["states"].items():
            kept, more = _without(state.members, f" of {name}")
            states[name] = replace(state, members=kept)
            left_out += more
        members["states"] = states
    return replace(expect, members=members), left_out


def _without(members: Mapping[str, Any], of: str) -> tuple[dict[str, Any], list[str]]:
    left_out = [name for name in members if name in _NOT_THERE]
    if "took" in members and not is_expression(members["took"]):
        left_out.append("took")
    kept = {name: value for name, value in members.items() if name not in left_out}
    return kept, [f"{name}{of}" for name in left_out]


def _unmet(test: Test, found: Iterable[Difference]) -> Iterator[expectations.Unmet]:
    for one in found:
        yield expectations.Unmet(test.record.source, str(one), one.own, one.there)


def differences(real: RealExecution, own: Observation) -> Iterator[Difference]:
    """Yield where Doorstep's own execution went another way, or had other data."""
    here = Visits(entries(own.history, own.name))
    for visit in diff(here, Visits(real.events)):
        for at, ours, theirs in visit.differing:
            if _OF_THE_FUNCTION.match(at) or plain(ours, own.name) == plain(theirs, real.name):
                continue
            yield Difference(visit.place, at, ours, theirs)
