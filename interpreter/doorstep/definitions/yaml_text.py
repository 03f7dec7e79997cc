"""YAML read as JSON would be: no dates, no `yes` and `on`, no Python objects; with merge keys.

CloudFormation's short tags become its long form: `!GetAtt A.Arn` is {"Fn::GetAtt": ["A", "Arn"]},
`!Ref A` is {"Ref": "A"}. PyYAML is imported when the first YAML text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from ..values.json_problem import line_column

if TYPE_CHECKING:
    from yaml.nodes import Node

# YAML 1.2's JSON schema: what else looks like a value stays the string that it is.
_SCALARS = (
    ("tag:yaml.org,2002:null", re.compile(r"^(?:null|Null|NULL|~|)$"), ["n", "N", "~", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789")),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
        list("-0123456789"),
    ),
)


_UNCLOSED = re.compile("while (parsing a flow|scanning a quoted)")
"""How PyYAML and libyaml begin the context of such an error."""


class YAMLProblem(Exception):  # noqa: N818  a problem of the text, not of ours
    """Why a text is not YAML, with line and column from 1.

    `opened`: the line of the bracket or quotation mark that is not closed, if that is the reason.
    """

    def __init__(self, message: str, line: int, column: int, opened: int | None = None) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.opened = message, line, column, opened


def loads(text: str, *, unique: bool = False) -> Any:
    """Return the value of a YAML text; raise YAMLProblem, or RecursionError when too deep.

    `unique`: two members of one name are a problem; otherwise the last wins, as in JSON.
    """
    node = compose(text)
    if node is None:
        return None
    with _explained(text), _reader("", unique) as loader:
        return loader.construct_document(node)


# A text's value, the places of its parts and its tree in an editor are made of one parse.
@lru_cache(maxsize=4)
def compose(text: str) -> Node | None:
    """Return the tree of a YAML text with its marks; raise as `loads` does."""
    with _explained(text), _reader(text, unique=False) as loader:
        node: Node | None = loader.get_single_node()
        return node


@contextmanager
def _reader(text: str, unique: bool) -> Iterator[Any]:
    loader = _loader(unique)(text)
    try:
        yield loader
    finally:
        loader.dispose()


@contextmanager
def _explained(text: str) -> Iterator[None]:
    """Turn what PyYAML raises into a YAMLProblem.

    Its lines end also at U+0085 and U+2028, those of editors don't: only its offsets are taken.
    """
    import yaml

    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = line_column(text, mark.index) if mark else (1, 1)
        start, unclosed = error.context_mark, _UNCLOSED.match(error.context or "")
        opened = line_column(text, start.index)[0] if start and unclosed else None
        raise YAMLProblem(error.problem or str(error), line, column, opened) from None
    except (yaml.YAMLError, ValueError) as error:
        raise YAMLProblem(str(error).partition("\n")[0], 1, 1) from None


@cache
def _loader(unique: bool) -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("JSONLikeLoader", (base,), {"yaml_implicit_resolvers": {}, "unique": unique})
    for tag, pattern, first in _SCALARS:
        loader.add_implicit_resolver(tag, pattern, first)
    loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    loader.add_multi_constructor("!", _short_form)
    return loader


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    """Return a mapping with its keys as text, as JSON has them."""
    import yaml

    members: dict[str, Any] = {}
    for key, value in node.value:
        if _is_merge(key, value):
            members = _merged(loader.construct_object(value, deep=True)) | members
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a member's name must be a string", key.start_mark
            )
        if loader.unique and key.value in members:
            raise yaml.constructor.ConstructorError(
                None, None, f"there are two members '{key.value}' here", key.start_mark
            )
        members[key.value] = loader.construct_object(value, deep=True)
    return members


def _is_merge(key: Any, value: Any) -> bool:
    """Return whether a member is a merge key with what it takes: `<<: *other`."""
    plain = getattr(key, "value", None) == "<<" and not getattr(key, "style", None)
    return plain and not isinstance(value.value, str)


def _merged(value: Any) -> dict[str, Any]:
    """Return what a merge key `<<` takes over: a mapping, or of several the first that has it."""
    merged: dict[str, Any] = {}
    for one in reversed(value if isinstance(value, list) else [value]):
        if isinstance(one, dict):
            merged |= one
    return merged


def _short_form(loader: Any, name: str, node: Any) -> dict[str, Any]:
    """Return a CloudFormation tag as its long form."""
    import yaml

    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            value = _mapping(loader, node)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
