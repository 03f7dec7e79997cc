"""Findings that are known: a file that lets CI fail for new ones only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import Problem, json_text, note
from .runs import write

if TYPE_CHECKING:
    from doorstep import Exploration
    from doorstep.explorer.findings import Finding

_Known = tuple[str, str, tuple[str, ...]]
"""Machine, kind of finding, and the pointers of its places."""


def without_known(
    report: Exploration, file: Path, machine: str, *, update: bool, quiet: bool
) -> Exploration:
    """Return a report without the findings that a file lists for a machine.

    With `update`, and where there is no file, the machine's findings are written and none is left.
    Raises Problem for a file that is no baseline.
    """
    explored, known = _read(file) if file.exists() else ([], [])
    if update or not file.exists():
        others = [one for one in known if one["machine"] != machine]
        baseline = {
            "explored": sorted({*explored, machine}),
            "findings": [*others, *(_record(one, machine) for one in report.findings)],
        }
        write(file, [json_text(baseline, indent=2)], quiet=quiet)
        return replace(report, findings=[])
    of_machine = {_known(one) for one in known if one["machine"] == machine}
    new = [one for one in report.findings if _key(one, machine) not in of_machine]
    gone = of_machine - {_key(one, machine) for one in report.findings}
    if not quiet and machine not in explored:
        note(f"{file} does not have {machine}; add it with --update-baseline")
    elif not quiet:
        left_out = len(report.findings) - len(new)
        note(f"{file}: {left_out} known findings are left out, {len(gone)} no longer occur")
    return replace(report, findings=new)


def endless_loops(file: Path, machine: str) -> list[str] | None:
    """Return the places of the endless loops of a machine; None where it was not explored.

    Raises Problem for a file that is no baseline.
    """
    explored, known = _read(file)
    if machine not in explored:
        return None
    loops = (one for one in known if (one["machine"], one["finding"]) == (machine, "endless"))
    return [place for one in loops for place in one["places"]]


def _read(file: Path) -> tuple[list[str], list[Any]]:
    """Return the machines that were explored, and the findings.

    A list of findings alone, as earlier files are, has no machine without findings.
    """
    try:
        baseline = json.loads(file.read_text("utf-8"))
        known = list(baseline["findings"] if isinstance(baseline, dict) else baseline)
        for one in known:
            _known(one)
        explored = baseline["explored"] if isinstance(baseline, dict) else []
        return sorted({*map(str, explored), *(one["machine"] for one in known)}), known
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise Problem(
            f"{file} is no baseline ({problem}); delete it, and the next run writes it anew"
        ) from None


def _known(record: Any) -> _Known:
    return record["machine"], record["finding"], _places(record["places"])


def _key(finding: Finding, machine: str) -> _Known:
    return machine, finding.kind, _places(place.pointer for place in finding.places)


def _places(pointers: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(pointers))


def _record(finding: Finding, machine: str) -> dict[str, Any]:
    places = [place.pointer for place in finding.places]
    message = finding.message
    return {"machine": machine, "finding": finding.kind, "places": places, "message": message}
