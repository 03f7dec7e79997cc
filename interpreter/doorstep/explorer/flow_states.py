"""The data flow of a state: what its work is given, what it leaves, which values it reads.

Mirrors `dataflow`, which carries out what is only described here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..model.definition import Clause, State
from ..model.grammar import operator_of
from ..model.state_types import WORKING
from . import flow_jsonata, flow_jsonpath
from .flow import ARRAY, ERROR, MOMENT, NAMED, Fixed, Flow, Key, Made, Put, Read, Want

INPUT, RESULT = Read("input"), Read("result")
_EXAMPLES: dict[str, Any] = {
    "Seconds": 1,
    "Timestamp": MOMENT,
    "TimeoutSeconds": 60,
    "HeartbeatSeconds": 30,
    "MaxConcurrency": 1,
    "ToleratedFailureCount": 1,
    "ToleratedFailurePercentage": 1,
    "Error": "SomeError",
    "Cause": "some cause",
}
"""Fields with one value, in JSONPath states the …Path of it, and what it has to be like."""
_KINDS = {"Numeric": 1, "Boolean": True, "Timestamp": MOMENT}
"""What comparisons look at, by how their names begin; the others at a text."""


@dataclass(frozen=True, slots=True)
class Left:
    """What an exit leaves behind."""

    field: str
    """Begins the names of the fields that say so: empty, `Choices/0/` or `Catch/0/`."""
    output: Flow
    assigned: Mapping[Key, Flow]


def data(state: State) -> Flow:
    """The effective input: what `$` means in the state's fields."""
    chosen = state.fields.get("InputPath", "$")
    if state.jsonata:
        return INPUT
    return Made({}) if chosen is None else flow_jsonpath.path(chosen, INPUT)


def arguments(state: State) -> Flow:
    """What the state's work is given."""
    fields = state.fields
    if state.jsonata:
        return flow_jsonata.value(fields["Arguments"]) if "Arguments" in fields else INPUT
    if "Parameters" in fields and state.type != "Map":
        return flow_jsonpath.template(fields["Parameters"], data(state))
    return data(state)


def items(state: State) -> Flow:
    """The items of a Map."""
    if not state.jsonata:
        return flow_jsonpath.path(state.fields.get("ItemsPath", "$"), data(state))
    return flow_jsonata.value(state.fields["Items"]) if "Items" in state.fields else INPUT


def item(state: State) -> Flow:
    """The input of an iteration; the item itself is read off the context object."""
    if state.selector is None:
        return Read("context", ("Map", "Item", "Value"))
    return payload(state, state.selector)


def payload(state: State, given: Any) -> Flow:
    """What a template of the state gives."""
    if state.jsonata:
        return flow_jsonata.value(given)
    return flow_jsonpath.template(given, data(state))


def result(state: State) -> Flow:
    """What the state's work gives."""
    if state.type in WORKING:
        return RESULT
    return Fixed(state.fields["Result"]) if "Result" in state.fields else arguments(state)


def left(state: State, clause: Clause | None = None) -> Left:
    """Return an exit: by a rule or a catcher; without one by Next, End or Default."""
    if clause is None:
        return _left(state, "", state.fields, result(state))
    field, fields = f"{clause.pointer}/", clause.fields
    if clause.list == "Catch":
        return _left(state, field, fields, ERROR)
    of_state = {key: state.fields[key] for key in ("OutputPath",) if key in state.fields}
    return _left(state, field, {**of_state, **fields}, arguments(state))


def _left(state: State, field: str, fields: Mapping[str, Any], given: Flow) -> Left:
    assigned = fields.get("Assign") or {}
    if state.jsonata:
        output = flow_jsonata.value(fields["Output"], given) if "Output" in fields else given
        kept = {name: flow_jsonata.value(value, given) for name, value in assigned.items()}
        return Left(field, output, kept)
    return Left(field, _onto_raw(fields, given), flow_jsonpath.members(assigned, given))


def _onto_raw(fields: Mapping[str, Any], given: Flow) -> Flow:
    """ResultSelector, ResultPath, OutputPath."""
    selector, place = fields.get("ResultSelector"), fields.get("ResultPath", "$")
    value = given if selector is None else flow_jsonpath.template(selector, given)
    if place is None:
        value = INPUT
    elif place != "$":
        where = flow_jsonpath.path(place, Read("input"))
        value = Put(INPUT, where.keys, value) if isinstance(where, Read) else value
    chosen = fields.get("OutputPath", "$")
    return Made({}) if chosen is None else flow_jsonpath.path(chosen, value)


def reads(state: State) -> Iterator[tuple[str, Want]]:
    """What the state reads, each with the field that does."""
    yield from _single_values(state)
    if state.type == "Map":
        yield from _of_map(state)
    elif state.type != "Fail":
        name = "Arguments" if state.jsonata else "Parameters"
        yield (name if name in state.fields else "InputPath"), Want(arguments(state))
    for rule in state.rules:
        yield from ((rule.pointer, want) for want in compared(state, rule.fields))
    for way in exits(state):
        yield f"{way.field}Output", Want(way.output)
        yield from ((f"{way.field}Assign", Want(flow)) for flow in way.assigned.values())


def _single_values(state: State) -> Iterator[tuple[str, Want]]:
    fields = state.fields
    for name, example in _EXAMPLES.items():
        if state.jsonata and is_expression(fields.get(name)):
            yield name, Want(flow_jsonata.value(fields[name]), example)
        elif not state.jsonata and f"{name}Path" in fields:
            flow = flow_jsonpath.text(fields[f"{name}Path"], data(state))
            yield f"{name}Path", Want(flow, example)


def _of_map(state: State) -> Iterator[tuple[str, Want]]:
    for name, fields in (
        ("ItemReader", state.reader),
        ("ItemBatcher", state.batcher),
        ("ResultWriter", state.writer),
    ):
        if fields:
            yield name, Want(payload(state, fields))
    if not state.reader:
        yield ("Items" if state.jsonata else "ItemsPath"), Want(items(state), ARRAY)
    yield "ItemSelector", Want(item(state))


def exits(state: State) -> Iterator[Left]:
    """All the ways out of a state."""
    if state.type != "Fail":
        yield left(state)
    for clause in (*state.rules, *state.catchers):
        yield left(state, clause)


def compared(state: State, rule: Mapping[str, Any]) -> Iterator[Want]:
    """The values that a rule's condition looks at."""
    if state.jsonata:
        yield Want(flow_jsonata.value(rule["Condition"]))
        return
    for comparison in comparisons(rule):
        kind = (example for name, example in _KINDS.items() if comparison.name.startswith(name))
        example = next(kind, NAMED)
        for path in comparison.paths:
            yield Want(flow_jsonpath.path(path, data(state)), example)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a JSONPath rule: its operator, the other side, the paths that it reads."""

    name: str
    expected: Any
    paths: tuple[str, ...]


def comparisons(rule: Mapping[str, Any]) -> Iterator[Comparison]:
    """The comparisons of a JSONPath rule, those inside And, Or and Not."""
    inner = [*rule.get("And", ()), *rule.get("Or", ()), *([rule["Not"]] if "Not" in rule else [])]
    for one in inner:
        yield from comparisons(one)
    if "Variable" in rule:
        name = operator_of(rule)
        expected = rule[name]
        other = (expected,) if name.endswith("Path") else ()
        yield Comparison(name, expected, (rule["Variable"], *other))
