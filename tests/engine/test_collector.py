"""The garbage collector is left as it was found.

That fewer collections keep long runs linear is measured by `python benchmarks`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import doorstep
from doorstep.engine import seldom_collected

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_a_run_leaves_it_as_it_was_also_when_handlers_run_others() -> None:
    seen = []

    def work(event: object) -> object:
        doorstep.run(PASS)
        seen.append(gc.get_threshold())
        return event

    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task["Parameters"] = {"FunctionName": "work"}  # type: ignore[assignment]
    doorstep.run({"StartAt": "T", "States": {"T": task}}, handlers={"work": work})
    assert seen[0][0] > 700
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [(0, 10, 10), (100_000, 5, 5)])
def test_who_collects_never_or_seldom_is_left_alone(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with seldom_collected():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_what_a_handler_sets_stays() -> None:
    with seldom_collected():
        gc.set_threshold(1_234, 5, 6)
    assert gc.get_threshold() == (1_234, 5, 6)
