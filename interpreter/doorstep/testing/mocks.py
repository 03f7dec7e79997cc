"""Mocks: answers that stand in for the work of a Task, chosen more finely than handlers are.

    mocks = Mocks(
        mock("ChargeCard", fail("GatewayBusy"), invocation=range(2)),
        mock("PriceItem", {"cents": 790}, when=lambda item: item["sku"] == "tea"),
        mock("FulfilOrder", answer({"number": "PX-1"}, after="5h")),
    )
    execution = mocks.run(definition, {…}, handlers)

The calls of a state are numbered from 0 in the order in which they are made: retries, loops and the
iterations of a Map count on (so does Step Functions Local; floci#3254, localstack#12846). The first
mock that fits a call answers it; a call that none fits goes to the handlers.

What a mock answers in place of a service is compared with the service's API, see `shapes`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, Literal, Unpack

from ..api import ClockOptions, Definition, run
from ..engine import Invoke
from ..errors import InputError, is_interrupt, message_of
from ..model import workflow
from ..runtime import (
    Answer,
    Context,
    Duration,
    Execution,
    Handler,
    Handlers,
    Running,
    Source,
    TaskFailed,
    call,
    event_of,
    seconds,
)
from ..values.did_you_mean import did_you_mean
from ..values.json_values import ABSENT
from .service_models import problems

Numbers = int | Container[int]
Respond = Callable[[Running, Invoke], Answer]
Validation = Literal["strict", "warn", "off"]
"""What an answer does that the service would not give: fail the execution, or be reported."""
_LESS_STRICT = (
    "To have it reported only, use --mock-validation warn, in Python and suites mock_validation"
)
_NUMBERS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Mock:
    """Which calls of a state it answers, and how; all of its conditions have to hold."""

    state: str
    respond: Respond
    label: str
    """What reports call it."""
    invocation: Numbers | None = None
    attempt: Numbers | None = None
    index: Numbers | None = None
    when: Callable[[Any], object] | None = None
    heartbeat: float | None = None
    """Seconds."""
    machine: str | None = None
    """The name of the state machine that the state is of; None: of any."""
    lenient: bool = False
    """Whether an answer that its service would not give is reported, unless one asks for more."""

    def fits(self, execution: Running, invoke: Invoke, number: int) -> bool:
        """Return whether it answers this call, which is the state's `number`th."""
        return (
            self.state == invoke.state
            and self.machine in (None, execution.identity.machine)
            and _among(number, self.invocation)
            and _among(invoke.attempt, self.attempt)
            and (self.index is None or _among(_iteration(execution, invoke), self.index))
            and (self.when is None or bool(self.when(event_of(invoke))))
        )


def fitting(mocks: Iterable[Mock], execution: Running, invoke: Invoke, number: int) -> Mock | None:
    """Return the first mock that answers a call, which is the state's `number`th."""
    return next((one for one in mocks if one.fits(execution, invoke, number)), None)


def mock(
    state: str,
    answer: Any,
    *,
    invocation: Numbers | None = None,
    attempt: Numbers | None = None,
    index: Numbers | None = None,
    when: Callable[[Any], object] | None = None,
    heartbeat: Duration | None = None,
) -> Mock:
    """Answer calls of `state` with `answer`.

    `answer`: a JSON value, `doorstep.answer(value, after="5h")`, `doorstep.fail("Error", "cause")`,
    `doorstep.no_answer()` (TimeoutSeconds or HeartbeatSeconds then decide), or a function of the
    event of a handler that returns one of these. A value answers a callback and a job as well;
    as with handlers it becomes the `Payload` of `lambda:invoke`.

    | condition | a number, or a container of numbers such as range(3) |
    |---|---|
    | invocation | of this call among all calls of the state |
    | attempt | 0 for the first call of a visit, then the number of the retry |
    | index | of the iteration of the inline Map around the state |
    | when | a function of the event of a handler that says whether it fits |

    `heartbeat`: a heartbeat is sent that often until the task is over.
    """
    numbers = {"invocation": invocation, "attempt": attempt, "index": index}
    conditions = [f"{name} {value}" for name, value in numbers.items() if value is not None]
    label = ", ".join([state, *conditions, *(["when …"] if when else [])])
    every = None if heartbeat is None else seconds(heartbeat)
    if every == 0:
        raise InputError(f"the mock of {label} has a heartbeat every 0 seconds")
    return Mock(state, _handled(answer), label, invocation, attempt, index, when, every)


