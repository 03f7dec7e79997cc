"""Data with which a given rule of a Choice is the first to match.

Values to try come from the conditions: those that they compare with, their neighbours, and values
of other types. The state itself decides which rule matches; combinations that change fewer values
are tried first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, islice, pairwise, product
from math import prod
from typing import Any

from ..asl.jsonata_fields import is_expression
from ..coverage import Setting, deciding
from ..history import Visit
from ..model import State
from ..values.json_values import ABSENT, dumps
from ..values.timestamps import format_timestamp, parse_timestamp
from . import flow_jsonata, flow_states
from .data_repair import origin
from .findings import Origin
from .flow import ARRAY, MOMENT, Fixed, Read, get, put, wants
from .run import RunStep

TRIES = 3_000
"""Combinations of values for one Choice: all those of three values with 13 candidates each.

A tenth as many go to the values of each rule first, so that a Choice with many values still gets
the combinations that matter to one rule.
"""
LARGE = 2**53
"""From here on doubles have no number between two integers."""
_OTHERS: tuple[Any, ...] = (True, False, None, 0, 1, "", "a", [], [{}], {}, ABSENT)
"""Values of every type, one that is true and one that is false in JSONata ($boolean). A missing
value comes last: it is likelier to fail the state than to decide it.
"""
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
class ChoiceOptions:
    """The rules of a Choice that changes of data can reach."""

    by_rule: Mapping[int, Changes]
    """The smallest changes for each rule by its number; Default (or no rule) is the last one."""
    complete: bool
    """Whether every combination was tried, of values that represent all there are."""
    changeable: bool
    """Whether there was anything to change."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A Choice about to be made: its input, the variables, and what else conditions may read."""

    state: State
    visit: Visit
    data: Any
    variables: Mapping[str, Any]
    setting: Setting


def options(now: Situation, changeable: Callable[[Read], bool] = lambda _: True) -> ChoiceOptions:
    """Return the smallest changes with which each rule is the first to match.

    `changeable`: whether what a condition reads may be changed.
    """
    all_pools = _pools(now)
    pools = {read: pool for read, pool in all_pools.items() if _is_data(read) and changeable(read)}
    decide = deciding(now.state)
    by_rule: dict[int, Changes] = {}
    for changes in _changes(now.state, pools):
        then = _changed(now, changes)
        rule = decide(then.visit, then.data, then.variables, then.setting)
        if rule is not None:
            by_rule.setdefault(rule, changes)
        if len(by_rule) > len(now.state.rules):
            break
    every = prod(len(pool) + 1 for pool in pools.values())
    complete = every <= TRIES and _all_literal(now.state) and all(map(_is_data, all_pools))
    return ChoiceOptions(by_rule, complete, bool(pools))


def possible(step: RunStep) -> ChoiceOptions:
    """Return what can be reached by changing data from outside of the definition."""
    return options(situation(step), lambda read: isinstance(origin(step, read), Origin))


def fixed(step: RunStep) -> bool:
    """Return whether the definition spells out all that a Choice compares, on the path taken."""
    return all(isinstance(origin(step, read), Fixed) for read in _compared_reads(step.state))


def situation(step: RunStep, only: int | None = None) -> Situation:
    """Return a Choice as it was about to be made; `only`: as if it had this one rule."""
    execution, visit, state = step.trace.execution, step.visit, step.state
    if only is not None:
        state = replace(state, fields={**state.fields, "Choices": [state.rules[only].fields]})
    setting = Setting(execution.identity, execution.engine.input, execution.engine.started_at)
    variables = step.trace.visits.variables[visit.entered.id]
    return Situation(state, visit, visit.input, variables, setting)


def _is_data(read: Read) -> bool:
    """Return whether it can be changed: of the context object only the execution's input can."""
    return read.root != "context" or read.keys[:2] == ("Execution", "Input")


def _compared_reads(state: State) -> set[Read]:
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
                variable = {root[1:]: None if whole is ABSENT else whole}
                now = replace(now, variables={**now.variables, **variable})
    return now


def _current(now: Situation, read: Read) -> Any:
    """Return the value that a condition reads; ABSENT when it is missing or can't be changed."""
    match read.root, read.keys:
        case "input", keys:
            return get(now.data, keys)
        case "context", ("Execution", "Input", *rest):
            return get(now.setting.input, tuple(rest))
    return get(now.variables, (read.root[1:], *read.keys))


