"""The language by topic, after the JSONata documentation (docs.jsonata.org) for version 2.0."""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from doorstep import jsonata
from doorstep.jsonata import UNDEFINED, JSONataError, Limits, is_function

ORDER = {
    "customer": {"name": "Ada", "tags": ["new"]},
    "items": [
        {"sku": "A", "price": 5, "quantity": 2},
        {"sku": "B", "price": 20, "quantity": 1},
        {"sku": "C", "price": 10, "quantity": 3},
    ],
    "note": None,
}


def evaluate(text: str, data: Any = ORDER, **bindings: Any) -> Any:
    return jsonata.compile(text).evaluate(data, bindings)


def error(text: str, data: Any = ORDER, **bindings: Any) -> JSONataError:
    with pytest.raises(JSONataError) as caught:
        evaluate(text, data, **bindings)
    return caught.value


# -- paths


def test_a_path_reads_fields_of_objects() -> None:
    assert evaluate("customer.name") == "Ada"


def test_a_missing_field_is_undefined_and_null_is_a_value() -> None:
    assert evaluate("customer.phone") is UNDEFINED
    assert evaluate("note") is None
    assert evaluate("note.deeper") is UNDEFINED


def test_a_path_through_an_array_gathers_the_fields_of_its_items() -> None:
    assert evaluate("items.sku") == ["A", "B", "C"]


def test_one_gathered_value_is_the_value_itself() -> None:
    assert evaluate("items[sku = 'B'].price") == 20


def test_empty_brackets_keep_one_value_an_array() -> None:
    assert evaluate("items[sku = 'B'][].price") == [20]


def test_an_array_that_a_path_ends_at_stays_as_it_is() -> None:
    assert evaluate("customer.tags") == ["new"]


def test_an_index_counts_from_either_end_and_is_rounded_down() -> None:
    assert evaluate("items[0].sku") == "A"
    assert evaluate("items[-1].sku") == "C"
    assert evaluate("items[1.9].sku") == "B"
    assert evaluate("items[9]") is UNDEFINED


def test_an_index_belongs_to_the_step_not_to_the_whole_path() -> None:
    data = {"a": [{"b": [1, 2]}, {"b": [3, 4]}]}
    assert evaluate("a.b[0]", data) == [1, 3]
    assert evaluate("(a.b)[0]", data) == 1


def test_a_predicate_that_returns_numbers_picks_those_places() -> None:
    assert evaluate("[10, 20, 30][[0, 2]]") == [10, 30]


def test_wildcards_and_descendants() -> None:
    data = {"a": {"x": 1, "y": [2, [3]]}, "b": {"x": 4}}
    assert evaluate("a.*", data) == [1, 2, 3]
    assert evaluate("**.x", data) == [1, 4]


def test_quoted_names() -> None:
    assert evaluate("`a b`.'c d'", {"a b": {"c d": 1}}) == 1


def test_an_array_as_input_is_one_value() -> None:
    assert evaluate("$[1]", [10, 20]) == 20
    assert evaluate("$count($)", [10, 20]) == 2
    assert evaluate("x", [{"x": 1}, {"x": 2}]) == [1, 2]


# -- operators


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("6 / 4", 1.5),
        ("6 / 3", 2),
        ("5.5 % 2", 1.5),
        ("-7 % 3", -1),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("1 = 1.0", True),
        ("'1' = 1", False),
        ("true = 1", False),
        ("[1, {'a': 2}] = [1, {'a': 2}]", True),
        ("'b' > 'a'", True),
        ("2 in [1, 2]", True),
        ("'x' in 'x'", True),
        ("missing = missing", False),
        ("'a' & 1 & null & missing", "a1null"),
        ("true and missing", False),
        ("false or 'text'", True),
        ("1 > 2 ? 'yes' : 'no'", "no"),
        ("[1..4]", [1, 2, 3, 4]),
    ],
)
def test_operators(text: str, value: Any) -> None:
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


