"""Diagnostics as SARIF 2.1.0, which code scanning services and editors show at their place.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html: a `result` for each diagnostic,
whose `ruleId` is AWS's code; lines and columns count from 1, columns in characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..definitions import line_and_column

if TYPE_CHECKING:
    from doorstep import Diagnostic

    from .findings import Finding

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"ERROR": "error", "WARNING": "warning"}


def sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """The log of one run of `doorstep validate`."""
    rules: dict[str, int] = {}
    results = [
        _result(diagnostic, finding, rules)
        for finding in findings
        for diagnostic in finding.diagnostics
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


def _result(diagnostic: Diagnostic, finding: Finding, rules: dict[str, int]) -> dict[str, Any]:
    hint = f"\n{diagnostic.hint}" if finding.document and diagnostic.hint else ""
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": rules.setdefault(diagnostic.code, len(rules)),
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message + hint},
        "locations": [_location(diagnostic, finding)],
    }


def _location(diagnostic: Diagnostic, finding: Finding) -> dict[str, Any]:
    place = line_and_column(diagnostic, finding.document)
    region = dict(zip(("startLine", "startColumn"), place, strict=False))
    pointer = diagnostic.location if finding.document else None
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(finding.file)},
            **({"region": region} if region else {}),
        },
        **({"logicalLocations": [{"fullyQualifiedName": pointer}]} if pointer else {}),
    }


def _uri(file: str) -> str:
    """Relative, as services want it, where the file was named so."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
