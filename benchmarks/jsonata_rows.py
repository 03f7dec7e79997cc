"""JSONata: expressions evaluated on few and on many items, and executions made of them.

Peers are called as their users write it: compiled once, with variables where the tool has them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from engine_rows import Hand, dumps, each_event, executed, timed
from measure import Growth, Row, Work, cost

from doorstep import jsonata

FEW, MANY = 20, 5_000
ROUNDS, RULES = 2_000, 50

Evaluation = Callable[[], object]


def variables(size: int) -> dict[str, Any]:
    """Return variables like those of a state, with so many items."""
    items = [{"price": place * 7 % 23, "name": f"n{place % 10}"} for place in range(size)]
    return {"states": {"input": {"a": {"b": "value"}, "items": items}}, "i": 1}


def grouped(items: list[Any]) -> dict[str, int]:
    groups: dict[str, int] = {}
    for item in items:
        groups[item["name"]] = groups.get(item["name"], 0) + item["price"]
    return groups


def object_by_hand(v: Mapping[str, Any]) -> dict[str, Any]:
    text = v["states"]["input"]["a"]["b"]
    return {"id": text, "n": v["i"], "s": text + "x"}


def items(v: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = v["states"]["input"]["items"]
    return found


Hands = dict[str, tuple[str, Callable[[Mapping[str, Any]], object]]]
SMALL: Hands = {
    "path": ("$states.input.a.b", lambda v: v["states"]["input"]["a"]["b"]),
    "arithmetic": ("$i + 1", lambda v: v["i"] + 1),
    "comparison": ("$i < 1000 and $i != 5", lambda v: v["i"] < 1000 and v["i"] != 5),
    "object": (
        '{"id": $states.input.a.b, "n": $i, "s": $states.input.a.b & "x"}',
        object_by_hand,
    ),
}
LARGE: Hands = {
    "filter": (
        "$states.input.items[price > 10]",
        lambda v: [item for item in items(v) if item["price"] > 10],
    ),
    "$filter": (
        "$filter($states.input.items, function($v){ $v.price > 10 })",
        lambda v: [item for item in items(v) if item["price"] > 10],
    ),
    "$map": (
        "$map($states.input.items, function($v){ $v.price * 2 })",
        lambda v: [item["price"] * 2 for item in items(v)],
    ),
    "objects": (
        'states.input.items.{"n": name, "p": price * 2}'.replace("states", "$states", 1),
        lambda v: [{"n": item["name"], "p": item["price"] * 2} for item in items(v)],
    ),
    "$reduce": (
        "$reduce($states.input.items.price, function($a, $b){ $a + $b })",
        lambda v: sum(item["price"] for item in items(v)),
    ),
    "$sum": ("$sum($states.input.items.price)", lambda v: sum(i["price"] for i in items(v))),
    "group": ("$states.input.items{name: $sum(price)}", lambda v: grouped(items(v))),
    "$sort": (
        "$sort($states.input.items, function($l, $r){ $l.price > $r.price })",
        lambda v: sorted(items(v), key=lambda item: item["price"]),
    ),
    "order": (
        "$states.input.items^(>price)",
        lambda v: sorted(items(v), key=lambda item: -item["price"]),
    ),
}


def ours(text: str, bound: dict[str, Any]) -> Evaluation:
    """Return an evaluation as users write it."""
    expression = jsonata.compile(text)
    return lambda: expression.evaluate(jsonata.UNDEFINED, bound)


def _jsonata_python(text: str, bound: dict[str, Any]) -> Evaluation:
    limit = sys.getrecursionlimit()
    expression = import_module("jsonata").Jsonata(text)
    sys.setrecursionlimit(limit)  # which importing it changes
    frame = expression.create_frame()
    for name, value in bound.items():
        frame.bind(name, value)
    return lambda: expression.evaluate(None, frame)


def _jsonata2py(text: str, bound: dict[str, Any]) -> Evaluation:
    package = import_module("jsonata2py")
    expression, bindings = package.compile(text), package.JsonataBindings()
    for name, value in bound.items():
        bindings.bind_value(name, value)
    return lambda: expression.evaluate(None, bindings)


def _jlens(text: str, bound: dict[str, Any]) -> Evaluation:
    expression = import_module("jlens").Expression(text)
    return lambda: expression.evaluate(None, bound)


def _jsonatapy(text: str, bound: dict[str, Any]) -> Evaluation:
    expression = import_module("jsonatapy").compile(text)
    return lambda: expression.evaluate(None, bound)


PEERS = {
    "jsonata-python": _jsonata_python,
    "jsonata2py": _jsonata2py,
    "jlens (Rust)": _jlens,
    "jsonatapy (Rust)": _jsonatapy,
}


def evaluations(kind: str, size: int, unit: str, hands: Hands, goal: str) -> list[Row]:
    """Return a row for each expression."""
    rows = []
    for name, (text, by_hand) in hands.items():
        bound = variables(size)
        peers: dict[str, Work] = {}
        for peer, prepare in PEERS.items():
            try:
                peers[peer] = cost(prepare(text, bound), unit)
            except ImportError:
                continue
        row = f"JSONata {kind}{name}"
        floor = cost(lambda by_hand=by_hand, bound=bound: by_hand(bound), unit)  # type: ignore[misc]
        rows.append(Row(row, unit, cost(ours(text, bound), unit), floor, peers, goal))
    return rows


def loop(rounds: int) -> dict[str, Any]:
    """Return a counting loop: Pass with Assign, then Choice. Four events a round."""
    more = {"Condition": f"{{% $i < {rounds} %}}", "Next": "Count"}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Assign": {"i": 0}, "Next": "Count"},
            "Count": {"Type": "Pass", "Assign": {"i": "{% $i + 1 %}"}, "Next": "More"},
            "More": {"Type": "Choice", "Choices": [more], "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }


def choices(rounds: int, rules: int) -> dict[str, Any]:
    """Return the loop with so many rules that do not hold before the one that does."""
    definition = loop(rounds)
    state = definition["States"]["More"]
    more = {"Condition": "{% $i = %d %}", "Next": "End"}
    never = [{**more, "Condition": f"{{% $i = -{number} %}}"} for number in range(1, rules)]
    state["Choices"] = [*never, *state["Choices"]]
    return definition


def loop_by_hand(rounds: int, rules: int = 1) -> Callable[[Hand], None]:
    never = [-number for number in range(1, rules)]

    def work(hand: Hand) -> None:
        i, last, text = 0, 0, dumps({})
        while i < rounds:
            last = hand.state("PassStateEntered", "Count", "input", text, last)
            i = i + 1
            last = hand.state("PassStateExited", "Count", "output", text, last)
            details = hand.history[-1]["details"]
            details["assignedVariables"] = {"i": dumps(i)}
            details["assignedVariablesDetails"] = {"truncated": False}
            last = hand.state("ChoiceStateEntered", "More", "input", text, last)
            for number in never:
                if i == number:
                    return
            last = hand.state("ChoiceStateExited", "More", "output", text, last)

    return work


def rows() -> list[Row]:
    """Return what is measured of JSONata."""
    return [
        *evaluations("", FEW, "µs", SMALL, "10 × jsonata-python; a path 20 × and 0.5 µs"),
        *evaluations(f"{FEW} items, ", FEW, "µs", LARGE, "10 × jsonata-python, 1 × jsonata2py"),
        *evaluations(f"{MANY} items, ", MANY, "ms", LARGE, "10 × jsonata-python, 1 × jsonata2py"),
        Row(
            "JSONata loop",
            "µs an event",
            each_event(executed(loop(ROUNDS), {})),
            each_event(timed(loop_by_hand(ROUNDS))),
            goal="2 floors",
        ),
        Row(
            f"Choice of {RULES} rules, JSONata",
            "µs an event",
            each_event(executed(choices(ROUNDS, RULES), {})),
            each_event(timed(loop_by_hand(ROUNDS, RULES))),
            goal="6 floors",
        ),
    ]


def growths() -> list[Growth]:
    """Return how the cost of an expression grows with the items that it goes through."""
    sizes = (1_000, 10_000)
    return [
        Growth(f"items of {name}", sizes, lambda size, text=text: ours(text, variables(size)))  # type: ignore[misc]
        for name, (text, _) in LARGE.items()
        if name in ("filter", "$map", "group", "$sort")
    ]
