"""What Ref and GetAtt give for each type of resource, and which property names it.

Source: the return values on each resource type's page of CloudFormation's template reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

UNKNOWN = "00000000-0000-4000-8000-000000000000"
"""In place of an id that only a deployment makes."""


class Kind(NamedTuple):
    """What references to a resource type give; `{}` stands for its name."""

    name: str = ""
    """The property that names it; without one it is called as its logical id."""
    arn: str = ""
    """Its ARN after `arn:PARTITION:`; `R` and `A` stand for Region and account."""
    ref: str = "name"
    """What Ref gives: name, arn, or a text of its own."""
    attributes: Mapping[str, str] = {}
    """What GetAtt gives beside Arn: name, arn, or a text of its own."""


_FUNCTION = Kind("FunctionName", "lambda:R:A:function:{}")
_MACHINE = Kind("StateMachineName", "states:R:A:stateMachine:{}", "arn", {"Name": "name"})
_TABLE = Kind(
    "TableName",
    "dynamodb:R:A:table/{}",
    attributes={"StreamArn": "arn:P:dynamodb:R:A:table/{}/stream/2026-01-01T00:00:00.000"},
)
KINDS: Mapping[str, Kind] = {
    "AWS::Athena::WorkGroup": Kind("Name", "athena:R:A:workgroup/{}"),
    "AWS::Batch::ComputeEnvironment": Kind(
        "ComputeEnvironmentName", "batch:R:A:compute-environment/{}", "arn"
    ),
    "AWS::Batch::JobDefinition": Kind("JobDefinitionName", "batch:R:A:job-definition/{}:1", "arn"),
    "AWS::Batch::JobQueue": Kind("JobQueueName", "batch:R:A:job-queue/{}", "arn"),
    "AWS::CodeBuild::Project": Kind("Name", "codebuild:R:A:project/{}"),
    "AWS::DynamoDB::GlobalTable": _TABLE,
    "AWS::DynamoDB::Table": _TABLE,
    "AWS::ECS::Cluster": Kind("ClusterName", "ecs:R:A:cluster/{}"),
    "AWS::ECS::Service": Kind("ServiceName", "ecs:R:A:service/{}", "arn", {"Name": "name"}),
    "AWS::ECS::TaskDefinition": Kind(
        "Family",
        "ecs:R:A:task-definition/{}:1",
        "arn",
        {"TaskDefinitionArn": "arn"},
    ),
    "AWS::Events::ApiDestination": Kind("Name", f"events:R:A:api-destination/{{}}/{UNKNOWN}"),
    "AWS::Events::Connection": Kind(
        "Name",
        f"events:R:A:connection/{{}}/{UNKNOWN}",
        attributes={"SecretArn": "arn:P:secretsmanager:R:A:secret:events!connection/{}"},
    ),
    "AWS::Events::EventBus": Kind("Name", "events:R:A:event-bus/{}", attributes={"Name": "name"}),
    "AWS::Events::Rule": Kind("Name", "events:R:A:rule/{}"),
    "AWS::Glue::Crawler": Kind("Name", "glue:R:A:crawler/{}"),
    "AWS::Glue::Job": Kind("Name", "glue:R:A:job/{}"),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", "iam::A:policy/{}", "arn"),
    "AWS::IAM::Role": Kind("RoleName", "iam::A:role/{}", attributes={"RoleId": "AROA{}"}),
    "AWS::KMS::Alias": Kind("AliasName", "kms:R:A:{}"),
    "AWS::KMS::Key": Kind("", f"kms:R:A:key/{UNKNOWN}", UNKNOWN, {"KeyId": UNKNOWN}),
    "AWS::Kinesis::Stream": Kind("Name", "kinesis:R:A:stream/{}"),
    "AWS::Lambda::Function": _FUNCTION,
    "AWS::Lambda::LayerVersion": Kind("LayerName", "lambda:R:A:layer:{}:1", "arn"),
    "AWS::Logs::LogGroup": Kind("LogGroupName", "logs:R:A:log-group:{}:*"),
    "AWS::S3::Bucket": Kind(
        "BucketName",
        "s3:::{}",
        attributes={
            "DomainName": "{}.s3.amazonaws.com",
            "RegionalDomainName": "{}.s3.R.amazonaws.com",
            "WebsiteURL": "http://{}.s3-website-R.amazonaws.com",
        },
    ),
    "AWS::SNS::Topic": Kind(
        "TopicName", "sns:R:A:{}", "arn", {"TopicArn": "arn", "TopicName": "name"}
    ),
    "AWS::SQS::Queue": Kind(
        "QueueName",
        "sqs:R:A:{}",
        "https://sqs.R.amazonaws.com/A/{}",
        {"QueueUrl": "https://sqs.R.amazonaws.com/A/{}", "QueueName": "name"},
    ),
    "AWS::SSM::Parameter": Kind("Name", "ssm:R:A:parameter/{}"),
    "AWS::SageMaker::Endpoint": Kind("EndpointName", "sagemaker:R:A:endpoint/{}", "arn"),
    "AWS::Scheduler::Schedule": Kind("Name", "scheduler:R:A:schedule/default/{}"),
    "AWS::SecretsManager::Secret": Kind(
        "Name", "secretsmanager:R:A:secret:{}-a1b2c3", "arn", {"Id": "arn"}
    ),
    "AWS::Serverless::Function": _FUNCTION,
    "AWS::Serverless::LayerVersion": Kind("LayerName", "lambda:R:A:layer:{}:1", "arn"),
    "AWS::Serverless::SimpleTable": _TABLE,
    "AWS::Serverless::StateMachine": _MACHINE._replace(name="Name"),
    "AWS::StepFunctions::Activity": Kind("Name", "states:R:A:activity:{}", "arn", {"Name": "name"}),
    "AWS::StepFunctions::StateMachine": _MACHINE,
}
