"""Optimized and `aws-sdk:` integrations: two families that spell and fail differently.

Optimized integrations behave as Java's SDK 1, `aws-sdk:` ones as its SDK 2; nearly all differences
follow from that. Recorded on AWS for lambda, dynamodb, sqs, sns, events, states, s3 and
secretsmanager; users' reports for ssm, rds, batch, glue and athena; the rest after the SDKs' rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..model.api_models import java, pascal


class Names(NamedTuple):
    """What a service is called."""

    prefix: str
    """Before the error's name: `DynamoDB`."""
    base: str
    """The error that stands for all that the model does not name: `AmazonDynamoDBException`."""
    shown: str
    """In `(Service: …)` of a cause: `AmazonDynamoDBv2`."""


_OPTIMIZED = {
    "apigateway": Names("ApiGateway", "AmazonApiGatewayException", "AmazonApiGateway"),
    "athena": Names("Athena", "AmazonAthenaException", "AmazonAthena"),
    "batch": Names("Batch", "AWSBatchException", "AWSBatch"),
    "codebuild": Names("CodeBuild", "AWSCodeBuildException", "AWSCodeBuild"),
    "dynamodb": Names("DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2"),
    "ecs": Names("ECS", "AmazonECSException", "AmazonECS"),
    "events": Names("EventBridge", "AmazonCloudWatchEventsException", "AmazonCloudWatchEvents"),
    "glue": Names("Glue", "AWSGlueException", "AWSGlue"),
    "lambda": Names("Lambda", "AWSLambdaException", "AWSLambda"),
    "sagemaker": Names("SageMaker", "AmazonSageMakerException", "AmazonSageMaker"),
    "sns": Names("SNS", "AmazonSNSException", "AmazonSNS"),
    "sqs": Names("SQS", "AmazonSQSException", "AmazonSQS"),
    "states": Names("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
}
_SDK = {
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "codebuild": "CodeBuild",
    "cognitoidentityprovider": "CognitoIdentityProvider",
    "dynamodb": "DynamoDb",
    "ecr": "Ecr",
    "eventbridge": "EventBridge",
    "secretsmanager": "SecretsManager",
    "servicequotas": "ServiceQuotas",
    "rdsdata": "RdsData",
    "redshiftdata": "RedshiftData",
    "sagemaker": "SageMaker",
    "sfn": "Sfn",
}
_BASE_ONLY = {"sqs"}
"""Optimized integrations that know no error but the one for all (recorded for MissingParameter)."""
_PLAIN = {
    "x-amzn-requestid": "x-amzn-RequestId",
    **{name.lower(): name for name in ("Content-Length", "Content-Type", "Date")},
}
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "dynamodb": {**_PLAIN, "server": "Server", "connection": "Connection"},
    "ecs": _PLAIN,
    "sns": _PLAIN,
    "sqs": _PLAIN,
    "states": _PLAIN,
}
"""How the services of optimized integrations write their headers, which botocore lowers."""
_BARE = {"apigateway:invoke", "events:putEvents", "http:invoke"}
"""Optimized integrations whose result has no metadata of the SDK (recorded)."""


class Family(NamedTuple):
    """How one service's integration spells, and what it is called in errors."""

    sdk: bool
    service: str
    """As in the resource: `dynamodb`, `sfn`."""

    def names(self) -> Names:
        """Return what the service is called in errors."""
        if not self.sdk:
            own = pascal(self.service)
            return _OPTIMIZED.get(self.service) or Names(own, f"Amazon{own}Exception", own)
        prefix = _SDK.get(self.service) or pascal(self.service)
        return Names(prefix, f"{prefix}Exception", prefix)

    def spell(self, name: str) -> str:
        """Return a member's name as results have it: `MD5OfMessageBody`, or `Md5OfMessageBody`."""
        return java(name) if self.sdk else pascal(name)

    def has_metadata(self, action: str) -> bool:
        """Return whether a result carries SdkHttpMetadata and SdkResponseMetadata."""
        return not self.sdk and action not in _BARE

    def has_errors(self) -> bool:
        """Return whether the service's errors have names of their own here."""
        return self.sdk or self.service not in _BASE_ONLY

    def headers(self, received: Mapping[str, Any]) -> dict[str, str]:
        """Return headers with the names that the service sends (recorded)."""
        names = _HEADERS.get(self.service, {})
        return {names.get(name.lower(), name): str(value) for name, value in received.items()}

    def cause(self, message: str, code: str, response: Mapping[str, Any]) -> str:
        """Return a cause in the words of the family's SDK."""
        meta = response.get("ResponseMetadata", {})
        status, request = meta.get("HTTPStatusCode", 400), meta.get("RequestId", "")
        shown = self.names().shown
        if self.sdk:
            text = message or f"Service returned error code {code}"
            return f"{text} (Service: {shown}, Status Code: {status}, Request ID: {request})"
        return (
            f"{message or 'null'} (Service: {shown}; Status Code: {status}; "
            f"Error Code: {code}; Request ID: {request}; Proxy: null)"
        )


def compact(value: Any) -> str:
    """Return a value as the JSON text that is sent where a service wants text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
