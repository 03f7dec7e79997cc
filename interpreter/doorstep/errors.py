"""What can go wrong, and whose it is.

    DoorstepError              all that callers of Doorstep may have to handle
        DefinitionError        the state machine would be refused; carries the diagnostics
        InputError             an execution's input, or another value from outside, can't be used
        HandlerLoadError       the handlers can't be loaded
        ApiError               a request that AWS's API would refuse; carries AWS's code for it
        AccountError           an account, or a server in its place, can't be asked, or refuses
        ReplayError            a journal and a definition do not belong together

    Failure                    a workflow's own failure: data, not an exception
    StateFailed                carries a Failure from where it arises to Retry and Catch

    Diagnostic                 one thing that AWS would say about a definition

A workflow that fails is a result (``execution.status == "FAILED"``); only what stands in the first
tree is raised at callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path, PurePath
from threading import current_thread, main_thread
from typing import Any, Literal

OUR_FAULT = "This is a fault of Doorstep, not of the workflow"
"""How the cause begins when an execution fails because of what Doorstep did not foresee."""
_LONGEST = 1_000
"""Characters of an exception's text that its cause shows."""


def shortened(text: str, most: int = 200) -> str:
    """Return so many characters of a text at most; of a longer one, say how long it is."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


Severity = Literal["ERROR", "WARNING"]
_MESSAGE = 2_000
"""Characters of a message or a place: a name in it may be as long as the definition."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Code, message and JSON Pointer in AWS's words; `hint` is ours, never sent to AWS clients."""

    code: str
    message: str
    location: str | None = None
    severity: Severity = "ERROR"
    hint: str | None = None

    def __post_init__(self) -> None:
        """Repeat of a large value the beginning only."""
        object.__setattr__(self, "message", shortened(self.message, _MESSAGE))

    def as_aws(self) -> dict[str, Any]:
        """Return the member of `diagnostics` in ValidateStateMachineDefinition's answer."""
        # Recorded (fact 21): Jackson's message ends in its location, and both are shown.
        jackson = self.location is not None and self.location.startswith("[Source: ")
        shown: dict[str, Any] = {
            "severity": self.severity,
            "code": self.code,
            "message": f"{self.message}\n at {self.location}" if jackson else self.message,
        }
        if self.location is not None:
            shown["location"] = self.location
        return shown

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.code}: {self.message}{where}"


class DoorstepError(Exception):
    """Base of what Doorstep raises at its callers; the message says what to do next."""


class DefinitionError(DoorstepError):
    """AWS would refuse this definition; ``diagnostics`` says why, in AWS's order.

    ``path``: the file that can't be read as a definition, where it is not the one that was named.
    """

    def __init__(
        self, message: str, diagnostics: Sequence[Diagnostic] = (), path: Path | None = None
    ) -> None:
        super().__init__(message)
        self.diagnostics = list(diagnostics)
        self.path = path


class InputError(DoorstepError):
    """A value from outside (input, file, template parameter) can't be used."""


class HandlerLoadError(DoorstepError):
    """A handler module can't be loaded; the message names file and line."""


class ApiError(DoorstepError):
    """AWS's API would refuse this request: ``code`` names the error as AWS's clients know it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def as_aws(self) -> dict[str, dict[str, str]]:
        """Return {"Error": {"Code": …, "Message": …}}, the answer as AWS's clients show it."""
        return {"Error": {"Code": self.code, "Message": str(self)}}


class AccountError(DoorstepError):
    """An AWS account, or a server in its place, can't be asked, or refuses; says what to do."""


class ReplayError(DoorstepError):
    """The journal does not follow from the definition."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Error and cause as ExecutionFailed shows them; either may be absent."""

    error: str | None = None
    cause: str | None = None

    def details(self) -> dict[str, str]:
        """Return {"error": …, "cause": …} as an event has them: without those that are absent."""
        named = {"error": self.error, "cause": self.cause}
        return {name: text for name, text in named.items() if text is not None}


def is_interrupt(problem: BaseException) -> bool:
    """Return whether it is the user's Ctrl-C: Python raises that in the main thread only."""
    return isinstance(problem, KeyboardInterrupt) and current_thread() is main_thread()


