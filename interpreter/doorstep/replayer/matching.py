"""The children of a map run: the inputs of now matched with the histories of then.

A child's history does not have its index. It is found by its input; where the inputs have changed,
by the one that differs least. Of children with the same input the first to start comes first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from ..engine import TERMINAL, Event, StartMapRun
from ..errors import Failure, InputError, StateFailed
from ..history import Entry
from ..map_runs import Batch, MapItem, batches, exceeds, failed_record, in_order
from ..values.json_values import ABSENT, JsonDifference, differences, dumps, loads
from .child_histories import ChildHistory, last_of
from .comparison import Tolerate, first_difference
from .recording import map_run_arn

_UNSUCCESSFUL = frozenset(TERMINAL) - {"ExecutionSucceeded"}
_RARE = 50
"""A value that is in at most so many inputs identifies a child. It also bounds the comparisons for
each input, so that matching stays linear in the number of children.
"""
_EXCEEDED = "States.ExceedToleratedFailureThreshold"


@dataclass(frozen=True, slots=True)
class MapRunMatch:
    """A map run of a recording: its inputs now, and the children that it had then."""

    run: StartMapRun
    started: Entry
    """The recorded MapRunStarted."""
    batches: Sequence[Batch] | None
    """The children's inputs; None where the items are in a bucket that is not at hand."""
    children: Sequence[ChildHistory | None]
    """Their histories by index; without batches in the order of their starts."""
    unmatched: Sequence[ChildHistory]
    """Children of this map run that match none of the inputs."""
    differences: dict[int, JsonDifference]
    """Where a child's recorded input differs, by its index."""
    failure: Failure | None = None
    """Why there are no more inputs."""

    @property
    def arn(self) -> str:
        """The map run's ARN in the recording."""
        return map_run_arn(self.started)

    @property
    def histories(self) -> list[ChildHistory]:
        """All histories of its children."""
        return [*(child for child in self.children if child), *self.unmatched]

    @property
    def incomplete(self) -> str | None:
        """Why it is not known what became of each input; None where it is."""
        if self.batches is None:
            return "the inputs of its children are not known"
        for index, child in enumerate(self.children):
            if child is None:
                return f"the history of the child of item {index} is missing"
            if not child.recording.ended:
                return f"{child.source} has no end"
        return f"{self.unmatched[0].source} matches none of its items" if self.unmatched else None

    def result(self, recorded: bool) -> Any:
        """Return the map run's result, made of its children's outputs; ABSENT where it can't be.

        `recorded`: the parent's history has it, which is surer than a guessed order.
        """
        described = self.run.writer and self.run.writer.transformation == "NONE"
        if described or self.incomplete or (recorded and self._guessed):
            return ABSENT
        return in_order(self.run, dict([*self._outputs(), *self._failures()]))

    @property
    def _guessed(self) -> bool:
        """Whether the order is uncertain: inputs differ, or two children have the same one."""
        outputs: dict[str, Any] = {}
        for index, output in self._outputs():
            child = self.children[index]
            if child and outputs.setdefault(_canonical(child.input), output) != output:
                return True
        return bool(self.differences)

    def _outputs(self) -> Iterator[tuple[int, Any]]:
        for index, child in enumerate(self.children):
            if child and (last := child.recording.events[-1]).type == "ExecutionSucceeded":
                yield index, loads(last.text("output"))

    def _failures(self) -> Iterator[tuple[int, Any]]:
        # Fact 139: a failure that is tolerated has its place in the result.
        for index, child in enumerate(self.children):
            if child and (last := child.recording.events[-1]).type in _UNSUCCESSFUL:
                details = last.details
                failure = Failure(details.get("error"), details.get("cause"))
                yield index, failed_record(TERMINAL[last.type], failure)

    def other_end(self, ended: Entry, recorded: bool) -> str | None:
        """Return how the map run ends now with the children that it had then; None: as it ended.

        `recorded`: the parent's history has its result, so that children may be missing.

        Fact 285.
        """
        if self.batches is None or (self.batches and not self.histories):
            return None
        succeeded = ended.type == "MapRunSucceeded"
        if self.failure and succeeded:
            return f"now it fails with {self.failure.error}: {self.failure.cause}"
        if self.incomplete and succeeded:
            return None if recorded else f"its result can't be made: {self.incomplete}"
        return self._other_tolerance(ended)

    def _other_tolerance(self, ended: Entry) -> str | None:
        run, batches, succeeded = self.run, self.batches or (), ended.type == "MapRunSucceeded"
        total = sum(batch.size for batch in batches)
        # Children of a run that failed were aborted by that, or never started.
        failed = sum(
            batches[index].size
            for index, one in self._failures()
            if succeeded or one["Status"] != "ABORTED"
        )
        over = exceeds(failed, total, run.tolerated_count, run.tolerated_percentage)
        if succeeded and over:
            return f"{failed} of {total} items failed, now more than is tolerated"
        if ended.details.get("error") == _EXCEEDED and failed and not over:
            rest = f"; not all is known: {self.incomplete}" if self.incomplete else ""
            return f"{failed} of {total} items failed, which is tolerated now{rest}"
        return None


