"""The console: what happened, and what to do, in a browser.

| module | |
|---|---|
| reading | what pages are about, read from the server |
| machine_page | one state machine: graph, lines of the definition, a summary |
| pages | the pages of a server; the page of an execution is that of `doorstep.pages` |
| live | what changes in open pages, sent to them |
| routes | addresses, files, forms |

What is shown comes from the functions that the commands use. Pages work without scripts; the one
script replaces parts of a page, and what it can do is a link or a form in the page.
"""

from __future__ import annotations

from .routes import console_routes

__all__ = ["console_routes"]
