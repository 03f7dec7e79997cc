"""What a sink delivers to: a file, a webhook or a function."""

from __future__ import annotations

import copy
import os
import traceback
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from doorstep.errors import HandlerLoadError
from doorstep.handlers import load
from doorstep.jsontext import encoded

from .errors import SinkError

Document = dict[str, Any]
_SECONDS = 5.0
"""How long a webhook may take to answer."""
_URLS = ("http://", "https://")
_HOOK = "python:"
_LATER = (408, 429)
"""Refusals of HTTP that may not be the last word."""


class Refused(Exception):  # noqa: N818  what the target did
    """A target does not take this document, now or later."""


def deliverer(target: str) -> Callable[[Document], None]:
    """What delivers to a target; raises SinkError when it can't be used.

    A delivery raises Refused when it is no use to try again, OSError or HTTPException when it is.
    """
    if target.startswith(_URLS):
        return partial(_post, _url(target))
    if target.startswith(_HOOK):
        return partial(_call, _function(target))
    return partial(_append, _file(target))


def shown_name(target: str) -> str:
    """A target as logs and metrics name it: a URL without what may be secret in it."""
    if not target.startswith(_URLS):
        return target
    parts = urlsplit(target)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


# Files -------------------------------------------------------------------------------------------


def _file(target: str) -> Path:
    path = Path(target)
    try:
        with path.open("ab"):
            return path
    except OSError as problem:
        told = f"{target} can't be written: {problem.strerror}. A target is a file, an http(s) URL"
        raise SinkError(f"{told} or python:MODULE:FUNCTION") from None


def _append(path: Path, document: Document) -> None:
    # Opened anew for each document: the file may be moved away (logrotate) meanwhile.
    line = encoded(document) + b"\n"
    if _cut_off(path):
        line = b"\n" + line
    with path.open("ab") as file:
        file.write(line)


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
        raise SinkError(f"{shown_name(target)}: {told}, python:FILE.py:FUNCTION")
    return target


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would make a GET of the POST."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = urllib.request.build_opener(_Here).open


def _post(url: str, document: Document) -> None:
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


def _call(function: Callable[[Document], Any], document: Document) -> None:
    try:
        # A copy: what it changes must not reach the other sinks.
        function(copy.deepcopy(document))
    except (Exception, SystemExit) as problem:  # noqa: BLE001  the user's function may do anything
        # From its own frames on; the message comes first, as a log's readers look there.
        frames = traceback.format_list(traceback.extract_tb(problem.__traceback__)[1:])
        told = "".join([*traceback.format_exception_only(problem), *frames])
        raise Refused(told.rstrip()) from None