def message_of(problem: BaseException) -> str:
    """Return an exception's text; the user's own may raise anything when asked for it."""
    try:
        return str(problem)
    except BaseException:  # noqa: BLE001
        return "<exception str() failed>"


class StateFailed(Exception):  # noqa: N818  named after what it says
    """A state's work failed; Retry and Catch look at it.

    `ours`: the interpreter raises it, so that the cause gets the prefix that names the state.
    `final`: no retrier and no catcher may touch it (States.Runtime).
    `location`: the field that holds the JSONata expression to blame.
    `also`: other names under which a retrier or catcher finds it.
    """

    def __init__(
        self,
        error: str | None = None,
        cause: str | None = None,
        *,
        ours: bool = False,
        final: bool = False,
        location: str | None = None,
        also: tuple[str, ...] = (),
    ) -> None:
        super().__init__(error, cause)
        self.failure = Failure(error, cause)
        self.also = also
        self.ours = ours
        self.final = final
        self.location = location
        self.names = (error, *also)

    @property
    def error_output(self) -> dict[str, str | None]:
        """What a catcher is given.

        A timeout has no cause: recorded as "", where SendTaskFailure without error and cause was
        recorded as null.
        """
        error, cause = self.failure.error, self.failure.cause
        if cause is None and error == "States.Timeout":
            cause = ""
        return {"Error": error, "Cause": cause}

    def passed_on(self, prefix: str = "") -> StateFailed:
        """Return the same failure for the state around; `prefix` begins the cause."""
        error, cause = self.failure.error, self.failure.cause
        return StateFailed(
            error, f"{prefix}{cause}" if prefix else cause, final=self.final, also=self.also
        )


def data_limit_exceeded(whose: str, did: str = "returned a result") -> StateFailed:
    """Return the failure of a payload over AWS's quota; `whose`: a state, or a task's resource."""
    return StateFailed(
        "States.DataLimitExceeded",
        f"The state/task '{whose}' {did} with a size exceeding "
        "the maximum number of bytes service limit.",
    )


def crashed(problem: BaseException) -> Failure:
    """Return the failure of an execution that Doorstep can't continue because of `problem`.

    The cause is the same wherever the workflow runs: what was raised, where, and what to do.
    """
    where = ""
    frames = problem.__traceback__
    while frames:
        code = frames.tb_frame.f_code
        where = f" ({PurePath(code.co_filename).name}, line {frames.tb_lineno})"
        frames = frames.tb_next
    what = f"{type(problem).__name__}: {problem}"[:_LONGEST]
    return Failure(
        "States.Runtime",
        f"{OUR_FAULT}: {what}{where}. Please report it with the traceback from Doorstep's log "
        "(DOORSTEP_DEBUG=1 shows it on the command line).",
    )


def runtime(cause: str) -> StateFailed:
    """Return States.Runtime: the state can't be executed; it is neither retried nor caught."""
    return StateFailed("States.Runtime", cause, ours=True, final=True)


MOST = 50
"""Diagnostics that a text names, with the number of the others: a definition may have thousands."""


def invalid_definition_message(diagnostics: Iterable[Diagnostic]) -> str:
    """Return InvalidDefinition's message.

    It is `Invalid State Machine Definition: 'CODE: text at /path, …'`. A diagnostic
    without a place is "at null" (recorded for MISSING_END_STATE).
    """
    diagnostics = list(diagnostics)
    said = ", ".join([*map(_said, diagnostics[:MOST]), *more(diagnostics)])
    return f"Invalid State Machine Definition: '{said}'"


def more(diagnostics: Sized) -> list[str]:
    """Return what stands in place of the diagnostics that a text does not name."""
    left = len(diagnostics) - MOST
    return [f"… and {left:,} more"] if left > 0 else []


def _said(one: Diagnostic) -> str:
    where = "null" if one.location is None else shortened(one.location, _MESSAGE)
    return f"{one.code}: {one.message} at {where}"


def refusal(diagnostics: Iterable[Diagnostic], path: Path | None = None) -> DefinitionError:
    """Return the error to raise for a definition that AWS would refuse; `path`: of its file."""
    found = list(diagnostics)
    return DefinitionError(invalid_definition_message(found), found, path)
