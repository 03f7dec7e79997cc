"""`doorstep.test_state`: one request of TestState, and its answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..engine.identity import Identity
from ..engine.journal import Header
from ..engine.messages import Invoke
from ..engine.quotas import EXPRESS
from ..runtime import Driver, Execution, VirtualClock
from ..runtime.answers import Answer
from ..runtime.handlers import Handlers, Source
from .inspection import inspection_data
from .mocked import answer
from .refusals import check
from .request import read
from .subject import find
from .trial import Trial


def test_state(request: Mapping[str, Any], handlers: Source | None = None) -> dict[str, Any]:  # noqa: PT028
    """Run one state and say what became of it: TestState of the AWS API, on this machine.

    `request` has the request's members; `definition`, `input`, `variables`, `context` and
    `mock.result` are JSON text, or the value itself where that is not a string:

    | member | |
    |---|---|
    | definition | a state, or with `stateName` the machine that it stands in, at any depth |
    | input | `{}` by default |
    | inspectionLevel | INFO (default), DEBUG or TRACE: whether inspectionData is in the answer |
    | variables | an object: the variables that the state finds |
    | mock | {result} or {errorOutput: {error, cause}} in place of the work of a Task, Map or
      Parallel; fieldValidationMode: STRICT (default), PRESENT or NONE (see `request`) |
    | context | the context object, with a mock only; used as it is |
    | stateConfiguration | retrierRetryCount: retries so far; mapIterationFailureCount;
      mapItemReaderData: the text that ItemReader reads; errorCausedByState: no recorded effect |
    | roleArn | needed for a Task without a mock; stands in the context object |
    | revealSecrets | accepted without a mock; Doorstep has no secrets to show |

    Without a mock `handlers` answer a Task, as in `doorstep.run`; time is modelled. The answer has
    `status` (SUCCEEDED, FAILED, RETRIABLE, CAUGHT_ERROR) and, where they apply, `output` (JSON
    text), `error`, `cause`, `nextState` and `inspectionData`. As on AWS, the causes do not say
    which state failed. TRACE shows no more than DEBUG: no HTTP request is made.

    Raises ApiError for what AWS refuses, HandlerLoadError for handlers that can't be loaded.
    """
    asked = read(request)
    state = find(asked.definition, asked.state_name)
    check(asked, state)
    trial = Trial(asked, state)
    _run(trial, Handlers(handlers))
    return _answer(trial)


# Whoever imports it into a test's module does not want pytest to run it.
test_state.__test__ = False  # type: ignore[attr-defined]


def _run(trial: Trial, handlers: Handlers) -> None:
    asked = trial.asked

    def respond(_: Execution, __: Invoke) -> Answer | None:
        return answer(asked.mock) if asked.mock else None

    name = str(uuid.uuid4())
    identity = Identity(name=name, seed=name, type="EXPRESS", role=asked.role)
    driver = Driver(VirtualClock(), handlers, respond=respond)
    execution = driver.start(trial, Header({}, identity, EXPRESS), asked.input)
    driver.run(execution)


def _answer(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    given: dict[str, Any] = {"status": outcome.status}
    if outcome.leaving:
        given["output"] = trial.text(outcome.leaving.output)
        given["nextState"] = outcome.leaving.next
    if outcome.failed:
        given["error"] = outcome.failed.failure.error
        given["cause"] = outcome.failed.failure.cause
    if trial.asked.level != "INFO":
        given["inspectionData"] = inspection_data(trial)
    return {name: value for name, value in given.items() if value is not None}
