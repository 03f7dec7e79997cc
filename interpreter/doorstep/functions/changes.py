"""Whether the files of a function changed since it was loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

_LEFT_OUT = {"node_modules", "__pycache__", ".git", ".venv", ".pytest_cache"}
_PAUSE = 0.5
"""Seconds between two looks: a call in a loop does not pay for one each time."""


class Changes:
    """Looks at names, sizes and times of the files below some folders."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        """Remember them as they are now."""
        self._folders = folders
        self._state = self._look()
        self._looked = time.monotonic()

    def seen(self) -> bool:
        """Return whether something changed since the last time that this was true."""
        now = time.monotonic()
        if now - self._looked < _PAUSE:
            return False
        self._looked = now
        before, self._state = self._state, self._look()
        return before != self._state

    def _look(self) -> frozenset[tuple[str, int, int]]:
        return frozenset(
            (entry.path, status.st_mtime_ns, status.st_size)
            for folder in self._folders
            for entry in _files(str(folder))
            for status in [entry.stat()]
        )


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _LEFT_OUT:
                    yield from _files(entry.path)
            elif entry.is_file():
                yield entry
