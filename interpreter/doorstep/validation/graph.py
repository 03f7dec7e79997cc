"""Transitions, reachability and names: the states of a scope as a graph.

A scope is judged as a whole (reachability, terminal state) only when every state in it says where
it goes; before that, the missing fields are what AWS names (recorded: INVALID_BASE_NO_STARTAT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..definitions.documents import has_placeholder
from ..errors import Diagnostic
from ..values.did_you_mean import did_you_mean
from .findings import Found, Place, error
from .states import STATES

MAX_STATE_NAME, MAX_LABEL = 80, 40
_FORBIDDEN_IN_LABELS = set('<>{}[]?*"#%\\^|~`$&,;:/ ')
_TERMINAL = ("Succeed", "Fail")
Fields = Mapping[str, Any]


def transitions(definition: Fields, place: Place) -> Found:
    """Missing targets, then a missing end or unreachable states, scope by scope."""
    for fields, where in scopes(definition, place):
        states = states_of(fields)
        yield from _missing_targets(fields, states, where)
        if not _complete(fields, states):
            continue
        if where is place and not any(_ends(state) for state in states.values()):
            # Only the machine itself has to end (measured), and then nothing else is said.
            yield Diagnostic("MISSING_END_STATE", "Workflow has no terminal state")
        else:
            yield from _unreachable(fields, states, where)


def names(definition: Fields, place: Place) -> Found:
    """State names and labels: their length, and that each is there once in the whole machine."""
    seen: set[str] = set()
    labels: set[str] = set()
    for fields, where in scopes(definition, place):
        for name, state in states_of(fields).items():
            at = where.member("States").member(name)
            yield from _name("State", name, seen, MAX_STATE_NAME, at)
            label = state.get("Label")
            if isinstance(label, str) and not has_placeholder(label):
                yield from _label(label, labels, at.member("Label"))


def scopes(fields: Fields, place: Place) -> Iterator[tuple[Fields, Place]]:
    """This scope and those inside it, each with its place, outer ones first."""
    yield fields, place
    for name, state in states_of(fields).items():
        at = place.member("States").member(name)
        for key in ("ItemProcessor", "Iterator"):
            if isinstance(processor := state.get(key), Mapping):
                yield from scopes(processor, at.member(key))
        if isinstance(branches := state.get("Branches"), list):
            for index, branch in enumerate(branches):
                if isinstance(branch, Mapping):
                    yield from scopes(branch, at.member("Branches").item(index))


def states_of(fields: Fields) -> dict[str, Fields]:
    """The states of a scope that are objects."""
    states = fields.get("States")
    if not isinstance(states, Mapping):
        return {}
    return {name: state for name, state in states.items() if isinstance(state, Mapping)}


def _targets(state: Fields, place: Place) -> Iterator[tuple[Any, Place]]:
    """Where a state can go, each with the place that says so."""
    for name in ("Next", "Default"):
        if name in state:
            yield state[name], place.member(name)
    for name in ("Choices", "Catch"):
        if isinstance(entries := state.get(name), list):
            for index, entry in enumerate(entries):
                if isinstance(entry, Mapping) and "Next" in entry:
                    yield entry["Next"], place.member(name).item(index).member("Next")


def _missing_targets(fields: Fields, states: Mapping[str, Fields], place: Place) -> Found:
    pointers = [(fields.get("StartAt"), place.member("StartAt"))] if states else []
    for name, state in states.items():
        pointers += _targets(state, place.member("States").member(name))
    for target, where in pointers:
        if isinstance(target, str) and target not in states:
            # AWS says 'Next' wherever the target is named (measured).
            text = f"Missing 'Next' target: {target}"
            yield error(text, where, "MISSING_TRANSITION_TARGET", did_you_mean(target, states))


def _complete(fields: Fields, states: Mapping[str, Fields]) -> bool:
    return (
        isinstance(fields.get("StartAt"), str)
        and bool(states)
        and len(states) == len(fields["States"])
        and all(_goes_on_or_ends(state) for state in states.values())
    )


def _goes_on_or_ends(state: Fields) -> bool:
    kind = state.get("Type")
    if not isinstance(kind, str) or kind not in STATES:
        return False
    return kind == "Choice" or _ends(state) or isinstance(state.get("Next"), str)


def _ends(state: Fields) -> bool:
    return state.get("End") is True or state.get("Type") in _TERMINAL


def _unreachable(fields: Fields, states: Mapping[str, Fields], place: Place) -> Found:
    reached: set[str] = set()
    waiting = [fields["StartAt"]]
    while waiting:
        name = waiting.pop()
        if isinstance(name, str) and name in states and name not in reached:
            reached.add(name)
            waiting += [target for target, _ in _targets(states[name], place)]
    for name in states:
        if name not in reached:
            text = f'State "{name}" is not reachable.'
            hint = "no state goes there: name it in a Next, Default, Catch or StartAt"
            at = place.member("States").member(name)
            yield error(text, at, "MISSING_TRANSITION_TARGET", hint)


def _label(label: str, seen: set[str], place: Place) -> Found:
    yield from _name("Label", label, seen, MAX_LABEL, place)
    if _FORBIDDEN_IN_LABELS & set(label) or not label.isprintable():
        text = f"Invalid Label name: {label} contains characters that are not allowed"
        yield error(text, place, "INVALID_LABEL_NAME")


def _name(what: str, name: str, seen: set[str], limit: int, place: Place) -> Found:
    """A name that is there twice, or too long."""
    if name in seen:
        code = f"DUPLICATE_{what.upper()}_NAME"
        yield error(f"Duplicate {what} name: {name}", place, code)
    seen.add(name)
    if len(name) > limit:
        text = f"{name} exceeds the {limit}-character limit allowed by the service"
        yield error(f"Invalid {what} name: {text}", place, f"INVALID_{what.upper()}_NAME")
