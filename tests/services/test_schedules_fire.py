"""Rules with schedules and schedules of the Scheduler start machines while a server runs.

Sources: EventBridge's user guide ("Creating a rule that runs on a schedule"), the Scheduler's user
guide ("Schedule types", "Managing targets", "Adding context attributes"), SAM's event types.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep.project import at_work, open_project
from doorstep.services import Target
from doorstep.services.scheduler import Scheduler
from doorstep.services.target import wsgi
from doorstep_cli.main import cli

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'doorstep[local]'")
pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")
emulator = pytest.importorskip("doorstep_emulator", reason="doorstep[server] is not installed")
requests = pytest.importorskip("doorstep_emulator.requests")

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: flow
      Events:
        Daily: {Type: Schedule, Properties: {Schedule: cron(0 6 * * ? *), Input: '{"by": "rule"}'}}
        Twice:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(12 hours), Input: '{"by": "scheduler"}'}
        Never: {Type: Schedule, Properties: {Schedule: rate(1 minute), Enabled: false}}
        NeverToo: {Type: Schedule, Properties: {Schedule: rate(1 minute), State: DISABLED}}
      Definition: {StartAt: W, States: {W: {Type: Wait, Seconds: 60, End: true}}}
  Message:
    Type: AWS::Scheduler::Schedule
    Properties:
      ScheduleExpression: cron(30 9 * * ? *)
      ScheduleExpressionTimezone: America/New_York
      FlexibleTimeWindow: {Mode: 'OFF'}
      Target:
        Arn: !GetAtt Jobs.Arn
        RoleArn: arn:aws:iam::123456789012:role/x
        Input: '{"at": "<aws.scheduler.scheduled-time>", "by": "<aws.scheduler.schedule-arn>"}'
"""
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:flow"
ROLE = "arn:aws:iam::123456789012:role/x"


class Served:
    """A server with the template, and clients of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url)

    def skip(self, by: str) -> list[str]:
        """Skip; return what fired, each with its time of the day."""
        result = CliRunner().invoke(cli, ["skip", by, "--endpoint", self.url])
        assert result.exit_code == 0, result.output
        return [line[11:] for line in result.stdout.splitlines() if "  " in line]

    def ended(self, number: int) -> list[tuple[str, Any]]:
        """Wait for executions; return when they started, and with what."""
        sfn = self.client("stepfunctions")
        for _ in range(600):
            listed = sfn.list_executions(stateMachineArn=ARN, statusFilter="SUCCEEDED")
            found = listed["executions"]
            if len(found) >= number:
                break
            time.sleep(0.05)
        described = [sfn.describe_execution(executionArn=one["executionArn"]) for one in found]
        starts = [(one["startDate"].astimezone(UTC), json.loads(one["input"])) for one in described]
        return [(f"{at:%H:%M:%S}", value) for at, value in sorted(starts, key=lambda one: one[0])]

    def messages(self) -> list[Any]:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in received]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    with ExitStack() as until_end:

        def start(template: str = TEMPLATE, clock: str = "virtual") -> Served:
            (tmp_path / "template.yaml").write_text(template)
            project = open_project(tmp_path, {})
            target, printed = Target("moto"), list[str]()
            options = emulator.Options()
            machines = requests.ServerMachines(options.owner)
            around = until_end.enter_context(
                at_work(project, target, lambda *line: printed.append(str(line)), machines=machines)
            )
            assert not around.omissions
            deployments = [
                emulator.Deployment(name, json.dumps(one.document.definition), one.type)
                for name, one in project.machines.items()
            ]
            account = around.services.account
            url = until_end.enter_context(
                emulator.running(
                    emulator.Options(
                        port=0,
                        clock=clock,
                        deployments=deployments,
                        handlers=list(around.services.sources),
                        machines=machines,
                        others=account.before(wsgi()),
                        scheduler=Scheduler(target, account),
                    )
                )
            )
            return Served(url)

        yield start


def until(served: Served, moment: str) -> str:
    """The time to skip until a time of tomorrow, in UTC."""
    result = CliRunner().invoke(cli, ["skip", "0", "--endpoint", served.url])
    now = datetime.fromisoformat(result.stderr.split("It is ")[1].split(" now")[0])
    hour, minute = map(int, moment.split(":"))
    left = now.replace(hour=hour, minute=minute, second=0).timestamp() + 86_400 - now.timestamp()
    return str(int(left))


def test_a_templates_schedules_start_its_machine_at_their_times(
    serve: Callable[..., Served],
) -> None:
    served = serve(TEMPLATE.replace("rate(12 hours)", "cron(15 17 * * ? *)"))
    served.skip(until(served, "00:00"))
    before = len(served.ended(0))
    # America/New_York is five hours behind UTC in winter, four in summer.
    fired = served.skip("24h")
    [message] = [one for one in fired if "Message" in one]
    assert message in ("14:30:00Z  Message", "13:30:00Z  Message")
    assert [one for one in fired if one != message] == [
        "06:00:00Z  FlowDaily",
        "17:15:00Z  FlowTwice",
    ]
    started = served.ended(before + 2)[before:]
    assert started == [("06:00:00", {"by": "rule"}), ("17:15:00", {"by": "scheduler"})]
    last = served.messages()[-1]
    assert last["at"][10:] == f"T{message[:9]}"
    assert last["by"] == "arn:aws:scheduler:us-east-1:123456789012:schedule/default/Message"


EMPTY = """
Resources:
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Flow:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: flow
      DefinitionString: '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}'
