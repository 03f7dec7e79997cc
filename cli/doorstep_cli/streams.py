"""Standard streams whatever the system's encoding: what is written is never lost, nor an error."""

from __future__ import annotations

import codecs
import os
import sys
from io import TextIOWrapper

_ESCAPED = "doorstep-escaped"


def settle_streams() -> None:
    """Let stdout and stderr take every text.

    Files and pipes get UTF-8, as JSON, SVG and HTML have to be, unless PYTHONIOENCODING names
    another encoding. What a terminal (or that encoding) lacks is escaped as in JSON: `\\u2192`.
    A stream that whoever started us has closed is nothing to read, or takes all.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # no file that is opened later gets its descriptor either
            device = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(device, mode, encoding="utf-8"))
    codecs.register_error(_ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            ours = not stream.isatty() and "PYTHONIOENCODING" not in os.environ
            stream.reconfigure(encoding="utf-8" if ours else None, errors=_ESCAPED)


def _escaped(problem: UnicodeError) -> tuple[str, int]:
    """Write what can't be encoded in JSON's escapes, beyond U+FFFF as two of them (RFC 8259, 7)."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    units = problem.object[problem.start : problem.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(rf"\u{pair}" for pair in pairs), problem.end


def read_stdin() -> str:
    """Return all of standard input, which is UTF-8 as files are. Raises UnicodeDecodeError."""
    return sys.stdin.buffer.read().decode("utf-8-sig")
