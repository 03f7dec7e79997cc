"""What there is to cover in a definition, each part with its place.

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
from typing import Any, Literal

from ..asl.retry import Retrier, compile_retrier
from ..model.definition import Machine, State

Kind = Literal["state", "transition", "rule", "retrier", "catcher", "map", "timeout"]
KINDS: tuple[Kind, ...] = ("state", "transition", "rule", "retrier", "catcher", "map", "timeout")
MAP_SIZES = ("no item", "one item", "several items")


@dataclass(frozen=True, slots=True)
class Item:
    """Something to cover: what it is, where (a JSON Pointer into the definition), in words."""

    kind: Kind
    pointer: str
    label: str


@dataclass(frozen=True, slots=True)
class Catcher:
    """An entry of Catch."""

    names: Sequence[str]
    target: str
    item: Item


@dataclass(slots=True)
class Parts:
    """A state's items."""

    state: State
    entered: Item
    transitions: dict[str | None, Item] = field(default_factory=dict)
    """By target; None is the end."""
    rules: list[tuple[str, Item]] = field(default_factory=list)
    """Targets and items, Default last."""
    retriers: list[tuple[Retrier, Item]] = field(default_factory=list)
    catchers: list[Catcher] = field(default_factory=list)
    sizes: tuple[Item, ...] = ()
    timeouts: dict[str, Item] = field(default_factory=dict)
    """By the field that sets it."""

    def items(self) -> Iterator[Item]:
        """All of them."""
        yield self.entered
        yield from self.transitions.values()
        yield from (item for _, item in self.rules)
        yield from (item for _, item in self.retriers)
        yield from (catcher.item for catcher in self.catchers)
        yield from self.sizes
        yield from self.timeouts.values()


def told(items: Iterable[Item], hits: Mapping[Item, int]) -> str:
    """How often each was used, a line for each."""
    return "\n".join(f"{hits[item]:,} × {item.kind} {item.label}" for item in items)


def parts(machine: Machine) -> dict[str, Parts]:
    """The items of every state, by its name."""
    return {state.name: _parts(state) for state in machine.scope.walk()}


def machine_timeout(machine: Machine) -> Item | None:
    """The execution's own TimeoutSeconds."""
    if machine.timeout is None:
        return None
    return Item("timeout", "/TimeoutSeconds", "the execution: TimeoutSeconds")


def _parts(state: State) -> Parts:
    name, fields = state.name, state.fields
    found = Parts(state, Item("state", state.pointer, name))
    for index, rule in enumerate(fields.get("Choices", ())):
        _rule(found, f"Choices/{index}", f"rule {index + 1}", rule["Next"])
    if "Default" in fields:
        _rule(found, "Default", "Default", fields["Default"])
    if "Next" in fields:
        _transition(found, "Next", fields["Next"])
    if fields.get("End"):
        _transition(found, "End", None)
    for index, retrier in enumerate(fields.get("Retry", ())):
        if not retrier.get("MaxAttempts", 1):
            continue
        label = f"{name}: retry of {_names(retrier)}"
        item = Item("retrier", f"{state.pointer}/Retry/{index}", label)
        found.retriers.append((compile_retrier(retrier), item))
    for index, catcher in enumerate(fields.get("Catch", ())):
        place = f"Catch/{index}"
        item = Item("catcher", f"{state.pointer}/{place}", f"{name}: catch of {_names(catcher)}")
        found.catchers.append(Catcher(catcher["ErrorEquals"], catcher["Next"], item))
        _transition(found, place, catcher["Next"])
    if state.type == "Map":
        found.sizes = tuple(Item("map", state.pointer, f"{name}: {s}") for s in MAP_SIZES)
    for limit in ("TimeoutSeconds", "HeartbeatSeconds"):
        for key in (limit, f"{limit}Path"):
            if key in fields:
                item = Item("timeout", f"{state.pointer}/{key}", f"{name}: {limit}")
                found.timeouts[limit] = item
    return found


def _rule(found: Parts, place: str, label: str, target: str) -> None:
    state = found.state
    pointer = f"{state.pointer}/{place}"
    found.rules.append((target, Item("rule", pointer, f"{state.name}: {label} → {target}")))
    _transition(found, place, target)


def _transition(found: Parts, place: str, target: str | None) -> None:
    if target not in found.transitions:
        label = f"{found.state.name} → {target or 'end'}"
        found.transitions[target] = Item("transition", f"{found.state.pointer}/{place}", label)


def _names(fields: Any) -> str:
    return ", ".join(fields["ErrorEquals"])
