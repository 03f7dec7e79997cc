"""An event of a recorded execution, with what there was to see when it happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..history.aws_json import as_aws
from ..history.recorded import Entry
from ..values.json_values import ABSENT, JsonDifference, differences


@dataclass(frozen=True, slots=True)
class Moment:
    """An event, and what there was to see when it happened; ABSENT is what nothing stands for."""

    event: Entry
    after: float
    """Seconds since the execution started."""
    place: str
    """The state with what is around it, `Map[3] > Charge`; empty for the execution itself."""
    state: str | None
    input: Any = ABSENT
    """The state's, or the execution's."""
    asked: Any = ABSENT
    """What the task was asked in this attempt."""
    output: Any = ABSENT
    """The event's own: a task's result, a state's or the execution's output."""
    error: str | None = None
    cause: str | None = None
    variables: dict[str, Any] | None = None
    """In scope, those that the event assigns included."""
    context: dict[str, Any] | None = None
    """The context object; None without a definition."""
    stages: dict[str, Any] | None = None
    """The data between the state's fields, as far as it is known at this event, under the names of
    TestState's inspectionData: afterInputPath, afterParameters, result, …"""

    def as_json(self) -> dict[str, Any]:
        """For programs: {"event": as GetExecutionHistory has it, "startedAfterSeconds", "state",
        "place", "input", "asked", "output", "error", "cause", "variables", "context", "stages"}.

        What there is not is left out; state is null for the execution itself.
        """
        shown = {
            "event": as_aws(self.event),
            "startedAfterSeconds": round(self.after, 3),
            "state": self.state,
            "place": self.place,
        }
        return shown | self.data()

    def data(self) -> dict[str, Any]:
        """What there was to see, by name; what there is not is left out."""
        told = {"input": self.input, "asked": self.asked, "output": self.output}
        more = {
            "error": self.error,
            "cause": self.cause,
            "variables": self.variables,
            "context": self.context,
            "stages": self.stages,
        }
        shown = {name: value for name, value in told.items() if value is not ABSENT}
        return shown | {name: value for name, value in more.items() if value is not None}

    def changes(self, before: Moment) -> list[JsonDifference]:
        """Where the data differs from another moment's; ABSENT: nothing stands there."""
        return list(differences("", before.data(), self.data()))
