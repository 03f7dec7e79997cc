"""One thing that AWS would say about a definition (ValidateStateMachineDefinition's shape)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["ERROR", "WARNING"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Code, message and JSON Pointer in AWS's words; `hint` is ours, never sent to AWS clients."""

    code: str
    message: str
    location: str | None = None
    severity: Severity = "ERROR"
    hint: str | None = None

    def as_aws(self) -> dict[str, Any]:
        """The member of `diagnostics` in ValidateStateMachineDefinition's answer."""
        shown: dict[str, Any] = {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
        }
        if self.location is not None:
            shown["location"] = self.location
        return shown

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.code}: {self.message}{where}"
