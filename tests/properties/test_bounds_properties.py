"""Laws of what is bounded: the same answers as the slow and simple way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorstep.choice import wildcard


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
