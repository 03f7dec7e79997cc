"""The pages of a server: what each one shows, of what is asked for in its address."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from doorstep.errors import ApiError
from doorstep.history import aws_events
from doorstep.history.child_failures import groups_of
from doorstep.history.diff import diff
from doorstep.pages import ExecutionPage, Filter, Parts, Renderer, Timeline, page_of_file
from doorstep.testing.recorded_tests import RecordedTest

from .. import responses
from ..publish.publisher import EVERYTHING
from .live import Query, Shown
from .machine_page import pictured, summary
from .reading import RECENT, Read, Reader

_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_LISTED = 50
"""Executions on a page."""
_SEARCHED = 500
"""The last executions, in which a text is looked for."""


def link(page: str, /, **query: Any) -> str:
    """Return the address of a page of the console; what is None or empty is left out."""
    present = {name: value for name, value in query.items() if value not in (None, "", False)}
    text = urlencode(present, errors="replace")
    return f"/console/{page}?{text}" if text else f"/console/{page}"


render = Renderer(Path(__file__).parent, link=link)


class Pages:
    """Each method returns a page; with `part` in the query without what never changes in it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ask = reader.ask
        self._one_at_a_time = asyncio.Lock()
        """Pages are made beside the loop, but with no more than one processor."""
        self._checked: dict[str, list[dict[str, Any]]] = {}
        """Diagnostics by type and definition."""

    async def _made(
        self,
        template: str,
        make: Callable[[], Mapping[str, Any]],
        watched: frozenset[str] = frozenset(),
    ) -> Shown:
        """Return a page made of values that `make` returns; its `parts` are those not in HTML."""

        def show() -> Shown:
            began = time.thread_time()
            values = make()
            live = Parts(values.get("parts", {}))
            text = render(template, live=live, **values)
            version = live.version
            self._reader.spend(time.thread_time() - began)
            return Shown(text, live.all, version, watched)

        async with self._one_at_a_time:
            return await asyncio.to_thread(show)

    # State machines ------------------------------------------------------------------------------

    async def machines(self, query: Query) -> Shown:
        """Return all state machines, with what became of their last executions."""
        wanted = query.get("q", "")
        listed = await self._ask("ListStateMachines", maxResults=1000)
        machines = [one for one in listed["stateMachines"] if wanted.lower() in one["name"].lower()]
        rows = [
            one | summary(await self._reader.recent(one["stateMachineArn"])) for one in machines
        ]
        values = {"rows": rows, "q": wanted, "recent": RECENT}
        return await self._made("machines.html", lambda: values, frozenset([EVERYTHING]))

    async def machine(self, query: Query) -> Shown:
        """Return one state machine: graph, definition, a form to start it, its executions."""
        arn, part = query.get("arn", ""), "part" in query
        machine = await self._ask("DescribeStateMachine", stateMachineArn=arn)
        executions, following = await self._executions(query, machine)
        values: dict[str, Any] = {
            "machine": machine,
            "query": defaultdict(str, query),
            "executions": executions,
            "following": following,
            "searched": _SEARCHED,
            "statuses": _STATUSES,
            "part": part,
        }
        reads: list[Read] = []
        if not part:
            reads = await self._last(arn) if "coverage" in query else []
            last = query.get("input_of") or next((one["executionArn"] for one in executions), None)
            values["input"] = await self._input(last) if last else "{}"
            values["diagnostics"] = await self._diagnostics(machine)
            values["covered"] = len(reads)

        def make() -> Mapping[str, Any]:
            return values if part else values | pictured(machine, reads)

        return await self._made("machine.html", make, frozenset([arn]))

    async def _executions(
        self, query: Query, machine: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return the executions that are asked for, and the token of those that follow."""
        arn, status, text = machine["stateMachineArn"], query.get("status", ""), query.get("text")
        since = _moment(query.get("since"))
        if machine["type"] == "STANDARD" and not text and since is None:
            listed = await self._ask(
                "ListExecutions",
                stateMachineArn=arn,
                statusFilter=status,
                maxResults=_LISTED,
                nextToken=query.get("token"),
            )
            return listed["executions"], listed.get("nextToken")
        rows = [
            row
            for row in await self._reader.recent(arn, _SEARCHED)
            if status in ("", row.status) and row.started >= (since or 0)
        ]
        if text:
            rows = await self._reader.having(rows, text)
        return [responses.summary(row) for row in rows[: 2 * _LISTED]], None

    async def _last(self, machine: str) -> list[Read]:
        rows = await self._reader.recent(machine)
        return [await self._reader.execution(row.arn) for row in rows[:_LISTED]]

    async def _input(self, arn: str) -> str:
        """Return the input of an execution."""
        read = await self._reader.execution(arn)
        return str(read.entries[0].details.get("input", "{}")) if read.entries else "{}"

    async def _diagnostics(self, machine: Mapping[str, Any]) -> list[dict[str, Any]]:
        definition, of_type = machine["definition"], machine["type"]
        key = f"{of_type} {definition}"
        if key not in self._checked:
            checked = await self._ask(
                "ValidateStateMachineDefinition",
                definition=definition,
                type=of_type,
                severity="WARNING",
            )
            self._checked = {key: checked["diagnostics"]}
        return self._checked[key]

    # Executions ----------------------------------------------------------------------------------

    async def execution(self, query: Query) -> Shown:
        """Return one execution."""
        arn = query.get("arn", "")
        read = await self._reader.execution(arn)
        await self._reader.read_map_runs(read)
        children = await self._reader.failed_children(read)
        waiting = await self._reader.waiting(arn) if read.row.status == "RUNNING" else []
        wanted, event = filter_of(query), _number(query.get("event")) or None
        head = read.head

        def here(**changes: Any) -> str:
            same: dict[str, Any] = {"arn": arn, "event": event, **wanted.query}
            return link("execution", **(same | changes))

        def make() -> Mapping[str, Any]:
            read.catch_up()
            whole = bool(event) or read.row.status != "RUNNING"
            moments = read.moments(whole=whole)
            groups = groups_of(moments.visits, lambda one: children.get(one.arn, ()))
            page = ExecutionPage(
                moments,
                read.definition,
                read.row.name,
                wanted,
                event,
                states=read.states,
                map_runs=read.map_counts(),
                groups=groups if children else (),
            )
            graph = None
            if "part" not in query:
                states = partial(link, "execution", arn=arn)
                graph = read.drawing(
                    partial(page.graph, lambda name: states(state=name) + "#visits")
                )
            marks = {f"mark:{at}": mark for at, mark in page.live_marks.items()}
            return {
                "parts": {"status": read.row.status, "last": len(page.entries), **marks},
                "page": page,
                "execution": head.described,
                "head": head,
                "waiting": waiting,
                "map_runs": read.map_runs,
                "graph": graph,
                "here": here,
                "own": True,
                "alone": False,
                "chosen": event is not None,
                "endpoint": query["endpoint"],
            }

        runs = (one["mapRunArn"] for one in read.map_runs)
        return await self._made("execution.html", make, frozenset([arn, *runs]))

    async def compare(self, query: Query) -> Shown:
        """Compare two executions, visit by visit."""
        arns = [query.get("arn", ""), query.get("other", "")]
        if not all(arns):
            raise ApiError("Compare", "Choose two executions of the list.")
        reads = [await self._reader.execution(arn) for arn in arns]

        def make() -> Mapping[str, Any]:
            for read in reads:
                read.catch_up()
            aligned = diff(*(read.states.visits for read in reads))
            return {
                "arns": arns,
                "rows": [row for row in aligned if "all" in query or not row.same],
                "same": sum(row.same for row in aligned),
                "total": len(aligned),
                "everything": "all" in query,
            }

        return await self._made("compare.html", make)

    async def waiting(self, query: Query) -> Shown:
        """Return the tasks that somebody else is to answer, timers, and activities."""
        tasks, timers = await self._reader.waiting(), await self._reader.timers()
        listed = await self._ask("ListActivities", maxResults=1000)
        values = {
            "waiting": tasks[:RECENT],
            "more": max(0, len(tasks) - RECENT),
            "timers": timers[:RECENT],
            "activities": listed["activities"],
            "endpoint": query["endpoint"],
        }
        return await self._made("waiting.html", lambda: values, frozenset([EVERYTHING]))

    async def map_run(self, query: Query) -> Shown:
        """Return a map run: its counters, and its executions, those that failed first."""
        arn, status = query.get("arn", ""), query.get("status", "")
        run = await self._ask("DescribeMapRun", mapRunArn=arn)
        executions: list[dict[str, Any]] = []
        for one in ("FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "SUCCEEDED"):
            if status in ("", one):
                listed = await self._ask(
                    "ListExecutions", mapRunArn=arn, statusFilter=one, maxResults=_LISTED
                )
                executions += listed["executions"]
        parent = await self._ask(
            "DescribeExecution", executionArn=run["executionArn"], includedData="METADATA_ONLY"
        )
        values = {
            "run": run,
            "executions": executions,
            "listed": _LISTED,
            "parent": parent,
            "statuses": _STATUSES,
            "status": status,
            "endpoint": query["endpoint"],
        }
        return await self._made("map_run.html", lambda: values, frozenset([arn]))

    # Files ---------------------------------------------------------------------------------------

    async def file(self, query: Query) -> tuple[str, str, str]:
        """Return name, media type and text of what there is to download of an execution.

        Raises InputError for a test that can't be written.
        """
        read = await self._reader.execution(query.get("arn", ""))
        async with self._one_at_a_time:
            return await asyncio.to_thread(_file, read, query.get("what", ""))


def _file(read: Read, what: str) -> tuple[str, str, str]:
    read.catch_up()
    name, machine = _file_name(read.row.name), _file_name(read.row.machine.split(":")[6])
    definition, file = read.definition, f"{machine}.asl.json"
    if what == "page":
        page = page_of_file(read.moments(whole=True), definition, read.row.name)
        return f"{name}.html", "text/html", page
    if what in ("pytest", "yaml"):
        test = RecordedTest(definition, read.states.visits, read.row.name)
        if what == "pytest":
            return f"test_{machine}.py", "text/plain", test.as_pytest(file)
        return f"{machine}.doorstep.yaml", "text/plain", test.as_suite(file)
    value: Any = definition
    if what == "history":
        value = {"events": list(aws_events(read.entries))}
    elif what == "steps":
        timeline = Timeline(definition, read.entries[: read.known])
        value = {"pointers": timeline.pointers, "steps": timeline.steps}
    elif what in ("input", "output"):
        ends = read.entries[0 if what == "input" else -1].details
        value = json.loads(ends.get(what, "null"))
    elif what != "definition":
        raise ApiError("UnknownFile", f"{what!r} can't be downloaded")
    if what != "definition":
        file = f"{name}.{what}.json"
    return file, "application/json", json.dumps(value, indent=None if what == "steps" else 2)


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "-", text)


def filter_of(query: Query) -> Filter:
    """Return the filter in a query."""
    texts = {name: query.get(name, "") for name in ("state", "type", "iteration", "text")}
    return Filter(
        **texts,
        since=_seconds(query.get("since")),
        until=_seconds(query.get("until")),
        failed=bool(query.get("failed")),
        page=_number(query.get("page")),
        visits_page=_number(query.get("visits_page")),
    )


def _seconds(text: str | None) -> float | None:
    """Return a number of seconds; None for what is none."""
    return float(text) if text and re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text, re.ASCII) else None


def _moment(text: str | None) -> float | None:
    """Return the epoch seconds of a local time, as browsers write it; None for what is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> int:
    """Return the number of a query; 0 for what is none."""
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 10 else 0
