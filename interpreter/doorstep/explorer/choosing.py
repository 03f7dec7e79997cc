"""Data with which a given rule of a Choice is the first to hold.

Values to try come from the conditions: those that they compare with, the ones just beside, and
values of other types. Which rule holds is asked of the state itself; combinations that change
fewer values are tried first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, islice, pairwise, product
from math import prod
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..coverage.reader import Setting, deciding
from ..history import Visit
from ..model.definition import State
from ..values.json_values import dumps
from ..values.timestamps import format_timestamp, parse_timestamp
from . import flow_jsonata, flow_jsonpath, flow_states
from .flow import ABSENT, ARRAY, MOMENT, Read, get, put, wants

TRIES = 3_000
LARGE = 2**53
"""From here on there is not always a number between two."""
_OTHERS: tuple[Any, ...] = (True, False, None, 0, 1, "", "a", [], [{}], {}, ABSENT)
_OF_TYPE: dict[str, tuple[Any, ...]] = {
    "IsNull": (None, ""),
    "IsString": ("a", 0),
    "IsNumeric": (0, "a"),
    "IsBoolean": (True, "a"),
    "IsTimestamp": (MOMENT, "a"),
    "IsPresent": ("a", ABSENT),
}
_OF_PATHS: dict[str, tuple[Any, ...]] = {
    "String": ("b", "a", "c", 0),
    "Numeric": (1, 0, 2, "a"),
    "Boolean": (True, False, "a"),
    "Timestamp": (MOMENT, "2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "a"),
}


Pools = Mapping[Read, list[Any]]
Changes = tuple[tuple[Read, Any], ...]


@dataclass(frozen=True, slots=True)
class Option:
    """What to change so that a rule is taken; its number, Default (or none) being the last."""

    rule: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class Options:
    """What can be had of a Choice."""

    found: Mapping[int, Option]
    complete: bool
    """Whether every combination was tried, of values that stand for all there are."""
    free: bool
    """Whether there was anything to change."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A Choice about to be made: its input, the variables, and what else conditions may ask."""

    state: State
    visit: Visit
    data: Any
    variables: Mapping[str, Any]
    setting: Setting


def options(now: Situation, free: Callable[[Read], bool] = lambda _: True) -> Options:
    """For each rule that can be had the least change to what is free to be changed."""
    all_pools = _pools(now)
    pools = {read: pool for read, pool in all_pools.items() if _is_data(read) and free(read)}
    decide = deciding(now.state)
    found: dict[int, Option] = {}
    for changes in _changes(now.state, pools):
        then = _changed(now, changes)
        rule = decide(then.visit, then.data, then.variables, then.setting)
        if rule is not None:
            found.setdefault(rule, Option(rule, changes))
        if len(found) > len(now.state.rules):
            break
    every = prod(len(pool) + 1 for pool in pools.values())
    complete = every <= TRIES and _all_literal(now.state) and all(map(_is_data, all_pools))
    return Options(found, complete, bool(pools))


def _is_data(read: Read) -> bool:
    """Whether it can be changed here: not the rest of the context object."""
    return read.root != "context" or read.keys[:2] == ("Execution", "Input")


def looked_at(state: State) -> set[Read]:
    """What the conditions of a Choice look at."""
    return {read for rule in state.rules for read, _ in _compared(state, rule.fields)}


def _changed(now: Situation, changes: Iterable[tuple[Read, Any]]) -> Situation:
    for read, value in changes:
        match read.root, read.keys:
            case "input", keys:
                data = put(now.data, keys, value)
                now = replace(now, data={} if data is ABSENT else data)
            case "context", ("Execution", "Input", *rest):
                changed = put(now.setting.input, tuple(rest), value)
                now = replace(now, setting=replace(now.setting, input=changed))
            case str(root), keys if root[0] == "$":
                whole = put(now.variables.get(root[1:], {}), keys, value)
                known = {root[1:]: None if whole is ABSENT else whole}
                now = replace(now, variables={**now.variables, **known})
    return now


def _current(now: Situation, read: Read) -> Any:
    """What a condition sees there; ABSENT when nothing is, or when it comes from elsewhere."""
    match read.root, read.keys:
        case "input", keys:
            return get(now.data, keys)
        case "context", ("Execution", "Input", *rest):
            return get(now.setting.input, tuple(rest))
    return get(now.variables, (read.root[1:], *read.keys))


