"""Tests with mocks, state by state through TestState, beside Doorstep's own execution.

A whole execution has no mocks on AWS, a single state has: each visit of Doorstep's own execution is
one request for each of its attempts, with the input, the variables, and the answer of the task that
this attempt had here. A difference in one state therefore hides none in the next.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine import TERMINAL
from ..history import Entry, Visit, Visits, entries
from ..model import WORKING, State, integration, workflow
from ..runtime import Execution
from ..single_state import test_state
from ..values.json_values import differences, dumps, value_of
from ..values.timestamps import format_timestamp
from .account import Account, Refused
from .differences import Difference, plain

MOST_REQUESTS = 500
"""Of TestState for one execution: an account answers one a second."""
_INNER = ("ItemProcessor", "Iterator", "Branches")
_PAUSE = "retryBackoffIntervalSeconds"
_TOKEN = f"AQC{'0' * 64}"
"""A task token as Doorstep's are, which are not compared."""
_LONGEST = 50.0
"""Seconds of a Wait that are waited for: botocore gives up an answer after 60."""
_EVENTS = "maximum number of history events"
_FAILED_AT = re.compile(
    r"An error occurred while executing the state '[^']*' \(entered at the event id #\d+\)\. "
)
_CONTEXT = re.compile(r"\$\$|\$states\.context\b|\$states(?!\.)\b")
_WHOLE = re.compile(r"\$\$|\$states(?!\.)\b")
_VARIABLE = "doorstepContext"
"""What a JSONata state without a mock reads in place of the context object."""
_RANDOM = re.compile(
    r"States\.MathRandom\([^,()]*,[^,()]*\)|\$random\(\s*\)|\$shuffle\(|\$millis\("
)
_MAP_ITEM = re.compile(
    r"\$\$\.Map\b|\$\$(?![.\w])|context\.Map\b|context(?![.\w])|\$states(?!\.)\b"
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a visit's work: what TestState is asked, and what it has to answer."""

    mock: dict[str, Any] | None
    expected: dict[str, Any]
    """Members of the answer, their JSON texts as values."""


@dataclass
class Comparison:
    """An execution with mocks, compared visit by visit with what TestState answers."""

    account: Account
    label: str
    """Of the target, as messages name it."""
    own: Execution
    pause: Callable[[], None]
    """Called before each request."""
    asked: set[str] = field(default_factory=set)
    """Requests with what they have to answer; the same one is asked once, as loops repeat them."""
    answers: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    """The requests, and what TestState answered."""
    not_compared: dict[str, str] = field(default_factory=dict)
    """By place of a visit, why."""

    def __post_init__(self) -> None:
        self._definition = dumps(self.own.definition)
        scope = workflow(self.own.definition).scope
        self._states = {state.name: state for state in scope.walk()}
        self._visits = Visits(entries(self.own.history, self.own.name))
        self._within: defaultdict[Visit | None, list[Visit]] = defaultdict(list)
        for visit in self._visits.all:
            self._within[visit.parent].append(visit)

    def run(self) -> Iterator[Difference]:
        """Yield the differences. Raises AccountError when TestState can't be asked."""
        numbers: Counter[str] = Counter()
        left = 0
        for visit in self._visits.all:
            numbers[visit.place] += 1
            state = self._states[visit.name]
            if len(self.asked) >= MOST_REQUESTS:
                left += 1
                continue
            if reason := self._limited(visit) or _excluded(visit, state) or self._unknown(visit):
                self.not_compared[visit.place] = reason
                continue
            where = f"{visit.place}, visit {numbers[visit.place]}"
            yield from self._compare(visit, state, where)
        if left:
            reason = f"TestState is asked {MOST_REQUESTS} times for an execution, and no more"
            self.not_compared[f"{left:,} more visits"] = reason

    def _limited(self, visit: Visit) -> str | None:
        """Return why a visit without a failure of its own ended with the execution."""
        group = visit.parent if visit.outcome == "failed" else None
        if visit.over or any(_failed(one) for one in (visit, group) if one):
            return None
        if self._end.type != "ExecutionFailed" or _EVENTS in str(self._end.details.get("cause")):
            return "the execution, not the state, reached a limit or was stopped"
        return None

    def _compare(self, visit: Visit, state: State, where: str) -> Iterator[Difference]:
        used: Counter[int | None] = Counter()
        attempts = self._attempts(visit, state)
        for number, attempt in enumerate(attempts):
            at = where if len(attempts) == 1 else f"{where}, attempt {number + 1}"
            request = self._request(visit, state, attempt, number)
            if number + 1 < len(attempts):
                index = _retrier(request)
                request["stateConfiguration"] = {"retrierRetryCount": used[index]}
                used[index] += 1
            elif attempt.expected["status"] != "SUCCEEDED" and state.retriers:
                request["stateConfiguration"] = {"retrierRetryCount": used[_retrier(request)]}
            yield from self._ask(visit, request, attempt.expected, at)

    def _ask(
        self, visit: Visit, request: dict[str, Any], expected: dict[str, Any], at: str
    ) -> Iterator[Difference]:
        question = dumps([request, expected, visit.assigned])
        if question in self.asked:
            return
        self.asked.add(question)
        self.pause()
        other = f"TestState at {self.label}"
        try:
            answer = self.account.ask("test_state", **request)
        except Refused as refused:
            if refused.code != "ValidationException":
                raise
            yield Difference(at, "request", "accepted", str(refused), other)
            return
        self.answers.append((request, answer))
        inspected = answer.get("inspectionData", {})
        answer = {**answer, _PAUSE: inspected.get("errorDetails", {}).get(_PAUSE)}
        found = {name: answer.get(name) for name in expected}
        if visit.over and "output" in expected:
            before = self._visits.variables[visit.entered.id]
            variables = inspected.get("variables")
            found["output"] = value_of(answer.get("output"))
            shown = before if variables is None else value_of(variables)
            found["variables"] = {name: shown[name] for name in shown if name != _VARIABLE}
            expected = expected | {"variables": {**before, **visit.assigned}}
        for member, ours, theirs in differences("", self._plain(expected), self._plain(found)):
            yield Difference(at, member, ours, theirs, other)

    def _plain(self, value: Any) -> Any:
        """Return a value as it can be compared: without the event that a cause names.

        Fact 29. Whether TestState begins its causes so is not known.
        """
        return _alone(plain(value, self.own.name))

    @property
    def _end(self) -> Entry:
        return next(reversed(self._visits.entries.values()))

    def _request(self, visit: Visit, state: State, attempt: Attempt, number: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "definition": self._definition,
            "stateName": visit.name,
            "input": dumps(visit.input),
            "inspectionLevel": "DEBUG",
        }
        variables = self._visits.variables[visit.entered.id]
        context = None
        if _CONTEXT.search(_own_fields(state)):
            context = self._context(visit, state, number)
        if attempt.mock:
            # Doorstep has its own check of mocks (`mock_validation`), which a test can turn off.
            request["mock"] = {**attempt.mock, "fieldValidationMode": "NONE"}
            if context:
                request["context"] = dumps(context)
        elif context:
            # "This field may only be specified if a mock is specified in the same request."
            request["definition"] = self._definition.replace("$states.context", f"${_VARIABLE}")
            variables = {**variables, _VARIABLE: context}
        if variables:
            request["variables"] = dumps(variables)
        return request

    def _context(self, visit: Visit, state: State, number: int) -> dict[str, Any]:
        # Fact 340.
        identity = self.own.identity
        execution = {
            "Id": identity.arn,
            "Input": self.own.input,
            "StartTime": format_timestamp(self.own.events[0].at),
            "Name": identity.name,
            "RoleArn": identity.role,
            "RedriveCount": 0,
        }
        entered = format_timestamp(visit.entered.at)
        # Fact 484: callbacks and jobs have a token, and only these may be given one.
        task = state.type == "Task" and integration(state.fields["Resource"]).pattern
        retries = {"RetryCount": number} if state.type in WORKING else {}
        return {
            "Execution": {name: value for name, value in execution.items() if value is not None},
            "StateMachine": {"Id": identity.machine_arn, "Name": identity.machine_path},
            "State": {"Name": visit.name, "EnteredTime": entered, **retries},
            **({"Task": {"Token": _TOKEN}} if task else {}),
        }

    def _attempts(self, visit: Visit, state: State) -> list[Attempt]:
        if state.type not in WORKING:
            return [Attempt(None, _expected(visit, visit.events, self._end))]
        starts = [visit.events.index(event) for event in visit.attempts] or [0]
        parts = [
            visit.events[start:until]
            for start, until in zip(starts, [*starts[1:], None], strict=True)
        ]
        mocks = [self._mock(visit, state, part) for part in parts]
        retried = [
            {"status": "RETRIABLE", **mock.get("errorOutput", {}), **self._pause(state, later[0])}
            for mock, later in zip(mocks, parts[1:], strict=False)
        ]
        ended = _expected(visit, parts[-1], self._end)
        return list(map(Attempt, mocks, [*retried, ended]))

    def _pause(self, state: State, next_begins: Entry) -> dict[str, int]:
        """Return the whole seconds before a retry; nothing when they are a fraction or random."""
        pause = round(next_begins.at - self._visits.entries[next_begins.previous].at, 3)
        random = any("JitterStrategy" in retrier.fields for retrier in state.retriers)
        return {} if random or pause % 1 else {_PAUSE: int(pause)}

    def _mock(self, visit: Visit, state: State, part: list[Entry]) -> dict[str, Any]:
        """Return what the work of an attempt gave; where it never began, that does not matter."""
        if state.type == "Task":
            return _answer_of_the_task(part)
        inside = self._inside(visit, part)
        if failed := [one for one in inside if one.outcome == "failed"]:
            return {"errorOutput": self._failure_of(failed[0])}
        results = {_group(one, state): one.output for one in inside}
        size = len(state.scopes) if state.type == "Parallel" else len(results)
        return {"result": dumps([results.get(number) for number in range(size)])}

    def _inside(self, visit: Visit, part: list[Entry]) -> list[Visit]:
        """Return the visits directly in an attempt of a Map or Parallel, in order."""
        later = [event.id for event in visit.attempts if event.id > part[0].id]
        ids = range(part[0].id, later[0] if later else self._end.id + 1)
        return [one for one in self._within[visit] if one.entered.id in ids]

    def _failure_of(self, visit: Visit) -> dict[str, Any]:
        """Return error and cause of a visit that failed in a group; nothing when unknown."""
        if own := _failure(visit.events):
            return own
        if visit.entered.type == "FailStateEntered":
            fields = self._states[visit.name].fields
            return {one.lower(): fields[one] for one in ("Error", "Cause") if one in fields}
        inner = [one for one in self._within[visit] if one.outcome == "failed"]
        return self._failure_of(inner[-1]) if inner else {}

    def _unknown(self, visit: Visit) -> str | None:
        """Return why a group can't be mocked: what failed in it left no event with its error."""
        failed = [one for one in self._within[visit] if one.outcome == "failed"]
        if all("error" in self._failure_of(one) for one in failed):
            return None
        return "the error of the state that failed in it is not in the history"


def _failed(visit: Visit) -> bool:
    return any(event.failed for event in visit.events)


def _alone(value: Any) -> Any:
    match value:
        case dict():
            return {key: _alone(inner) for key, inner in value.items()}
        case list():
            return [_alone(inner) for inner in value]
    if not isinstance(value, str):
        return value
    return _FAILED_AT.sub("", value).replace(f"${_VARIABLE}", "$states.context")


def _excluded(visit: Visit, state: State) -> str | None:
    """Return why TestState can't be asked about a visit; None when it can."""
    text = _own_fields(state)
    if visit.outcome in ("aborted", "in progress"):
        return "it was aborted"
    if state.distributed:
        return "a distributed Map as a whole, and its items, which have histories of their own"
    if _CONTEXT.search(text):
        if state.type not in WORKING and (not state.jsonata or _WHOLE.search(text)):
            return "it reads the context object, which TestState takes with a mock only"
        if visit.parent and _MAP_ITEM.search(text):
            return "it reads the Map's item in the context object, which TestState does not take"
    if _RANDOM.search(text):
        return "its result is random, or the time as a number"
    if state.type == "Wait" and visit.exited and visit.exited.at - visit.entered.at > _LONGEST:
        return f"it waits for more than {_LONGEST:.0f} seconds"
    beats = any(name.startswith("HeartbeatSeconds") for name in state.fields)
    if beats and any(event.type.endswith("TimedOut") for event in visit.events):
        return "the history does not tell a heartbeat that was missed from a time limit"
    if state.retriers and not visit.attempts:
        return "it failed before its work began, and the history does not count the retries"
    return None


def _own_fields(state: State) -> str:
    """Return the text of a state's fields, without those of the states in it."""
    own = {name: value for name, value in state.fields.items() if name not in _INNER}
    return dumps(own)


def _group(visit: Visit, state: State) -> int | None:
    """Return the number of the iteration or branch that a visit stands in."""
    if state.type == "Map":
        return visit.index
    return next(n for n, branch in enumerate(state.scopes) if visit.name in branch.states)


def _retrier(request: Mapping[str, Any]) -> int | None:
    """Return the number of the retrier that takes the failure: AWS counts each by itself."""
    details = test_state(request)["inspectionData"].get("errorDetails", {})
    index: int | None = details.get("retryIndex")
    return index


def _answer_of_the_task(events: list[Entry]) -> dict[str, Any]:
    """Return what the task answered; where it was not called, its answer does not matter."""
    for event in events:
        if event.type.endswith("Succeeded"):
            return {"result": dumps(value_of(event.details.get("output")))}
        if event.failed and event.type != "EvaluationFailed":
            return {"errorOutput": _failure([event])}
    return {"result": "{}"}


def _failure(events: list[Entry]) -> dict[str, Any]:
    """Return error and cause of the last failure; nothing when the history does not say them."""
    failed = [event for event in events if event.failed]
    members = failed[-1].details if failed else {}
    return {name: members[name] for name in ("error", "cause") if name in members}


def _expected(visit: Visit, events: list[Entry], end: Entry) -> dict[str, Any]:
    if visit.over:
        status = "SUCCEEDED" if visit.outcome == "succeeded" else "CAUGHT_ERROR"
        failure = {} if visit.outcome == "succeeded" else _failure(events)
        members = {"status": status, **failure, "output": visit.output}
        return {**members, "nextState": visit.following}
    # Only the execution's end says how a state failed that has no event for it.
    own = _failure(events)
    if not own and visit.parent is None and end.type in TERMINAL:
        own = _failure([end])
    return {"status": "FAILED", **own}
