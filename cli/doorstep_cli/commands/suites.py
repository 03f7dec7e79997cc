"""`doorstep test`: run tests of state machines that are written in YAML."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import F, format_option
from ..output import OutputFile, Problem, echo, print_json, style
from ..runs import needs_jinja, prints_go_to_stderr
from ..watching import watch_option

if TYPE_CHECKING:
    from doorstep.against.target import Target
    from doorstep.coverage import SuiteCoverage
    from doorstep.coverage.reports import Measurement
    from doorstep.testing.suites.files import Suite, Test
    from doorstep.testing.suites.results import Result


def coverage_options(command: F) -> F:
    """Add the options of `pytest --doorstep-cov`, with shorter names."""
    for option in (
        click.option(
            "--cov-fail-under",
            "fail_under",
            multiple=True,
            metavar="PERCENT",
            help="Exit with 1 when coverage is lower: 90, or for one kind catcher=75; repeatable.",
        ),
        click.option(
            "--cov-report",
            "reports",
            multiple=True,
            metavar="KIND:FILE",
            help="Write a report: json:FILE, xml:FILE (Cobertura) or html:FILE; repeatable.",
        ),
        click.option(
            "--cov-source",
            "sources",
            multiple=True,
            type=click.Path(exists=True, path_type=Path),
            metavar="PATH",
            help="A definition, or folder of *.asl.* files, to count even if no test runs it.",
        ),
        click.option(
            "--cov",
            is_flag=True,
            help="Measure which states, transitions, rules, retriers and catchers the tests use.",
        ),
    ):
        command = option(command)
    return command


@click.command("test", short_help="Run tests written in YAML.")
@watch_option
@click.argument(
    "paths",
    nargs=-1,
    type=click.Path(exists=True, path_type=Path),
    metavar="[FILE|FOLDER]...",
)
@click.option("-k", "text", metavar="TEXT", help="Only tests whose name contains this text.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first test that fails.")
@click.option("--junit", type=OutputFile(), help="Write a JUnit XML report, for CI services.")
@click.option("--html", type=OutputFile(), help="Write the results as a page of HTML.")
@click.option(
    "--update", is_flag=True, help="Store the histories of this run as the expected ones."
)
@click.option(
    "--against",
    metavar="aws|URL",
    help="Start real executions there, or ask TestState for tests with mocks; compare with ours.",
)
@click.option("--machine", metavar="ARN", help="The deployed machine; else by the suite's name.")
@click.option(
    "--time-limit",
    metavar="DURATION",
    help="How long to wait for a real execution: 90s, 2h; 5m by default.",
)
@coverage_options
@format_option("json: an object with an entry for each test.")
@click.option(
    "--schema", is_flag=True, help="Print the JSON schema of suites, for editors, and exit."
)
@click.pass_context
def test(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    text: str | None,
    fail_fast: bool,
    junit: Path | None,
    html: Path | None,
    update: bool,
    output_format: str,
    schema: bool,
    against: str | None,
    machine: str | None,
    time_limit: str | None,
    **coverage: Any,
) -> None:
    """Run the tests in suites, which are files named *.doorstep.yaml.

    Folders are searched for suites; the current folder by default. What handlers print goes to
    stderr.

    With --against, tests without mocks start real executions, with all that their tasks do, on the
    account that AWS's configuration names or on a server such as `doorstep serve`; tests with mocks
    run here, and TestState there is asked about each visit of a state.

    Exit code: 0 all pass, 1 some fail, 2 a file or test can't be used.

    \b
    Examples:
      doorstep test
      doorstep test tests/order.doorstep.yaml -k gateway --fail-fast
      doorstep test tests/ --junit results.xml --cov-report html:coverage.html
      doorstep test tests/ --html results.html
      doorstep test --cov-fail-under 90 --cov-fail-under catcher=75
      doorstep test --against http://127.0.0.1:8083
      doorstep test --against aws -k "good order" --time-limit 10m
      doorstep test --schema > doorstep.schema.json
    """
    if schema:
        from doorstep.testing.suites.files import schema as schema_of_suites

        print_json(schema_of_suites())
        return
    measurement = _measurement(**coverage)
    if against is None and (machine or time_limit):
        raise click.UsageError("--machine and --time-limit only apply to --against")
    if against is not None and (measurement or update):
        raise click.UsageError("--against can't be combined with --update or coverage")
    target = _target(against, machine, time_limit or "5m") if against is not None else None
    verbose = output_format == "text"
    run = SuiteRun(verbose=verbose, update=update, measurement=measurement, target=target)
    run.all(paths or (Path(),), text, fail_fast=fail_fast)
    if output_format == "json":
        print_json(run.as_json())
    else:
        run.sum_up()
    run.write(junit, html)
    ctx.exit(run.exit_code)


def _target(where: str, machine: str | None, time_limit: str) -> Target:
    """Return where tests are run; raise AccountError when nothing can be asked there."""
    from doorstep.against.target import target_of
    from doorstep.runtime import seconds

    try:
        limit = seconds(time_limit)
    except ValueError as problem:
        raise click.UsageError(f"--time-limit: {problem}") from None
    return target_of(where, machine, limit)


def _measurement(
    cov: bool, sources: tuple[Path, ...], reports: tuple[str, ...], fail_under: tuple[str, ...]
) -> Measurement | None:
    """Return a measurement of coverage; None when no option asks for one."""
    if not (cov or sources or reports or fail_under):
        return None
    from doorstep.coverage.reports import Measurement

    try:
        return Measurement(sources, reports, fail_under, _page_of_coverage)
    except ValueError as problem:
        raise click.UsageError(f"--cov: {problem}") from None


def _page_of_coverage(suite: SuiteCoverage) -> str:
    with needs_jinja("an HTML report"):
        from doorstep.pages import coverage_page
    return coverage_page(suite)


_STYLES: dict[str, dict[str, Any]] = {
    "passed": {"fg": "green"},
    "failed": {"fg": "red", "bold": True},
    "error": {"fg": "red", "bold": True},
    "skipped": {"fg": "yellow"},
}
_MARGIN = " " * 10


class SuiteRun:
    """Run tests and print their results."""

    def __init__(
        self,
        *,
        verbose: bool,
        update: bool,
        measurement: Measurement | None,
        target: Target | None = None,
    ) -> None:
        """`verbose`: print each test's result as soon as it has run; `target`: of --against."""
        self.results: list[Result] = []
        self.problems: dict[str, str] = {}
        """By file, why it can't be used."""
        self._verbose = verbose
        self._update = update
        self._measurement = measurement
        self._target = target
        self._begun = time.perf_counter()

    def all(self, paths: Sequence[Path], text: str | None, *, fail_fast: bool) -> None:
        """Run the tests in files and folders whose names contain `text`.

        `fail_fast` stops at the first failure. Raises Problem when there are no tests.
        """
        # As for `run`: `handlers` may name modules of the user's folder.
        sys.path.append(str(Path.cwd()))
        from doorstep.testing.clock import freezing_once

        # The requests of --against are signed with the real time.
        with nullcontext() if self._target else freezing_once():
            for suite, tests in self._chosen(paths, text):
                self._say(style(str(suite.path), bold=True))
                for test in tests:
                    self._run(test)
                    if fail_fast and self.results[-1].outcome in ("failed", "error"):
                        return
                if text is None and self._target is None:
                    self._report_unused_mocks(suite)

    def write(self, junit_file: Path | None, html_file: Path | None) -> None:
        """Write the reports, and print where coverage is too low."""
        from doorstep.testing.suites.results import counts, junit
        from doorstep.values.printable import printable

        try:
            if self._measurement:
                self._measurement.write()
            if junit_file:
                junit_file.write_text(printable(junit(self.results, self.problems)), "utf-8")
            if html_file:
                with needs_jinja("--html"):
                    from doorstep.pages import results_page
                page = results_page(self.results, self.problems, counts(self.results))
                html_file.write_text(page, "utf-8", "replace")
        except OSError as problem:
            raise Problem(f"can't write {problem.filename}: {problem.strerror}") from None
        for shortfall in self._measurement.shortfalls if self._measurement else ():
            echo(f"FAIL: {shortfall}", fg="red", err=True)

    def as_json(self) -> dict[str, Any]:
        """Return all results as one JSON value."""
        from doorstep.testing.suites.results import as_json

        return as_json(self.results, self.problems)

    def sum_up(self) -> None:
        """Print the totals, and the table of coverage."""
        from doorstep.testing.suites.results import counts

        totals = counts(self.results)
        totals["error"] += len(self.problems)
        parts = [
            style(f"{number} {outcome}", **_STYLES[outcome])
            for outcome, number in totals.items()
            if number
        ]
        echo(f"{', '.join(parts) or 'no tests'} in {time.perf_counter() - self._begun:.2f} s")
        if self._measurement:
            for line in self._measurement.table():
                echo(line)

    @property
    def exit_code(self) -> int:
        """0 all passed, 1 some failed or coverage is too low, 2 some can't be used."""
        outcomes = {result.outcome for result in self.results}
        if self.problems or "error" in outcomes:
            return 2
        short = self._measurement is not None and bool(self._measurement.shortfalls)
        return int("failed" in outcomes or short)

    def _chosen(
        self, paths: Sequence[Path], text: str | None
    ) -> Sequence[tuple[Suite, Sequence[Test]]]:
        suites = list(self._read(paths))
        if not suites and not self.problems:
            where = ", ".join(map(str, paths))
            raise Problem(f"no *.doorstep.yaml found in {where}; docs/suites.md has an example")
        wanted = (text or "").casefold()
        chosen = [
            (suite, [t for t in suite.tests if wanted in t.name.casefold()]) for suite in suites
        ]
        if text is not None and not any(tests for _, tests in chosen):
            raise Problem(f"no test has a name that contains {text!r}")
        return [(suite, tests) for suite, tests in chosen if tests]

    def _read(self, paths: Sequence[Path]) -> Iterator[Suite]:
        from doorstep import DoorstepError
        from doorstep.testing.suites import find
        from doorstep.testing.suites.files import read

        for path in find(paths):
            try:
                yield read(path)
            except DoorstepError as problem:
                self.problems[str(path)] = str(problem)
                Problem(str(problem)).show()

    def _run(self, test: Test) -> None:
        from doorstep.testing.suites.results import run, session_of

        stage = session_of(test)
        with prints_go_to_stderr():
            if self._target:
                from doorstep.against.executions import run_against

                result = run_against(test, self._target)
            else:
                result = run(test, stage, update=self._update)
        self.results.append(result)
        if self._measurement:
            self._measurement.count(stage)
        for line in _result_lines(result):
            self._say(line)

    def _report_unused_mocks(self, suite: Suite) -> None:
        """Print the suite's mocks that none of its tests used."""
        idle = [result.idle for result in self.results if result.test.suite is suite]
        for label in sorted(frozenset.intersection(*idle)) if idle else ():
            self._say(_remark(f"mock never reached: {label}"))

    def _say(self, line: str) -> None:
        if self._verbose:
            echo(line)


def _result_lines(result: Result) -> Iterator[str]:
    """Yield a test's line; if it did not pass, also why, and what happened."""
    from doorstep.runtime.answers import spelled

    observed = result.observed
    took = style(f"  {spelled(observed.took.total_seconds())}" if observed else "", dim=True)
    outcome = style(f"{result.outcome:6}", **_STYLES[result.outcome])
    yield f"  {outcome}  {result.test.name}{took}"
    if result.skipped:
        yield _remark(result.skipped)
    elif result.outcome != "passed":
        yield from (f"{_MARGIN}{line}" for line in result.message.splitlines())
        if observed:
            yield ""
            yield from (f"{_MARGIN}{line}" for line in observed.picture.splitlines())
            yield from (f"{_MARGIN}{line}" for line in observed.failure_table.splitlines())
            yield ""
    yield from map(_remark, result.remarks)


def _remark(text: str) -> str:
    return style(f"{_MARGIN}{text}", dim=True)