def test_what_is_missing_makes_arithmetic_and_comparison_undefined() -> None:
    assert evaluate("missing + 1") is UNDEFINED
    assert evaluate("1 < missing") is UNDEFINED
    assert evaluate("1 > 2 ? 'yes'") is UNDEFINED


def test_numbers_are_doubles_and_whole_ones_are_int() -> None:
    assert evaluate("9007199254740992 + 1") == 9007199254740992
    assert evaluate("1e20 + 1") == 100000000000000000000
    assert type(evaluate("x", {"x": 1.0})) is int
    assert evaluate("1 / 0") == math.inf


def test_a_number_prints_with_fifteen_digits_as_javascript_prints_it() -> None:
    assert evaluate("$string(0.1 + 0.2)") == "0.3"
    assert evaluate("$string(1e21)") == "1e+21"
    assert evaluate("$string(1e20)") == "100000000000000000000"
    assert evaluate("$string(1 / 3)") == "0.333333333333333"
    assert evaluate("$string(1e-7)") == "1e-7"


@pytest.mark.parametrize(
    ("text", "code", "token"),
    [
        ("'a' + 1", "T2001", "+"),
        ("1 + 'a'", "T2002", "+"),
        ("null < 1", "T2010", "<"),
        ("'a' < 1", "T2009", "<"),
        ("[1..'a']", "T2004", ".."),
        ("-'a'", "D1002", "-"),
    ],
)
def test_operators_name_the_side_that_is_wrong(text: str, code: str, token: str) -> None:
    problem = error(text)
    assert (problem.code, problem.token) == (code, token)


# -- objects, grouping, sorting, tuples


def test_objects_leave_out_what_is_undefined_and_keep_null() -> None:
    assert evaluate("{'a': missing, 'b': note, 'c': 1}") == {"b": None, "c": 1}


def test_merge_of_nothing_is_nothing() -> None:
    """docs.jsonata.org/object-functions and overview: a function of a missing value is missing."""
    assert evaluate("$merge(missing)") is UNDEFINED
    assert evaluate("$merge(items.missing)") is UNDEFINED
    assert evaluate("{'a': $merge(missing), 'b': $merge([])}") == {"b": {}}


def test_grouping_aggregates_the_items_of_a_key() -> None:
    data = {"sale": [{"who": "x", "n": 1}, {"who": "y", "n": 2}, {"who": "x", "n": 3}]}
    assert evaluate("sale{who: $sum(n)}", data) == {"x": 4, "y": 2}


