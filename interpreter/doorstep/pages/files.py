"""The page of a history in a file: complete in itself, or shown by a small server with others."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..history.child_failures import COLUMNS, ChildGroup, child_failures, walk
from ..replayer import Moments, Recording
from .execution_page import EVENTS, ExecutionPage, Filter
from .rendering import Renderer

_HALF = 500
"""Events at each end of a history whose data a file holds, beside those about the failure."""
_CHILDREN = 500
"""Children that are listed."""
render = Renderer()


def page_of_file(
    moments: Moments,
    definition: Mapping[str, Any] | None,
    title: str,
    groups: Sequence[ChildGroup] = (),
    children: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the page of an execution as one HTML text that needs no other.

    Its policy lets it load nothing, and run no script but its own. `groups`: what its states
    started, for what failed there; `children`: rows of the table of executions that have pages.
    """
    page = ExecutionPage(moments, definition, title, Filter(page=1, visits_page=1), groups=groups)
    last_visits = {one.name: one.entered.id for one in page.visits.all}
    first, end = page.entries[0], page.entries[-1]
    execution = {
        "name": title,
        "status": moments.status,
        "redriveCount": sum(one.type == "ExecutionRedriven" for one in page.entries),
        "startDate": first.at,
        "stopDate": end.at if moments.ended else None,
    }
    return render.alone(
        "execution.html",
        page=page,
        execution={name: value for name, value in execution.items() if value is not None},
        graph=page.graph(lambda name: f"#event-{last_visits.get(name, 1)}"),
        timeline=page.timeline,
        here=lambda **changes: f"#event-{changes.get('event', page.event)}",
        children=children,
        inner=[row.cells(len(row.group.children)) for row in child_failures(groups)],
        inner_columns=COLUMNS,
        own=False,
        chosen=False,
        panels=_panels(page),
    )


def _panels(page: ExecutionPage) -> list[int]:
    """Return the ids of the events whose data is in the file."""
    count = len(page.entries)
    if count <= 2 * _HALF:
        return list(range(1, count + 1))
    about = range(max(1, page.event - 50), min(count, page.event + 50) + 1)
    ends = {*range(1, _HALF + 1), *range(count - _HALF + 1, count + 1)}
    return sorted(ends | {*about, *range(1, EVENTS + 1)})


class HistorySite:
    """The page of a history, and those of the executions that it started, made when asked for."""

    def __init__(
        self,
        moments: Moments,
        definition: Mapping[str, Any] | None,
        title: str,
        groups: Sequence[ChildGroup] = (),
    ) -> None:
        """Take what its states started from `groups`."""
        self.moments = moments
        self._parent = moments, definition, title, groups
        self._children = [(group, child) for group in walk(groups) for child in group.children]
        self._processors = _processors(moments, definition or {})

    def page(self, name: str) -> str | None:
        """Return a page by its address; None where there is none."""
        if not name:
            return page_of_file(*self._parent, children=self._rows())
        number = name.removeprefix("child-")
        if not (number.isdecimal() and number.isascii() and int(number) < len(self._children)):
            return None
        group, child = self._children[int(number)]
        definition = self._processors.get(group.started.arn)
        moments = Moments(Recording(list(child.events)))
        return page_of_file(moments, definition, child.name, child.groups)

    def _rows(self) -> list[dict[str, Any]]:
        """Return the children, those that failed first."""
        rows = [
            {
                "link": f"child-{number}",
                "name": f"{group.place}/{child.name}",
                "status": child.status,
                "startDate": child.events[0].at,
                "took": child.events[-1].at - child.events[0].at,
            }
            for number, (group, child) in enumerate(self._children[:_CHILDREN])
        ]
        return sorted(rows, key=lambda row: row["status"] == "SUCCEEDED")


def _processors(moments: Moments, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the children of each map run are executions of, by the map run's ARN."""
    maps: dict[str, Any] = {}
    for visit in moments.visits.all:
        for event in visit.events:
            if event.type == "MapRunStarted" and (state := _state(definition, visit.name)):
                processor = state.get("ItemProcessor", state.get("Iterator"))
                maps[str(event.details.get("mapRunArn"))] = processor
    return maps


def _state(scope: Any, name: str) -> Mapping[str, Any] | None:
    """Return the state of this name in a definition: names are unique in all of it."""
    if isinstance(scope, Mapping):
        states = scope.get("States")
        if isinstance(states, Mapping) and name in states:
            found: Mapping[str, Any] = states[name]
            return found
    inner = scope.values() if isinstance(scope, Mapping) else scope
    if not isinstance(scope, Mapping | list):
        return None
    return next((state for one in inner if (state := _state(one, name))), None)


def show(site: HistorySite, ready: Callable[[str], None]) -> None:
    """Serve pages on the loopback interface until Ctrl-C; `ready` is called with their address.

    The address can't be guessed: other users of this machine have no use for it.
    """
    prefix = f"/{secrets.token_urlsafe(16)}/"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = secrets.compare_digest(self.path[: len(prefix)].encode(), prefix.encode())
            page = site.page(self.path[len(prefix) :]) if allowed else None
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write((page or "Not found.\n").encode("utf-8", "replace"))

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ready(f"http://127.0.0.1:{server.server_port}{prefix}")
        server.serve_forever()
