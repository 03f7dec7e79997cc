"""Templates, and JSON values as trees that fold.

Every text is escaped, and control characters and overrides of the writing direction are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from doorstep.drawing.svg import STYLE
from doorstep.values.json_values import ABSENT, dumps
from doorstep.values.printable import printable
from doorstep.values.timestamps import isoformat

_HERE = Path(__file__).parent
_NODES = 3_000
"""Values of a tree that are shown; a text of 256 KiB may have a hundred thousand."""
_SHORT = 100
"""Characters of a value that stands on one line."""
_LONG_TEXT = 20_000
"""Characters of a string that are shown."""


def render(template: str, /, **values: Any) -> str:
    """Return a page."""
    return _environment.get_template(template).render(**values)


def stylesheet() -> str:
    """Return the stylesheet of all pages, with that of drawings."""
    return f"{(_HERE / 'static' / 'console.css').read_text('utf-8')}\n{STYLE}\n"


def script() -> str:
    """Return the script of all pages."""
    return (_HERE / "static" / "console.js").read_text("utf-8")


def link(page: str, /, **query: Any) -> str:
    """Return the address of a page of the console; what is None or empty is left out."""
    present = {name: value for name, value in query.items() if value not in (None, "")}
    text = urlencode(present, errors="replace")
    return f"/console/{page}?{text}" if text else f"/console/{page}"


def drawn(lines: Iterable[str]) -> Markup:
    """Return a drawing as a part of a page: `svg` has escaped its texts."""
    return Markup("\n".join(lines))  # noqa: S704


def tree(value: Any) -> Markup:
    """Return a JSON value as a tree whose objects and arrays fold."""
    room = iter(range(_NODES))
    return Markup("").join(_tree(value, "$", room, opened=3))


def _tree(value: Any, path: str, room: Iterator[int], opened: int) -> Iterator[Markup]:
    if value is ABSENT:
        yield Markup('<span class="dim">nothing</span>')
    elif isinstance(value, dict | list) and value and not _is_short(value):
        members = list(value.items() if isinstance(value, dict) else enumerate(value))
        sign = f"{{{len(members):,}}}" if isinstance(value, dict) else f"[{len(members):,}]"
        yield Markup("<details{}><summary>{}</summary><ul>").format(
            Markup(" open") if opened > 0 else "", sign
        )
        for key, inner in members:
            if next(room, None) is None:
                yield Markup('<li class="dim">… more than can be shown; see the download</li>')
                break
            inner_path = _inner(path, key)
            yield Markup('<li><code class="key" data-copy="{}" title="{}">{}</code>: ').format(
                *(_shown(text) for text in (inner_path, inner_path, str(key)))
            )
            yield from _tree(inner, inner_path, room, opened - 1)
            yield Markup("</li>")
        yield Markup("</ul></details>")
    elif isinstance(value, str) and "\n" in value:
        yield Markup("<pre>{}</pre>").format(_shown(value[:_LONG_TEXT]))
    else:
        text = dumps(value)
        cut = text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT]}… ({len(text):,})"
        yield Markup("<code>{}</code>").format(_shown(cut))


def _is_short(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    flat = len(value) <= 8 and not any(isinstance(one, dict | list) and one for one in inner)
    return flat and len(dumps(value)) <= _SHORT


def _inner(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{dumps(key)}]"


def _shown(value: Any) -> Any:
    """Return what a template writes: texts without control characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def _took(seconds: float) -> str:
    """Return a duration as one would say it: `350 ms`, `2.5 s`, `1 day, 2:03:04`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    return f"{round(seconds, 3):g} s" if seconds < 120 else str(timedelta(seconds=round(seconds)))


def _command(*words: str) -> str:
    """Return a command for a shell, whatever its arguments hold."""
    return " ".join(quote(printable(word)) for word in words)


def _status_class(text: str) -> str:
    """Return the class of a status or an outcome."""
    return text.lower().replace(" ", "-").replace("_", "-")


_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(link=link, command=_command)
_environment.filters.update(
    tree=tree, took=_took, time=isoformat, status_class=_status_class, json=json.dumps
)