def test_sorting_is_stable_and_takes_several_terms() -> None:
    data = {"r": [{"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 2}]}
    assert evaluate("r^(a, >b).(a & b)", data) == ["12", "11", "21"]
    assert evaluate("$sort([3, 1, 2], function($l, $r) {$l < $r})") == [3, 2, 1]


def test_position_and_context_bindings_travel_along_a_path() -> None:
    assert evaluate("items#$i[$i = 1].sku") == "B"
    data = {"a": [{"id": 1}, {"id": 2}], "b": [{"of": 2, "x": "yes"}]}
    assert evaluate("a@$a.b@$b[$a.id = $b.of].{'id': $a.id, 'x': $b.x}", data) == {
        "id": 2,
        "x": "yes",
    }


def test_percent_is_the_parent() -> None:
    data = {"order": [{"id": 1, "line": [{"n": 5}]}, {"id": 2, "line": [{"n": 6}]}]}
    assert evaluate("order.line.{'id': %.id, 'n': n}", data) == [
        {"id": 1, "n": 5},
        {"id": 2, "n": 6},
    ]


def test_a_transform_changes_a_copy() -> None:
    data = {"a": {"x": 1, "y": 2}}
    assert evaluate("$ ~> |a|{'x': x + 1}, 'y'|", data) == {"a": {"x": 2}}
    assert data == {"a": {"x": 1, "y": 2}}


# -- functions


def test_lambdas_close_over_their_variables_and_may_recurse() -> None:
    assert evaluate("($n := 2; $f := function($x){$x * $n}; $n := 3; $f(5))") == 15
    assert evaluate("($f := function($n){$n < 2 ? 1 : $n * $f($n - 1)}; $f(10))") == 3628800


def test_a_block_keeps_its_names_to_itself() -> None:
    assert evaluate("($x := 1; ($x := 2); $x)") == 1


def test_tail_calls_need_no_stack() -> None:
    text = "($f := function($n, $s){$n = 0 ? $s : $f($n - 1, $s + $n)}; $f(20000, 0))"
    assert evaluate(text) == 200010000


def test_partial_application_chaining_and_composition() -> None:
    assert evaluate("($half := $substring(?, 0, 2); $half('abcd'))") == "ab"
    assert evaluate("'a,b' ~> $split(',') ~> $join('-')") == "a-b"
    assert evaluate("($f := $trim ~> $uppercase; $f(' x '))") == "X"


def test_a_signature_checks_arguments_and_takes_the_context() -> None:
    assert evaluate("function($x)<n-:n>{$x + 1}(1)") == 2
    assert evaluate("customer.name.$uppercase()") == "ADA"
    assert error("function($x)<n:n>{$x}('a')").code == "T0410"
    assert error("$sum(['a'])").code == "T0412"


def test_higher_order_functions_pass_only_what_is_declared() -> None:
    assert evaluate("$map(['a', 'b'], function($v, $i){$i & $v})") == ["0a", "1b"]
    assert evaluate("$filter([1..5], function($v){$v % 2 = 0})") == [2, 4]
    assert evaluate("$reduce([1..4], function($a, $b){$a * $b})") == 24
    assert evaluate("$map([1, 2], $f)", f=lambda v: v * 10) == [10, 20]


def test_python_callables_are_functions_and_get_undefined_for_what_is_missing() -> None:
    seen = []
    evaluate("$f(missing)", f=lambda a, b: seen.append((a, b)))
    assert seen == [(UNDEFINED, UNDEFINED)]


def test_what_a_callable_raises_passes_unchanged() -> None:
    def fail() -> None:
        raise LookupError("the caller's")

    with pytest.raises(LookupError, match="the caller's"):
        evaluate("$f()", f=fail)


def test_bindings_win_over_builtins_and_undefined_removes_them() -> None:
    assert evaluate("$sum([1, 2])", sum=lambda _: "mine") == "mine"
    assert error("$sum([1, 2])", sum=UNDEFINED).code == "T1006"
    assert error("$eval('1')").code == "T1006"


def test_a_function_as_result_is_recognised() -> None:
    for text in ("$sum", "function(){1}", "/a/", "$substring(?, 1)"):
        assert is_function(evaluate(text))
    assert not is_function(evaluate("1"))


# -- strings, regular expressions, dates


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$match('ababbabbcc', /a(b+)/).groups", ["b", "bb", "bb"]),
        ("$replace('John Smith', /(\\w+)\\s(\\w+)/, '$2, $1')", "Smith, John"),
        ("$replace('265USD', /([0-9]+)USD/, '$$$1')", "$265"),
        ("$split('too   much', /[ ,]+/)", ["too", "much"]),
        ("$contains('Hello', /wo|LL/i)", True),
        ("$contains('x', /(?<=a)b|(x)\\1?/)", True),
        ("$length('\\ud83d\\ude00')", 1),
        ("$substring('hello', -3, 2)", "ll"),
        ("$pad('x', -3, '-')", "--x"),
        ("$formatNumber(12345.6, '#,###.00')", "12,345.60"),
        ("$formatNumber(0.14, '01%')", "14%"),
        ("$formatInteger(2789, 'w')", "two thousand, seven hundred and eighty-nine"),
        ("$formatInteger(1999, 'I')", "MCMXCIX"),
        ("$parseInteger('twelve thousand, four hundred and seventy-six', 'w')", 12476),
        ("$fromMillis(1510067557121)", "2017-11-07T15:12:37.121Z"),
        ("$fromMillis(1510067557121, '[M01]/[D01]/[Y0001] [h#1]:[m01][P]')", "11/07/2017 3:12pm"),
        ("$toMillis('2017-11-07T15:07:54.972Z')", 1510067274972),
        ("$toMillis('5th of May 2019', '[D1o] of [MNn] [Y]')", 1557014400000),
        ("$encodeUrlComponent('?x=test')", "%3Fx%3Dtest"),
        ("$base64decode('bXlzdHJpbmc=')", "mystring"),
        ("$number('0x12')", 18),
        ("$round(2.5) & $round(3.5) & $round(11.5)", "2412"),
        ("$formatBase(100, 2)", "1100100"),
    ],
)
def test_functions_do_what_the_documentation_says(text: str, value: Any) -> None:
    assert evaluate(text) == value


def test_time_and_random_numbers_come_from_the_caller() -> None:
    expression = jsonata.compile("[$millis(), $now(), $random(), $count($shuffle([1..3]))]")
    result = expression.evaluate(now=1510067557121, random=lambda: 0.25)
    assert result == [1510067557121, "2017-11-07T15:12:37.121Z", 0.25, 3]


# -- errors


def test_an_error_shows_where_it_is() -> None:
    problem = error("items.(price & 'x' + 1)")
    assert problem.position is not None
    lines = problem.caret("items.(price & 'x' + 1)").splitlines()
    assert lines[1].index("^") == "items.(price & 'x' + 1)".index("+")
    assert "T2001" in lines[1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'open", "S0101"),
        ("1 +", "S0207"),
        ("(1", "S0203"),
        ("a b", "S0201"),
        ("1 := 2", "S0212"),
        ("a.1", "S0213"),
        ("/(/", "S0302"),
        ("/*", "S0106"),
        ("a ?: b", "S0211"),
        ("a ?? b", "S0211"),
    ],
)
def test_what_is_no_expression_is_refused_when_it_is_compiled(text: str, code: str) -> None:
    with pytest.raises(JSONataError) as caught:
        jsonata.compile(text)
    assert caught.value.code == code


