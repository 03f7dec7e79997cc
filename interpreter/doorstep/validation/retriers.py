"""Retriers and catchers: States.ALL stands alone and in the last of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .findings import Found, Place, Rule, error


def _wildcards(fields: Mapping[str, Any], place: Place) -> Found:
    for name in ("Retry", "Catch"):
        entries = fields.get(name)
        if isinstance(entries, list):
            for index, entry in enumerate(entries):
                last = index == len(entries) - 1
                yield from _wildcard(entry, place.member(name).item(index), last=last)


def _wildcard(entry: Any, place: Place, *, last: bool) -> Found:
    names = entry.get("ErrorEquals") if isinstance(entry, Mapping) else None
    if not isinstance(names, list) or "States.ALL" not in names or (last and len(names) == 1):
        return
    where = place.member("ErrorEquals").item(names.index("States.ALL"))
    yield error("States.ALL must appear alone and at end of list", where)


RETRY_RULES: Mapping[str, tuple[Rule, ...]] = dict.fromkeys(
    ("Task", "Parallel", "Map"), (_wildcards,)
)
