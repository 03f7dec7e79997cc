"""Which patterns may run on Python's ``re``, and as what.

``re`` is fast, but nothing can stop it: a pattern may run there only on texts so short that its
worst case is bounded, and only if both languages mean the same by it.
"""

from __future__ import annotations

import re
from typing import Final

from .regex_nodes import Back, Chain, Characters, Choice, Edge, Group, Look, Ranges, Regex, Repeat

_MOST_STEPS: Final = 100_000
"""What the worst case of a search may cost, in characters looked at: half a millisecond."""

Cost = tuple[float, int]
"""(factor, degree): a search in n characters takes at most factor × n**degree steps."""


def longest_text(tree: Regex) -> tuple[int, Cost]:
    """Up to which length texts may be searched with ``re`` (0: never), and what that costs."""
    cost = _cost(tree)
    if cost is None or cost[0] > _MOST_STEPS:
        return 0, (0, 0)
    factor, degree = cost
    return int((_MOST_STEPS / factor) ** (1 / (degree + 1))), (factor, degree + 1)


def _cost(tree: Regex) -> Cost | None:
    """None where ``re`` could take exponential time, or would give another answer."""
    match tree:
        case Characters() | Edge():
            return 1, 0
        case Chain(items=items):
            return _of_chain(items)
        case Choice(options=options):
            costs = [_cost(option) for option in options]
            known = [cost for cost in costs if cost is not None]
            if len(known) < len(costs):
                return None
            return sum(factor for factor, _ in known), max(degree for _, degree in known)
        case Group(body=body):
            return _cost(body)
        case Repeat():
            return _of_repeat(tree)
    return None  # looks and back references


def _of_chain(items: tuple[Regex, ...]) -> Cost | None:
    total: Cost = (1, 0)
    for item in items:
        cost = _cost(item)
        if cost is None:
            return None
        total = (total[0] * cost[0], total[1] + cost[1])
    return total


def _of_repeat(tree: Repeat) -> Cost | None:
    if tree.most == 1:
        inner = _cost(tree.body)
        return None if inner is None else (inner[0] + 1, inner[1])
    if not _is_fixed(tree.body):
        return None
    return (1, 1) if tree.most is None else (tree.most - tree.least + 1, 0)


def _is_fixed(tree: Regex) -> bool:
    """Whether there is only one way to match: no choice, no repetition."""
    match tree:
        case Characters():
            return True
        case Chain(items=items):
            return bool(items) and all(map(_is_fixed, items))
        case Group(body=body):
            return _is_fixed(body)
    return False


def to_python(tree: Regex, *, ignore_case: bool, multiline: bool) -> re.Pattern[str]:
    """The pattern for ``re``."""
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    return re.compile(_text(tree, multiline=multiline), flags)


def _text(tree: Regex, *, multiline: bool) -> str:
    def text(inner: Regex) -> str:
        return _text(inner, multiline=multiline)

    match tree:
        case Characters(ranges=ranges):
            return class_of(ranges)
        case Chain(items=items):
            return "".join(map(text, items))
        case Choice(options=options):
            return "(?:" + "|".join(map(text, options)) + ")"
        case Group(body=body):
            return f"({text(body)})"
        case Repeat(body=body, least=least, most=most, greedy=greedy):
            count = f"{{{least},{'' if most is None else most}}}"
            return f"(?:{text(body)}){count}" + ("" if greedy else "?")
        case Edge(kind=kind):
            return (_EDGES_OF_LINES if multiline else _EDGES)[kind]
        case Look() | Back():
            raise AssertionError("never run on re")


_WORD_EDGE: Final = "(?:(?<![A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?![A-Za-z0-9_]))"
_EDGES: Final = {"^": r"\A", "$": r"\Z", "b": _WORD_EDGE, "B": f"(?!{_WORD_EDGE})"}
_EDGES_OF_LINES: Final = {
    **_EDGES,
    "^": "(?<![^\n\r\u2028\u2029])",
    "$": "(?![^\n\r\u2028\u2029])",
}


def class_of(ranges: Ranges) -> str:
    """A set of characters as ``re`` writes it."""
    if not ranges:
        return "(?!)"
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]"
