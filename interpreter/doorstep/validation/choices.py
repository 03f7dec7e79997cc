"""A choice rule is a combination, one comparison of a Variable, or a Condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .findings import Found, Place, Rule, error, only_one
from .objects import COMPARATORS, SELECTORS


def _selector(fields: Mapping[str, Any], place: Place) -> Found:
    if sum(name in fields for name in SELECTORS) != 1:
        names = ", ".join(SELECTORS)
        yield error(f"The object must have only one of the following fields, [{names}]", place)


def _comparator(fields: Mapping[str, Any], place: Place) -> Found:
    found = [name for name in COMPARATORS if name in fields]
    if "Variable" in fields and len(found) != 1 and not place.jsonata:
        yield only_one(list(COMPARATORS), len(found), place)


CHOICE_RULES: Mapping[str, tuple[Rule, ...]] = {"Choice rule": (_selector, _comparator)}
