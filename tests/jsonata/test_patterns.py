"""Regular expressions, as ECMAScript reads them (https://tc39.es/ecma262/#sec-patterns), Annex B.

JSONata takes them between slashes (https://docs.jsonata.org/regex). Each case runs as it is and
behind a look-ahead, which makes it run on our own machine where else Python's `re` would do.
"""

from __future__ import annotations

from typing import Any

import pytest

from doorstep import jsonata
from doorstep.jsonata import UNDEFINED, JSONataError


def evaluate(text: str, /, **bindings: Any) -> Any:
    return jsonata.compile(text).evaluate(bindings=bindings)


def matches(pattern: str, text: str) -> list[str]:
    """What a pattern finds in a text, by either machine."""
    found = evaluate(f"$match($text, /{pattern}/).match[]", text=text)
    ours = evaluate(f"$match($text, /(?=[^])(?:{pattern})/).match[]", text=text)
    assert found == ours
    return [] if found is UNDEFINED else list(found)


def refusal(text: str, /, **bindings: Any) -> JSONataError:
    with pytest.raises(JSONataError) as caught:
        evaluate(text, **bindings)
    return caught.value


@pytest.mark.parametrize(
    ("pattern", "characters"),
    [
        ("[a-c]", "abc"),
        ("[ac-]", "ac-"),
        ("[-ac]", "ac-"),
        ("[a-]", "a-"),
        (r"[a\-c]", "ac-"),
        (r"[\d-c]", "0c-"),
        ("[^a-]", "bc0]"),
        (r"[\]a]", "a]"),
        ("[]", ""),
        ("[^]", "abc-0]"),
    ],
)
def test_a_minus_in_a_set_stands_for_itself_where_it_spans_nothing(
    pattern: str, characters: str
) -> None:
    assert sorted(set(matches(pattern, "abc-0]"))) == sorted(characters)


@pytest.mark.parametrize("pattern", ["{2}", "{2,}", "{1,3}", "a|{2}", "({2})", "+a", "a|*", "(?)"])
def test_a_quantifier_needs_something_to_repeat(pattern: str) -> None:
    assert refusal(f"/{pattern}/").code == "S0303"


@pytest.mark.parametrize(("pattern", "text"), [("a{,2}", "a{,2}"), ("{x}", "{x}"), ("{}", "{}")])
def test_braces_that_count_nothing_are_characters(pattern: str, text: str) -> None:
    assert matches(pattern, text) == [text]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"(a+)-\1", "aa-aa", ["aa-aa"]),
        (r"(a+)-\1", "aa-b", []),
        (r"(a)?b\1", "b", ["b"]),
        (r"(a)?b\1", "ab", ["b"]),
        (r"(a)?b\1c", "abac", ["abac"]),
        (r"(?:(a)|b)\1c", "bc", ["bc"]),
        (r"(?:(a)|b)\1c", "aac", ["aac"]),
        (r"(?<word>\w+) \k<word>", "hop hop", ["hop hop"]),
    ],
)
def test_a_back_reference_matches_what_its_group_did_or_nothing(
    pattern: str, text: str, found: list[str]
) -> None:
    result = evaluate(f"$match($text, /{pattern}/).match[]", text=text)
    assert (result or []) == found


def test_groups_may_stand_side_by_side_as_often_as_you_like_but_not_inside_one_another() -> None:
    assert matches("(a)" * 60, "a" * 60) == ["a" * 60]
    deep = "(" * 51 + "a" + ")" * 51
    for pattern in (deep, "(b)" * 30 + deep, f"(?:b|c|(d)){deep}"):
        error = refusal(f"/{pattern}/")
        assert (error.code, "Too many nested groups" in error.message) == ("S0303", True)


def test_a_replacement_counts_as_often_as_it_is_made() -> None:
    """Six million bytes are within the bound of AWS (fact 67), seven are not."""
    limits = jsonata.Limits(memory=6_990_256)
    replace = jsonata.compile("$length($replace($pad('', $n, 'a'), 'a', $pad('', 1000, 'b')))")
    assert replace.evaluate(bindings={"n": 6000}, limits=limits) == 6_000_000
    with pytest.raises(JSONataError, match="memory limit exceeded"):
        replace.evaluate(bindings={"n": 7000}, limits=limits)


@pytest.mark.parametrize("picture", ["0٠", "٠0", "#0,00٠", "0٠;o"])
def test_a_picture_has_digits_of_one_family(picture: str) -> None:
    """https://www.w3.org/TR/xpath-functions-31/#formatting-integers"""
    assert refusal("$formatInteger(12, $picture)", picture=picture).code == "D3131"
    assert refusal("$parseInteger('12', $picture)", picture=picture).code == "D3131"


@pytest.mark.parametrize("zero", ["0", "٠", "०"])
def test_a_picture_of_one_family_has_its_digits(zero: str) -> None:
    digits = chr(ord(zero) + 1) + chr(ord(zero) + 2)
    assert evaluate("$formatInteger(12, $picture)", picture=zero * 2) == digits
    assert evaluate("$parseInteger($digits, $picture)", digits=digits, picture=zero * 2) == 12


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ("$x <= 0 ? 0 : 1 + $f($x - 1)", 131),
        ("($x <= 0 ? 0 : 1 + $f($x - 1))", 98),
        ("(($x <= 0 ? 0 : 1 + $f($x - 1)))", 78),
        ("($y := $x; $x <= 0 ? 0 : 1 + $f($x - 1))", 98),
    ],
)
def test_blocks_of_a_recursive_function_count_as_levels(body: str, most: int) -> None:
    """As jsonata-js counts them: each node on the way to the call is one."""
    recursion = jsonata.compile(f"($f := function($x) {{ {body} }}; $f($n))")
    assert recursion.evaluate(bindings={"n": most}) == most
    with pytest.raises(JSONataError, match="Stack overflow"):
        recursion.evaluate(bindings={"n": most + 1})
