"""Laws of paths: what was put is got, nothing is changed in place, both evaluations agree."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.jsonpath import Child, Descendants, Fields, Index, JSONPath, Root, Wildcard

from doorstep.intrinsics import parse_intrinsic
from doorstep.jsonpath import PathNotFound, ReferenceConflict, compile_path, compile_reference
from doorstep.jsonpath.grammar import ExpressionSyntaxError

names = st.sampled_from(["a", "b", "x y", "it's", "0", "é", "a.b"])
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
_NODE = {"a": Fields("a"), "b": Fields("b"), "[*]": Wildcard(), "*": Wildcard(), "[1]": Index(1)}
_NODES = (".a", ".b", "[*]", "..a", "..*", "..[1]", "[1]")
_ENDS = (".*", "..a", "..*", "..[1]")
keys = st.lists(names | st.integers(0, 2), max_size=4)


def path_of(steps: list[str | int]) -> str:
    quoted = (f"[{key}]" if isinstance(key, int) else f"['{_escaped(key)}']" for key in steps)
    return "$" + "".join(quoted)


def _escaped(name: str) -> str:
    return name.replace("'", "\\'")


@given(values, keys, scalars)
def test_what_was_put_is_got(target: Any, steps: list[str | int], value: Any) -> None:
    reference = compile_reference(path_of(steps))
    try:
        changed = reference.put(target, value)
    except ReferenceConflict:
        return
    assert reference.get(changed) == value
    assert compile_path(path_of(steps)).get(changed) == value


@given(values, keys, scalars)
def test_put_never_changes_its_target(target: Any, steps: list[str | int], value: Any) -> None:
    before = copy.deepcopy(target)
    with suppress(ReferenceConflict):
        compile_reference(path_of(steps)).put(target, value)
    assert target == before


@given(values, keys)
def test_a_reference_path_finds_what_jsonpath_ng_finds(value: Any, steps: list[str | int]) -> None:
    tree: JSONPath = Root()
    for key in steps:
        tree = Child(tree, Index(key) if isinstance(key, int) else Fields(key))
    expected = [datum.value for datum in tree.find(value)]
    result = []
    with suppress(PathNotFound):
        result.append(compile_path(path_of(steps)).get(value))
    assert result == expected


@given(values, st.lists(st.sampled_from(_NODES), max_size=3), st.sampled_from(_ENDS))
def test_names_and_wildcards_at_any_depth_find_what_jsonpath_ng_finds(
    value: Any, steps: list[str], end: str
) -> None:
    tree: JSONPath = Root()
    for step in (*steps, end):
        tree = (Descendants if step.startswith("..") else Child)(tree, _NODE[step.lstrip(".")])
    assert compile_path("$" + "".join((*steps, end))).get(value) == [
        datum.value for datum in tree.find(value)
    ]


@given(values, keys)
def test_a_path_without_a_match_is_a_miss_or_an_empty_list_never_another_error(
    value: Any, steps: list[str | int]
) -> None:
    for tail in ("[*]", "..b", "[?(@.a)]", "[?(@.b == 1 || !@.a)]", "[-1:]", "['a','b']"):
        path = compile_path(path_of(steps) + tail)
        try:
            result = path.get(value)
        except PathNotFound:
            assert path.definite
        else:
            assert path.definite or isinstance(result, list)


def refusal(read: Callable[[str], Any], text: str) -> ExpressionSyntaxError | None:
    try:
        read(text)
    except ExpressionSyntaxError as refused:
        return refused
    return None


@given(st.text(alphabet="$.[]'\"?()@=<>!~&|*,:-\\ab01 /{}", max_size=40))
def test_any_text_is_a_path_or_refused_with_a_place(text: str) -> None:
    refused = refusal(compile_path, "$" + text)
    assert refused is None or 0 <= refused.position <= len(text) + 1


@given(st.text(alphabet="$.[]'(),\\ab01 -{}", max_size=40))
def test_any_text_is_a_call_or_refused_with_a_place(text: str) -> None:
    refused = refusal(parse_intrinsic, f"States.Format({text}")
    assert refused is None or 0 <= refused.position <= len(refused.text)