def match_children(
    run: StartMapRun,
    started: Entry,
    candidates: Sequence[ChildHistory],
    read: Callable[[], Iterable[MapItem]],
    same: Tolerate,
) -> MapRunMatch:
    """Match the inputs of a map run with the histories of the children that got them.

    `read` returns its items.

    Facts 116 and 282: each item or batch runs as a child with that input.
    """
    candidates = sorted(candidates, key=lambda child: child.began)
    inputs, failure = _batches(run, read)
    if inputs is None:
        return MapRunMatch(run, started, None, candidates, (), {})
    exact = _exact(inputs, candidates)
    similar = _similar(inputs, exact, candidates)
    children = [exact.get(index) or similar.get(index) for index in range(len(inputs))]
    others = {
        index: difference
        for index, child in similar.items()
        if (difference := _other_input(child, inputs[index], same))
    }
    # Histories that don't name their map run may be of another one of the same Map.
    _, run_id = last_of(map_run_arn(started))
    matched = {*exact.values(), *similar.values()}
    unmatched = [one for one in candidates if one.group == run_id and one not in matched]
    return MapRunMatch(run, started, inputs, children, unmatched, others, failure)


def _batches(
    run: StartMapRun, read: Callable[[], Iterable[MapItem]]
) -> tuple[list[Batch] | None, Failure | None]:
    """Return the inputs, None where the items can't be read, and the failure that ended them."""
    inputs: list[Batch] = []
    try:
        items = list(read())
    except (StateFailed, InputError):
        return None, None
    try:
        # extend() keeps what came before a failure: children were started with it.
        inputs.extend(batches(run, iter(items)))
    except StateFailed as failed:
        return inputs, failed.failure
    return inputs, None


def _exact(inputs: Sequence[Batch], candidates: Sequence[ChildHistory]) -> dict[int, ChildHistory]:
    by_input: defaultdict[str, list[ChildHistory]] = defaultdict(list)
    for child in reversed(candidates):
        by_input[_canonical(child.input)].append(child)
    exact = {}
    for index, batch in enumerate(inputs):
        if same := by_input.get(_canonical(batch.input)):
            exact[index] = same.pop()
    return exact


def _similar(
    inputs: Sequence[Batch], exact: Mapping[int, ChildHistory], candidates: Sequence[ChildHistory]
) -> dict[int, ChildHistory]:
    """Return the child with the fewest differences for each other input.

    Those that share a rare value with the input come first. Without any, the oldest are compared.
    """
    matched = set(exact.values())
    left = dict.fromkeys(child for child in candidates if child not in matched)
    sharing: defaultdict[str, list[ChildHistory]] = defaultdict(list)
    for child in left:
        for value in set(_scalars(child.input)):
            sharing[value].append(child)
    similar = {}
    for index, batch in enumerate(inputs):
        if index not in exact and left:
            shared = (sharing[value] for value in _scalars(batch.input) if value in sharing)
            rare = [child for some in shared if len(some) <= _RARE for child in some]
            likely = [child for child in rare if child in left] or islice(left, _RARE)
            similar[index] = nearest = min(likely, key=partial(_distance, batch.input))
            del left[nearest]
    return similar


def _scalars(value: Any) -> Iterator[str]:
    match value:
        case dict():
            yield from chain.from_iterable(map(_scalars, value.values()))
        case list():
            yield from chain.from_iterable(map(_scalars, value))
        case _:
            yield dumps(value)


def _distance(ours: Any, child: ChildHistory) -> int:
    return sum(1 for _ in differences("", child.input, ours))


def _other_input(child: ChildHistory, ours: Batch, same: Tolerate) -> JsonDifference | None:
    first = child.recording.events[0]
    return first_difference(first, start_event(first, dumps(ours.input)), same)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def start_event(recorded: Entry, text: str) -> Event:
    """Return the first event of a recorded child as it is with this input."""
    return Event(recorded.id, recorded.previous, recorded.type, recorded.at, {"input": text})
