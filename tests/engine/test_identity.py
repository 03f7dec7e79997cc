"""Names and ARNs are shown; tokens are not: what is shown must not lead to them."""

from __future__ import annotations

from itertools import product

from doorstep.engine.identity import Identity

PARENT = Identity(name="run", seed="f3a1", machine="orders")
KEYS = ("0", "0/1", "Each/0", "child/0")


def child(parent: Identity, key: str = "0", execution_type: str = "STANDARD") -> Identity:
    return parent.child("Each", parent.map_run_arn("Each", "0"), key, execution_type)


def test_tokens_of_a_child_do_not_follow_from_what_is_shown_of_it() -> None:
    for execution_type in ("STANDARD", "EXPRESS"):
        shown = child(PARENT, execution_type=execution_type)
        parts = {shown.name, shown.arn, shown.map_run, *shown.arn.split(":"), PARENT.name, ""}
        for guess in filter(None, parts):
            guessed = Identity(**{name: getattr(shown, name) for name in Identity.__slots__})
            object.__setattr__(guessed, "seed", guess)
            assert all(guessed.token(key) != shown.token(key) for key in KEYS)
            assert guessed.child("", "", "0", "STANDARD").seed != shown.seed


def test_the_seed_is_in_nothing_that_is_shown() -> None:
    for one in (PARENT, child(PARENT), child(child(PARENT))):
        shown = [one.arn, one.map_run_arn("Each", "0"), one.token("0")]
        shown += [one.uuid(place) for place in ("express", *KEYS)]
        assert all(one.seed not in text for text in shown)


def test_of_the_same_seed_are_the_same_tokens_and_of_each_child_its_own() -> None:
    tokens = [child(PARENT, key).token(inner) for key, inner in product(KEYS, KEYS)]
    assert tokens == [child(PARENT, key).token(inner) for key, inner in product(KEYS, KEYS)]
    assert len(set(tokens)) == len(tokens)
    other = Identity(name="run", seed="f3a2", machine="orders")
    assert child(other).token("0") not in tokens
