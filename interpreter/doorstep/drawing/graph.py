"""A workflow as nodes and edges, coloured by what is known of them, whatever it is written as."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from ..history import VisitOutcome
from ..model import Clause, Scope, State, Transition, Workflow, operator_of

Colour = VisitOutcome | Literal["not reached", "covered", "partly covered", "not covered"]
_GREEN, _ORANGE, _RED = ("#d4f2d2", "#1d8102"), ("#fde3c4", "#d45b07"), ("#fbd3d0", "#c7131f")
COLOURS: Mapping[Colour, tuple[str, str]] = {
    "succeeded": _GREEN,
    "caught": _ORANGE,
    "failed": _RED,
    "in progress": ("#cfe4ff", "#0073bb"),
    "aborted": ("#e6e6e6", "#545b64"),
    "not reached": ("#ffffff", "#aab7b8"),
    "covered": _GREEN,
    "partly covered": _ORANGE,
    "not covered": _RED,
}
"""Fill and stroke of each outcome, after the console's; of tests, a traffic light's."""
START, END = "start", "finish"
START_AT = "/StartAt"
"""Where the mark of the first transition stands."""
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


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of a part of a definition: a colour, a text and a link to more."""

    colour: Colour
    times: int = 0
    text: str = ""
    link: str = ""
    retries: int = 0
    iterations: tuple[int, int, int] | None = None
    """Of a Map: how many succeeded, failed, and are in progress."""
    ended: bool = False
    """Whether it is what ended the execution."""

    @property
    def counts(self) -> str:
        """Visits from the second on, retries and iterations: `×2 ↻1 7✓ 1✗ 2…`."""
        done, failed, running = self.iterations or (0, 0, 0)
        signs = {"✓": done, "✗": failed, "…": running}
        return " ".join(
            [
                *([f"×{self.times:,}"] if self.times > 1 else []),
                *([f"↻{self.retries:,}"] if self.retries else []),
                *(f"{number:,}{sign}" for sign, number in signs.items() if number),
            ]
        )


Marks = Mapping[str, Mark]
"""By JSON Pointer: of states, transitions, rules, retriers and catchers."""


