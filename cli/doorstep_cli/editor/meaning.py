"""What a place of a definition means: its name explained, where it leads, who leads there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doorstep.model import actions, integration

from . import gists
from .functions import described
from .machines import Machine, Place, State
from .text_tree import Node

_WORD = re.compile(r"States\.\w+|\$[\w.]*")
_MOST_NAME = 80
"""Characters of a state's name (https://states-language.net/spec.html#states-fields)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Markdown, and the offsets of what it explains."""

    text: str
    start: int
    end: int


def explain(text: str, place: Place, offset: int) -> Explanation | None:
    """Return what the name or value at a place means; None where there is nothing to say."""
    member, scalar = place.member, place.scalar
    if place.on_name and member is not None:
        said = _of_name(place, member.name)
        return Explanation(said, member.start, member.end) if said else None
    if scalar is None:
        return None
    said = _of_value(place, str(scalar.value))
    if said:
        return Explanation(said, scalar.start, scalar.end)
    for word in _WORD.finditer(text, scalar.start, scalar.end):
        if word.start() <= offset <= word.end() and (said := _of_word(place, word[0])):
            return Explanation(said, word.start(), word.end())
    return None


def _of_name(place: Place, name: str) -> str | None:
    states = place.machine.states
    if state := next((one for one in states if one.member is place.member), None):
        return state_in_words(place.machine, state)
    if place.table is None or name not in place.table.fields:
        return None
    gist = gists.FIELDS.get(name)
    return _with_page(f"**{name}** {gist}", gists.page_of(name, place.table.name)) if gist else None


def _of_value(place: Place, value: str) -> str | None:
    name = place.names[-1] if place.names else ""
    if name in ("Next", "Default", "StartAt"):
        there = (one for one in place.machine.states if one.scope is place.scope)
        state = next((one for one in there if one.name == value), None)
        return state_in_words(place.machine, state) if state else None
    if name == "Type" and value in gists.STATE_TYPES:
        return _with_page(f"**{value}** {gists.STATE_TYPES[value]}", gists.page_of(value))
    if name == "ErrorEquals" and value in gists.ERRORS:
        return _with_page(f"**{value}** {gists.ERRORS[value]}", gists.page_of(value))
    return _of_resource(value) if name == "Resource" else None


def _of_resource(resource: str) -> str | None:
    called = integration(resource)
    known = actions().get(called.action)
    ways = {
        "": "The next state starts when the service has answered.",
        "sync": "Waits until the job is done.",
        "sync:2": "Waits until the execution is done; its output is JSON, not text.",
        "waitForTaskToken": "Waits until somebody answers with the task's token.",
    }
    if called.kind != "service":
        return None
    lines = [f"**{called.action}** {ways.get(called.pattern, '')}"]
    if known is not None and known.required:
        lines.append(f"Required: {', '.join(known.required)}.")
    if known is not None:
        others = sorted(known.parameters - {*known.required})
        lines.append(f"Also: {', '.join(others)}." if others else "")
    return "\n\n".join(filter(None, lines))


def _of_word(place: Place, word: str) -> str | None:
    if word.startswith("$states"):
        part = word.split(".")[1:2]
        gist = gists.STATES_VARIABLE.get(part[0]) if part else "input, result, context, errorOutput"
        return _with_page(f"**{word}** {gist}", gists.page_of("$")) if gist else None
    name = word.partition(".")[0] if word.startswith("$") else word
    if places := place.machine.variables().get(name.removeprefix("$")):
        return f"**{name}** Variable, assigned by {', '.join(one.name for one, _ in places)}."
    said = described(name)
    return _with_page(f"`{said}`", gists.page_of(name)) if said else None


def _with_page(text: str, page: str) -> str:
    return f"{text}\n\n[{page.rpartition('/')[2]}]({page})"


def state_in_words(machine: Machine, state: State) -> str:
    """Return a state's type, what it calls, where it leads and from where it is reached."""
    lines = [f"**{state.name}** {state.type or 'state'}"]
    if comment := state.node.text("Comment"):
        lines.append(comment)
    if resource := state.node.text("Resource"):
        lines.append(f"`{resource}`")
    out = [one.name for one in machine.targets if one.state and one.state.node is state.node]
    if out:
        lines.append(f"leads to {', '.join(dict.fromkeys(out))}")
    into = [one.state.name for one in references(machine, state) if one.state]
    if into:
        lines.append(f"reached from {', '.join(dict.fromkeys(into))}")
    return "\n\n".join(lines)


# From name to name -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that names a state, by the offsets of its text and the state it stands in."""

    node: Node
    state: State | None


def state_at(place: Place) -> State | None:
    """Return the state that a place names or is the name of."""
    states = place.machine.states
    if place.on_name:
        return next((one for one in states if one.member is place.member), None)
    if place.scalar is None or place.names[-1:] not in (("Next",), ("Default",), ("StartAt",)):
        return None
    there = (one for one in states if one.scope is place.scope)
    return next((one for one in there if one.name == place.scalar.value), None)


def variable_at(text: str, place: Place, offset: int) -> str | None:
    """Return the name of the variable that an expression reads at an offset."""
    if place.scalar is None:
        return None
    words = _WORD.finditer(text, place.scalar.start, place.scalar.end)
    word = next((one for one in words if one.start() <= offset <= one.end()), None)
    name = word[0].partition(".")[0].removeprefix("$") if word else ""
    return name if name in place.machine.variables() else None


def references(machine: Machine, state: State) -> list[Reference]:
    """Return the places that name a state."""
    return [
        Reference(one.node, one.state)
        for one in machine.targets
        if one.name == state.name and one.scope is state.scope
    ]


def name_problem(machine: Machine, state: State, name: str) -> str | None:
    """Return why a state can't have a name; None when it can."""
    if not name or len(name) > _MOST_NAME:
        return f"a state's name has 1 to {_MOST_NAME} characters"
    others = {one.name for one in machine.states if one.node is not state.node}
    return f"there is a state '{name}' already: a name occurs once" if name in others else None


def outline(machine: Machine) -> Iterator[tuple[State, list[State]]]:
    """Yield the states, each with those that stand inside it."""
    for state in machine.states:
        yield state, [one for one in machine.states if one.outer is state]
