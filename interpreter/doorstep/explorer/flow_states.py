"""The data flow of a state: the input of its work, its output and variables, and what it reads.

Mirrors `asl.data_flow`, which carries out what is only described here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..intrinsics import IntrinsicCall, LiteralArgument, PathArgument, parse_intrinsic
from ..jsonpath.grammar import Descent, Elements, Members, parse
from ..model import WORKING, Clause, State, operator_of
from . import flow_jsonata
from .flow import (
    ARRAY,
    ERROR,
    MOMENT,
    NAMED,
    PARSED,
    TEXT,
    Fixed,
    Flow,
    Key,
    Keys,
    Made,
    Missing,
    Put,
    Read,
    Unknown,
    Want,
    at,
)

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
"""Fields with one value, in JSONPath states their …Path, and a valid value."""
_KINDS = {"Numeric": 1, "Boolean": True, "Timestamp": MOMENT}
"""What comparisons compare, by how their names begin; all others compare texts."""


@dataclass(frozen=True, slots=True)
class ExitFlow:
    """The output and the variables of a state that is left in one way."""

    field: str
    """Begins the names of the fields that define them: empty, `Choices/0/` or `Catch/0/`."""
    output: Flow
    assigned: Mapping[Key, Flow]


def data(state: State) -> Flow:
    """Return the effective input: what `$` means in the state's fields."""
    chosen = state.fields.get("InputPath", "$")
    if state.jsonata:
        return INPUT
    return Made({}) if chosen is None else path(chosen, INPUT)


def arguments(state: State) -> Flow:
    """Return the input of the state's work."""
    fields = state.fields
    if state.jsonata:
        return flow_jsonata.value(fields["Arguments"]) if "Arguments" in fields else INPUT
    if "Parameters" in fields and state.type != "Map":
        return template(fields["Parameters"], data(state))
    return data(state)


def items(state: State) -> Flow:
    """Return the items of a Map."""
    if not state.jsonata:
        return path(state.fields.get("ItemsPath", "$"), data(state))
    return flow_jsonata.value(state.fields["Items"]) if "Items" in state.fields else INPUT


def item(state: State) -> Flow:
    """Return the input of an iteration; the item itself is read off the context object."""
    if state.selector is None:
        return Read("context", ("Map", "Item", "Value"))
    return payload(state, state.selector)


def payload(state: State, fields: Any) -> Flow:
    """Return what a template of the state evaluates to."""
    return flow_jsonata.value(fields) if state.jsonata else template(fields, data(state))


def result(state: State) -> Flow:
    """Return the result of the state's work."""
    if state.type in WORKING:
        return RESULT
    return Fixed(state.fields["Result"]) if "Result" in state.fields else arguments(state)


def exit_by(state: State, clause: Clause | None = None) -> ExitFlow:
    """Return an exit: by a rule or a catcher; without one by Next, End or Default."""
    if clause is None:
        return _exit(state, "", state.fields, result(state))
    field, fields = f"{clause.pointer}/", clause.fields
    if clause.list == "Catch":
        return _exit(state, field, fields, ERROR)
    of_state = {key: state.fields[key] for key in ("OutputPath",) if key in state.fields}
    return _exit(state, field, {**of_state, **fields}, arguments(state))


def _exit(state: State, field: str, fields: Mapping[str, Any], result: Flow) -> ExitFlow:
    assign = fields.get("Assign") or {}
    if state.jsonata:
        output = flow_jsonata.value(fields["Output"], result) if "Output" in fields else result
        assigned = {name: flow_jsonata.value(value, result) for name, value in assign.items()}
        return ExitFlow(field, output, assigned)
    return ExitFlow(field, _jsonpath_output(fields, result), members(assign, result))


def _jsonpath_output(fields: Mapping[str, Any], result: Flow) -> Flow:
    """Apply ResultSelector, ResultPath and OutputPath."""
    selector, result_path = fields.get("ResultSelector"), fields.get("ResultPath", "$")
    value = result if selector is None else template(selector, result)
    if result_path is None:
        value = INPUT
    elif result_path != "$":
        where = path(result_path, INPUT)
        value = Put(INPUT, where.keys, value) if isinstance(where, Read) else value
    chosen = fields.get("OutputPath", "$")
    return Made({}) if chosen is None else path(chosen, value)


def reads(state: State) -> Iterator[tuple[str, Want]]:
    """Yield what the state reads, each with the field that does."""
    yield from _single_values(state)
    if state.type == "Map":
        yield from _of_map(state)
    elif state.type != "Fail":
        name = "Arguments" if state.jsonata else "Parameters"
        yield (name if name in state.fields else "InputPath"), Want(arguments(state))
    for rule in state.rules:
        yield from ((rule.pointer, want) for want in compared(state, rule.fields))
    for one in exits(state):
        yield f"{one.field}Output", Want(one.output)
        yield from ((f"{one.field}Assign", Want(flow)) for flow in one.assigned.values())


def _single_values(state: State) -> Iterator[tuple[str, Want]]:
    fields = state.fields
    for name, example in _EXAMPLES.items():
        if state.jsonata and is_expression(fields.get(name)):
            yield name, Want(flow_jsonata.value(fields[name]), example)
        elif not state.jsonata and f"{name}Path" in fields:
            flow = text(fields[f"{name}Path"], data(state))
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


