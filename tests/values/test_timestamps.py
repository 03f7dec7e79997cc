"""Timestamps: what counts as one, to the nanosecond, and how they are shown."""

from __future__ import annotations

import pytest

from doorstep.values.timestamps import format_timestamp, in_utc, isoformat, parse_timestamp


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("1970-01-01T00:00:00.5Z", (0, 500_000_000)),
        ("1970-01-01T00:00:00.000000001Z", (0, 1)),
        ("1970-01-01T00:00:00.123456789Z", (0, 123_456_789)),
        ("1970-01-01T01:00:00+01:00", (0, 0)),
        ("1969-12-31T19:00:00-05:00", (0, 0)),
        ("1970-01-01T18:00:00+18:00", (0, 0)),
        ("1969-12-31T23:59:59.250Z", (-1, 250_000_000)),
        ("2001-09-09T01:46:40Z", (1_000_000_000, 0)),
        ("2024-02-29T00:00:00Z", (1_709_164_800, 0)),
    ],
)
def test_a_timestamp_is_read_to_the_nanosecond(text: str, moment: tuple[int, int]) -> None:
    assert parse_timestamp(text) == moment


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (-62135596800, "0001-01-01T00:00:00+00:00"),
        (-86400.5, "1969-12-30T23:59:59.500000+00:00"),
        (32535216000, "3001-01-01T00:00:00+00:00"),
        (253402300799.999, "9999-12-31T23:59:59.999000+00:00"),
    ],
)
def test_every_year_of_the_calendar_is_shown_on_every_system(at: float, text: str) -> None:
    # Expected: `date -u -d @SECONDS`. Windows' gmtime_s knows 1970 to 3000.
    assert in_utc(at).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        # Recorded as refused: test_wait_timestamp_invalid and test_wait_timestamp_path.
        "2016-12-05 21:29:29Z",
        "2016-12-05T21:29:29",
        "2016-13-05T21:29:29Z",
        "2016-12-05T25:29:29Z",
        "05-12-2016T21:29:29Z",
        # RFC 3339 with upper-case T and Z.
        "2016-12-05t21:29:29Z",
        "2016-12-05T21:29:29z",
        # Offsets that Java has not (fact 268).
        "2016-12-05T21:29:29+18:01",
        "2016-12-05T21:29:29-19:00",
        "2016-12-05T21:29:29+05:60",
        "2016-12-05",
        "2023-02-29T00:00:00Z",
        "2016-12-05T21:29:29,5Z",
        "2016-12-05T21:29.5Z",
        "2016-12-05T21:29:29.Z",
        "2016-12-05T21:29:29.1234567890Z",
        " 2016-12-05T21:29:29Z",
        "2016-12-05T21:29:29Z\n",
        "２０16-12-05T21:29:29Z",
        "",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_735_689_600.25, "2025-01-01T00:00:00.250Z"),
        (1_735_689_600.0004, "2025-01-01T00:00:00Z"),
    ],
)
def test_the_context_object_shows_milliseconds_unless_they_are_zero(at: float, text: str) -> None:
    assert format_timestamp(at) == text


def test_a_history_always_shows_milliseconds_and_the_offset() -> None:
    assert isoformat(1_735_689_600.0) == "2025-01-01T00:00:00.000+00:00"
    assert isoformat(1_735_689_599.9996) == "2025-01-01T00:00:00.000+00:00"
