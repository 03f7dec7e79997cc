"""What pages are about, read from the server: in its thread, and never ahead of the disk."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar, cast

from markupsafe import Markup

from doorstep.coverage.marks import StateMarks
from doorstep.definitions.documents import read_json
from doorstep.engine import Event
from doorstep.errors import DoorstepError
from doorstep.history import Entry, Visits
from doorstep.history.child_failures import ChildEvents
from doorstep.model.aws_model import check_request
from doorstep.pages import Counts
from doorstep.replayer import Moments, Recording, Replayer
from doorstep.runtime import Running

from ..api.executions import (
    describable,
    ends_of,
    events_of,
    last_event,
    redrive_refusal,
)
from ..arns import Caller
from ..clock import Timeline
from ..http.app import Http
from ..responses import redrive_status, summary
from ..server import Server
from ..store.store import ListQuery, Row

_BATCH = 2_500
"""Events that are read at a time: the server's thread has other things to do."""
_HELD = 16
"""Executions whose events stay in memory, and map runs of one that are described."""
_LOOKED_AT = 10
"""Children of a map run that failed, that a page groups by their errors."""
_PATIENCE = 2.0
"""Seconds that a page waits for another server."""
_TIMERS = 200
"""Timers on a page."""
_REPLAYED = 3_000
"""Events up to which an execution is replayed for the data between the fields of its states."""
RECENT = 100
"""Executions of a state machine that its summary counts."""
T = TypeVar("T")


@dataclass(slots=True)
class Head:
    """An execution without its events, as it stands."""

    row: Row
    definition: Mapping[str, Any]
    """Of the state machine."""
    last: int
    """Its last event."""
    described: dict[str, Any]
    """In DescribeExecution's members, without its data."""
    timers: list[dict[str, Any]]
    handlers: str | None
    events: Sequence[Event] = ()
    """Of an Express execution that has ended: those that the store has not."""


@dataclass(slots=True)
class Read:
    """An execution as far as it has been read."""

    head: Head
    entries: list[Entry] = field(default_factory=list)
    map_runs: list[dict[str, Any]] = field(default_factory=list)
    """In DescribeMapRun's members."""
    _map_states: dict[str, str] = field(default_factory=dict)
    """The states of its map runs, by ARN."""
    states: StateMarks = field(default_factory=StateMarks)
    """The marks of its states, and its state visits: computed once, see `catch_up`."""
    known: int = 0
    """The events that these are of."""
    _drawing: tuple[tuple[Any, ...], Markup | None] | None = None
    """For which events and map runs it was drawn."""
    _moments: tuple[tuple[int, bool], Moments] | None = None
    """For how many events, replayed or not."""

    @property
    def row(self) -> Row:
        """The row of the execution."""
        return self.head.row

    @property
    def definition(self) -> Mapping[str, Any]:
        """What it is an execution of: of a map run's child the ItemProcessor alone."""
        whole = self.head.definition
        if not self.row.map_run:
            return whole
        entered = (one.name for one in self.entries if one.type.endswith("StateEntered"))
        processor = _scope_with(whole, next(entered, None))
        return {"QueryLanguage": whole.get("QueryLanguage", "JSONPath"), **(processor or whole)}

    def add(self, head: Head, events: Sequence[Event]) -> None:
        """Add what was read: how it stands, and events that may be known."""
        self.head = head
        known = len(self.entries)
        self.entries += [Entry(*one[:4], one.details or {}) for one in events if one.id > known]

    def add_map_runs(self, described: list[dict[str, Any]]) -> None:
        """Set how its map runs stand."""
        self.map_runs = described

    def catch_up(self) -> None:
        """Compute what follows from the events until now. By one page at a time."""
        until = len(self.entries)
        new = self.entries[self.known : until]
        if any(entry.type == "ExecutionRedriven" for entry in self.entries[:until]) and new:
            # What a redrive continues shows in what follows: those visits are found in one go.
            self.states = StateMarks(Visits(self.entries[:until]))
        else:
            for entry in new:
                self.states.add(entry)
        self.known = until
        for entry in new:
            visit = self.states.visits.of.get(entry.id)
            if visit and "mapRunArn" in entry.details:
                self._map_states[entry.details["mapRunArn"]] = visit.name

    def map_counts(self) -> dict[str, Counts]:
        """Return how its distributed Maps stand, by state."""
        counts: dict[str, Counts] = {}
        for run in self.map_runs:
            items, name = run["itemCounts"], self._map_states.get(run["mapRunArn"], "")
            failed = items["failed"] + items["timedOut"] + items["aborted"]
            before = counts.get(name, (0, 0, 0))
            own = (items["succeeded"], failed, items["running"])
            counts[name] = cast(Counts, tuple(map(sum, zip(before, own, strict=True))))
        return counts

    def drawing(self, draw: Callable[[], Markup | None]) -> Markup | None:
        """Return the drawing, made when something is new: a large one takes its time."""
        key = (self.known, *self.map_counts().items())
        if self._drawing is None or self._drawing[0] != key:
            self._drawing = key, draw()
        return self._drawing[1]

    def moments(self, *, whole: bool) -> Moments:
        """Return its moments; `whole`: replayed, if it is not too long."""
        key = self.known, whole and self.known <= _REPLAYED
        if self._moments is None or self._moments[0] != key:
            entries, visits = self.entries[: self.known], self.states.visits
            recording = Recording(entries, self.row.arn, self.row.map_run, visits)
            self._moments = key, Moments(recording, self._replayer() if key[1] else None)
        return self._moments[1]

    def _replayer(self) -> Replayer | None:
        if self.row.map_run:
            return None
        try:
            of_type = "EXPRESS" if self.row.type == "EXPRESS" else "STANDARD"
            return Replayer(self.head.definition, type=cast(Any, of_type), times=False)
        except DoorstepError:
            return None


