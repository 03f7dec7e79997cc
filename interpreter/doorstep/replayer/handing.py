"""What a map run hands out, and which child got it: inputs of now, histories of then.

A child's history does not tell its index. It is known by its input; where the inputs are others
now, by the one that is most like it. Of those with the same input the first to start comes first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..engine.messages import Event, StartMapRun
from ..errors import Failure, InputError, StateFailed
from ..history.recorded import Entry
from ..map_runs.readers import Batch, batches, read_items
from ..map_runs.run import exceeds
from ..map_runs.writers import result
from ..values.json_values import ABSENT, JsonDifference, differences, dumps, loads
from .comparing import Tolerate, unlike
from .family import Child, last_of
from .recording import map_run_arn

_RARE = 50
"""A value that stands in so many inputs at the most tells one child from the others."""
_EXCEEDED = "States.ExceedToleratedFailureThreshold"


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A map run of a recording: what it hands out now, and the children that it had then."""

    run: StartMapRun
    started: Entry
    """The recorded MapRunStarted."""
    batches: Sequence[Batch] | None
    """The children's inputs; None where the items are in a bucket that is not given."""
    children: Sequence[Child | None]
    """Who got them, in the order of their indexes; without batches in that of their starts."""
    surplus: Sequence[Child]
    """Children of this map run that none of the inputs is for."""
    unlike: dict[int, JsonDifference]
    """Where a child got something else, by its index."""
    failure: Failure | None = None
    """Why nothing more is handed out."""

    @property
    def arn(self) -> str:
        """The map run's in the recording."""
        return map_run_arn(self.started)

    @property
    def taken(self) -> list[Child]:
        """The children whose histories were given."""
        return [*(child for child in self.children if child), *self.surplus]

    @property
    def lacking(self) -> str | None:
        """Why it is not known what became of each input; None where it is."""
        if self.batches is None:
            return "what its children got is not known"
        for index, child in enumerate(self.children):
            if child is None:
                return f"there is no history of the child of item {index}"
            if not child.recording.ended:
                return f"{child.source} has no end"
        return f"{self.surplus[0].source} got none of its items" if self.surplus else None

    def result(self, shown: bool) -> Any:
        """The map run's result, of its children's outputs; ABSENT where they don't make it.

        `shown`: it is known without them, which is surer than an order that is guessed.
        """
        described = self.run.writer and self.run.writer.transformation == "NONE"
        if described or self.lacking or (shown and self._guessed):
            return ABSENT
        return result(self.run, dict(self._outputs()), {}, None)

    @property
    def _guessed(self) -> bool:
        """Whether inputs don't tell the order: they are others, or the same for two children."""
        gave: dict[str, Any] = {}
        for index, output in self._outputs():
            child = self.children[index]
            if child and gave.setdefault(_canonical(child.input), output) != output:
                return True
        return bool(self.unlike)

    def _outputs(self) -> Iterator[tuple[int, Any]]:
        for index, child in enumerate(self.children):
            if child and (last := child.recording.events[-1]).type == "ExecutionSucceeded":
                yield index, loads(last.text("output"))

    def otherwise(self, ended: Entry, shown: bool) -> str | None:
        """How the map run ends now with the children that it had then; None: as it ended.

        `shown`: its result is known without its children, so that some may be missing.
        """
        if self.batches is None or (self.batches and not self.taken):
            return None
        succeeded = ended.type == "MapRunSucceeded"
        if self.failure and succeeded:
            return f"now it fails with {self.failure.error}: {self.failure.cause}"
        if self.lacking:
            needed = succeeded and not shown
            return f"its result can't be made: {self.lacking}" if needed else None
        return self._otherwise_tolerated(ended)

    def _otherwise_tolerated(self, ended: Entry) -> str | None:
        run, good, batches = self.run, dict(self._outputs()), self.batches or ()
        total = sum(batch.size for batch in batches)
        failed = sum(batch.size for index, batch in enumerate(batches) if index not in good)
        over = exceeds(failed, total, run.tolerated_count, run.tolerated_percentage)
        if ended.type == "MapRunSucceeded" and over:
            return f"{failed} of {total} items failed, now more than is tolerated"
        if ended.details.get("error") == _EXCEEDED and not over:
            return f"{failed} of {total} items failed, which is tolerated now"
        return None


def hand_out(
    run: StartMapRun, started: Entry, own: Sequence[Child], bucket: Path | None, same: Tolerate
) -> HandedOut:
    """Give each input of a map run the child that got it; `own`: those that it can have had."""
    own = sorted(own, key=lambda child: child.began)
    inputs, failure = _batches(run, bucket)
    if inputs is None:
        return HandedOut(run, started, None, own, (), {})
    exact = _exact(inputs, own)
    similar = _similar(inputs, exact, own)
    children = [exact.get(index) or similar.get(index) for index in range(len(inputs))]
    others = {
        index: difference
        for index, child in similar.items()
        if (difference := _other_input(child, inputs[index], same))
    }
    # Histories that don't say their map run may be of another one of the same Map.
    _, run_id = last_of(map_run_arn(started))
    taken = {*exact.values(), *similar.values()}
    surplus = [child for child in own if child.group == run_id and child not in taken]
    return HandedOut(run, started, inputs, children, surplus, others, failure)


def _batches(run: StartMapRun, bucket: Path | None) -> tuple[list[Batch] | None, Failure | None]:
    """The inputs, None where the items can't be read, and the failure that ended them."""
    found: list[Batch] = []
    try:
        items = list(read_items(run, bucket))
    except (StateFailed, InputError):
        return None, None
    try:
        found.extend(batches(run, iter(items)))
    except StateFailed as failed:
        # What was handed out before stays.
        return found, failed.failure
    return found, None


def _exact(inputs: Sequence[Batch], own: Sequence[Child]) -> dict[int, Child]:
    by_input: defaultdict[str, list[Child]] = defaultdict(list)
    for child in reversed(own):
        by_input[_canonical(child.input)].append(child)
    found = {}
    for index, batch in enumerate(inputs):
        if waiting := by_input.get(_canonical(batch.input)):
            found[index] = waiting.pop()
    return found


def _similar(
    inputs: Sequence[Batch], found: Mapping[int, Child], own: Sequence[Child]
) -> dict[int, Child]:
    """For the other inputs the child with the fewest differences, of those that share a value."""
    taken = set(found.values())
    left = dict.fromkeys(child for child in own if child not in taken)
    sharing: defaultdict[str, list[Child]] = defaultdict(list)
    for child in left:
        for value in set(_scalars(child.input)):
            sharing[value].append(child)
    similar = {}
    for index, batch in enumerate(inputs):
        if index not in found and left:
            shared = (sharing[value] for value in _scalars(batch.input) if value in sharing)
            rare = [child for some in shared if len(some) <= _RARE for child in some]
            near = [child for child in rare if child in left] or islice(left, _RARE)
            similar[index] = nearest = min(near, key=partial(_unlikeness, batch.input))
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


def _unlikeness(ours: Any, child: Child) -> int:
    return sum(1 for _ in differences("", child.input, ours))


def _other_input(child: Child, ours: Batch, same: Tolerate) -> JsonDifference | None:
    first = child.recording.events[0]
    return unlike(first, start_event(first, dumps(ours.input)), same)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def start_event(recorded: Entry, text: str) -> Event:
    """The first event of a child, recorded with another input, when it gets this one."""
    return Event(recorded.id, recorded.previous, recorded.type, recorded.at, {"input": text})
