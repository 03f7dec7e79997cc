"""Compare an answer with AWS's recording, and grade it.

| grade | |
|---|---|
| exact | every event in the recorded order, every field, id and previousEventId |
| causal | the same events with the same predecessors, interleaved differently |
| outcome | the same result; something before it differs |
| fail | anything else, a crash included |

Two texts are equal if the JSON values in them are. In a recording `<…>` stands for one segment of
an ARN or a path (for more if its name says so: a token, a time, a URL), 111111111111 for any
account, a wildcard for any value; an event without a timestamp may happen at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

from doorstep.errors import InputError
from doorstep.values.json_values import ABSENT

from .cases import Case
from .values import Difference, differences, same, unfolded

Grade = Literal["exact", "causal", "outcome", "fail"]
HistoryEvent = dict[str, Any]

_PARALLEL_ENDS = tuple(
    f"ParallelState{how}" for how in ("Succeeded", "Aborted", "Exited", "Failed")
)
SYNC_MEMBERS = ("status", "output", "error", "cause")
"""What is compared of StartSyncExecution's answer."""
_OUTCOME_MEMBERS = ("status", "output", "error", "result")
_MASK = {"id": [0], "previousEventId": 0}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grade and, unless it is exact, the first difference."""

    grade: Grade
    why: str = ""

    @property
    def as_recorded(self) -> bool:
        """Whether the answer counts as correct: exact or causal."""
        return self.grade in ("exact", "causal")


def judge(case: Case, answer: Mapping[str, Any] | None) -> Verdict:
    """Compare an answer with the case's recording. Raises InputError if the case has none."""
    if case.recorded is None:
        raise InputError(f"The case {case.id} has no recorded answer to compare with.")
    if answer is None:
        return Verdict("fail", "no answer")
    if "crash" in answer:
        return Verdict("fail", f"crash: {answer['crash']}")
    if case.kind == "history" and not answer.get("events"):
        return Verdict("fail", "no events")
    first = next(differing(case, answer), None)
    return Verdict("exact") if first is None else Verdict(_grade(case, answer), str(first))


def differing(case: Case, answer: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield where an answer is not as recorded.

    A history: event by event, until one has another type; what follows has no counterpart. Raises
    InputError if the case has no recording.
    """
    expected, actual = _both(case, answer)
    if case.kind != "history":
        yield from differences(expected, actual, case.wildcards)
    elif case.parallel_unordered:
        yield from _block_differences(expected, masked(actual), case.wildcards)
    else:
        yield from _event_differences(_either_way(expected), actual, case.wildcards)


def _both(case: Case, answer: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what is compared: a history's events, or the members of the API's object."""
    if case.recorded is None:
        raise InputError(f"The case {case.id} has no recorded answer to compare with.")
    if case.kind == "history":
        recorded = unfolded(case.recorded["events"])
        return [{"timestamp": "<time>"} | event for event in recorded], unfolded(answer["events"])
    if case.kind == "sync":
        answer = {name: answer[name] for name in SYNC_MEMBERS if name in answer}
    else:
        answer = {name: value for name, value in answer.items() if name != "id"}
    return unfolded(case.recorded), unfolded(answer)


def _grade(case: Case, answer: Mapping[str, Any]) -> Grade:
    """Return the grade of an answer that is not exact."""
    expected, actual = _both(case, answer)
    if case.kind == "history":
        if not case.parallel_unordered and causally_same(expected, actual, case.wildcards):
            return "causal"
        last, reached = ([_bare(event) for event in events[-1:]] for events in (expected, actual))
        same_end = same(last, reached, case.wildcards)
    elif case.kind == "create_error":
        codes = [(reply.get("Error") or {}).get("Code") for reply in (expected, actual)]
        same_end = codes[0] == codes[1]
    else:
        same_end = all(
            same(expected[name], actual.get(name), case.wildcards)
            for name in _OUTCOME_MEMBERS
            if name in expected
        )
    return "outcome" if same_end else "fail"


# Histories --------------------------------------------------------------------------------------


def _event_differences(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent], wildcards: AbstractSet[str]
) -> Iterator[Difference]:
    for number, (ours, theirs) in enumerate(zip(actual, expected, strict=False), start=1):
        alike = theirs["type"] == ours.get("type")
        got = "" if alike else f", got {ours.get('type')}"
        event = f"event {number} ({theirs['type']}{got})"
        for one in differences(theirs, ours, wildcards):
            yield replace(one, event=event)
        if not alike:
            break
    yield from _count_difference(expected, actual)


