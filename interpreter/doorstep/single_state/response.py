"""`doorstep.test_state`: one request of TestState, and its response."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..definitions import load
from ..engine import ACCOUNT, EXPRESS, Header, Identity, Invoke
from ..errors import ApiError, DefinitionError
from ..model import State, home_of, targets_of, workflow
from ..runtime import Answer, Driver, Handlers, Running, Source, VirtualClock
from ..validation import check as check_definition
from .refusals import check
from .request import read
from .trial import STATE_NAME, Trial, answer, inspection_data


def test_state(
    request: Mapping[str, Any],
    handlers: Source | None = None,  # noqa: PT028
    *,
    account: str = ACCOUNT,  # noqa: PT028
    region: str | None = None,  # noqa: PT028
    placeholders: bool = True,  # noqa: PT028
) -> dict[str, Any]:
    """Run one state and return the outcome: TestState of the AWS API, on this machine.

    `request` has the request's members; `definition`, `input`, `variables`, `context` and
    `mock.result` are JSON text, or the value itself where that is not a string:

    | member | |
    |---|---|
    | definition | a state, or with `stateName` the machine that it stands in, at any depth |
    | input | `{}` by default |
    | inspectionLevel | INFO (default), DEBUG or TRACE: whether inspectionData is in the response |
    | variables | an object: the variables that the state finds |
    | mock | {result} or {errorOutput: {error, cause}} in place of the work of a Task, Map or
      Parallel; fieldValidationMode: STRICT (default), PRESENT or NONE (see `request`) |
    | context | the context object, with a mock only; used as it is |
    | stateConfiguration | retrierRetryCount: retries so far; mapIterationFailureCount;
      mapItemReaderData: the text that ItemReader reads; errorCausedByState: no recorded effect |
    | roleArn | needed for a Task without a mock; stands in the context object |
    | revealSecrets | accepted without a mock; Doorstep has no secrets to show |

    `account` and `region` stand in the context object's ARNs; without a region it is one of the
    partition that the definition's Resources are of. Without `placeholders` a text with `${Name}`
    is one as any other, as to the API.

    Without a mock `handlers` answer a Task, as in `doorstep.run`; time is modelled. The response
    has `status` (SUCCEEDED, FAILED, RETRIABLE, CAUGHT_ERROR) and, where they apply, `output` (JSON
    text), `error`, `cause`, `nextState` and `inspectionData`. As on AWS, the causes do not say
    which state failed. TRACE shows no more than DEBUG: no HTTP request is made.

    Raises ApiError for what AWS refuses, HandlerLoadError for handlers that can't be loaded.

    Facts 127 and 480 to 486.
    """
    test = read(request)
    state = _find(test.definition, test.state_name, placeholders)
    check(test, state)
    trial = Trial(test, state)
    _run(trial, Handlers(handlers), account, region or home_of(state.fields))
    return _response(trial)


# Whoever imports it into a test's module does not want pytest to run it.
test_state.__test__ = False  # type: ignore[attr-defined]


def _find(definition: str, name: str | None, placeholders: bool) -> State:
    """Return the state `name` of a definition, at any depth; without one the definition is a state.

    Raises ApiError: InvalidDefinition for what CreateStateMachine would refuse, ValidationException
    when there is no such state.

    Fact 486.
    """
    try:
        fields = load(definition).definition
        if name is None:
            fields = _alone(fields)
        check_definition(fields, placeholders=placeholders)
    except DefinitionError as refused:
        raise ApiError("InvalidDefinition", str(refused)) from refused
    for state in workflow(fields).scope.walk():
        if state.name == (name or STATE_NAME):
            return state
    raise ApiError("ValidationException", "State not found in definition")


def _alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a machine around one state: where its transitions lead, something has to be.

    Fact 486: a bare state is called StateName.
    """
    targets = (target for _, target in targets_of(fields) if isinstance(target, str))
    ends = {target: {"Type": "Succeed"} for target in targets}
    return {"StartAt": STATE_NAME, "States": {**ends, STATE_NAME: fields}}


class TrialIdentity(Identity):
    """Who a test's execution is: its ARN is that of an Express one, and ends in its name."""

    __slots__ = ()

    @property
    def arn(self) -> str:
        """The execution's ARN, as recorded for TestState (fact 487)."""
        return self._arn("express", None, f":{self.name}")


def _run(trial: Trial, handlers: Handlers, account: str, region: str) -> None:
    test = trial.test

    def respond(_: Running, __: Invoke) -> Answer | None:
        return answer(test.mock) if test.mock else None

    name = str(uuid.uuid4())
    identity = TrialIdentity(
        name=name, seed=name, type="EXPRESS", account=account, region=region, role=test.role
    )
    driver = Driver(VirtualClock(), handlers, respond=respond)
    execution = driver.start(trial, Header({}, identity, EXPRESS), test.input)
    driver.run(execution)


def _response(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    members: dict[str, Any] = {"status": outcome.status}
    if outcome.leaving:
        output, following, _ = outcome.leaving
        members |= {"output": trial.text(output), "nextState": following}
    if outcome.failed:
        members["error"] = outcome.failed.failure.error
        members["cause"] = outcome.failed.failure.cause
    if trial.test.level != "INFO":
        members["inspectionData"] = inspection_data(trial)
    return {name: value for name, value in members.items() if value is not None}
