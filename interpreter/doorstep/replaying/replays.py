"""`doorstep.replay` and `doorstep.resume`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..compile import compile_machine
from ..definition import machine
from ..drivers import Driver, Execution, VirtualClock
from ..drivers.driver import OnEvent
from ..drivers.restoring import go_on
from ..engine import Engine, Program
from ..errors import InputError, ReplayError
from ..events import Event
from ..fibers import Fiber
from ..handlers import Handlers, Source
from ..history import as_aws
from ..journal import Header, Journal
from ..parse import load
from ..quotas import quotas_of
from ..rules import check
from ..running import Definition, Type, as_machine
from .answering import Answered, Asking
from .comparing import Tolerate
from .difference import Difference
from .follower import Follower, Rules
from .learned import Learned, RecordedIdentity, identity_of
from .recording import History, Recording, read_recording


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a recording with a definition, and with handlers when they were given."""

    status: str
    """Of the execution as far as it came: RUNNING where the recording ends before its end."""
    events: int
    """How many the recording has."""
    difference: Difference | None
    answers: list[Answered] = field(default_factory=list)
    """Of the handlers, call by call."""
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What happens now, as GetExecutionHistory returns it."""

    @property
    def same(self) -> bool:
        """Whether all happens as recorded, and no handler answers otherwise than then."""
        return self.difference is None and not self.verdicts["different"]

    @property
    def verdicts(self) -> Counter[str]:
        """How many answers of the handlers are the same, mended, different, …"""
        return Counter(answer.verdict for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        shown: dict[str, Any] = {
            "same": self.same,
            "status": self.status,
            "events": self.events,
            "difference": self.difference.as_json() if self.difference else None,
        }
        return shown | ({"answers": [a.as_json() for a in self.answers]} if self.answers else {})


class Replayer:
    """A definition, compiled, and how recordings are compared with it."""

    def __init__(
        self,
        definition: Definition,
        *,
        type: Type | None = None,
        times: bool = True,
        tolerate: Tolerate | None = None,
        resource_names: bool = False,
    ) -> None:
        self.definition = load(definition).definition
        self.type = type
        check(self.definition, type=type or "STANDARD", resource_names=resource_names)
        self.machine = machine(self.definition)
        self.program: Program = compile_machine(self.machine)
        self.times = times
        self.tolerate: Tolerate = tolerate or (lambda *_: False)

    def follow(self, recording: Recording, before: int | None = None) -> Follower:
        """The last of the passes that it takes to learn the recording's names and random values."""
        learned = Learned()
        while True:
            learned.begin()
            follower = self._pass(recording, learned, before)
            follower.follow()
            if not learned.fresh:
                return follower

    def ask(self, recording: Recording, follower: Follower, handlers: Handlers) -> list[Answered]:
        """The answers of handlers to all that was asked in a pass, which is made once more."""
        identity = follower.engine.identity
        assert isinstance(identity, RecordedIdentity)
        asking = Asking(handlers, identity, self.tolerate)
        again = self._pass(recording, identity.learned, None)
        again.on_answer = asking
        again.follow()
        return asking.answers

    def watch(self, recording: Recording, watch: Callable[[Fiber, Event], None]) -> Follower:
        """The last pass once more, with somebody who is told of its events."""
        identity = self.follow(recording).engine.identity
        assert isinstance(identity, RecordedIdentity)
        again = self._pass(recording, identity.learned, None)
        again.engine.watch = watch
        again.follow()
        return again

    def _pass(self, recording: Recording, learned: Learned, before: int | None) -> Follower:
        express = ":express:" in (recording.arn or "")
        of_type = self.type or ("EXPRESS" if express else "STANDARD")
        identity = identity_of(recording, learned, of_type)
        quotas = quotas_of(of_type)
        engine = Engine(self.program, identity, quotas)
        journal = Journal(Header(self.definition, identity, quotas))

        def same(recorded: Any, ours: Any) -> bool:
            return learned.take(recorded, ours) or self.tolerate(recorded, ours)

        rules = Rules(same, self.times, before)
        return Follower(recording, self.machine, engine, journal, rules)


