"""Coverage written down: a table for the terminal, JSON, Cobertura's XML, a page of HTML."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from .items import KINDS, Item, counts
from .marks import picture
from .suite import MachineCoverage, Share, SuiteCoverage, percent, thresholds

if TYPE_CHECKING:
    from ..testing.state_machines import TestSession

_HEADINGS = ("state machine", *(f"{kind}s" for kind in KINDS), "all")


def table(suite: SuiteCoverage) -> str:
    """Return a row for each machine, and what is missing beneath."""
    rows = [_HEADINGS, *_rows(suite)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    for machine in suite.machines:
        lines += _missing(machine)
    return "\n".join(lines)


def as_json(suite: SuiteCoverage) -> str:
    """Return {"percent", "machines": [{"name", "file", "percent", "kinds", "items"}]}."""
    machines = [
        {
            "name": machine.name,
            "file": machine.file,
            "percent": round(percent(machine.share()), 2),
            "kinds": {
                kind: dict(zip(("covered", "total"), machine.share(kind), strict=True))
                for kind in KINDS
            },
            "items": [_item(machine, item) for item in machine.coverage.items],
        }
        for machine in suite.machines
    ]
    total = round(percent(suite.share()), 2)
    return json.dumps({"percent": total, "machines": machines}, indent=2, ensure_ascii=False)


def cobertura(suite: SuiteCoverage) -> str:
    """Return Cobertura's XML: a class for each definition in a file, a line for those with items.

    A line is hit when one of its items is; its branches are its items.
    """
    classes = [machine for machine in suite.machines if machine.file]
    rates = _rates(classes)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<coverage {rates} version="doorstep" timestamp="0">',
        "  <sources><source>.</source></sources>",
        f'  <packages><package name="state machines" {rates}><classes>',
        *(line for machine in classes for line in _class(machine)),
        "  </classes></package></packages>",
        "</coverage>",
    ]
    return "\n".join(lines)


def page(suite: SuiteCoverage) -> str:
    """Return HTML: the table, and every definition drawn and listed; needs no other file."""
    head = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    body = [f"<h1>State machines: {percent(suite.share()):.0f}% covered</h1>", "<table>"]
    body.append(f"<thead><tr>{head}</tr></thead>")
    places = [f"#machine{number}" for number, _ in enumerate(suite.machines, start=1)]
    body += [_cells(place, row) for place, row in zip([*places, "#"], _rows(suite), strict=False)]
    body.append("</table><p>✓ covered, ~ partly, ✗ not</p>")
    for number, machine in enumerate(suite.machines, start=1):
        place = f"machine{number}-line"
        body.append(f'<h2 id="machine{number}">{escape(machine.file or machine.name)}</h2>')
        body += ['<div class="graph">', *picture(machine, place), "</div>", "<pre>"]
        body += [*_listing(machine, place), "</pre>"]
    return _PAGE.replace("BODY", "\n".join(body))


WRITERS: Mapping[str, Callable[[SuiteCoverage], str]] = {
    "json": as_json,
    "xml": cobertura,
    "html": page,
}


def wanted_report(text: str) -> tuple[str, Path]:
    """Return kind and file of an option such as `html:FILE`; raise ValueError for other texts."""
    kind, _, file = text.partition(":")
    if kind not in WRITERS or not file:
        raise ValueError(f"{text!r} is none of {', '.join(f'{kind}:FILE' for kind in WRITERS)}")
    return kind, Path(file)


def write(suite: SuiteCoverage, kind: str, file: Path) -> None:
    """Write one report, into a folder that is made if need be; raise OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{WRITERS[kind](suite)}\n", "utf-8")


class Measurement:
    """What a run of tests covers, its reports, and how much it has to cover."""

    def __init__(
        self, sources: Iterable[Path], wanted: Iterable[str], fail_under: Iterable[str]
    ) -> None:
        """Begin to measure; raise ValueError or DoorstepError for what can't be used.

        `sources`: definitions that count even when no test runs them; `wanted`: "html:FILE" …;
        `fail_under`: "90", "catcher=75".
        """
        self.suite = SuiteCoverage()
        self.files = [wanted_report(text) for text in wanted]
        self.thresholds = thresholds(fail_under)
        for path in sources:
            self.suite.add_source(path)

    def count(self, session: TestSession) -> None:
        """Count what a test's executions used, however the test ended."""
        for execution, file in session.all:
            self.suite.add(execution, os.path.relpath(file) if file else None)

    def write(self) -> None:
        """Write the reports."""
        for kind, file in self.files:
            write(self.suite, kind, file)

    def table(self) -> Iterator[str]:
        """Yield the lines that sum it up; none when no machine was seen."""
        if self.suite.machines:
            yield table(self.suite)
            yield from (f"{kind} report written to {file}" for kind, file in self.files)

    @property
    def shortfalls(self) -> list[str]:
        """What is covered less than it has to be."""
        return list(self.suite.shortfalls(self.thresholds))


