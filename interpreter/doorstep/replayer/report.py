"""`doorstep.replay`: where a definition, its children and local handlers leave a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..api import Definition, StateMachines, Type, buckets_of, handlers_with
from ..engine import Event, Fact
from ..errors import InputError
from ..history import ExecutionView
from ..runtime import Handlers, Source, call_apart, comparable
from ..values.json_values import ABSENT, differences
from .child_histories import ChildHistories, ChildSource
from .children import Absence, ChildPlace, MatchedChild, children_of
from .comparison import Difference, Tolerate
from .follower import Follower
from .recording import History, Recording, read_recording
from .replayer import Replayer

if TYPE_CHECKING:
    from ..services import AtWork


@dataclass(frozen=True, slots=True)
class Replay(ExecutionView):
    """What came of a recording with a definition, and with handlers where they were given.

    It is seen as it happens now: `status`, `path`, `state(name)` and the other members of an
    execution, RUNNING where the recording ends before the execution does.
    """

    events: Sequence[Event] = field(repr=False)
    """What happens now."""
    definition: Mapping[str, Any] = field(repr=False)
    """The definition that it was replayed with."""
    recorded: int
    """How many events the recording has."""
    difference: Difference | None
    answers: list[HandlerAnswer] = field(default_factory=list)
    """The handlers' answers, call by call."""
    children: list[ChildReplay] = field(default_factory=list)
    """The executions that it started, where histories of children were given."""
    unused: list[str] = field(default_factory=list)
    """The sources of those histories that match no child."""

    @property
    def same(self) -> bool:
        """Whether all happens as recorded, and no handler's answer is different."""
        own = self.difference is None and not self.verdicts["different"]
        return own and all(child.same for child in self.children)

    @property
    def all(self) -> Iterator[Replay]:
        """The replay itself, then those of its children and of theirs."""
        yield self
        for child in self.children:
            if child.replay:
                yield from child.replay.all

    @property
    def verdicts(self) -> Counter[str]:
        """How many of the handlers' answers are the same, fixed, different and so on."""
        return Counter(answer.verdict for answer in self.answers)

    def as_json(self) -> dict[str, Any]:
        """Return {"same", "status", "events", "difference", "answers"?, "children"?, "unused"?}."""
        members: dict[str, Any] = {
            "same": self.same,
            "status": self.status,
            "events": self.recorded,
            "difference": self.difference.as_json() if self.difference else None,
        }
        if self.answers:
            members["answers"] = [answer.as_json() for answer in self.answers]
        if self.children:
            members["children"] = [child.as_json() for child in self.children]
        return members | ({"unused": self.unused} if self.unused else {})


