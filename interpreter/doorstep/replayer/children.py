"""The children of a recorded execution: where each belongs, its history, its program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..engine import TERMINAL, Event, Fact, Invoke
from ..history import Entry
from ..runtime import input_text, starts_execution
from ..values.json_values import ABSENT, JsonDifference, differences, dumps, loads, value_of
from .child_histories import ChildHistories, ChildHistory, last_of
from .comparison import Difference, DifferenceReporter, as_line, first_difference
from .follower import Follower
from .matching import MapRunMatch, start_event
from .recording import Recording
from .replayer import UUID, Replayer

Absence = Literal["missing", "unmatched", "not given", "no definition", "no items"]


@dataclass(frozen=True, slots=True)
class MatchedChild:
    """A child's history, and the program that the child ran."""

    recording: Recording
    replayer: Replayer
    started: Event | None = None
    """Its first event now."""
    other_input: JsonDifference | None = None
    """Where the input in `started` differs from the recorded one."""
    end: Mapping[str, Any] | None = None
    """Its end as the task that waited for it has it: {"Status": …, "Output": …, …}."""

    @property
    def difference(self) -> Difference | None:
        """Where it is started with another input."""
        if self.started is None or self.other_input is None:
            return None
        first = self.recording.events[0]
        return self._report.other_details(first, self.started, self.other_input)

    @property
    def other_end(self) -> Difference | None:
        """Where the task that waited for it has another end than the child's history."""
        last = self.recording.events[-1]
        if self.end is None or last.type not in TERMINAL:
            return None
        ended = _ended(last)
        end = {name: self.end.get(name, ABSENT) for name in ended}
        for one in differences("", ended, end):
            own, parents = as_line(one.first), as_line(one.second)
            message = f"its parent's task has a different {one.at}: {parents}, not {own}"
            return self._report.other_end(last, message)
        return None

    @property
    def _report(self) -> DifferenceReporter:
        return DifferenceReporter(self.recording, self.replayer.machine)


@dataclass(frozen=True, slots=True)
class ChildPlace:
    """Where a child belongs: `Each[3]`, the name of its execution, and its history."""

    where: str
    name: str | None
    child: MatchedChild | Absence


def children_of(
    replayer: Replayer, follower: Follower, histories: ChildHistories
) -> Iterator[ChildPlace]:
    """Yield the children of an execution, and remove their histories from the unmatched ones."""
    for match in follower.map_runs.values():
        yield from map_run_children(replayer, follower, match, histories)
    yield from _task_children(follower, histories)


# Map runs ----------------------------------------------------------------------------------------


def map_run_children(
    replayer: Replayer, follower: Follower, match: MapRunMatch, histories: ChildHistories
) -> Iterator[ChildPlace]:
    """Yield the children of one map run, in the order of their indexes."""
    histories.remove(*match.histories)
    where = _where(follower, match.started)
    if not match.histories:
        if match.batches != []:
            yield ChildPlace(where, None, "not given")
        return
    if match.batches is None:
        yield ChildPlace(where, None, "no items")
    inner = replayer.of_child(match.run)
    for index, child in enumerate(match.children[: _started(follower, match)]):
        at = where if match.batches is None else f"{where}[{index}]"
        if child is None:
            yield ChildPlace(at, None, "not given" if histories.partial else "missing")
        else:
            yield ChildPlace(at, child.name, _matched(child, inner, match, index))
    for child in match.unmatched:
        yield ChildPlace(where, child.name, "unmatched")


def _started(follower: Follower, match: MapRunMatch) -> int:
    """Return how many children were started: a run that fails leaves items without any."""
    ends = follower.recording.ends_of(match.started)
    if any(end.type == "MapRunSucceeded" for end in ends):
        return len(match.children)
    known = [index for index, child in enumerate(match.children) if child]
    return known[-1] + 1 if known else 0


def _matched(
    child: ChildHistory, replayer: Replayer, match: MapRunMatch, index: int
) -> MatchedChild:
    recording, other = _with_names(child, match), match.differences.get(index)
    if other is None or match.batches is None:
        return MatchedChild(recording, replayer)
    text = dumps(match.batches[index].input)
    return MatchedChild(recording, replayer, start_event(recording.events[0], text), other)


def _with_names(child: ChildHistory, match: MapRunMatch) -> Recording:
    """Return the recording with the ARNs that follow from its place."""
    recording = child.recording
    arn = recording.arn
    if arn is None and re.fullmatch(UUID, child.name) and match.run.execution_type == "STANDARD":
        machine = match.arn.replace(":mapRun:", ":execution:").rpartition(":")[0]
        arn = f"{machine}:{child.name}"
    return Recording(recording.events, arn, match.arn)


def _where(follower: Follower, entry: Entry) -> str:
    visit = follower.recording.visit(entry.id)
    return visit.place if visit else ""


# Executions that tasks started -------------------------------------------------------------------


def _task_children(follower: Follower, histories: ChildHistories) -> Iterator[ChildPlace]:
    calls: dict[str, list[tuple[Invoke, Fact, Entry]]] = {}
    for answer in follower.answers:
        if starts_execution(answer[0]):
            calls.setdefault(answer[0].key, []).append(answer)
    for (invoke, response, entry), *later in calls.values():
        arn = response.data.get("ExecutionArn") if isinstance(response.data, dict) else None
        if isinstance(arn, str):
            end = _end(invoke, later[-1][1]) if later else None
            child = _task_child(follower, histories, invoke, arn, end)
            yield ChildPlace(_where(follower, entry), last_of(arn)[1], child)


def _task_child(
    follower: Follower,
    histories: ChildHistories,
    invoke: Invoke,
    arn: str,
    end: Mapping[str, Any] | None,
) -> MatchedChild | Absence:
    child = histories.find(arn)
    if child is None:
        return "not given"
    histories.remove(child)
    replayer = histories.machines.get(last_of(arn)[0])
    if replayer is None:
        return "no definition"
    recording = Recording(child.recording.events, arn)
    first = recording.events[0]
    started = start_event(first, input_text(invoke))
    other_input = first_difference(first, started, follower.rules.same)
    return MatchedChild(recording, replayer, started, other_input, end)


def _end(invoke: Invoke, fact: Fact) -> Mapping[str, Any] | None:
    """Return a child's end as the task has it; None for a task that did not wait for it.

    Facts 115 and 135: `.sync:2` has values where `.sync` has texts; a child that failed is a
    States.TaskFailed.
    """
    if not invoke.integration.pattern.startswith("sync") or fact.kind == "due":
        return None
    end = value_of(fact.data.get("cause")) if fact.kind == "failed" else fact.data
    if not isinstance(end, dict):
        return None
    # `.sync` has the child's output as a text, `.sync:2` as a value.
    text = invoke.integration.pattern == "sync" and "Output" in end
    return end | ({"Output": value_of(end["Output"])} if text else {})


def _ended(last: Entry) -> dict[str, Any]:
    """Return how a child ended, with DescribeExecution's members (fact 115)."""
    why = {name.capitalize(): text for name, text in last.why.items()}
    output = {"Output": loads(last.text("output"))} if "output" in last.details else {}
    return {"Status": TERMINAL[last.type]} | output | why
