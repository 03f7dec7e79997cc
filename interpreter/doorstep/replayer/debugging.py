"""`doorstep.moments`: a recorded execution, event by event, for those who look for a mistake.

The history alone tells input, output, what tasks were asked, and the assigned variables. With the
definition it is replayed (see `follower`), which adds the context object and the data between the
fields of a state; both end where the replay leaves the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from ..api import Definition, Type
from ..engine.messages import TERMINAL
from ..history.recorded import Entry
from ..history.state_visits import Visit, Visits
from ..values.json_values import ABSENT, value_of
from .difference import Difference
from .moment import Moment
from .recording import History, Recording, read_recording
from .replayer import Replayer
from .watching import Sight, Watch

_ANSWERED = ("LambdaFunctionSucceeded", "ActivitySucceeded", "TaskSucceeded")


class Moments(Sequence[Moment]):
    """The moments of an execution in the order of its events; each is made when it is asked for."""

    def __init__(self, recording: Recording, replayer: Replayer | None = None) -> None:
        self.recording = recording
        self._watch = Watch()
        self._replay = replayer.watch(recording, self._watch) if replayer else None
        states = replayer.machine.scope.walk() if replayer else ()
        self._states = {state.name: state for state in states}

    @property
    def difference(self) -> Difference | None:
        """Where the definition leads elsewhere; of what comes then the history tells alone."""
        return self._replay.difference if self._replay else None

    @property
    def status(self) -> str:
        """The execution's at the end of the recording, RUNNING if it was not over."""
        return TERMINAL.get(self.recording.events[-1].type, "RUNNING")

    @property
    def failures(self) -> list[int]:
        """The indexes of the events that tell of a failure."""
        return [index for index, entry in enumerate(self.recording.events) if _failed(entry)]

    @property
    def blamed(self) -> int | None:
        """The index of the first failure that no retry made good; None when all went well."""
        for index in self.failures:
            visit = self._of(self.recording.events[index])
            if visit is None or visit.outcome != "succeeded":
                return index
        return None

    def __len__(self) -> int:
        return len(self.recording.events)

    def __iter__(self) -> Iterator[Moment]:
        return map(self._moment, self.recording.events)

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Moment]: ...
    def __getitem__(self, index: int | slice) -> Moment | list[Moment]:
        if isinstance(index, slice):
            return [self._moment(entry) for entry in self.recording.events[index]]
        return self._moment(self.recording.events[index])

    # One moment --------------------------------------------------------------------------------

    @cached_property
    def _visits(self) -> Visits:
        return Visits(self.recording.events)

    @cached_property
    def _visit_of(self) -> dict[int, Visit]:
        return {event.id: one for one in self._visits.all for event in one.events}

    def _of(self, entry: Entry) -> Visit | None:
        """The visit that an event is about; the end of an execution is about where it ended."""
        found = self._visit_of.get(entry.id)
        if found is None and _failed(entry):
            found = self._visit_of.get(entry.previous) or self._unfinished(entry)
        return found

    def _unfinished(self, entry: Entry) -> Visit | None:
        """The last state that was entered before and was not over by then."""
        before = [one for one in self._visits.all if one.entered.id < entry.id]
        return next((one for one in reversed(before) if not one.over), None)

    def _moment(self, entry: Entry) -> Moment:
        visit = self._of(entry)
        told = self._told(entry)
        # The end of an execution is no event of the visit: what could be seen last is shown.
        near = [one for one in visit.events if one.id <= entry.id] if visit else [entry]
        sight = self._sight(near[-1])
        inputs = visit.events[0] if visit else entry
        attempt = _attempt(visit, entry)
        return Moment(
            event=entry,
            after=entry.at - self.recording.events[0].at,
            place=visit.place if visit else "",
            state=visit.name if visit else None,
            input=_value(inputs, "input"),
            asked=_asked(attempt),
            output=_value(entry, "output"),
            error=told.get("error"),
            cause=told.get("cause"),
            variables=sight.variables if sight else self._variables(entry, visit),
            context=sight.context if sight else None,
            stages=self._stages(entry, visit, attempt),
        )

    def _told(self, entry: Entry) -> dict[str, Any]:
        """Where error and cause stand: of a Fail state they are in the event that follows it."""
        following = self.recording.following.get(entry.id, ())
        if entry.type == "FailStateEntered":
            return next((one.details for one in following if "error" in one.details), {})
        return entry.details

    def _variables(self, entry: Entry, visit: Visit | None) -> dict[str, Any]:
        if visit is None:
            return {}
        known = self._visits.variables[visit.entered.id]
        return {**known, **visit.assigned} if entry is visit.exited else known

    # What the replay tells ---------------------------------------------------------------------

    def _sight(self, entry: Entry) -> Sight | None:
        parted = self.difference.recorded if self.difference else None
        if self._replay is None or (parted and entry.id >= parted.id):
            return None
        return self._watch.sights.get(self._replay.pairing.ours.get(entry.id, 0))

    def _stages(
        self, entry: Entry, visit: Visit | None, attempt: Entry | None
    ) -> dict[str, Any] | None:
        begun = attempt or (visit.events[0] if visit else entry)
        sight = self._sight(begun)
        if self._replay is None or visit is None or sight is None:
            return None
        state, engine = self._states[visit.name], self._replay.engine
        result = self._result(entry, visit, attempt, sight)
        # Time is part of what expressions see; the engine has no other use for it any more.
        engine.now = begun.at
        return self._watch.flow(state, sight, engine, _asked(attempt), result)

    def _result(self, entry: Entry, visit: Visit, attempt: Entry | None, sight: Sight) -> Any:
        """What the work of this attempt gave, once it has."""
        since = attempt.id if attempt else 0
        for event in visit.events:
            if since < event.id <= entry.id:
                if event.type in _ANSWERED:
                    return _value(event, "output")
                if event.type.endswith("StateSucceeded"):
                    return self._watch.joined.get(sight.env, ABSENT)
        return ABSENT


def moments(
    history: History,
    definition: Definition | None = None,
    *,
    arn: str | None = None,
    type: Type | None = None,
    resource_names: bool = False,
) -> Moments:
    """A recorded execution, event by event: `moments(history)[8]` is that of event 9.

    `history` and the options are those of `doorstep.replay`; waits may be longer or shorter than
    they were. Raises InputError for what is no history, and DefinitionError.
    """
    recording = read_recording(history, arn)
    if definition is None:
        return Moments(recording)
    replayer = Replayer(definition, type=type, times=False, resource_names=resource_names)
    return Moments(recording, replayer)


def _failed(entry: Entry) -> bool:
    return entry.failed or entry.type == "FailStateEntered"


def _attempt(visit: Visit | None, entry: Entry) -> Entry | None:
    """The event with which the work began that an event belongs to."""
    begun = [one for one in visit.attempts if one.id <= entry.id] if visit else []
    return begun[-1] if begun else None


def _asked(attempt: Entry | None) -> Any:
    if attempt is None:
        return ABSENT
    return _value(attempt, "parameters" if "parameters" in attempt.details else "input")


def _value(entry: Entry, name: str) -> Any:
    """A JSON text's value; a text that was cut as it is."""
    return value_of(entry.details[name]) if name in entry.details else ABSENT
