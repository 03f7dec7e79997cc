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

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

from doorstep.errors import InputError

from .cases import Case
from .values import difference, unfolded

Grade = Literal["exact", "causal", "outcome", "fail"]
HistoryEvent = dict[str, Any]

_PARALLEL_ENDS = tuple(
    f"ParallelState{how}" for how in ("Succeeded", "Aborted", "Exited", "Failed")
)
_SYNC_MEMBERS = ("status", "output", "error", "cause")
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
    if case.kind == "history":
        return _judge_history(case, case.recorded["events"], answer.get("events") or [])
    return _judge_answer(case, case.recorded, answer)


# Answers that are one object --------------------------------------------------------------------


def _judge_answer(case: Case, recorded: Mapping[str, Any], answer: Mapping[str, Any]) -> Verdict:
    if case.kind == "sync":
        answer = {name: answer[name] for name in _SYNC_MEMBERS if name in answer}
    else:
        answer = {name: value for name, value in answer.items() if name != "id"}
    expected, actual = unfolded(recorded), unfolded(answer)
    differs = partial(difference, wildcards=case.wildcards)
    why = differs(expected, actual)
    if why is None:
        return Verdict("exact")
    if case.kind == "create_error":
        codes = [(reply.get("Error") or {}).get("Code") for reply in (expected, actual)]
        return Verdict("outcome" if codes[0] == codes[1] else "fail", why)
    same_end = not any(
        differs(expected[name], actual.get(name)) for name in _OUTCOME_MEMBERS if name in expected
    )
    return Verdict("outcome" if same_end else "fail", why)


# Histories --------------------------------------------------------------------------------------


def _judge_history(
    case: Case, recorded: list[HistoryEvent], answered: list[HistoryEvent]
) -> Verdict:
    if not answered:
        return Verdict("fail", "no events")
    expected = [{"timestamp": "<time>"} | event for event in unfolded(recorded)]
    actual: list[HistoryEvent] = unfolded(answered)
    if case.parallel_unordered:
        actual = masked(actual)
        why = _block_difference(expected, actual, case.wildcards)
    else:
        why = _event_difference(_either_way(expected), actual, case.wildcards)
    if why is None:
        return Verdict("exact")
    if not case.parallel_unordered and causally_same(expected, actual, case.wildcards):
        return Verdict("causal", why)
    last, reached = ([_bare(event) for event in events[-1:]] for events in (expected, actual))
    same_end = difference(last, reached, case.wildcards) is None
    return Verdict("outcome" if same_end else "fail", why)


def _event_difference(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent], wildcards: AbstractSet[str]
) -> str | None:
    for number, (ours, theirs) in enumerate(zip(actual, expected, strict=False), start=1):
        if why := difference(theirs, ours, wildcards):
            return f"event {number} ({theirs['type']}, got {ours.get('type')}){why}"
    return _count_difference(expected, actual)


def _count_difference(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent]
) -> str | None:
    if len(expected) == len(actual):
        return None
    return f"{len(expected)} events expected, got {len(actual)}"


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
            and difference(_bare(event), _bare(candidate), wildcards) is None
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


def _block_difference(
    expected: Sequence[HistoryEvent], actual: Sequence[HistoryEvent], wildcards: AbstractSet[str]
) -> str | None:
    """Compare in order, except that each run of masked events is compared as a set."""
    if why := _count_difference(expected, actual):
        return why
    position = 0
    for blank, run in groupby(expected, lambda event: bool(event["id"] == _MASK["id"])):
        theirs = list(run)
        ours = list(actual[position : position + len(theirs)])
        position += len(theirs)
        compare = _set_difference if blank else _event_difference
        if why := compare(theirs, ours, wildcards):
            return why
    return None


def _set_difference(
    expected: Sequence[HistoryEvent], actual: list[HistoryEvent], wildcards: AbstractSet[str]
) -> str | None:
    left = list(actual)
    for event in expected:
        match = next((one for one in left if difference(event, one, wildcards) is None), None)
        if match is None:
            return f"no event in the Parallel state is like {json.dumps(event)[:160]}"
        left.remove(match)
    return None
