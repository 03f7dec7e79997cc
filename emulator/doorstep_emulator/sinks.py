"""Where events and log lines go, each place served by a thread of its own.

| target | takes a document as |
|---|---|
| a path | a line of JSON at the end of that file |
| `http://…`, `https://…` | the JSON body of a POST; any answer but 2xx is a failure |
| `python:module:function`, `python:file.py:function` | the argument of a call |

A sink delivers in order. What fails is tried four times within two seconds, then given up, logged
and counted; what is refused (HTTP 4xx, an exception in the function) is given up at once. Nobody
waits for a sink: when 10,000 documents wait for it, the next ones are dropped, logged and counted.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from .targets import Document, Refused, deliverer, shown_name

log = logging.getLogger("doorstep")
_MOST = 10_000
_PAUSES = (0.1, 0.4, 1.5)
"""Seconds between the attempts to deliver one document."""


class Sink:
    """One target's queue."""

    def __init__(self, target: str) -> None:
        """Raises SinkError when the target can't be used."""
        self.name = shown_name(target)
        self.delivered = 0
        self._given_up = 0
        self._dropped = 0
        self._hand_over: Callable[[Document], None] = deliverer(target)
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
        """How many documents are in the queue."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def send(self, document: Document) -> None:
        """Queue a document."""
        full = self.waiting >= _MOST
        if full:
            self._dropped += 1
        else:
            self._queue.put(document)
        if full and not self._full:
            log.error("%s: %d documents wait; more are dropped", self.name, _MOST)
        self._full = full

    def close(self, patience: float) -> None:
        """Deliver what waits, but for no longer than `patience` (seconds)."""
        self._queue.put(None)
        self._thread.join(patience)
        self._ending.set()
        # The end itself is in the queue, in place of what is just being delivered.
        if left := self.waiting:
            self._dropped += left
            log.error("%s: %d documents could not be delivered before the end", self.name, left)

    def _run(self) -> None:
        while (document := self._queue.get()) is not None and not self._ending.is_set():
            try:
                self._deliver(document)
            except Refused as problem:
                self._give_up(problem)
            except Exception as problem:  # noqa: BLE001  whatever it is: the next one may succeed
                self._give_up(f"{type(problem).__name__}: {problem}")

    def _deliver(self, document: Document) -> None:
        for pause in _PAUSES:
            try:
                self._hand_over(document)
                break
            except (OSError, HTTPException):
                if self._ending.wait(pause):
                    raise
        else:
            self._hand_over(document)
        self.delivered += 1

    def _give_up(self, why: Any) -> None:
        self._given_up += 1
        if not self._ending.is_set():
            log.error("%s: a document was given up: %s", self.name, why)


class Sinks:
    """The targets of events and of log lines; one that is named for both is one sink."""

    def __init__(self, events: tuple[str, ...] = (), logs: tuple[str, ...] = ()) -> None:
        """Raises SinkError when a target can't be used."""
        made = {target: Sink(target) for target in dict.fromkeys((*events, *logs))}
        self.all = list(made.values())
        self.events = [made[target] for target in dict.fromkeys(events)]
        self.logs = [made[target] for target in dict.fromkeys(logs)]

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
