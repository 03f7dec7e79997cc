"""Reports as pages that need no other file: coverage, tests in YAML, findings of an exploration.

What they say is computed by those who call these functions; here it gets the look of the console.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..coverage import MachineCoverage, SuiteCoverage, items
from ..coverage.marks import of_execution, picture
from ..coverage.reports import headings_and_rows
from ..coverage.suite import percent
from ..drawing import Mark, draw, svg
from ..history import visits_of
from ..model import workflow
from .files import render
from .rendering import drawn

_SIGNS = {"all": "✓", "some": "~", "none": "✗"}
"""For those who see no colours."""
_SEVERITIES = {"error": "failed", "warning": "caught", "note": "in progress"}


def coverage_page(suite: SuiteCoverage) -> str:
    """Return the page of a coverage: its table, and every definition drawn and listed."""
    headings, rows = headings_and_rows(suite)
    machines = [
        {
            "place": f"machine{number}",
            "title": machine.file or machine.name,
            "drawing": drawn(picture(machine, f"machine{number}-line", style=False)),
            "lines": list(_listing(machine)),
        }
        for number, machine in enumerate(suite.machines, start=1)
    ]
    values: dict[str, Any] = {
        "percent": f"{percent(suite.share()):.0f}",
        "headings": headings,
        "rows": rows,
    }
    return render.report("coverage.html", machines=machines, **values)


def _listing(machine: MachineCoverage) -> Iterator[dict[str, Any]]:
    hits, by_line = machine.coverage.hits, machine.lines()
    for number, text in enumerate(machine.document.text.splitlines(), start=1):
        here = by_line.get(number, [])
        used = sum(1 for item in here if hits[item])
        kind = ("all" if used == len(here) else "some" if used else "none") if here else ""
        yield {
            "number": number,
            "text": text,
            "kind": kind,
            "sign": _SIGNS.get(kind, " "),
            "title": items.counts(here, hits),
        }


def results_page(
    results: Sequence[Any], problems: Mapping[str, str], counts: Mapping[str, int]
) -> str:
    """Return the page of a run of suites (`doorstep.testing.suites.results.Result`).

    `problems`: by file, why it can't be used; `counts`: tests by outcome.
    """
    rows = []
    for number, result in enumerate(results, start=1):
        observed = result.observed if result.outcome != "passed" else None
        rows.append(
            {
                "number": number,
                "name": result.test.name,
                "suite": result.test.file,
                "outcome": result.outcome,
                "message": result.message,
                "took": result.observed.took.total_seconds() if result.observed else None,
                "picture": observed.picture if observed else "",
                "drawing": _of_execution(observed) if observed else "",
            }
        )
    failed = bool(problems) or any(row["message"] for row in rows)
    values: dict[str, Any] = {
        "results": rows,
        "problems": problems,
        "counts": counts,
        "failed": failed,
    }
    return render.report("results.html", **values)


def _of_execution(observed: Any) -> Markup:
    marks = of_execution(observed.definition, visits_of(observed))
    return drawn(svg(draw(workflow(observed.definition), observed.name, marks), style=False))


def exploration_page(name: str, definition: Mapping[str, Any], report: Any) -> str:
    """Return the page of an exploration (`doorstep.explorer.Exploration`), findings on its graph.

    A state has the colour of its worst finding, and leads to it.
    """
    marks: dict[str, Mark] = {}
    for number, finding in reversed(list(enumerate(report.findings, start=1))):
        for place in finding.places:
            colour: Any = _SEVERITIES[finding.severity]
            marks[place.pointer] = Mark(colour, text=finding.message, link=f"#finding-{number}")
    lines = svg(draw(workflow(definition), name, marks), style=False, legend=False)
    drawing = drawn(lines)
    return render.report("exploration.html", name=name, report=report, drawing=drawing)
