"""Cases run on an AWS account, or at a server in its place, beside Doorstep's own answers.

What the account answers becomes a case, as a recording does, and is judged like one. A state
machine is created for one case and deleted before the next one begins. Nothing that a task calls is
called there: a definition with tasks is compared state by state through TestState, which takes what
they answer from the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from uuid import uuid4

from doorstep.advice.cost import Usage
from doorstep.against.account import NotSent, Refused
from doorstep.against.differences import Difference
from doorstep.against.single_states import Comparison
from doorstep.against.target import NotEnded, Target
from doorstep.engine import Event
from doorstep.errors import AccountError, DoorstepError, InputError
from doorstep.history import entries
from doorstep.model import State, workflow
from doorstep.runtime import Execution, spelled
from doorstep.values.json_values import dumps

from .cases import Case, case_of
from .compare import Grade, differing, judge
from .recordings import ON_AWS, recorded_answer, recorded_case
from .runner import answer, execute
from .values import left_open, unfolded

PREFIX = "doorstep-conformance-"
"""How the names of the state machines begin; a UUID follows."""
TAG = "doorstep:conformance"
"""The key of their tag, whose value is the case."""
NEEDS = (
    "states:CreateStateMachine, states:TagResource, states:StartExecution, "
    "states:StartSyncExecution, states:DescribeExecution, states:GetExecutionHistory, "
    "states:StopExecution, states:DeleteStateMachine, states:ValidateStateMachineDefinition, "
    "states:TestState and iam:PassRole for the role"
)
Way = Literal["execution", "sync", "states", "test_state", "validate", "create"]
Outcome = Literal["same", "differs", "not run", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_LONGEST_SYNC = 50.0
"""Seconds: botocore gives up an answer after 60."""
_FILES = ("ItemReader", "ResultWriter")
_NOT_IN_TAGS = re.compile(r"[^\w .:/=+@-]+", re.ASCII)
_TASK = re.compile(r'"Type"\s*:\s*"Task"')
_ROLE = re.compile(r"arn:(aws[\w-]*):iam::(\d{12}):role/\S+")
_OF_THE_CASE = (
    "ExecutionDoesNotExist",
    "InvalidDefinition",
    "InvalidExecutionInput",
    "InvalidName",
    "StateMachineDeleting",
    "StateMachineDoesNotExist",
    "StateMachineTypeNotSupported",
    "ValidationException",
)
"""Refusals after which other cases may succeed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a case is run there."""

    case: Case
    way: Way | None
    """None: it is not run."""
    reason: str = ""
    """Why it is not run."""
    usage: Usage = field(default_factory=Usage)
    """Of Doorstep's own execution, for the cost."""

    @property
    def seconds(self) -> float:
        """How long its execution takes."""
        return self.usage.seconds[0] if self.usage.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a case."""

    case: Case
    outcome: Outcome
    reason: str = ""
    """Why it was not run, or could not be compared."""
    grade: Grade | None = None
    """Of Doorstep's answer, held against the account's; None for single states."""
    differences: list[Difference] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    """What the account answered, as the contents of case files."""


def plan(case: Case, limit: float) -> Plan:
    """Return how a case is run; `limit`: the seconds that an execution may take."""
    match case.kind:
        case "validate":
            return Plan(case, "validate")
        case "create_error":
            return Plan(case, "create")
        case "test_state":
            return _plan_of_a_state(case)
    if case.handlers is not None:
        return Plan(case, None, "its tasks call Python functions of this machine")
    usage = Usage()
    try:
        _add(usage, case)
    except DoorstepError as problem:
        return Plan(case, None, f"Doorstep can't run it: {problem}")
    states = list(workflow(case.definition).scope.walk())
    way: Way = "sync" if case.kind == "sync" else "execution"
    if any(state.type == "Task" for state in states):
        way = "states"
    hindered = _hindered(case, way, states, usage, limit)
    return Plan(case, None if hindered else way, hindered, usage)


def _add(usage: Usage, case: Case) -> None:
    """Add Doorstep's own execution, and then those of its map runs' children."""
    started: list[Execution] = []

    def on_event(execution: Execution, event: Event) -> None:
        if event.id == 1:
            started.append(execution)

    execute(case, on_event)
    for execution in started:
        usage.add(entries(execution.history, case.id), len(_text(case.definition)))


def _plan_of_a_state(case: Case) -> Plan:
    request = case.request or {}
    if "mock" not in request and _TASK.search(_text(request.get("definition"))):
        return Plan(case, None, "its task would be called; TestState takes a mock instead")
    return Plan(case, "test_state")


def _hindered(case: Case, way: Way, states: list[State], usage: Usage, limit: float) -> str:
    """Return why a case can't be run that way; empty when it can."""
    if case.objects or any(name in state.fields for state in states for name in _FILES):
        return "it reads or writes files in buckets that the account does not have"
    if case.kind == "sync" and case.type == "STANDARD":
        return "StartSyncExecution takes Express state machines only"
    if way == "execution" and case.type == "EXPRESS":
        return "Express executions have no history"
    longest = min(limit, _LONGEST_SYNC) if way == "sync" else limit
    if way != "states" and usage.seconds[0] > longest:
        return f"it takes {spelled(usage.seconds[0])}; --time-limit waits longer"
    return ""


