"""Recorded histories, written by AWS or by Doorstep: the one reader of all their shapes.

| shape | |
|---|---|
| GetExecutionHistory's answer | `{"events": […]}`; several pages one after the other |
| a list of its events | `[…]` |
| an execution's log lines | `{"id": "1", "type": …, "details": …, "event_timestamp": …}` |
| those lines in CloudWatch Logs' answer | `{"events": [{"message": "{…}"}]}` |
| a journal (see `journal`) | a header `{…, "semantics": 1}`, then facts and events, a line each |

Log lines and journals say whose an event is (its `executionArn`), and may hold several executions:
of a journal it is the first that is meant, which started the others.

Timestamps are ISO 8601 with any offset (AWS CLI 2, Doorstep), epoch seconds (AWS CLI 1) or, in log
lines, epoch milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ..engine import details_member, read_all
from ..errors import InputError, ReplayError, shortened
from ..values.timestamps import epoch_seconds
from .aws_json import aws_events

EXPECTED = (
    "expected the JSON of `doorstep run --history FILE` or of "
    "`aws stepfunctions get-execution-history`: an object with an array `events`"
)
"""What a history is, for those who gave something else."""

_decoder = json.JSONDecoder()
_BLANK = re.compile(r"\s*")


def read_events(text: str, source: str) -> list[Any]:
    """Return the events of a file in GetExecutionHistory's shape, all pages; at least one.

    Raises InputError, which names the `source`, for a text that is no history.
    """
    if not text.strip():
        raise InputError(f"{source} is empty; {EXPECTED}")
    try:
        events = list(_read(text))
    except ReplayError as problem:
        raise InputError(f"{source}: {problem}") from None
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise InputError(f"{source} is not JSON ({where}: {problem.msg}); {EXPECTED}") from None
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        why = shortened(str(problem))
        raise InputError(f"{source} can't be read as JSON ({why}); {EXPECTED}") from None
    if not events:
        if '"StartAt"' in text and '"States"' in text:
            raise InputError(
                f"{source} is a definition; here goes the history of an execution, such as "
                "`doorstep run --history FILE` writes, and the definition after --definition"
            )
        raise InputError(f"{source} has no events; {EXPECTED}")
    return events


_OBJECTS = (dict, Mapping)
"""An abstract class alone would take six times as long."""


def by_execution(events: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the events of each execution; GetExecutionHistory's don't say whose they are.

    Of a journal the first execution is the one that started the others, see `is_started`.
    """
    executions: dict[str, list[Any]] = {}
    for event in events:
        if isinstance(event, _OBJECTS) and event.get("executionArn") is not None:
            executions.setdefault(str(event["executionArn"]), []).append(event)
    return executions


def is_started(events: Sequence[Any]) -> bool:
    """Return whether these are of an execution that another one in the same journal started."""
    return events[0].get("startedBy") is not None


def of_one(events: Sequence[Any], arn: str | None, source: str) -> tuple[Sequence[Any], str | None]:
    """Return the events of one execution, and its ARN where they or the caller name it.

    Raises InputError when the `source` has several and none is named, or not the one that is.
    """
    executions = by_execution(events)
    if not executions:
        return events, arn
    if len(events) > sum(map(len, executions.values())):
        raise InputError(f"{source}: only some of its events name their execution")
    if arn is None:
        arn, *others = [one for one, own in executions.items() if not is_started(own)]
        if others:
            raise InputError(
                f"{source} contains several executions; choose one with --arn: {_some(executions)}"
            )
    elif arn not in executions:
        raise InputError(f"{source} has no execution {arn}; it has {_some(executions)}")
    return executions[arn], arn


def _some(arns: Collection[str]) -> str:
    more = f" and {len(arns) - 3:,} more" if len(arns) > 3 else ""
    return ", ".join(islice(arns, 3)) + more


def _read(text: str) -> Iterator[Any]:
    values = _values(text)
    first = next(values)
    if isinstance(first, dict) and "semantics" in first:
        yield from _of_journal(text)
        return
    for value in chain([first], values):
        yield from _events(value)


def _of_journal(text: str) -> Iterator[Any]:
    """Return the events of all its executions; those of later ones name the first, `startedBy`."""
    # What a crash cut off had no consequences.
    whole_lines = text[: text.rfind("\n") + 1].split("\n")[:-1]
    journals = read_all(whole_lines)
    first = next(iter(journals))
    for arn, journal in journals.items():
        members = {"executionArn": arn, "startedBy": None if arn == first else first}
        yield from (event | members for event in aws_events(journal.events))


def _values(text: str) -> Iterator[Any]:
    """Return the JSON values that stand one after the other in a text."""
    at = 0
    text = text.rstrip()
    while at < len(text) or at == 0:
        value, at = _decoder.raw_decode(text, _BLANK.match(text, at).end())  # type: ignore[union-attr]
        yield value


