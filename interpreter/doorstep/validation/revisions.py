"""A definition that is being edited: what was found in a state is kept while the state stays.

What is found depends on the definition alone (fact 25), and in a state on that state and its place.
After each key an editor has the whole definition anew, with one state of hundreds that changed.
The checks of single states ask here; those of transitions and names look at all states each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ..definitions.documents import json_text
from ..errors import DefinitionError
from ..model import Fields, scopes_in, states_of

_T = TypeVar("_T")
_Key = tuple[Any, ...]


class Revision(dict[str, Any]):
    """One version of a definition; its states are those of the version before, where they can be.

    It is the definition as a mapping: what checks a definition checks a revision.
    """

    def __init__(self, definition: Mapping[str, Any], before: Revision | None = None) -> None:
        """Take a definition that was read and belongs to nobody else: states in it are replaced."""
        super().__init__(definition)
        self._before: Mapping[_Key, tuple[Fields, list[Any]]] = before._found if before else {}
        self._found: dict[_Key, tuple[Fields, list[Any]]] = {}
        if before is not None:
            _share(self, before)

    @classmethod
    def of(cls, definition: Mapping[str, Any], before: Revision | None) -> Revision:
        """Return the revision that a definition is: the one before, where nothing changed."""
        if before is not None and _same(definition, before):
            return before
        return cls(definition, before)

    def found(self, check: Callable[..., Iterable[_T]], state: Fields, *where: Any) -> list[_T]:
        """Return what a check finds in a state at some place, or found in the version before."""
        # The state is kept beside what was found, so that no other one gets its id.
        key = (check, id(state), *where)
        known = self._found.get(key) or self._before.get(key)
        if known is None:
            known = state, list(check(state, *where))
        self._found[key] = known
        return known[1]


def found(
    definition: Fields | None, check: Callable[..., Iterable[_T]], state: Fields, *where: Any
) -> Iterable[_T]:
    """Return what a check of a single state finds, in a revision only what is not known yet."""
    if isinstance(definition, Revision):
        return definition.found(check, state, *where)
    return check(state, *where)


def _share(scope: Fields, before: Fields) -> None:
    """Put the states of one scope into another, where they are the same to the last character."""
    states = scope.get("States")
    if not isinstance(states, dict):
        return
    former = states_of(before)
    for name, state in states_of(scope).items():
        if (other := former.get(name)) is None:
            continue
        if _same(state, other):
            states[name] = other
            continue
        inner = dict(scopes_in(other))
        for steps, one in scopes_in(state):
            if steps in inner:
                _share(one, inner[steps])


def _same(state: Fields, other: Fields) -> bool:
    """Return whether two states are written alike: to Python 1, 1.0 and True are equal."""
    try:
        return state == other and json_text(state) == json_text(other)
    except (DefinitionError, RecursionError):  # numbers or levels that nobody can write
        return False
