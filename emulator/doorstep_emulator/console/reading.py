"""What pages are about, read from the server: in its thread, and never ahead of the disk."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast

from markupsafe import Markup

from doorstep.definitions.documents import read_json
from doorstep.engine import Event
from doorstep.errors import DoorstepError
from doorstep.history import Entry
from doorstep.model.aws_model import check_request
from doorstep.replayer import Moments, Recording, Replayer

from ..api.executions import events_of, existing, last_event
from ..arns import Caller
from ..http.app import Http
from ..server import Server
from ..store.store import ListQuery, Row
from .execution_page import Timeline

_BATCH = 1_000
"""Events that are read at a time: the server's thread has other things to do."""
_PATIENCE = 2.0
"""Seconds that a page waits for another server."""
_HELD = 16
"""Executions whose events stay in memory."""
_REPLAYED = 3_000
"""Events up to which an execution is replayed for the data between the fields of its states."""
RECENT = 100
"""Executions of a state machine that its summary counts."""
T = TypeVar("T")


@dataclass(slots=True)
class Read:
    """An execution as far as it has been read."""

    row: Row
    definition: Mapping[str, Any]
    """Of the state machine, or the ItemProcessor of a map run's child."""
    entries: list[Entry] = field(default_factory=list)
    _drawing: tuple[int, Markup | None] | None = None
    """With how many events it was drawn."""
    _timeline: Timeline | None = None
    _moments: Moments | None = None

    def add(self, row: Row, events: Sequence[Event]) -> None:
        """Add what was read: the row as it stands, and events that may be known."""
        self.row = row
        known = len(self.entries)
        self.entries += [Entry(*one[:4], one.details or {}) for one in events if one.id > known]

    def drawing(self, draw: Callable[[], Markup | None]) -> Markup | None:
        """Return the drawing, made when there are new events: a large one takes its time."""
        if self._drawing is None or self._drawing[0] != len(self.entries):
            self._drawing = len(self.entries), draw()
        return self._drawing[1]

    def timeline(self) -> Timeline:
        """Return the steps of the drawing until now."""
        self._timeline = self._timeline or Timeline(self.definition)
        for entry in self.entries[self._timeline.events :]:
            self._timeline.add(entry)
        return self._timeline

    def moments(self) -> Moments:
        """Return its moments, replayed if it is not too long."""
        if self._moments is None or len(self._moments) != len(self.entries):
            recording = Recording(list(self.entries), self.row.arn, self.row.map_run)
            self._moments = Moments(recording, self._replayer())
        return self._moments

    def _replayer(self) -> Replayer | None:
        if len(self.entries) > _REPLAYED or self.row.map_run:
            return None
        try:
            of_type = "EXPRESS" if self.row.type == "EXPRESS" else "STANDARD"
            return Replayer(self.definition, type=cast(Any, of_type), times=False)
        except DoorstepError:
            return None


class Reader:
    """Asks the server; holds what it has read of the last executions."""

    def __init__(self, server: Server, http: Http, owner: Caller) -> None:
        self.server = server
        self._http = http
        self._owner = owner
        self._read: OrderedDict[int, Read] = OrderedDict()

    async def look(self, act: Callable[[], T]) -> T:
        """Do something in the server's thread; raise what it raises."""
        _, answered = self._http.bring(act)
        outcome = await answered
        if isinstance(outcome, BaseException):
            raise outcome
        return cast(T, outcome)

    async def ask(self, operation: str, clock: str | None = None, **members: Any) -> dict[str, Any]:
        """Call an operation of the API; members that are None or empty are left out.

        Raises ApiError.
        """
        present = {name: value for name, value in members.items() if value not in (None, "")}
        request = check_request(operation, present)
        owner = self._owner
        caller = Caller(owner.account, owner.region, clock, everywhere=True)
        answer = await self.look(lambda: self.server.dispatch.perform(operation, caller, request))
        return cast(dict[str, Any], answer)

    async def execution(self, arn: str) -> Read:
        """Return an execution with all its events until now. Raises ApiError."""
        row, definition, last = await self.look(lambda: self._head(arn))
        read = self._read.get(row.id) or Read(row, definition)
        read.add(row, ())
        while len(read.entries) < last:
            first = len(read.entries) + 1
            batch = await self.look(
                partial(events_of, self.server, row, first, min(last, first + _BATCH - 1))
            )
            if not batch:
                break
            # Another request may have read them meanwhile.
            read.add(row, batch)
        self._read[row.id] = read
        self._read.move_to_end(row.id)
        if len(self._read) > _HELD:
            self._read.popitem(last=False)
        return read

    def _head(self, arn: str) -> tuple[Row, Mapping[str, Any], int]:
        row = existing(self.server, {"executionArn": arn})
        definition: Mapping[str, Any] = read_json(
            self.server.catalogue.revision(row.revision).definition
        )
        return row, definition, last_event(self.server, row)

    async def waiting(self, arn: str | None = None) -> list[dict[str, str]]:
        """Return the open tasks of one execution, or of all, at whatever server they are."""
        dispatch, members = self.server.dispatch, {"executionArn": arn} if arn else {}
        own = await self._tokens(lambda: dispatch.perform("OpenTokens", self._owner, members))
        others = [] if arn else await self.look(self.server.store.peers.others)
        return own + [
            task
            for other in others
            for task in await self._tokens(partial(dispatch.ask, other, "OpenTokens", {}))
        ]

    async def _tokens(self, act: Callable[[], Any]) -> list[dict[str, str]]:
        # A server that has just died answers no more.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                return cast(list[dict[str, str]], (await self.look(act))["tokens"])
        return []

    async def recent(self, machine: str) -> list[Row]:
        """Return the last executions of a state machine, the newest first."""
        query = ListQuery(machine=machine, limit=RECENT)
        return await self.look(lambda: self.server.store.rows(query))
