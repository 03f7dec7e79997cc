"""JSON schemas for editors without a language server, generated from the tables that validate.

https://json-schema.org/draft/2020-12/schema
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from doorstep.model import (
    COMPARATORS,
    JSONATA,
    JSONPATH,
    MACHINE,
    NESTED_RULE,
    SELECTORS,
    STATES,
    Field,
    ObjectType,
)
from doorstep.validation.graph import MAX_STATE_NAME

from .gists import FIELDS

Schema = dict[str, Any]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = {"type": "string", "pattern": r"^\{%[\s\S]*%\}$"}
_TEMPLATE = {
    "if": {"type": "string", "pattern": r"^\{%|%\}$"},
    "then": _EXPRESSION,
    "additionalProperties": {"$ref": "#/$defs/Template"},
    "items": {"$ref": "#/$defs/Template"},
}
"""A value with expressions in it: what begins or ends as one is one."""
_ARN = {"Resource": {"pattern": r"^arn:|\$\{[^${}\s]+\}"}}
"""An ARN, or what a deployment makes one; of Task, ItemReader and ResultWriter."""
_TEXTS = ("string", "timestamp", "path", "reference", "result path", "text path")


def schema_of(kind: str) -> Schema:
    """Return the schema of `asl`, `suite`, `mocks` or `settings`; KeyError for another kind."""
    return KINDS[kind]()


def asl() -> Schema:
    """Return the schema of a definition, in both query languages."""
    definitions: dict[str, Schema] = {"State": _by_language(), "Template": _TEMPLATE}
    for language in (JSONPATH, JSONATA):
        definitions[f"{language}State"] = _any_state(language)
        definitions[f"{language}Rule"] = _object(NESTED_RULE, language)
        for name, table in STATES.items():
            definitions[f"{language}{name}"] = _object(table, language)
    machine = _object(MACHINE, JSONPATH)
    machine["properties"]["States"] = {"type": "object", **_described("States")}
    return {
        "$schema": _DRAFT,
        "title": "Amazon States Language",
        **machine,
        "if": _has("QueryLanguage", JSONATA),
        "then": {"properties": {"States": _states(f"{JSONATA}State")}},
        "else": {"properties": {"States": _states("State")}},
        "$defs": definitions,
    }


def _by_language() -> Schema:
    return {
        "if": _has("QueryLanguage", JSONATA),
        "then": _ref(f"{JSONATA}State"),
        "else": _ref(f"{JSONPATH}State"),
    }


def _any_state(language: str) -> Schema:
    cases = [{"if": _has("Type", name), "then": _ref(f"{language}{name}")} for name in STATES]
    return {
        "type": "object",
        "required": ["Type"],
        "properties": {"Type": {"enum": [*STATES], "description": FIELDS["Type"]}},
        "allOf": cases,
    }


def _has(name: str, value: str) -> Schema:
    return {"required": [name], "properties": {name: {"const": value}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _states(state: str) -> Schema:
    names = {"maxLength": MAX_STATE_NAME}
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": names,
        "additionalProperties": _ref(state),
    }


def _object(table: ObjectType, language: str) -> Schema:
    fields = {
        name: field for name, field in table.fields.items() if field.language in (None, language)
    }
    properties = {
        name: {**_described(name), **_field(field, language), **_ARN.get(name, {})}
        for name, field in fields.items()
    }
    required = [name for name in table.required if name in fields]
    rules = [*_exclusive(table, fields), *_choice(table, fields)]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        **({"allOf": rules} if rules else {}),
        "additionalProperties": False,
    }


def _exclusive(table: ObjectType, fields: Collection[str]) -> Iterator[Schema]:
    """Yield what is said of fields of which there may be one; false is as good as none."""
    for group in table.exclusive:
        present: list[Schema] = [
            {"required": [name], "not": {"properties": {name: {"const": False}}}}
            for name in group.names
            if name in fields
        ]
        if group.needed and present:
            yield {"oneOf": present}
        else:
            yield from ({"not": {"allOf": [*pair]}} for pair in combinations(present, 2))


def _choice(table: ObjectType, fields: Collection[str]) -> Iterator[Schema]:
    """Yield what is said of a choice rule: it has one way to choose, and compares once."""
    if "Variable" in fields:
        yield _one_of(name for name in SELECTORS if name in fields)
        yield {"if": {"required": ["Variable"]}, "then": _one_of(COMPARATORS)}


def _one_of(names: Iterable[str]) -> Schema:
    return {"oneOf": [{"required": [name]} for name in names]}


def _described(name: str) -> Schema:
    return {"description": FIELDS[name]} if name in FIELDS else {}


def _field(field: Field, language: str) -> Schema:
    own = _value(field, language)
    if field.expression and language == JSONATA and own.get("type") != "string":
        return {"anyOf": [own, _EXPRESSION]}
    return own


def _value(field: Field, language: str) -> Schema:
    match field.kind:
        case "boolean":
            return {"type": "boolean"}
        case "integer" | "number" as kind:
            limits = {"minimum": field.minimum, "maximum": field.maximum}
            return {"type": kind, **{key: one for key, one in limits.items() if one is not None}}
        case "enum":
            return {"enum": [*field.options]}
        case "object" if field.object_type is not None:
            return _object(field.object_type, language)
        case "list" if field.item is not None:
            least = {"minItems": 1} if field.filled else {}
            return {"type": "array", "items": _field(field.item, language), **least}
        case "states":
            return _states(f"{language}State" if language == JSONATA else "State")
        case "rule":
            return _ref(f"{language}Rule")
        case "rules":
            return {"type": "array", "minItems": 1, "items": _ref(f"{language}Rule")}
        case "template" | "variables" if language == JSONATA:
            return {"type": "object", **_ref("Template")} if field.members else _ref("Template")
        case "variables":
            return {"type": "object"}
        case "result path" | "path":
            return {"type": ["string", "null"], "pattern": r"^\$"}
        case kind if kind in _TEXTS:
            return {"type": "string"}
    return {}


def suite() -> Schema:
    """Return the schema of a suite in YAML."""
    from doorstep.testing.suites.files import schema

    return schema()


def mocks() -> Schema:
    """Return the schema of a file of mocks."""
    from doorstep.testing.mock_files import MOCK_FILE

    return {"$schema": _DRAFT, "title": "Doorstep mocks", **MOCK_FILE.schema()}


def settings() -> Schema:
    """Return the schema of `doorstep.yaml`."""
    from doorstep.definitions.settings_schema import FORM

    return {"$schema": _DRAFT, "title": "doorstep.yaml", **FORM.schema()}


KINDS: Mapping[str, Callable[[], Schema]] = {
    "asl": asl,
    "suite": suite,
    "mocks": mocks,
    "settings": settings,
}
