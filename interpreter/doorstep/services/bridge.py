"""Tasks of AWS services, answered by a target through boto3: moto, an endpoint, or AWS itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import HandlerLoadError
from ..model.api_models import BOTOCORE, spellings
from ..model.resource import Integration, integration
from ..runtime.answers import Answer, TaskFailed
from ..runtime.invocation import Context
from .adapted import ADAPTED
from .families import Family, compact
from .jobs import JOBS
from .shapes import UnknownMemberError, from_botocore, missing_members, to_botocore
from .target import Target

Parameters = dict[str, Any]
_LOOKS = 10
"""How often a job is looked at. moto moves a job on at each look, or never."""


class Services:
    """A handler of every service's tasks."""

    def __init__(self, target: Target) -> None:
        """Make no client before it is needed."""
        self._target = target
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, arguments: Any, context: Context) -> Any:
        """Call the service; raise TaskFailed with the error that AWS would show."""
        called = integration(context.resource)
        family = _family(called)
        call = _Call(self.client(family.service, called), called, family, context)
        return call.answer(dict(arguments or {}))

    def client(self, service: str, called: Integration) -> Any:
        """Return the one client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service, called)
            return self._clients[service]

    def _make(self, service: str, called: Integration) -> Any:
        plain = BOTOCORE.get(service, service).replace("-", "")
        for name in self._target.services():
            if name.replace("-", "") == plain:
                return self._target.client(name)
        raise HandlerLoadError(f"botocore has no service for {called.action}")


def _family(called: Integration) -> Family:
    sdk = called.resource_type.startswith("aws-sdk:")
    return Family(sdk, called.resource_type.removeprefix("aws-sdk:"))


class _Call:
    """One call of one operation."""

    def __init__(self, client: Any, called: Integration, family: Family, context: Context) -> None:
        self._client = client
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
        response = self._send(name, arguments)
        result = self._shown(name, response)
        if self._called.action == "events:putEvents" and result.get("FailedEntryCount"):
            raise TaskFailed("EventBridge.FailedEntry", compact(result))
        if self._called.pattern.startswith("sync"):
            return self._job(result, response)
        return result

    def _operation(self, action: str) -> str:
        wanted = action[:1].upper() + action[1:]
        for name in self._client.meta.service_model.operation_names:
            if wanted in spellings(name):
                return str(name)
        raise self._not_answered(f"has no action {action}")

    def _send(self, name: str, arguments: Parameters) -> Mapping[str, Any]:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        model = self._client.meta.service_model.operation_model(name)
        try:
            parameters = to_botocore(arguments, model.input_shape)
            method: Callable[..., Mapping[str, Any]] = getattr(self._client, xform_name(name))
            return method(**parameters)
        except UnknownMemberError as problem:
            raise TaskFailed("States.Runtime", str(problem)) from None
        except ClientError as problem:
            raise self._failed(problem.response) from None
        except ParamValidationError as problem:
            missing = missing_members(arguments, model.input_shape)
            raise self._refused(missing, str(problem)) from None
        except BotoCoreError as problem:
            raise self._unreached(problem) from None
        except Exception as problem:
            # A gap in moto is a plain exception of Python in this process.
            raise self._not_answered(f"broke with {type(problem).__name__}: {problem}") from problem

    def _shown(self, name: str, response: Mapping[str, Any]) -> dict[str, Any]:
        model = self._client.meta.service_model.operation_model(name)
        own = {key: value for key, value in response.items() if key != "ResponseMetadata"}
        result: dict[str, Any] = from_botocore(own, model.output_shape, self._family)
        if not self._family.has_metadata(self._called.action):
            return result
        meta = response.get("ResponseMetadata", {})
        headers = {key: str(value) for key, value in meta.get("HTTPHeaders", {}).items()}
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

    def _refused(self, missing: list[str], problem: str) -> TaskFailed:
        """Return the failure for parameters that botocore does not send.

        AWS lets the service complain in its own words; those are not known for every service.
        """
        names = self._family.names()
        message = problem.replace("\n", " ")
        if missing:
            message = f"The request must contain the parameter {missing[0]}."
        cause = self._family.cause(message, "ValidationException", {})
        return TaskFailed(f"{names.prefix}.{names.base}", cause)

    def _unreached(self, problem: Exception) -> TaskFailed:
        host = re.sub(r"^https?://|[:/].*$", "", self._client.meta.endpoint_url)
        prefix = self._family.names().prefix
        cause = f"Unable to execute HTTP request: {host}: {_first_line(problem)}"
        return TaskFailed(f"{prefix}.SdkClientException", cause)

    def _not_answered(self, what: str) -> TaskFailed:
        cause = (
            f"The service target {what} ({self._called.resource_type}:{self._action}). Give the "
            f"task a mock or a handler: @doorstep.handler({self._called.action!r})"
        )
        return TaskFailed("Doorstep.ServiceNotAnswered", cause)

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
        if not job.ended[status]:
            return TaskFailed("States.TaskFailed", compact(output)).answer
        return Answer(output=output, response=submitted)


def _first_line(problem: Exception) -> str:
    return str(problem).split("\n", maxsplit=1)[0]


def _without_prefix(message: str) -> str:
    """Return a message without what botocore puts before one that moto nests in another."""
    return re.sub(r"^An error occurred \(\w+\) when calling the \w+ operation: *", "", message)


_S3_CODES = {"NoSuchKey", "NoSuchBucket"}
