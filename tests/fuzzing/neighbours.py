"""Hostile executions beside good ones leave the histories of these as they are, times included."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import cache
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from cutting import Scopes
from hypothesis import strategies as st

import doorstep
from doorstep.api import SEEDED_START, as_machine
from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header
from doorstep.history.aws_json import as_aws
from doorstep.map_runs.run import MapRun
from doorstep.runtime import Driver, Running, VirtualClock
from doorstep.runtime.handlers import Handlers
from doorstep.values.json_values import loads

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from hostile import CATALOGUE, HANDLERS

SHAPES = st.lists(
    st.sampled_from(["random", "jsonata", "wait", "work", "broken", "late", "flaky", "callback"])
    | st.tuples(st.just("parallel"), st.just([["wait", "work"], ["flaky"], ["callback"]]))
    | st.tuples(st.just("map"), st.just(["wait", "flaky"]), st.integers(0, 2)),
    min_size=1,
    max_size=4,
)
ELSEWHERE = ("endless-express", "handler-interrupts")
"""Only a server bears with these: in the main thread KeyboardInterrupt is the user's Ctrl-C."""
neighbours = st.fixed_dictionaries(
    {
        "good": st.lists(SHAPES.map(lambda shapes: Scopes().of(shapes)), min_size=1, max_size=3),
        "hostile": st.lists(
            st.sampled_from([one.name for one in CATALOGUE if one.name not in ELSEWHERE]),
            min_size=1,
            max_size=3,
        ),
    }
)
BY_NAME = {one.name: one for one in CATALOGUE}


@cache
def hostile_handlers() -> dict[str, Any]:
    module = ModuleType("hostile_handlers")
    exec(HANDLERS, module.__dict__)
    return {name: value for name, value in vars(module).items() if callable(value)}


def calm() -> dict[str, Callable[..., Any]]:
    """Handlers whose answers depend on the call alone."""

    def flaky(event: Any, context: Any) -> Any:
        if context.attempt < 1:
            return doorstep.fail("Flaky", after=0.5)
        return doorstep.answer("well", after=1.25)

    def queue(event: Any, context: Any) -> Any:
        context.send_task_success(context.task_token, "answered", after=3.5)
        return {}

    return {
        "succeed": lambda event: doorstep.answer("done", after=2.25),
        "broken": lambda event: doorstep.fail("Broken"),
        "late": lambda event: doorstep.no_answer(),
        "flaky": flaky,
        "sqs:sendMessage": queue,
    }


def histories(good: list[Any], hostile: list[str]) -> list[list[dict[str, Any]]]:
    """The histories of the good ones, started on one driver with the hostile ones."""
    child = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    machines = {"child": as_machine("child", child)}
    driver = Driver(
        VirtualClock(SEEDED_START),
        Handlers(hostile_handlers() | calm()),
        machines=machines,
        new_map_run=MapRun,
    )
    for number, name in enumerate(hostile):
        start(driver, f"hostile-{number}", BY_NAME[name].definition, BY_NAME[name].text)
    started = [start(driver, f"good-{number}", one, "{}") for number, one in enumerate(good)]
    with redirect_stderr(StringIO()):
        driver.clock.run(lambda: all(one and one.ended for one in started))
    return [[as_aws(event) for event in one.events] if one else [] for one in started]


def start(driver: Driver, name: str, definition: Any, text: str) -> Running | None:
    """Start an execution, if its definition and its input are not refused."""
    try:
        loads(text)
        machine = as_machine(name, definition)
    except (doorstep.DefinitionError, doorstep.InputError):
        return None
    identity = Identity(name=name, seed=name, machine=name)
    return driver.start(machine.program, Header.of(machine.definition, identity), text)


def harms_no_neighbour(good: list[Any], hostile: list[str]) -> None:
    """An AssertionError if the good ones run differently beside the hostile ones."""
    assert histories(good, hostile) == histories(good, [])
