"""The pages of a server, and its forms: each form is an operation of the API."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from doorstep.errors import ApiError, DoorstepError
from doorstep.history import as_aws
from doorstep.history.diff import diff

from ..arns import Caller
from ..http.app import CONSOLE, Http, body_of
from ..http.origins import is_own
from ..server import Server
from .execution_page import ExecutionPage, Filter
from .live import Feeds
from .machine_page import pictured, summary
from .reading import RECENT, Read, Reader
from .rendering import link, render, script, stylesheet

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" '
    'rx="3" fill="#0972d3"/><path d="M4 3h8v10H4zM8 8h4" fill="none" stroke="#fff"/></svg>'
)
_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_LISTED = 50
"""Executions on a page."""

Handler = Callable[[Request], Awaitable[Response]]


def console_routes(server: Server, owner: Caller, feeds: list[Feeds], http: Http) -> list[Route]:
    """Return the pages of a server; what has to be closed when it stops is put into `feeds`."""
    reader = Reader(server, http, owner)
    pages = Pages(reader, Feeds(reader))
    feeds.append(pages.feeds)
    forms = {
        "start": pages.start,
        "stop": pages.stop,
        "redrive": pages.redrive,
        "answer": pages.answer,
    }
    shown = {
        "": pages.machines,
        "machine": pages.machine,
        "execution": pages.execution,
        "waiting": pages.waiting,
        "map-run": pages.map_run,
        "compare": pages.compare,
        "history": pages.history,
        "stream": pages.stream,
    }
    static = {
        "console.css": (stylesheet, "text/css"),
        "console.js": (script, "text/javascript"),
        "icon.svg": (lambda: _ICON, "image/svg+xml"),
    }
    return [
        *(Route(f"{CONSOLE}{name}", _guarded(act)) for name, act in shown.items()),
        *(Route(f"{CONSOLE}{name}", _form(act), methods=["POST"]) for name, act in forms.items()),
        *(
            Route(f"{CONSOLE}static/{name}", partial(_static, read, kind))
            for name, (read, kind) in static.items()
        ),
    ]


async def _static(read: Callable[[], str], kind: str, request: Request) -> Response:
    return Response(read(), media_type=kind, headers=_HEADERS | {"Cache-Control": "no-cache"})


def _page(text: str, status: int = 200) -> Response:
    # What is left of half a surrogate pair (in a title attribute, say) can't be written as UTF-8.
    body = text.encode("utf-8", "replace")
    return Response(body, status, _HEADERS, "text/html; charset=utf-8")


def _guarded(act: Handler) -> Handler:
    """Answer what goes wrong with a page that says it."""

    @wraps(act)
    async def handler(request: Request) -> Response:
        try:
            return await act(request)
        except ApiError as refused:
            missing = "DoesNotExist" in refused.code or refused.code == "ResourceNotFound"
            return _problem(refused.code, str(refused), 404 if missing else 400)
        except DoorstepError as problem:
            return _problem("This can't be shown", str(problem), 500)

    return handler


def _problem(title: str, text: str, status: int) -> Response:
    return _page(render("problem.html", title=title, text=text), status)


def _form(act: Callable[[dict[str, str]], Awaitable[str]]) -> Handler:
    """Do what a form of ours asks for, then show the page where one sees it."""

    async def handler(request: Request) -> Response:
        if not is_own(request.headers):
            return _problem("Refused", "Only pages of this server may change something.", 403)
        text = (await body_of(request)).decode("utf-8", "replace")
        fields = {name: values[-1] for name, values in parse_qs(text).items()}
        return RedirectResponse(await act(fields), 303, _HEADERS)

    return _guarded(handler)


class Pages:
    """The pages, and what their forms do."""

    def __init__(self, reader: Reader, feeds: Feeds) -> None:
        self.feeds = feeds
        self._reader = reader
        self._ask = reader.ask
        self._one_at_a_time = asyncio.Lock()
        """Pages are made beside the loop, but with no more than one processor."""

    async def _made(self, make: Callable[[], str]) -> Response:
        async with self._one_at_a_time:
            return _page(await asyncio.to_thread(make))

    # State machines ------------------------------------------------------------------------------

    async def machines(self, request: Request) -> Response:
        """Return all state machines, with what became of their last executions."""
        wanted = request.query_params.get("q", "")
        listed = await self._ask("ListStateMachines", maxResults=1000)
        machines = [one for one in listed["stateMachines"] if wanted.lower() in one["name"].lower()]
        rows = [
            one | summary(await self._reader.recent(one["stateMachineArn"])) for one in machines
        ]
        return await self._made(lambda: render("machines.html", rows=rows, q=wanted, recent=RECENT))

    async def machine(self, request: Request) -> Response:
        """Return one state machine: graph, definition, a form to start it, its executions."""
        query = request.query_params
        arn, status = query.get("arn", ""), query.get("status", "")
        machine = await self._ask("DescribeStateMachine", stateMachineArn=arn)
        listed: dict[str, Any] = {"executions": []}
        if machine["type"] == "STANDARD":
            listed = await self._ask(
                "ListExecutions",
                stateMachineArn=arn,
                statusFilter=status,
                maxResults=_LISTED,
                nextToken=query.get("token"),
            )
        checked = await self._ask(
            "ValidateStateMachineDefinition",
            definition=machine["definition"],
            type=machine["type"],
            severity="WARNING",
        )
        reads = await self._last(arn) if "coverage" in query else []
        last = listed["executions"][:1]
        text = query.get("input") or (await self._input(last[0]["executionArn"]) if last else "{}")
        return await self._made(
            lambda: render(
                "machine.html",
                machine=machine,
                input=text,
                diagnostics=checked["diagnostics"],
                executions=listed["executions"],
                following=listed.get("nextToken"),
                status=status,
                statuses=_STATUSES,
                covered=bool(reads) and len(reads),
                **pictured(machine, reads),
            )
        )

    async def _last(self, machine: str) -> list[Read]:
        rows = await self._reader.recent(machine)
        return [await self._reader.execution(row.arn) for row in rows[:_LISTED]]

    async def _input(self, arn: str) -> str:
        described = await self._ask("DescribeExecution", executionArn=arn)
        return str(described["input"])

    async def start(self, fields: dict[str, str]) -> str:
        """StartExecution."""
        started = await self._ask(
            "StartExecution",
            fields.get("clock") or None,
            stateMachineArn=fields.get("arn", "") + _test_case(fields),
            name=fields.get("name"),
            input=fields.get("input"),
        )
        return link("execution", arn=started["executionArn"])

    # Executions ----------------------------------------------------------------------------------

    async def execution(self, request: Request) -> Response:
        """Return one execution; with `part` without its graph, for a page that has it already."""
        query = request.query_params
        arn = query.get("arn", "")
        read = await self._reader.execution(arn)
        described = await self._ask("DescribeExecution", executionArn=arn)
        runs = await self._ask("ListMapRuns", executionArn=arn)
        map_runs = [
            await self._ask("DescribeMapRun", mapRunArn=run["mapRunArn"]) for run in runs["mapRuns"]
        ]
        waiting = await self._reader.waiting(arn)
        wanted = _filter(query)
        event = _number(query.get("event")) or None

        timeline = read.timeline()

        def here(**changes: Any) -> str:
            same: dict[str, Any] = {"arn": arn, "event": event, **wanted.query}
            return link("execution", **(same | changes))

        def make() -> str:
            page = ExecutionPage(
                read.moments(), read.definition, described["name"], wanted, event=event
            )
            graph = None
            if "part" not in query:
                states = partial(link, "execution", arn=arn)
                draw = partial(page.graph, lambda name: states(state=name) + "#visits")
                graph = read.drawing(draw)
            return render(
                "execution.html",
                page=page,
                execution=described,
                graph=graph,
                timeline=timeline,
                here=here,
                waiting=waiting,
                map_runs=map_runs,
                own=True,
                chosen=event is not None,
                endpoint=str(request.base_url).rstrip("/"),
                stylesheet=None,
                script=None,
            )

        return await self._made(make)

    async def history(self, request: Request) -> Response:
        """Return the history as a file, as `doorstep run --history` writes it."""
        read = await self._reader.execution(request.query_params.get("arn", ""))
        text = json.dumps({"events": [as_aws(entry) for entry in read.entries]}, indent=2)
        name = re.sub(r"[^A-Za-z0-9_.]", "-", read.row.name)
        headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
        return Response(text, headers=_HEADERS | headers, media_type="application/json")

    async def stream(self, request: Request) -> Response:
        """Send what follows in an execution, as Server-Sent Events."""
        seen = request.headers.get("last-event-id") or request.query_params.get("after")
        messages = self.feeds.stream(request.query_params.get("of", ""), _number(seen))
        return StreamingResponse(messages, headers=_HEADERS, media_type="text/event-stream")

    async def stop(self, fields: dict[str, str]) -> str:
        """StopExecution."""
        arn = fields.get("arn", "")
        await self._ask(
            "StopExecution",
            executionArn=arn,
            error=fields.get("error"),
            cause=fields.get("cause"),
        )
        return link("execution", arn=arn)

    async def redrive(self, fields: dict[str, str]) -> str:
        """RedriveExecution."""
        arn = fields.get("arn", "")
        await self._ask("RedriveExecution", executionArn=arn)
        return link("execution", arn=arn)

    async def compare(self, request: Request) -> Response:
        """Compare two executions, visit by visit."""
        arns = request.query_params.getlist("arn")[:2]
        if len(arns) < 2:
            return _problem("Compare", "Choose two executions of the list.", 400)
        one, other = [await self._reader.execution(arn) for arn in arns]
        everything = "all" in request.query_params

        def make() -> str:
            aligned = diff(one.moments().recording.visits, other.moments().recording.visits)
            return render(
                "compare.html",
                arns=arns,
                rows=[row for row in aligned if everything or not row.same],
                same=sum(row.same for row in aligned),
                total=len(aligned),
                everything=everything,
            )

        return await self._made(make)

    # What waits ----------------------------------------------------------------------------------

    async def waiting(self, request: Request) -> Response:
        """Return the tasks that somebody else is to answer, and the activities."""
        tasks = await self._reader.waiting()
        activities = (await self._ask("ListActivities", maxResults=1000))["activities"]
        return await self._made(
            lambda: render("waiting.html", waiting=tasks, activities=activities)
        )

    async def answer(self, fields: dict[str, str]) -> str:
        """SendTaskSuccess, SendTaskFailure or SendTaskHeartbeat."""
        operation = fields.get("operation", "")
        members: dict[str, dict[str, Any]] = {
            "SendTaskSuccess": {"output": fields.get("output") or "{}"},
            "SendTaskFailure": {"error": fields.get("error"), "cause": fields.get("cause")},
            "SendTaskHeartbeat": {},
        }
        if operation not in members:
            raise ApiError("UnknownOperationException", f"{operation!r} answers no task")
        await self._ask(operation, taskToken=fields.get("token", ""), **members[operation])
        arn = fields.get("arn")
        return link("execution", arn=arn) if arn else link("waiting")

    async def map_run(self, request: Request) -> Response:
        """Return a map run: its counters, and its executions, those that failed first."""
        arn = request.query_params.get("arn", "")
        run = await self._ask("DescribeMapRun", mapRunArn=arn)
        executions: list[dict[str, Any]] = []
        for status in ("FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "SUCCEEDED"):
            listed = await self._ask(
                "ListExecutions", mapRunArn=arn, statusFilter=status, maxResults=_LISTED
            )
            executions += listed["executions"]
        return await self._made(lambda: render("map_run.html", run=run, executions=executions))


def _test_case(fields: Mapping[str, str]) -> str:
    return f"#{fields['test_case']}" if fields.get("test_case") else ""


def _filter(query: Mapping[str, str]) -> Filter:
    texts = {name: query.get(name, "") for name in ("state", "type", "iteration", "text")}
    return Filter(
        **texts, page=_number(query.get("page")), visits_page=_number(query.get("visits_page"))
    )


def _number(text: str | None) -> int:
    """Return the number of a query; 0 for what is none."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
