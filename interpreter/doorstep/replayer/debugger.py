"""`doorstep.moments`: a recorded execution, event by event, for those who look for a mistake.

The history alone has input, output, what tasks were asked, and the assigned variables. With the
definition it is replayed, which adds the context object and the data between the fields of a
state; both end where the replay leaves the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, overload

from ..api import Definition, Type
from ..asl.context import Env
from ..asl.data_flow import stages
from ..engine import Engine, Event, Fiber
from ..errors import StateFailed
from ..history import Ending, Entry, ExecutionView, Visit, Visits, as_aws, ending, visits_of
from ..model import State
from ..values.json_values import ABSENT, JsonDifference, differences, value_of
from .comparison import Difference
from .recording import History, Recording, read_recording
from .replayer import RecordedRandom, RepeatedRandom, Replayer

_ANSWERED = ("LambdaFunctionSucceeded", "ActivitySucceeded", "TaskSucceeded")
_JOINED = ("ParallelStateSucceeded", "MapStateSucceeded")


@dataclass(frozen=True, slots=True)
class Moment:
    """An event, and the data there was when it happened; ABSENT: there is no such data."""

    event: Entry
    after: float
    """Seconds since the execution started."""
    place: str
    """The state with what is around it, `Map[3] > Charge`; empty for the execution itself."""
    state: str | None
    input: Any = ABSENT
    """The input of the state, or of the execution."""
    asked: Any = ABSENT
    """What the task was called with in this attempt."""
    output: Any = ABSENT
    """The event's own: a task's result, a state's or the execution's output."""
    error: str | None = None
    cause: str | None = None
    variables: dict[str, Any] | None = None
    """Those in scope, with the values that the event assigns."""
    context: dict[str, Any] | None = None
    """The context object; None without a definition."""
    stages: dict[str, Any] | None = None
    """The data between the state's fields, as far as it is known at this event, under the names of
    TestState's inspectionData: afterInputPath, afterParameters, result, …
    """

    def as_json(self) -> dict[str, Any]:
        """Return {"event", "startedAfterSeconds", "state", "place", "input", "asked", "output", …}.

        And "error", "cause", "variables", "context" and "stages". The event is as
        GetExecutionHistory has it; missing data is left out; state is null for the execution
        itself.
        """
        members = {
            "event": as_aws(self.event),
            "startedAfterSeconds": round(self.after, 3),
            "state": self.state,
            "place": self.place,
        }
        return members | self.data()

    def data(self) -> dict[str, Any]:
        """Return the data by name; what is missing is left out."""
        values = {"input": self.input, "asked": self.asked, "output": self.output}
        others = {
            "error": self.error,
            "cause": self.cause,
            "variables": self.variables,
            "context": self.context,
            "stages": self.stages,
        }
        data = {name: value for name, value in values.items() if value is not ABSENT}
        return data | {name: value for name, value in others.items() if value is not None}

    def changes(self, before: Moment) -> list[JsonDifference]:
        """Return where the data differs from another moment's; ABSENT: there is none."""
        return list(differences("", before.data(), self.data()))


