"""Tasks of AWS services, answered by a target through boto3: moto, an endpoint, or AWS itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ..errors import HandlerLoadError
from ..model.api_models import BOTOCORE, spellings
from ..model.resource import Integration, integration
from ..runtime import Answer, Context, TaskFailed
from .families import Family, compact
from .http_calls import HttpCalls
from .jobs import JOBS
from .moto_differences import (
    Refusal,
    corrected,
    corrected_error,
    failed_entries,
    refusal,
    with_failed,
)
from .shapes import UnknownMemberError, from_botocore, to_botocore
from .target import Target

Parameters = dict[str, Any]
_LOOKS = 10
"""How often a job is looked at. moto moves a job on at each look, or never."""


class Services:
    """A handler of every service's tasks."""

    def __init__(self, target: Target, http: HttpCalls | None = None) -> None:
        """Make no client before it is needed."""
        self._target = target
        self._http = http or HttpCalls(anywhere=target.real)

    def __call__(self, arguments: Any, context: Context) -> Any:
        """Call the service; raise TaskFailed with the error that AWS would show."""
        called = integration(context.resource)
        if called.kind != "service" or called.action == "lambda:invoke":
            return self._function(arguments, context)
        parameters = dict(arguments or {})
        match called.action:
            case "http:invoke":
                return self._http.http_invoke(parameters, context)
            case "apigateway:invoke":
                return self._http.api_gateway_invoke(parameters, context)
        family = _family(called)
        client = self._target.client(self._botocore_name(family.service, called))
        return _Call(self._target, client, called, family, context).answer(parameters)

    def _botocore_name(self, service: str, called: Integration) -> str:
        plain = BOTOCORE.get(service, service).replace("-", "")
        for name in self._target.services:
            if name.replace("-", "") == plain:
                return name
        raise HandlerLoadError(f"botocore has no service for {called.action}")

    def _function(self, event: Any, context: Context) -> Any:
        """Invoke a function that no handler and no code of the project answers.

        moto would need Docker for it: the run is set up wrong.
        """
        name = context.function_name
        if self._target.name == "moto":
            cause = (
                f"The state '{context.state_name}' calls the function {name}, and nothing answers "
                f"it: no handler, and no code of a project. Write a function {name} in a file "
                f"given by --handlers, mark one with @doorstep.handler({name!r}), or run the "
                "template whose functions have code"
            )
            return Answer(failed=True, error="Doorstep.HandlerNotFound", cause=cause, final=True)
        client = self._target.client("lambda")
        response = client.invoke(FunctionName=name, Payload=compact(event).encode())
        text = response["Payload"].read().decode()
        payload = json.loads(text or "null")
        if response.get("FunctionError"):
            kind = payload.get("errorType") if isinstance(payload, dict) else None
            raise TaskFailed(kind or "Lambda.Unknown", text)
        return payload


def _family(called: Integration) -> Family:
    sdk = called.resource_type.startswith("aws-sdk:")
    return Family(sdk, called.resource_type.removeprefix("aws-sdk:"))


