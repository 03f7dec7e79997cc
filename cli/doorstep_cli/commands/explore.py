"""`doorstep explore`: what may go wrong in a workflow, found by driving it through everything."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import DEFINITION, DefinitionFile, Type, read_accepted
from ..options import definition_options, format_option, handlers_option, input_option
from ..output import OutputFile, TableRow, echo, json_text, note, print_json, print_table, style
from ..runs import handlers_of, prints_go_to_stderr, write
from ..views.progress import ProgressLine, wanted

if TYPE_CHECKING:
    from doorstep.explorer import Exploration, Finding
    from doorstep.explorer.search import Search

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_WIDE = 100
"""Characters of a value that are shown; --format json has all."""


@click.command("explore", short_help="Drive a workflow through everything that may happen.")
@click.argument("path", type=DEFINITION, metavar="DEFINITION")
@input_option("Where to begin: an input that is known to be right; {} by default.")
@handlers_option(
    "Carry out each task twice by its handler, and compare: a .py file, folder or module."
)
@click.option(
    "--write-mocks",
    "mocks",
    type=OutputFile(),
    help="Write the findings as test cases of a MockConfigFile.json, for `run --mocks`.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Stop after this time at the latest.",
)
@format_option("json: one object with all findings, their scripts and pointers.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no remarks on stderr.")
@definition_options
@click.pass_context
def explore(
    ctx: click.Context,
    /,
    path: Path,
    text: str,
    handlers: str | None,
    mocks: Path | None,
    seconds: float,
    output_format: str,
    quiet: bool,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Drive a workflow through its choices, errors, retries, timeouts and Map sizes.

    Inputs and answers are derived from what the definition reads and compares; no handlers are
    needed, and no time passes. Told are states that read what is not there, errors that nobody
    catches, loops without end, tasks that may be carried out twice, and what can't be reached, each
    with the least input and answers that show it.

    Exit code: 0 nothing but notes, 1 errors or warnings, 2 a definition that can't be used.

    \b
    Examples:
      doorstep explore order.asl.json
      doorstep explore order.asl.json --input @order.json --handlers handlers.py
      doorstep explore order.asl.json --write-mocks found.json
      doorstep explore template.yaml --resource OrderMachine --format json | jq .findings
    """
    definition = read_accepted(path, parameters, resource, machine_type)
    options = {
        "input": json.loads(text),
        "type": machine_type or definition.type,
        "machine_name": definition.name,
        "seconds": seconds,
    }
    report = _explore(definition, handlers, options, watched=not quiet and wanted())
    if output_format == "json":
        print_json(report.as_json())
    else:
        _print(report, _Shown(definition, path, options["type"], resource, parameters, mocks))
    if mocks:
        _write_mocks(mocks, report, definition.name, quiet=quiet)
    elif not quiet and any(one.script for one in report.findings):
        note("to run what a finding shows: --write-mocks FILE")
    ctx.exit(0 if report.ok else 1)


class ExplorationProgress(ProgressLine):
    """How far an exploration has come."""

    def __init__(self) -> None:
        super().__init__(self.__str__)
        self.reached = self.parts = self.runs = 0

    def on_run(self, search: Search) -> None:
        """Note how much has been reached."""
        self.runs, self.parts = search.runs, len(search.items)
        self.reached = sum(item in search.reached for item in search.items)

    def __str__(self) -> str:
        return f"{_many(self.runs, 'run')} · {self.reached} of {self.parts} parts reached"


def _explore(
    definition: DefinitionFile, handlers: str | None, options: Mapping[str, Any], *, watched: bool
) -> Exploration:
    from doorstep import explore

    line_of = ExplorationProgress if watched else nullcontext
    with prints_go_to_stderr(), line_of() as line, handlers_of(handlers):
        on_run = line.on_run if line else None
        return explore(definition.document.definition, handlers=handlers, on_run=on_run, **options)


