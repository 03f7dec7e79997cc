"""JSONata as Step Functions runs it (facts 60, 66 to 69, 152 to 155, 360).

What a case expects was recorded (tiny-asl-machine) or measured (sfnx) on AWS where the docstring
does not say that it is an analogy.
"""

from __future__ import annotations

import json
import uuid
from random import Random
from typing import Any

import pytest

import doorstep
from doorstep import jsonata
from doorstep.asl.dialect import AWS, FUNCTIONS, LIMITS, MAX_RANGE, functions
from doorstep.jsonata import UNDEFINED, JSONataError


def evaluate(text: str, **variables: Any) -> Any:
    bindings = {**functions(lambda: Random(7)), **variables}
    return jsonata.Expression(text, AWS).evaluate(bindings=bindings, limits=LIMITS)


def error(text: str, **variables: Any) -> JSONataError:
    with pytest.raises(JSONataError) as caught:
        evaluate(text, **variables)
    return caught.value


def test_all_functions_are_there() -> None:
    added = {*functions(Random), *AWS.functions} - {*jsonata_functions()}
    assert {*added, "random", "eval"} == FUNCTIONS


def jsonata_functions() -> Any:
    from doorstep.jsonata.functions import BUILTINS

    return BUILTINS


def test_partition_cuts_into_chunks() -> None:
    assert evaluate("$partition([1,2,3,4], 2)") == [[1, 2], [3, 4]]
    assert evaluate("$partition([1,2,3], 2.9)") == [[1, 2], [3]]


@pytest.mark.parametrize("text", ["$partition([], 2)", "$partition([1], 0)"])
def test_partition_of_nothing_is_undefined(text: str) -> None:
    assert evaluate(text) is UNDEFINED


def test_range_includes_its_end_and_one_number_is_no_array() -> None:
    assert evaluate("$range(0, 6, 2)") == [0, 2, 4, 6]
    assert evaluate("$range(6, 0, -3)") == [6, 3, 0]
    assert evaluate("$range(1, 9, 9)") == 1


@pytest.mark.parametrize("text", ["$range(0, 6)", "$range(0, 6, -2)", "$range(0, 6, 0)"])
def test_range_without_a_way_to_its_end_is_undefined(text: str) -> None:
    assert evaluate(text) is UNDEFINED


def test_range_has_a_largest_size() -> None:
    assert evaluate(f"$count($range(1, {MAX_RANGE}, 1))") == 360_145
    assert "memory limit exceeded" in error(f"$range(1, {MAX_RANGE + 1}, 1)").message


def test_hash_is_lower_case_hex() -> None:
    assert evaluate("$hash('input', 'SHA-1')") == "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"
    assert evaluate("$hash('', 'MD5')") == "d41d8cd98f00b204e9800998ecf8427e"
    assert evaluate("$hash('input')") is UNDEFINED


def test_seeded_random_is_that_of_java() -> None:
    assert evaluate("$random(42)") == 0.7275636800328681
    assert evaluate("$random(42.9)") == 0.7275636800328681


def test_random_and_uuid_come_from_the_place_that_asks() -> None:
    assert evaluate("$random()") == Random(7).random()
    made = uuid.UUID(evaluate("$uuid()"))
    assert made.version == 4
    assert evaluate("$uuid()") == str(made)


def test_parse_reads_json() -> None:
    assert evaluate("""$parse('{"a":1}').a""") == 1
    # Measured by floci against AWS, as are the codes below.
    assert error("$parse('{')").code == "D3137"


def mismatch(index: int, function: str) -> str:
    return f'T0410: Argument {index} of function "{function}" does not match function signature'


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *((f"$partition({x}, 2)", "T0412") for x in ("'ab'", "null", "7", "{'a': 1}")),
        *((f"$partition([1, 2], {x})", mismatch(2, "partition")) for x in ("'1'", "null", "true")),
        ("$partition([1, 2], 1, 1)", mismatch(3, "partition")),
        ("$partition([1, 2], -2)", "D3137: Second argument must be zero or greater"),
        ("$hash()", mismatch(1, "hash")),
        ("$hash(8, 'MD5')", mismatch(1, "hash")),
        ("$hash('a', true)", mismatch(2, "hash")),
        ("$hash('a', 'MD5', null)", mismatch(3, "hash")),
        ("$range(true, 2, 1)", mismatch(1, "range")),
        ("$range(1, '2', 1)", mismatch(2, "range")),
        ("$range(1, 2, null)", mismatch(3, "range")),
        ("$range(1, 2, 1, 1)", mismatch(4, "range")),
        ("$parse(null)", mismatch(1, "parse")),
        ("$parse('[]', true)", mismatch(2, "parse")),
        ("$uuid(null)", mismatch(1, "uuid")),
        ("$uuid('a', 'b')", mismatch(1, "uuid")),
        ("$random('7')", mismatch(1, "random")),
        ("$random(7, 8)", mismatch(2, "random")),
    ],
)
def test_aws_own_functions_check_their_arguments(call: str, message: str) -> None:
    if message == "T0412":
        message = 'T0412: Argument 1 of function "partition" must be an array of undefined'
    assert str(error(call)) == message


