"""Clocks that start freezegun once show the modelled time in handlers, the real one between."""

from __future__ import annotations

import datetime
import time

import pytest

import doorstep
from doorstep.testing.clock import SimulatedClock, freezing_once

pytest.importorskip("freezegun")
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}
WAITING = {"Type": "Wait", "Seconds": 3600, "Next": "A"}
DEFINITION = {"StartAt": "W", "States": {"W": WAITING, "A": TASK}}


def moment(_: object) -> list[object]:
    return [datetime.datetime.now(datetime.UTC).isoformat(), time.time()]


def test_each_run_sees_its_own_time_and_the_real_one_is_shown_between() -> None:
    real, before = datetime.datetime, time.time()
    with freezing_once():
        for _ in range(2):
            clock = SimulatedClock()
            execution = doorstep.start(DEFINITION, handlers={"f": moment}, clock=clock).wait()
            assert execution.output == ["2025-01-01T01:00:00+00:00", 1735693200.0]
            assert before <= time.time() < before + 600
    assert datetime.datetime is real
    assert time.monotonic() < before, "the real clock counts from the machine's start"


def test_nothing_is_started_for_runs_that_call_nobody() -> None:
    real = datetime.datetime
    with freezing_once():
        doorstep.start(
            {"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}, clock=SimulatedClock()
        ).wait()
        assert datetime.datetime is real
