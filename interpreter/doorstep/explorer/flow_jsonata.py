"""The data flow of JSONata expressions, read off our own syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from ..asl.dialect import FUNCTIONS
from ..asl.jsonata_fields import is_expression
from ..jsonata.functions import BUILTINS
from ..jsonata.nodes import (
    Array,
    Binary,
    Block,
    Call,
    Condition,
    Filter,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Path,
    Variable,
)
from ..jsonata.parser import parse
from ..values.json_values import dumps
from .flow import (
    ARRAY,
    ERROR,
    MOMENT,
    NAMED,
    PARSED,
    UNKNOWN,
    Fixed,
    Flow,
    Key,
    Made,
    Put,
    Read,
    Unknown,
    Want,
    at,
)

_STATES: Flow = Made(
    {
        "input": Read("input"),
        "result": Read("result"),
        "errorOutput": ERROR,
        "context": Read("context"),
    }
)
_NOTHING = Literal(0, None)
_ITEM = "item"
"""The root of what is read of the item that a step of a path goes through."""
_ARITHMETIC = ("+", "-", "*", "/", "%", "..")
_ORDERS = ("<", "<=", ">", ">=", "=", "!=")
_LETTERS: dict[str, Any] = {"n": 1, "b": True, "a": ARRAY, "o": {}, "an": [1], "as": ["a"]}
"""Examples by the letters of a function's signature."""
_ARGUMENTS: dict[str, Any] = {"not": True, "boolean": True, "toMillis": MOMENT, "parse": "{}"}
"""Examples for functions whose signature says less than they need."""


@dataclass(frozen=True, slots=True)
class Query:
    """The flow of an expression, its constants, and the names that its predicates compare."""

    flow: Flow
    literals: tuple[Any, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=4096)
def query(text: str) -> Query:
    """Return the query of an expression as it stands in a definition, between {% and %}."""
    tree, bound = parse(text[2:-2].strip())
    literals = {dumps(node.value): node.value for node in _nodes(tree) if isinstance(node, Literal)}
    stages = (stage for node in _nodes(tree) for stage in (*node.stages, *node.predicates))
    inside = (n for s in stages if isinstance(s, Filter) for n in _nodes(s.expression))
    names = dict.fromkeys(node.value for node in inside if isinstance(node, Name))
    local = {_ITEM} | {f"${name}" for name in (*bound, *FUNCTIONS, *BUILTINS)}
    flow = _replaced(_flow(tree, NAMED), lambda read: UNKNOWN if read.root in local else read)
    return Query(flow, tuple(literals.values()), tuple(names))


def value(field: Any, result: Flow | None = None) -> Flow:
    """Return the flow of a field with expressions at any depth; `result` is $states.result."""
    if is_expression(field):
        flow = query(field).flow
        return flow if result is None else _replaced(flow, lambda read: _of(result, read))
    if isinstance(field, dict):
        return Made({name: value(inner, result) for name, inner in field.items()})
    if isinstance(field, list):
        return Made({index: value(inner, result) for index, inner in enumerate(field)})
    return Fixed(field)


def _of(result: Flow, read: Read) -> Flow:
    return at(result, read.keys) if read.root == "result" else read


def _replaced(flow: Flow, by: Callable[[Read], Flow]) -> Flow:
    """Return a flow with other flows in the place of what it reads."""
    match flow:
        case Read():
            return by(flow)
        case Made(members):
            return Made({key: _replaced(member, by) for key, member in members.items()})
        case Put(onto, keys, inner):
            return Put(_replaced(onto, by), keys, _replaced(inner, by))
        case Unknown(wants):
            return Unknown(tuple(Want(_replaced(w.flow, by), w.example) for w in wants))
    return flow


def _flow(node: Node, example: Any) -> Flow:
    """Return the flow of a node; `example`: a value of the type that it has to have."""
    match node:
        case Literal(value=constant):
            return Fixed(constant)
        case Variable() | Name() | Path() if (read := _read(node)) is not None:
            return read if example is NAMED else Unknown((Want(read, example),))
        case Object(pairs=pairs):
            named = [(key.value, inner) for key, inner in pairs if isinstance(key, Literal)]
            if len(named) == len(pairs):
                return Made({name: _flow(inner, NAMED) for name, inner in named})
        case Array(items=items):
            return Made({index: _flow(item, NAMED) for index, item in enumerate(items)})
        case Block(expressions=[only]):
            return _flow(only, example)
        case Call(procedure=Variable(name="merge"), arguments=[Array(items=[first, *rest])]):
            return _merged(first, rest)
        case Call(procedure=Variable(name="parse"), arguments=[argument]):
            text = _flow(argument, NAMED)
            parsed = Unknown((Want(text, "{}"),))
            return at(text, (PARSED,)) if isinstance(text, Read) else parsed
    return Unknown(tuple(_wants(node)))