@pytest.mark.parametrize(("name", "shown"), [("'md5'", "md5"), ("'CRC'", "CRC"), ("$no", "null")])
def test_an_unknown_hash_algorithm_is_named_with_those_there_are(name: str, shown: str) -> None:
    assert str(error(f"$hash('a', {name})")) == (
        f"D3137: Hash algorithm '{shown}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5"
    )


@pytest.mark.parametrize(
    "call",
    [
        *("$parse()", "$parse($no)", "$hash('a')", "$hash($no, 'MD5')", "$range(1, 5)"),
        *("$range($no, 1, 1)", "$partition($no, 2)", "$partition([1], 0.5)"),
    ],
)
def test_aws_own_functions_return_nothing_of_nothing(call: str) -> None:
    assert evaluate(call) is UNDEFINED


def test_partition_of_nothing_without_a_size_is_one_empty_part() -> None:
    assert evaluate("$partition([])") == [[]]
    assert evaluate("$partition([], $no)") == [[]]


def test_ten_thousand_and_one_characters_can_be_hashed() -> None:
    assert len(evaluate("$hash($pad('', 10001), 'SHA-512')")) == 128


def test_range_returns_a_sequence() -> None:
    assert evaluate("[$range(5, 0, 1)]") == []
    assert evaluate("[$range(2, 3, 9)]") == [2]


def test_aws_own_functions_can_be_passed_on() -> None:
    """As JSONata's own (https://docs.jsonata.org/other-operators, function chaining)."""
    assert evaluate("'input' ~> $hash('SHA-1')") == "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"
    assert evaluate("$map(['[1]', '{}'], $parse)") == [[1], {}]


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, "count", "string"}))
def test_a_variable_hides_the_function_of_its_name(name: str) -> None:
    """Recorded for `range` (AssignVariables); measured for functions of JSONata (sfnx)."""
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": {name: ["mine"]}, "Next": "B"},
            "B": {"Type": "Pass", "Output": f"{{% ${name} %}}", "End": True},
        },
    }
    assert doorstep.run(machine).output == ["mine"]
    machine["States"]["B"]["Output"] = f"{{% ${name}() %}}"  # type: ignore[index]
    assert "T1006: Attempted to invoke a non-function" in str(doorstep.run(machine).cause)


# -- a port to Java


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**53 + 1, "9007199254740993"),
        (2**63 - 1, "9223372036854775807"),
        (2**63, "9223372036854776000"),
        (10**20, "100000000000000000000"),
        (10**21, "1e+21"),
        (2.5e16, "25000000000000000"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2 / 3, "0.666666666666666"),
        (-2 / 3, "-0.666666666666667"),
        (0.3, "0.3"),
        (12345678901234.567, "12345678901234.5"),
        (2345678901234567.5, "2.34567890123456e+15"),
        (300.0000000000001, "3e+2"),
        (0.0000025, "0.0000025"),
        (0.00000025, "2.5e-7"),
        (-0.0, "0"),
    ],
)
def test_texts_of_numbers_have_whole_digits_or_fifteen_rounded_down(
    number: float, text: str
) -> None:
    assert evaluate("$string($n)", n=number) == text
    assert evaluate("'' & $n", n=number) == text
    assert evaluate("$string([$n])", n=number) == f"[{text}]"


@pytest.mark.parametrize("character", ["\x00", "\x1f", "\x7f", "\u2028", "/", "é", "😀"])
def test_texts_inside_an_object_stay_as_they_are(character: str) -> None:
    assert evaluate("$string({'k': $c})", c=character) == f'{{"k":"{character}"}}'
    assert evaluate("'' & [$c]", c=character) == f'["{character}"]'


def test_texts_inside_an_object_escape_what_json_names_a_letter_for() -> None:
    text = '"\\\b\f\n\r\t'
    assert evaluate("$string({$t: $t})", t=text) == (r'{"\"\\\b\f\n\r\t":"\"\\\b\f\n\r\t"}')