# -- static facts


def test_an_expression_prints_back() -> None:
    assert str(jsonata.compile("a . b")) == "a . b"


def test_free_variables_and_their_paths() -> None:
    expression = jsonata.compile("($x := $a.b.c; $map($d[e = $f], function($v){$v.g + $x}))")
    assert expression.variables == {"a", "d", "f", "map"}
    assert expression.paths == {("a", "b", "c"), ("d",), ("f",), ("map",)}


def test_what_is_read_off_the_input() -> None:
    text = "phone & $a.x[y = 1] & $$.z & $map([1], function($v){w})"
    assert [(root.name, root.position) for root in jsonata.compile(text).root_names] == [
        ("phone", 5),
        ("$$", text.index("$$") + 2),
        ("w", text.index("w}") + 1),
    ]


# -- bounds


@pytest.mark.parametrize(
    "text",
    [
        "($f := function($n){1 + $f($n)}; $f(0))",
        "($f := function($n){$f($n)}; $f(0))",
        "[1..10000000]",
        "($f := function($s){$f($s & $s)}; $f('x'))",
        "($f := function($s){$f([$s, $s])}; $f([1, 2]))",
        "($f := function($s, $n){$n = 0 ? $s : $f({'a': $s, 'b': $s}, $n - 1)}; $f(1, 60))",
        r"$match($pad('', 2000, 'a') & 'b', /(a+)+\1$/)",
        "$pad('', 1e9)",
        "$map([1..100000], function($a){$map([1..100000], function($b){$a})})",
    ],
)
def test_hostile_expressions_end_within_their_bounds(text: str) -> None:
    with pytest.raises(JSONataError) as caught:
        jsonata.compile(text).evaluate(limits=Limits(depth=100, steps=100_000, memory=1_000_000))
    assert caught.value.code == "U1001"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "]" * 10_000,
        "(" * 10_000 + ")" * 10_000,
        "1" + "+1" * 10_000,
        "-" * 10_000 + "1",
        "$f(" * 10_000,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(JSONataError) as caught:
        jsonata.compile(text)
    assert caught.value.code == "U1001"


