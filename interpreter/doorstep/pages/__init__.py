"""Pages in HTML: of an execution, and reports; one stylesheet, one script, one set of parts.

| module | |
|---|---|
| rendering | templates, and JSON values as trees |
| execution_page | one execution: graph, state visits, events, the data at each event |
| files | the page of a history in a file |
| reports | coverage, results of suites, findings of an exploration |

Jinja2 is needed. Pages work without scripts. The console of the server is made of the same parts.
"""

from __future__ import annotations

from .execution_page import EVENTS, Counts, ExecutionPage, Filter, Timeline
from .files import HistorySite, page_of_file, show
from .rendering import Parts, Renderer, command, drawn, script, stylesheet

__all__ = [
    "EVENTS",
    "Counts",
    "ExecutionPage",
    "Filter",
    "HistorySite",
    "Parts",
    "Renderer",
    "Timeline",
    "command",
    "drawn",
    "page_of_file",
    "script",
    "show",
    "stylesheet",
]
