"""What the API answers when it refuses: code and message in AWS's words, HTTP status 400."""

from __future__ import annotations

from doorstep.errors import ApiError, DoorstepError


class Refusal(ApiError):  # noqa: N818  what it is to the one who asked
    """An error with `members` beside the message (reason, resourceName)."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        self.members = members


class Unavailable(ApiError):  # noqa: N818  what the server is
    """ServiceUnavailable (HTTP 503): the server ends before it has an answer."""

    def __init__(self) -> None:
        super().__init__("ServiceUnavailable", "The server was shut down before it had an answer")


class StoreError(DoorstepError):
    """The store can't be used: another server has it, or the file is damaged."""


class SinkError(DoorstepError):
    """A target of events or log lines can't be used."""


def invalid_arn(why: str) -> ApiError:
    """InvalidArn."""
    return ApiError("InvalidArn", f"Invalid Arn: '{why}'")


def invalid_name(name: str) -> ApiError:
    """InvalidName."""
    return ApiError("InvalidName", f"Invalid Name: '{name}'")


def invalid_token() -> ApiError:
    """InvalidToken: of a page or of a task."""
    return ApiError("InvalidToken", "Invalid Token: 'Invalid token'")


def no_machine(arn: str) -> ApiError:
    """StateMachineDoesNotExist."""
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def no_execution(arn: str) -> ApiError:
    """ExecutionDoesNotExist."""
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_activity(arn: str) -> ApiError:
    """ActivityDoesNotExist."""
    return ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def no_resource(arn: str) -> ApiError:
    """ResourceNotFound, naming the resource."""
    return Refusal("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)


def missing_reference() -> ApiError:
    """ResourceNotFound of the operations on aliases."""
    return ApiError("ResourceNotFound", "Request references a resource that does not exist.")


def invalid_request(message: str, reason: str | None = None) -> ApiError:
    """ValidationException."""
    members = {} if reason is None else {"reason": reason}
    return Refusal("ValidationException", message, **members)


def wrong_type() -> ApiError:
    """StateMachineTypeNotSupported."""
    told = "This operation is not supported by this type of state machine"
    return ApiError("StateMachineTypeNotSupported", told)


def conflict(message: str) -> ApiError:
    """ConflictException."""
    return ApiError("ConflictException", message)
