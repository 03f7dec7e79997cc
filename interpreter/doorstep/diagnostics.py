"""One thing that AWS would say about a definition (ValidateStateMachineDefinition's shape)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .values.json_text import shortened

Severity = Literal["ERROR", "WARNING"]
_SHOWN = 2_000
"""Characters of a message: a name or an expression in it may be as long as the definition."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Code, message and JSON Pointer in AWS's words; `hint` is ours, never sent to AWS clients."""

    code: str
    message: str
    location: str | None = None
    severity: Severity = "ERROR"
    hint: str | None = None

    def __post_init__(self) -> None:
        """Repeat of a large value the beginning only."""
        object.__setattr__(self, "message", shortened(self.message, _SHOWN))

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