def _count_difference(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent]
) -> Iterator[Difference]:
    if len(expected) != len(actual):
        yield Difference("number of events", len(expected), len(actual))


def _either_way(events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """Let two types of events have any predecessor, as AWS changed it between recordings.

    They are EvaluationFailed, and MapStateExited after a map run.
    """
    result, after_map_run = [], False
    for event in events:
        after_map_run = after_map_run or event["type"].startswith("MapRun")
        exited = event["type"] == "MapStateExited"
        if event["type"] == "EvaluationFailed" or (exited and after_map_run):
            event = event | {"previousEventId": "<either>"}
        after_map_run = after_map_run and not exited
        result.append(event)
    return result


def _bare(event: HistoryEvent) -> HistoryEvent:
    return {name: value for name, value in event.items() if name not in _MASK}


def causally_same(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent], wildcards: AbstractSet[str]
) -> bool:
    """Return whether the events form the same tree of predecessors, whatever their order and ids.

    From the leaves up: two events are alike if they have the same members and the events that
    follow from them can be paired.
    """
    if len(expected) != len(actual):
        return False
    theirs, ours = _consequences(expected), _consequences(actual)
    alike: dict[int, set[int]] = {}
    for event in sorted(expected, key=lambda event: int(event["id"]), reverse=True):
        alike[event["id"]] = {
            candidate["id"]
            for candidate in actual
            if candidate["type"] == event["type"]
            and _paired(theirs[event["id"]], ours[candidate["id"]], alike)
            and same(_bare(event), _bare(candidate), wildcards)
        }
    return _paired(theirs[0], ours[0], alike)


def _consequences(events: Sequence[HistoryEvent]) -> defaultdict[int, list[int]]:
    following: defaultdict[int, list[int]] = defaultdict(list)
    for event in events:
        following[event["previousEventId"]].append(event["id"])
    return following


def _paired(theirs: Sequence[int], ours: Sequence[int], alike: Mapping[int, set[int]]) -> bool:
    left = set(ours)
    for event in theirs:
        if not (candidates := alike[event] & left):
            return False
        left.remove(min(candidates))
    return not left


# Parallel states whose recordings lost their order ---------------------------------------------


def masked(events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    """Change a history as those recordings were changed.

    Ids between a ParallelStateStarted and the next end of a Parallel state were blanked. Every
    further end replaced all events since by that block.
    """
    result: list[HistoryEvent] = []
    block: list[HistoryEvent] = []
    start: int | None = None
    inside = False
    for event in events:
        if event["type"] in _PARALLEL_ENDS:
            inside = False
            if start is not None:
                result[start:] = block
        elif event["type"] == "ParallelStateStarted":
            inside, block, start = True, [], len(result) + 1
        elif inside:
            event = event | _MASK
            block.append(event)
        result.append(event)
    return result


def _block_differences(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent], wildcards: AbstractSet[str]
) -> Iterator[Difference]:
    """Compare in order, except that each run of masked events is compared as a set."""
    if len(expected) != len(actual):
        yield from _count_difference(expected, actual)
        return
    position = 0
    for blank, run in groupby(expected, lambda event: bool(event["id"] == _MASK["id"])):
        theirs = list(run)
        ours = list(actual[position : position + len(theirs)])
        position += len(theirs)
        compare = _set_differences if blank else _event_differences
        yield from compare(theirs, ours, wildcards)


def _set_differences(
    expected: Sequence[HistoryEvent], actual: list[HistoryEvent], wildcards: AbstractSet[str]
) -> Iterator[Difference]:
    left = list(actual)
    for event in expected:
        match = next((one for one in left if same(event, one, wildcards)), None)
        if match is None:
            yield Difference("an event in the Parallel state", event, ABSENT)
        else:
            left.remove(match)
