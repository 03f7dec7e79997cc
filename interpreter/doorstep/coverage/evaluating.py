"""What a history does not say, found by running one state once more on what it does say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..asl.compile import compile_scope, compile_state
from ..asl.context import Env
from ..engine.engine import Engine
from ..engine.fibers import Fiber
from ..engine.identity import Identity
from ..engine.quotas import STANDARD
from ..errors import InputError, StateFailed
from ..history.state_visits import Visit
from ..model.definition import Scope, State

_NOWHERE = compile_scope(Scope("", {}, ""))
_AFTER = ("Assign", "Output")
"""Fields that matter once the rule is known."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What expressions may ask of an execution: its names, its input, when it was started."""

    identity: Identity
    input: Any
    at: float


def deciding(state: State) -> Callable[[Visit, Any, Mapping[str, Any], Setting], int | None]:
    """Tells which rule of a Choice holds for an input, Default being the last; None: can't tell."""
    work = compile_state(_with_numbered_targets(state)).work
    assert work

    def decide(
        visit: Visit, data: Any, variables: Mapping[str, Any], setting: Setting
    ) -> int | None:
        try:
            return int(work(_env(visit, data, variables, setting)).next or 0)
        except (StateFailed, InputError):
            return None

    return decide


def failure(
    state: State, visit: Visit, variables: Mapping[str, Any], setting: Setting
) -> StateFailed:
    """The failure that a Fail state is."""
    program = compile_state(state)
    assert program.work
    try:
        program.work(_env(visit, visit.input, variables, setting))
    except StateFailed as failed:
        return failed
    raise AssertionError(f"{state.name} is a {state.type} state")


def _with_numbered_targets(state: State) -> State:
    rules = [
        {k: v for k, v in rule.fields.items() if k not in _AFTER} | {"Next": str(rule.index)}
        for rule in state.rules
    ]
    kept = {key: value for key, value in state.fields.items() if key not in _AFTER}
    return replace(state, fields={**kept, "Choices": rules, "Default": str(len(rules))})


def _env(visit: Visit, data: Any, variables: Mapping[str, Any], setting: Setting) -> Env:
    engine = Engine(_NOWHERE, setting.identity, STANDARD)
    engine.input, engine.started_at = setting.input, setting.at
    engine.now = visit.entered.at
    fiber = Fiber(engine, None, "", 0)
    fiber.variables = dict(variables)
    index = visit.index
    # Without ItemSelector the iteration's input is the item.
    fiber.item = None if index is None else {"Index": index, "Value": data}
    return Env(fiber, visit.name, False, data)
