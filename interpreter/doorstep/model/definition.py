"""The state machine as a typed tree with a JSON Pointer at every node.

`machine()` expects a definition that `rules.validate` accepted; it decides nothing, it only names
the parts. Field values stay as the definition has them, for `compile` to turn into closures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """One state: its fields as written, its language resolved, the scopes inside it."""

    name: str
    type: str
    jsonata: bool
    pointer: str
    fields: Mapping[str, Any]
    scopes: tuple[Scope, ...] = ()
    """Branches of a Parallel, the one processor of a Map."""


@dataclass(frozen=True, slots=True)
class Scope:
    """States between which transitions are possible."""

    start_at: str
    states: Mapping[str, State]
    pointer: str

    def walk(self) -> Iterator[State]:
        """Every state of this scope and of those inside it, in the order of the definition."""
        for state in self.states.values():
            yield state
            for inner in state.scopes:
                yield from inner.walk()


@dataclass(frozen=True, slots=True)
class Machine:
    """A whole definition."""

    scope: Scope
    jsonata: bool
    timeout: int | None
    source: Mapping[str, Any]


def machine(definition: Mapping[str, Any]) -> Machine:
    """The tree of an accepted definition."""
    jsonata = definition.get("QueryLanguage") == "JSONata"
    return Machine(
        scope=_scope(definition, "", jsonata),
        jsonata=jsonata,
        timeout=definition.get("TimeoutSeconds"),
        source=definition,
    )


def processor_config(state: State) -> Mapping[str, Any]:
    """ProcessorConfig of a Map: {"Mode": "INLINE" | "DISTRIBUTED", "ExecutionType": …}."""
    processor = state.fields.get("ItemProcessor", state.fields.get("Iterator", {}))
    config: Mapping[str, Any] = processor.get("ProcessorConfig", {})
    return config


def escape(name: str) -> str:
    """A member's name as a JSON Pointer segment (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _scope(fields: Mapping[str, Any], pointer: str, jsonata: bool) -> Scope:
    # A nested state takes the machine's language, not the enclosing state's (measured on AWS).
    states = {
        name: _state(name, state, f"{pointer}/States/{escape(name)}", jsonata)
        for name, state in fields["States"].items()
    }
    return Scope(fields["StartAt"], states, pointer)


def _state(name: str, fields: Mapping[str, Any], pointer: str, jsonata: bool) -> State:
    own = fields.get("QueryLanguage")
    inner: list[tuple[Mapping[str, Any], str]] = []
    if fields["Type"] == "Parallel":
        inner = [(b, f"{pointer}/Branches/{i}") for i, b in enumerate(fields["Branches"])]
    elif fields["Type"] == "Map":
        key = "ItemProcessor" if "ItemProcessor" in fields else "Iterator"
        inner = [(fields[key], f"{pointer}/{key}")]
    return State(
        name=name,
        type=fields["Type"],
        jsonata=jsonata if own is None else own != "JSONPath",
        pointer=pointer,
        fields=fields,
        scopes=tuple(_scope(scope, at, jsonata) for scope, at in inner),
    )
