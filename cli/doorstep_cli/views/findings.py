"""What was found in the definitions of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doorstep import Diagnostic
from doorstep.definitions import Document

from ..definitions import all_described, line_and_column
from ..output import style


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in one definition."""

    file: str
    machine: str | None
    document: Document | None
    diagnostics: Sequence[Diagnostic]

    @property
    def refused(self) -> bool:
        """Whether AWS would not create this state machine."""
        return any(one.severity == "ERROR" for one in self.diagnostics)

    def as_json(self) -> dict[str, Any]:
        """ValidateStateMachineDefinition's answer, with the file and the places in it."""
        return {
            "file": self.file,
            **({"machine": self.machine} if self.machine else {}),
            "result": "FAIL" if self.refused else "OK",
            "diagnostics": [self._placed(one) for one in self.diagnostics],
        }

    def _placed(self, diagnostic: Diagnostic) -> dict[str, Any]:
        shown = diagnostic.as_aws()
        shown |= zip(("line", "column"), line_and_column(diagnostic, self.document), strict=False)
        # Without a document the hint is the excerpt of a text that could not be parsed.
        return shown | ({"hint": diagnostic.hint} if self.document and diagnostic.hint else {})

    def __str__(self) -> str:
        name = f"{self.file} ({self.machine})" if self.machine else self.file
        told = all_described(self.diagnostics, self.file, self.document)
        verdict = ("refused", "red") if self.refused else ("accepted", "green")
        return "\n".join([*told, f"{name}: {style(verdict[0], fg=verdict[1])}"])
