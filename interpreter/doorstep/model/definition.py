"""A state machine's definition as a typed tree with a JSON Pointer at every node.

    workflow(definition)  the tree of a definition that `validation.check` accepts
    state.transitions()   where a state may lead: all who draw, cover or explore ask this

It decides nothing, it names the parts. What a field holds stays as the definition has it, for
`asl.compile` to turn into closures. `states_of`, `scopes_in` and `targets_of` read definitions as
they are written, accepted or not, and pass over what has another type than it should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from .state_types import TERMINAL

Fields = Mapping[str, Any]
Steps = tuple[str | int, ...]
"""From a value to one inside it: names of members, indexes of items."""
TIME_LIMITS = ("TimeoutSeconds", "HeartbeatSeconds")
_TARGETS, _CLAUSES = ("Next", "Default"), ("Choices", "Catch")


class Clause(NamedTuple):
    """An entry of Choices, Retry or Catch."""

    list: Literal["Choices", "Retry", "Catch"]
    number: int
    """From 0."""
    fields: Fields

    @property
    def pointer(self) -> str:
        """Where it stands in its state, as a JSON Pointer has it: `Catch/0`."""
        return f"{self.list}/{self.number}"

    @property
    def location(self) -> str:
        """Where it stands in its state, as AWS writes it: `Catch[0]`."""
        return f"{self.list}[{self.number}]"

    @property
    def target(self) -> str:
        """The state to which a choice rule or a catcher leads."""
        return str(self.fields["Next"])

    @property
    def errors(self) -> tuple[str, ...]:
        """The names of a retrier's or a catcher's errors."""
        return tuple(self.fields["ErrorEquals"])


class Transition(NamedTuple):
    """A way out of a state that its fields name."""

    pointer: str
    """Where it stands in its state: `Next`, `End`, `Default`, `Choices/0` or `Catch/0`."""
    target: str | None
    """The next state; None is the end of the scope."""
    clause: Clause | None = None


@dataclass(frozen=True, slots=True)
class State:
    """One state: its fields as written, its language resolved, the scopes inside it."""

    name: str
    type: str
    jsonata: bool
    pointer: str
    fields: Fields
    scopes: tuple[Scope, ...] = ()
    """Branches of a Parallel, the one processor of a Map."""

    @property
    def next(self) -> str | None:
        """The state after this one; None for a Choice, and where the scope ends."""
        return self.fields.get("Next")

    @property
    def default(self) -> str | None:
        """Where a Choice leads when no rule holds."""
        return self.fields.get("Default")

    @property
    def ends(self) -> bool:
        """Whether its scope may end with it."""
        return bool(self.fields.get("End")) or self.type in TERMINAL

    @property
    def rules(self) -> tuple[Clause, ...]:
        """The rules of a Choice."""
        return self._clauses("Choices")

    @property
    def retriers(self) -> tuple[Clause, ...]:
        """The entries of Retry."""
        return self._clauses("Retry")

    @property
    def catchers(self) -> tuple[Clause, ...]:
        """The entries of Catch."""
        return self._clauses("Catch")

    def _clauses(self, name: Literal["Choices", "Retry", "Catch"]) -> tuple[Clause, ...]:
        entries = enumerate(self.fields.get(name, ()))
        return tuple(Clause(name, number, fields) for number, fields in entries)

    def transitions(self) -> Iterator[Transition]:
        """Yield the ways out: rules, Default, Next or End, catchers.

        A Succeed or Fail ends its scope by its type: no field says so, and no transition.
        """
        yield from (Transition(rule.pointer, rule.target, rule) for rule in self.rules)
        yield from (
            Transition(name, self.fields[name])
            for name in ("Default", "Next")
            if name in self.fields
        )
        if self.fields.get("End"):
            yield Transition("End", None)
        yield from (Transition(one.pointer, one.target, one) for one in self.catchers)

    @property
    def arguments(self) -> Any:
        """Parameters or Arguments, as the definition has them; None without them."""
        return self.fields.get("Arguments" if self.jsonata else "Parameters")

    @property
    def time_limits(self) -> dict[str, str]:
        """TimeoutSeconds and HeartbeatSeconds, those that there are, each with its field.

        The field is the limit's own name or its …Path.
        """
        return {
            limit: field
            for limit in TIME_LIMITS
            for field in (limit, f"{limit}Path")
            if field in self.fields
        }

    @property
    def distributed(self) -> bool:
        """Whether it is a Map that starts a map run."""
        return self._processor_config.get("Mode") == "DISTRIBUTED"

    @property
    def execution_type(self) -> str:
        """STANDARD or EXPRESS: the type of a distributed Map's children."""
        return str(self._processor_config.get("ExecutionType", "STANDARD"))

    @property
    def _processor_config(self) -> Fields:
        processor = self.fields.get("ItemProcessor", self.fields.get("Iterator", {}))
        config: Fields = processor.get("ProcessorConfig", {})
        return config

    @property
    def reader(self) -> Fields | None:
        """A Map's ItemReader."""
        return self.fields.get("ItemReader")

    @property
    def batcher(self) -> Fields | None:
        """A Map's ItemBatcher."""
        return self.fields.get("ItemBatcher")

    @property
    def writer(self) -> Fields | None:
        """A Map's ResultWriter."""
        return self.fields.get("ResultWriter")

    @property
    def selector(self) -> Any:
        """A Map's ItemSelector, which older definitions call Parameters; None without one."""
        return self.fields.get("ItemSelector", self.fields.get("Parameters"))


