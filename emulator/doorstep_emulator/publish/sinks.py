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
from collections.abc import Sequence

from .targets import Document, Refused, target

log = logging.getLogger("doorstep")
_MOST = 10_000
_PAUSES = (0.1, 0.4, 1.5)
"""Seconds between the attempts to deliver one document."""


class Sink:
    """One target's queue."""

    def __init__(self, text: str) -> None:
        """Raises SinkError when the target can't be used."""
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
        while not self._ending.is_set() and (documents := self._taken()):
            try:
                self._deliver(documents)
            except Exception as problem:  # noqa: BLE001  whatever it is: the next may succeed
                self._give_up(documents, problem)

    def _taken(self) -> list[Document]:
        """The next documents, as many as there are and the target takes; none at the end."""
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
    """The targets of events and of log lines; one that is named for both is one sink."""

    def __init__(self, events: tuple[str, ...] = (), logs: tuple[str, ...] = ()) -> None:
        """Raises SinkError when a target can't be used."""
        made = {text: Sink(text) for text in dict.fromkeys((*events, *logs))}
        self.all = list(made.values())
        self.events = [made[text] for text in dict.fromkeys(events)]
        self.logs = [made[text] for text in dict.fromkeys(logs)]

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
