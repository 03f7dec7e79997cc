"""States that failed over their data: where it came from, what was missing, scripts with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..asl.jsonata_fields import json_type
from ..history import Visit
from ..model import WORKING, State
from ..values.json_values import ABSENT
from . import flow_states
from .findings import INPUT, DataSource, Origin, Script
from .flow import (
    ARRAY,
    MOMENT,
    NAMED,
    PARSED,
    UNKNOWN,
    Example,
    Fixed,
    Flow,
    Key,
    Keys,
    Missing,
    Read,
    Unknown,
    Want,
    at,
    expression,
    wants,
)
from .run import EVENTS, Run, RunStep, Trace

_ENTERED = re.compile(r"\(entered at the event id #(\d+)\)")
_TASKS = ("LambdaFunction", "Activity", "Task")
_KINDS: tuple[Any, ...] = (1, ARRAY, {}, True, MOMENT, "{}", ["a"], [1], "a")
"""Values to try, one of each type that a state can need, when none is missing and it still fails.

Plain types come before texts and arrays of a certain content; a state has a limited number of tries
(see `search.GUESSES`), which is enough for all of them in six places.
"""


@dataclass(frozen=True, slots=True)
class DataFailure:
    """A state that failed over its data."""

    step: RunStep
    cause: str
    location: str = ""
    """The field that failed, where that is known: `Choices/0`."""


@dataclass(frozen=True, slots=True)
class MissingValue:
    """What the state reads, where it comes from, and an example of a value that it needs."""

    read: Flow
    origin: Origin
    example: Any


@dataclass(frozen=True, slots=True)
class ImpossibleRead:
    """A field reads what can't be there on this path; `key` is the first that has no value."""

    field: str
    reads: tuple[str, ...]
    key: Key


def data_failures(run: Run) -> Iterator[DataFailure]:
    """Yield the visits that failed over their data."""
    for trace in run.traces.values():
        if failure := _uncaught(run, trace):
            yield failure
        for visit in trace.visits.all:
            for event in visit.events:
                if event.type == "EvaluationFailed":
                    location = str(event.details.get("location", ""))
                    field = re.sub(r"\[(\d+)\]", r"/\1", location)
                    cause = str(event.details.get("cause"))
                    named = _named(trace, cause) or visit
                    yield DataFailure(RunStep(run, trace, named), cause, field)
            if visit.exited and _caught_silently(run, visit):
                yield DataFailure(RunStep(run, trace, visit), "")


def _uncaught(run: Run, trace: Trace) -> DataFailure | None:
    """Return the failure that ended an execution, unless it has an event of its own."""
    execution = trace.execution
    has_event = execution.error == "States.QueryEvaluationError"
    if execution.status != "FAILED" or has_event or len(execution.events) >= EVENTS:
        return None
    cause = execution.cause or ""
    visit = _named(trace, cause)
    if visit is None and execution.error == "States.Runtime":
        visit = _unfinished(trace)
    return DataFailure(RunStep(run, trace, visit), cause) if visit else None


def _named(trace: Trace, cause: str) -> Visit | None:
    """Return the visit that a cause names by the event of its entry."""
    named = _ENTERED.search(cause)
    entered = int(named[1]) if named else None
    return next((one for one in trace.visits.all if one.entered.id == entered), None)


def _unfinished(trace: Trace) -> Visit | None:
    """Return the latest visit that was not left: a map run's failure does not name its state."""
    return next((one for one in reversed(trace.visits.all) if not one.exited), None)


def _caught_silently(run: Run, visit: Visit) -> bool:
    """Return whether a catcher took a failure without an event: of an intrinsic or a path."""
    state = run.subject.states[visit.name]
    caught = state.catchers and visit.following != state.next
    return bool(caught) and not any(event.failed for event in visit.events)


def missing_values(failure: DataFailure) -> list[MissingValue]:
    """Return the values that were missing, or had the wrong type."""
    missing = []
    for _, want, source in _traced(failure):
        if isinstance(source, Origin):
            value = failure.step.run.script.get(source)
            if value is ABSENT or not _fits(value, want.example):
                missing.append(MissingValue(want.flow, source, example(want.example, source)))
    return missing


