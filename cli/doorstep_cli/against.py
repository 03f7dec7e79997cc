"""A suite's tests as real executions, on an account or a server, beside Doorstep's own.

Nothing is created or changed there but the executions that are started. What is compared: what a
test expects, as for Doorstep's own executions, and then both histories, visit by visit. Tests with
mocks start nothing there; see `single_states`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from doorstep import DoorstepError
from doorstep.asl.jsonata_fields import is_expression
from doorstep.definitions.config_schema import Record
from doorstep.engine import TERMINAL
from doorstep.history import Entry, Visits, entries, whole
from doorstep.history.diff import diff
from doorstep.model import integration, workflow
from doorstep.runtime import event_from, names_by, spelled
from doorstep.testing.state_machines import Call, Observation, ObservedExecution
from doorstep.testing.suites import expectations
from doorstep.testing.suites.files import Test
from doorstep.testing.suites.results import Result, run, session_of
from doorstep.values.json_values import dumps, value_of

from .account import Account, account_of
from .output import Problem
from .single_states import Comparison, plain

NEEDS = (
    "states:ListStateMachines (with --machine: states:DescribeStateMachine), "
    "states:StartExecution, states:DescribeExecution and states:GetExecutionHistory; for tests "
    "with mocks states:TestState"
)
_FIRST, _GROWS, _LONGEST = 0.2, 1.6, 10.0
"""Seconds between two looks at an execution: the first, by how much it grows, the longest."""
_NOT_THERE = ("children", "tables", "messages", "objects", "history")
"""Expectations about more than one history says, or about a file that Doorstep wrote."""
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")
_OF_THE_FUNCTION = re.compile(r"cause\.(stackTrace|trace|requestId)\b")
"""Where in its cause a Lambda function says which process failed."""
_NOT_IN_NAMES = re.compile(r"[^\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A state machine that is there."""

    arn: str
    type: str


@dataclass
class Target:
    """Where tests are run: what answers, and how long an execution may take."""

    account: Account
    label: str
    """As messages name it: `aws`, or the URL."""
    limit: float
    """Seconds."""
    machine: str | None = None
    """The ARN of the machine that all tests run; None: each the one that its suite names."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _machines: dict[str, list[Deployed]] = field(default_factory=dict)

    def connect(self) -> None:
        """Look up what is deployed. Raises Problem when that is refused."""
        if self.machine:
            described = self.account.ask("describe_state_machine", stateMachineArn=self.machine)
            self._machines[""] = [Deployed(self.machine, described["type"])]
            return
        for one in self.account.pages("list_state_machines", "stateMachines"):
            deployed = Deployed(one["stateMachineArn"], one["type"])
            self._machines.setdefault(one["name"], []).append(deployed)

    def find(self, name: str) -> Deployed:
        """Return the state machine of a suite. Raises Problem when it is not there."""
        found = self._machines.get("" if self.machine else name, [])
        if not found:
            raise Problem(
                f"state machine {name!r} not found at {self.label}; deploy it, or name another one "
                f"with --machine ARN (there are {_some(list(self._machines))})"
            )
        return found[0]

    def pause(self) -> None:
        """Wait before a request of TestState: an account answers one a second.

        https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
        """
        if self.label == "aws":
            self.sleep(1.0)

    def run(self, arn: str, name: str, input_json: str) -> list[Entry]:
        """Start an execution and return its history once it has ended.

        Raises Problem when that takes longer than the limit; it is not stopped.
        """
        started = self.account.ask(
            "start_execution", stateMachineArn=arn, name=name, input=input_json
        )["executionArn"]
        until, pause = self.now() + self.limit, _FIRST
        while True:
            described = self.account.ask("describe_execution", executionArn=started)
            # Both answers are eventually consistent: the history may lack its end for a while.
            # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
            if described["status"] != "RUNNING":
                events = list(self._history(started))
                if events and events[-1]["type"] in TERMINAL:
                    return whole(entries(events, started), started)
            if self.now() >= until:
                raise Problem(
                    f"{started} has not ended after {spelled(self.limit)} and was not stopped; "
                    "--time-limit waits longer"
                )
            self.sleep(min(pause, max(0.0, until - self.now())))
            pause = min(pause * _GROWS, _LONGEST)

    def _history(self, arn: str) -> Iterator[dict[str, Any]]:
        for event in self.account.pages(
            "get_execution_history", "events", executionArn=arn, maxResults=1_000
        ):
            # boto3 makes datetimes of timestamps; histories have epoch seconds or texts.
            yield event | {"timestamp": event["timestamp"].timestamp()}


def target_of(where: str, machine: str | None, limit: float) -> Target:
    """Return the target that `--against` names, connected. Raises Problem when it can't be."""
    if where != "aws" and not where.startswith(("http://", "https://")):
        raise Problem(f"--against {where}: expected aws, or a URL such as http://127.0.0.1:8083")
    parts = machine.split(":") if machine else []
    if machine and (len(parts) < 7 or parts[2] != "states" or parts[5] != "stateMachine"):
        raise Problem(f"--machine {machine}: expected the ARN of a state machine")
    url = None if where == "aws" else where
    region = parts[3] if parts else "us-east-1" if url else None
    target = Target(account_of(url, region, NEEDS), where, limit, machine)
    target.connect()
    return target


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "none") + more


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
    except (DoorstepError, Problem) as problem:
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
    own = _own(test, name, datetime.fromtimestamp(events[0].at, UTC))
    if own.observed is None or own.problem:
        remarks.append(f"not compared with Doorstep's own execution: {own.problem}")
    else:
        unmet += _differences(test, real, own.observed)
    return replace(result, observed=real, unmet=unmet, remarks=remarks)


def _state_by_state(test: Test, target: Target) -> Result:
    """Run a test with mocks here, and compare each visit of a state with TestState's answer."""
    result = run(test, session_of(test))
    if not isinstance(result.observed, ObservedExecution) or result.problem:
        return result
    comparison = Comparison(
        target.account, target.label, result.observed, test.record.source, target.pause
    )
    unmet = [*result.unmet, *comparison.run()]
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


def _differences(test: Test, real: RealExecution, own: Observation) -> Iterator[expectations.Unmet]:
    """Yield where Doorstep's own execution went another way, or had other data."""
    here = Visits(entries(own.history, own.name))
    for visit in diff(here, Visits(real.events)):
        for at, ours, theirs in visit.differing:
            if _OF_THE_FUNCTION.match(at) or plain(ours, real.name) == plain(theirs, real.name):
                continue
            what = f"{visit.place}, {at}: Doorstep's own execution (expected) differs, "
            what += "possibly a fault of Doorstep"
            yield expectations.Unmet(test.record.source, what, ours, theirs)
