"""HTTP: addresses of pages, files and the stream of changes; forms are operations of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from doorstep.errors import ApiError, DoorstepError
from doorstep.pages import script, stylesheet

from ..api.executions import skip_ahead
from ..arns import Caller
from ..http.app import CONSOLE, Http, body_of
from ..http.origins import is_own
from ..server import Server
from .live import Feeds, Show
from .pages import Pages, link, render
from .reading import Reader

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
Handler = Callable[[Request], Awaitable[Response]]


def console_routes(server: Server, owner: Caller, feeds: list[Feeds], http: Http) -> list[Route]:
    """Return the pages of a server; what has to be closed when it stops is put into `feeds`."""
    reader = Reader(server, http, owner)
    pages, forms, feed = Pages(reader), Forms(reader), Feeds(reader)
    feeds.append(feed)
    shown: dict[str, Show] = {
        "": pages.machines,
        "machine": pages.machine,
        "execution": pages.execution,
        "waiting": pages.waiting,
        "map-run": pages.map_run,
        "compare": pages.compare,
    }
    changes = {
        "start": forms.start,
        "stop": forms.stop,
        "redrive": forms.redrive,
        "answer": forms.answer,
        "skip": forms.skip,
    }
    static = {
        "console.css": (stylesheet, "text/css"),
        "console.js": (script, "text/javascript"),
        "icon.svg": (lambda: _ICON, "image/svg+xml"),
    }
    return [
        *(Route(f"{CONSOLE}{name}", _page(show)) for name, show in shown.items()),
        *(Route(f"{CONSOLE}{name}", _form(act), methods=["POST"]) for name, act in changes.items()),
        *(
            Route(f"{CONSOLE}static/{name}", partial(_static, read, kind))
            for name, (read, kind) in static.items()
        ),
        Route(f"{CONSOLE}file", _guarded(partial(_file, pages))),
        Route(f"{CONSOLE}stream/{{name}}", partial(_stream, feed, shown)),
        Route(f"{CONSOLE}stream/", partial(_stream, feed, shown)),
    ]


def _query(request: Request) -> dict[str, str]:
    """Return what is asked for, the second of two executions as `other`."""
    arns = request.query_params.getlist("arn")
    query = {**request.query_params, "endpoint": str(request.base_url).rstrip("/")}
    return query | dict(zip(("arn", "other"), arns, strict=False))


def _page(show: Show) -> Handler:
    async def handler(request: Request) -> Response:
        return _html((await show(_query(request))).text)

    return _guarded(handler)


def _html(text: str, status: int = 200) -> Response:
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
            return _problem("This can't be shown", str(problem), 400)

    return handler


def _problem(title: str, text: str, status: int) -> Response:
    return _html(render("problem.html", title=title, text=text), status)


def _form(act: Callable[[dict[str, str]], Awaitable[str]]) -> Handler:
    """Do what a form of ours asks for, then show the page where one sees it."""

    async def handler(request: Request) -> Response:
        if not is_own(request.headers):
            return _problem("Refused", "Only pages of this server may change something.", 403)
        text = (await body_of(request)).decode("utf-8", "replace")
        fields = {name: values[-1] for name, values in parse_qs(text).items()}
        return RedirectResponse(await act(fields), 303, _HEADERS)

    return _guarded(handler)


async def _static(read: Callable[[], str], kind: str, request: Request) -> Response:
    return Response(read(), media_type=kind, headers=_HEADERS | {"Cache-Control": "no-cache"})


async def _file(pages: Pages, request: Request) -> Response:
    name, kind, text = await pages.file(_query(request))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = text.encode("utf-8", "replace")
    return Response(body, headers=_HEADERS | headers, media_type=f"{kind}; charset=utf-8")


async def _stream(feeds: Feeds, shown: Mapping[str, Show], request: Request) -> Response:
    """Send what changes in a page, as Server-Sent Events."""
    name = request.path_params.get("name", "")
    if name not in shown:
        return _problem("Not found", f"There is no page {name!r}.", 404)
    query = _query(request) | {"part": "1"}
    version = request.headers.get("last-event-id") or query.pop("version", "")
    query.pop("version", None)
    messages = feeds.stream(name, query, shown[name], version)
    return StreamingResponse(messages, headers=_HEADERS, media_type="text/event-stream")


class Forms:
    """What forms do; each returns the address of the page where one sees it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ask = reader.ask

    async def start(self, fields: Mapping[str, str]) -> str:
        """StartExecution."""
        case = f"#{fields['test_case']}" if fields.get("test_case") else ""
        started = await self._ask(
            "StartExecution",
            fields.get("clock") or None,
            stateMachineArn=fields.get("arn", "") + case,
            name=fields.get("name"),
            input=fields.get("input"),
        )
        return link("execution", arn=started["executionArn"])

    async def stop(self, fields: Mapping[str, str]) -> str:
        """StopExecution."""
        why = {name: fields.get(name) for name in ("error", "cause")}
        await self._ask("StopExecution", executionArn=fields.get("arn", ""), **why)
        return link("execution", arn=fields.get("arn"))

    async def redrive(self, fields: Mapping[str, str]) -> str:
        """RedriveExecution; the handlers are loaded again when their files have changed."""
        await self._ask("RedriveExecution", executionArn=fields.get("arn", ""))
        return link("execution", arn=fields.get("arn"))

    async def skip(self, fields: Mapping[str, str]) -> str:
        """Let simulated time jump to the next timer."""
        arn = fields.get("arn", "")
        await self._reader.look(lambda: skip_ahead(self._reader.server, arn))
        return link("execution", arn=arn) if fields.get("back") != "waiting" else link("waiting")

    async def answer(self, fields: Mapping[str, str]) -> str:
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
