"""The pytest plugin: fixtures for state machines, suites, pictures and pages of failures, coverage.

It is loaded into every pytest run of an environment that has Doorstep: what it needs beyond pytest
is imported when a test asks for it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .stash import SESSION

if TYPE_CHECKING:
    from ..services import AtWork
    from ..testing.clock import SimulatedClock
    from ..testing.projects import ProjectUnderTest
    from ..testing.state_machines import ObservedExecution, StateMachine

_PACKAGE = Path(__file__).parent.parent
_NOT_IN_NAMES = re.compile(r"[^\w-]+", re.ASCII)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("doorstep", "state machines (Doorstep)")
    group.addoption(
        "--doorstep-cov",
        action="store_true",
        help="measure which states, transitions, rules, retriers, catchers … the tests use",
    )
    group.addoption(
        "--doorstep-cov-source",
        action="append",
        default=[],
        metavar="PATH",
        help="a definition, or a folder of *.asl.* files, that counts even when no test runs it",
    )
    group.addoption(
        "--doorstep-cov-report",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="write a report as well: json:FILE, xml:FILE (Cobertura) or html:FILE",
    )
    group.addoption(
        "--doorstep-cov-fail-under",
        action="append",
        default=[],
        metavar="PERCENT",
        help="fail when less is covered: 90, or of one kind: catcher=75",
    )
    group.addoption(
        "--doorstep-against",
        metavar="aws|URL",
        help="start the executions of tests marked doorstep_against there as well, or ask "
        "TestState where they have mocks, and fail for what differs",
    )
    group.addoption(
        "--doorstep-time-limit",
        metavar="DURATION",
        default="5m",
        help="how long to wait for an execution there: 90s, 2h (default: %(default)s)",
    )
    group.addoption(
        "--doorstep-html",
        metavar="DIR",
        help="write the executions of failed tests as pages into this folder, as `doorstep view`",
    )
    group.addoption(
        "--doorstep-update",
        action="store_true",
        help="store this run's histories as snapshots",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect coverage, and connect to an account, if an option asks for it."""
    config.addinivalue_line(
        "markers",
        "doorstep_against(machine=NAME): with --doorstep-against, compare this test's executions "
        "with those of the deployed state machine; NAME: where it is called otherwise",
    )
    if config.getoption("doorstep_against"):
        from .against import Against

        config.pluginmanager.register(Against(config), "doorstep_against")
    if any(
        config.getoption(f"doorstep_cov{of}") for of in ("", "_source", "_report", "_fail_under")
    ):
        from .coverage import Collector

        config.pluginmanager.register(Collector(config), "doorstep_coverage")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the tests of a suite, see `doorstep.testing.suites`."""
    from ..testing.suites import SUFFIXES

    if not file_path.name.endswith(SUFFIXES):
        return None
    from .suites import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Show what happened in the executions of a test that failed, and not Doorstep's own lines."""
    if SESSION in item.stash and call.excinfo and not item.config.getoption("fulltrace"):
        _end_in_the_test(call.excinfo)
    report = yield
    if report.when == "call" and report.failed and SESSION in item.stash:
        from ..values.printable import printable

        for observed in item.stash[SESSION].executions:
            title = f"Execution {observed.name}"
            report.sections.append((title, printable(observed.picture)))
            if observed.failure_table:
                report.sections.append(
                    (f"Failures of {observed.name}", printable(observed.failure_table))
                )
            if folder := item.config.getoption("doorstep_html"):
                from .pages import write_page

                pages = item.config.invocation_params.dir / folder
                report.sections.append((f"Page of {observed.name}", write_page(observed, pages)))
    return report


