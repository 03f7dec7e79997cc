"""Laws that hold for every value and every text."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doorstep import jsonata
from doorstep.jsonata import JSONataError, Limits

NAMES = st.text("abc_xyz", min_size=1, max_size=5)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e308, 1e308)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
LIMITS = Limits(depth=100, steps=400_000, memory=1_000_000)


def evaluate(text: str, **bindings: Any) -> Any:
    return jsonata.compile(text).evaluate(bindings=bindings, limits=LIMITS)


@given(VALUES)
def test_a_variable_is_what_it_is_bound_to(value: Any) -> None:
    # The same double: a whole one beyond 2**53 has the digits that JavaScript prints.
    assert _close(evaluate("$x", x=value), value)


@given(VALUES)
def test_a_value_is_equal_to_its_copy(value: Any) -> None:
    assert evaluate("$x = $y", x=value, y=json.loads(json.dumps(value))) is True


@given(VALUES)
def test_string_returns_json(value: Any) -> None:
    text = evaluate("$string($x)", x=value)
    if not isinstance(value, str):
        assert _close(json.loads(text), value)


@given(st.lists(st.integers(-1000, 1000)))
def test_sorting_sorts_and_reversing_twice_changes_nothing(numbers: list[int]) -> None:
    assert evaluate("$sort($x)", x=numbers) == sorted(numbers)
    assert evaluate("$reverse($reverse($x))", x=numbers) == numbers


@given(st.lists(st.integers(-1000, 1000), min_size=2))
def test_map_filter_and_sum_do_what_python_does(numbers: list[int]) -> None:
    assert evaluate("$map($x, function($v){$v * 2})", x=numbers) == [n * 2 for n in numbers]
    assert evaluate("$sum($x)", x=numbers) == sum(numbers)
    assert evaluate("$count($x[$ > 0])", x=numbers) == sum(n > 0 for n in numbers)


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15).filter(bool))
def test_remainder_has_the_sign_of_the_left_side(left: int, right: int) -> None:
    result = evaluate("$l % $r", l=left, r=right)
    assert abs(result) < abs(right)
    assert result == 0 or (result > 0) == (left > 0)


@given(st.integers(-(10**9), 10**9))
def test_integers_survive_pictures(value: int) -> None:
    assert evaluate("$parseInteger($formatInteger($x, '#,##0'), '#,##0')", x=value) == value


@given(st.integers(0, 999_999_999_999))
def test_integers_survive_words(value: int) -> None:
    assert evaluate("$parseInteger($formatInteger($x, 'w'), 'w')", x=value) == value


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_times_survive_iso_8601(millis: int) -> None:
    assert evaluate("$toMillis($fromMillis($x))", x=millis) == millis


@given(st.text("abc()[]{}$.,:;@#%^*+-/|&=<>~?!'\"\\ 019`eEin\n", max_size=40))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    problem = None
    try:
        assert str(jsonata.compile(text)) == text
    except JSONataError as error:
        problem = error
    if problem is not None:
        assert problem.message in problem.caret(text)


@given(st.text("ab[]().*+?|\\^$-{}12,<=!", max_size=16), st.text("ab12", max_size=30))
def test_any_regular_expression_ends(pattern: str, text: str) -> None:
    with contextlib.suppress(JSONataError):
        evaluate(f"$match($x, /{pattern}/)", x=text)


def _close(actual: Any, expected: Any) -> bool:
    if isinstance(actual, list):
        return all(map(_close, actual, expected))
    if isinstance(actual, dict):
        return all(_close(actual[name], expected[name]) for name in expected)
    if not isinstance(actual, bool) and isinstance(actual, int | float):
        return math.isclose(actual, expected, rel_tol=1e-14, abs_tol=5e-324)
    return bool(actual == expected)
