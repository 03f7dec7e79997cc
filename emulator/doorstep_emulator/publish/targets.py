"""What a sink delivers to: a file, a webhook or a function."""

from __future__ import annotations

import copy
import os
import traceback
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from doorstep.errors import HandlerLoadError
from doorstep.runtime.handlers import load
from doorstep.values.json_values import encoded
from doorstep.values.private_files import private

from ..errors import SinkError

Document = dict[str, Any]
_SECONDS = 5.0
"""How long a webhook may take to answer."""
_URLS = ("http://", "https://")
_HOOK = "python:"
_LATER = (408, 429)
"""Refusals of HTTP that may not be the last word."""


class Refused(Exception):  # noqa: N818  what the target did
    """A target does not take this document, now or later."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes documents."""

    name: str
    """For logs and metrics: a URL without what may be secret in it."""
    take: Callable[[Sequence[Document]], None]
    """Raises Refused when it is no use to try again, and another exception when it may be."""
    most: int = 1
    """How many documents it takes at once."""


def target(text: str) -> Target:
    """The target that a text names; raises SinkError when it can't be used."""
    if text.startswith(_URLS):
        return Target(_shown(text), partial(_post, _url(text)))
    if text.startswith(_HOOK):
        return Target(text, partial(_call, _function(text)))
    return Target(text, partial(_append, _file(text)), most=1000)


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


# Files -------------------------------------------------------------------------------------------


def _file(target: str) -> Path:
    path = Path(target)
    try:
        with open(path, "ab", opener=private):
            return path
    except OSError as problem:
        told = f"{target} can't be written: {problem.strerror}. A target is a file, an http(s) URL"
        raise SinkError(f"{told} or python:MODULE:FUNCTION") from None


def _append(path: Path, documents: Sequence[Document]) -> None:
    # Opened anew each time: the file may be moved away (logrotate) meanwhile.
    lines = b"".join(encoded(document) + b"\n" for document in documents)
    if _cut_off(path):
        lines = b"\n" + lines
    with open(path, "ab", opener=private) as file:
        file.write(lines)


def _cut_off(path: Path) -> bool:
    """Whether a line was cut off by the end of a server, or by a disk that was full."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


# Webhooks ----------------------------------------------------------------------------------------


def _url(target: str) -> str:
    parts = urlsplit(target)
    if not parts.hostname:
        raise SinkError(f"{target!r} has no host; write http://HOST:PORT/PATH")
    if "@" in parts.netloc:
        told = "a URL with a user can't be used; what has to sign in can be a function"
        raise SinkError(f"{_shown(target)}: {told}, python:FILE.py:FUNCTION")
    return target


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would make a GET of the POST."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = urllib.request.build_opener(_Here).open


def _post(url: str, documents: Sequence[Document]) -> None:
    (document,) = documents
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(url, encoded(document), headers, method="POST")
    try:
        _open(asked, timeout=_SECONDS).close()
    except HTTPError as refused:
        refused.close()
        if refused.code < 500 and refused.code not in _LATER:
            raise Refused(refused) from None
        raise


# Functions ---------------------------------------------------------------------------------------


def _function(target: str) -> Callable[[Document], Any]:
    source, _, name = target.removeprefix(_HOOK).rpartition(":")
    if not source or not name:
        told = "write python:MODULE:FUNCTION or python:FILE.py:FUNCTION"
        raise SinkError(f"{target!r} names no function; {told}")
    try:
        function = getattr(load(source), name, None)
    except HandlerLoadError as problem:
        raise SinkError(f"{target}: {problem}") from None
    if not callable(function):
        raise SinkError(f"{source} has no function {name}")
    found: Callable[[Document], Any] = function
    return found


def _call(function: Callable[[Document], Any], documents: Sequence[Document]) -> None:
    (document,) = documents
    try:
        # A copy: what it changes must not reach the other sinks.
        function(copy.deepcopy(document))
    except (Exception, SystemExit) as problem:  # noqa: BLE001  the user's function may do anything
        # From its own frames on; the message comes first, as a log's readers look there.
        frames = traceback.format_list(traceback.extract_tb(problem.__traceback__)[1:])
        told = "".join([*traceback.format_exception_only(problem), *frames])
        raise Refused(told.rstrip()) from None
