"""What is Java's about AWS: expected values are those of the JDK's documentation and recordings."""

from __future__ import annotations

from doorstep.values.java import hash_order


def test_names_stand_in_the_order_of_their_hashes() -> None:
    """String.hashCode of one character is its code: "a" is 97, the second of 16 buckets."""
    assert hash_order(["d", "p", "a", "o"]) == ["p", "a", "d", "o"]


def test_names_of_one_bucket_keep_their_order() -> None:
    """ "Aa" and "BB" have the hash 2112."""
    assert hash_order(["BB", "Aa"]) == ["BB", "Aa"]
    assert hash_order(["Aa", "BB"]) == ["Aa", "BB"]


def test_the_table_grows_when_it_is_three_quarters_full() -> None:
    """Of 16 buckets "a" (97) and "q" (113) share one, of 32 they do not."""
    assert hash_order(["q", "a"]) == ["q", "a"]
    many = ["q", "a", *"bcdefghijkl"]
    assert len(many) == 13
    assert hash_order(many) == [*"abcdefghijkl", "q"]


def test_a_character_beyond_the_first_plane_counts_as_two() -> None:
    """UTF-16: the hash of U+1F600 is 31 * 0xD83D + 0xDE00 = 1,772,899, mixed 1,772,920."""
    assert 1_772_920 % 16 == 8
    assert hash_order(["i", "😀", "g"]) == ["g", "😀", "i"]
