"""One process at a time writes a file: POSIX's advisory lock, or Windows' lock of a byte."""

from __future__ import annotations

import sys
from io import FileIO
from typing import Any

_BYTE = 2**31 - 2
"""The byte that is locked on Windows: far behind the end, as others can't read what is locked."""


def lock(file: FileIO) -> bool:
    """Lock an open file until it is closed; return False when another process has locked it.

    Raises OSError where the file system has no locks.
    """
    if sys.platform == "win32":
        return _lock_a_byte(file)
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_a_byte(file: FileIO) -> bool:
    import msvcrt

    windows: Any = msvcrt
    at = file.tell()
    file.seek(_BYTE)
    try:
        windows.locking(file.fileno(), windows.LK_NBLCK, 1)
    except PermissionError:
        return False
    finally:
        file.seek(at)
    return True
