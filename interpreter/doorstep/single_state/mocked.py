"""Programs of the states whose work a mock does: Task, Parallel and Map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from itertools import islice
from typing import Any

from ..asl.compile import compile_map, compile_state
from ..asl.context import Env
from ..asl.data_flow import Exit, compile_arguments, compile_leave
from ..asl.map import MapPlan
from ..asl.states import StateProgram
from ..errors import StateFailed
from ..map_runs.readers import UNREADABLE, batched, failed, most_items, parse_items
from ..map_runs.run import EXCEEDED, exceeds
from ..model.definition import State
from ..runtime.answers import Answer
from .request import Mock, Request

Show = Callable[[str, Any], None]


def answer(mock: Mock) -> Answer:
    """The mock as the world's answer to a Task."""
    if mock.result:
        return Answer(output=mock.result.value)
    told = mock.error or {}
    return Answer(failed=True, error=told.get("error"), cause=told.get("cause"))


def outcome(mock: Mock) -> Any:
    """The mock as what branches or iterations gave; raises StateFailed for an error."""
    told = answer(mock)
    if told.failed:
        raise StateFailed(told.error, told.cause)
    return told.output


def program(asked: Request, state: State, show: Show) -> StateProgram:
    """The state's program, in which the mock does the work of branches and iterations.

    `show(member, value)` is told what comes of that work, and before it of a Map's fields, by the
    names that inspectionData has for them.
    """
    compiled = compile_state(state)
    match asked.mock, state.type:
        case Mock() as mock, "Parallel":
            return replace(compiled, work=_parallel(state, mock, show), wait=None)
        case Mock() as mock, "Map":
            return replace(compiled, work=_map(asked, state, mock, show), wait=None)
    return compiled


def _parallel(state: State, mock: Mock, show: Show) -> Callable[[Env], Exit]:
    arguments = compile_arguments(state.fields, state.jsonata)
    leave = compile_leave(state.fields, state.jsonata, shows="result")

    def work(env: Env) -> Exit:
        arguments(env)
        result = outcome(mock)
        show("result", result)
        return leave(env, result)

    return work


def _map(asked: Request, state: State, mock: Mock, show: Show) -> Callable[[Env], Exit]:
    plan = compile_map(state)

    def work(env: Env) -> Exit:
        plan.effective(env)
        count, percentage = _limits(plan, env, show)
        items = _items(plan, env, asked.reader_data, show)
        if state.selector is not None:
            items = _selected(plan, env, items)
            show("afterItemSelector", items)
        if plan.batch:
            batches = [batch.input for batch in batched(plan.batch(env), iter(items))]
            show("afterItemBatcher", batches)
        result = outcome(mock)
        total = len(result) if isinstance(result, list) else len(items)
        if exceeds(asked.failed_iterations or 0, total, count, percentage):
            raise StateFailed("States.ExceedToleratedFailureThreshold", EXCEEDED)
        show("result", result)
        return plan.leave(env, result)

    return work


def _limits(plan: MapPlan, env: Env, show: Show) -> tuple[int | None, float | None]:
    show("maxConcurrency", plan.concurrency(env) or 0)
    count, percentage = plan.tolerated_count(env), plan.tolerated_percentage(env)
    if count is not None:
        show("toleratedFailureCount", count)
    if percentage is not None:
        show("toleratedFailurePercentage", float(percentage))
    return count, percentage


def _items(plan: MapPlan, env: Env, data: str | None, show: Show) -> list[Any]:
    if plan.reader is None:
        items: list[Any] = plan.items(env)
        show("afterItemsPath", items)
        return items
    source = plan.reader(env)
    if data is None:
        return []
    most = most_items(source)
    try:
        items = list(islice(parse_items(source.config, StringIO(data)), most))
    except UNREADABLE as problem:
        raise failed(str(problem)) from None
    if "ItemsPointer" in source.config:
        show("afterItemsPointer", items)
    return items


def _selected(plan: MapPlan, env: Env, items: list[Any]) -> list[Any]:
    selected = [
        plan.select(env, {"Index": index, "Value": item}) for index, item in enumerate(items)
    ]
    env.show_item(env.fiber.item)
    return selected
