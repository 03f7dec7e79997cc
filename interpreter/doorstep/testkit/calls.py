"""The calls that an execution's tasks made, whoever answered them: a handler, a mock, nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..calling import given_to
from ..definition import State, machine
from ..handlers import names_by
from ..integrations import integration
from ..jsontext import loads
from ..passages import Passage


@dataclass(frozen=True, slots=True)
class Call:
    """One call; a retry is another one."""

    names: tuple[str, ...]
    """All names under which a handler is looked for: the state, the function, `service:action`."""
    given: Any
    """What a handler is given."""


def calls(definition: Mapping[str, Any], passages: Sequence[Passage]) -> Iterator[Call]:
    """The calls in the order in which they were made."""
    tasks = _tasks(definition)
    scheduled = sorted(
        (event.id, passage.name, event.details)
        for passage in passages
        if passage.name in tasks
        for event in passage.attempts
    )
    for _, name, details in scheduled:
        text = details.get("parameters", details.get("input"))
        yield _call(tasks[name], None if text is None else loads(text))


def callable_names(definition: Mapping[str, Any]) -> list[str]:
    """The names that calls may have, as far as the definition says, in order."""
    found: set[str] = set()
    for state in _tasks(definition).values():
        arguments = state.fields.get("Parameters", state.fields.get("Arguments"))
        found.update(_call(state, arguments).names)
    return sorted(found)


def _tasks(definition: Mapping[str, Any]) -> dict[str, State]:
    return {state.name: state for state in machine(definition).scope.walk() if state.type == "Task"}


def _call(state: State, arguments: Any) -> Call:
    resource = state.fields["Resource"]
    called = integration(resource)
    return Call(names_by(state.name, resource, called, arguments), given_to(called, arguments))
