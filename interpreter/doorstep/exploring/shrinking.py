"""The smallest script that still shows something: whatever can be left out is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..answers import ABSENT as NOTHING
from ..answers import Answer
from .script import Script

TRIES = 200


def shrink(script: Script, shows: Callable[[Script], bool]) -> Script:
    """A script none of whose parts can be left out; `shows` says whether one still shows it."""
    tries = 0
    smaller = _smaller(script)
    while (candidate := next(smaller, None)) is not None and tries < TRIES:
        tries += 1
        if shows(candidate):
            script, smaller = candidate, _smaller(candidate)
    return script


def _smaller(script: Script) -> Iterator[Script]:
    answers = script.answers
    for state, given in answers.items():
        others = {name: one for name, one in answers.items() if name != state}
        yield replace(script, answers=others)
        for index in range(len(given) - 1, -1, -1):
            for fewer in _fewer(given, index):
                yield replace(script, answers={**others, state: fewer})
    for name, items in script.items.items():
        rest = {key: one for key, one in script.items.items() if key != name}
        yield replace(script, items=rest)
        yield from (replace(script, items={**rest, name: less}) for less in _less(items))
    yield from (replace(script, input=less) for less in _less(script.input))


def _fewer(given: tuple[Answer, ...], index: int) -> Iterator[tuple[Answer, ...]]:
    """Answers without one of them, or with less in it."""
    before, after = given[:index], given[index + 1 :]
    if before or after:
        yield before + after
    one = given[index]
    if one.output is not NOTHING and not one.failed:
        yield from ((*before, replace(one, output=less), *after) for less in _less(one.output))
    if one.cause:
        yield (*before, replace(one, cause=""), *after)


def _less(value: Any) -> Iterator[Any]:
    """A value with something left out."""
    match value:
        case dict():
            for name in value:
                yield {key: inner for key, inner in value.items() if key != name}
            for name, member in value.items():
                yield from ({**value, name: less} for less in _less(member))
        case list():
            for index in range(len(value)):
                yield value[:index] + value[index + 1 :]
            for index, item in enumerate(value):
                yield from ([*value[:index], less, *value[index + 1 :]] for less in _less(item))
