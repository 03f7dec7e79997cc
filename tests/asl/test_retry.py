"""Which failure a retrier or catcher takes, and how long a retry waits."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from doorstep.asl.retry import compile_retrier, matches, next_delay
from doorstep.errors import StateFailed

LIMIT = "States.DataLimitExceeded"


def random() -> Random:
    return Random(7)


def delays(retrier: dict[str, object], attempts: int) -> list[float]:
    compiled = compile_retrier({"ErrorEquals": ["States.ALL"], **retrier})
    return [compiled.delay(attempt, random) for attempt in range(attempts)]


@pytest.mark.parametrize(
    ("names", "error", "taken"),
    [
        (["Boom"], "Boom", True),
        (["Boom"], "boom", False),
        (["Other", "Boom"], "Boom", True),
        (["States.ALL"], "Boom", True),
        (["States.ALL"], None, True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.QueryEvaluationError", True),
        # Recorded: test_task_lambda_catch_state_all_data_limit_exceeded.
        (["States.ALL"], LIMIT, True),
        ([LIMIT], LIMIT, True),
        (["States.TaskFailed"], "Boom", True),
        (["States.TaskFailed"], "Lambda.TooManyRequestsException", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], LIMIT, True),  # fact 138
        (["States.TaskFailed"], "States.QueryEvaluationError", False),
        (["States.TaskFailed", "States.QueryEvaluationError"], "States.QueryEvaluationError", True),
        (["States.Timeout"], "States.TaskFailed", False),
    ],
)
def test_a_name_takes_an_error(names: list[str], error: str | None, taken: bool) -> None:
    assert matches(names, StateFailed(error)) is taken


@pytest.mark.parametrize("names", [["States.ALL"], ["States.Runtime"], ["States.TaskFailed"]])
def test_nothing_takes_a_final_failure(names: list[str]) -> None:
    assert not matches(names, StateFailed("States.Runtime", final=True))


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["States.HeartbeatTimeout"], True),
        (["States.Timeout"], True),
        (["States.TaskFailed"], False),
    ],
)
def test_a_missed_heartbeat_has_two_names(names: list[str], taken: bool) -> None:
    failed = StateFailed("States.Timeout", also=("States.HeartbeatTimeout",))
    assert matches(names, failed) is taken


def test_by_default_three_retries_after_one_two_and_four_seconds() -> None:
    retrier = compile_retrier({"ErrorEquals": ["States.ALL"]})
    assert retrier.max_attempts == 3
    assert delays({}, 3) == [1, 2, 4]


def test_the_delay_grows_by_the_back_off_rate() -> None:
    assert delays({"IntervalSeconds": 2, "BackoffRate": 1.5}, 4) == [2, 3, 4.5, 6.75]
    assert delays({"IntervalSeconds": 5, "BackoffRate": 1}, 3) == [5, 5, 5]


def test_an_interval_of_zero_stays_zero() -> None:
    assert delays({"IntervalSeconds": 0}, 3) == [0, 0, 0]


def test_the_delay_stops_at_max_delay_seconds() -> None:
    assert delays({"IntervalSeconds": 3, "MaxDelaySeconds": 10}, 4) == [3, 6, 10, 10]


def test_a_delay_beyond_all_numbers_is_the_longest_one() -> None:
    fast = {"IntervalSeconds": 99_999_999, "BackoffRate": 1e300, "MaxDelaySeconds": 60}
    assert delays(fast, 3)[2] == 60


def test_full_jitter_is_drawn_between_zero_and_the_capped_delay() -> None:
    fields = {"IntervalSeconds": 100, "MaxDelaySeconds": 150, "JitterStrategy": "FULL"}
    retrier = compile_retrier({"ErrorEquals": ["States.ALL"], **fields})
    generator = Random(1)
    drawn = [retrier.delay(5, lambda: generator) for _ in range(200)]
    assert all(0 <= delay <= 150 for delay in drawn)
    # Uniform: the mean of 200 draws is near the middle, and no two are the same.
    assert 60 < sum(drawn) / 200 < 90
    assert len(set(drawn)) == 200


def test_the_first_retrier_that_matches_decides() -> None:
    retriers = [
        compile_retrier({"ErrorEquals": ["Busy"], "MaxAttempts": 1, "IntervalSeconds": 7}),
        compile_retrier({"ErrorEquals": ["States.ALL"], "MaxAttempts": 9, "IntervalSeconds": 2}),
    ]
    used: dict[int, int] = {}
    assert next_delay(used, retriers, StateFailed("Busy"), random) == 7
    assert next_delay(used, retriers, StateFailed("Busy"), random) is None
    assert next_delay(used, retriers, StateFailed("Down"), random) == 2
    assert next_delay(used, retriers, StateFailed("Down"), random) == 4
    assert used == {0: 1, 1: 2}


def test_max_attempts_zero_never_retries() -> None:
    retriers = [compile_retrier({"ErrorEquals": ["States.ALL"], "MaxAttempts": 0})]
    assert next_delay({}, retriers, StateFailed("Boom"), random) is None


def test_no_retrier_matches_no_delay() -> None:
    retriers = [compile_retrier({"ErrorEquals": ["Other"]})]
    used: dict[int, int] = {}
    assert next_delay(used, retriers, StateFailed("Boom"), random) is None
    assert not used


def test_a_redrive_starts_the_counters_of_a_group_again_that_was_under_way(world: Any) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
    branch = {"StartAt": "Work", "States": {"Work": {**task, "End": True}}}
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    both = {"Type": "Parallel", "Branches": [branch], "Retry": retry, "End": True}
    run = world({"StartAt": "Both", "States": {"Both": both}}).start()
    run.fail("Work").pass_time(1)
    run.deliver("stopped").deliver("redriven")
    assert run.fail("Work").pass_time(1).status == "RUNNING"
    assert run.succeed("Work", "done").output == ["done"]