class Mocks:
    """The mocks of one run, and which calls they have answered; another run takes others."""

    def __init__(self, *mocks: Mock, mock_validation: Validation | None = None) -> None:
        """`mock_validation`: what becomes of an answer that botocore's model does not allow.

        strict: the execution fails with Doorstep.MockInvalid; warn: `doubts` has it. None: strict,
        and warn for those of a MockConfigFile, whose published examples have such answers.
        """
        self.mocks = mocks
        self.mock_validation = mock_validation
        self.doubts: list[str] = []
        self._calls: Counter[tuple[str, str]] = Counter()
        """By machine and state."""
        self._reached: set[Mock] = set()
        self._states: dict[str, list[str]] = {}
        """The states of the machines that were run, by name."""

    def __call__(self, execution: Running, invoke: Invoke) -> Answer | None:
        """Return the answer to a call, or None: what `doorstep.start` takes as `respond`."""
        called = execution.identity.machine, invoke.state
        if called[0] not in self._states:
            states = workflow(execution.journal.header.definition).scope.walk()
            self._states[called[0]] = [state.name for state in states]
        # In a resumed journal there are calls that were made before.
        number = max(self._calls[called], invoke.number)
        self._calls[called] = number + 1
        try:
            match = fitting(self.mocks, execution, invoke, number)
        except InputError as problem:
            return invalid(invoke.state, str(problem))
        except BaseException as problem:  # a condition is the user's own function
            if is_interrupt(problem):
                raise
            why = f"a condition raised {type(problem).__name__}: {message_of(problem)}"
            return invalid(invoke.state, why)
        if match is None:
            return None
        self._reached.add(match)
        answer = self._checked(match, invoke, match.respond(execution, invoke))
        return answer if match.heartbeat is None else replace(answer, heartbeat=match.heartbeat)

    def run(
        self,
        definition: Definition,
        input: Any = None,
        handlers: Source | None = None,
        **options: Unpack[ClockOptions],
    ) -> Execution:
        """Call `doorstep.run`, with these mocks asked before the handlers."""
        return run(definition, input, handlers, respond=self, **options)

    @property
    def idle(self) -> list[Mock]:
        """The mocks that have answered no call."""
        return [one for one in self.mocks if one.label and one not in self._reached]

    @property
    def unreached(self) -> list[str]:
        """Their labels."""
        return [one.label for one in self.idle]

    def remarks(self, mocks: Container[Mock] | None = None) -> list[str]:
        """Return what to report of the run: mocks never reached (of those), and doubts."""
        idle = [self._idle(one) for one in self.idle if mocks is None or one in mocks]
        return [*idle, *self.doubts]

    def _idle(self, mock: Mock) -> str:
        names = [name for states in self._states.values() for name in states]
        if not names or mock.state in names:
            return f"mock never reached: {mock.label}"
        hint = did_you_mean(mock.state, names) or f"there are {', '.join(names)}"
        return f"mock never reached: {mock.label}: no state has this name; {hint}"

    def _checked(self, mock: Mock, invoke: Invoke, answer: Answer) -> Answer:
        message = "" if self.mock_validation == "off" else doubt(mock, invoke, answer)
        validation = self.mock_validation or ("warn" if mock.lenient else "strict")
        if message and validation == "strict":
            return invalid(invoke.state, f"{message}. {_LESS_STRICT}")
        if message:
            self.doubts.append(f"the mock of the state '{invoke.state}': {message}")
        return answer


def doubt(mock: Mock, invoke: Invoke, answer: Answer) -> str:
    """Return what the service would not give in a mock's answer; empty when it might."""
    if answer.output is ABSENT:
        return ""
    differing = "; ".join(problems(invoke.integration, answer.output))
    which = mock.label.removeprefix(invoke.state)
    return (
        f"{invoke.integration.action} does not answer so{which}: {differing}" if differing else ""
    )


def invalid(state: str, why: str) -> Answer:
    """Return the answer of a mock that can't answer: the run is set up wrong."""
    message = f"The mock of the state '{state}' can't answer: {why}"
    return Answer(failed=True, error="Doorstep.MockInvalid", cause=message, final=True)


def numbers(text: str) -> range | None:
    """Return the calls that "3" or "1-3" stands for; None for other texts."""
    match = _NUMBERS.fullmatch(text)
    return range(int(match[1]), int(match[2] or match[1]) + 1) if match else None


def _handled(answer: Any) -> Respond:
    """Treat a mock's answer as a handler's."""
    function: Handler = answer if callable(answer) else lambda _: answer
    handlers = Handlers({"*": lambda event: _whole(function(event))})
    return lambda execution, invoke: call(handlers, invoke, execution.identity, Context)


def _whole(result: Any) -> Any:
    if isawaitable(result):
        return _whole_later(result)
    # A handler's plain value only answers the request of a callback; a mock's is the callback.
    return result if isinstance(result, Answer | TaskFailed) else Answer(output=result)


async def _whole_later(result: Awaitable[Any]) -> Any:
    return _whole(await result)


def _iteration(execution: Running, invoke: Invoke) -> int | None:
    item = execution.engine.waiting[invoke.key].item
    return None if item is None else item["Index"]


def _among(number: int | None, numbers: Numbers | None) -> bool:
    if numbers is None or isinstance(numbers, int):
        return numbers in (None, number)
    return number in numbers
