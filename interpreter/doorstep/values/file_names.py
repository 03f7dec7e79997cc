"""Names of executions as names of files, and paths as texts, on every system's file systems.

Windows' rules are kept everywhere, so that a folder can be carried from one system to another:
https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import unquote

_STRANGE = r'[<>:"\\|?*\x00-\x1f]|[. ]$'
_UNSAFE = re.compile(rf"{_STRANGE}|[/%]|^\.")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?=$|\.)", re.IGNORECASE)
"""Names of devices, whatever ending follows."""


def file_name(name: str, taken: MutableMapping[str, str] | None = None) -> str:
    """Return the name of a file or folder that stands for a name; `name_of` returns that again.

    What file systems do not take is written as in URLs: `a:b` is `a%3Ab`, `con` is `%63on`.
    `taken`: the names of one folder; one that another equals but for case is written so as a whole,
    as drives of Windows and macOS take both for one file.
    """
    safe = _UNSAFE.sub(_encoded, name)
    if _DEVICES.match(safe):
        safe = _encoded(safe[0]) + safe[1:]
    if taken is not None and taken.setdefault(safe.casefold(), name) != name:
        return _encoded(name)
    return safe


def _encoded(text: str | re.Match[str]) -> str:
    whole = text if isinstance(text, str) else text[0]
    return "".join(f"%{byte:02X}" for byte in whole.encode(errors="surrogatepass"))


def name_of(file: str) -> str:
    """Return the name that a file's stands for."""
    return unquote(file, errors="surrogatepass")


def is_possible_here(part: str) -> bool:
    """Return whether this system takes a part of a path as it is: Windows has others for some."""
    if sys.platform != "win32" or part in (".", ".."):
        return True
    return not re.search(_STRANGE, part) and not _DEVICES.match(part)


def relative(path: Path | str, folder: Path | str = ".") -> str:
    """Return a path as it is written in files and reports: from a folder on, with `/`.

    One on another drive of Windows stays whole.
    """
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return Path(path).absolute().as_posix()