def _write_mocks(file: Path, report: Exploration, machine: str, *, quiet: bool) -> None:
    from doorstep.explorer.findings import mock_config

    config = mock_config(report.findings, machine)
    write(file, [json_text(config, indent=2)], quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the lines of a report need to know of the command."""

    definition: DefinitionFile
    path: Path
    type: Type
    resource: str | None
    parameters: Mapping[str, str]
    mocks: Path | None


def _print(report: Exploration, shown: _Shown) -> None:
    from doorstep.explorer.findings import case_names

    rows = [
        TableRow([kind, f"{a} of {b}"], None if a == b else "yellow")
        for kind, (a, b) in report.kinds.items()
        if b
    ]
    total = TableRow(["all", f"{report.reached} of {report.parts}"])
    print_table(["Part", "Reached"], [*rows, total])
    for finding, case in zip(report.findings, case_names(report.findings), strict=True):
        echo("\n" + "\n".join(_lines(finding, case, shown)))
    if report.example:
        echo("\nIt succeeds with:\n" + "\n".join(_script(report.example.as_json())))
    else:
        echo("\nNo run succeeded.")
    echo(f"\n{shown.definition.file}: {_verdict(report)}")
    if report.cut_short:
        note("not everything was tried: give it more --seconds")


def _verdict(report: Exploration) -> str:
    counts = Counter(str(one.severity) for one in report.findings)
    named = [
        style(_many(counts[name], name), fg=colour)
        for name, colour in _COLOURS.items()
        if counts[name]
    ]
    return f"{', '.join(named) or 'nothing found'} in {_many(report.runs, 'run')}"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lines(finding: Finding, case: str, shown: _Shown) -> Iterator[str]:
    title = style(f"{finding.severity} {finding.kind}", fg=_COLOURS[finding.severity])
    yield f"{title}: {style(finding.message, bold=True)}"
    document = shown.definition.document
    for place in finding.places:
        where = ":".join(map(str, document.locate(place.pointer)))
        yield f"  {shown.definition.file}:{where}: {place.text}"
    if finding.advice:
        yield f"  hint: {finding.advice}"
    if finding.script:
        yield f"  way: {' → '.join(finding.path)}"
        yield from _script(finding.script.as_json())
        if shown.mocks and not finding.script.items:
            yield f"  run: {_command(finding, case, shown)}"


def _script(script: Mapping[str, Any]) -> Iterator[str]:
    yield f"  input: {_short(script['input'])}"
    for state, answers in script["answers"].items():
        yield f"  {state}: {', then '.join(map(_answer, answers))}"
    for state, items in script.get("items", {}).items():
        yield f"  {state} reads: {'nothing' if items is None else _short(items)}"


def _answer(answer: Mapping[str, Any]) -> str:
    if "Return" in answer:
        return _short(answer["Return"])
    thrown = answer["Throw"]
    if "Cause" not in thrown:
        return "no answer"
    cause = f" ({thrown['Cause']})" if thrown["Cause"] else ""
    return f"fails with {thrown['Error']}{cause}"


def _short(value: Any) -> str:
    from doorstep.values.json_values import dumps

    text = dumps(value)
    return text if len(text) <= _WIDE else f"{text[:_WIDE]}…"


def _command(finding: Finding, case: str, shown: _Shown) -> str:
    from doorstep.values.json_values import dumps

    assert finding.script
    words: Sequence[str] = [
        *("doorstep", "run", str(shown.path)),
        *(["--type", "express"] if shown.type == "EXPRESS" else []),
        *(["--resource", shown.resource] if shown.resource else []),
        *(word for item in shown.parameters.items() for word in ("--param", "=".join(item))),
        *("--input", dumps(finding.script.input), "--mocks", f"{shown.mocks}#{case}"),
        # The answers are the least that shows it, not all that the service would give.
        *("--mock-validation", "off"),
    ]
    return shlex.join(words)
