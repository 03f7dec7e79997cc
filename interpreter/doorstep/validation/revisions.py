"""A definition that is being edited: what was found in a state is kept while the state stays.

What is found depends on the definition alone (fact 25), and in a state on that state and its place.
After each key an editor has the whole definition anew, with one state of hundreds that changed.
The checks of single states ask here; those of transitions and names look at all states each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ..model import Fields

_T = TypeVar("_T")
_Key = tuple[Any, ...]


class Revision(dict[str, Any]):
    """One version of a definition; what was found in a state holds for those written alike.

    It is the definition as a mapping: what checks a definition checks a revision.
    """

    def __init__(self, definition: Mapping[str, Any], before: Revision | None = None) -> None:
        super().__init__(definition)
        self._before: Mapping[_Key, list[Any]] = before._found if before else {}
        self._found: dict[_Key, list[Any]] = {}

    @classmethod
    def of(cls, definition: Mapping[str, Any], before: Revision | None) -> Revision:
        """Return the revision that a definition is: the one before, where nothing changed."""
        if before is not None and definition == before and _written(definition) == _written(before):
            return before
        return cls(definition, before)

    def found(self, check: Callable[..., Iterable[_T]], state: Fields, *where: Any) -> list[_T]:
        """Return what a check finds in a state at some place, or found in the version before."""
        key = (check, _written(state), *where)
        known = self._found.get(key) or self._before.get(key)
        if known is None:
            known = list(check(state, *where))
        self._found[key] = known
        return known


def found(
    definition: Fields | None, check: Callable[..., Iterable[_T]], state: Fields, *where: Any
) -> Iterable[_T]:
    """Return what a check of a single state finds, in a revision only what is not known yet."""
    if isinstance(definition, Revision):
        return definition.found(check, state, *where)
    return check(state, *where)


def _written(value: Any) -> object:
    """Return the same for what is written alike: to Python 1, 1.0 and True are equal."""
    try:
        return repr(value)
    except ValueError:  # a whole number that is too long, which YAML may have in another base
        return object()
