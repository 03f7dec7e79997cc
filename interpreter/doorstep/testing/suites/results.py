"""One test, run; and results written down: as JSON, and as JUnit's XML for CI services."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree as ET

from ...errors import DoorstepError, InputError
from ...services import AtWork
from ...values.json_values import ABSENT
from ..clock import SimulatedClock
from ..mocks import Mock
from ..state_machines import Observation, ObservedExecution, TestSession
from .expectations import Unmet, check
from .files import Test
from .surroundings import around, check_services

Outcome = Literal["passed", "failed", "error", "skipped"]
"""error: the test can't be used as it is written."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a test went."""

    test: Test
    observed: Observation | None
    """None when nothing was run."""
    unmet: Sequence[Unmet]
    problem: str
    """Why it could not be run or compared; else empty."""
    remarks: Sequence[str]
    """Its own mocks that were never reached, and answers that a service would not give."""
    idle: frozenset[str]
    """The suite's mocks that this test did not reach."""
    seconds: float
    """Of real time."""
    skipped: str = ""
    """Why it was not run; else empty."""

    @property
    def outcome(self) -> Outcome:
        """How it went."""
        if self.skipped:
            return "skipped"
        return "error" if self.problem else "failed" if self.unmet else "passed"

    @property
    def message(self) -> str:
        """Why it did not pass: every expectation that was not met, with its place and values."""
        unmet = [f"{unmet.place}: {unmet}" for unmet in self.unmet]
        return "\n".join([*unmet, self.problem] if self.problem else unmet)


def session_of(test: Test) -> TestSession:
    """Return the session that a test runs in."""
    return TestSession(test.folder, test.name, SimulatedClock())


def run(test: Test, session: TestSession, *, update: bool = False) -> Result:
    """Run a test; whatever is wrong with it is in the result. `update`: keep its history."""
    begun = _real_seconds()
    own: list[Mock] = []
    shared: list[Mock] = []
    unmet: list[Unmet] = []
    problem = ""
    try:
        own = test.mocks(test.record)
        if start_time := test.get("start_time"):
            session.clock.set(start_time)
        with _frozen(test, session), around(test) as services:
            shared = test.project_mocks()
            mocks = [*own, *test.mocks(test.suite.record), *shared]
            observed = _observed(test, session, mocks, services)
            expect = test.record.get("expect")
            unmet += check(test.record, expect, observed, test.folder, update)
            unmet += check_services(expect, services)
    except DoorstepError as error:
        problem = str(error)
    seconds = _real_seconds() - begun
    done = next(iter(session.executions), None)
    remarks = [remark for mocks in session.mocks for remark in mocks.remarks(own)]
    elsewhere = [*own, *shared]
    idle = {one.label for mocks in session.mocks for one in mocks.idle if one not in elsewhere}
    return Result(test, done, unmet, problem, remarks, frozenset(idle), seconds)


def _real_seconds(clock: Callable[[], float] = time.perf_counter) -> float:
    """Return a moment of real time: freezegun replaces what modules hold, but no defaults."""
    return clock()


def _frozen(test: Test, session: TestSession) -> AbstractContextManager[None]:
    """Let services see the modelled time also before and after the run."""
    return session.clock.frozen() if test.get("services") else nullcontext()


def _observed(
    test: Test, session: TestSession, mocks: Sequence[Mock], services: AtWork | None
) -> ObservedExecution:
    template = test.machine
    settings = {name: test.get(name) for name in ("s3_root", "seed") if test.get(name) is not None}
    machine = session.machine(
        template.document.definition,
        test.get("handlers"),
        file=None if template.document.base else template.document.path,
        state_machine_name=template.name,
        type=template.type,
        state_machines=test.get("state_machines", {}),
        mock_validation=test.get("mock_validation"),
        services=services,
        **settings,
    )
    observed = machine.run(test.input, mocks=mocks, name=test.record.get("execution"))
    if (observed.error or "").startswith("Doorstep."):
        # No test can have meant this failure: a handler is missing, or a mock can't answer.
        raise InputError(f"{observed.error}: {observed.cause}")
    return observed


OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def counts(results: Iterable[Result]) -> dict[str, int]:
    """Count the tests that passed, failed, and could not be used."""
    numbers = Counter(result.outcome for result in results)
    return {outcome: numbers[outcome] for outcome in OUTCOMES}


def as_json(results: Sequence[Result], problems: Mapping[str, str]) -> dict[str, Any]:
    """Return {OUTCOME: how many, "tests": […], "problems": {file: why unreadable}}.

    A test: {"file", "line", "name", "outcome", "seconds" (real), "took" (modelled seconds),
    "unmet": [{"line", "what", "expected", "found"}], "problem", "remarks", "picture"}.
    """
    return {
        **counts(results),
        "tests": [_plain(result) for result in results],
        "problems": dict(problems),
    }


def junit(results: Sequence[Result], problems: Mapping[str, str]) -> str:
    """Return JUnit's XML: a testsuite for each file; `problems`: by file, why it is unreadable."""
    by_file: dict[str, list[ET.Element]] = {}
    for result in results:
        by_file.setdefault(result.test.file, []).append(_case(result))
    for file, problem in problems.items():
        case = ET.Element("testcase", classname=file, name="file", time="0")
        _add_problem(case, "error", problem)
        by_file.setdefault(file, []).append(case)
    suites = [_suite(file, cases) for file, cases in by_file.items()]
    whole = ET.Element("testsuites", _attributes([case for suite in suites for case in suite]))
    whole.extend(suites)
    ET.indent(whole)
    return ET.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _plain(result: Result) -> dict[str, Any]:
    observed = result.observed
    return {
        "file": result.test.file,
        "line": result.test.line,
        "name": result.test.name,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 3),
        "took": observed.took.total_seconds() if observed else None,
        "unmet": [
            {
                "line": unmet.place.position()[0],
                "what": unmet.what,
                "expected": None if unmet.expected is ABSENT else unmet.expected,
                "found": None if unmet.found is ABSENT else unmet.found,
            }
            for unmet in result.unmet
        ],
        "problem": result.problem or result.skipped or None,
        "remarks": list(result.remarks),
        "picture": observed.picture if observed else None,
    }


def _suite(file: str, cases: Sequence[ET.Element]) -> ET.Element:
    skipped = str(sum(1 for case in cases if case.find("skipped") is not None))
    suite = ET.Element("testsuite", {"name": file, **_attributes(cases), "skipped": skipped})
    suite.extend(cases)
    return suite


def _attributes(cases: Sequence[ET.Element]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(1 for case in cases if case.find("failure") is not None)),
        "errors": str(sum(1 for case in cases if case.find("error") is not None)),
        "time": f"{sum(float(case.attrib['time']) for case in cases):.3f}",
    }


def _case(result: Result) -> ET.Element:
    test = result.test
    case = ET.Element(
        "testcase", classname=test.file, name=_clean(test.name), time=f"{result.seconds:.3f}"
    )
    if result.skipped:
        ET.SubElement(case, "skipped", message=_clean(result.skipped))
    elif result.outcome != "passed":
        _add_problem(case, "failure" if result.outcome == "failed" else "error", result.message)
        if result.observed:
            ET.SubElement(case, "system-out").text = _clean(result.observed.picture)
    if result.remarks:
        ET.SubElement(case, "system-err").text = _clean("\n".join(result.remarks))
    return case


def _add_problem(case: ET.Element, tag: str, text: str) -> None:
    clean = _clean(text)
    element = ET.SubElement(case, tag, message=clean.partition("\n")[0], type=tag)
    element.text = clean


def _clean(text: str) -> str:
    """Return a text without the characters that XML can't hold."""
    return _NOT_IN_XML.sub("\ufffd", text)
