"""The diagnostics of definitions: as text, as JSON, as SARIF 2.1.0."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from doorstep import Diagnostic
from doorstep.definitions import Document

from ..definitions import (
    DefinitionFile,
    describe_all,
    hint_of,
    line_and_column,
    machines_in,
    placeholders_left,
    read,
)
from ..output import echo, json_text, style


@dataclass(frozen=True, slots=True)
class DefinitionReport:
    """The diagnostics of one definition."""

    file: str
    machine: str | None
    document: Document | None
    diagnostics: Sequence[Diagnostic]
    left_as_text: Sequence[Diagnostic] = ()
    """Placeholders without a value where a text may stand, which are printed in one line."""
    unusable: bool = False
    """Whether there is no definition to check."""

    @classmethod
    def of_unusable(cls, path: Path, machine: str | None, message: str) -> DefinitionReport:
        """Return the report of a machine whose definition can't be had; `message` says why."""
        from doorstep import DoorstepError
        from doorstep.definitions import load

        document = None
        with contextlib.suppress(DoorstepError):
            if machine:
                document = replace(load(path), base=f"/Resources/{machine}")
        reason = Diagnostic("UNUSABLE_DEFINITION", message)
        return cls(str(path), machine, document, [reason], unusable=True)

    @property
    def refused(self) -> bool:
        """Whether AWS would not create this state machine."""
        return any(one.severity == "ERROR" for one in self.diagnostics)

    def as_json(self) -> dict[str, Any]:
        """Return ValidateStateMachineDefinition's response with the file, and lines and columns."""
        return {
            "file": self.file,
            **({"machine": self.machine} if self.machine else {}),
            "result": "FAIL" if self.refused else "OK",
            "diagnostics": [self._located(one) for one in self.diagnostics],
        }

    def _located(self, diagnostic: Diagnostic) -> dict[str, Any]:
        members = diagnostic.as_aws()
        members |= zip(("line", "column"), line_and_column(diagnostic, self.document), strict=False)
        return members | ({"hint": hint} if (hint := hint_of(diagnostic)) else {})

    def __str__(self) -> str:
        name = f"{self.file} ({self.machine})" if self.machine else self.file
        described = describe_all(self.diagnostics, self.file, self.document)
        verdict = ("refused", "red") if self.refused else ("accepted", "green")
        if self.unusable:
            verdict = ("can't be used", "red")
        remarks = [placeholders_left(self.left_as_text, self.file, self.document)]
        lines = [*described, *filter(None, remarks), f"{name}: {style(verdict[0], fg=verdict[1])}"]
        return "\n".join(lines)


def reports_of(
    path: Path,
    parameters: Mapping[str, str],
    resource: str | None,
    report: Callable[[DefinitionFile, str | None], DefinitionReport],
) -> Iterator[DefinitionReport]:
    """Yield the report on each state machine of a file, whatever is wrong with the others.

    `resource` chooses one of a template; `report` makes the one of a definition that can be read,
    given the machine's name in the template, and may raise DefinitionError or InputError.
    """
    from doorstep import DefinitionError, InputError

    names: Sequence[str | None]
    try:
        names = [resource] if resource else machines_in(path, parameters) or [None]
    except DefinitionError as refused:
        yield DefinitionReport(str(path), None, None, refused.diagnostics)
        return
    except InputError as problem:
        yield DefinitionReport.of_unusable(path, None, str(problem))
        return
    for name in names:
        try:
            yield report(read(path, parameters, name), name)
        except DefinitionError as refused:
            yield DefinitionReport(str(refused.path or path), name, None, refused.diagnostics)
        except InputError as problem:
            yield DefinitionReport.of_unusable(path, name, str(problem))


def without_repeated(reports: Sequence[DefinitionReport]) -> list[DefinitionReport]:
    """Return reports without those of definitions by themselves that a template's machine has.

    A folder has both: the template, which names the file as a DefinitionUri and says the type and
    the values, and the file.
    """
    of_machines = {Path(one.file).resolve() for one in reports if one.machine}
    return [one for one in reports if one.machine or Path(one.file).resolve() not in of_machines]


_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def show(
    reports: Sequence[DefinitionReport], output_format: str, text: Callable[[DefinitionReport], str]
) -> None:
    """Print reports as json, as sarif, or each as `text` says; what can't be used on stderr."""
    match output_format:
        case "json":
            echo(json_text([one.as_json() for one in reports], indent=2))
        case "sarif":
            echo(json_text(sarif(reports), indent=2))
        case _:
            for report in reports:
                echo(text(report), err=report.unusable)


_LEVELS = {"ERROR": "error", "WARNING": "warning"}


def sarif(reports: Iterable[DefinitionReport]) -> dict[str, Any]:
    """Return one run of `doorstep validate` as a SARIF log.

    Each diagnostic is a `result` whose `ruleId` is AWS's code. Lines and columns count from 1,
    columns in characters. Source:
    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    rules: dict[str, int] = {}
    results = [
        _result(diagnostic, report, rules)
        for report in reports
        for diagnostic in report.diagnostics
    ]
    driver = {
        "name": "Doorstep",
        "semanticVersion": version("doorstep"),
        "rules": [{"id": code} for code in rules],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        ],
    }


def _result(
    diagnostic: Diagnostic, report: DefinitionReport, rules: dict[str, int]
) -> dict[str, Any]:
    hint = f"\n{hint}" if (hint := hint_of(diagnostic)) else ""
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rules.setdefault(diagnostic.code, len(rules)),
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message + hint},
        "locations": [_location(diagnostic, report)],
    }


def _location(diagnostic: Diagnostic, report: DefinitionReport) -> dict[str, Any]:
    position = line_and_column(diagnostic, report.document)
    region = dict(zip(("startLine", "startColumn"), position, strict=False))
    pointer = diagnostic.location if report.document else None
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(report.file)},
            **({"region": region} if region else {}),
        },
        **({"logicalLocations": [{"fullyQualifiedName": pointer}]} if pointer else {}),
    }


def _uri(file: str) -> str:
    """Return a relative URI for a relative path, as code scanning services expect it."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
