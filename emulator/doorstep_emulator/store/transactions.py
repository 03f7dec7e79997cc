"""The way into the store: what was collected becomes one transaction, or one an owner."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isnan
from typing import Any

from ..errors import StoreError

log = logging.getLogger("doorstep")
_AGAIN = 0.2
"""Seconds between two attempts to write to a disk that refuses it."""

Owner = int | str
"""Whose a write is: the id of an execution, or the name of a document."""
Write = tuple[Owner, str, Sequence[Any]]


class Transactions(ABC):
    """A database, and what is to be written to it."""

    fenced = False

    def __init__(
        self,
        path: str,
        longest: int,
        is_temporary: Callable[[Exception], bool],
        refused: Callable[[str, Exception], StoreError],
    ) -> None:
        """`longest`: bytes of the longest value that can be stored.

        `is_temporary`: whether to try a write again, which is refused whatever the values are;
        `refused`: the error that says what to do about a problem with a path.
        """
        self.path = path
        self.commits = 0
        self.trouble: str | None = None
        self.refused_documents: list[str] = []
        self.missing = 0
        self._refused: dict[int, str] = {}
        self._collected: list[Write] = []
        self._longest = longest
        self._is_temporary = is_temporary
        self._refusal = partial(refused, path)

    # What each database does its own way ---------------------------------------------------------

    @abstractmethod
    def _transact(self) -> None:
        """Write what was collected in one transaction."""

    @abstractmethod
    def _read(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows that a statement finds."""

    def _wrote(self) -> None:
        """Count a commit."""
        self.commits += 1

    # What they have in common --------------------------------------------------------------------

    def _write(self, owner: Owner, sql: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            # A whole look at each value took as long as a commit.
            if not _is_common(value, self._longest) and (
                obstacle := unbindable(value, self._longest)
            ):
                raise StoreError(f"the {name} of {_name(owner)} can't be stored: {obstacle}")
        self._collected.append((owner, sql, tuple(values.values())))

    def commit(self) -> None:
        """Write one transaction; when it is refused for what it holds, one for each owner."""
        if self._transacted() is None:
            return
        groups: dict[Owner, list[Write]] = {}
        for write in self._collected:
            groups.setdefault(write[0], []).append(write)
        for owner, self._collected in groups.items():
            if problem := self._transacted():
                self._refuse(owner, problem)
        self._collected = []

    def _transacted(self) -> Exception | None:
        """Write what was collected as soon as the disk takes it; return why it never will."""
        while self._collected:
            try:
                self._transact()
            except Exception as problem:  # noqa: BLE001  whatever it is, the others are written
                if not self._is_temporary(problem):
                    self.trouble = None
                    return problem
                self._wait(self._refusal(problem))
            else:
                self.trouble = None
                self._collected.clear()
                self._wrote()
        return None

    def _refuse(self, owner: Owner, problem: Exception) -> None:
        log.error("what was to be stored of %s is dropped: %s", _name(owner), problem)
        if isinstance(owner, int):
            self._refused[owner] = str(problem)
        elif _name(owner) not in self.refused_documents:
            self.refused_documents.append(_name(owner))

    def take_refused(self) -> dict[int, str]:
        refused, self._refused = self._refused, {}
        return refused

    def _wait(self, problem: StoreError) -> None:
        if self.trouble is None:
            log.error("nothing continues until this can be written: %s", problem)
        self.trouble = str(problem)
        time.sleep(_AGAIN)


def _is_common(value: object, longest: int) -> bool:
    """Return whether a value is of those that nearly all are, and that can be stored."""
    if type(value) is str:
        return len(value) <= longest and value.isascii() and "\0" not in value
    if type(value) is int:
        return 0 <= value < 1 << 32
    return value is None or (type(value) is bytes and len(value) <= longest)


def _name(owner: Owner) -> str:
    # For messages: an ARN may be what can't be stored, and of any length.
    name = owner if isinstance(owner, str) else f"execution {owner}"
    return name[:300].encode("ascii", "backslashreplace").decode()


def unbindable(value: object, longest: int) -> str | None:
    """Return why a value can't be stored; None when it can. `longest`: the limit, in bytes."""
    if value is None:
        return None
    if isinstance(value, str):
        return _unbindable_text(value, longest)
    if isinstance(value, bytes):
        return _too_long(len(value), longest)
    if isinstance(value, int):
        return None if -(1 << 63) <= value < 1 << 63 else "an integer of more than 64 bits"
    if isinstance(value, float):
        return "a float that is no number" if isnan(value) else None
    return f"a value of type {type(value).__name__}"


def _unbindable_text(text: str, longest: int) -> str | None:
    if "\0" in text:
        return "a text with a NUL character"
    try:
        return _too_long(len(text.encode()), longest)
    except UnicodeEncodeError:
        return "a text with half of a surrogate pair"


def _too_long(length: int, longest: int) -> str | None:
    return f"{length} bytes, of {longest} at most" if length > longest else None
