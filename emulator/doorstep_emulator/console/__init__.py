"""The console: what happened, and what to do, in a browser.

| module | |
|---|---|
| rendering | templates, and JSON values as trees |
| machine_page | one state machine: graph, lines of the definition, a summary |
| execution_page | one execution: graph, state visits, events, the data at each event |
| reading | what pages are about, read from the server |
| live | what follows, sent to open pages |
| pages | the pages of a server, and its forms |
| files | the page of a history in a file |

What is shown comes from the functions that the commands use. Pages work without scripts; the one
script replaces parts of a page, and what it can do is a link or a form in the page.
"""

from __future__ import annotations

from .files import page_of_file, show
from .pages import console_routes

__all__ = ["console_routes", "page_of_file", "show"]