class _Call:
    """One call of one operation."""

    def __init__(
        self, target: Target, client: Any, called: Integration, family: Family, context: Context
    ) -> None:
        self._target = target
        self._client = client
        self._service = str(client.meta.service_model.service_name)
        self._called = called
        self._family = family
        self._context = context
        self._action = called.resource.partition(".")[0]

    def answer(self, arguments: Parameters) -> Any:
        """Return the result, or what else becomes of the task."""
        name = self._operation(self._action)
        adapt = ADAPTED.get(self._called.action)
        if adapt:
            adapt(arguments, self._context)
        self._rehost(arguments)
        response = self._put_events(arguments) if name == "PutEvents" else None
        if response is None:
            response = self._send(name, arguments)
        if name == "StartJobRun" and self._service == "glue" and not self._family.sdk:
            response = {**response, "JobName": arguments.get("JobName")}
        result = self._shown(name, response)
        if self._called.action == "events:putEvents" and result.get("FailedEntryCount"):
            raise TaskFailed("EventBridge.FailedEntry", compact(result))
        if self._called.action == "ecs:runTask" and self._called.pattern and result.get("Failures"):
            raise TaskFailed("AmazonECS.Unknown", compact(result))
        if self._called.pattern.startswith("sync"):
            return self._job(result, response)
        return result

    def _operation(self, action: str) -> str:
        wanted = action[:1].upper() + action[1:]
        for name in self._client.meta.service_model.operation_names:
            if wanted in spellings(name):
                return str(name)
        raise self._not_answered(f"has no action {action}")

    def _rehost(self, arguments: Parameters) -> None:
        """Let a queue's URL lead to the target: on AWS its host is where the request goes."""
        url = arguments.get("QueueUrl")
        if self._target.url and isinstance(url, str) and "://" in url:
            target = urlsplit(self._target.url)
            whole = urlsplit(url)._replace(scheme=target.scheme, netloc=target.netloc)
            arguments["QueueUrl"] = whole.geturl()

    def _put_events(self, arguments: Parameters) -> Mapping[str, Any] | None:
        """Send the entries that EventBridge takes; None when all of them may be sent."""
        failed = {} if self._target.name == "aws" else failed_entries(arguments)
        if not failed:
            return None
        entries = arguments["Entries"]
        sent = [entry for index, entry in enumerate(entries) if index not in failed]
        answer = self._send("PutEvents", {**arguments, "Entries": sent}) if sent else {}
        return with_failed(answer, failed)

    def _send(self, name: str, arguments: Parameters) -> Mapping[str, Any]:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        model = self._client.meta.service_model.operation_model(name)
        local = self._target.name != "aws"
        try:
            parameters = to_botocore(arguments, model.input_shape)
            if refused := refusal(self._service, name, arguments, model.input_shape):
                raise self._refused(refused)
            method: Callable[..., Mapping[str, Any]] = getattr(self._client, xform_name(name))
            with self._target.one_at_a_time:
                response = method(**parameters)
            return corrected(self._service, name, arguments, response) if local else response
        except TaskFailed:
            raise
        except UnknownMemberError as problem:
            raise TaskFailed("States.Runtime", str(problem)) from None
        except ClientError as problem:
            if _is_gap(problem.response):
                raise self._not_answered("has an error of its own") from None
            response = problem.response
            raise self._failed(
                corrected_error(self._service, response) if local else response
            ) from None
        except ParamValidationError as problem:
            text = str(problem).replace("\n", " ")
            raise self._refused(Refusal("ValidationException", text)) from None
        except BotoCoreError as problem:
            raise self._unreached(problem) from None
        except Exception as problem:
            # A gap in moto is a plain exception of Python in this process.
            raise self._not_answered(f"broke with {type(problem).__name__}: {problem}") from problem

    def _shown(self, name: str, response: Mapping[str, Any]) -> dict[str, Any]:
        model = self._client.meta.service_model.operation_model(name)
        own = {key: value for key, value in response.items() if key != "ResponseMetadata"}
        extra = {key: own.pop(key) for key in ("JobName",) if name == "StartJobRun" and key in own}
        result: dict[str, Any] = from_botocore(own, model.output_shape, self._family) | extra
        if not self._family.has_metadata(self._called.action):
            return result
        meta = response.get("ResponseMetadata", {})
        headers = self._family.headers(meta.get("HTTPHeaders", {}))
        return {
            **result,
            "SdkHttpMetadata": {
                "AllHttpHeaders": {key: [value] for key, value in headers.items()},
                "HttpHeaders": headers,
                "HttpStatusCode": meta.get("HTTPStatusCode", 200),
            },
            "SdkResponseMetadata": {"RequestId": meta.get("RequestId", "")},
        }

    def _failed(self, response: Mapping[str, Any]) -> TaskFailed:
        """Return the failure for an error that the service answered."""
        error = response.get("Error", {})
        code = str(error.get("Code", "Unknown")).rpartition("#")[2]
        names = self._family.names()
        kind = self._modelled(response, code) or names.base
        message = _without_prefix(str(error.get("Message", "")))
        return TaskFailed(f"{names.prefix}.{kind}", self._family.cause(message, code, response))

    def _modelled(self, response: Mapping[str, Any], code: str) -> str | None:
        """Return the class of an error that the service's model has."""
        if not self._family.has_errors():
            return None
        query = str(response.get("Error", {}).get("QueryErrorCode", "")).rpartition("#")[2]
        for shape in self._client.meta.service_model.error_shapes:
            wire = shape.metadata.get("error", {}).get("code", shape.name)
            if {code, query} & {wire, shape.name} - {""}:
                own = shape.name.removesuffix("Fault") if self._family.sdk else wire
                kind = (
                    next(iter(spellings(own))) if not self._family.sdk else self._family.spell(own)
                )
                return kind if kind.endswith("Exception") else f"{kind}Exception"
        if self._family.service == "s3" and code in _S3_CODES:
            return f"{code}Exception"  # recorded for calls whose model does not name it, too
        return None

    def _refused(self, refused: Refusal) -> TaskFailed:
        """Return the failure for parameters that are not sent, as the service would answer."""
        return self._failed(
            {
                "Error": {"Code": refused.code, "Message": refused.message},
                "ResponseMetadata": {
                    "HTTPStatusCode": refused.status,
                    "RequestId": self._context.aws_request_id,
                },
            }
        )

    def _unreached(self, problem: Exception) -> TaskFailed:
        host = re.sub(r"^https?://|[:/].*$", "", self._client.meta.endpoint_url)
        prefix = self._family.names().prefix
        cause = f"Unable to execute HTTP request: {host}: {_first_line(problem)}"
        return TaskFailed(f"{prefix}.SdkClientException", cause)

    def _not_answered(self, what: str) -> TaskFailed:
        """Return the failure for what the target lacks: the run is set up wrong."""
        cause = (
            f"The service target {self._target.name} {what} "
            f"({self._called.resource_type}:{self._action}). Give the task a mock or a handler: "
            f"@doorstep.handler({self._called.action!r})"
        )
        failure = TaskFailed("Doorstep.ServiceNotAnswered", cause)
        failure.answer = replace(failure.answer, final=True)
        return failure

    def _job(self, submitted: dict[str, Any], response: Mapping[str, Any]) -> Answer:
        """Return the answer of `.sync`: how the job that was submitted ended."""
        job = JOBS.get(self._called.action)
        if job is None:
            raise self._not_answered("is not asked about jobs of this kind")
        status = ""
        for _ in range(_LOOKS):
            looked = self._send(job.operation, job.question(response))
            found, status = job.found(looked)
            if status in job.ended:
                break
        else:
            raise self._not_answered(f"does not end this job: it is {status} after {_LOOKS} looks")
        output = from_botocore(found, job.shape(self._client), self._family)
        if not job.ended[status] or job.went_wrong(found):
            return TaskFailed("States.TaskFailed", compact(output)).answer
        return Answer(output=output, response=submitted)


