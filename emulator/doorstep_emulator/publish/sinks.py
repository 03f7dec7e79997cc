"""Where events and log lines go, each place served by a thread of its own.

| target | takes a document as |
|---|---|
| a path | a line of JSON at the end of that file |
| `http://…`, `https://…` | the JSON body of a POST; any answer but 2xx is a failure |
| `python:module:function`, `python:file.py:function` | the argument of a call |

A sink delivers in order. What fails is tried four times within two seconds, then given up, logged
and counted; what is refused (HTTP 4xx, an exception in the function) is given up at once. Nothing
waits for a sink: when 10,000 documents wait for it, the next ones are dropped, logged and counted.
"""

from __future__ import annotations

import copy
import logging
import os
import queue
import threading
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
    """A file, a webhook or a function that takes documents."""

    name: str
    """For logs and metrics: a URL without what may be secret in it."""
    take: Callable[[Sequence[Document]], None]
    """Raises Refused when it is no use to try again, and another exception when it may be."""
    most: int = 1
    """How many documents it takes at once."""


def target(text: str) -> Target:
    """Return the target that a text names; raise SinkError when it can't be used."""
    if text.startswith(_URLS):
        return Target(_public(text), partial(_post, _url(text)))
    if text.startswith(_HOOK):
        return Target(text, partial(_call, _function(text)))
    return Target(text, partial(_append, _file(text)), most=1000)


def _public(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


# Files -------------------------------------------------------------------------------------------


def _file(target: str) -> Path:
    path = Path(target)
    try:
        with open(path, "ab", opener=private):
            return path
    except OSError as problem:
        raise SinkError(
            f"{target} can't be written: {problem.strerror}. A target is a file, an http(s) URL or "
            "python:MODULE:FUNCTION"
        ) from None


def _append(path: Path, documents: Sequence[Document]) -> None:
    # Opened anew each time: the file may be moved away (logrotate) meanwhile.
    lines = b"".join(encoded(document) + b"\n" for document in documents)
    if _cut_off(path):
        lines = b"\n" + lines
    with open(path, "ab", opener=private) as file:
        file.write(lines)


def _cut_off(path: Path) -> bool:
    """Return whether a line was cut off by the end of a server, or by a disk that was full."""
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
        raise SinkError(
            f"{_public(target)}: a URL with a user can't be used; what has to sign in can be a "
            "function, python:FILE.py:FUNCTION"
        )
    return target


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would make a GET of the POST."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open = urllib.request.build_opener(_NoRedirects).open


def _post(url: str, documents: Sequence[Document]) -> None:
    (document,) = documents
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, encoded(document), headers, method="POST")
    try:
        _open(request, timeout=_SECONDS).close()
    except HTTPError as refused:
        refused.close()
        if refused.code < 500 and refused.code not in _LATER:
            raise Refused(refused) from None
        raise


# Functions ---------------------------------------------------------------------------------------


def _function(target: str) -> Callable[[Document], Any]:
    source, _, name = target.removeprefix(_HOOK).rpartition(":")
    if not source or not name:
        raise SinkError(
            f"{target!r} names no function; write python:MODULE:FUNCTION or python:FILE.py:FUNCTION"
        )
    try:
        function = getattr(load(source), name, None)
    except HandlerLoadError as problem:
        raise SinkError(f"{target}: {problem}") from None
    if not callable(function):
        raise SinkError(f"{source} has no function {name}")
    hook: Callable[[Document], Any] = function
    return hook


def _call(function: Callable[[Document], Any], documents: Sequence[Document]) -> None:
    (document,) = documents
    try:
        # A copy: what it changes must not reach the other sinks.
        function(copy.deepcopy(document))
    except (Exception, SystemExit) as problem:  # noqa: BLE001  the user's function may do anything
        # From its own frames on; the message comes first, as a log's readers look there.
        frames = traceback.format_list(traceback.extract_tb(problem.__traceback__)[1:])
        message = "".join([*traceback.format_exception_only(problem), *frames])
        raise Refused(message.rstrip()) from None


log = logging.getLogger("doorstep")
_MOST = 10_000
_PAUSES = (0.1, 0.4, 1.5)
"""Seconds between the attempts to deliver one document."""


class Sink:
    """One target's queue."""

    def __init__(self, text: str) -> None:
        """Open the target; raise SinkError when it can't be used."""
        self._target = target(text)
        self.name = self._target.name
        self.delivered = 0
        self._queued = self._given_up = self._dropped = 0
        self._queue: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        self._full = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink {self.name}", daemon=True)

    @property
    def failed(self) -> int:
        """How many were given up, or never came into the queue."""
        return self._given_up + self._dropped

    @property
    def waiting(self) -> int:
        """How many documents were queued and neither delivered nor given up."""
        return self._queued - self.delivered - self._given_up

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def send(self, document: Document) -> None:
        """Queue a document."""
        if self.waiting >= _MOST:
            self._dropped += 1
            if not self._full:
                log.error("%s: %d documents wait; more are dropped", self.name, _MOST)
            self._full = True
            return
        self._full = self._full and self.waiting > _MOST // 2
        self._queued += 1
        self._queue.put(document)

    def close(self, patience: float) -> None:
        """Deliver what waits, but for no longer than `patience` (seconds)."""
        self._queue.put(None)
        self._thread.join(patience)
        self._ending.set()
        if left := self.waiting:
            log.error("%s: %d documents could not be delivered before the end", self.name, left)

    def _run(self) -> None:
        while not self._ending.is_set() and (documents := self._next()):
            try:
                self._deliver(documents)
            except Exception as problem:  # noqa: BLE001  whatever it is: the next may succeed
                self._give_up(documents, problem)

    def _next(self) -> list[Document]:
        """Return the next documents, as many as there are and the target takes; none at the end."""
        documents: list[Document] = []
        while len(documents) < self._target.most:
            try:
                document = self._queue.get(block=not documents)
            except queue.Empty:
                break
            if document is None:
                self._queue.put(None)
                break
            documents.append(document)
        return documents

    def _deliver(self, documents: Sequence[Document]) -> None:
        for pause in _PAUSES:
            try:
                self._target.take(documents)
                break
            except Refused:
                raise
            except Exception:
                if self._ending.wait(pause):
                    raise
        else:
            self._target.take(documents)
        self.delivered += len(documents)

    def _give_up(self, documents: Sequence[Document], problem: Exception) -> None:
        self._given_up += len(documents)
        if not self._ending.is_set():
            kind = "" if isinstance(problem, Refused) else f"{type(problem).__name__}: "
            log.error("%s: given up: %d: %s%s", self.name, len(documents), kind, problem)


class Sinks:
    """The sinks of events and of log lines; a target that is named for both has one."""

    def __init__(self, events: tuple[str, ...] = (), logs: tuple[str, ...] = ()) -> None:
        """Open the targets; raise SinkError when one can't be used."""
        sinks = {text: Sink(text) for text in dict.fromkeys((*events, *logs))}
        self.all = list(sinks.values())
        self.events = [sinks[text] for text in dict.fromkeys(events)]
        self.logs = [sinks[text] for text in dict.fromkeys(logs)]

    def start(self) -> None:
        """Begin to deliver."""
        for sink in self.all:
            sink.start()

    def close(self, patience: float) -> None:
        """Deliver what waits; every sink has `patience` seconds, all at the same time."""
        closing = [threading.Thread(target=sink.close, args=(patience,)) for sink in self.all]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