def exits(state: State) -> Iterator[ExitFlow]:
    """Yield all exits of a state."""
    if state.type != "Fail":
        yield exit_by(state)
    for clause in (*state.rules, *state.catchers):
        yield exit_by(state, clause)


def compared(state: State, rule: Mapping[str, Any]) -> Iterator[Want]:
    """Yield the values that a rule's condition compares."""
    if state.jsonata:
        yield Want(flow_jsonata.value(rule["Condition"]))
        return
    for comparison in comparisons(rule):
        kind = (example for name, example in _KINDS.items() if comparison.name.startswith(name))
        example = next(kind, NAMED)
        for compared_path in comparison.paths:
            yield Want(path(compared_path, data(state)), example)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a JSONPath rule: its operator, the other side, the paths that it reads."""

    name: str
    expected: Any
    paths: tuple[str, ...]


def comparisons(rule: Mapping[str, Any]) -> Iterator[Comparison]:
    """Yield the comparisons of a JSONPath rule, those inside And, Or and Not too."""
    inner = [*rule.get("And", ()), *rule.get("Or", ()), *([rule["Not"]] if "Not" in rule else [])]
    for one in inner:
        yield from comparisons(one)
    if "Variable" in rule:
        name = operator_of(rule)
        expected = rule[name]
        other = (expected,) if name.endswith("Path") else ()
        yield Comparison(name, expected, (rule["Variable"], *other))


# JSONPath -----------------------------------------------------------------------------------------

_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "States.StringToJson": ("{}",),
    "States.ArrayPartition": (ARRAY, 1),
    "States.ArrayContains": (ARRAY,),
    "States.ArrayRange": (1, 2, 1),
    "States.ArrayGetItem": (ARRAY, 0),
    "States.ArrayLength": (ARRAY,),
    "States.ArrayUnique": (ARRAY,),
    "States.Base64Decode": ("YQ==",),
    "States.Hash": (NAMED, "SHA-256"),
    "States.JsonMerge": ({}, {}),
    "States.MathRandom": (1, 2),
    "States.MathAdd": (1, 1),
    "States.StringSplit": ("a,b", ","),
}
"""Valid arguments of the functions; a text for all others."""


def path(text: str, data: Flow) -> Flow:
    """Return the flow of a path, `data` being what `$` means."""
    root, keys, whole = _parsed_path(text)
    roots = {"": data, "$": Read("context")}
    flow = at(roots.get(root, Read(f"${root}")), keys)
    return flow if whole or isinstance(flow, Missing) else Unknown((Want(flow, ARRAY),))


@lru_cache(maxsize=4096)
def _parsed_path(text: str) -> tuple[str, Keys, bool]:
    """Return root, keys as far as they are names and indexes, and whether that is all of it."""
    root, steps = parse(text)
    keys: list[str | int] = []
    for step in steps:
        match step:
            case Members((name,)):
                keys.append(name)
            case Elements((index,)):
                keys.append(index)
            case Descent():
                return root, tuple(keys[:-1]), False
            case _:
                return root, tuple(keys), False
    return root, tuple(keys), True


def text(value: str, data: Flow) -> Flow:
    """Return the flow of a member `….$`: a path's value or an intrinsic call's."""
    return path(value, data) if value.startswith("$") else _call(parse_intrinsic(value), data)


def template(value: Any, data: Flow) -> Flow:
    """Return the flow of a payload template."""
    if isinstance(value, dict):
        return Made(members(value, data))
    if isinstance(value, list):
        return Made({index: template(item, data) for index, item in enumerate(value)})
    return Fixed(value)


def members(fields: Mapping[str, Any], data: Flow) -> dict[Key, Flow]:
    """Return the flows of a template's members; those named `….$` are evaluated."""
    return {name.removesuffix(".$"): _member(name, v, data) for name, v in fields.items()}


def _member(name: str, value: Any, data: Flow) -> Flow:
    evaluated = name.endswith(".$") and isinstance(value, str)
    return text(value, data) if evaluated else template(value, data)


def _call(call: IntrinsicCall, data: Flow) -> Flow:
    arguments = [_argument(argument, data) for argument in call.arguments]
    match call.name, arguments:
        case "States.StringToJson", [Read() as read]:
            return at(read, (PARSED,))
        case "States.JsonToString", [Read() as read]:
            return at(read, (TEXT,))
        case "States.Array", _:
            return Made(dict(enumerate(arguments)))
        case "States.ArrayGetItem", [Read() as read, Fixed(int(index))]:
            return at(read, (index,))
        case "States.StringSplit", [text, Fixed(str(separator))]:
            return Unknown((Want(text, separator.join("abcd")),))
    examples = _ARGUMENTS.get(call.name, ())
    padded = [*examples, *[NAMED] * len(arguments)]
    return Unknown(tuple(map(Want, arguments, padded)))


def _argument(argument: LiteralArgument | PathArgument | IntrinsicCall, data: Flow) -> Flow:
    match argument:
        case LiteralArgument(value):
            return Fixed(value)
        case PathArgument(value):
            return path(value, data)
        case IntrinsicCall():
            return _call(argument, data)