@dataclass(frozen=True, slots=True)
class RetryMark:
    """An entry of Retry."""

    label: str
    mark: Mark | None = None
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A state; a Parallel or Map has the branches or the processor that it contains."""

    id: str
    type: str
    name: str
    pointer: str
    kind: str = ""
    """What a group's frame says beside its name."""
    mark: Mark | None = None
    scopes: Sequence[Sequence[Node]] = ()
    retriers: Sequence[RetryMark] = ()

    @property
    def label(self) -> str:
        """Its name, what is counted of it, what kind of group it is."""
        counts = f" {self.mark.counts}" if self.mark and self.mark.counts else ""
        return f"{self.name}{counts}" + (f" ({self.kind})" if self.kind else "")

    @property
    def title(self) -> str:
        """The label without what is counted: the same whatever happens."""
        return f"{self.name} ({self.kind})" if self.kind else self.name

    @property
    def colour(self) -> Colour | None:
        """Its mark's."""
        return self.mark.colour if self.mark else None

    @property
    def inner(self) -> list[Node]:
        """The states directly in it."""
        return [node for scope in self.scopes for node in scope]

    def walk(self) -> Iterator[Node]:
        """Yield this node and all within it."""
        yield self
        for node in self.inner:
            yield from node.walk()


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition; `caught` is one that a catcher makes."""

    start: str
    end: str
    label: str = ""
    """A rule's condition, a catcher's errors."""
    caught: bool = False
    mark: Mark | None = None
    brief: str = ""
    """As much of the label as is drawn."""
    pointer: str = ""
    """Where its mark stands."""


@dataclass(slots=True)
class Drawing:
    """All that there is to write down."""

    title: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    @property
    def all_nodes(self) -> list[Node]:
        """Every node, in the order of the definition."""
        return [inner for node in self.nodes for inner in node.walk()]

    @property
    def legend(self) -> list[Colour]:
        """The colours that occur."""
        marks = [edge.mark for edge in self.edges]
        for node in self.all_nodes:
            marks += [node.mark, *(retrier.mark for retrier in node.retriers)]
        used = {mark.colour for mark in marks if mark}
        return [colour for colour in COLOURS if colour in used]


def draw(workflow: Workflow, title: str, marks: Marks | None = None) -> Drawing:
    """Return the drawing of an accepted definition, coloured by the marks when there are any."""
    drawing = Drawing(title)
    drawing.nodes = _Pen(drawing.edges, marks or {}).scope(workflow.scope)
    return drawing


class _Pen:
    def __init__(self, edges: list[Edge], marks: Marks) -> None:
        self._edges = edges
        self._marks = marks
        self._numbers = count(1)

    def scope(self, scope: Scope, *, outermost: bool = True) -> list[Node]:
        ids = {name: f"s{next(self._numbers)}" for name in scope.states}
        if outermost:
            mark = self._marks.get(START_AT)
            self._edges.append(Edge(START, ids[scope.start_at], mark=mark, pointer=START_AT))
        nodes = []
        for name, state in scope.states.items():
            nodes.append(self._node(ids[name], state))
            out = [one for one in state.transitions() if one.target is not None]
            labels = [_label(one) for one in out]
            for transition, label, brief in zip(out, labels, briefs(labels), strict=True):
                self._edges.append(self._edge(ids, state, transition, label, brief))
            if outermost and state.ends:
                end = f"{state.pointer}/End"
                self._edges.append(Edge(ids[name], END, mark=self._marks.get(end), pointer=end))
        return nodes

    def _edge(
        self,
        ids: Mapping[str, str],
        state: State,
        transition: Transition,
        label: str,
        brief: str,
    ) -> Edge:
        pointer = f"{state.pointer}/{transition.pointer}"
        mark = self._marks.get(pointer)
        caught = transition.clause is not None and transition.clause.list == "Catch"
        target = str(transition.target)
        return Edge(ids[state.name], ids[target], label, caught, mark, brief, pointer)

    def _node(self, node_id: str, state: State) -> Node:
        return Node(
            id=node_id,
            type=state.type,
            name=state.name,
            pointer=state.pointer,
            kind=_kind(state),
            mark=self._marks.get(state.pointer),
            scopes=[self.scope(scope, outermost=False) for scope in state.scopes],
            retriers=[
                self._retrier(retrier, f"{state.pointer}/{retrier.pointer}")
                for retrier in state.retriers
            ],
        )

    def _retrier(self, retrier: Clause, pointer: str) -> RetryMark:
        return RetryMark(_errors(retrier), self._marks.get(pointer), pointer)


def _kind(state: State) -> str:
    if state.distributed:
        return "distributed Map"
    return state.type if state.scopes else ""


def _label(transition: Transition) -> str:
    clause = transition.clause
    if clause is None:
        return "default" if transition.pointer == "Default" else ""
    return condition(clause.fields) if clause.list == "Choices" else _errors(clause)


def briefs(labels: Sequence[str]) -> list[str]:
    """Return the labels of one state's transitions, cut so that what differs is kept.

    Both ends are kept; where two are the same then, what they differ in.
    """
    lines = [" ".join(label.split()) for label in labels]
    cut = [_both_ends(line) for line in lines]
    for index, line in enumerate(lines):
        alike = [
            other
            for other, brief in zip(lines, map(_both_ends, lines), strict=True)
            if other != line and brief == cut[index]
        ]
        if alike:
            differs = min(_alike(line, other) for other in alike)
            begun = max(0, min(differs - _LABEL // 4, len(line) - _LABEL + 2))
            cut[index] = f"…{line[begun : begun + _LABEL - 2]}…"
    return cut


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginnings."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _both_ends(line: str) -> str:
    if len(line) <= _LABEL:
        return line
    return f"{line[: _LABEL // 3]}…{line[len(line) - (_LABEL - _LABEL // 3 - 1) :]}"


def _errors(clause: Clause) -> str:
    return ", ".join(clause.errors)


# Choice rules -----------------------------------------------------------------------------------


def condition(rule: Mapping[str, Any]) -> str:
    """Return a choice rule as one would say it: `$.total > 100 and not ($.vip = true)`."""
    if "Condition" in rule:
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    operator = operator_of(rule)
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