"""


def test_a_rule_that_code_makes_gives_the_scheduled_event(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY)
    events = served.client("events")
    rule = events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")["RuleArn"]
    events.put_targets(Rule="hourly", Targets=[{"Id": "1", "Arn": ARN, "RoleArn": ROLE}])
    assert [one[11:] for one in served.skip("2h")] == ["hourly"] * 2
    started = served.ended(2)
    for at, event in started:
        assert event["time"][11:19] == at
        assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
        assert (event["resources"], event["detail"]) == ([rule], {})
    events.disable_rule(Name="hourly")
    assert served.skip("5h") == []


def schedule(served: Served, expression: str, arn: str, **more: Any) -> None:
    target = {"Arn": arn, "RoleArn": ROLE} | more.pop("Target", {})
    window = {"Mode": "OFF"}
    served.client("scheduler").create_schedule(
        Name="s", ScheduleExpression=expression, FlexibleTimeWindow=window, Target=target, **more
    )


def test_a_schedule_for_once_fires_once_and_goes(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY)
    moment = datetime.fromtimestamp(time.time() + 7_200, UTC)
    expression = f"at({moment:%Y-%m-%dT%H:%M:%S})"
    schedule(served, expression, ARN, ActionAfterCompletion="DELETE")
    assert served.skip("1h") == []
    assert served.skip("2h") == [f"{moment:%H:%M:%S}Z  s"]
    [(at, event)] = served.ended(1)
    assert at == f"{moment:%H:%M:%S}"
    assert event["source"] == "aws.scheduler"
    assert served.client("scheduler").list_schedules()["Schedules"] == []


def test_a_universal_target_calls_its_api(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY)
    members = {"StateMachineArn": ARN, "Input": '{"n": 1}'}
    target = {"Input": json.dumps(members)}
    schedule(served, "rate(1 day)", "arn:aws:scheduler:::aws-sdk:sfn:startExecution", Target=target)
    served.skip("25h")
    assert [value for _, value in served.ended(1)] == [{"n": 1}]


def test_an_expression_that_changes_counts_anew(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY)
    events = served.client("events")
    events.put_rule(Name="r", ScheduleExpression="rate(1 hour)")
    served.skip("30m")
    events.put_rule(Name="r", ScheduleExpression="rate(2 hours)")
    assert served.skip("119m") == []
    assert len(served.skip("2m")) == 1


def test_what_would_fire_too_often_is_not_skipped(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY)
    served.client("events").put_rule(Name="r", ScheduleExpression="rate(1 minute)")
    result = CliRunner().invoke(cli, ["skip", "30d", "--endpoint", served.url])
    assert result.exit_code == 2
    assert "more than 10,000 times; skip less" in result.stderr


@pytest.mark.parametrize("by", ["a while", "-1", ""])
def test_what_is_no_time_is_refused(serve: Callable[..., Served], by: str) -> None:
    result = CliRunner().invoke(cli, ["skip", "--endpoint", serve(EMPTY).url, "--", by])
    assert result.exit_code == 2
    assert "is not a duration" in result.stderr or "can't be" in result.stderr


def test_real_time_is_not_skipped(serve: Callable[..., Served]) -> None:
    served = serve(EMPTY, clock="real")
    result = CliRunner().invoke(cli, ["skip", "1h", "--endpoint", served.url])
    assert result.exit_code == 2
    assert "--clock virtual" in result.stderr


def test_schedules_fire_as_fast_as_the_clock_runs(serve: Callable[..., Served]) -> None:
    served = serve(clock="3600", template=TEMPLATE.replace("rate(12 hours)", "rate(1 hour)"))
    # An hour takes a second.
    assert served.ended(1)


def test_a_bucket_may_be_called_like_a_page_of_the_server(serve: Callable[..., Served]) -> None:
    s3 = serve(EMPTY).client("s3")
    for name in ("health", "skip", "metrics-of-may", "console"):
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="callback/k", Body=b"x")
        assert s3.get_object(Bucket=name, Key="callback/k")["Body"].read() == b"x"
