"""From a value that a state read back to where it came from: the input, an answer, an item."""

from __future__ import annotations

from dataclasses import dataclass

from ..definition import State
from ..passages import Passage
from . import flow_states
from .flow import PARSED, UNKNOWN, Fixed, Flow, Key, Keys, Missing, Read, at
from .run import Run, Seen, Trace
from .script import INPUT, Origin, Source


@dataclass(frozen=True, slots=True)
class Spot:
    """A flow of the state of a passage; `index`: of the iteration that it is for, if for one."""

    seen: Seen
    flow: Flow
    index: int | None = None


Found = Origin | Flow


def origin(seen: Seen, flow: Flow, index: int | None = None) -> Found:
    """Where a value that a state reads comes from; `index`: of the iteration that it is for.

    A flow that leads to nothing outside of the definition is given back as far as it led.
    """
    step: Spot | Found = Spot(seen, flow, index)
    while isinstance(step, Spot):
        if not isinstance(step.flow, Read):
            return step.flow
        one = step.seen
        step = _Tracer(one.run, one.trace, one.passage, step.index).back(step.flow)
    return step


@dataclass(frozen=True, slots=True)
class _Tracer:
    """One step back from a passage."""

    run: Run
    trace: Trace
    passage: Passage
    index: int | None

    def back(self, read: Read) -> Spot | Found:
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

    def _state(self, passage: Passage) -> State:
        return self.run.subject.states[passage.name]

    def _at(
        self, passage: Passage, flow: Flow, keys: Keys, index: int | None = None
    ) -> Spot | Found:
        return self._spot(self.trace, passage, at(flow, keys), index)

    def _spot(self, trace: Trace, passage: Passage, flow: Flow, index: int | None = None) -> Spot:
        return Spot(Seen(self.run, trace, passage), flow, index)

    def _output(self, passage: Passage, keys: Keys) -> Spot | Found:
        return self._at(passage, self.run.left(passage).output, keys)

    def _input(self, keys: Keys) -> Spot | Found:
        if before := self.trace.before(self.passage):
            return self._output(before, keys)
        around = self.passage.around
        if around is None:
            return self._given(keys)
        state = self._state(around)
        if state.type == "Map":
            return self._at(around, flow_states.item(state), keys, self.passage.visit.index)
        return self._at(around, flow_states.arguments(state), keys)

    def _given(self, keys: Keys) -> Spot | Found:
        """The execution's own input: for a child of a map run, an item or a batch of them."""
        if self.trace.parent is None:
            return Origin(INPUT, keys)
        trace, number = self.trace.parent
        around = trace.started(self.trace)
        state = self._state(around)
        if "ItemBatcher" not in state.fields:
            return self._spot(trace, around, at(flow_states.item(state), keys), number)
        match keys:
            case ("Items", int(index), *rest):
                return self._spot(trace, around, at(flow_states.item(state), tuple(rest)), index)
            case ("Items", *rest) if rest:  # JSONata reads a member of every item
                return self._spot(trace, around, at(flow_states.item(state), tuple(rest)), 0)
            case ("BatchInput", *rest):
                shared = state.fields["ItemBatcher"].get("BatchInput", {})
                return self._spot(
                    trace, around, at(flow_states.payload(state, shared), tuple(rest))
                )
        return UNKNOWN

    def _result(self, keys: Keys) -> Spot | Found:
        state = self._state(self.passage)
        if state.type != "Task":
            index, *rest = keys or ("",)
            return self._part(state, index, tuple(rest)) if isinstance(index, int) else UNKNOWN
        if not self.passage.attempts:
            return UNKNOWN
        number = self.run.answered(self.trace, self.passage)
        return Origin(Source("answer", state.name, number), keys)

    def _part(self, state: State, index: int, keys: Keys) -> Spot | Found:
        """What a branch or an iteration gave."""
        if "ResultWriter" in state.fields:
            return UNKNOWN
        trace = self.trace
        if children := trace.children_of(self.passage):
            if not 0 <= index < len(children):
                return Missing(index)
            trace = children[index]
            inside = trace.passages.all
        else:
            inside = [one for one in trace.passages.all if self._stands_in(one, state, index)]
        if not inside:
            return Missing(index)
        return self._spot(trace, inside[-1], at(self.run.left(inside[-1]).output, keys))

    def _stands_in(self, one: Passage, state: State, index: int) -> bool:
        if one.around is not self.passage:
            return False
        if state.type == "Map":
            return one.visit.index == index
        return 0 <= index < len(state.scopes) and one.name in state.scopes[index].states

    def _error(self, keys: Keys) -> Spot | Found:
        exited = self.passage.left
        cause = self.trace.passages.cause(exited) if exited else None
        failed = self.trace.by_event.get(cause.id) if cause else None
        if keys[0] != "Cause" or failed is None or not failed.attempts:
            return Fixed("") if keys[1:] in ((), (PARSED,)) else UNKNOWN
        number = self.run.number(self.trace, failed)
        return Origin(Source("cause", failed.name, number), keys[1:])

    def _context(self, keys: Keys) -> Spot | Found:
        match keys:
            case ("Execution", "Input", *rest):
                return self._given(tuple(rest))
            case ("Map", "Item", "Value", *rest):
                return self._item(tuple(rest))
        return UNKNOWN

    def _item(self, keys: Keys) -> Spot | Found:
        around, index = self.passage, self.index
        while index is None:
            if around.around is None:
                return UNKNOWN
            index = around.visit.index if self._state(around.around).type == "Map" else None
            around = around.around
        state = self._state(around)
        whole: tuple[Key, ...] = (index, *keys)
        if "ItemReader" in state.fields:
            return Origin(Source("items", state.name), whole)
        return self._at(around, flow_states.items(state), whole)

    def _variable(self, name: str, keys: Keys) -> Spot | Found:
        one: Passage | None = self.passage
        while one:
            before = self.trace.before(one)
            one = before or one.around
            if before and name in before.assigned:
                return self._at(before, self.run.left(before).assigned.get(name, UNKNOWN), keys)
        return Missing(name)
