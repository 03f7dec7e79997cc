"""Laws of what is bounded: the same answers as the slow and simple way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorstep.asl.choice import wildcard
from doorstep.jsonata.regex.pattern import to_python
from doorstep.jsonata.regex.program import RegexProgram, match, search
from doorstep.jsonata.regex.syntax import parse


def naive(pattern: str, text: str) -> bool:
    """StringMatches by definition: a star is nothing, or one more character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return naive(pattern[1:], text) or (bool(text) and naive(pattern, text[1:]))
    literal = pattern[1] if pattern[0] == "\\" else pattern[0]
    return text[:1] == literal and naive(pattern[1 + (pattern[0] == "\\") :], text[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "*", "\\*", "\\\\", "ab"]), max_size=7).map("".join),
    st.text("ab*\\", max_size=9),
)
def test_wildcards_match_what_they_match_by_definition(pattern: str, text: str) -> None:
    matches = wildcard(pattern)
    assert matches is not None
    assert matches(text) == naive(pattern, text)


parts = st.sampled_from(
    ["a", "b", "[ab]", ".", "a?", "b*", "a+?", "(?:^|a)", "(?:$|b)", "\\bb", "(a|ab)", "(a)?"]
)
patterns = st.recursive(
    st.lists(parts, min_size=1, max_size=4).map("".join),
    lambda inner: (
        inner.map(lambda body: f"({body}[ab])+")
        | inner.map(lambda body: f"(?:{body}[ab]){{1,3}}")
        | st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})")
        | st.lists(inner, min_size=1, max_size=2).map("".join)
    ),
    max_leaves=4,
)


@given(patterns, st.text("abc\n", max_size=12))
def test_the_machine_finds_what_re_finds(pattern: str, text: str) -> None:
    """But for groups, of which JavaScript forgets those of the round before, and for rounds that
    match nothing, which it refuses where Python ends the repetition."""
    tree, groups = parse(pattern)
    program = RegexProgram(tree, groups, "")
    spans = search(program, text, 0, lambda _: None)
    match = to_python(tree, "").search(text)
    assert (spans and spans[:2]) == (match and match.span())


@given(patterns, st.text("ab", max_size=12))
def test_a_whole_match_is_the_search_for_it_between_the_edges(pattern: str, text: str) -> None:
    tree, groups = parse(pattern)
    program = RegexProgram(tree, groups, "", whole=True)
    spans = match(program, text, 0, lambda _: None, (-1,) * (2 * groups + 2), set())
    whole = to_python(tree, "").fullmatch(text)
    assert (spans is None) == (whole is None)
