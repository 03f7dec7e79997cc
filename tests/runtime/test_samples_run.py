"""Real workflows run to an end with handlers that know nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import doorstep

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FILES = sorted(SAMPLES.glob("*.json")) if SAMPLES.is_dir() else []


@pytest.mark.skipif(not FILES, reason="../shared/samples is not there")
def test_there_are_samples_to_run() -> None:
    assert len(FILES) == 86


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.removesuffix(".asl.json"))
def test_a_sample_runs_to_its_end_with_stub_handlers(path: Path) -> None:
    execution = doorstep.run(path, {}, handlers={"*": lambda event: {}})
    # That the workflow fails for want of data is an honest end.
    assert execution.status in ("SUCCEEDED", "FAILED", "TIMED_OUT")
    assert [event["id"] for event in execution.history] == list(
        range(1, len(execution.history) + 1)
    )
