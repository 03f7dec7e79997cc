"""Files with what executions were given: only their owner may read them."""

from __future__ import annotations

import os


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: a file that it creates has mode 0600; one that exists keeps its own.

    On Windows the folder's permissions decide.
    """
    return os.open(path, flags, 0o600)