def impossible_read(failure: DataFailure) -> ImpossibleRead | None:
    """Return what the state reads that can't be there, if that is why it failed."""
    jsonata = failure.step.state.jsonata
    reads = [
        (field, expression(want.flow, jsonata=jsonata), source.key)
        for field, want, source in _traced(failure)
        if isinstance(source, Missing) and isinstance(want.flow, Read | Missing)
        if _is_at(field, failure.location)
    ]
    if not reads:
        return None
    first, _, key = reads[0]
    texts = dict.fromkeys(read for field, read, _ in reads if field == first)
    return ImpossibleRead(first, tuple(texts), key)


def reads_outside_data(failure: DataFailure) -> bool:
    """Return whether any of what the state reads comes from outside, or is computed."""
    return any(isinstance(source, Origin | Unknown) for _, _, source in _traced(failure))


def repaired(failure: DataFailure) -> Script | None:
    """Return the script with the missing values, if any were missing."""
    missing = missing_values(failure)
    script = failure.step.run.script
    for one in missing:
        script = script.put(one.origin, one.example)
    return script if missing else None


def guesses(failure: DataFailure) -> Iterator[Script]:
    """Yield scripts with values of other types in the place of what the state reads."""
    for _, _, source in _traced(failure):
        if isinstance(source, Origin) and source.keys:
            yield from (failure.step.run.script.put(source, value) for value in _KINDS)


def _traced(failure: DataFailure) -> Iterator[tuple[str, Want, Origin | Flow]]:
    """Yield what the failed state reads, with the field that does and where it comes from."""
    for field, want in _reads(failure.step):
        each: Iterable[int | None] = (None,)
        if field == "ItemSelector":
            each = range(_length(failure.step))
        for index in each:
            yield field, want, origin(failure.step, want.flow, index)


def _length(step: RunStep) -> int:
    """Return how many of a Map's items are traced: two, of which the second is like all others."""
    if step.state.reader:
        return min(2, len(step.run.script.items_of(step.state.name) or ()))
    lengths = [event.details.get("length", 0) for event in step.visit.attempts]
    return min(2, lengths[-1]) if lengths else 0


def _is_at(field: str, location: str) -> bool:
    """Return whether a field is the one that the event names as its location, if it names one."""
    return not location or location.startswith(field) or field.startswith(location)


def example(wanted: Any, origin: Origin) -> Any:
    """Return a value of the wanted type."""
    if wanted is not NAMED:
        return wanted
    names = [key for key in origin.keys if isinstance(key, str)]
    return f"some {names[-1]}" if names else {}


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Example):
        return True
    return json_type(value) == json_type(wanted)


def _reads(step: RunStep) -> Iterator[tuple[str, Want]]:
    """Yield what a state had read when it failed, with the field that does."""
    state, events = step.state, step.visit.events
    worked = state.type not in WORKING or any(e.type.endswith("Succeeded") for e in events)
    failed = any(event.failed and event.type.startswith(_TASKS) for event in events)
    for field, want in flow_states.reads(state):
        if field.startswith("Catch/"):
            read = failed
        elif field.startswith(("Output", "Assign")):
            read = worked and not failed
        else:
            read = not failed and not (worked and field == "ItemSelector")
        if read:
            yield from ((field, inner) for inner in wants(want.flow, want.example))


# Origins ------------------------------------------------------------------------------------------

Traced = Origin | Flow


def origin(step: RunStep, flow: Flow, index: int | None = None) -> Traced:
    """Return where a value that a state reads comes from; `index`: the iteration that reads it.

    A flow that leads to nothing outside of the definition is returned as far as it led.
    """
    here: _Position | Traced = _Position(step.run, step.trace, step.visit, flow, index)
    while isinstance(here, _Position):
        here = here.back(here.flow) if isinstance(here.flow, Read) else here.flow
    return here