@pytest.mark.parametrize(
    "expression",
    [
        "$sort([$high, $pair])",
        "$sort([$high, $pair], function($a, $b) { $a > $b })",
        "[{'k': $high}, {'k': $pair}]^(k).k",
        "[{'k': $pair}, {'k': $high}]^(>k).k ~> $reverse",
        "[{'k': $high}, {'k': $pair}, {}]^(k).k",
        "$high > $pair ? [$pair, $high] : []",
    ],
)
def test_texts_are_ordered_by_utf16_units(expression: str) -> None:
    """Measured for `$sort`; the operators compare as it does (JavaScript's order and Java's)."""
    assert evaluate(expression, high="\ufb01", pair="😀") == ["😀", "\ufb01"]


def test_the_order_of_texts_is_that_of_utf16_in_the_language_itself() -> None:
    """jsonata-js compares with JavaScript's operators, which compare UTF-16 units."""
    assert jsonata.compile("$sort(['\ufb01', '😀'])").evaluate() == ["😀", "\ufb01"]


def test_split_by_nothing_cuts_into_utf16_units() -> None:
    assert evaluate("$split('😀é', '')") == ["\ud83d", "\ude00", "é"]
    assert evaluate("$count($split('x😀😀', '', 4))") == 4


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("$substring('x😀y', 1, 2)", "😀"),
        ("$substring('x😀y', 1, 1)", "\ud83d"),
        ("$substring('x😀y', 3)", "y"),
        ("$substring('x😀', -2, 1)", "\ud83d"),
        ("$substring('日本😀', -4, 2)", "日本"),
        ("$substring('x日本', 1, 1)", "日"),
    ],
)
def test_substring_counts_utf16_units(call: str, text: str) -> None:
    """Measured with negative starts; positive ones were seen to return halves."""
    assert evaluate(call) == text


def test_length_counts_characters() -> None:
    assert evaluate("$length('x😀')") == 2


@pytest.mark.parametrize("text", ["😀-", "é😀-"])
def test_places_of_matches_count_utf16_units(text: str) -> None:
    """By analogy: both jsonata-js and java.util.regex count so."""
    place = len(text)  # one pair, one character behind it
    assert evaluate("$match($t, /-/).index", t=text) == place
    assert evaluate("$replace($t, /-/, function($m) { $string([$m.start, $m.end]) })", t=text) == (
        f"{text[:-1]}[{place},{place + 1}]"
    )
    found = evaluate("/-/($t)", t=text)
    assert (found["start"], found["end"]) == (place, place + 1)


@pytest.mark.parametrize("blank", ["\xa0", "\u2003", "\u3000", "\ufeff", "\u2028"])
def test_white_space_of_a_pattern_is_that_of_ascii(blank: str) -> None:
    assert evaluate(r"$replace($t, /\s/, '_')", t=f"a{blank}b c") == f"a{blank}b_c"
    assert evaluate(r"$replace($t, /[\s]+/, '')", t=f"{blank}\t\v\f\r\n ") == blank
    assert evaluate(r"$match($t, /\S+/).match", t=f"a{blank} ") == f"a{blank}"
    assert jsonata.compile(r"$replace($t, /\s/, '')").evaluate(bindings={"t": blank}) == ""


def test_a_pattern_keeps_its_own_flags() -> None:
    assert evaluate(r"$match($t, /^b\s/im).match", t="a\nB ") == "B "
    assert evaluate(r"$match($t, /^b\s/i).match", t="a\nB ") is UNDEFINED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'k': 'v'}", {"k": "v"}),
        ("['it\\'s', \"it's\"]", ["it's", "it's"]),
        ("{'say \"hi\"': 1}", {'say "hi"': 1}),
        ("['\\n\\u0041']", ["\nA"]),
        (' {"k":[1.5,null]}\n', {"k": [1.5, None]}),
        ("[]", []),
    ],
)
def test_parse_reads_strings_in_either_quotes(text: str, value: Any) -> None:
    """Measured for a key; escapes are Jackson's with ALLOW_SINGLE_QUOTES."""
    assert evaluate("$parse($t)", t=text) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"k":1,"k":2}',
        "[{'k':1,'k':1}]",
        "[NaN]",
        "-Infinity",
        "1e400",
        "{k: 1}",
        "",
        "'a",
        "'a'b'",
    ],
)
def test_parse_refuses_what_is_no_json(text: str) -> None:
    assert str(error("$parse($t)", t=text)) == "D3137: Invalid JSON"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("$decodeUrlComponent('a+b%2B%26')", "a b+&"),
        ("$decodeUrlComponent('%E6%97%A5')", "日"),
        ("$decodeUrlComponent('%E6%97-%FF')", "\ufffd-\ufffd"),
        ("$decodeUrl('/?q=a+b%E6')", "/?q=a b\ufffd"),
    ],
)
def test_urls_are_decoded_as_java_does(call: str, text: str) -> None:
    """Measured for `$decodeUrlComponent`; `$decodeUrl` by analogy."""
    assert evaluate(call) == text


