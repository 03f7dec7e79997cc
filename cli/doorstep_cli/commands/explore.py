"""`doorstep explore`: find what may go wrong in a workflow by running it in every way."""

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

from doorstep.values.file_names import relative

from ..baseline import without_known
from ..definitions import PROJECT, DefinitionFile, Type, machines_in, read_accepted
from ..options import (
    definition_options,
    format_option,
    handlers_option,
    input_option,
    network_options,
    services_option,
)
from ..output import (
    OutputFile,
    Problem,
    TableRow,
    echo,
    json_text,
    note,
    print_json,
    print_table,
    style,
)
from ..runs import carrying_out, needs_jinja, prints_go_to_stderr, write
from ..views.progress import ProgressLine, wanted
from ..watching import watch_option
from ..world import Choices, choices

if TYPE_CHECKING:
    from doorstep.explorer import Exploration, Finding
    from doorstep.explorer.search import Search

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_WIDE = 100
"""Characters of a value to show; --format json has all."""


@click.command("explore", short_help="Find what may go wrong in a workflow.")
@watch_option
@click.argument("path", type=PROJECT, metavar="PATH")
@input_option("A valid input to begin with; {} by default.")
@handlers_option("Call the handler of each task twice and compare: a .py file, folder or module.")
@services_option
@network_options
@click.option(
    "--write-mocks",
    "mocks",
    type=OutputFile(),
    help="Write the findings as test cases in a MockConfigFile.json, for `run --mocks`.",
)
@click.option(
    "--write-suite",
    "suite",
    type=OutputFile(),
    help="Write the run that succeeds, and the findings, as tests for `doorstep test`.",
)
@click.option("--html", type=OutputFile(), help="Write the findings as a page of HTML.")
@click.option(
    "--baseline",
    type=OutputFile(),
    help="Leave out the findings in this file; where there is no file, write those of today.",
)
@click.option(
    "--update-baseline",
    "update",
    is_flag=True,
    help="Write today's findings into the file of --baseline, in place of the machine's former.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Time limit of the exploration.",
)
@format_option("json: an object with all findings, their scripts and pointers.")
@click.option("--quiet", "-q", is_flag=True, help="Print no progress and no remarks on stderr.")
@definition_options
@click.pass_context
def explore(
    ctx: click.Context,
    /,
    path: Path,
    input_json: str,
    handlers: list[str] | None,
    services: str | None,
    allow_hosts: tuple[str, ...],
    allow_network: bool,
    mocks: Path | None,
    suite: Path | None,
    baseline: Path | None,
    update: bool,
    html: Path | None,
    seconds: float,
    output_format: str,
    quiet: bool,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Run a workflow through its choices, errors, retries, timeouts and Map sizes.

    Inputs and answers are derived from what the definition reads and compares. No handlers are
    needed, and no time passes. Reports states that read missing data, uncaught errors, endless
    loops, tasks that may run twice, and parts that can't be reached, each with the smallest input
    and answers that show it.

    With --handlers or --services each task is carried out twice as well, by its handler, by the
    project's own function or by the service, and the answers are compared.

    Exit code: 0 no findings but notes, 1 errors or warnings, 2 a definition that can't be used.

    \b
    Examples:
      doorstep explore order.asl.json
      doorstep explore order.asl.json --input @order.json --handlers handlers.py
      doorstep explore . --services moto
      doorstep explore order.asl.json --baseline known.json     # in CI: fail for new ones only
      doorstep explore order.asl.json --write-mocks found.json
      doorstep explore order.asl.json --write-suite found.doorstep.yaml
      doorstep explore order.asl.json --html found.html
      doorstep explore template.yaml --machine-name OrderMachine --format json | jq .findings
    """
    if update and not baseline:
        raise Problem("--update-baseline needs the file: add --baseline FILE")
    if suite and suite.exists():
        raise Problem(f"{suite} exists, perhaps with changes of yours; name another file")
    chosen = choices(
        [path], parameters, handlers, services, allow_hosts, allow_network=allow_network
    )
    path, parameters = chosen.file, chosen.parameters
    definition = read_accepted(path, parameters, resource, machine_type)
    options = {
        "input": json.loads(input_json),
        "type": machine_type or definition.type,
        "state_machine_name": definition.name,
        "seconds": seconds,
    }
    carried_out = chosen if handlers or services else None
    report = _explore(definition, carried_out, options, quiet=quiet)
    if baseline:
        report = without_known(report, baseline, definition.name, update=update, quiet=quiet)
    if output_format == "json":
        print_json(report.as_json())
    else:
        _print(report, _Request(definition, path, options["type"], resource, parameters, mocks))
    if html:
        with needs_jinja("--html"):
            from doorstep.pages import exploration_page
        page = exploration_page(definition.name, definition.document.definition, report)
        write(html, [page], quiet=quiet)
    if suite:
        _write_suite(suite, report, path, definition, options["type"], parameters, quiet=quiet)
    if mocks:
        _write_mocks(mocks, report, definition.name, quiet=quiet)
    elif not (quiet or suite) and any(one.script for one in report.findings):
        note("to run a finding yourself, write it with --write-suite or --write-mocks FILE")
    ctx.exit(0 if report.ok else 1)


class ExplorationProgress(ProgressLine):
    """The progress of an exploration."""

    def __init__(self) -> None:
        super().__init__(self.__str__)
        self.reached = self.parts = self.runs = 0

    def on_run(self, search: Search) -> None:
        """Update the counts."""
        self.runs, self.parts = search.runs, len(search.items)
        self.reached = sum(item in search.reached for item in search.items)

    def __str__(self) -> str:
        return f"{_many(self.runs, 'run')} · {self.reached} of {self.parts} parts reached"


def _explore(
    definition: DefinitionFile,
    chosen: Choices | None,
    options: Mapping[str, Any],
    *,
    quiet: bool,
) -> Exploration:
    """Explore; `chosen`: what carries tasks out twice."""
    from doorstep import explore

    line_of = ExplorationProgress if not quiet and wanted() else nullcontext
    with prints_go_to_stderr(), line_of() as line, carrying_out(chosen, quiet=quiet) as handlers:
        on_run = line.on_run if line else None
        return explore(definition.document.definition, handlers=handlers, on_run=on_run, **options)


def _write_mocks(file: Path, report: Exploration, machine: str, *, quiet: bool) -> None:
    from doorstep.explorer.findings import mock_config

    config = mock_config(report.findings, machine)
    write(file, [json_text(config, indent=2)], quiet=quiet)


def _write_suite(
    file: Path,
    report: Exploration,
    path: Path,
    definition: DefinitionFile,
    machine_type: Type,
    parameters: Mapping[str, str],
    *,
    quiet: bool,
) -> None:
    """Write the suite, and beside it the mocks that it names."""
    from doorstep.explorer.suite import cases, mock_config, suite
    from doorstep.testing.recorded_tests import suite_text

    value, machine = definition.document.definition, definition.name
    named = relative(path, file.parent)
    source: dict[str, Any] = {"definition": named}
    if machines_in(path, parameters):
        source["resource"] = machine
    if parameters:
        source["parameters"] = dict(parameters)
    mocks = file.with_name(f"{file.name.partition('.')[0]}.mocks.json")
    runs = cases(report, value, type=machine_type, state_machine_name=machine)
    write(mocks, [json_text(mock_config(runs, machine), indent=2)], quiet=quiet)
    content = suite(runs, mocks, value, source, type=machine_type, state_machine_name=machine)
    first = f"# What `doorstep explore` found in {named}; run it with `doorstep test {file.name}`."
    write(file, [suite_text([first], content).rstrip()], quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Request:
    """What a printed report repeats of the command: options, file and definition."""

    definition: DefinitionFile
    path: Path
    type: Type
    resource: str | None
    parameters: Mapping[str, str]
    mocks: Path | None


def _print(report: Exploration, request: _Request) -> None:
    from doorstep.explorer.findings import case_names

    rows = [
        TableRow([kind, f"{a} of {b}"], None if a == b else "yellow")
        for kind, (a, b) in report.kinds.items()
        if b
    ]
    total = TableRow(["all", f"{report.reached} of {report.parts}"])
    print_table(["Part", "Reached"], [*rows, total])
    for finding, case in zip(report.findings, case_names(report.findings), strict=True):
        echo("\n" + "\n".join(_lines(finding, case, request)))
    if report.example:
        echo("\nA run that succeeds:\n" + "\n".join(_script(report.example.as_json())))
    else:
        echo("\nNo run succeeded.")
    echo(f"\n{request.definition.file}: {_verdict(report)}")
    if report.cut_short:
        note("the time limit was reached; raise it with --seconds to try more")


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


def _lines(finding: Finding, case: str, request: _Request) -> Iterator[str]:
    title = style(f"{finding.severity} {finding.kind}", fg=_COLOURS[finding.severity])
    yield f"{title}: {style(finding.message, bold=True)}"
    document = request.definition.document
    for place in finding.places:
        where = ":".join(map(str, document.locate(place.pointer)))
        yield f"  {request.definition.file}:{where}: {place.text}"
    if finding.advice:
        yield f"  hint: {finding.advice}"
    if finding.script:
        yield f"  path: {' → '.join(finding.path)}"
        yield from _script(finding.script.as_json())
        if request.mocks and not finding.script.items:
            yield f"  run: {_command(finding, case, request)}"


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


def _command(finding: Finding, case: str, request: _Request) -> str:
    from doorstep.values.json_values import dumps

    assert finding.script
    words: Sequence[str] = [
        *("doorstep", "run", str(request.path)),
        *(["--type", "express"] if request.type == "EXPRESS" else []),
        *(["--machine-name", request.resource] if request.resource else []),
        *(word for item in request.parameters.items() for word in ("--param", "=".join(item))),
        *("--input", dumps(finding.script.input), "--mocks", f"{request.mocks}#{case}"),
        # The answers are the smallest that show the finding, not all that the service returns.
        *("--mock-validation", "off"),
    ]
    return shlex.join(words)