@dataclass(frozen=True, slots=True)
class ChildReplay:
    """An execution that the recorded one started.

    | verdict | |
    |---|---|
    | same, differs | the result of its replay |
    | missing | an item of a map run whose child has no history, though others have |
    | unmatched | a child of that map run that matches none of its items |
    | not given | it has no history: it was not replayed |
    | no definition | `state_machines` does not have what it ran: it was not replayed |
    | no items | the items of this map run are in a bucket: children were replayed, in the order of
      their starts, but their inputs were not compared |
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
        return self.verdict not in ("differs", "missing", "unmatched")

    def as_json(self) -> dict[str, Any]:
        """Return {"place", "name", "verdict"}, then the members of the replay."""
        # The JSON keeps the word that programs know.
        verdict = "surplus" if self.verdict == "unmatched" else self.verdict
        members = {"place": self.place, "name": self.name, "verdict": verdict}
        return members | (self.replay.as_json() if self.replay else {})


def replay(
    history: History,
    definition: Definition,
    *,
    handlers: Source | None = None,
    children: ChildSource | None = None,
    state_machines: StateMachines | None = None,
    s3_root: Path | str | None = None,
    services: AtWork | None = None,
    arn: str | None = None,
    type: Type | None = None,
    times: bool = True,
    tolerate: Callable[[Any, Any], bool] | None = None,
    resource_names: bool = False,
) -> Replay:
    """Follow a recorded history with a definition, and report the first difference.

    `history`: GetExecutionHistory's answer or its events, as values, as text, or as a file's path.
    Answers, failures, timeouts, callbacks, times and random values are the recording's.

    | option | |
    |---|---|
    | handlers | called with what the tasks were called with; their answers are compared, not used |
    | children | histories of the executions that it started: a folder, or by ARN |
    | state_machines | what `states:startExecution` found by name, as in `doorstep.start` |
    | s3_root | the folder with the S3 buckets that distributed Maps read their items from |
    | services | at work: asked like handlers, and their S3 has the items of distributed Maps |
    | arn | the recorded execution's ARN, whose names are not in a history |
    | type | EXPRESS or STANDARD; by default that of the ARN, else STANDARD |
    | times | whether waits and time limits must be as long as they were |
    | tolerate | called with (recorded, now) for values that differ; True: they count as equal |
    | resource_names | accept names in place of ARNs as Resource |

    Raises InputError for what is no history or has its data left out, and DefinitionError.
    """
    replayer = Replayer(
        definition, type=type, times=times, tolerate=tolerate, resource_names=resource_names
    )
    recording = read_recording(history, arn)
    local = handlers_with(services, handlers) if handlers is not None or services else None
    histories = None
    if children is not None:
        buckets = buckets_of(services, s3_root)
        histories = replayer.child_histories(children, state_machines, buckets)
    return replay_recording(replayer, recording, local, histories)


def replay_recording(
    replayer: Replayer,
    recording: Recording,
    handlers: Handlers | None = None,
    histories: ChildHistories | None = None,
) -> Replay:
    """Do the same as `replay` with what was read and compiled before."""
    replayed = _replay(replayer, recording, handlers, histories)
    unused: list[str] = []
    # Where an execution differs, the places of further children were not reached.
    if histories and all(one.difference is None for one in replayed.all):
        unused = [child.source for child in histories.unmatched]
    return replace(replayed, unused=unused)


def _replay(
    replayer: Replayer,
    recording: Recording,
    handlers: Handlers | None,
    histories: ChildHistories | None,
) -> Replay:
    follower = replayer.follow(recording, histories=histories)
    places = list(children_of(replayer, follower, histories)) if histories else []
    return Replay(
        events=follower.engine.history,
        definition=replayer.definition,
        recorded=len(recording.events),
        difference=follower.difference,
        answers=list(_answers(follower, handlers, replayer.tolerate)) if handlers else [],
        children=[_child(place, handlers, histories) for place in places],
    )


def _child(
    place: ChildPlace, handlers: Handlers | None, histories: ChildHistories | None
) -> ChildReplay:
    child = place.child
    if not isinstance(child, MatchedChild):
        return ChildReplay(place.where, place.name, child)
    try:
        replayed = _replay(child.replayer, child.recording, handlers, histories)
    except InputError as problem:
        raise InputError(f"{place.where}, {place.name}: {problem}") from None
    if histories:
        histories.replayed += 1
    # Another input is the cause of all that follows from it.
    difference = child.difference or replayed.difference or child.other_end
    replayed = replace(replayed, difference=difference)
    verdict: Literal["same", "differs"] = "same" if replayed.same else "differs"
    return ChildReplay(place.where, place.name, verdict, replayed)


# Handlers -----------------------------------------------------------------------------------------

Verdict = Literal["same", "fixed", "different", "no handler", "no answer"]


@dataclass(frozen=True, slots=True)
class HandlerAnswer:
    """One call: AWS's recorded answer, and what the handler answers now.

    | verdict | |
    |---|---|
    | same | the same output, or a failure with the same error and message |
    | fixed | it failed or timed out then, and succeeds now |
    | different | anything else |
    | no handler | no handler answers it here |
    | no answer | the handler leaves the answer to a callback, which the recording has |
    """

    state: str
    attempt: int
    verdict: Verdict
    recorded: Any
    """{"output": …} or {"error": …, "cause": …}."""
    now: Any
    at: str | None = None
    """The first difference: `output.total`."""

    def as_json(self) -> dict[str, Any]:
        """Return {"state", "attempt", "verdict", "recorded", "now", "at"}."""
        return {
            "state": self.state,
            "attempt": self.attempt,
            # The JSON keeps the word that programs know.
            "verdict": "mended" if self.verdict == "fixed" else self.verdict,
            "recorded": self.recorded,
            "now": self.now,
            "at": self.at,
        }


def _answers(follower: Follower, handlers: Handlers, tolerate: Tolerate) -> Iterator[HandlerAnswer]:
    """Yield what handlers answer to all calls whose recorded answer came."""
    identity = follower.engine.identity
    for invoke, fact, _ in follower.answers:
        if fact.kind not in ("succeeded", "failed", "due"):
            continue
        recorded = {"output": fact.data} if fact.kind == "succeeded" else _failure(fact)
        make = partial(HandlerAnswer, invoke.state, invoke.attempt)
        if handlers.find(invoke) is None:
            yield make("no handler", recorded, None)
            continue
        answer = call_apart(handlers, invoke, identity)
        if answer.failed:
            now = {"error": answer.error, "cause": answer.cause}
        elif answer.output is ABSENT:
            yield make("no answer", recorded, None)
            continue
        else:
            now = {"output": answer.output}
        yield make(*_verdict(recorded, now, tolerate))


def _verdict(
    recorded: dict[str, Any], now: dict[str, Any], tolerate: Tolerate
) -> tuple[Verdict, Any, Any, str | None]:
    if "output" in now and "output" not in recorded:
        return "fixed", recorded, now, None
    for one in differences("", comparable(recorded), comparable(now)):
        if not tolerate(one.first, one.second):
            return "different", recorded, now, one.at
    return "same", recorded, now, None


def _failure(fact: Fact) -> dict[str, Any]:
    if fact.kind == "due":
        return {"error": "States.Timeout"}
    return {name: fact.data[name] for name in ("error", "cause") if name in fact.data}