def _changes(state: State, pools: Pools) -> Iterator[Changes]:
    """Yield what to try: first what one rule compares, then all values."""
    for rule in state.rules:
        own = {read: pools[read] for read, _ in _compared(state, rule.fields) if read in pools}
        yield from islice(_combined(own), TRIES // 10)
    yield from islice(_combined(pools), TRIES)


def _combined(pools: Pools) -> Iterator[Changes]:
    """Yield combinations of values, those that change the fewest first."""
    for count in range(len(pools) + 1):
        for reads in combinations(pools, count):
            for values in product(*(pools[read] for read in reads)):
                yield tuple(zip(reads, values, strict=True))


def _pools(now: Situation) -> dict[Read, list[Any]]:
    """Return the values to try in the place of each one that the conditions compare."""
    state = now.state
    pools: dict[Read, list[Any]] = {}
    for rule in state.rules:
        for read, values in _compared(state, rule.fields):
            pools.setdefault(read, []).extend(values)
    if not _all_literal(state):
        # Values may be compared with one another: each is tried near all the others.
        current = (_current(now, read) for read in pools)
        texts = (value for value in current if isinstance(value, str | int))
        beside = [near for value in texts for near in _near(value)]
        pools = {read: [*pool, *beside] for read, pool in pools.items()}
    return {read: _distinct(_between(values)) for read, values in pools.items()}


def _compared(state: State, rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    """Yield what a rule compares, with values to try."""
    return _of_query(rule) if state.jsonata else _of_comparisons(state, rule)


def _of_query(rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    text = rule["Condition"]
    if not is_expression(text):
        return
    query = flow_jsonata.query(text)
    near = [value for literal in query.literals for value in _near(literal)]
    for want in wants(query.flow, True):
        if isinstance(want.flow, Read):
            # A predicate, `items[kind = "a"]`, needs an array with an object that it selects.
            example = [want.example] if isinstance(want.example, list | dict | bool) else []
            filtered = [[{name: v} for name in query.names] for v in query.literals]
            yield want.flow, [*example, *near, *(x for x in filtered if x), *_OTHERS]


def _of_comparisons(state: State, rule: Mapping[str, Any]) -> Iterator[tuple[Read, list[Any]]]:
    data = flow_states.data(state)
    for comparison in flow_states.comparisons(rule):
        values = _of_comparison(comparison.name, comparison.expected)
        for path in comparison.paths:
            for want in wants(flow_states.path(path, data)):
                if isinstance(want.flow, Read):
                    # A path with a wildcard or filter needs an array of such values.
                    in_array = isinstance(want.example, list)
                    yield want.flow, [[], ARRAY, *([v] for v in values)] if in_array else values


def _of_comparison(name: str, expected: Any) -> list[Any]:
    if name in _OF_TYPE:
        return [*_OF_TYPE[name]]
    if name == "StringMatches":
        return [_matching(expected), f"{_matching(expected)}-", "a"]
    if name.endswith("Path"):
        return [*next(of for kind, of in _OF_PATHS.items() if name.startswith(kind))]
    return [*_near(expected), 0 if isinstance(expected, str) else "a"]


def _near(literal: Any) -> list[Any]:
    """Return a value and its neighbours: they lie on both sides of every comparison."""
    match literal:
        case bool():
            return [literal, not literal]
        case int() | float():
            return [literal, literal - 1, literal + 1]
        case str() if moment := parse_timestamp(literal):
            return [literal, *(format_timestamp(moment[0] + seconds) for seconds in (-1, 1))]
        case str():
            return [literal, f"{literal}a", ""]
    return [literal]


def _between(values: list[Any]) -> list[Any]:
    """Return the values, and what lies between two neighbouring numbers."""
    numbers = sorted({v for v in values if type(v) in (int, float) and abs(v) < LARGE})
    return [*values, *((low + high) / 2 for low, high in pairwise(numbers))]


def _distinct(values: list[Any]) -> list[Any]:
    return list({"" if value is ABSENT else dumps(value): value for value in values}.values())


def _matching(pattern: str) -> str:
    """Return the shortest text that a StringMatches pattern matches."""
    return re.sub(r"\\(.)|\*", lambda match: match[1] or "", pattern)


def _all_literal(state: State) -> bool:
    """Return whether the values tried represent all: each is only compared with constants."""
    if state.jsonata:
        return False
    rules = [rule.fields for rule in state.rules]
    names = {one.name for rule in rules for one in flow_states.comparisons(rule)}
    wanted = (want for rule in rules for want in flow_states.compared(state, rule))
    exact = all(isinstance(want.flow, Read) for want in wanted)
    return exact and not any(n.endswith("Path") or n == "StringMatches" for n in names)
