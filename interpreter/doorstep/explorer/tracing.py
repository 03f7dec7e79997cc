"""From a value that a state read back to where it came from: the input, an answer, an item."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..history import Visit
from ..model.definition import State
from . import flow_states
from .flow import PARSED, UNKNOWN, Fixed, Flow, Key, Keys, Missing, Read, at
from .run import Run, Seen, Trace
from .script import INPUT, Origin, Source

Found = Origin | Flow


def origin(seen: Seen, flow: Flow, index: int | None = None) -> Found:
    """Where a value that a state reads comes from; `index`: of the iteration that it is for.

    A flow that leads to nothing outside of the definition is given back as far as it led.
    """
    step: _Spot | Found = _Spot(seen.run, seen.trace, seen.visit, flow, index)
    while isinstance(step, _Spot):
        step = step.back(step.flow) if isinstance(step.flow, Read) else step.flow
    return step


@dataclass(frozen=True, slots=True)
class _Spot:
    """A flow of the state of a visit; `index`: of the iteration that it is for, if for one."""

    run: Run
    trace: Trace
    visit: Visit
    flow: Flow
    index: int | None = None

    def back(self, read: Read) -> _Spot | Found:
        """One step."""
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

    def _to(self, visit: Visit, flow: Flow, keys: Keys, index: int | None = None) -> _Spot:
        return replace(self, visit=visit, flow=at(flow, keys), index=index)

    def _input(self, keys: Keys) -> _Spot | Found:
        if before := self.trace.before(self.visit):
            return self._to(before, self.run.left(before).output, keys)
        around = self.visit.parent
        if around is None:
            return self._given(keys)
        state = self._state_of(around)
        if state.type == "Map":
            return self._to(around, flow_states.item(state), keys, self.visit.index)
        return self._to(around, flow_states.arguments(state), keys)

    def _given(self, keys: Keys) -> _Spot | Found:
        """The execution's own input: for a child of a map run, an item or a batch of them."""
        if self.trace.parent is None:
            return Origin(INPUT, keys)
        trace, number = self.trace.parent
        outer = replace(self, trace=trace, visit=trace.started(self.trace))
        state, around = outer._state, outer.visit
        item = flow_states.item(state)
        if not state.batcher:
            return outer._to(around, item, keys, number)
        match keys:
            case ("Items", int(index), *rest):
                return outer._to(around, item, tuple(rest), index)
            case ("Items", *rest) if rest:  # JSONata reads a member of every item
                return outer._to(around, item, tuple(rest), 0)
            case ("BatchInput", *rest):
                shared = state.batcher.get("BatchInput", {})
                return outer._to(around, flow_states.payload(state, shared), tuple(rest))
        return UNKNOWN

    def _result(self, keys: Keys) -> _Spot | Found:
        if self._state.type != "Task":
            index, *rest = keys or ("",)
            return self._part(index, tuple(rest)) if isinstance(index, int) else UNKNOWN
        if not self.visit.attempts:
            return UNKNOWN
        number = self.run.answered(self.trace, self.visit)
        return Origin(Source("answer", self.visit.name, number), keys)

    def _part(self, index: int, keys: Keys) -> _Spot | Found:
        """What a branch or an iteration gave."""
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
        output = self.run.left(inside[-1]).output
        return replace(self, trace=trace)._to(inside[-1], output, keys)

    def _holds(self, one: Visit, index: int) -> bool:
        """Whether a visit is one of a branch or an iteration."""
        if one.parent is not self.visit:
            return False
        scopes = self._state.scopes
        if self._state.type == "Map":
            return one.index == index
        return 0 <= index < len(scopes) and one.name in scopes[index].states

    def _error(self, keys: Keys) -> _Spot | Found:
        exited = self.visit.exited
        cause = self.trace.visits.cause(exited) if exited else None
        failed = self.trace.by_event.get(cause.id) if cause else None
        if keys[0] != "Cause" or failed is None or not failed.attempts:
            return Fixed("") if keys[1:] in ((), (PARSED,)) else UNKNOWN
        number = self.run.number(self.trace, failed)
        return Origin(Source("cause", failed.name, number), keys[1:])

    def _context(self, keys: Keys) -> _Spot | Found:
        match keys:
            case ("Execution", "Input", *rest):
                return self._given(tuple(rest))
            case ("Map", "Item", "Value", *rest):
                return self._item(tuple(rest))
        return UNKNOWN

    def _item(self, keys: Keys) -> _Spot | Found:
        around, index = self.visit, self.index
        while index is None:
            if around.parent is None:
                return UNKNOWN
            index = around.index if self._state_of(around.parent).type == "Map" else None
            around = around.parent
        state = self._state_of(around)
        whole: tuple[Key, ...] = (index, *keys)
        if state.reader:
            return Origin(Source("items", state.name), whole)
        return self._to(around, flow_states.items(state), whole)

    def _variable(self, name: str, keys: Keys) -> _Spot | Found:
        one: Visit | None = self.visit
        while one:
            before = self.trace.before(one)
            one = before or one.parent
            if before and name in before.assigned:
                return self._to(before, self.run.left(before).assigned.get(name, UNKNOWN), keys)
        return Missing(name)