class Moments(ExecutionView, Sequence[Moment]):
    """The moments of a recorded execution in the order of its events.

    The execution itself is seen as any other: `status`, `path`, `state(name)`, `took` …
    """

    def __init__(self, recording: Recording, replayer: Replayer | None = None) -> None:
        self.recording = recording
        self._definition = replayer.definition if replayer else None
        self._replay = replayer.follow(recording, watch=Snapshots) if replayer else None
        watch = self._replay.engine.watch if self._replay else None
        self._snapshots = watch if isinstance(watch, Snapshots) else Snapshots()
        states = replayer.machine.scope.walk() if replayer else ()
        self._states = {state.name: state for state in states}
        self._line_visits = visits_of(self) if replayer else recording.visits

    @property
    def difference(self) -> Difference | None:
        """Where the definition leads elsewhere; from there on only the history has data."""
        return self._replay.difference if self._replay else None

    @property
    def events(self) -> list[Entry]:
        """The recorded events."""
        return self.recording.events

    @property
    def definition(self) -> Mapping[str, Any] | None:
        """The definition that it is replayed with; None without one."""
        return self._definition

    @property
    def visits(self) -> Visits:
        """The visits of states; with a definition those after a redrive are known as well."""
        return self._line_visits

    @property
    def ending(self) -> Ending | None:
        """What ended the execution; None when it succeeded, or still ran."""
        return ending(self.visits)

    @property
    def failures(self) -> list[int]:
        """The indexes of the events of failures."""
        return [index for index, entry in enumerate(self.recording.events) if _failed(entry)]

    @property
    def first_failure(self) -> int | None:
        """The index of what ended the execution; else of the first failure that no retry made good.

        None when all went well.
        """
        if (end := self.ending) and end.status != "ABORTED":
            return end.first.id - 1
        for index in self.failures:
            visit = self.of(self.recording.events[index])
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

    def of(self, entry: Entry) -> Visit | None:
        """Return the visit that an event is about: an execution fails where its last state was."""
        visit = self.visits.of.get(entry.id)
        if visit is None and _failed(entry):
            visit = self.visits.failed_visit(entry) or self._unfinished(entry)
        return visit

    def _unfinished(self, entry: Entry) -> Visit | None:
        """Return the last state that was entered before and not left."""
        before = [one for one in self.visits.all if one.entered.id < entry.id]
        return next((one for one in reversed(before) if not one.over), None)

    def _resumed(self) -> Mapping[int, int] | None:
        """Return what the replay knows of the events after a redrive: whose visit each is of."""
        if self._replay is None:
            return None
        pairing = self._replay.pairing
        return {
            recorded: pairing.of[snapshot.env.entered]
            for recorded, ours in pairing.ours.items()
            if (snapshot := self._snapshots.of.get(ours)) and snapshot.env.entered in pairing.of
        }

    def _moment(self, entry: Entry) -> Moment:
        visit = self.of(entry)
        failure = self._failure(entry)
        # The end of an execution is no event of the visit: the visit's last data stands for it.
        until = [one for one in visit.events if one.id <= entry.id] if visit else [entry]
        snapshot = self._snapshot(until[-1])
        inputs = visit.entered if visit else entry
        attempt = _attempt(visit, entry)
        unsure = bool(visit and visit.alternatives and entry.id >= visit.unsure_from)
        return Moment(
            event=entry,
            after=entry.at - self.recording.events[0].at,
            place=visit.place_at(entry) if visit else "",
            state=visit.name if visit else None,
            input=ABSENT
            if visit and unsure and _several_inputs(visit)
            else _value(inputs, "input"),
            asked=_asked(attempt),
            output=_value(entry, "output"),
            error=failure.get("error"),
            cause=failure.get("cause"),
            variables=snapshot.variables if snapshot else self._variables(entry, visit, unsure),
            context=snapshot.context if snapshot else None,
            stages=self._stages(entry, visit, attempt),
        )

    def _failure(self, entry: Entry) -> Mapping[str, Any]:
        """Return what has error and cause: for a Fail state the event that follows."""
        if entry.type == "FailStateEntered":
            following = self.recording.following.get(entry.id, ())
            return next((one.details for one in following if "error" in one.details), {})
        return entry.details

    def _variables(self, entry: Entry, visit: Visit | None, unsure: bool) -> dict[str, Any] | None:
        if visit is None or unsure:
            return None if unsure else {}
        known = self.visits.variables[visit.entered.id]
        return {**known, **visit.assigned} if entry is visit.exited else known

    # What the replay adds ----------------------------------------------------------------------

    def _snapshot(self, entry: Entry) -> Snapshot | None:
        parted = self.difference.recorded if self.difference else None
        if self._replay is None or (parted and entry.id >= parted.id):
            return None
        return self._snapshots.of.get(self._replay.pairing.ours.get(entry.id, 0))

    def _stages(
        self, entry: Entry, visit: Visit | None, attempt: Entry | None
    ) -> dict[str, Any] | None:
        if self._replay is None or visit is None:
            return None
        begun = attempt or visit.entered
        snapshot = self._snapshot(begun)
        if snapshot is None:
            return None
        state, engine = self._states[visit.name], self._replay.engine
        result = self._result(entry, visit, attempt, snapshot)
        # Time is part of what expressions see; the engine has no other use for it any more.
        engine.now = begun.at
        return _stages(state, snapshot, engine, _asked(attempt), result)

    def _result(self, entry: Entry, visit: Visit, attempt: Entry | None, snapshot: Snapshot) -> Any:
        """Return the result of this attempt, once there is one."""
        since = attempt.id if attempt else 0
        for event in visit.events:
            if since < event.id <= entry.id:
                if event.type in _ANSWERED:
                    return _value(event, "output")
                if event.type.endswith("StateSucceeded"):
                    return self._snapshots.joined.get(snapshot.env, ABSENT)
        return ABSENT