def _rows(suite: SuiteCoverage) -> Iterator[tuple[str, ...]]:
    yield from (_row(machine.name, machine.share) for machine in suite.machines)
    if len(suite.machines) > 1:
        yield _row("all", suite.share)


def _row(name: str, share: Callable[..., Share]) -> tuple[str, ...]:
    shares = [share(kind) for kind in KINDS]
    cells = (f"{covered}/{total}" if total else "-" for covered, total in shares)
    return name, *cells, f"{percent(share()):.0f}%"


def _missing(machine: MachineCoverage) -> Iterator[str]:
    if machine.missing:
        yield f"\n{machine.file or machine.name}: not covered"
    for item in machine.missing:
        place = f"line {machine.document.locate(item.pointer)[0]}" if machine.file else item.pointer
        yield f"  {item.kind:<11}{item.label} ({place})"


def _item(machine: MachineCoverage, item: Item) -> Mapping[str, Any]:
    return {
        "kind": item.kind,
        "label": item.label,
        "pointer": item.pointer,
        "line": machine.document.locate(item.pointer)[0] if machine.file else None,
        "hits": machine.coverage.hits[item],
    }


def _class(machine: MachineCoverage) -> Iterator[str]:
    name, file = quoteattr(machine.name), quoteattr(machine.file or "")
    yield f"  <class name={name} filename={file} {_rates([machine])}>"
    yield "    <methods/><lines>"
    hits = machine.coverage.hits
    for number, items in machine.lines().items():
        used = sum(1 for item in items if hits[item])
        most = max(hits[item] for item in items)
        part = f"{100 * used // len(items)}% ({used}/{len(items)})"
        branch = f' branch="true" condition-coverage="{part}"' if len(items) > 1 else ""
        yield f'      <line number="{number}" hits="{most}"{branch}/>'
    yield "    </lines></class>"


def _rates(machines: Sequence[MachineCoverage]) -> str:
    """Return lines and branches covered, as attributes."""
    lines = [
        any(machine.coverage.hits[item] for item in items)
        for machine in machines
        for items in machine.lines().values()
    ]
    shares = [machine.share() for machine in machines]
    rates = {
        "line-rate": (sum(lines), len(lines)),
        "branch-rate": (sum(used for used, _ in shares), sum(total for _, total in shares)),
    }
    attributes = (f'{name}="{percent(share) / 100:.4f}"' for name, share in rates.items())
    return " ".join([*attributes, 'complexity="0"'])


def _cells(place: str, row: tuple[str, ...]) -> str:
    """Return a row of the table; its name links to a place of the page."""
    name, *texts = map(escape, row)
    cells = "".join(f"<td>{text}</td>" for text in texts)
    return f'<tr><th scope="row"><a href="{place}">{name}</a></th>{cells}</tr>'


def _listing(machine: MachineCoverage, place: str) -> Iterator[str]:
    hits, by_line = machine.coverage.hits, machine.lines()
    for number, text in enumerate(machine.document.text.splitlines(), start=1):
        items = by_line.get(number, [])
        used = sum(1 for item in items if hits[item])
        kind = "all" if used == len(items) else "some" if used else "none"
        attributes = f' class="{kind}" title={quoteattr(counts(items, hits))}' if items else ""
        mark = _SIGNS[kind] if items else " "
        yield f'<span id="{place}{number}"{attributes}>{mark}{number:>5}  {escape(text)}</span>'


_SIGNS = {"all": "✓", "some": "~", "none": "✗"}
"""For those who see no colours."""


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of state machines</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px system-ui, sans-serif; margin: 2em; }
td, th { text-align: left; padding: 2px 14px 2px 0; font-weight: normal; }
thead th { font-weight: bold; }
.graph, pre { overflow-x: auto; }
pre { line-height: 1.4; }
.all { background: #1d810230; } .some { background: #d45b0738; } .none { background: #c7131f30; }
:target { outline: 2px solid; }
</style></head><body>
BODY
</body></html>
"""
