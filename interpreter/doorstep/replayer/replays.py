"""`doorstep.replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ..api import Definition, StateMachines, Type
from ..errors import InputError
from ..history.aws_json import as_aws
from ..runtime.handlers import Handlers, Source
from .answering import Answered
from .children import Absence, Place, Start, places
from .difference import Difference
from .family import Children, Family
from .recording import History, Recording, read_recording
from .replayer import Replayer


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

    children: list[ChildReplay] = field(default_factory=list)
    """Of the executions that it started, where histories of children were given."""
    unused: list[str] = field(default_factory=list)
    """Which of those histories are of no child."""

    @property
    def same(self) -> bool:
        """Whether all happens as recorded, and no handler answers otherwise than then."""
        own = self.difference is None and not self.verdicts["different"]
        return own and all(child.same for child in self.children)

    @property
    def all(self) -> Iterator[Replay]:
        """This one, then those of its children and of theirs."""
        yield self
        for child in self.children:
            if child.replay:
                yield from child.replay.all

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
        if self.answers:
            shown["answers"] = [answer.as_json() for answer in self.answers]
        if self.children:
            shown["children"] = [child.as_json() for child in self.children]
        return shown | ({"unused": self.unused} if self.unused else {})


@dataclass(frozen=True, slots=True)
class ChildReplay:
    """An execution that the recorded one started.

    | verdict | |
    |---|---|
    | same, differs | what its replay came to |
    | missing | an item of a map run whose child's history is not there, though others are |
    | surplus | a child of that map run which got none of its items |
    | not given | there is no history of it: it was not replayed |
    | no definition | `state_machines` has not what it ran: it was not replayed |
    | no items | a bucket holds the items of this map run: children were replayed, in the order of
      their starts, but what they got was not compared |
    """

    place: str
    """The state that started it, `Start`, with its index in a map run: `Each[3]`."""
    name: str | None
    """The execution's name, as far as it is known."""
    verdict: Literal["same", "differs"] | Absence
    replay: Replay | None = None

    @property
    def same(self) -> bool:
        """Whether nothing differs, as far as it could be compared."""
        return self.verdict not in ("differs", "missing", "surplus")

    def as_json(self) -> dict[str, Any]:
        """For programs: the replay's members, with these before them."""
        shown = {"place": self.place, "name": self.name, "verdict": self.verdict}
        return shown | (self.replay.as_json() if self.replay else {})


def replay(
    history: History,
    definition: Definition,
    *,
    handlers: Source | None = None,
    children: Children | None = None,
    state_machines: StateMachines | None = None,
    s3_root: Path | str | None = None,
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
    | children | histories of the executions that it started: a folder, or by ARN |
    | state_machines | what those ran that its tasks started, by name, as in `doorstep.start` |
    | s3_root | the folder with the S3 buckets: items that distributed Maps read from there |
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
    recording = read_recording(history, arn)
    asked = None if handlers is None else Handlers(handlers)
    family = None if children is None else replayer.family(children, state_machines, s3_root)
    return replay_recording(replayer, recording, asked, family)


def replay_recording(
    replayer: Replayer,
    recording: Recording,
    handlers: Handlers | None = None,
    family: Family | None = None,
) -> Replay:
    """`replay` with what was read and compiled before."""
    replayed = _replayed(replayer, recording, handlers, family)
    # Where an execution went another way, the places of other children were not reached.
    reached = family is not None and all(one.difference is None for one in replayed.all)
    unused = [child.source for child in family.left] if family and reached else []
    return replace(replayed, unused=unused)


def _replayed(
    replayer: Replayer, recording: Recording, handlers: Handlers | None, family: Family | None
) -> Replay:
    follower = replayer.follow(recording, family=family)
    found = list(places(replayer, follower, family)) if family else []
    return Replay(
        status=follower.engine.status,
        events=len(recording.events),
        difference=follower.difference,
        answers=replayer.ask(follower, handlers) if handlers else [],
        history=[as_aws(event) for event in follower.engine.history],
        children=[_child(place, handlers, family) for place in found],
    )


def _child(place: Place, handlers: Handlers | None, family: Family | None) -> ChildReplay:
    start = place.start
    if not isinstance(start, Start):
        return ChildReplay(place.where, place.name, start)
    try:
        replayed = _replayed(start.replayer, start.recording, handlers, family)
    except InputError as problem:
        raise InputError(f"{place.where}, {place.name}: {problem}") from None
    if family:
        family.replayed += 1
    # What it is started with is the cause of all that follows from it.
    found = start.difference or replayed.difference or start.other_end
    replayed = replace(replayed, difference=found)
    verdict: Literal["same", "differs"] = "same" if replayed.same else "differs"
    return ChildReplay(place.where, place.name, verdict, replayed)