def _read(node: Node) -> Flow | None:
    """Return the flow of a path of names and constant indexes; None for any other node.

    It begins at a variable, a parsed text or the item that a path goes through.
    """
    first, *rest = node.steps if isinstance(node, Path) else [node]
    keys: list[Key] = list(_indexes(first))
    match first:
        case Variable(name="$"):
            return None
        case Variable(name=name):
            start = _STATES if name == "states" else Read(f"${name}" if name else _ITEM)
        case Call(procedure=Variable(name="parse")) if rest:
            start = _flow(first, NAMED)
        case Name(value=name):
            start, keys = Read(_ITEM), [name, *keys]
        case _:
            return None
    for step in rest:
        if not isinstance(step, Name):
            return None
        keys += [step.value, *_indexes(step)]
    return None if None in keys else at(start, tuple(keys))


def _indexes(node: Node) -> Iterator[Any]:
    """Yield constant indexes as keys; any other predicate as None, which is no key."""
    for stage in (*node.predicates, *node.stages):
        match stage:
            case Filter(expression=Literal(value=int(index))):
                yield index
            case _:
                yield None


def _merged(first: Node, rest: list[Node]) -> Flow:
    flow = _flow(first, NAMED)
    for node in rest:
        other = _flow(node, NAMED)
        if not isinstance(other, Made):
            return Unknown((Want(flow, {}), Want(other, {})))
        for key, member in other.members.items():
            flow = Put(flow, (key,), member)
    return flow


def _wants(node: Node) -> Iterator[Want]:
    """Yield what a computed value is computed from."""
    match node:
        case Binary(operator=operator, left=left, right=right):
            example = _operand(operator, left, right)
            yield from (Want(_flow(left, example)), Want(_flow(right, example)))
        case Negate(operand=operand):
            yield Want(_flow(operand, 1))
        case Condition(test=test, then=then, otherwise=otherwise):
            yield Want(_flow(test, True))
            yield from (Want(_flow(part, NAMED)) for part in (then, otherwise) if part)
        case Call(procedure=Variable(name=name), arguments=arguments):
            examples = [*_examples(name), *[NAMED] * len(arguments)]
            yield from map(Want, map(_flow, arguments, examples))
        case Path() if (mapped := _items(node)) is not None:
            items, step = mapped
            yield Want(items, ARRAY)
            yield Want(_replaced(_flow(step, NAMED), lambda read: _of_item(items, read)))
        case Lambda():
            return
        case _:
            yield from (Want(_flow(inner, NAMED)) for inner in _inside(node))


def _items(path: Path) -> tuple[Flow, Node] | None:
    """Return what a path goes through item by item, and the first step that is not a plain name."""
    for length in range(len(path.steps) - 1, 0, -1):
        part = Path(path.position, path.steps[:length])
        if (read := _read(part)) is not None:
            step = path.steps[length]
            if not isinstance(step, Name):
                return read, step
            return at(read, (step.value,)), (*path.steps[length + 1 :], _NOTHING)[0]
    return None


def _of_item(items: Flow, read: Read) -> Flow:
    return at(items, (0, *read.keys)) if read.root == _ITEM else read


def _operand(operator: str, left: Node, right: Node) -> Any:
    """Return an example of the operands that an operator needs."""
    if operator in _ARITHMETIC:
        return 1
    if operator in ("and", "or"):
        return True
    constant = next((side for side in (left, right) if isinstance(side, Literal)), None)
    return constant.value if operator in _ORDERS and constant else NAMED


def _examples(function: str) -> list[Any]:
    """Return examples of the arguments that a function needs."""
    if function in _ARGUMENTS:
        return [_ARGUMENTS[function]]
    if function not in BUILTINS:
        return []
    parameters = BUILTINS[function].signature.parameters
    return [
        _LETTERS.get(p.type + (p.subtype or ""), _LETTERS.get(p.type, NAMED)) for p in parameters
    ]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for inner in _inside(node):
        yield from _nodes(inner)


def _inside(thing: Any) -> Iterator[Node]:
    """Yield the nodes right inside a node, in whatever collection they are."""
    for field in fields(thing):
        waiting = [getattr(thing, field.name)]
        while waiting:
            member = waiting.pop(0)
            if isinstance(member, Node):
                yield member
            elif isinstance(member, list | tuple):
                waiting += member
            elif isinstance(member, Filter):
                waiting.append(member.expression)
