"""Templates, the parts of a page that change while it is open, and JSON values as trees that fold.

Every text is escaped, and control characters and overrides of the writing direction are replaced.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from shlex import quote
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..drawing.svg import STYLE
from ..values.json_values import ABSENT, dumps
from ..values.printable import printable
from ..values.timestamps import isoformat

_HERE = Path(__file__).parent
_NODES = 500
"""Values of a tree that are shown; a text of 256 KiB may have a hundred thousand."""
_SHORT = 100
"""Characters of a value that stands on one line."""
_LONG_TEXT = 20_000
"""Characters of a string that are shown."""


def stylesheet() -> str:
    """Return the stylesheet of all pages, with that of drawings."""
    return f"{(_HERE / 'static' / 'console.css').read_text('utf-8')}\n{STYLE}\n"


def script() -> str:
    """Return the script of all pages."""
    return (_HERE / "static" / "console.js").read_text("utf-8")


def drawn(lines: Iterable[str]) -> Markup:
    """Return a drawing as a part of a page: `svg` has escaped its texts."""
    return Markup("\n".join(lines))  # noqa: S704


class Parts:
    """The parts of a page that are replaced while it is open, by their ids."""

    def __init__(self, others: Mapping[str, Any] | None = None) -> None:
        """`others`: what changes and is no part of the HTML."""
        self.all: dict[str, Any] = dict(others or {})

    def __call__(self, name: str, label: str, caller: Callable[[], str]) -> Markup:
        """Return a part as a section of the page; what stands in a template's `call` block."""
        text = self.all[name] = caller()
        section = Markup('<section id="{}" data-live aria-label="{}">{}</section>')
        return section.format(name, label, text)

    @property
    def version(self) -> str:
        """What differs when a part does."""
        return sha256(dumps(self.all).encode("utf-8", "replace")).hexdigest()[:16]


class Renderer:
    """Templates: those of this folder, and those of another one that build on them."""

    def __init__(self, folder: Path | None = None, **functions: Any) -> None:
        """`functions`: what the templates of the other folder call."""
        folders = [one / "templates" for one in (folder, _HERE) if one]
        self._environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(command=command, **functions)
        self._environment.filters.update(
            tree=tree, took=_took, time=isoformat, status_class=_status_class, json=json.dumps
        )

    def __call__(self, template: str, /, **values: Any) -> str:
        """Return a page."""
        return self._environment.get_template(template).render({"live": Parts(), **values})

    def alone(self, template: str, /, **values: Any) -> str:
        """Return a page that needs no other file: it may load nothing, and run its script alone."""
        return self.report(template, script=script(), **values)

    def report(self, template: str, /, *, script: str = "", **values: Any) -> str:
        """Return a page that needs no other file, and has no script but this one."""
        style = stylesheet()
        hashes = {"script_hash": _hash(script), "style_hash": _hash(style)}
        return self(template, alone=True, script=script, stylesheet=style, **hashes, **values)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


# JSON values -------------------------------------------------------------------------------------


def tree(value: Any) -> Markup:
    """Return a JSON value as a tree whose objects and arrays fold."""
    room = iter(range(_NODES))
    return Markup("".join(_tree(value, "$", room, opened=3)))  # noqa: S704  `_safe` escaped it


def _safe(text: str) -> str:
    return escape(printable(text))


def _tree(value: Any, path: str, room: Iterator[int], opened: int) -> Iterator[str]:
    if value is ABSENT:
        yield '<span class="dim">nothing</span>'
    elif isinstance(value, dict | list) and value and not _is_short(value):
        members = list(value.items() if isinstance(value, dict) else enumerate(value))
        sign = f"{{{len(members):,}}}" if isinstance(value, dict) else f"[{len(members):,}]"
        yield f"<details{' open' if opened > 0 else ''}><summary>{sign}</summary><ul>"
        for key, inner in members:
            if next(room, None) is None:
                yield '<li class="dim">… more than can be shown; see the download</li>'
                break
            inner_path = _inner(path, key)
            at = _safe(inner_path)
            name = _safe(str(key))
            yield f'<li><code class="key" data-copy="{at}" title="{at}">{name}</code>: '
            yield from _tree(inner, inner_path, room, opened - 1)
            yield "</li>"
        yield "</ul></details>"
    elif isinstance(value, str) and "\n" in value:
        yield f"<pre>{_safe(value[:_LONG_TEXT])}</pre>"
    else:
        text = dumps(value)
        cut = text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT]}… ({len(text):,})"
        yield f"<code>{_safe(cut)}</code>"


def _is_short(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    flat = len(value) <= 8 and not any(isinstance(one, dict | list) and one for one in inner)
    return flat and len(dumps(value)) <= _SHORT


def _inner(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{dumps(key)}]"


# What templates write ----------------------------------------------------------------------------


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


def command(*words: str) -> str:
    """Return a command for a shell, whatever its arguments hold."""
    return " ".join(quote(printable(word)) for word in words)


def _status_class(text: str) -> str:
    """Return the class of a status or an outcome."""
    return text.lower().replace(" ", "-").replace("_", "-")