@dataclass(frozen=True, slots=True)
class Scope:
    """States between which transitions are possible."""

    start_at: str
    states: Mapping[str, State]
    pointer: str

    def walk(self) -> Iterator[State]:
        """Yield every state of this scope and of those inside it, as the definition has them."""
        for state, _ in self.walk_inside(None):
            yield state

    def walk_inside(self, outer: State | None) -> Iterator[tuple[State, State | None]]:
        """Yield what `walk` does, each with the Parallel or Map in which it stands."""
        for state in self.states.values():
            yield state, outer
            for inner in state.scopes:
                yield from inner.walk_inside(state)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A whole definition."""

    scope: Scope
    jsonata: bool
    timeout: int | None
    source: Fields


def workflow(definition: Fields) -> Workflow:
    """Return the tree of an accepted definition."""
    jsonata = speaks_jsonata(definition)
    return Workflow(
        scope=_scope(definition, "", jsonata),
        jsonata=jsonata,
        timeout=definition.get("TimeoutSeconds"),
        source=definition,
    )


def escape(name: str) -> str:
    """Return a member's name as a JSON Pointer segment (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _scope(fields: Fields, pointer: str, jsonata: bool) -> Scope:
    states = {
        name: _state(name, state, f"{pointer}/States/{escape(name)}", jsonata)
        for name, state in fields["States"].items()
    }
    return Scope(fields["StartAt"], states, pointer)


def _state(name: str, fields: Fields, pointer: str, jsonata: bool) -> State:
    return State(
        name=name,
        type=fields["Type"],
        jsonata=speaks_jsonata(fields, jsonata),
        pointer=pointer,
        fields=fields,
        scopes=tuple(
            _scope(scope, "/".join((pointer, *map(str, steps))), jsonata)
            for steps, scope in scopes_in(fields)
        ),
    )


# As written --------------------------------------------------------------------------------------


def speaks_jsonata(fields: Fields, default: bool = False) -> bool:
    """Return whether a machine's or a state's query language is JSONata.

    `default`: the machine's. A nested state takes it, not the enclosing state's (facts 11, 12).
    """
    own = fields.get("QueryLanguage", "JSONata" if default else "JSONPath")
    return bool(own != "JSONPath")


def states_of(scope: Fields) -> dict[str, Fields]:
    """Return the states of a scope that are objects."""
    states = scope.get("States")
    if not isinstance(states, Mapping):
        return {}
    return {name: state for name, state in states.items() if isinstance(state, Mapping)}


def scopes_in(state: Fields) -> Iterator[tuple[Steps, Fields]]:
    """Yield the scopes inside a state, each with the way to it: a processor, or branches."""
    for name in ("ItemProcessor", "Iterator"):
        if isinstance(processor := state.get(name), Mapping):
            yield (name,), processor
    for index, branch in _objects(state.get("Branches")):
        yield ("Branches", index), branch


def targets_of(state: Fields) -> Iterator[tuple[Steps, Any]]:
    """Yield what a state's fields name as the next state, each with the way to it."""
    yield from (((name,), state[name]) for name in _TARGETS if name in state)
    for name in _CLAUSES:
        for index, clause in _objects(state.get(name)):
            if "Next" in clause:
                yield (name, index, "Next"), clause["Next"]


def _objects(values: Any) -> Iterator[tuple[int, Fields]]:
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if isinstance(value, Mapping):
            yield index, value
