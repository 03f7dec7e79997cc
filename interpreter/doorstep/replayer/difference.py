"""The first place where a replay leaves its recording: what, where, and the likely reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..engine.messages import Event
from ..errors import shortened
from ..history.aws_json import as_aws
from ..history.recorded import Entry
from ..model.definition import State, Workflow
from ..values.json_values import ABSENT, JsonDifference, dumps
from .recording import Recording

Reason = Literal["definition", "unclear"]
ADVICE: Mapping[Reason, str] = {
    "definition": "the definition is not the one that ran then",
    "unclear": "the definition was changed since then, and this is what the change does; if it is "
    "the one that ran, AWS behaves differently: please report it with the history",
}
_OF_THE_DEFINITION = ("resource", "resourceType", "timeoutInSeconds", "heartbeatInSeconds")
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """What the recording has, and what happens now; either may be None."""

    place: str
    """The state with what is around it: `Map[3] > Charge`; empty for the execution itself."""
    state: str | None
    recorded: Entry | None
    ours: Event | None
    told: str
    """What differs, in one line."""
    reason: Reason
    at: str | None = None
    """Where in the event's details: `output.total`; None when the events are different ones."""

    @property
    def advice(self) -> str:
        """The likely reason in words."""
        return ADVICE[self.reason]

    def __str__(self) -> str:
        where = f" in {self.place}" if self.place else ""
        number = f"event {self.recorded.id}" if self.recorded else "the end of the recording"
        return f"{number}{where}: {self.told}; {self.advice}"

    def as_json(self) -> dict[str, Any]:
        """For programs; the events as GetExecutionHistory has them."""
        return {
            "state": self.state,
            "place": self.place,
            "at": self.at,
            "recorded": as_aws(self.recorded) if self.recorded else None,
            "now": as_aws(self.ours) if self.ours else None,
            "told": self.told,
            "reason": self.reason,
            "advice": self.advice,
        }


class Explaining:
    """Makes differences of a recording and a definition."""

    def __init__(self, recording: Recording, machine: Workflow) -> None:
        self.recording = recording
        self.states: dict[str, State] = {state.name: state for state in machine.scope.walk()}

    def other_event(self, recorded: Entry | None, ours: Event | None, before: int) -> Difference:
        """Another event than the recorded one, which has the id `before` for predecessor."""
        there = f"the recording has {_named(recorded)}" if recorded else "the recording ends"
        here = f"now it is {_named(ours)}" if ours else "now nothing happens"
        return self._difference(recorded, ours, f"{there}, {here}", before)

    def other_details(self, recorded: Entry, ours: Event, found: JsonDifference) -> Difference:
        """An event that says something else."""
        there, here = shown(found.first), shown(found.second)
        told = f"{recorded.type} has another {found.at}: recorded {there}, now {here}"
        return self._difference(recorded, ours, told, recorded.id, found.at)

    def other_end(self, recorded: Entry, told: str) -> Difference:
        """It ends so, but what it is made of says otherwise."""
        return self._difference(recorded, None, told, recorded.id)

    def other_time(self, recorded: Entry, told: str) -> Difference:
        """It happens, but at another time."""
        return self._difference(recorded, None, told, recorded.previous, "timestamp")

    def _difference(
        self,
        recorded: Entry | None,
        ours: Event | None,
        told: str,
        near: int,
        at: str | None = None,
    ) -> Difference:
        visit = self.recording.visit(recorded.id if recorded else near)
        visit = visit or self.recording.visit(near)
        return Difference(
            place=visit.place if visit else "",
            state=visit.name if visit else None,
            recorded=recorded,
            ours=ours,
            told=told,
            reason=self._reason(recorded, at),
            at=at,
        )

    def _reason(self, recorded: Entry | None, at: str | None) -> Reason:
        if at in _OF_THE_DEFINITION:
            return "definition"
        if recorded and recorded.type.endswith("StateEntered"):
            state = self.states.get(recorded.name or "")
            if state is None or not recorded.type.startswith(state.type):
                return "definition"
        return "unclear"


def _named(event: Entry | Event) -> str:
    name = (event.details or {}).get("name")
    return f"{event.type} of '{name}'" if name else event.type


def shown(value: Any) -> str:
    """A value in a line of text."""
    return "nothing" if value is ABSENT else shortened(dumps(value), _SHOWN)
