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
from .reports import coverage_page, exploration_page, results_page

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
    "coverage_page",
    "drawn",
    "exploration_page",
    "page_of_file",
    "results_page",
    "script",
    "show",
    "stylesheet",
]
