"""Step Functions' own JSONata functions and bounds (facts 60, 66 to 69, 360)."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

import pytest

from doorstep import jsonata
from doorstep.asl.dialect import FUNCTIONS, LIMITS, MAX_RANGE, functions
from doorstep.jsonata import UNDEFINED, JSONataError


def evaluate(text: str, **variables: Any) -> Any:
    bindings = {**variables, **functions(lambda: Random(7))}
    return jsonata.compile(text).evaluate(bindings=bindings, limits=LIMITS)


def error(text: str) -> JSONataError:
    with pytest.raises(JSONataError) as caught:
        evaluate(text)
    return caught.value


def test_all_functions_are_bound() -> None:
    assert set(functions(Random)) == FUNCTIONS


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


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("$partition([1,2,3], -1)", "D3137"),
        ("$partition(null, 2)", "T0412"),
        ("$hash('a', 'md5')", "D3137"),
        ("$uuid('x')", "T0410"),
        ("$random(1, 2)", "T0410"),
    ],
)
def test_wrong_arguments_have_the_codes_that_aws_gives(call: str, code: str) -> None:
    assert error(call).code == code


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
