"""What a handler may say besides its result, and how it says how long."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

import doorstep
from doorstep.runtime.answers import seconds, spelled
from doorstep.values.json_values import ABSENT


@pytest.mark.parametrize(
    ("duration", "length"),
    [
        (0, 0.0),
        (90, 90.0),
        (1.5, 1.5),
        (timedelta(days=1, seconds=1), 86_401.0),
        ("90s", 90.0),
        ("250ms", 0.25),
        ("5h", 18_000.0),
        ("1h 30m", 5_400.0),
        ("1d12h", 129_600.0),
        ("2w", 1_209_600.0),
        ("0.5 m", 30.0),
    ],
)
def test_a_duration_in_seconds(duration: Any, length: float) -> None:
    assert seconds(duration) == length


@pytest.mark.parametrize(
    ("length", "duration"),
    [
        (0, "0s"),
        (90, "1m 30s"),
        (18_006, "5h 6s"),
        (129_600, "1d 12h"),
        (1_209_600, "14d"),
        (0.25, "250ms"),
        (59.9996, "1m"),
    ],
)
def test_a_length_is_spelled_as_it_is_read(length: float, duration: str) -> None:
    assert spelled(length) == duration
    assert seconds(duration) == pytest.approx(length, abs=0.0005)


@pytest.mark.parametrize(
    "duration",
    [
        *("", "soon", "5", "5 hours", "h", "-5s", "5h and more", "9" * 5_000 + "s"),
        *(-1, -0.5, math.inf, math.nan, 10**400, 1e300, b"5s", None, {}),
    ],
)
def test_what_is_no_duration(duration: Any) -> None:
    with pytest.raises(ValueError):
        seconds(duration)


def test_the_message_says_how_to_write_a_duration() -> None:
    with pytest.raises(ValueError, match='write "90s", "5h" or "1d 12h"'):
        doorstep.answer(None, after="a while")


def test_null_is_an_answer_and_nothing_is_none() -> None:
    assert doorstep.answer(None).output is None
    assert doorstep.no_answer().output is ABSENT


def test_a_failure_is_raised_or_returned() -> None:
    failed = doorstep.fail("CardDeclined", "no funds", after="2m")
    assert isinstance(failed, Exception)
    assert (failed.answer.failed, failed.answer.error, failed.answer.cause) == (
        True,
        "CardDeclined",
        "no funds",
    )
    assert failed.answer.after == 120.0


@pytest.mark.parametrize("after", [math.nan, -1, 1e300])
def test_an_answer_made_by_hand_has_a_duration_too(after: float) -> None:
    with pytest.raises(ValueError, match="a duration can't be"):
        doorstep.runtime.answers.Answer(output=1, after=after)
