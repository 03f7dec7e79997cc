"""The children of a recorded execution: where each stands, its history, its program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..answers import ABSENT
from ..commands import Invoke
from ..drivers.services import input_text, starts_execution
from ..events import TERMINAL, Fact
from ..jsontext import loads
from ..recorded import Entry
from ..unlike import Unlike, differences, value_of
from .comparing import unlike
from .difference import Difference, Explaining, shown
from .family import Child, Family, last_of
from .follower import Follower
from .handing import HandedOut, start_event
from .recording import Recording
from .replayer import Replayer

Absence = Literal["missing", "surplus", "not given", "no definition", "no items"]
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The name of an execution that a map run starts."""


@dataclass(frozen=True, slots=True)
class Start:
    """A history that stands for a child, with the program that the child ran."""

    recording: Recording
    replayer: Replayer
    other_input: Unlike | None
    """Where it is started with something else now."""
    got: Mapping[str, Any] | None = None
    """What the task that waited for it was told of its end: {"Status": …, "Output": …, …}."""

    @property
    def difference(self) -> Difference | None:
        """In what it is started with."""
        if self.other_input is None:
            return None
        first = self.recording.events[0]
        return self._explaining.other_details(first, start_event("{}"), self.other_input)

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
            recording = _of_run(child, handed)
            yield Place(at, child.name, Start(recording, inner, handed.unlike.get(index)))
    for child in handed.surplus:
        yield Place(where, child.name, "surplus")


def _begun(follower: Follower, handed: HandedOut) -> int:
    """How many children there were: a run that did not succeed leaves items without any."""
    visit = follower.recording.visit(handed.started.id)
    if visit and visit.outcome == "succeeded":
        return len(handed.children)
    known = [index for index, child in enumerate(handed.children) if child]
    return known[-1] + 1 if known else 0


def _of_run(child: Child, handed: HandedOut) -> Recording:
    """The recording with the names that its place tells."""
    recording = child.recording
    arn = recording.arn
    if arn is None and _UUID.fullmatch(child.name) and handed.run.execution_type == "STANDARD":
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
    other = unlike(recording.events[0], start_event(input_text(invoke)), follower.rules.same)
    return Start(recording, replayer, other, got)


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
