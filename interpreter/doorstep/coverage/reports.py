"""Coverage written down: a table for the terminal, JSON, Cobertura's XML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from ..values.file_names import relative
from .items import KINDS, Item
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


def headings_and_rows(suite: SuiteCoverage) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    """Return the table: a row for each machine, and one for all."""
    return _HEADINGS, list(_rows(suite))


WRITERS: Mapping[str, Callable[[SuiteCoverage], str]] = {"json": as_json, "xml": cobertura}
"""Kinds of reports; `html` is written by what a Measurement is given."""
_KINDS = (*WRITERS, "html")


def wanted_report(text: str) -> tuple[str, Path]:
    """Return kind and file of an option such as `html:FILE`; raise ValueError for other texts."""
    kind, _, file = text.partition(":")
    if kind not in _KINDS or not file:
        raise ValueError(f"{text!r} is none of {', '.join(f'{kind}:FILE' for kind in _KINDS)}")
    return kind, Path(file)


class Measurement:
    """What a run of tests covers, its reports, and how much it has to cover."""

    def __init__(
        self,
        sources: Iterable[Path],
        wanted: Iterable[str],
        fail_under: Iterable[str],
        page: Callable[[SuiteCoverage], str],
    ) -> None:
        """Begin to measure; raise ValueError or DoorstepError for what can't be used.

        `sources`: definitions that count even when no test runs them; `wanted`: "html:FILE" …;
        `fail_under`: "90", "catcher=75"; `page`: makes the HTML.
        """
        self.suite = SuiteCoverage()
        self.files = [wanted_report(text) for text in wanted]
        self.thresholds = thresholds(fail_under)
        self._writers = {**WRITERS, "html": page}
        for path in sources:
            self.suite.add_source(path)

    def count(self, session: TestSession) -> None:
        """Count what a test's executions used, however the test ended."""
        for execution, file in session.all:
            self.suite.add(execution, relative(file) if file else None)

    def write(self) -> None:
        """Write the reports, into folders that are made if need be; raise OSError."""
        for kind, file in self.files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{self._writers[kind](self.suite)}\n", "utf-8")

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
