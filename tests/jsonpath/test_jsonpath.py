"""JSONPath: specification, AWS's Paths page, recordings, and Jayway JsonPath where AWS uses it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from doorstep.jsonpath import (
    IndexNotFound,
    PathNotFound,
    PathSyntaxError,
    ReferenceConflict,
    compile_path,
    compile_reference,
)

AWS_PAGE: dict[str, Any] = {
    "foo": 123,
    "bar": ["a", "b", "c"],
    "car": {"cdr": True},
    "jar": [{"a": 1}, {"a": 5}, {"a": 2}, {"a": 7}, {"a": 3}],
}
STORE: dict[str, Any] = {
    "books": [
        {"title": "Sayings", "price": 8.95, "tags": ["old", "short"], "author": "Rees"},
        {"title": "Sword", "price": 12.99, "author": "Waugh", "isbn": None},
        {"title": "Moby", "price": 8.99, "tags": [], "author": "Melville"},
    ],
    "limit": 10,
    "bicycle": {"colour": "red", "price": 19.95},
}


def get(path: str, value: Any) -> Any:
    return compile_path(path).get(value)


def titles(condition: str) -> list[str]:
    matches: list[str] = get(f"$.books[?({condition})].title", STORE)
    return matches


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.foo", 123),
        ("$.bar", ["a", "b", "c"]),
        ("$.car.cdr", True),
        ("$.jar[?(@.a >= 5)]", [{"a": 5}, {"a": 7}]),
    ],
)
def test_the_examples_of_the_paths_page_return_what_it_says(path: str, expected: Any) -> None:
    assert get(path, AWS_PAGE) == expected


def test_the_root_is_the_value_itself() -> None:
    assert get("$", STORE) is STORE


@pytest.mark.parametrize(
    ("path", "root"),
    [("$.a", ""), ("$$.State.Name", "$"), ("$order.id", "order"), ("$größe", "größe")],
)
def test_a_path_says_whose_value_it_starts_from(path: str, root: str) -> None:
    assert compile_path(path).root == root


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$['a']", 1),
        ('$["a"]', 1),
        ("$.[ 'a' ]", 1),
        ("$.café", 2),
        ("$.delivery-partner", 3),
        ("$.a:b", 4),
        ("$['x y']", 5),
        ("$.store\\.book", 6),  # specification, Reference Paths
        ('$[\'Test\\""Name"\']', 7),  # recorded: test_escape_sequence_parsing
        ("$['*']", 8),
        ("$['it\\'s']", 9),
        ("$.list.[0]", "first"),
    ],
)
def test_names_may_be_written_in_every_way_that_aws_reads(path: str, expected: Any) -> None:
    value = {
        "a": 1, "café": 2, "delivery-partner": 3, "a:b": 4, "x y": 5, "store.book": 6,
        'Test\\""Name"': 7, "*": 8, "it's": 9, "list": ["first"],
    }  # fmt: skip
    assert get(path, value) == expected


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$.NoSuch", "No results for path: $['NoSuch']"),  # recorded: test_invalid_jsonpath
        ("$.no.such", "Missing property in path $['no']"),  # recorded: test_catch_states_runtime
        ("$.car.x", "No results for path: $['car']['x']"),
        ("$.bar.length()", "Property ['length()'] not found in path $['bar']"),  # awsdocs #5
        ("$['foo', 'car'].v", "Multi properties can only be used as path leafs: $['foo', 'car']"),
        ("$.foo[0]", "Filter: [0] can only be applied to arrays. Current context is: 123"),
        ("$.foo.x", "Property ['x'] not found in path $['foo']"),
        ("$.bar[7].x", "No results for path: $['bar'][7]['x']"),  # fact 336
        ("$.bar[7]['x','y']", "No results for path: $['bar'][7]['x', 'y']"),
    ],
)
def test_behaviour_35_a_definite_path_that_leads_nowhere_says_why(path: str, reason: str) -> None:
    with pytest.raises(PathNotFound) as miss:
        get(path, AWS_PAGE)
    assert miss.value.reason == reason


def test_an_index_past_the_end_has_an_error_of_its_own() -> None:
    with pytest.raises(IndexNotFound):
        get("$.bar[3]", AWS_PAGE)
    with pytest.raises(PathNotFound) as miss:
        get("$.nothing[3]", AWS_PAGE)
    assert not isinstance(miss.value, IndexNotFound)


@pytest.mark.parametrize("path", ["$.foo[0]", "$.name[0]", "$.name.x"])
def test_a_text_has_neither_items_nor_members(path: str) -> None:
    with pytest.raises(PathNotFound):
        get(path, {"foo": 123, "name": "text"})


def test_null_is_a_value() -> None:
    assert get("$.a", {"a": None}) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.bar[-1]", "c"),
        ("$.bar[(@.length-1)]", "c"),
        ("$.bar[0,2]", ["a", "c"]),
        ("$.bar[0, -1, 9]", ["a", "c"]),
        ("$.bar[1:]", ["b", "c"]),
        ("$.bar[:1]", ["a"]),
        ("$.bar[-2:]", ["b", "c"]),
        ("$.bar[1:2]", ["b"]),
    ],
)
def test_behaviour_32_negative_and_listed_indexes_and_slices(path: str, expected: Any) -> None:
    assert get(path, AWS_PAGE) == expected


@pytest.mark.parametrize("path", ["$.*", "$[*]", "$.[*]"])
def test_behaviour_34_a_wildcard_takes_the_values_of_an_object(path: str) -> None:
    assert get(path, {"a": 1, "b": [2]}) == [1, [2]]


def test_behaviour_30_descent_finds_members_at_every_depth() -> None:
    value = {"d": {"a": [1, 2], "x": [{"a": 3}]}}
    assert get("$.d..a", {"d": {"a": [1, 2]}}) == [[1, 2]]
    assert get("$.d..a[*]", {"d": {"a": [1, 2]}}) == [1, 2]
    assert get("$..a", value) == [[1, 2], 3]
    assert get("$..[?(@.a == 3)]", value) == [{"a": 3}]


@pytest.mark.parametrize(
    "path",
    [
        "$[*]",
        "$[*].type",
        "$.item.items[*]",
        "$.items[1:5].itemValue",
        "$..x",
        "$.a[?(@.b)]",
        "$.a[0,1]",
    ],
)
def test_behaviour_31_an_indefinite_path_without_a_match_is_an_empty_list(path: str) -> None:
    assert get(path, {}) == []
    assert not compile_path(path).definite


def test_several_names_give_one_object_per_item() -> None:
    # Jayway JsonPath; deric4's gist shows it of AWS for a single object
    assert get("$['foo', 'car']", AWS_PAGE) == {"foo": 123, "car": {"cdr": True}}
    items = [{"bucket": "b", "key": 1, "size": 2}, {"key": 3}, 4]
    assert get("$.[*].['bucket', 'key']", items) == [{"bucket": "b", "key": 1}, {"key": 3}]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@.isbn", ["Sword"]),
        ("!@.isbn", ["Sayings", "Moby"]),
        ("@.price < 9", ["Sayings", "Moby"]),
        ("@.price<$.limit", ["Sayings", "Moby"]),
        ("@.price > 8.95 && @.price <= 12.99", ["Sword", "Moby"]),
        ("@.price == 8.95 || @.author == 'Waugh'", ["Sayings", "Sword"]),
        ("@.author == Rees", ["Sayings"]),
        ('@.author != "Rees"', ["Sword", "Moby"]),
        ("@.author in ['Rees', 'Melville']", ["Sayings", "Moby"]),
        ("@.author nin ['Rees', 'Melville']", ["Sword"]),
        ("@.title =~ /s.*/i", ["Sayings", "Sword"]),
        ("@.title =~ /ord/", []),
        ("@.tags contains 'old'", ["Sayings"]),
        ("@.tags size 0", ["Moby"]),
        ("@.tags empty false", ["Sayings"]),
        ("@.tags anyof ['short','new']", ["Sayings"]),
        ("@.isbn == null", ["Sword"]),
        ("@.tags[0] == 'old'", ["Sayings"]),
        ("(@.price > 9 || @.tags) && !(@.author == 'Rees')", ["Sword", "Moby"]),
        ("@.price == '8.95'", ["Sayings"]),
        ("@.price === '8.95'", []),
        ("@.nothing > 1", []),
        ("@.title.length() > 3", []),
    ],
)
def test_behaviours_30_and_33_filters(condition: str, expected: list[str]) -> None:
    assert titles(condition) == expected


def test_a_filter_on_an_object_asks_the_object_itself() -> None:
    assert get("$.bicycle[?(@.price > 10)]", STORE) == [STORE["bicycle"]]
    assert get("$.bicycle[?(@.price > 20)].colour", STORE) == []


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("-2:1", ["c", "d", "a"]),
        ("-2:3", ["c", "d", "a", "b", "c"]),
        ("1:-1", []),
        ("-9:1", ["a", "b", "c", "d", "a"]),
        ("-9:", ["a", "b", "c", "d"]),
        (":-1", ["a", "b", "c"]),
        (":-9", []),
        ("1:3:2", ["b", "c"]),
        ("2::2", ["c", "d"]),
    ],
)
def test_a_slice_counts_as_jayway_does(bounds: str, expected: list[str]) -> None:
    """Fact 336: Jayway JsonPath 2.10 was asked."""
    assert get(f"$[{bounds}]", ["a", "b", "c", "d"]) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@.tags[*]", ["Sayings", "Moby"]),
        ("!@.tags[*]", ["Sword"]),
        ("@.isbn[*]", ["Sword"]),
        ("@.isbn[0:1]", []),
        ("@.tags[0:1]", ["Sayings", "Moby"]),
        ("@..nothing", ["Sayings", "Sword", "Moby"]),
        ("@.nothing..x", []),
        ("@.tags[*] == []", ["Moby"]),
        ("@.tags[?(@.x)]", ["Sayings", "Moby"]),
        ("@.author nin @.tags", ["Sayings", "Moby"]),
        ("@.price nin 8.95", []),
        ("@.tags noneof @.isbn", []),
        ("@.tags noneof ['new']", ["Sayings", "Moby"]),
    ],
)
def test_many_matches_are_there_as_soon_as_their_source_is(
    condition: str, expected: list[str]
) -> None:
    """Fact 336: Jayway JsonPath 2.10 was asked."""
    assert titles(condition) == expected


def test_a_descent_to_several_names_takes_the_objects_that_have_all() -> None:
    """Fact 336: Jayway JsonPath 2.10 was asked."""
    assert get("$..['title','isbn']", STORE) == [{"title": "Sword", "isbn": None}]


def test_the_current_node_is_never_a_scalar() -> None:
    # AWS, Paths: the @ operator "does not match scalar values"
    assert get("$.bar[?(@ == 'a')]", AWS_PAGE) == []


def test_true_is_not_one_in_a_filter() -> None:
    assert get("$[?(@.keep == true)]", [{"keep": True}, {"keep": 1}]) == [{"keep": True}]


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("a.b", 0),
        ("$a b", 1),
        ("$.a b", 3),
        ("$.a.", 4),
        ("$..", 3),
        ("$...a", 3),
        ("$.a[", 4),
        ("$.a[x]", 3),
        ("$.a[$$.Execution.Id]", 3),
        ("$.a['b", 4),
        ("$.a['b' 'c']", 8),
        ("$.a[]", 3),
        ("$.a[:]", 3),
        ("$.a[::2]", 3),
        ("$.a[ 1 : 2 ]", 3),
        ("$.a[99999999999]", 3),
        ("$.a | $.b", 3),
        ("$.a[?(@.b = 1)]", 10),
        ("$.a[?(@.b ==)]", 12),
        ("$.a[?(1)]", 6),
        ("$.a[?(@.b]", 5),
        ("$.a[?(@.b =~ /(/)]", 14),
        ("$.a[?(@.b == 1]", 5),
    ],
)
def test_what_is_no_path_is_refused_and_pointed_at(path: str, position: int) -> None:
    with pytest.raises(PathSyntaxError) as refused:
        compile_path(path)
    assert refused.value.position == position
    caret = str(refused.value).splitlines()[-1]
    assert caret.index("^") - 2 == position


@pytest.mark.parametrize(
    "path",
    [
        "$" + ".a" * 10_000,
        "$[?(" + "(" * 5_000 + "@.a" + ")" * 5_000 + ")]",
        "$[?(" + "!" * 10_000 + "@.a)]",
        "$" + "[?(@" * 2_000 + ")]" * 2_000,
        "$[?(@.a in " + "[" * 10_000 + ")]",
    ],
    ids=["long", "parentheses", "negations", "filters", "lists"],
)
def test_a_monstrous_path_is_refused_not_read(path: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_path(path)


def test_filters_may_stand_inside_filters() -> None:
    nested = "$" + "[?(@.a" * 30 + ")]" * 30
    assert get(nested, [{"a": 1}]) == []
    assert get("$[?(@.tags[?(@.x == 1)])].n", [{"tags": [{"x": 1}], "n": 7}, {"tags": []}]) == [7]


@pytest.mark.parametrize(
    ("path", "is_reference"),
    [("$", True), ("$.a['b'][0]", True), ("$.a[-1]", False), ("$.a[*]", False), ("$..a", False),
     ("$['a','b']", False), ("$.a[?(@.b)]", False), ("$.a[0,1]", False)],
)  # fmt: skip
def test_reference_paths_have_single_names_and_indexes_only(path: str, is_reference: bool) -> None:
    assert compile_path(path).reference is is_reference


def test_jsonpath_ng_is_not_imported_for_reference_paths() -> None:
    code = (
        "import sys; from doorstep.jsonpath import compile_path; compile_path('$.a[0].b').get\n"
        "assert 'jsonpath_ng' not in sys.modules; compile_path('$.a[*]')\n"
        "assert 'jsonpath_ng' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_put_makes_the_objects_on_the_way_and_keeps_the_rest() -> None:
    target = {"a": {"b": 1}, "z": 0}
    assert compile_reference("$.r.s").put(target, 5) == {"a": {"b": 1}, "z": 0, "r": {"s": 5}}
    assert compile_reference("$.a.c").put(target, 5) == {"a": {"b": 1, "c": 5}, "z": 0}
    assert compile_reference("$").put(target, 5) == 5
    assert compile_reference("$.l[1].x").put({"l": [0, {}]}, 5) == {"l": [0, {"x": 5}]}


def test_put_shares_what_is_not_on_the_way() -> None:
    target = {"a": {"b": 1}, "other": {"large": []}}
    changed = compile_reference("$.a.b").put(target, 2)
    assert target == {"a": {"b": 1}, "other": {"large": []}}
    assert changed["other"] is target["other"]


@pytest.mark.parametrize(
    ("path", "target", "message"),
    [
        ("$.someTaskResult", "input1", 'Unable to apply step "someTaskResult" to input "input1"'),
        ("$.x", [1, 2], 'Unable to apply step "x" to input [1,2]'),
        ("$.a.b", {"a": 1}, 'Unable to apply step "b" to input {"a":1}'),
        ("$.a[1]", {"a": [0]}, 'Unable to apply step "1" to input {"a":[0]}'),
        ("$.a[0]", {}, 'Unable to apply step "0" to input {}'),
    ],
)
def test_put_into_what_can_not_hold_it_is_a_conflict(path: str, target: Any, message: str) -> None:
    with pytest.raises(ReferenceConflict) as conflict:
        compile_reference(path).put(target, 0)
    assert str(conflict.value) == message


def test_a_reference_that_leads_nowhere_names_its_step() -> None:
    # reported by users of AWS for ItemsPath, e.g. "$.discovery.objects"
    value = {"discovery": {"statusCode": 500}}
    with pytest.raises(ReferenceConflict) as conflict:
        compile_reference("$.discovery.objects").get(value)
    assert str(conflict.value) == (
        'Unable to apply step "objects" to input {"discovery":{"statusCode":500}}'
    )
    assert compile_reference("$.discovery.statusCode").get(value) == 500


def test_a_path_with_operators_is_no_reference() -> None:
    with pytest.raises(PathSyntaxError):
        compile_reference("$.a[*]")
