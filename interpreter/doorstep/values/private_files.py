"""Files with what executions were given: only their owner may read them."""

from __future__ import annotations

import os


def private(path: str, flags: int) -> int:
    """Open a file, as `opener` of `open`: one that it creates has mode 0600, others have their own.

    On Windows the folder's permissions decide.
    """
    return os.open(path, flags, 0o600)