def _end_in_the_test(problem: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave out the end of a traceback that leads through Doorstep, if the test is to blame."""
    from ..errors import DoorstepError

    if isinstance(problem.value, DoorstepError | AssertionError | LookupError):
        last, at = problem.tb, problem.tb.tb_next
        while at:
            if not Path(at.tb_frame.f_code.co_filename).is_relative_to(_PACKAGE):
                last = at
            at = at.tb_next
        last.tb_next = None


@pytest.fixture(scope="module")
def _freezing_once() -> Iterator[None]:
    # For all tests of a file; nothing of it is left for those of others.
    from ..testing.clock import freezing_once

    with freezing_once():
        yield


@pytest.fixture
def virtual_clock(_freezing_once: None) -> Iterator[SimulatedClock]:
    """Return the executions' clock: `.moment`, `.set("2025-03-01T08:00")`, `.advance("2h")`.

    It begins at 2025-01-01T00:00:00Z. With freezegun installed, handlers and the test's own body
    see its time.
    """
    from ..testing.clock import SimulatedClock

    clock = SimulatedClock()
    with clock.frozen():
        yield clock


@pytest.fixture
def state_machine(
    request: pytest.FixtureRequest, virtual_clock: SimulatedClock
) -> Iterator[Callable[..., StateMachine]]:
    """Make state machines: `state_machine("order.asl.json", handlers="handlers.py")`.

    Files are relative to the test's file. `.run(input, mocks=[…])` gives an execution to make
    assertions about. Mocks that were never reached are warned of, and answers that a service would
    not give with `mock_validation="warn"`.
    """
    from ..testing.state_machines import TestSession
    from ..values.printable import printable

    node = request.node
    against = request.config.pluginmanager.get_plugin("doorstep_against")
    compared = against.comparison(node, virtual_clock) if against else None
    session = TestSession(request.path.parent, node.nodeid, virtual_clock, compared)
    node.stash[SESSION] = session
    yield session.machine
    if compared:
        remarks = compared.remarks(len(session.executions))
        node.user_properties += [("doorstep_against", remark) for remark in remarks]
    for mocks in session.mocks:
        for remark in mocks.remarks():
            warnings.warn(pytest.PytestWarning(printable(remark)), stacklevel=1)


@pytest.fixture
def _project_services(
    request: pytest.FixtureRequest, virtual_clock: SimulatedClock
) -> Iterator[Any]:
    from ..testing.projects import project_services

    with virtual_clock.frozen(), project_services(request.path.parent) as around:
        yield around


@pytest.fixture
def services(_project_services: Any) -> AtWork:
    """AWS's services on moto, empty for each test but for the project's tables, queues and so on.

    `services.client("dynamodb")` is a boto3 client; so is one that the test or a handler makes
    itself. `state_machine("order.asl.json", services=services)` lets them answer its tasks.
    """
    _, at_work, _ = _project_services
    return at_work  # type: ignore[no-any-return]


@pytest.fixture
def project(_project_services: Any, state_machine: Callable[..., StateMachine]) -> ProjectUnderTest:
    """Give the project around the test: `project.machine("orders").run({…})`.

    It is the nearest folder upwards with a doorstep.yaml or a template. Its functions answer its
    tasks, its resources are made in `services`; mocks and handlers come before both.
    """
    from ..testing.projects import ProjectUnderTest

    found, at_work, handlers = _project_services
    if found is None:
        pytest.fail("there is no project (a template, cdk.out, doorstep.yaml) around this test")
    return ProjectUnderTest(found, at_work, handlers, state_machine)


@pytest.fixture
def history_snapshot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare an execution's history with one that is stored beside the test.

    Times, ids, names and tokens don't matter. `history_snapshot(execution, "name")`: the name is
    needed where a test has several. `--doorstep-update` keeps what the run gave.
    """
    from ..testing.snapshots import compare

    update = request.config.getoption("doorstep_update")

    def check(observed: ObservedExecution, name: str = "") -> None:
        stem = _NOT_IN_NAMES.sub("-", f"{request.path.stem}.{request.node.name}.{name}").strip("-")
        compare(observed, request.path.parent / "histories" / f"{stem}.json", update=update)

    return check
