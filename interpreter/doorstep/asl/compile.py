"""A definition's tree compiled to a program of closures, state by state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..model import WORKING, Clause, Scope, State, Workflow, integration
from . import fields as typed_fields
from . import jsonata_fields, jsonpath_fields
from .choice import first_that_holds
from .context import Closure, Env, Leave
from .data_flow import compile_arguments, compile_leave
from .map import MapPlan, distributed_map, inline_map, map_plan
from .retry import compile_retrier
from .states import (
    Catcher,
    ScopeProgram,
    StateProgram,
    choice,
    fail,
    parallel,
    pass_state,
    succeed,
    wait,
)
from .task import TaskPlan, task

Parts = dict[str, Any]


def compile_workflow(workflow: Workflow) -> ScopeProgram:
    """Return the program of a whole definition (one that `validation.check` accepts)."""
    return compile_scope(workflow.scope, workflow.timeout)


def compile_scope(scope: Scope, timeout: float | None = None) -> ScopeProgram:
    """Return the program of one scope."""
    states = {name: compile_state(state) for name, state in scope.states.items()}
    return ScopeProgram(scope.start_at, states, timeout)


def compile_state(state: State) -> StateProgram:
    """Return the program of one state.

    Fact 11: a state's language is its own or the machine's.
    """
    return StateProgram(
        name=state.name,
        type=state.type,
        works=state.type in WORKING,
        entered=f"{state.type}StateEntered",
        exited=f"{state.type}StateExited",
        retriers=[compile_retrier(retrier.fields) for retrier in state.retriers],
        catchers=[
            Catcher(catcher.errors, _catch(catcher, state.jsonata)) for catcher in state.catchers
        ],
        **_COMPILERS[state.type](state),
    )


def _catch(catcher: Clause, jsonata: bool) -> Leave:
    # Facts 50, 303 and 304: neither OutputPath nor ResultSelector of the state.
    return compile_leave(catcher.fields, jsonata, shows="errorOutput", at=f"{catcher.location}/")


def _arguments(state: State) -> Closure:
    return compile_arguments(state.fields, state.jsonata)


def _leave(state: State, *, result: bool = False) -> Leave:
    return compile_leave(state.fields, state.jsonata, shows="result" if result else None)


def _pass(state: State) -> Parts:
    # Fact 267: Result replaces what Parameters made.
    result = (state.fields["Result"],) if "Result" in state.fields else None
    return {"work": pass_state(_arguments(state), result, _leave(state))}


def _succeed(state: State) -> Parts:
    return {"work": succeed(_arguments(state), _leave(state))}


def _fail(state: State) -> Parts:
    return {"work": fail(_fail_text(state, "Error"), _fail_text(state, "Cause"))}


def _fail_text(state: State, name: str) -> Closure:
    # Facts 265 and 266: a text, from a path, a function or an expression.
    path = state.fields.get(f"{name}Path")
    if path is not None:
        return typed_fields.failure_text(path, f"{name}Path")
    fixed = state.fields.get(name)
    if state.jsonata and fixed is not None:
        return jsonata_fields.typed(fixed, name, "string")
    return lambda _: fixed


def _wait(state: State) -> Parts:
    until = typed_fields.wait_until(state.fields, state.jsonata)
    return {"wait": wait(_arguments(state), until, _leave(state))}


def _choice(state: State) -> Parts:
    rules = [_rule_leave(rule, state) for rule in state.rules]
    following = {**state.fields, "Next": state.default}
    otherwise = compile_leave(following, state.jsonata) if state.default else None
    return {"work": choice(_arguments(state), _first_that_holds(state), rules, otherwise)}


def _first_that_holds(state: State) -> Callable[[Env], int | None]:
    if state.jsonata:
        conditions = [(r.fields["Condition"], f"{r.location}/Condition") for r in state.rules]
        return jsonata_fields.first_that_holds(conditions)
    return first_that_holds((rule.fields for rule in state.rules), jsonpath_fields.getter)


def _rule_leave(rule: Clause, state: State) -> Leave:
    # Fact 253: a rule's own Assign and Output; the state's belong to Default.
    # A rule has its own Output and Assign; OutputPath is the state's.
    of_state = {key: state.fields[key] for key in ("OutputPath",) if key in state.fields}
    return compile_leave({**of_state, **rule.fields}, state.jsonata, at=f"{rule.location}/")


def _task(state: State) -> Parts:
    resource = state.fields["Resource"]
    plan = TaskPlan(
        state=state.name,
        resource=resource,
        integration=integration(resource),
        arguments=_arguments(state),
        timeout=typed_fields.duration(state.fields, "TimeoutSeconds", state.jsonata),
        heartbeat=typed_fields.duration(state.fields, "HeartbeatSeconds", state.jsonata),
        credentials=_credentials(state),
        templated="Parameters" in state.fields,
        leave=_leave(state, result=True),
    )
    return {"wait": task(plan)}


def _credentials(state: State) -> Closure | None:
    # Fact 231: the role that the task runs with.
    if "Credentials" not in state.fields:
        return None
    return typed_fields.members(state.fields["Credentials"], "Credentials", state.jsonata)


def _parallel(state: State) -> Parts:
    # Fact 262: one result for all branches, an array.
    branches = [compile_scope(scope) for scope in state.scopes]
    return {
        "wait": parallel(_arguments(state), branches, _leave(state, result=True)),
        "composite": True,
    }


def compile_map(state: State) -> MapPlan:
    """Return the fields of a Map."""
    (scope,) = state.scopes
    return map_plan(state, compile_scope(scope), _leave(state, result=True))


def _map(state: State) -> Parts:
    plan = compile_map(state)
    run = distributed_map(plan) if state.distributed else inline_map(plan)
    return {"wait": run, "composite": True}


_COMPILERS: dict[str, Callable[[State], Parts]] = {
    "Pass": _pass,
    "Task": _task,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _parallel,
    "Map": _map,
}
