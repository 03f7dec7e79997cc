"""What functions in this process print and log, by the state that called them.

`sys.stdout` and the root logger are those of the whole process, and functions at work in several
threads each have their own lines. So both are replaced while functions run, by ones that look
whose thread (or task) it is.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_LINES: ContextVar[_Lines | None] = ContextVar("lines", default=None)


class _Lines:
    """What one call printed and has not ended with a line break."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log(line)

    def close(self) -> None:
        if self._rest:
            self.write("\n")


class _Stdout(io.TextIOBase):
    """The stream of the process, or of the call that writes."""

    def __init__(self, process: Any) -> None:
        self.process = process

    def write(self, text: str) -> int:
        lines = _LINES.get()
        if lines is None:
            return int(self.process.write(text))
        lines.write(text)
        return len(text)

    def flush(self) -> None:
        # Also called when this is collected, which may be after the stream was closed.
        if not getattr(self.process, "closed", False):
            self.process.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.process, name)


class _Logged(logging.Handler):
    """Shows what a function logs as it would stand in CloudWatch; nothing of anybody else."""

    def emit(self, record: logging.LogRecord) -> None:
        if lines := _LINES.get():
            lines.write(f"[{record.levelname}] {self.format(record)}\n")


class _Installed:
    """Stream and handler, as long as at least one function runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._handler = _Logged()
        self._stdout: _Stdout | None = None

    def begin(self) -> None:
        with self._lock:
            self._running += 1
            if not isinstance(sys.stdout, _Stdout):
                sys.stdout = self._stdout = _Stdout(sys.stdout)
            logging.getLogger().addHandler(self._handler)

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0:
                if sys.stdout is self._stdout and self._stdout is not None:
                    sys.stdout = self._stdout.process
                logging.getLogger().removeHandler(self._handler)


_INSTALLED = _Installed()


class Printing:
    """What one function prints and logs."""

    def __init__(self) -> None:
        """Begin with the level that Lambda's root logger has."""
        self._level = logging.WARNING

    @contextmanager
    def shown(self, log: Callable[[str], None]) -> Iterator[None]:
        """Pass each line that is printed or logged in this thread or task to `log`, for a while.

        The root logger has the level that this function gave it, whatever others did.
        """
        lines, root = _Lines(log), logging.getLogger()
        token, before = _LINES.set(lines), root.level
        _INSTALLED.begin()
        root.setLevel(self._level)
        try:
            yield
        finally:
            self._level = root.level
            root.setLevel(before)
            _INSTALLED.end()
            _LINES.reset(token)
            lines.close()