def _scope_with(value: Any, name: str | None) -> Mapping[str, Any] | None:
    """Return the scope in a definition that has a state: names are unique in all of it."""
    if isinstance(value, Mapping) and name in value.get("States", ()):
        return value
    inner = value.values() if isinstance(value, Mapping) else value
    values = inner if isinstance(value, Mapping | list) else ()
    return next((scope for one in values if (scope := _scope_with(one, name))), None)


class Reader:
    """Asks the server; holds what it has read of the last executions."""

    def __init__(self, server: Server, http: Http, owner: Caller) -> None:
        self.server = server
        self._http = http
        self._owner = owner
        self._read: OrderedDict[int, Read] = OrderedDict()
        self.spent = 0.0
        """Seconds of processor time that reading, and making pages, has taken."""

    def spend(self, seconds: float) -> None:
        """Count processor time."""
        self.spent += seconds

    async def look(self, act: Callable[[], T]) -> T:
        """Do something in the server's thread; raise what it raises."""

        def timed() -> T:
            began = time.thread_time()
            try:
                return act()
            finally:
                self.spend(time.thread_time() - began)

        outcome = await self._http.brought(timed)
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
        head = await self.look(lambda: self._head(arn))
        read = await self._filled(self._read.setdefault(head.row.id, Read(head)), head)
        self._read.move_to_end(head.row.id)
        if len(self._read) > _HELD:
            self._read.popitem(last=False)
        return read

    async def _filled(self, read: Read, head: Head) -> Read:
        read.add(head, head.events)
        while len(read.entries) < head.last:
            first = len(read.entries) + 1
            end = min(head.last, first + _BATCH - 1)
            batch = await self.look(partial(events_of, self.server, head.row, first, end))
            if not batch:
                break
            # Another request may have read them meanwhile.
            read.add(head, batch)
        return read

    async def read_map_runs(self, read: Read) -> None:
        """Read how the map runs of an execution stand."""
        started = (one for one in read.entries if one.type == "MapRunStarted")
        arns = list(dict.fromkeys(one.details["mapRunArn"] for one in started))[-_HELD:]
        read.add_map_runs([await self.ask("DescribeMapRun", mapRunArn=arn) for arn in arns])

    async def failed_children(self, read: Read) -> dict[str, list[ChildEvents]]:
        """Return children of an execution that failed, the newest of each map run that failed."""
        failed = [run["mapRunArn"] for run in read.map_runs if run["status"] == "FAILED"]
        children: dict[str, list[ChildEvents]] = {}
        for arn in failed if read.row.status == "FAILED" else ():
            listed = await self.ask(
                "ListExecutions", mapRunArn=arn, statusFilter="FAILED", maxResults=_LOOKED_AT
            )
            for one in listed["executions"]:
                head = await self.look(partial(self._head, one["executionArn"]))
                child = await self._filled(Read(head), head)
                events = ChildEvents(one["name"], one["executionArn"], child.entries)
                children.setdefault(arn, []).append(events)
        return children

    def _head(self, arn: str) -> Head:
        for row, events in self.server.recorder.rows.past:
            if row.arn == arn:
                return self._head_of(row, None, events)
        row = describable(self.server, {"executionArn": arn})
        execution = self.server.driver.executions.get(arn)
        known = self._ends(row) if row.condensable and not execution else ()
        return self._head_of(row, execution, known)

    def _ends(self, row: Row) -> list[Event]:
        """Return all that is stored of an Express child of a map run: its input and its end."""
        text, end = ends_of(self.server, row)
        begun = Event(1, 0, "ExecutionStarted", row.started, {"input": text})
        return [begun, end._replace(id=2, previous=1)]

    def _head_of(self, row: Row, execution: Running | None, events: Sequence[Event] = ()) -> Head:
        server = self.server
        redrive, last = {}, len(events) or last_event(server, row)
        if row.type == "STANDARD":
            redrive = redrive_status(row, redrive_refusal(server, row, last))
        known = self._read.get(row.id)
        return Head(
            row=row,
            definition=known.head.definition
            if known
            else read_json(server.catalogue.revision(row.revision).definition),
            last=last,
            described=summary(row) | redrive,
            timers=self._timers(execution) if execution else [],
            handlers=server.handlers_described,
            events=events,
        )

    def _timers(self, execution: Running) -> list[dict[str, Any]]:
        """Return the timers of an execution, the next one first."""
        simulated = execution.clock if isinstance(execution.clock, Timeline) else None
        timers = [
            {
                "arn": execution.arn,
                "name": execution.name,
                "state": state,
                "kind": timer.name,
                "at": timer.at,
                "clock": simulated.pace.text if simulated else "real",
            }
            for state, timer in execution.open_timers
        ]
        return sorted(timers, key=lambda one: cast(float, one["at"]))[:RECENT]

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

    async def timers(self) -> list[dict[str, Any]]:
        """Return the timers of the executions at this server, the next ones first."""

        def look() -> list[dict[str, Any]]:
            executions = list(self.server.driver.executions.values())
            timers = (timer for one in executions for timer in self._timers(one))
            return sorted(islice(timers, _TIMERS), key=lambda one: cast(float, one["at"]))

        return await self.look(look)

    async def recent(self, machine: str, limit: int = RECENT) -> list[Row]:
        """Return the last executions of a state machine, the newest first."""

        def look() -> list[Row]:
            past = [row for row, _ in self.server.recorder.rows.past if row.machine == machine]
            running = [row for row in self.server.recorder.rows.values() if row.machine == machine]
            if past or any(row.type == "EXPRESS" for row in running):
                return sorted([*past, *running], key=lambda row: -row.started)[:limit]
            return self.server.store.rows(ListQuery(machine=machine, limit=limit))

        return await self.look(look)

    async def having(self, rows: Sequence[Row], text: str) -> list[Row]:
        """Return the executions whose name, input, output or error contains a text."""

        def look(row: Row) -> bool:
            given, last = ends_of(self.server, row)
            return text.lower() in f"{row.name} {given} {last.details}".lower()

        return [row for row in rows if await self.look(partial(look, row))]
