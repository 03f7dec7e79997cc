"""The calls that an execution's tasks made, whoever answered them: a handler, a mock, nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...engine import Invoke
from ...model.definition import workflow
from ...model.resource import integration
from ...runtime import Execution, event_of, names_by, names_of
from ...values.json_values import dumps, loads


@dataclass(frozen=True, slots=True)
class Call:
    """One call; a retry is another one."""

    state: str
    given: Any
    """What a handler is given."""
    attempt: int
    """0 for the first call of a visit, then the number of the retry."""
    token: str
    """The task token of a callback or job; empty for others."""
    at: timedelta
    """The modelled time since the start of the test's execution, which may be its parent."""
    names: tuple[str, ...] = field(repr=False)
    """All names under which a handler is looked for: the state, the function, `service:action`."""
    execution: Execution = field(repr=False)


def made(execution: Execution, invoke: Invoke, begun: float) -> Call:
    """The call that a driver makes now; `begun`: when the test's execution started."""
    return Call(
        state=invoke.state,
        given=loads(dumps(event_of(invoke))),
        attempt=invoke.attempt,
        token=invoke.token,
        at=timedelta(seconds=round(execution.clock.now() - begun, 3)),
        names=names_of(invoke),
        execution=execution,
    )


def callable_names(definition: Mapping[str, Any]) -> list[str]:
    """The names that calls may have, as far as the definition says, in order."""
    found: set[str] = set()
    for state in workflow(definition).scope.walk():
        if state.type == "Task":
            resource = state.fields["Resource"]
            arguments = state.fields.get("Parameters", state.fields.get("Arguments"))
            found.update(names_by(state.name, resource, integration(resource), arguments))
    return sorted(found)