class OnAccount:
    """Runs cases at a target."""

    def __init__(self, target: Target, role: str, *, keep: bool = False) -> None:
        """`role`: the ARN of the machines' role; `keep`: delete nothing. Raises InputError."""
        if not (parts := _ROLE.fullmatch(role)):
            raise InputError(
                f"{role} is not the ARN of a role, such as arn:aws:iam::123456789012:role/name."
            )
        self.target, self.role, self.keep = target, role, keep
        self.left: dict[str, str] = {}
        """The state machines that are still there, by ARN, and why."""
        self._partition, self._owner = parts.groups()
        self._where = ON_AWS if target.label == "aws" else f"at {target.label}"
        self._ways: Mapping[Way, Callable[[Case], Compared]] = {
            "execution": self._execution,
            "sync": self._sync,
            "states": self._states,
            "test_state": self._test_state,
            "validate": self._validate,
            "create": self._create,
        }

    @property
    def region(self) -> str:
        """The Region that is asked."""
        return str(self.target.account.client.meta.region_name)

    def compare(self, plan: Plan) -> Compared:
        """Run a case there and here. Raises AccountError when no other case could be run either."""
        if plan.way is None:
            return Compared(plan.case, "not run", plan.reason)
        try:
            return self._ways[plan.way](plan.case)
        except Refused as refused:
            if refused.code not in _OF_THE_CASE:
                raise
            return Compared(plan.case, "error", str(refused))
        except NotSent as problem:
            return Compared(plan.case, "not run", str(problem))
        except NotEnded:
            limit = spelled(self.target.limit)
            reason = f"it has not ended after {limit}; --time-limit waits longer"
            return Compared(plan.case, "error", reason)
        except InputError as problem:
            return Compared(plan.case, "error", str(problem))

    # The ways ------------------------------------------------------------------------------------

    def _execution(self, case: Case) -> Compared:
        try:
            with self._machine(case) as machine:
                events = self._events(machine, case)
        except Refused as refused:
            if refused.code != "InvalidDefinition":
                raise
            return self._refused(case, refused)
        if permission := _missing_permission(events[-1]):
            return Compared(case, "not run", f"the role lacks a permission: {permission}")
        return self._judged(case, recorded_case(events, case.definition, case.id, self._where))

    def _refused(self, case: Case, refused: Refused) -> Compared:
        """Compare with Doorstep, which takes the definition, that the account does not."""
        request = {"name": "refused", "roleArn": self.role, "definition": case.definition}
        own = Case(id=case.id, kind="create_error", request={**request, "type": case.type})
        return self._judged(case, recorded_answer(own, _error(refused), self._where))

    def _events(self, machine: str, case: Case) -> list[dict[str, Any]]:
        execution = self.target.patiently(
            "StateMachineDoesNotExist",
            "start_execution",
            stateMachineArn=machine,
            name=str(uuid4()),
            input=dumps(case.input),
        )["executionArn"]
        try:
            return self.target.wait(execution)
        except BaseException:
            # Deleting its machine ends it "at the next state transition" only:
            # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
            with suppress(AccountError):
                self.target.account.ask("stop_execution", executionArn=execution)
            raise

    def _sync(self, case: Case) -> Compared:
        with self._machine(case) as machine:
            reply = self.target.patiently(
                "StateMachineDoesNotExist",
                "start_sync_execution",
                stateMachineArn=machine,
                name=str(uuid4()),
                input=dumps(case.input),
            )
        return self._judged(case, recorded_answer(case, reply, self._where))

    def _create(self, case: Case) -> Compared:
        reply: dict[str, Any] = {}
        try:
            with self._machine(case):
                pass
        except Refused as refused:
            if refused.code not in _OF_THE_CASE:
                raise
            reply = _error(refused)
        return self._judged(case, recorded_answer(case, reply, self._where))

    def _validate(self, case: Case) -> Compared:
        request = dict(case.request or {})
        request["definition"] = _text(request["definition"])
        reply = self.target.account.ask("validate_state_machine_definition", **request)
        return self._judged(case, recorded_answer(case, reply, self._where))

    def _test_state(self, case: Case) -> Compared:
        request = dict(case.request or {})
        for name in ("definition", "input", "variables", "context"):
            if name in request:
                request[name] = _text(request[name])
        if "roleArn" in request:
            request["roleArn"] = self.role
        self.target.pause()
        try:
            reply = self.target.account.ask("test_state", **request)
        except Refused as refused:
            if refused.code not in _OF_THE_CASE:
                raise
            reply = _error(refused)
        return self._judged(case, recorded_answer(case, reply, self._where))

    def _states(self, case: Case) -> Compared:
        account, label = self.target.account, self.target.label
        comparison = Comparison(account, label, execute(case), self.target.pause)
        found = list(comparison.run())
        contents = []
        for number, (request, reply) in enumerate(comparison.answers, start=1):
            asked = Case(id=f"{case.id}/{number}", kind="test_state", request=request)
            contents.append(recorded_answer(asked, reply, self._where))
        remarks = [
            f"not compared: {place}: {reason}" for place, reason in comparison.not_compared.items()
        ]
        if not contents and not found:
            return Compared(case, "not run", "; ".join(remarks))
        outcome: Outcome = "differs" if found else "same"
        return Compared(case, outcome, "", None, found, remarks, contents)

    def _judged(self, case: Case, content: dict[str, Any]) -> Compared:
        """Judge Doorstep's answer as that to a case that the account has recorded."""
        if case.recorded is not None:
            # What every run has otherwise, such as a random number, the case itself leaves open.
            mask, found = unfolded(case.recorded), unfolded(content["recorded"])
            content["recorded"] = left_open(mask, found, case.wildcards)
            content["wildcards"] = sorted({*content["wildcards"], *case.wildcards})
        recorded = case_of(content)
        own = answer(recorded)
        verdict = judge(recorded, own)
        if verdict.as_recorded:
            return Compared(case, "same", "", verdict.grade, contents=[content])
        if "crash" in own:
            return Compared(case, "error", verdict.why, verdict.grade, contents=[content])
        differences = [
            Difference(
                one.event or "the answer",
                one.at.removeprefix("."),
                one.actual,
                one.expected,
                what="answer",
            )
            for one in differing(recorded, own)
        ]
        return Compared(case, "differs", "", verdict.grade, differences, contents=[content])

    # Machines ------------------------------------------------------------------------------------

    @contextmanager
    def _machine(self, case: Case) -> Iterator[str]:
        """Create a state machine for a case, and delete it whatever happens."""
        request = dict(case.request or {"definition": case.definition, "type": case.type})
        request["definition"] = _text(request["definition"])
        name = f"{PREFIX}{uuid4()}"
        # Known before the answer: Ctrl-C may come between the request and it.
        place = f"{self._partition}:states:{self.region}:{self._owner}"
        arn = f"arn:{place}:stateMachine:{name}"
        tags = [{"key": TAG, "value": _NOT_IN_TAGS.sub("-", case.id)[:256]}]
        request |= {"name": name, "roleArn": self.role, "tags": tags}
        self.left[arn] = "interrupted"
        try:
            created = self.target.account.ask("create_state_machine", **request)["stateMachineArn"]
            self.left[created] = "interrupted"
            if created != arn:
                del self.left[arn]
                arn = created
        except Refused:
            del self.left[arn]
            raise
        except BaseException:
            self._delete(arn)
            raise
        try:
            yield arn
        finally:
            self._delete(arn)

    def _delete(self, arn: str) -> None:
        if self.keep:
            self.left[arn] = "kept"
            return
        try:
            self.target.account.ask("delete_state_machine", stateMachineArn=arn)
        except AccountError as problem:
            self.left[arn] = str(problem)
        else:
            del self.left[arn]


def _text(definition: Any) -> str:
    return definition if isinstance(definition, str) else dumps(definition)


def _error(refused: Refused) -> dict[str, Any]:
    return {"Error": {"Code": refused.code, "Message": refused.said}}


def _missing_permission(end: Mapping[str, Any]) -> str:
    details = end.get("executionFailedEventDetails", {})
    return str(details.get("cause", "")) if details.get("error") == "States.Permissions" else ""
