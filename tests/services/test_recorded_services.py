"""What AWS was recorded answering to calls of services, asked of moto through the bridge.

Compared are the ends of all tasks: error, cause, result. Not compared is what moto can't have:
ids, moments and the headers of responses (docs/projects.md, "What differs from AWS"). Left out are
calls of Step Functions itself, and callbacks, whose other end the recordings don't have.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.services import AtWork, services_at_work

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")

CASES = Path(__file__).parents[3] / "shared" / "corpus" / "cases"
_NAMED = r"(aws-sdk:)?(dynamodb|s3|secretsmanager|sns|events):\w+\""
SERVICES = re.compile(f"arn:aws:states:::{_NAMED}")
OTHERS = re.compile(f"arn:aws:states:::(?!{_NAMED})")


def cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*get_execution_history*.json")) if CASES.is_dir() else ():
        text = file.read_text("utf-8")
        case = json.loads(text)
        definition = json.dumps(case["definition"])
        if SERVICES.search(definition) and not OTHERS.search(definition):
            # moto's account, and a name that the recording has masked.
            yield pytest.param(
                json.loads(
                    text.replace("111111111111", "123456789012").replace(
                        "<test-table>", "test-table"
                    )
                ),
                id=case["id"][:70],
            )


@pytest.fixture
def services() -> Iterator[AtWork]:
    with services_at_work("moto") as services:
        yield services


def prepare(services: AtWork, name: str, given: dict[str, Any]) -> None:
    """Make what was there when the case was recorded: the error cases are about what was not."""
    if "TableName" in given and "no_such_table" not in name and "invalid" not in name:
        services.client("dynamodb").create_table(
            TableName=given["TableName"],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    if "TopicArn" in given and "error_topic" not in name:
        services.client("sns").create_topic(Name=given["TopicArn"].rpartition(":")[2])
    if "Bucket" in given and "no_such_bucket" not in name:
        services.client("s3").create_bucket(Bucket=given["Bucket"])


ID = re.compile(
    r",? ?(Extended )?Request ID: [^;,)]+|<uuid:\d+>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-\w{12}"
)


def comparable(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: comparable(one)
                for name, one in value.items()
                if name not in ("AllHttpHeaders", "HttpHeaders", "SdkResponseMetadata", "EventId")
            }
        case list():
            return [comparable(one) for one in value]
        case str():
            return ID.sub("", value)
    return value


def ends(events: list[dict[str, Any]]) -> list[Any]:
    """The ends of tasks: their type, and what they ended with."""
    found = []
    for event in events:
        if event["type"] in ("TaskSucceeded", "TaskFailed"):
            [details] = [one for name, one in event.items() if name.endswith("Details")]
            values = {}
            for name in ("error", "cause", "output"):
                value = details.get(name)
                with contextlib.suppress(ValueError):
                    value = json.loads(value) if isinstance(value, str) else value
                values[name] = comparable(value)
            found.append((event["type"], values))
    return found


@pytest.mark.skipif(not CASES.is_dir(), reason="the recordings are not here: ../shared/corpus")
@pytest.mark.parametrize("case", list(cases()))
def test_moto_answers_through_the_bridge_as_aws_was_recorded(case: Any, services: AtWork) -> None:
    prepare(services, case["id"], case["input"])
    execution = doorstep.run(case["definition"], case["input"], services=services)
    recorded = case["recorded"]
    expected = ends(recorded if isinstance(recorded, list) else recorded["events"])
    assert ends(execution.history) == expected


@pytest.mark.skipif(not CASES.is_dir(), reason="the recordings are not here: ../shared/corpus")
def test_most_recorded_cases_of_services_are_asked() -> None:
    assert len(list(cases())) == 36
