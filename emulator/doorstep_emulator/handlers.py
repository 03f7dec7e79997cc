"""Handlers that are read again when their file has changed."""

from __future__ import annotations

import threading
from pathlib import Path

from doorstep.engine.messages import Invoke
from doorstep.runtime.handlers import Handler, Handlers


class LiveHandlers(Handlers):
    """The handlers of a file or of a folder's files, as they are now."""

    def __init__(self, path: str | None) -> None:
        """Raises HandlerLoadError when the file does not load."""
        super().__init__(path)
        self.path = path
        self._lock = threading.Lock()
        self._stamp = self._changed_at()

    def find(self, invoke: Invoke) -> Handler | None:
        """The handler of a task; raises HandlerLoadError when its file can't be loaded."""
        with self._lock:
            stamp = self._changed_at()
            if stamp != self._stamp:
                super().__init__(self.path)
                self._stamp = stamp
            return super().find(invoke)

    def _changed_at(self) -> float:
        path = Path(self.path) if self.path else None
        if path is None or not path.exists():
            return 0.0
        files = [*path.glob("*.py")] if path.is_dir() else [path]
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)
