"""Transitions, reachability and names: the states of a scope as a graph.

States are reached only by transitions of their own scope, StartAt names one of them, names are
unique in the whole machine (https://states-language.net/spec.html#states-fields, docs/facts).
A scope is judged as a whole (reachability, terminal state) only when every state in it says where
it goes; before that, the missing fields are what AWS names (recorded: INVALID_BASE_NO_STARTAT).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..errors import Diagnostic
from ..model import STATES, TERMINAL, Fields, Steps, scopes_in, states_of, targets_of
from ..values.did_you_mean import did_you_mean
from .diagnostics import Diagnostics, Location, error

MAX_STATE_NAME, MAX_LABEL = 80, 40
_FORBIDDEN_IN_LABELS = set('<>{}[]?*"#%\\^|~`$&,;:/ ')
States = Mapping[str, Fields]


def transitions(definition: Fields, location: Location) -> Diagnostics:
    """Yield missing targets, then a missing end or unreachable states (facts 1 to 3, 22, 202)."""
    for fields, where in scopes(definition, location):
        states = states_of(fields)
        yield from _missing_targets(fields, states, where)
        if not _complete(fields, states):
            continue
        if where is location and not any(_ends(state) for state in states.values()):
            # Only the machine itself has to end (measured), and then nothing else is said.
            yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state")
        else:
            yield from _unreachable(fields, states, where)


def names(definition: Fields, location: Location) -> Diagnostics:
    """Check that state names and labels are not too long, and unique (facts 16, 203, 218)."""
    seen: set[str] = set()
    labels: set[str] = set()
    for name, state, where in all_states(definition, location):
        yield from _name("State", name, seen, MAX_STATE_NAME, where)
        label = state.get("Label")
        if isinstance(label, str) and not location.left_open(label):
            yield from _label(label, labels, where.member("Label"))


def variables(definition: Fields, location: Location) -> Diagnostics:
    """Check that branches and item processors assign no variable of the scope around them.

    Fact 141: what counts is what is assigned on some way that leads there. The words are by
    analogy with those for state names.
    """
    yield from _hidden_variables(definition, location, frozenset())


def _hidden_variables(scope: Fields, location: Location, outer: frozenset[str]) -> Diagnostics:
    states = states_of(scope)
    ways = _ways_in(states)
    for name, state in states.items():
        for steps, inner in scopes_in(state):
            if not _assigns_inside(inner):
                continue
            assigned = outer | _assigned_before(name, ways)
            where = _state(name, location).at(steps)
            for own, inner_state in states_of(inner).items():
                yield from _duplicates(inner_state, assigned, _state(own, where))
            yield from _hidden_variables(inner, where, assigned)


def _assigns_inside(scope: Fields) -> bool:
    return any(
        _assigns(state) or any(_assigns_inside(inner) for _, inner in scopes_in(state))
        for state in states_of(scope).values()
    )


def _duplicates(state: Fields, assigned: frozenset[str], location: Location) -> Diagnostics:
    for steps, names in _assigns(state).items():
        for name in names:
            if name in assigned:
                text = f"Duplicate Variable name: {name}"
                hint = f"${name} is assigned outside before: use another name here"
                yield error(text, location.at((*steps, "Assign")), "DUPLICATE_VARIABLE_NAME", hint)


Ways = Mapping[str, list[tuple[str, Collection[str]]]]
"""Of each state, the states that lead to it, each with what is assigned on that transition."""


def _ways_in(states: States) -> Ways:
    ways: dict[str, list[tuple[str, Collection[str]]]] = {}
    for source, state in states.items():
        assigns = _assigns(state)
        for steps, target in targets_of(state):
            if isinstance(target, str):
                ways.setdefault(target, []).append((source, assigns.get(steps[:-1], ())))
    return ways


def _assigned_before(name: str, ways: Ways) -> frozenset[str]:
    """Return what is assigned on the transitions that lead to a state, loops included."""
    assigned: set[str] = set()
    reached, waiting = {name}, [name]
    while waiting:
        for source, names in ways.get(waiting.pop(), ()):
            assigned.update(names)
            if source not in reached:
                reached.add(source)
                waiting.append(source)
    return frozenset(assigned)


def _assigns(state: Fields) -> dict[Steps, Collection[str]]:
    """Return which variables a state assigns by where: itself, a choice rule, or a catcher."""
    owners: dict[Steps, Any] = {(): state}
    for (*steps, _), _ in targets_of(state):
        owner: Any = state
        for step in steps:
            owner = owner[step]
        owners[tuple(steps)] = owner
    return {
        steps: [name.removesuffix(".$") for name in owner["Assign"]]
        for steps, owner in owners.items()
        if isinstance(owner.get("Assign"), Mapping)
    }


def scopes(fields: Fields, location: Location) -> Iterator[tuple[Fields, Location]]:
    """Yield this scope and those inside it, each with its location, outer ones first."""
    yield fields, location
    for name, state in states_of(fields).items():
        for steps, scope in scopes_in(state):
            yield from scopes(scope, location.at(("States", name, *steps)))


def all_states(definition: Fields, location: Location) -> Iterator[tuple[str, Fields, Location]]:
    """Yield name, fields and location of every state of a machine, scope by scope."""
    for fields, where in scopes(definition, location):
        for name, state in states_of(fields).items():
            yield name, state, _state(name, where)


def _state(name: str, scope: Location) -> Location:
    return scope.member(f"States/{name}")


def _missing_targets(fields: Fields, states: States, location: Location) -> Diagnostics:
    # Fact 3: a missing target is reported where it is named.
    named: list[tuple[Steps, Any]] = [(("StartAt",), fields.get("StartAt"))] if states else []
    for name, state in states.items():
        named += [(("States", name, *steps), target) for steps, target in targets_of(state)]
    for steps, target in named:
        if isinstance(target, str) and target not in states:
            # AWS says 'Next' wherever the target is named (measured).
            text = f"Missing 'Next' target: {target}"
            hint = did_you_mean(target, states)
            yield error(text, location.at(steps), "MISSING_TRANSITION_TARGET", hint)


def _complete(fields: Fields, states: States) -> bool:
    return (
        isinstance(fields.get("StartAt"), str)
        and bool(states)
        and len(states) == len(fields["States"])
        and all(_continues_or_ends(state) for state in states.values())
    )


def _continues_or_ends(state: Fields) -> bool:
    kind = state.get("Type")
    if not isinstance(kind, str) or kind not in STATES:
        return False
    return kind == "Choice" or _ends(state) or isinstance(state.get("Next"), str)


def _ends(state: Fields) -> bool:
    # Fact 1: some state has to end the execution.
    return state.get("End") is True or state.get("Type") in TERMINAL


def _unreachable(fields: Fields, states: States, location: Location) -> Diagnostics:
    # Facts 2 and 22: a state that no other one names; catchers count, inside a Map too.
    named = {fields["StartAt"]}
    for name, state in states.items():
        targets = (target for _, target in targets_of(state) if target != name)
        named |= {target for target in targets if isinstance(target, str)}
    for name in states:
        if name not in named:
            text = f'State "{name}" is not reachable.'
            hint = "no state goes there: name it in a Next, Default, Catch or StartAt"
            yield error(text, _state(name, location), "MISSING_TRANSITION_TARGET", hint)


def _label(label: str, seen: set[str], location: Location) -> Diagnostics:
    # Fact 218: a label is there once in the machine and has up to 40 characters.
    yield from _name("Label", label, seen, MAX_LABEL, location)
    if _FORBIDDEN_IN_LABELS & set(label) or not label.isprintable():
        text = f"Invalid Label name: {label} contains characters that are not allowed"
        yield error(text, location, "INVALID_LABEL_NAME")


def _name(what: str, name: str, seen: set[str], limit: int, location: Location) -> Diagnostics:
    """Check that a name is there once, and is not too long (facts 16, 203)."""
    if name in seen:
        code = f"DUPLICATE_{what.upper()}_NAME"
        yield error(f"Duplicate {what} name: {name}", location, code)
    seen.add(name)
    if len(name) > limit:
        text = f"{name} exceeds the {limit}-character limit allowed by the service"
        yield error(f"Invalid {what} name: {text}", location, f"INVALID_{what.upper()}_NAME")