@dataclass(frozen=True, slots=True)
class _Position:
    """A flow in the state of a visit; `index`: the iteration that reads it, if one does."""

    run: Run
    trace: Trace
    visit: Visit
    flow: Flow
    index: int | None = None

    def back(self, read: Read) -> _Position | Traced:
        """Follow the flow back by one step."""
        keys = read.keys
        match read.root:
            case "input":
                return self._input(keys)
            case "result":
                return self._result(keys)
            case "error":
                return self._error(keys)
            case "context":
                return self._context(keys)
        return self._variable(read.root[1:], keys)

    @property
    def _state(self) -> State:
        return self._state_of(self.visit)

    def _state_of(self, visit: Visit) -> State:
        return self.run.subject.states[visit.name]

    def _to(self, visit: Visit, flow: Flow, keys: Keys, index: int | None = None) -> _Position:
        return replace(self, visit=visit, flow=at(flow, keys), index=index)

    def _input(self, keys: Keys) -> _Position | Traced:
        if before := self.trace.before(self.visit):
            return self._to(before, self.run.exit_of(before).output, keys)
        around = self.visit.parent
        if around is None:
            return self._execution_input(keys)
        state = self._state_of(around)
        if state.type == "Map":
            return self._to(around, flow_states.item(state), keys, self.visit.index)
        return self._to(around, flow_states.arguments(state), keys)

    def _execution_input(self, keys: Keys) -> _Position | Traced:
        """Follow the execution's input: for a child of a map run, an item or a batch of them."""
        if self.trace.parent is None:
            return Origin(INPUT, keys)
        trace, number = self.trace.parent
        outer = replace(self, trace=trace, visit=trace.started(self.trace))
        state, around = outer._state, outer.visit
        item = flow_states.item(state)
        if state.batcher is None:
            return outer._to(around, item, keys, number)
        match keys:
            case ("Items", int(index), *rest):
                return outer._to(around, item, tuple(rest), index)
            case ("Items", *rest) if rest:  # JSONata reads a member of every item: of the first
                return outer._to(around, item, tuple(rest), 0)
            case ("BatchInput", *rest):
                shared = state.batcher.get("BatchInput", {})
                return outer._to(around, flow_states.payload(state, shared), tuple(rest))
        return UNKNOWN

    def _result(self, keys: Keys) -> _Position | Traced:
        if self._state.type != "Task":
            index, *rest = keys or ("",)
            return self._part(index, tuple(rest)) if isinstance(index, int) else UNKNOWN
        if not self.visit.attempts:
            return UNKNOWN
        number = self.run.answered(self.trace, self.visit)
        return Origin(DataSource("answer", self.visit.name, number), keys)

    def _part(self, index: int, keys: Keys) -> _Position | Traced:
        """Follow the output of a branch or an iteration."""
        if self._state.writer:
            return UNKNOWN
        trace = self.trace
        if children := trace.children_of(self.visit):
            if not 0 <= index < len(children):
                return Missing(index)
            trace = children[index]
            inside = trace.visits.all
        else:
            inside = [one for one in trace.visits.all if self._holds(one, index)]
        if not inside:
            return Missing(index)
        output = self.run.exit_of(inside[-1]).output
        return replace(self, trace=trace)._to(inside[-1], output, keys)

    def _holds(self, one: Visit, index: int) -> bool:
        """Return whether a visit is one of a branch or an iteration."""
        if one.parent is not self.visit:
            return False
        scopes = self._state.scopes
        if self._state.type == "Map":
            return one.index == index
        return 0 <= index < len(scopes) and one.name in scopes[index].states

    def _error(self, keys: Keys) -> _Position | Traced:
        exited = self.visit.exited
        cause = self.trace.visits.cause(exited) if exited else None
        failed = self.trace.visits.of.get(cause.id) if cause else None
        if keys[0] != "Cause" or failed is None or not failed.attempts:
            return Fixed("") if keys[1:] in ((), (PARSED,)) else UNKNOWN
        number = self.run.number(self.trace, failed)
        return Origin(DataSource("cause", failed.name, number), keys[1:])

    def _context(self, keys: Keys) -> _Position | Traced:
        match keys:
            case ("Execution", "Input", *rest):
                return self._execution_input(tuple(rest))
            case ("Map", "Item", "Value", *rest):
                return self._item(tuple(rest))
        return UNKNOWN

    def _item(self, keys: Keys) -> _Position | Traced:
        around, index = self.visit, self.index
        while index is None:
            if around.parent is None:
                return UNKNOWN
            index = around.index if self._state_of(around.parent).type == "Map" else None
            around = around.parent
        state = self._state_of(around)
        whole: tuple[Key, ...] = (index, *keys)
        if state.reader:
            return Origin(DataSource("items", state.name), whole)
        return self._to(around, flow_states.items(state), whole)

    def _variable(self, name: str, keys: Keys) -> _Position | Traced:
        one: Visit | None = self.visit
        while one:
            before = self.trace.before(one)
            one = before or one.parent
            if before and name in before.assigned:
                return self._to(before, self.run.exit_of(before).assigned.get(name, UNKNOWN), keys)
        return Missing(name)
