"""The page of a history in a file: complete in itself, or shown by a small server."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from doorstep.replayer import Moments

from .execution_page import EVENTS, ExecutionPage, Filter
from .rendering import render, script, stylesheet

_PANELS = 2 * EVENTS
"""Events whose data a file holds: the first, the last, and those about the failure."""


def page_of_file(moments: Moments, definition: Mapping[str, Any] | None, title: str) -> str:
    """Return the page of an execution as one HTML text that needs no other.

    Its policy lets it load nothing, and run no script but its own.
    """
    page = ExecutionPage(moments, definition, title, Filter(page=1, visits_page=1))
    last_visits = {one.name: one.entered.id for one in moments.recording.visits.all}
    first, end = moments.recording.events[0], moments.recording.events[-1]
    execution = {
        "name": title,
        "status": moments.status,
        "redriveCount": sum(one.type == "ExecutionRedriven" for one in moments.recording.events),
        "startDate": first.at,
        "stopDate": end.at if moments.ended else None,
        "input": first.details.get("input", "{}"),
        "error": moments.error,
        "cause": moments.cause,
        "output": end.details.get("output"),
    }
    style, code = stylesheet(), script()
    return render(
        "execution.html",
        page=page,
        execution={name: value for name, value in execution.items() if value is not None},
        graph=page.graph(lambda name: f"#event-{last_visits.get(name, 1)}"),
        timeline=page.timeline,
        here=lambda **changes: f"#event-{changes.get('event', page.event)}",
        waiting=[],
        map_runs=[],
        own=False,
        chosen=False,
        endpoint="",
        stylesheet=style,
        script=code,
        style_hash=_hash(style),
        script_hash=_hash(code),
        panels=_panels(page),
    )


def _panels(page: ExecutionPage) -> list[int]:
    """Return the ids of the events whose data is in the file."""
    count, half = len(page.entries), _PANELS // 2
    if count <= _PANELS:
        return list(range(1, count + 1))
    about = range(max(1, page.event - 50), min(count, page.event + 50) + 1)
    return sorted({*range(1, half + 1), *about, *range(count - half + 1, count + 1)})


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def show(html: str, ready: Callable[[str], None]) -> None:
    """Serve a page on the loopback interface until Ctrl-C; `ready` is called with its address.

    The address can't be guessed: other users of this machine have no use for it.
    """
    path, body = f"/{secrets.token_urlsafe(16)}", html.encode("utf-8", "replace")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = secrets.compare_digest(self.path.encode(), path.encode())
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body if found else b"Not found.\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ready(f"http://127.0.0.1:{server.server_port}{path}")
        server.serve_forever()
