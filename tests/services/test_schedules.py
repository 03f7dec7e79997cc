"""When schedules are due.

Expected times are those of the examples in EventBridge's user guide ("Cron expressions reference",
"Rate expressions reference"), read off a calendar.
"""

from __future__ import annotations

import sys
import zoneinfo
from datetime import UTC, datetime

import pytest

from doorstep.errors import InputError
from doorstep.services.schedules import schedule


def at(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        # The guide's own examples; 1 January 2026 is a Thursday.
        ("cron(0 10 * * ? *)", "2026-01-01T09:00", ["2026-01-01T10:00", "2026-01-02T10:00"]),
        ("cron(15 12 * * ? *)", "2026-01-01T12:15", ["2026-01-02T12:15"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-01T18:00", ["2026-01-02T18:00", "2026-01-05T18:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-02T00:00", ["2026-02-01T08:00"]),
        ("cron(0/15 * * * ? *)", "2026-01-01T09:50", ["2026-01-01T10:00", "2026-01-01T10:15"]),
        (
            "cron(0/5 8-17 ? * MON-FRI *)",
            "2026-01-01T17:50",
            ["2026-01-01T17:55", "2026-01-02T08:00"],
        ),
        ("cron(0 9 ? * 2#1 *)", "2026-01-01T00:00", ["2026-01-05T09:00", "2026-02-02T09:00"]),
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-01T00:00", ["2026-01-30T10:15"]),
        # 3 January 2026 is a Saturday, 31 January too; 1 August 2026 is one at the month's start.
        ("cron(0 0 3W * ? *)", "2026-01-01T00:00", ["2026-01-02T00:00", "2026-02-03T00:00"]),
        ("cron(0 0 1W AUG ? *)", "2026-01-01T00:00", ["2026-08-03T00:00"]),
        ("cron(0 0 LW * ? *)", "2026-01-01T00:00", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00", ["2026-02-28T00:00", "2026-03-31T00:00"]),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 ? * FRI-MON *)", "2026-01-01T00:00", ["2026-01-02T00:00", "2026-01-03T00:00"]),
        ("cron(0 0 ? * L *)", "2026-01-01T00:00", ["2026-01-03T00:00"]),
        ("cron(1/10 0 1 1 ? 2027)", "2026-01-01T00:00", ["2027-01-01T00:01", "2027-01-01T00:11"]),
        ("at(2026-01-01T10:00:30)", "2026-01-01T10:00", ["2026-01-01T10:00:30"]),
    ],
)
def test_an_expression_is_due_when_the_guide_says(
    expression: str, after: str, due: list[str]
) -> None:
    following, now, times = schedule(expression), at(after), []
    for _ in due:
        found = following(now)
        assert found is not None
        times.append(datetime.fromtimestamp(found, UTC).isoformat()[:19].removesuffix(":00"))
        now = found
    assert times == due


def test_a_rate_counts_from_when_it_was_made() -> None:
    following = schedule("rate(5 minutes)", since=1_000.0)
    assert [following(1_000.0), following(1_299.9), following(1_300.0)] == [1_300, 1_300, 1_600]
    assert schedule("rate(1 hour)", since=0.0)(0.0) == 3_600
    assert schedule("rate(2 days)", since=0.0)(0.0) == 172_800


@pytest.mark.parametrize("expression", ["at(2026-01-01T10:00:00)", "cron(0 0 1 1 ? 2025)"])
def test_what_is_past_is_never_due(expression: str) -> None:
    assert schedule(expression)(at("2026-01-01T10:00")) is None


def test_a_time_zone_moves_with_daylight_saving() -> None:
    # Berlin is an hour ahead of UTC in winter, two in summer (from 29 March 2026 on).
    following = schedule("cron(0 9 * * ? *)", "Europe/Berlin")
    assert following(at("2026-03-28T00:00")) == at("2026-03-28T08:00")
    assert following(at("2026-03-29T00:00")) == at("2026-03-29T07:00")


def test_a_time_that_daylight_saving_leaves_out_is_left_out() -> None:
    # At 02:00 on 29 March 2026 clocks in Berlin go to 03:00.
    following = schedule("cron(30 2 * * ? *)", "Europe/Berlin")
    assert following(at("2026-03-28T12:00")) == at("2026-03-30T00:30")


@pytest.mark.parametrize(
    "expression",
    [
        "every day",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "rate(five minutes)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 10 * FOO ? *)",
        "cron(0/0 10 * * ? *)",
        "at(tomorrow)",
    ],
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(InputError):
        schedule(expression)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(InputError, match="'Mars/Base' is no time zone"):
        schedule("rate(1 day)", "Mars/Base")


def test_a_system_without_time_zones_knows_utc_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on Windows: no folders, and no package, of which a test before may have loaded parts.
    before = zoneinfo.TZPATH
    for name in ("tzdata", *(one for one in sys.modules if one.startswith("tzdata."))):
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert schedule("cron(0 10 * * ? *)")(at("2026-01-01T09:00")) == at("2026-01-01T10:00")
        with pytest.raises(InputError, match=r"'Europe/Berlin' is no time zone; .*install tzdata"):
            schedule("rate(1 day)", "Europe/Berlin")
    finally:
        zoneinfo.reset_tzpath(to=before)
