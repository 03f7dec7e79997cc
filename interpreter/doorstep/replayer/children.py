"""The children of a recorded execution: where each stands, its history, its program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..engine.messages import TERMINAL, Event, Fact, Invoke
from ..history.recorded import Entry
from ..runtime.step_functions import input_text, starts_execution
from ..values.json_values import ABSENT, JsonDifference, differences, dumps, loads, value_of
from .comparing import unlike
from .difference import Difference, Explaining, shown
from .family import Child, Family, last_of
from .follower import Follower
from .handing import HandedOut, start_event
from .learned import UUID
from .recording import Recording
from .replayer import Replayer

Absence = Literal["missing", "surplus", "not given", "no definition", "no items"]


@dataclass(frozen=True, slots=True)
class Start:
    """A history that stands for a child, with the program that the child ran."""

    recording: Recording
    replayer: Replayer
    begins: Event | None = None
    """Its first event now, where that is another one than the recorded one: in `other_input`."""
    other_input: JsonDifference | None = None
    got: Mapping[str, Any] | None = None
    """What the task that waited for it was told of its end: {"Status": …, "Output": …, …}."""

    @property
    def difference(self) -> Difference | None:
        """In what it is started with."""
        if self.begins is None or self.other_input is None:
            return None
        first = self.recording.events[0]
        return self._explaining.other_details(first, self.begins, self.other_input)

    @property
    def other_end(self) -> Difference | None:
        """Where the task got something else than the child ended with."""
        last = self.recording.events[-1]
        if self.got is None or last.type not in TERMINAL:
            return None
        ended = _ended(last)
        got = {name: self.got.get(name, ABSENT) for name in ended}
        for found in differences("", ended, got):
            gave, has = shown(found.first), shown(found.second)
            told = f"its parent's task has another {found.at}: {has}, not {gave}"
            return self._explaining.other_end(last, told)
        return None

    @property
    def _explaining(self) -> Explaining:
        return Explaining(self.recording, self.replayer.machine)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child stands, or should: `Each[3]`, the name of its execution, and what it is."""

    where: str
    name: str | None
    start: Start | Absence


def places(replayer: Replayer, follower: Follower, family: Family) -> Iterator[Place]:
    """The children of an execution; those that were found are taken from the family."""
    for handed in follower.map_runs.values():
        yield from of_map_run(replayer, follower, handed, family)
    yield from _of_tasks(follower, family)


# Map runs ----------------------------------------------------------------------------------------


def of_map_run(
    replayer: Replayer, follower: Follower, handed: HandedOut, family: Family
) -> Iterator[Place]:
    """The children of one map run, in the order of their indexes."""
    family.take(*handed.taken)
    where = _where(follower, handed.started)
    if not handed.taken:
        if handed.batches != []:
            yield Place(where, None, "not given")
        return
    if handed.batches is None:
        yield Place(where, None, "no items")
    inner = replayer.of_child(handed.run)
    for index, child in enumerate(handed.children[: _begun(follower, handed)]):
        at = where if handed.batches is None else f"{where}[{index}]"
        if child is None:
            yield Place(at, None, "missing")
        else:
            yield Place(at, child.name, _handed_to(child, inner, handed, index))
    for child in handed.surplus:
        yield Place(where, child.name, "surplus")


def _begun(follower: Follower, handed: HandedOut) -> int:
    """How many children there were: a run that did not succeed leaves items without any."""
    ends = follower.recording.ends_of(handed.started)
    if any(end.type == "MapRunSucceeded" for end in ends):
        return len(handed.children)
    known = [index for index, child in enumerate(handed.children) if child]
    return known[-1] + 1 if known else 0


def _handed_to(child: Child, replayer: Replayer, handed: HandedOut, index: int) -> Start:
    recording, other = _of_run(child, handed), handed.unlike.get(index)
    if other is None or handed.batches is None:
        return Start(recording, replayer)
    text = dumps(handed.batches[index].input)
    return Start(recording, replayer, start_event(recording.events[0], text), other)


def _of_run(child: Child, handed: HandedOut) -> Recording:
    """The recording with the names that its place tells."""
    recording = child.recording
    arn = recording.arn
    if arn is None and re.fullmatch(UUID, child.name) and handed.run.execution_type == "STANDARD":
        machine = handed.arn.replace(":mapRun:", ":execution:").rpartition(":")[0]
        arn = f"{machine}:{child.name}"
    return Recording(recording.events, arn, handed.arn)


def _where(follower: Follower, entry: Entry) -> str:
    visit = follower.recording.visit(entry.id)
    return visit.place if visit else ""


# Executions that tasks started -------------------------------------------------------------------


def _of_tasks(follower: Follower, family: Family) -> Iterator[Place]:
    calls: dict[str, list[tuple[Invoke, Fact, Entry]]] = {}
    for answer in follower.answers:
        if starts_execution(answer[0]):
            calls.setdefault(answer[0].key, []).append(answer)
    for (invoke, response, entry), *later in calls.values():
        arn = response.data.get("ExecutionArn") if isinstance(response.data, dict) else None
        if isinstance(arn, str):
            got = _got(invoke, later[-1][1]) if later else None
            start = _started(follower, family, invoke, arn, got)
            yield Place(_where(follower, entry), last_of(arn)[1], start)


def _started(
    follower: Follower, family: Family, invoke: Invoke, arn: str, got: Mapping[str, Any] | None
) -> Start | Absence:
    child = family.find(arn)
    if child is None:
        return "not given"
    family.take(child)
    replayer = family.machines.get(last_of(arn)[0])
    if replayer is None:
        return "no definition"
    recording = Recording(child.recording.events, arn)
    first = recording.events[0]
    begins = start_event(first, input_text(invoke))
    return Start(recording, replayer, begins, unlike(first, begins, follower.rules.same), got)


def _got(invoke: Invoke, fact: Fact) -> Mapping[str, Any] | None:
    """The child as the task was told of it; None for one that did not wait until its end."""
    if not invoke.integration.pattern.startswith("sync") or fact.kind == "due":
        return None
    told = value_of(fact.data.get("cause")) if fact.kind == "failed" else fact.data
    if not isinstance(told, dict):
        return None
    text = invoke.integration.pattern == "sync" and "Output" in told
    return told | ({"Output": value_of(told["Output"])} if text else {})


def _ended(last: Entry) -> dict[str, Any]:
    """How a child ended, with DescribeExecution's members."""
    why = {name.capitalize(): text for name, text in last.why.items()}
    output = {"Output": loads(last.text("output"))} if "output" in last.details else {}
    return {"Status": TERMINAL[last.type]} | output | why
