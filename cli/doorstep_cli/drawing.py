"""A workflow as nodes and edges, coloured by a history, whatever it is going to be written as."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from doorstep.visits import Outcome, Visits

if TYPE_CHECKING:
    from doorstep.definition import Machine, Scope, State

Colour = Outcome | Literal["not reached"]
COLOURS: Mapping[Colour, tuple[str, str]] = {
    "succeeded": ("#d4f2d2", "#1d8102"),
    "caught": ("#fde3c4", "#d45b07"),
    "failed": ("#fbd3d0", "#c7131f"),
    "in progress": ("#cfe4ff", "#0073bb"),
    "aborted": ("#e6e6e6", "#545b64"),
    "not reached": ("#ffffff", "#aab7b8"),
}
"""Fill and stroke of each outcome, after the console's."""
START, END = "start", "finish"
_STRONGEST: tuple[Outcome, ...] = ("failed", "caught", "in progress", "aborted", "succeeded")
_LABEL = 40
"""Characters of a condition that an edge shows."""
_SIGNS = {
    "Equals": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "Matches": "matches",
}
_COMPARISON = re.compile(rf"(?:String|Numeric|Boolean|Timestamp)({'|'.join(_SIGNS)})(Path)?")
_NOT_OPERATORS = ("Variable", "Next", "Comment", "Assign", "Output")


@dataclass(frozen=True, slots=True)
class Node:
    """A state; a Parallel or Map has the states that it contains."""

    id: str
    type: str
    label: str
    colour: Colour | None = None
    inner: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and all within it."""
        yield self
        for node in self.inner:
            yield from node.walk()


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition; `caught` is one that a catcher makes."""

    start: str
    end: str
    label: str = ""
    caught: bool = False


@dataclass(slots=True)
class Drawing:
    """All that there is to write down."""

    title: str
    nodes: list[Node]
    edges: list[Edge]

    @property
    def all_nodes(self) -> list[Node]:
        """Every node, in the order of the definition."""
        return [inner for node in self.nodes for inner in node.walk()]

    @property
    def legend(self) -> list[Colour]:
        """The colours that occur."""
        used = {node.colour for node in self.all_nodes}
        return [colour for colour in COLOURS if colour in used]


def draw(machine: Machine, title: str, visits: Visits | None = None) -> Drawing:
    """The drawing of an accepted definition, coloured by what happened when that is known."""
    drawing = Drawing(title, [], [])
    pen = _Pen(drawing.edges, visits)
    drawing.nodes = pen.scope(machine.scope)
    return drawing


class _Pen:
    def __init__(self, edges: list[Edge], visits: Visits | None) -> None:
        self._edges = edges
        self._visits = visits
        self._numbers = count(1)

    def scope(self, scope: Scope, *, outermost: bool = True) -> list[Node]:
        ids = {name: f"s{next(self._numbers)}" for name in scope.states}
        if outermost:
            self._edges.append(Edge(START, ids[scope.start_at]))
        nodes = []
        for name, state in scope.states.items():
            nodes.append(self._node(ids[name], state))
            for label, target, caught in _transitions(state):
                self._edges.append(Edge(ids[name], ids[target], label, caught))
            if outermost and _is_last(state):
                self._edges.append(Edge(ids[name], END))
        return nodes

    def _node(self, node_id: str, state: State) -> Node:
        inner = [node for scope in state.scopes for node in self.scope(scope, outermost=False)]
        colour, times = self._happened(state.name)
        label = f"{state.name} ×{times}" if times > 1 else state.name
        kind = _kind(state)
        return Node(node_id, state.type, f"{label} ({kind})" if kind else label, colour, inner)

    def _happened(self, name: str) -> tuple[Colour | None, int]:
        if self._visits is None:
            return None, 0
        outcomes = Counter(visit.outcome for visit in self._visits.all if visit.name == name)
        found: list[Colour] = [one for one in _STRONGEST if one in outcomes]
        return (found or ["not reached"])[0], outcomes.total()


def _kind(state: State) -> str:
    """What a group's frame says beside its name."""
    if state.type == "Map":
        config = state.fields.get("ItemProcessor", {}).get("ProcessorConfig", {})
        return "distributed Map" if config.get("Mode") == "DISTRIBUTED" else "Map"
    return "Parallel" if state.type == "Parallel" else ""


def _is_last(state: State) -> bool:
    return bool(state.fields.get("End")) or state.type in ("Succeed", "Fail")


def _transitions(state: State) -> Iterator[tuple[str, str, bool]]:
    """Label, target, and whether an error takes this way."""
    fields = state.fields
    for rule in fields.get("Choices", ()):
        yield _brief(condition(rule)), rule["Next"], False
    if "Default" in fields:
        yield "default", fields["Default"], False
    if "Next" in fields:
        yield "", fields["Next"], False
    for catcher in fields.get("Catch", ()):
        yield _brief(", ".join(catcher["ErrorEquals"])), catcher["Next"], True


def condition(rule: Mapping[str, Any]) -> str:
    """A choice rule as one would say it: `$.total > 100 and not ($.vip = true)`."""
    if "Condition" in rule:
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    operator = next(name for name in rule if name not in _NOT_OPERATORS)
    operand = rule[operator]
    if operator == "Not":
        return f"not ({condition(operand)})"
    if operator in ("And", "Or"):
        return f" {operator.lower()} ".join(_inside(operand))
    if comparison := _COMPARISON.fullmatch(operator):
        sign, is_path = _SIGNS[comparison[1]], comparison[2]
        value = operand if is_path else json.dumps(operand, ensure_ascii=False)
        return f"{rule['Variable']} {sign} {value}"
    return f"{rule['Variable']} is {'' if operand else 'not '}{operator[2:].lower()}"


def _inside(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        text = condition(rule)
        yield f"({text})" if "And" in rule or "Or" in rule else text


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…"