def test_a_malformed_escape_in_a_url_fails() -> None:
    assert error("$decodeUrlComponent('%4')").code == "D3140"


@pytest.mark.parametrize(("text", "value"), [("YQ", "a"), ("YWI=", "ab"), ("/w==", "\ufffd")])
def test_base64_needs_no_padding(text: str, value: str) -> None:
    """Measured; bytes that are no UTF-8 by analogy with `$decodeUrlComponent`."""
    assert evaluate(f"$base64decode('{text}')") == value


@pytest.mark.parametrize("text", ["!", "YQ==\n", "YW_i", "Y Q", "YQ=YQ", "Y"])
def test_base64_with_other_characters_fails(text: str) -> None:
    """Measured with an exclamation mark; the texts are java.util.Base64's."""
    failed = error("$base64decode($t)", t=text)
    assert failed.code == ""
    assert failed.message.startswith(("Illegal base64 character ", "Last unit "))


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("$replace('oooo', 'o', '-', 3.9)", "---o"),
        ("$replace('oooo', /o/, '-', 3.9)", "---o"),
        ("$replace('oo', 'o', '-', 0.5)", "oo"),
        ("$count($match('oooo', /o/, 1.5))", 1),
        ("$count($split('o,o,o', /,/, 2.5))", 2),
    ],
)
def test_a_limit_is_cut_to_a_whole_number(call: str, value: Any) -> None:
    """Measured for `$replace` with a string; the others by analogy."""
    assert evaluate(call) == value


def test_the_picture_of_a_huge_number_is_zeros_behind_its_digits() -> None:
    assert evaluate("$formatNumber(2.5e300, '0')") == "25" + "0" * 299
    assert evaluate("$formatNumber(1e308, '#,##0.0')").count(",000") == 102


def written(expression: str, data: Any = None) -> str:
    """The text of a Pass's output, as its history has it."""
    state = {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}
    machine = {"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": state}}
    execution = doorstep.run(machine, {} if data is None else data)
    output: str = execution.history[-1]["executionSucceededEventDetails"]["output"]
    return output


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1e-7", "1.0E-7"),
        ("-0.000025", "-2.5E-5"),
        ("1.25e300", "1.25E300"),
        ("5e21 * -1", "-5.0E21"),
        ("0.001", "0.001"),
        ("1e20", "100000000000000000000"),
    ],
)
def test_numbers_are_written_as_java_writes_them(number: str, text: str) -> None:
    """Measured from 1e21 on; the small ones by analogy."""
    assert written(number) == text
    assert written(f"{{'n': [{number}]}}") == f'{{"n":[{text}]}}'
    assert json.loads(written(number)) == json.loads(text)


def test_texts_that_look_like_numbers_of_python_stay() -> None:
    text = '1e-05 "2e+25" \\'
    assert json.loads(written("[$states.input, 1e-9]", text)) == [text, 1e-9]
    assert written("['3e-07', 1e-9]") == '["3e-07",1.0E-9]'
    assert written("{'id': '5e-41', 'n': 1e-7}") == '{"id":"5e-41","n":1.0E-7}'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (2**63, "9223372036854776000"),
        (-(2**64), "-18446744073709552000"),
        (3 * 10**24 + 1, "3.0E24"),
        (10**400, '"Infinity"'),
    ],
)
def test_whole_numbers_beyond_a_long_leave_an_expression_as_doubles(number: int, text: str) -> None:
    assert written("$states.input.n", {"n": number}) == text
    assert written("[$states.input.n]", {"n": number}) == f"[{text}]"
    assert written("{'a': {'b': $states.input.n}}", {"n": number}) == f'{{"a":{{"b":{text}}}}}'


def test_partition_without_a_size_gives_one_chunk() -> None:
    assert evaluate("$partition([1,2,3])") == [[1, 2, 3]]


def test_eval_is_removed() -> None:
    assert error("$eval('1')").code == "T1006"


def test_memory_bound_of_arrays() -> None:
    assert evaluate("$count([1..873782])") == 873_782
    assert error("[1..873783]").message == (
        "Expression evaluation memory limit exceeded: Check for excessive memory usage"
    )


def test_memory_bound_of_strings() -> None:
    assert evaluate("$length($pad('', 4194304))") == 2**22
    assert "memory limit exceeded" in error("$pad('', 8388608)").message


def test_depth_bound() -> None:
    assert evaluate("+".join(["1"] * 90)) == 90
    message = error("+".join(["1"] * 200)).message
    assert message.startswith("Stack overflow error: Check for non-terminating recursive function.")
    assert message.endswith("Depth=101 max=100")