def moments(
    history: History,
    definition: Definition | None = None,
    *,
    arn: str | None = None,
    type: Type | None = None,
    resource_names: bool = False,
) -> Moments:
    """Return a recorded execution, event by event: `moments(history)[8]` is that of event 9.

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
    """Return the event with which the attempt began that an event belongs to."""
    begun = [one for one in visit.attempts if one.id <= entry.id] if visit else []
    return begun[-1] if begun else None


def _asked(attempt: Entry | None) -> Any:
    if attempt is None:
        return ABSENT
    return _value(attempt, "parameters" if "parameters" in attempt.details else "input")


def _several_inputs(visit: Visit | None) -> bool:
    """Return whether a visit may be one of several that had different inputs."""
    if visit is None or visit.entered.id >= visit.unsure_from:
        return False
    return any(one.input != visit.input for one in visit.alternatives)


def _value(entry: Entry, name: str) -> Any:
    """Return a JSON text's value; a text that was cut off as it is."""
    return value_of(entry.details[name]) if name in entry.details else ABSENT


# What a replay adds -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The variables and the context object at an event, and the environment of its visit."""

    variables: dict[str, Any]
    context: dict[str, Any]
    env: Env
    drawn: int
    """How many random numbers the visit had drawn."""


class Snapshots:
    """Called with every event (see `Engine.watch`), it takes a snapshot of each."""

    def __init__(self) -> None:
        self.of: dict[int, Snapshot] = {}
        """By event id."""
        self.joined: dict[Env, Any] = {}
        """The results of the branches of a Parallel, or of an inline Map's iterations."""

    def __call__(self, fiber: Fiber, event: Event) -> None:
        """Store a snapshot; variables and context objects are replaced, never altered."""
        env = fiber.env
        if env is None:
            return
        self.of[event.id] = Snapshot(fiber.variables, env.context(), env, len(_drawn(env)))
        if event.type in _JOINED and fiber.group:
            self.joined[env] = [fiber.group.outputs[i] for i in range(fiber.group.count)]


def _stages(
    state: State, snapshot: Snapshot, engine: Engine, asked: Any, result: Any
) -> dict[str, Any]:
    """Evaluate the stages of a visit once more; from one that fails on they are left out.

    `snapshot`: when the state was entered, or its work began; `asked`: what it began with.

    Facts 322, 323 and 326.
    """
    values: dict[str, Any] = {}
    with suppress(StateFailed):
        values.update(stages(state, _PastEnv(snapshot, engine), result, asked=asked))
    return values


def _drawn(env: Env) -> list[Any]:
    return env._random.drawn if isinstance(env._random, RecordedRandom) else []


class _PastEnv(Env):
    """What a visit saw at a snapshot; it draws the same random numbers."""

    def __init__(self, snapshot: Snapshot, engine: Engine) -> None:
        fiber = Fiber(engine, None, "", 0)
        fiber.variables = snapshot.variables
        env = snapshot.env
        super().__init__(fiber, env.state, env.works, env.raw)
        self._seen = snapshot.context
        self._random = RepeatedRandom(_drawn(env)[snapshot.drawn :])

    def context(self) -> dict[str, Any]:
        """Return the context object as it was."""
        return self._seen
