"""Histories recorded on AWS, over HTTP: each as near to the recording as in process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.engine.messages import TERMINAL
from doorstep.runtime.driver import Respond
from doorstep.values.json_values import dumps
from doorstep_conformance import Case, answer, judge, load_cases
from doorstep_conformance.runner import lay_out, script

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "cases"
ROLE = "arn:aws:iam::111111111111:role/masked"
PARTS = 4
"""So that several processes can share the work."""
ACTIVITY = "activity_arn"
"""The mask in recordings where an activity's ARN stood: it is no ARN, and would be refused."""

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the recorded cases are not there ({CORPUS})"
)


class Served:
    """A server on a virtual clock whose tasks are answered from the case that it is given."""

    def __init__(
        self, aws: Callable[..., Any], bucket: Path, eventually: Callable[..., Any]
    ) -> None:
        self._bucket, self._eventually = bucket, eventually
        self._respond: Respond = script({})
        self._client = aws(
            clock="virtual", s3_root=bucket, respond=lambda *asked: self._respond(*asked)
        )
        self._activity = self._client.create_activity(name="masked")["activityArn"]

    def history(self, case: Case, events: int) -> list[dict[str, Any]]:
        """What GetExecutionHistory shows when the execution has ended, or has that many events."""
        self._respond = script(case.task_outcomes)
        lay_out(case.objects, self._bucket)
        definition = json.dumps(case.definition).replace(ACTIVITY, self._activity)
        machine = self._client.create_state_machine(
            name=case.id[-80:], definition=definition, roleArn=ROLE
        )["stateMachineArn"]
        arn = self._client.start_execution(stateMachineArn=machine, input=dumps(case.input))[
            "executionArn"
        ]
        self._eventually(lambda: self._stands_still(arn, events))
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        shown = json.dumps([event for page in pages for event in page["events"]], default=str)
        told: list[dict[str, Any]] = json.loads(shown.replace(self._activity, ACTIVITY))
        return told

    def _stands_still(self, arn: str, events: int) -> bool:
        last = self._client.get_execution_history(
            executionArn=arn, reverseOrder=True, maxResults=1, includeExecutionData=False
        )["events"][0]
        return last["id"] >= events or last["type"] in TERMINAL


@pytest.fixture(scope="module")
def served(
    aws: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    eventually: Callable[..., Any],
) -> Served:
    return Served(aws, tmp_path_factory.mktemp("bucket"), eventually)


@pytest.mark.parametrize("part", range(PARTS))
def test_over_http_a_history_is_as_near_to_the_recording_as_in_process(
    served: Served, part: int
) -> None:
    cases = [case for case in load_cases(CORPUS) if case.kind == "history"][part::PARTS]
    grades = {}
    for case in cases:
        here = answer(case)
        there = {"events": served.history(case, len(here["events"]))}
        grades[case.id] = judge(case, here).grade, judge(case, there).grade
    assert len(grades) > 50
    assert {case: both for case, both in grades.items() if both[0] != both[1]} == {}
