"""Comparing JSON values, where Python's `==` takes true for 1."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def identity(value: Any) -> Hashable:
    """Equal for equal JSON values and only for those: numbers by value, members in any order."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, dict):
        return frozenset((name, identity(member)) for name, member in value.items())
    if isinstance(value, list):
        return tuple(map(identity, value))
    return value  # type: ignore[no-any-return]
