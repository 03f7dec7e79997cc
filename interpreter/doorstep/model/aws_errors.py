"""What the API answers when it refuses: code and message in AWS's words, HTTP status 400.

The words are those of recordings (docs/facts/requests.md) and of the API reference's "Errors".
"""

from __future__ import annotations

from ..errors import ApiError


class Refusal(ApiError):  # noqa: N818  what it is to the one who asked
    """An error with `members` beside the message (reason, resourceName)."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        self.members = members


def invalid_request(message: str, reason: str | None = None) -> ApiError:
    """Return ValidationException (fact 453)."""
    members = {} if reason is None else {"reason": reason}
    return Refusal("ValidationException", message, **members)


def invalid_arn(why: str) -> ApiError:
    """Return InvalidArn (fact 452)."""
    return ApiError("InvalidArn", f"Invalid Arn: '{why}'")


def invalid_name(name: str) -> ApiError:
    """Return InvalidName (fact 451)."""
    return ApiError("InvalidName", f"Invalid Name: '{name}'")


def invalid_input(why: str) -> ApiError:
    """Return InvalidExecutionInput (fact 455)."""
    return ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{why}'")


def invalid_output(why: object) -> ApiError:
    """Return InvalidOutput (fact 468)."""
    return ApiError("InvalidOutput", f"Invalid Output: '{why}'")


def invalid_token() -> ApiError:
    """Return InvalidToken: of a page or of a task (facts 454 and 468)."""
    return ApiError("InvalidToken", "Invalid Token: 'Invalid token'")


def task_timed_out() -> ApiError:
    """Return TaskTimedOut: the task is over, or its time was (fact 468)."""
    return ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")


def execution_exists(arn: str) -> ApiError:
    """Return ExecutionAlreadyExists (facts 111 and 136)."""
    return ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")


def no_machine(arn: str) -> ApiError:
    """Return StateMachineDoesNotExist (fact 110)."""
    return ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def machine_deleting(arn: str) -> ApiError:
    """Return StateMachineDeleting (fact 464)."""
    return ApiError("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")


def no_execution(arn: str) -> ApiError:
    """Return ExecutionDoesNotExist (fact 110)."""
    return ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")


def no_activity(arn: str) -> ApiError:
    """Return ActivityDoesNotExist (fact 110)."""
    return ApiError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")


def no_resource(arn: str) -> ApiError:
    """Return ResourceNotFound, naming the resource (fact 465)."""
    return Refusal("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)


def missing_reference() -> ApiError:
    """Return ResourceNotFound of the operations on aliases (fact 463)."""
    return ApiError("ResourceNotFound", "Request references a resource that does not exist.")


def wrong_type() -> ApiError:
    """Return StateMachineTypeNotSupported (fact 456)."""
    message = "This operation is not supported by this type of state machine"
    return ApiError("StateMachineTypeNotSupported", message)


def conflict(message: str) -> ApiError:
    """Return ConflictException (facts 462 and 463)."""
    return ApiError("ConflictException", message)
