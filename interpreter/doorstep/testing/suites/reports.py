"""Results written down: JSON, and JUnit's XML as CI services read it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from ...values.json_values import ABSENT
from .running import Outcome, Result

OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error")
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many tests passed, failed, and could not be used."""
    found = Counter(result.outcome for result in results)
    return {outcome: found[outcome] for outcome in OUTCOMES}


def as_json(results: Sequence[Result], problems: Mapping[str, str]) -> dict[str, Any]:
    """{"passed", "failed", "error", "tests": […], "problems": {file: why it can't be read}}.

    A test: {"file", "line", "name", "outcome", "seconds" (real), "took" (modelled seconds),
    "unmet": [{"line", "what", "expected", "found"}], "problem", "remarks", "picture"}.
    """
    return {
        **counts(results),
        "tests": [_plain(result) for result in results],
        "problems": dict(problems),
    }


def junit(results: Sequence[Result], problems: Mapping[str, str]) -> str:
    """JUnit's XML: a testsuite for each file; `problems`: by file, why it could not be read."""
    by_file: dict[str, list[ET.Element]] = {}
    for result in results:
        by_file.setdefault(result.test.file, []).append(_case(result))
    for file, problem in problems.items():
        case = ET.Element("testcase", classname=file, name="file", time="0")
        _told(case, "error", problem)
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
        "problem": result.problem or None,
        "remarks": list(result.remarks),
        "picture": observed.picture if observed else None,
    }


def _suite(file: str, cases: Sequence[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": file, **_attributes(cases), "skipped": "0"})
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
    if result.outcome != "passed":
        _told(case, "failure" if result.outcome == "failed" else "error", result.told)
        if result.observed:
            ET.SubElement(case, "system-out").text = _clean(result.observed.picture)
    if result.remarks:
        ET.SubElement(case, "system-err").text = _clean("\n".join(result.remarks))
    return case


def _told(case: ET.Element, tag: str, text: str) -> None:
    clean = _clean(text)
    told = ET.SubElement(case, tag, message=clean.partition("\n")[0], type=tag)
    told.text = clean


def _clean(text: str) -> str:
    """Without the characters that XML can't hold."""
    return _NOT_IN_XML.sub("\ufffd", text)
