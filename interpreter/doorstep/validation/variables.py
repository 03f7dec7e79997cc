"""Which variables each state reads: the `variableReferences` of DescribeStateMachine.

The grammar's tables say where an expression can stand. What AWS was recorded to list (fact 223):
states inside of others by their own names; names in the order of the alphabet; neither `$states`
nor a function of JSONata that is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..asl.dialect import FUNCTIONS
from ..definitions.substitution import has_placeholder
from ..intrinsics import Argument, IntrinsicCall, PathArgument, parse_intrinsic
from ..jsonata.functions import BUILTINS
from ..jsonata.nodes import Reads
from ..jsonata.parser import parse
from ..jsonpath import compile_path
from ..model import JSONATA, JSONPATH, NESTED_RULE, STATES, Field, ObjectType, speaks_jsonata
from .computed import CLOSE, OPEN, is_written_as_expression
from .diagnostics import Location, MachineTraits
from .graph import all_states
from .revisions import found


def variable_references(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return {state: the variables that it reads} of an accepted definition, without empty ones.

    A name that an expression binds itself is no variable of the machine, and neither is one of a
    function, unless a state assigns it.

    Fact 223.
    """
    jsonata = speaks_jsonata(definition)
    others = {"states", *FUNCTIONS, *BUILTINS} - set(_assigned(definition))
    references = {
        name: sorted(
            {*found(definition, _read, state, jsonata)}
            - (others if speaks_jsonata(state, jsonata) else set())
        )
        for name, state, _ in all_states(definition, Location(MachineTraits(jsonata)))
    }
    return {name: names for name, names in references.items() if names}


def _read(state: Mapping[str, Any], jsonata: bool) -> Iterator[str]:
    language = JSONATA if speaks_jsonata(state, jsonata) else JSONPATH
    return _of_object(state, STATES[state["Type"]], language)


def _assigned(value: Any) -> Iterator[str]:
    """Yield the names below every Assign."""
    match value:
        case dict():
            for name, inner in value.items():
                if name == "Assign" and isinstance(inner, dict):
                    yield from (variable.removesuffix(".$") for variable in inner)
                yield from _assigned(inner)
        case list():
            for inner in value:
                yield from _assigned(inner)


def _of_object(value: Mapping[str, Any], object_type: ObjectType, language: str) -> Iterator[str]:
    for name, inner in value.items():
        field = object_type.fields.get(name)
        if field is not None and field.language in (None, language):
            yield from _of_field(inner, field, language)


def _of_field(value: Any, field: Field, language: str) -> Iterator[str]:
    if isinstance(value, str) and has_placeholder(value):
        return
    match field.kind:
        case "object" if field.object_type is not None:
            yield from _of_object(value, field.object_type, language)
        case "list" if field.item is not None:
            for item in value:
                yield from _of_field(item, field.item, language)
        case "rules":
            for rule in value:
                yield from _of_object(rule, NESTED_RULE, language)
        case "rule":
            yield from _of_object(value, NESTED_RULE, language)
        case "template" | "variables":
            yield from _of_template(value, jsonata=language == JSONATA)
        case "path" | "reference" | "text path":
            yield from _of_text(value)
        case _ if field.expression:
            yield from _of_template(value, jsonata=language == JSONATA)


def _of_template(value: Any, *, jsonata: bool, computed: bool = False) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _of_template(inner, jsonata=jsonata, computed=name.endswith(".$"))
        case list():
            for inner in value:
                yield from _of_template(inner, jsonata=jsonata)
        case str() if has_placeholder(value):
            return
        case str() if jsonata and is_written_as_expression(value):
            tree, _ = parse(value[len(OPEN) : -len(CLOSE)].strip())
            yield from (path[0] for path in Reads(tree).paths)
        case str() if computed and not jsonata:
            yield from _of_text(value)


def _of_text(value: str | None) -> Iterator[str]:
    """Yield a path or a call of an intrinsic function."""
    if value is not None:
        yield from _of_argument(PathArgument(value) if value[:1] == "$" else parse_intrinsic(value))


def _of_argument(argument: Argument) -> Iterator[str]:
    match argument:
        case IntrinsicCall(arguments=arguments):
            for inner in arguments:
                yield from _of_argument(inner)
        case PathArgument(text=text):
            # The others are the state's data and the context object.
            if (root := compile_path(text).root) not in ("", "$"):
                yield root
