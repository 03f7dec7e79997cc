"""What mocks answer in place of services, compared with the models of the services."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import doorstep
from doorstep.model.resource import integration
from doorstep.testing.mock_files import read_test_case
from doorstep.testing.mocks import Mocks, Validation, mock
from doorstep.testing.service_models import problems
from doorstep_cli.main import cli

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "cases"
pytest.importorskip("botocore", reason="the service models come with botocore")


def told(action: str, result: Any) -> list[str]:
    return list(problems(integration(f"arn:aws:states:::{action}"), result))


def call(action: str) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{action}", "Parameters": {}}


# Shapes: the service models' own, and Step Functions' casing of their members; `Bool` and `Nul`
# within, `BOOL` and `NULL` at the top: boto3#4253, aws-sdk-js#4294.
@pytest.mark.parametrize(
    ("action", "result"),
    [
        ("dynamodb:getItem", {"Item": {"id": {"S": "a"}, "n": {"N": "1"}}}),
        ("dynamodb:getItem", {}),
        ("dynamodb:getItem", {"Item": {"a": {"M": {"b": {"Bool": True}, "c": {"Nul": True}}}}}),
        ("dynamodb:getItem", {"Item": {"a": {"BOOL": True}, "b": {"NULL": True}}}),
        ("aws-sdk:rds:describeDBInstances", {"DbInstances": [{"DbInstanceStatus": "a"}]}),
        ("aws-sdk:sqs:sendMessage", {"Md5OfMessageBody": "x"}),
        ("aws-sdk:s3:getObject", {"ETag": "x", "SsekmsKeyId": "k"}),
        ("aws-sdk:s3:headBucket", {"BucketRegion": "eu-west-1"}),
        ("aws-sdk:s3:listObjectsV2", {"Contents": [{"Key": "a", "Size": 1}]}),
        ("sqs:sendMessage", {"MessageId": "m", "MD5OfMessageBody": "x"}),
        ("sqs:sendMessage", {"MessageId": "m", "SdkHttpMetadata": {}, "SdkResponseMetadata": {}}),
        ("lambda:invoke", {"StatusCode": 200, "Payload": {"any": "thing"}}),
        ("states:startExecution", {"ExecutionArn": "a", "StartDate": "2025-01-01T00:00:00Z"}),
        ("ecs:runTask", {"Tasks": [{"TaskArn": "a", "Containers": []}], "Failures": []}),
        ("sqs:sendMessage.waitForTaskToken", {"any": "callback"}),
        ("batch:submitJob.sync", {"any": "job"}),
        ("apigateway:invoke", {"any": "body"}),
        ("aws-sdk:nosuchservice:doIt", {"any": "thing"}),
    ],
)
def test_an_answer_of_the_services_shape_is_taken(action: str, result: Any) -> None:
    assert told(action, result) == []


@pytest.mark.parametrize(
    ("action", "result", "problem"),
    [
        ("sqs:sendMessage", {"MesageId": "m"}, "did you mean 'MessageId'?"),
        ("sqs:sendMessage", {"messageId": "m"}, "did you mean 'MessageId'?"),
        ("sqs:sendMessage", {"MessageId": 1}, "Field 'MessageId' must be a string"),
        ("sqs:sendMessage", "sent", "The result must be an object"),
        ("dynamodb:getItem", {"Item": {"n": {"N": 1}}}, "Field 'N' must be a string"),
        ("dynamodb:getItem", {"Item": {"n": 1}}, "Field 'n' must be an object"),
        ("dynamodb:getItem", {"Item": {"n": {"X": "1"}}}, "Field 'X' is not one of the service's"),
        ("aws-sdk:s3:headBucket", {"Region": "a"}, "there are BucketArn, "),
        ("aws-sdk:s3:listObjectsV2", {"Contents": {}}, "Field 'Contents' must be an array"),
        ("aws-sdk:s3:listObjectsV2", {"Contents": [{"Size": "1"}]}, "'Size' must be a number"),
        ("aws-sdk:rds:describeDBInstances", {"DbInstances": {}}, "must be an array"),
        ("aws-sdk:bedrockruntime:converse", {"Output": 1}, "'Output' must be an object"),
        ("aws-sdk:cloudwatchlogs:describeLogGroups", {"LogGroups": 1}, "must be an array"),
        ("aws-sdk:elasticloadbalancingv2:describeRules", {"Rules": {}}, "must be an array"),
        ("states:startExecution", {"StartDate": "d"}, "Required field 'ExecutionArn' is missing"),
        ("lambda:invoke", {"Paylod": {}}, "did you mean 'Payload'?"),
    ],
)
def test_an_answer_of_another_shape_is_told(action: str, result: Any, problem: str) -> None:
    assert any(problem in one for one in told(action, result))


def run(chain: Callable[..., Any], answers: Validation) -> tuple[Mocks, doorstep.Execution]:
    saved = [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}]
    send = {**call("sqs:sendMessage"), "Catch": saved, "End": True}
    send["Parameters"] = {"QueueUrl": "q", "MessageBody": "b"}
    mocks = Mocks(mock("Send", {"MesageId": "m"}), mock_validation=answers)
    return mocks, mocks.run(chain({"Send": send, "Saved": {"Type": "Pass"}}))


def test_strict_fails_the_execution_past_every_catcher(chain: Callable[..., Any]) -> None:
    _, execution = run(chain, "strict")
    assert execution.error == "Doorstep.MockInvalid"
    assert "sqs:sendMessage does not answer so: Field 'MesageId'" in (execution.cause or "")


def test_warn_tells_and_goes_on(chain: Callable[..., Any]) -> None:
    mocks, execution = run(chain, "warn")
    assert execution.output == {"MesageId": "m"}
    [remark] = mocks.remarks()
    assert remark.startswith("the mock of the state 'Send': sqs:sendMessage does not answer so")


def test_off_does_not_look(chain: Callable[..., Any]) -> None:
    mocks, execution = run(chain, "off")
    assert execution.output == {"MesageId": "m"}
    assert mocks.remarks() == []


def test_a_mock_configuration_is_looked_at_as_well(
    tmp_path: Path, chain: Callable[..., Any]
) -> None:
    config = {
        "StateMachines": {"M": {"TestCases": {"Case": {"Invoke": "One"}}}},
        "MockedResponses": {"One": {"0": {"Return": {"Payload": 1, "StatusCode": "200"}}}},
    }
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(config))
    invoke = {**call("lambda:invoke"), "Parameters": {"FunctionName": "f"}}
    cases = read_test_case(tmp_path / "MockConfigFile.json", "Case")
    execution = Mocks(*cases, mock_validation="strict").run(chain({"Invoke": invoke}))
    assert "Field 'StatusCode' must be a number" in (execution.cause or "")
    lenient = Mocks(*cases)
    assert lenient.run(chain({"Invoke": invoke})).status == "SUCCEEDED"
    assert "Field 'StatusCode' must be a number" in lenient.doubts[0]


def test_the_command_line_has_the_switch(tmp_path: Path, chain: Callable[..., Any]) -> None:
    publish = {**call("sns:publish"), "Parameters": {"TopicArn": "t", "Message": "m"}}
    (tmp_path / "m.asl.json").write_text(json.dumps(chain({"Tell": publish})))
    (tmp_path / "mocks.yaml").write_text("mocks: [{state: Tell, answer: {MessageId: 1}}]")
    command = ["run", str(tmp_path / "m.asl.json"), "--mocks", str(tmp_path / "mocks.yaml")]
    strict = CliRunner().invoke(cli, command)
    assert strict.exit_code == 2
    assert "Field 'MessageId' must be a string" in strict.stderr
    warned = CliRunner().invoke(cli, [*command, "--mock-validation", "warn"])
    assert (warned.exit_code, warned.stdout) == (0, '{"MessageId":1}\n')
    assert "Field 'MessageId' must be a string" in warned.stderr


def test_botocore_is_loaded_only_for_an_answer_in_place_of_a_service() -> None:
    program = """
import sys
from doorstep.testing.mocks import Mocks, mock
work = {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f"}
definition = {"StartAt": "Work", "States": {"Work": {**work, "End": True}}}
assert Mocks(mock("Work", 1)).run(definition).output == 1
print("botocore" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "False\n", ran.stderr


# Recorded on AWS -----------------------------------------


def recorded() -> Iterator[tuple[str, str, Any]]:
    """What services were recorded answering: the case, the action, the answer."""
    for file in sorted(CORPUS.glob("*get_execution_history*.json")):
        for event in json.loads(file.read_text("utf-8"))["recorded"].get("events", ()):
            details = event.get("taskSucceededEventDetails", {})
            if isinstance(details.get("output"), dict):
                yield (
                    file.stem,
                    f"{details['resourceType']}:{details['resource']}",
                    details["output"],
                )


@pytest.mark.skipif(not CORPUS.exists(), reason="the recordings of AWS are not here")
def test_what_aws_was_recorded_answering_is_taken() -> None:
    answers = list(recorded())
    assert len(answers) > 30
    assert [(case, told(*answer)) for case, *answer in answers if told(*answer)] == []