def _is_gap(response: Mapping[str, Any]) -> bool:
    """Whether a stand-in answered with a page about its own fault, not as a service does."""
    error = response.get("Error", {})
    return error.get("Code") == "500" or "Not yet implemented" in str(error.get("Message"))


def _first_line(problem: Exception) -> str:
    return str(problem).split("\n", maxsplit=1)[0]


def _without_prefix(message: str) -> str:
    """Return a message without what botocore puts before one that moto nests in another."""
    return re.sub(r"^An error occurred \(\w+\) when calling the \w+ operation: *", "", message)


_S3_CODES = {"NoSuchKey", "NoSuchBucket"}


# What an integration does with its Parameters before they are sent, beside what every one does ----

Adapt = Callable[[Parameters, Context], None]


def _events(arguments: Parameters, context: Context) -> None:
    """Append the machine's ARN, then the execution's, to each entry's Resources (recorded)."""
    execution = context.execution_arn
    machine = ":".join(execution.split(":")[:7]).replace(":execution:", ":stateMachine:")
    entries = arguments.get("Entries")
    if isinstance(entries, list):
        arguments["Entries"] = [
            {**entry, "Resources": [*(entry.get("Resources") or []), machine, execution]}
            for entry in entries
            if isinstance(entry, dict)
        ]


def _put_object(arguments: Parameters, _context: Context) -> None:
    """Write the Body as JSON text, also when it is text: with its quotes (recorded)."""
    if "Body" in arguments:
        arguments["Body"] = compact(arguments["Body"])
        arguments.setdefault("ContentType", "text/plain; charset=UTF-8")


def _run_task(arguments: Parameters, context: Context) -> None:
    """Say who started a task that is waited for (recorded; not for a plain `runTask`)."""
    if ".sync" in context.resource:
        arguments.setdefault("StartedBy", "AWS Step Functions")


ADAPTED: Mapping[str, Adapt] = {
    "aws-sdk:s3:putObject": _put_object,
    "ecs:runTask": _run_task,
    "events:putEvents": _events,
}
