"""Intrinsic functions: AWS's page, recordings, and what a public suite observed on AWS."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from doorstep.intrinsics import (
    IntrinsicCall,
    IntrinsicFailure,
    IntrinsicSyntaxError,
    LiteralArgument,
    PathArgument,
    compile_intrinsic,
    parse_intrinsic,
)
from doorstep.jsonpath import compile_path
from doorstep.values.json_values import dumps

EVALUATING = "There was an error while evaluating the intrinsic function: "
REDACTED = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
RECORDINGS = Path(__file__).parents[3] / "shared" / "corpus" / "cases"


class World:
    """The data of `$` and a seed."""

    def __init__(self, data: Any, seed: int = 0) -> None:
        self.data = data
        self.random = Random(seed)

    def rng(self) -> Random:
        return self.random


def evaluate(text: str, data: Any = None, seed: int = 0) -> Any:
    def resolve(path: str) -> Any:
        get = compile_path(path).get
        return lambda world: get(world.data)

    return compile_intrinsic(text, resolve)(World(data, seed))


def cause(text: str, data: Any = None) -> str:
    with pytest.raises(IntrinsicFailure) as failed:
        evaluate(text, data)
    return failed.value.cause


def test_a_call_is_read_into_a_tree() -> None:
    assert parse_intrinsic(
        "States.Array( 'a\\'b', -1.5, $.c[?(@.d == 'x,)')], States.UUID() )"
    ) == (
        IntrinsicCall(
            "States.Array",
            (
                LiteralArgument("a'b", "a\\'b"),
                LiteralArgument(-1.5),
                PathArgument("$.c[?(@.d == 'x,)')]"),
                IntrinsicCall("States.UUID", ()),
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("States.Nothing()", 0),
        ("States.format('a')", 0),  # reported by a user of AWS: serverless-step-functions #399
        ("States.Array", 12),
        ("States.Array(", 13),
        ("States.Array(1", 14),
        ("States.Array(1,)", 15),
        ("States.Array(1) x", 16),
        ("States.Array(1.)", 13),
        ("States.Array([1])", 13),
        ('States.Array("a")', 13),
        ("States.Array('a)", 13),
        ("States.Array($.a[)", 18),
        ("States.Array($.a b)", 16),
        ('States.StringToJson(\'{"a":"\\""}\')', 27),  # recorded: test_illegal_escapes
        ("States.Base64Decode('YWJj\\nZA==')", 25),
        ("$.a", 0),
    ],
)
def test_behaviour_27_what_is_no_call_is_refused_and_pointed_at(text: str, position: int) -> None:
    with pytest.raises(IntrinsicSyntaxError) as refused:
        parse_intrinsic(text)
    assert refused.value.position == position


def test_calls_nest_ten_deep() -> None:
    def nested(depth: int) -> str:
        return "States.Array(" * depth + ")" * depth

    assert evaluate(nested(10)) == [[[[[[[[[[]]]]]]]]]]
    with pytest.raises(IntrinsicSyntaxError):
        parse_intrinsic(nested(11))


PAGE = {
    "Id": 123456,
    "inputArray": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "lookingFor": 5,
    "index": 5,
    "duplicates": [1, 2, 3, 3, 3, 3, 3, 3, 4],
    "input": "Data to encode",
    "base64": "RGF0YSB0byBlbmNvZGU=",
    "Data": "input data",
    "json1": {"a": {"a1": 1, "a2": 2}, "b": 2},
    "json2": {"a": {"a3": 1, "a4": 2}, "c": 3},
    "escapedJsonString": '{"foo": "bar"}',
    "unescapedJson": {"foo": "bar"},
    "value1": 111,
    "step": -1,
    "inputString": "This.is+a,test=string",
    "splitter": ".+,=",
    "name": "Arnav",
    "template": "Hello, my name is {}.",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Array($.Id)", [123456]),
        ("States.ArrayPartition($.inputArray,4)", [[1, 2, 3, 4], [5, 6, 7, 8], [9]]),
        ("States.ArrayContains($.inputArray, $.lookingFor)", True),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayGetItem($.inputArray, $.index)", 6),
        ("States.ArrayLength($.inputArray)", 9),
        ("States.ArrayUnique($.duplicates)", [1, 2, 3, 4]),
        ("States.Base64Encode($.input)", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode($.base64)", "Data to encode"),
        ("States.Hash($.Data, 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        (
            "States.JsonMerge($.json1, $.json2, false)",
            {"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3},
        ),
        ("States.StringToJson($.escapedJsonString)", {"foo": "bar"}),
        ("States.JsonToString($.unescapedJson)", '{"foo":"bar"}'),
        ("States.MathAdd($.value1, $.step)", 110),
        ("States.StringSplit($.inputString, $.splitter)", ["This", "is", "a", "test", "string"]),
        ("States.Format('Hello, my name is {}.', $.name)", "Hello, my name is Arnav."),
        ("States.Format($.template, $.name)", "Hello, my name is Arnav."),
    ],
)
def test_behaviour_58_the_examples_of_the_intrinsic_functions_page(text: str, value: Any) -> None:
    assert evaluate(text, PAGE) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Array()", []),
        ("States.Array(1.5, true, null, 'x')", [1.5, True, None, "x"]),
        ("States.ArrayPartition(States.Array(), 3)", []),
        ("States.ArrayPartition(States.Array(1, 2, 3, 4, 5), 2.6)", [[1, 2], [3, 4], [5]]),
        ("States.ArrayRange(5, 1, -2)", [5, 3, 1]),
        ("States.ArrayRange(1, 9, 9)", [1]),
        ("States.ArrayRange(3, 3, -1)", [3]),
        ("States.ArrayRange(5, 1, 1)", []),
        ("States.ArrayRange(1.4, 5.6, 2.2)", [1, 3, 5]),
        ("States.ArrayRange(1.6, 1.4, 1)", [1]),
        ("States.ArrayRange(5.4, -0.6, -2.4)", [5, 3, 1]),
        ("States.ArrayLength(States.ArrayRange(1, 1000, 1))", 1000),
        ("States.ArrayGetItem(States.Array(10, 20), 1.0)", 20),
        ("States.ArrayGetItem(States.Array(10, 20), 1.9)", 20),
        ("States.ArrayGetItem(States.Array(10, 20), -0.9)", 10),
        ("States.ArrayGetItem(States.Array(), 999)", None),
        ("States.ArrayContains(States.Array(0, 1, 'a'), false)", False),
        ("States.ArrayContains(States.Array('true'), true)", True),
        ("States.ArrayUnique(States.Array(1, '1', 1, true, '01'))", [1, "1", "01", True]),
        ("States.Base64Encode('')", ""),
        ("States.Base64Encode('✓')", "4pyT"),
        ("States.Base64Decode('4pyT')", "✓"),
        ("States.Base64Decode(' YWJj!ZA== ')", "abcd"),
        ("States.Base64Decode('YWI')", "ab"),
        ("States.Hash('hello', 'MD5')", "5d41402abc4b2a76b9719d911017c592"),
        ("States.StringToJson('-0')", 0),
        ("States.StringToJson(' ')", None),
        ("States.JsonToString('é')", '"é"'),
        ("States.StringSplit(',a,,b,', ',')", ["a", "b"]),
        ("States.StringSplit('a]b^c-d\\\\e', '-^]\\\\')", ["a", "b", "c", "d", "e"]),
        ("States.StringSplit('', ',')", []),
        ("States.MathAdd(States.MathAdd(-5, 3), 2)", 0),
        ("States.MathAdd(2147483646, 1)", 2147483647),
    ],
)
def test_the_rules_at_their_edges(text: str, value: Any) -> None:
    result = evaluate(text)
    assert dumps(result) == dumps(value)


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([True, None, False], [None, False, True]),
        ([[2, 1], [1, 2], [2, 1]], [[2, 1], [1, 2]]),
        (["z", "k", "z", "A"], ["A", "z", "k"]),
        ([17, 16, 1, 33], [16, 17, 1, 33]),
        ([-1, 2.5, 3], [-1, 3, 2.5]),
        ([1, 1.0, 1], [1.0, 1]),
        ([0.0, -0.0, 0.0], [0.0, -0.0]),
        (list(range(14, 0, -1)), list(range(1, 15))),
        ([{"b": 1, "a": 2}, {"a": 2, "b": 1}], [{"b": 1, "a": 2}]),
    ],
)
def test_unique_items_are_in_the_order_of_a_hash_set_of_java(
    items: list[Any], unique: list[Any]
) -> None:
    """Fact 130: recorded for truth values, lists, texts and numbers; inferred for the others.

    The orders are those of `new HashSet<>(List.of(…))` by hand: buckets of 16, then of 32.
    """
    assert dumps(evaluate("States.ArrayUnique($)", items)) == dumps(unique)


@pytest.mark.parametrize(
    ("number", "nearest"), [(2.5, 3), (-1.5, -1), (-2.5, -2), (-0.5, 0), (1.6, 2)]
)
def test_math_add_rounds_halves_up_as_java_does(number: float, nearest: int) -> None:
    assert evaluate(f"States.MathAdd({number}, 0)") == nearest  # recorded: test_math_add


@pytest.mark.parametrize(
    "text",
    [
        "States.ArrayPartition('x', 2)",
        "States.ArrayPartition(States.Array(1), 0.6)",
        "States.ArrayPartition(States.Array(1), '2')",
        "States.ArrayContains('x', 'x')",
        "States.ArrayContains($.a)",
        "States.ArrayRange('a', 5, 1)",
        "States.ArrayRange(1, 10, 0.49)",
        "States.ArrayRange(1, 1001, 1)",
        "States.ArrayRange(1001, 1, -1)",
        "States.ArrayGetItem($.a, 3)",
        "States.ArrayGetItem($.a, -1)",
        "States.ArrayGetItem($.a, '1')",
        "States.ArrayLength('x')",
        "States.ArrayUnique($)",
        "States.Base64Encode(123)",
        "States.Base64Encode('a', 'b')",
        "States.Base64Decode($)",
        "States.Hash('x', 'sha-256')",
        "States.Hash('x', $.a)",
        "States.Hash()",
        "States.JsonMerge($, $, true)",
        "States.JsonMerge($, $.a, false)",
        "States.StringToJson(1)",
        "States.MathAdd('1', 1)",
        "States.MathAdd(true, 1)",
        "States.MathAdd(2147483647, 1)",
        "States.MathAdd(3000000000, 1)",
        "States.MathRandom(1, 1)",
        "States.MathRandom(10, 5)",
        "States.MathRandom(1, 10, null)",
        "States.MathRandom(1)",
        "States.StringSplit($.a, ',')",
        "States.StringSplit('a', null)",
    ],
)
def test_behaviours_56_and_59_arguments_that_a_function_can_not_use_fail_the_call(
    text: str,
) -> None:
    name = text.partition("(")[0]
    assert cause(text, {"a": [1, 2, 3]}) == f"{EVALUATING}{text}. Invalid arguments in {name}"


@pytest.mark.parametrize("function", ["States.Base64Encode($)", "States.Hash($, 'MD5')"])
def test_behaviour_57_texts_have_at_most_ten_thousand_characters(function: str) -> None:
    assert evaluate(function, "a" * 10_000)
    assert "Invalid arguments" in cause(function, "a" * 10_001)
    assert evaluate("States.Base64Decode($)", "A" * 10_000)
    assert "Invalid arguments" in cause("States.Base64Decode($)", "A" * 10_001)


def test_a_value_nested_too_deeply_fails_the_call() -> None:
    deep: Any = 0
    for _ in range(5_000):
        deep = [deep]
    assert "Invalid arguments in States.ArrayUnique" in cause("States.ArrayUnique($)", [deep])


def test_a_failing_inner_call_is_named_with_the_whole_expression() -> None:
    text = "States.Format('{}', States.ArrayLength($.a))"
    assert cause(text, {"a": 1}) == f"{EVALUATING}{text}. Invalid arguments in States.ArrayLength"


@pytest.mark.parametrize(
    ("text", "why", "line", "column"),
    [
        ("{total: 1}", "Unexpected character ('t' (code 116)): was expecting double-quote", 1, 2),
        ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon", 1, 6),
        ('{\n"a": nothing}', "Unrecognized token 'nothing': was expecting (JSON String,", 2, 13),
        ("[1", "Unexpected end-of-input: expected close marker for Array (start marker at", 1, 3),
    ],
)
def test_a_text_that_is_no_json_fails_in_the_words_of_its_parser(
    text: str, why: str, line: int, column: int
) -> None:
    """Fact 129, where the texts of an unknown word, a character and an open object are recorded."""
    said = cause("States.StringToJson($)", text)
    assert said.startswith(
        f"{EVALUATING}States.StringToJson($). "
        f"Cannot convert String to Json in States.StringToJson, caused by: {why}"
    )
    assert said.endswith(f"\n at {REDACTED}; line: {line}, column: {column}]")
    assert text not in said


def test_an_object_without_an_end_is_shown_by_its_start() -> None:
    where = f"{REDACTED}; line: 1, column: 1]"
    assert f"close marker for Object (start marker at {where})\n at " in cause(
        "States.StringToJson($)", '{"b": 2'
    )


@pytest.mark.parametrize("arguments", ["", "1, 2", "$, $, $"])
def test_json_to_string_has_words_of_its_own_for_a_wrong_count(arguments: str) -> None:
    said = cause(f"States.JsonToString({arguments})", 1)
    assert said.endswith(
        ". Invalid arguments in States.JsonToString: only a single argument is allowed."
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("States.Format('\\{\\} {}', 'x')", "{} x"),
        ("States.Format('\\{{}\\}', 'x')", "{x}"),
        ("States.Format('it\\'s a \\\\ {}', 'x')", "it's a \\ x"),
        ("States.Format('no placeholder')", "no placeholder"),
        ("States.Format('{}|{}|{}|{}', null, false, -1, 3.5)", "null|false|-1|3.5"),
        ("States.Format('{}', $.text)", "C:\\{dir} 'as it is'"),
        ("States.Format($.template, 'x')", "{x} it's"),
        (
            "States.Format('Formatting argument {}.', $.map)",
            "Formatting argument {Arg1=1, Arg2=[]}.",
        ),
    ],
)
def test_behaviours_52_and_53_format_resolves_its_template_only(text: str, value: str) -> None:
    data = {
        "text": "C:\\{dir} 'as it is'",
        "template": "\\{{}\\} it's",
        "map": {"Arg1": 1, "Arg2": []},
    }
    assert evaluate(text, data) == value


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{} {}", "Invalid arguments in States.Format: number of arguments do not match"),
        ("none", "Invalid arguments in States.Format: number of arguments do not match"),
        ("Hello {", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("{{}}", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("}", "Invalid template in States.Format: matching '{' not found for '}'."),
    ],
)
def test_a_template_that_does_not_fit_its_arguments_fails(template: str, problem: str) -> None:
    assert problem in cause(f"States.Format('{template}', $)", 1)


def test_behaviour_54_nested_calls_with_negative_literals() -> None:
    pieces = "States.StringSplit($, '-')"
    last = f"States.MathAdd(States.ArrayLength({pieces}), -1)"
    assert evaluate(f"States.ArrayGetItem({pieces}, {last})", "a-b-c") == "c"


def test_random_numbers_come_from_the_seed_of_the_place_that_asks() -> None:
    assert evaluate("States.UUID()", seed=1) == evaluate("States.UUID('ignored')", seed=1)
    assert evaluate("States.UUID()", seed=1) != evaluate("States.UUID()", seed=2)
    assert evaluate("States.UUID()")[14] == "4"
    drawn = {evaluate("States.MathRandom(1.6, 3.9)", seed=seed) for seed in range(40)}
    assert drawn == {1, 2}


def test_a_seeded_math_random_is_java_util_random() -> None:
    # fact 60: java.util.Random's first double for seed 42, measured as $random(42) on AWS
    double = 0.7275636800328681
    assert evaluate("States.MathRandom(0, 1024, 42)") == int(double * 1024)
    assert evaluate("States.MathRandom(-4, 4, 42)") == int(double * 8) - 4
    # new java.util.Random(42).nextInt() is -1170105035; nextInt(bound) divides its upper 31 bits
    assert evaluate("States.MathRandom(0, 999, 42)") == (-1170105035 % 2**32 >> 1) % 999


def test_calls_of_constants_are_computed_once() -> None:
    call = compile_intrinsic(
        "States.Array(States.Format('{}', 1))", lambda path: compile_path(path).get
    )
    assert call(None) is call(None)


def _recorded_calls() -> list[Any]:
    """Recorded Pass states of one intrinsic call or path on their input, where recordings are."""
    groups = (
        "array",
        "base--test_json",
        "encode",
        "generic",
        "hash",
        "json_manipulation--",
        "string",
    )
    cases = []
    for path in sorted(RECORDINGS.glob("*.json")):
        case = json.loads(path.read_text())
        if not path.name.startswith(groups) or len(case["definition"]["States"]) != 1:
            continue
        (state,) = case["definition"]["States"].values()
        ((name, text),) = state["Parameters"].items()
        if "$$" in text:
            continue
        exited = case["recorded"]["events"][-2]["stateExitedEventDetails"]
        cases.append(
            pytest.param(text, case["input"], exited["output"][name[:-2]], id=path.stem[:60])
        )
    return cases


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside the project")
@pytest.mark.parametrize(("text", "data", "recorded"), _recorded_calls())
def test_calls_and_paths_give_what_was_recorded_on_aws(text: str, data: Any, recorded: Any) -> None:
    result = evaluate(text, data) if text.startswith("States.") else compile_path(text).get(data)
    assert result == recorded


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12345678.9, "1.23456789E7"),
        (1e7, "1.0E7"),
        (9999999.5, "9999999.5"),
        (0.00025, "2.5E-4"),
        (0.001, "0.001"),
        (-0.0, "-0.0"),
    ],
)
def test_the_text_of_a_double_is_javas(number: float, text: str) -> None:
    """Double.toString, by its documentation; of the service fact 153 shows it."""
    data = {"n": number, "t": f"{number:f} in a text"}
    assert evaluate("States.JsonToString($)", data) == f'{{"n":{text},"t":"{number:f} in a text"}}'
    assert (
        evaluate("States.ArrayContains(States.Array($.n), $.t)", {"n": number, "t": text}) is True
    )


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("b25l", "one"),
        ("b2*5l", "one"),
        ("b25lZA", "oned"),
        ("b25lZ", "one"),
        ("Z", ""),
        ("=", ""),
        ("b25l=dHdv", "one"),
        ("Pz8_", "???"),
        ("Pj4-", ">>>"),
        ("Pj4+", ">>>"),
    ],
)
def test_what_is_no_base64_is_passed_over(text: str, decoded: str) -> None:
    """Fact 367: Commons Codec 1.17 was asked."""
    assert evaluate("States.Base64Decode($)", text) == decoded