def test_an_evaluation_that_failed_leaves_nothing_behind() -> None:
    expression = jsonata.compile("($f := function($n){$n = 0 ? x + 1 : $f($n - 1) + 0}; $f(20))")
    for _ in range(50):
        with pytest.raises(JSONataError, match="T2001"):
            expression.evaluate({"x": "a"}, limits=Limits(depth=100))
    assert expression.evaluate({"x": 1}, limits=Limits(depth=100)) == 2


def test_threads_share_an_expression() -> None:
    expression = jsonata.compile(
        "($k := $n; $sum($map(items, function($v){$v * $k})) + $count(items))"
    )

    def work(n: int) -> bool:
        data = {"items": list(range(n))}
        expected = n * sum(range(n)) + n
        return all(expression.evaluate(data, {"n": n}) == expected for _ in range(300))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 9)))


def test_a_pattern_that_never_matches_may_be_asked_of_nothing() -> None:
    assert jsonata.compile("$match('', /(?!)/)").evaluate() is UNDEFINED


@pytest.mark.parametrize("text", ["2018-01-01T02:30:00+02:30", "2017-12-31T21:15:00-0245"])
def test_an_offset_has_hours_and_minutes(text: str) -> None:
    """ISO 8601: the offset is taken from the local time; this is midnight, the first of 2018."""
    assert jsonata.compile(f"$toMillis('{text}')").evaluate() == 1_514_764_800_000


def test_an_object_of_any_kind_of_dict_is_an_object_in_signatures() -> None:
    """docs.jsonata.org, "Function signatures": `o` is an object."""
    data = OrderedDict(a=1)
    assert jsonata.compile("function($value)<o:s>{ $keys($value) }($)").evaluate(data) == "a"


@pytest.mark.parametrize("fraction", ["123", "1239", "123999999"])
def test_of_a_fraction_of_a_second_three_digits_count(fraction: str) -> None:
    """A date of JavaScript has whole milliseconds; what is beyond them is cut off."""
    text = f"2018-01-01T00:00:00.{fraction}Z"
    assert jsonata.compile(f"$toMillis('{text}')").evaluate() == 1_514_764_800_123


@pytest.mark.parametrize(("letter", "character"), list(zip("tnvfr", "\t\n\v\f\r", strict=True)))
def test_a_control_escape_stands_for_its_character(letter: str, character: str) -> None:
    """ECMAScript, ControlEscape: t, n, v, f and r are U+0009 to U+000D."""
    found = jsonata.compile(f"$match($, /\\{letter}/).index").evaluate(f"ab{character}")
    assert found == 2


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("($v := $; $v^(a))", {"a": 1}),
        ("($v := {'x': $}; $v.x^(a))", {"a": 1}),
        ("($f := $sum(?, 1); $f($))", 2),
        ("($f := $sum(?); $f($))", 2),
    ],
)
def test_one_value_stays_itself_when_it_is_sorted_or_taken_for_a_list(text: str, data: Any) -> None:
    """docs.jsonata.org, "Sequences": a sequence of one value is that value."""
    assert jsonata.compile(text).evaluate(data) == data


def test_a_partial_application_to_the_wrong_type_fails_as_a_call_does() -> None:
    failure = error("($f := $uppercase(?); $f(1))")
    assert (failure.code, failure.position, failure.token) == ("T0410", 25, "f")


def test_a_callable_without_a_hash_can_be_bound() -> None:
    @dataclass
    class Added:
        to: int

        def __call__(self, value: int) -> int:
            return value + self.to

    assert jsonata.compile("$map([1, 2], $add)").evaluate(None, {"add": Added(2)}) == [3, 4]
