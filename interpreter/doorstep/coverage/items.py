"""What there is to cover in a definition, each part with its pointer.

| kind | is covered when |
|---|---|
| state | it was entered |
| transition | it was taken, whichever rule or catcher did so; the end counts as a state |
| rule | a Choice's rule held, the first to do so; Default counts as one |
| retrier | a failed attempt was tried again because of it; not with `MaxAttempts` 0 |
| catcher | it took a failure |
| map | a Map had no item; had one; had several |
| timeout | TimeoutSeconds, or HeartbeatSeconds, ended the task or the execution |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..asl.retry import Retrier, compile_retrier
from ..model import State, Transition, Workflow

ItemKind = Literal["state", "transition", "rule", "retrier", "catcher", "map", "timeout"]
KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
MAP_SIZES = ("no item", "one item", "several items")


@dataclass(frozen=True, slots=True)
class Item:
    """Something to cover: what it is, where (a JSON Pointer into the definition), in words."""

    kind: ItemKind
    pointer: str
    label: str


@dataclass(frozen=True, slots=True)
class CatcherItem:
    """An entry of Catch."""

    names: Sequence[str]
    target: str
    item: Item


@dataclass(slots=True)
class StateItems:
    """A state's items."""

    state: State
    entered: Item
    transitions: dict[str | None, Item] = field(default_factory=dict)
    """By target; None is the end."""
    rules: list[tuple[str, Item]] = field(default_factory=list)
    """Targets and items, Default last."""
    retriers: list[tuple[Retrier, Item]] = field(default_factory=list)
    catchers: list[CatcherItem] = field(default_factory=list)
    sizes: tuple[Item, ...] = ()
    timeouts: dict[str, Item] = field(default_factory=dict)
    """By the field that sets it."""

    def items(self) -> Iterator[Item]:
        """Yield all of them."""
        yield self.entered
        yield from self.transitions.values()
        yield from (item for _, item in self.rules)
        yield from (item for _, item in self.retriers)
        yield from (catcher.item for catcher in self.catchers)
        yield from self.sizes
        yield from self.timeouts.values()


def counts(items: Iterable[Item], hits: Mapping[Item, int]) -> str:
    """Return how often each was used, a line for each."""
    return "\n".join(f"{hits[item]:,} × {item.kind} {item.label}" for item in items)


def parts(workflow: Workflow) -> dict[str, StateItems]:
    """Return the items of every state, by its name."""
    return {state.name: _parts(state) for state in workflow.scope.walk()}


def workflow_timeout(workflow: Workflow) -> Item | None:
    """Return the execution's own TimeoutSeconds."""
    if workflow.timeout is None:
        return None
    return Item("timeout", "/TimeoutSeconds", "the execution: TimeoutSeconds")


def _parts(state: State) -> StateItems:
    name = state.name
    items = StateItems(state, Item("state", state.pointer, name))
    for transition in state.transitions():
        _transition(items, transition)
    for retrier in state.retriers:
        if retrier.fields.get("MaxAttempts", 1):
            label = f"{name}: retry of {', '.join(retrier.errors)}"
            item = Item("retrier", f"{state.pointer}/{retrier.pointer}", label)
            items.retriers.append((compile_retrier(retrier.fields), item))
    if state.type == "Map":
        items.sizes = tuple(Item("map", state.pointer, f"{name}: {s}") for s in MAP_SIZES)
    for limit, field_name in state.time_limits.items():
        pointer = f"{state.pointer}/{field_name}"
        items.timeouts[limit] = Item("timeout", pointer, f"{name}: {limit}")
    return items


def _transition(items: StateItems, transition: Transition) -> None:
    state, target, clause = items.state, transition.target, transition.clause
    pointer = f"{state.pointer}/{transition.pointer}"
    if target is not None and state.type == "Choice":
        label = f"rule {clause.number + 1}" if clause else "Default"
        items.rules.append((target, Item("rule", pointer, f"{state.name}: {label} → {target}")))
    elif target is not None and clause:
        label = f"{state.name}: catch of {', '.join(clause.errors)}"
        items.catchers.append(CatcherItem(clause.errors, target, Item("catcher", pointer, label)))
    if target not in items.transitions:
        label = f"{state.name} → {target or 'end'}"
        items.transitions[target] = Item("transition", pointer, label)
