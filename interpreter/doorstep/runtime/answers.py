"""What a handler may say besides its result: an answer that comes later, a failure, none at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..errors import shortened
from ..values.json_values import ABSENT, value_of

Duration = float | int | str | timedelta
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST = 100 * 366 * 86_400.0
"""Seconds: what comes later than in a hundred years may have no date."""
_SHOWN = 80
"""Characters of a duration that a message repeats."""
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")


def seconds(duration: Duration) -> float:
    """Return a duration in seconds: a number, a timedelta, or a text such as "90s", "1h 30m", "2d".

    Raises ValueError for anything else: negative durations, and more than a hundred years.
    """
    length = _length(duration)
    if not 0 <= length <= _LONGEST:
        raise ValueError(f"a duration can't be {shortened(repr(duration), _SHOWN)}")
    return length


def _length(duration: Duration) -> float:
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, str):
        parts = _PART.findall(duration)
        if not parts or _PART.sub("", duration).strip():
            text = shortened(repr(duration), _SHOWN)
            raise ValueError(f'{text} is not a duration; write "90s", "5h" or "1d 12h"')
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return float(duration)
    except OverflowError:
        return float("inf")
    except TypeError:
        raise ValueError(
            f'a duration is a number of seconds, a timedelta or a text such as "90s", '
            f"not a {type(duration).__name__}"
        ) from None


def spelled(length: float) -> str:
    """Return a number of seconds as `seconds` takes it: "1d 12h", "0s"."""
    left, parts = round(length * 1000), []
    for unit in ("d", "h", "m", "s", "ms"):
        number, left = divmod(left, round(_UNITS[unit] * 1000))
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"


@dataclass(slots=True)
class Answer:
    """The whole answer to a call of a task.

    `response`: what the service said to the request, for callbacks and jobs (TaskSubmitted).
    `output`, or `error` and `cause`: how the task ends, `after` seconds of modelled time. Neither:
    nobody answers, and the task's timeout or heartbeat decides.
    """

    output: Any = ABSENT
    failed: bool = False
    error: str | None = None
    cause: str | None = None
    after: float = 0.0
    response: Any = ABSENT
    accepted: bool = True
    """False: not even the request of a callback or job was answered (no TaskSubmitted)."""
    final: bool = False
    """The failure is neither retried nor caught: the run is set up wrong."""
    heartbeat: float | None = None
    """The seconds between the task's heartbeats, sent until it is over; None: there are none."""

    def __post_init__(self) -> None:
        """Raise TypeError or ValueError where whoever made it can see what to change."""
        if self.error is not None or self.cause is not None:
            check_failure(self.error, self.cause)
        if self.after:
            object.__setattr__(self, "after", seconds(self.after))


def check_failure(error: object, cause: object) -> None:
    """Raise TypeError unless error and cause are what a history can hold: texts, or None."""
    for name, value in (("error", error), ("cause", cause)):
        if value is not None and not isinstance(value, str):
            raise TypeError(
                f"the {name} of a failure is a text or None, not a {type(value).__name__}; "
                "write json.dumps(…) to send a value as JSON, as AWS's services do"
            )


class TaskFailed(Exception):  # noqa: N818  the name that Step Functions has for it
    """A task's failure with an error name and cause of its own; raise it or return it."""

    def __init__(self, error: str | None, cause: str | None = None, after: Duration = 0) -> None:
        super().__init__(error, cause)
        self.answer = Answer(failed=True, error=error, cause=cause, after=seconds(after))


def answer(output: Any, *, after: Duration = 0, response: Any = ABSENT) -> Answer:
    """Let the task succeed with `output` once `after` has passed on the execution's clock.

    For `.waitForTaskToken` this is the callback, for `.sync` the end of the job; `response` is what
    the service answers at once to the request itself.
    """
    return Answer(output=output, after=seconds(after), response=response)


def fail(error: str | None, cause: str | None = None, *, after: Duration = 0) -> TaskFailed:
    """Fail the task with `error` and `cause` once `after` has passed: return it or raise it.

    Fact 93.
    """
    return TaskFailed(error, cause, after)


def no_answer(*, response: Any = ABSENT) -> Answer:
    """Leave the task without an answer.

    TimeoutSeconds, HeartbeatSeconds or the execution's timeout decide (fact 101).
    """
    return Answer(response=response)


_OF_THE_CALL = ("SdkHttpMetadata", "SdkResponseMetadata", "ExecutedVersion", "StatusCode")
"""Members of a service's response that each call has of its own."""
_OF_THE_ERROR = ("requestId", "stackTrace", "trace")
"""Members of a Lambda function's error that each call has of its own."""
_REQUEST = re.compile(r"(Request ?(?:ID|Id)): [^;,) ]+")
"""The request's id in the cause of a service's error."""


def comparable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"output"} or {"error", "cause"} without what differs from one call to the next.

    That is the metadata of its request, and the frames of a stack.
    """
    without: dict[str, Any] = {}
    for name, value in answer.items():
        left_out = _OF_THE_CALL if name == "output" else _OF_THE_ERROR
        if name == "cause":
            value = value_of(value)
        if isinstance(value, dict):
            value = {key: member for key, member in value.items() if key not in left_out}
        elif name == "cause" and isinstance(value, str):
            value = _REQUEST.sub(r"\1", value)
        without[name] = value
    return without
