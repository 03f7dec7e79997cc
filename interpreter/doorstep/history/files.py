"""Histories as they are written down, by AWS and by us: the one reader of all of them.

| shape | |
|---|---|
| GetExecutionHistory's answer | `{"events": […]}`; several pages one after the other |
| a list of its events | `[…]` |
| an execution's log lines | `{"id": "1", "type": …, "details": …, "event_timestamp": …}` |
| those lines in CloudWatch Logs' answer | `{"events": [{"message": "{…}"}]}` |
| a journal (see `journal`) | a header `{…, "semantics": 1}`, then facts and events, a line each |

Log lines and journals tell whose an event is (its `executionArn`), and may hold several executions:
of a journal it is the first that is meant, which started the others.

Timestamps are ISO 8601 with any offset (AWS CLI 2, Doorstep), epoch seconds (AWS CLI 1) or, in log
lines, epoch milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from ..engine.events import details_member
from ..engine.journal import read_all
from ..errors import InputError, ReplayError, shortened
from .aws_json import as_aws

EXPECTED = (
    "expected is the JSON of `doorstep run --history FILE` or of "
    "`aws stepfunctions get-execution-history`: an object with an array `events`"
)
"""What a history is, for those who gave something else."""

_decoder = json.JSONDecoder()
_BLANK = re.compile(r"\s*")


def read_events(text: str, source: str) -> list[Any]:
    """The events of a file in GetExecutionHistory's shape, all pages; at least one.

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
        raise InputError(f"{source} has no events; {EXPECTED}")
    return events


def by_execution(events: Iterable[Any]) -> dict[str, list[Any]]:
    """The events of each execution that they name; GetExecutionHistory's don't say whose they are.

    Of a journal the first execution is the one that started the others, see `is_started`.
    """
    found: dict[str, list[Any]] = {}
    for event in events:
        if isinstance(event, Mapping) and event.get("executionArn") is not None:
            found.setdefault(str(event["executionArn"]), []).append(event)
    return found


def is_started(events: Sequence[Any]) -> bool:
    """Whether these are of an execution that another one in the same journal started."""
    return events[0].get("startedBy") is not None


def of_one(events: Sequence[Any], arn: str | None, source: str) -> tuple[Sequence[Any], str | None]:
    """The events of one execution, and its ARN where they or the caller tell it.

    Raises InputError when the `source` has several and none is named, or not the one that is.
    """
    found = by_execution(events)
    if not found:
        return events, arn
    if len(events) > sum(map(len, found.values())):
        raise InputError(f"{source}: only some of its events tell of which execution they are")
    if arn is None:
        arn, *others = [one for one, own in found.items() if not is_started(own)]
        if others:
            raise InputError(f"{source} is of several executions; name one (--arn): {_some(found)}")
    elif arn not in found:
        raise InputError(f"{source} has no execution {arn}; it has {_some(found)}")
    return found[arn], arn


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
    """The events of all its executions; those that the first one started say it."""
    # What a crash cut off had no consequences.
    whole_lines = text[: text.rfind("\n") + 1].split("\n")[:-1]
    found = read_all(whole_lines)
    first = next(iter(found))
    for arn, journal in found.items():
        told = {"executionArn": arn, "startedBy": None if arn == first else first}
        yield from (as_aws(event) | told for event in journal.events)


def _values(text: str) -> Iterator[Any]:
    """The JSON values that stand one after the other in a text."""
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
    """A log line's event in GetExecutionHistory's shape; others as they are."""
    if not isinstance(event, dict) or "event_timestamp" not in event:
        return event
    shown = {
        "timestamp": int(event["event_timestamp"]) / 1000,
        "type": event.get("type"),
        "id": event.get("id"),
        "previousEventId": event.get("previous_event_id", 0),
        "executionArn": event.get("execution_arn"),
    }
    member = details_member(str(event.get("type")))
    return shown if member is None else shown | {member: event.get("details", {})}