def _events(value: Any) -> Iterator[Any]:
    match value:
        case {"events": list(events)} | list(events):
            for event in events:
                yield from _events(event) if _is_message(event) else (_as_aws(event),)
        case {"message": str(message)}:
            yield _as_aws(json.loads(message))
        case {"id": _, "type": _}:
            yield _as_aws(value)


def _is_message(event: Any) -> bool:
    return isinstance(event, dict) and "message" in event and "type" not in event


def _as_aws(event: Any) -> Any:
    """Return a log line's event in GetExecutionHistory's shape; others as they are (fact 540)."""
    if not isinstance(event, dict) or "event_timestamp" not in event:
        return event
    aws_event = {
        "timestamp": int(event["event_timestamp"]) / 1000,
        "type": event.get("type"),
        "id": event.get("id"),
        "previousEventId": event.get("previous_event_id", 0),
        "executionArn": event.get("execution_arn"),
    }
    member = details_member(str(event.get("type")))
    return aws_event if member is None else aws_event | {member: event.get("details", {})}


_LONGEST_TYPE = 100
"""Characters; AWS's longest has 35."""
_AS_IT_IS = "`doorstep debug` without --definition shows what there is"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a history; `at` in epoch seconds, `details` {} for types without any."""

    id: int
    previous: int
    type: str
    at: float
    details: dict[str, Any]

    @property
    def name(self) -> str | None:
        """The state's name, in events that say it."""
        name = self.details.get("name")
        return name if isinstance(name, str) else None

    @property
    def failed(self) -> bool:
        """Whether it says that something went wrong."""
        return self.type.endswith(("Failed", "TimedOut"))

    @property
    def why(self) -> dict[str, Any]:
        """Error and cause, as far as it says them."""
        return {name: self.details[name] for name in ("error", "cause") if name in self.details}

    def text(self, name: str) -> str:
        """Return a JSON text of the details; raise InputError where it is missing or cut."""
        text = self.details.get(name)
        if not isinstance(text, str):
            raise InputError(
                f"event {self.id} ({self.type}) has no {name}: the history has to be asked for "
                f"with its execution data (--include-execution-data); {_AS_IT_IS}"
            )
        if truncated(self.details, name):
            raise InputError(
                f"event {self.id} ({self.type}) has only the beginning of its {name}; {_AS_IT_IS}"
            )
        return text


def truncated(details: Mapping[str, Any], name: str) -> bool:
    """Return whether a text of an event's details was cut, as in logs above 248 KiB.

    Facts 440 and 542.
    """
    mark = details.get(f"{name}Details")
    return isinstance(mark, Mapping) and bool(mark.get("truncated"))


def entries(events: Iterable[Any], source: str) -> list[Entry]:
    """Read events of GetExecutionHistory in the order of their ids, those of two pages once.

    Raises InputError that names the first that is none, or when they are of several executions.
    """
    by_id: dict[int, Entry] = {}
    for number, event in enumerate(events, start=1):
        try:
            entry = _entry(event)
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            reason = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
            why = shortened(reason)
            raise InputError(
                f"{source}: event {number} is not an event ({why}); {EXPECTED}"
            ) from None
        before = by_id.setdefault(entry.id, entry)
        if before is not entry and before != entry:
            raise InputError(
                f"{source}: there are two events {entry.id} that differ; give the pages of one "
                "execution, not the histories of several (`doorstep diff A B` compares two)"
            )
    return [by_id[number] for number in sorted(by_id)]


def whole(events: list[Entry], source: str) -> list[Entry]:
    """Return the events, when they are all there are; raise InputError when pages are missing."""
    if not events:
        raise InputError(f"{source} has no events; {EXPECTED}")
    for number, entry in enumerate(events, start=1):
        if entry.id != number:
            raise InputError(
                f"{source} has no event {number}: it takes all pages of the history, as `aws "
                "stepfunctions get-execution-history` gives them without --max-items and "
                "--no-paginate, and of logs the level ALL"
            )
    if events[0].type != "ExecutionStarted":
        raise InputError(f"{source}: event 1 is {events[0].type}, not ExecutionStarted")
    return events


def _entry(event: Any) -> Entry:
    if not isinstance(event, _OBJECTS):
        raise TypeError("it is no object")
    details: list[dict[str, Any]] = [event[key] for key in event if key.endswith("EventDetails")]
    kind = event["type"]
    if not isinstance(kind, str) or len(kind) > _LONGEST_TYPE:
        raise TypeError(f"its type is not a text of at most {_LONGEST_TYPE} characters")
    return Entry(
        id=_number(event["id"]),
        previous=_number(event.get("previousEventId", 0)),
        type=kind,
        at=epoch_seconds(event["timestamp"]),
        details=dict(details[0]) if details else {},
    )


def _number(value: Any) -> int:
    """Return an id: in log lines it is a text."""
    if type(value) not in (int, str):
        raise TypeError(f"an id can't be a {type(value).__name__}")
    return int(value)
