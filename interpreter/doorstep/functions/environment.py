"""Environment variables of a function that runs in Doorstep's own process.

`os.environ` is one for the whole process, and functions at work in several threads each have their
own variables. So it is replaced once by a mapping that looks first at those of the function that
the current thread (or task) is calling.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar

_OWN: ContextVar[dict[str, str] | None] = ContextVar("own_variables", default=None)


class _Environment(MutableMapping[str, str]):
    """The process's variables, beneath those of the function at work."""

    def __init__(self, process: MutableMapping[str, str]) -> None:
        self._process = process

    def __getitem__(self, name: str) -> str:
        own = _OWN.get()
        if own is not None and name in own:
            return own[name]
        return self._process[name]

    def __setitem__(self, name: str, value: str) -> None:
        own = _OWN.get()
        if own is None:
            self._process[name] = value
        else:
            own[name] = value

    def __delitem__(self, name: str) -> None:
        own = _OWN.get()
        if own is not None and name in own:
            del own[name]
        else:
            del self._process[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._process, **(_OWN.get() or {})})

    def __len__(self) -> int:
        return len({**self._process, **(_OWN.get() or {})})

    def __repr__(self) -> str:
        return f"environ({dict(self)!r})"

    def copy(self) -> dict[str, str]:
        """Return all variables, as `os.environ.copy` does."""
        return dict(self)

    def __or__(self, other: Mapping[str, str]) -> dict[str, str]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, str]) -> dict[str, str]:
        return {**other, **self}


@contextmanager
def variables(own: dict[str, str]) -> Iterator[None]:
    """Let `os.environ` show these variables too, in this thread or task, for a while.

    What the function sets goes into `own`, and stands there in its next call.
    """
    if not isinstance(os.environ, _Environment):
        os.environ = _Environment(os.environ)  # type: ignore[assignment]  # noqa: B003
    token = _OWN.set(own)
    try:
        yield
    finally:
        _OWN.reset(token)