def replay(
    history: History,
    definition: Definition,
    *,
    handlers: Source | None = None,
    arn: str | None = None,
    type: Type | None = None,
    times: bool = True,
    tolerate: Callable[[Any, Any], bool] | None = None,
    resource_names: bool = False,
) -> Replay:
    """Follow a recorded history with a definition, and say where they part.

    `history`: GetExecutionHistory's answer or its events, as values, as text, or as a file's path.
    Answers, failures, timeouts, callbacks, times and random values are the recording's.

    | option | |
    |---|---|
    | handlers | are asked what the tasks were asked; their answers are compared, not used |
    | arn | of the recorded execution: its names, which a history does not tell |
    | type | EXPRESS or STANDARD; by default what the ARN says, else STANDARD |
    | times | whether waits and time limits must be as long as they were |
    | tolerate | called with (recorded, now) for values that differ; True: they are the same |
    | resource_names | take names in place of ARNs as Resource |

    Raises InputError for what is no history or lacks its data, and DefinitionError.
    """
    replayer = Replayer(
        definition, type=type, times=times, tolerate=tolerate, resource_names=resource_names
    )
    return replay_recording(
        replayer, read_recording(history, arn), None if handlers is None else Handlers(handlers)
    )


def replay_recording(
    replayer: Replayer, recording: Recording, handlers: Handlers | None = None
) -> Replay:
    """`replay` with what was read and compiled before."""
    follower = replayer.follow(recording)
    engine = follower.engine
    return Replay(
        status=engine.status,
        events=len(recording.events),
        difference=follower.difference,
        answers=replayer.ask(recording, follower, handlers) if handlers else [],
        history=[as_aws(event) for event in engine.history],
    )


def resume(
    history: History, definition: Definition, handlers: Source | None = None, **options: Any
) -> Execution:
    """Go on from where a recorded execution failed: its past from the history, the rest from here.

    A failed, timed out or stopped execution is redriven: what succeeded is not done again. The
    other options are those of `begin_again`, with which one can go back further. Raises InputError
    where there is nothing to go on with, and ReplayError where the definition does not lead there.
    """
    driver, execution = begin_again(history, definition, handlers, **options)
    driver.run(execution)
    return execution


def begin_again(
    history: History,
    definition: Definition,
    handlers: Source | None = None,
    *,
    state: str | None = None,
    at: int | None = None,
    arn: str | None = None,
    type: Type | None = None,
    times: bool = True,
    machines: Mapping[str, Definition | tuple[Definition, Type]] | None = None,
    bucket: Path | str | None = None,
    on_event: OnEvent | None = None,
) -> tuple[Driver, Execution]:
    """An execution that stands where it goes on; `driver.run(execution)` lets it do so.

    | option | |
    |---|---|
    | state | do the last visit of this state again, whether it failed or not |
    | at | do all from this event on again |
    | arn, type, times | as in `replay` |
    | machines, bucket, on_event | as in `doorstep.start` |

    The clock is virtual and goes on from the recording's last event. An execution that was still
    running just goes on; callbacks and jobs that were begun before are waited for.
    """
    recording = read_recording(history, arn)
    replayer = Replayer(definition, type=type, times=times)
    limit = _limit(recording, state, at)
    if limit is None and recording.events[-1].type == "ExecutionSucceeded":
        raise InputError("the execution succeeded: name a state or an event to go on from")
    driver_handlers = Handlers(handlers)
    follower = replayer.follow(recording, limit)
    if follower.difference:
        raise ReplayError(f"the history can't be gone on with: {follower.difference}")
    clock = VirtualClock(follower.engine.now)
    execution = Execution(
        replayer.program,
        follower.journal.header,
        clock,
        engine=follower.engine,
        journal=follower.journal,
    )
    driver = Driver(
        clock,
        driver_handlers,
        machines={name: as_machine(name, given) for name, given in (machines or {}).items()},
        bucket=None if bucket is None else Path(bucket),
        on_event=on_event,
    )
    if execution.ended:
        driver.redrive(execution)
    else:
        go_on(driver, execution)
    return driver, execution


def _limit(recording: Recording, state: str | None, at: int | None) -> int | None:
    """The first event that is not taken from the recording."""
    if state is None:
        if at is not None and not 1 < at <= len(recording.events):
            raise InputError(f"the history has the events 1 to {len(recording.events)}, not {at}")
        return at
    visits = [visit for visit in recording.visits.all if visit.name == state]
    if not visits:
        raise InputError(f"the history does not enter the state {state!r}")
    return visits[-1].entered.id + 1