def _changes(state: State, pools: Pools) -> Iterator[Changes]:
    """What to try: first what one rule looks at, then whatever there is."""
    for rule in state.rules:
        own = {read: pools[read] for read, _ in _compared(state, rule.fields) if read in pools}
        yield from islice(_combined(own), TRIES // 10)
    yield from islice(_combined(pools), TRIES)


def _combined(pools: Pools) -> Iterator[Changes]:
    """Combinations of values, those that change the fewest first."""
    for count in range(len(pools) + 1):
        for reads in combinations(pools, count):
            for values in product(*(pools[read] for read in reads)):
                yield tuple(zip(reads, values, strict=True))


def _pools(now: Situation) -> dict[Read, list[Any]]:
    """For each value that the conditions look at, what to try in its place."""
    state = now.state
    pools: dict[Read, list[Any]] = {}
    for rule in state.rules:
        for read, values in _compared(state, rule.fields):
            pools.setdefault(read, []).extend(values)
    if not _all_literal(state):
        # They may be compared with one another.
        seen = (_current(now, read) for read in pools)
        beside = [near for value in seen if isinstance(value, str | int) for near in _near(value)]
        pools = {read: [*pool, *beside] for read, pool in pools.items()}
    return {read: _distinct(_between(values)) for read, values in pools.items()}


def _compared(state: State, rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    """What a rule looks at, with values to try."""
    return _of_query(rule) if state.jsonata else _of_comparisons(state, rule)


def _of_query(rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    text = rule["Condition"]
    if not is_expression(text):
        return
    query = flow_jsonata.query(text)
    near = [value for literal in query.literals for value in _near(literal)]
    for want in wants(query.flow, True):
        if isinstance(want.flow, Read):
            example = [want.example] if isinstance(want.example, list | dict | bool) else []
            filtered = [[{name: v} for name in query.names] for v in query.literals]
            yield want.flow, [*example, *near, *(x for x in filtered if x), *_OTHERS]


def _of_comparisons(state: State, rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    data = flow_states.data(state)
    for comparison in flow_states.comparisons(rule):
        values = _of_comparison(comparison.name, comparison.expected)
        for path in comparison.paths:
            for want in wants(flow_jsonpath.path(path, data)):
                if isinstance(want.flow, Read):
                    listed = isinstance(want.example, list)
                    yield want.flow, [[], ARRAY, *([v] for v in values)] if listed else values


def _of_comparison(name: str, expected: Any) -> list[Any]:
    if name in _OF_TYPE:
        return [*_OF_TYPE[name]]
    if name == "StringMatches":
        return [_matching(expected), f"{_matching(expected)}-", "a"]
    if name.endswith("Path"):
        return [*next(of for kind, of in _OF_PATHS.items() if name.startswith(kind))]
    return [*_near(expected), 0 if isinstance(expected, str) else "a"]


def _near(literal: Any) -> list[Any]:
    """A value, and those just beside it."""
    match literal:
        case bool():
            return [literal, not literal]
        case int() | float():
            return [literal, literal - 1, literal + 1]
        case str() if moment := parse_timestamp(literal):
            beside = (format_timestamp(moment[0] + seconds) for seconds in (-1, 1))
            return [literal, *beside]
        case str():
            return [literal, f"{literal}a", ""]
    return [literal]


def _between(values: list[Any]) -> list[Any]:
    """The values, and what lies between two neighbouring numbers."""
    numbers = sorted({v for v in values if type(v) in (int, float) and abs(v) < LARGE})
    return [*values, *((low + high) / 2 for low, high in pairwise(numbers))]


def _distinct(values: list[Any]) -> list[Any]:
    return list({"" if value is ABSENT else dumps(value): value for value in values}.values())


def _matching(pattern: str) -> str:
    return re.sub(r"\\(.)|\*", lambda found: found[1] or "", pattern)


def _all_literal(state: State) -> bool:
    """Whether the values tried stand for all: comparisons of one value with a constant."""
    if state.jsonata:
        return False
    rules = [rule.fields for rule in state.rules]
    names = {one.name for rule in rules for one in flow_states.comparisons(rule)}
    wanted = (want for rule in rules for want in flow_states.compared(state, rule))
    exact = all(isinstance(want.flow, Read) for want in wanted)
    return exact and not any(n.endswith("Path") or n == "StringMatches" for n in names)
