"""JSONPath, replaying, and programs as a user starts them: the command line and suites of tests."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_rows import UNLIMITED, add_one, loop, tasks
from jsonpath_ng.ext.parser import parse
from measure import Growth, Row, Work, cost

import doorstep
from doorstep.intrinsics import compile_intrinsic
from doorstep.jsonpath import compile_path, compile_reference

ORDER = Path(__file__).parent.parent / "examples" / "order"
TESTS = 200
SUITE = """
definition: order.asl.json
handlers: handlers.py
mocks:
  - {{state: FulfilOrder, answer: {{number: PX}}, after: 40h}}
tests:
  - name: order ${{n}} arrives after forty hours
    each: "{{% [1..{tests}].{{'n': $}} %}}"
    input:
      orderId: order-${{n}}
      card: 4000-0341
      items: [{{sku: tea, quantity: "${{n}}"}}, {{sku: cup, quantity: 1}}]
    expect:
      took: 40h 6s
      output_includes: {{payment: {{cents: "{{% $ = 790 * ${{n}} + 450 %}}"}}}}
      states: {{ChargeCard: {{retries: 2}}}}
"""
PYTHON = """
from datetime import timedelta
import doorstep, pytest
from doorstep.testing.mocks import mock

@pytest.mark.parametrize("n", range(1, {tests} + 1))
def test_an_order_arrives_after_forty_hours(state_machine, n):
    items = [{{"sku": "tea", "quantity": n}}, {{"sku": "cup", "quantity": 1}}]
    order = {{"orderId": f"order-{{n}}", "card": "4000-0341", "items": items}}
    parcel = mock("FulfilOrder", doorstep.answer({{"number": "PX"}}, after="40h"))
    execution = state_machine("order.asl.json", "handlers.py").run(order, mocks=[parcel])
    assert execution.took == timedelta(hours=40, seconds=6)
    assert execution.output["payment"]["cents"] == 790 * n + 450
    assert execution.state("ChargeCard").retries == 2
"""
TINY = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
PROGRAM = ("-c", "from doorstep_cli.main import entry; entry()")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
# Users have their modules compiled once; an environment that forbids it would measure that.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

DATA = {"a": {"b": [{"c": 1}, {"c": 2}]}, "c": {"i": 41}, "x": 0}
ITEMS = {"items": [{"n": n, "price": n % 20} for n in range(1000)]}


def program(*words: str, files: dict[str, str] | None = None) -> Work:
    """Measure a Python program and what it starts: processor seconds; it has to end with 0."""

    def work() -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file in ("order.asl.json", "handlers.py"):
                shutil.copy(ORDER / file, folder)
            for file, text in (files or {}).items():
                (folder / file).write_text(text, "utf-8")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, *words]
            ran = subprocess.run(
                command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    return work


def jsonpath(name: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> Row:
    """Return a row that compares with jsonpath-ng."""
    unit = "µs"
    return Row(
        f"JSONPath: {name}", unit, cost(ours, unit), None, {"jsonpath-ng": cost(theirs, unit)}
    )


def jsonpath_rows() -> list[Row]:
    """Return the reading, writing and compiling of paths, and a call of an intrinsic function."""
    rows = []
    for text in ("$.x", "$.a.b[0].c"):
        get, find = compile_path(text).get, parse(text).find
        rows.append(jsonpath(f"read {text}", lambda get=get: get(DATA), lambda f=find: f(DATA)))
    for text in ("$.items[*].n", "$.items[?(@.price > 10)]", "$..n"):
        get, find = compile_path(text).get, parse(text).find
        name = f"{text} of 1,000 items"
        rows.append(jsonpath(name, lambda get=get: get(ITEMS), lambda f=find: f(ITEMS)))
    text = "$.items[?(@.price > 10)]"
    compile_anew = compile_path.__wrapped__
    rows.append(jsonpath(f"compile {text}", lambda: compile_anew(text), lambda: parse(text)))
    put, update = compile_reference("$.c.i").put, parse("$.c.i").update
    # Theirs changes the value in place.
    rows.append(jsonpath("write $.c.i", lambda: put(DATA, 41), lambda: update(DATA, 41)))
    call = compile_intrinsic("States.MathAdd($.c.i, 1)", lambda path: compile_path(path).get)
    return [*rows, Row("States.MathAdd($.c.i, 1)", "µs", cost(lambda: call(DATA), "µs"))]


def replay_row() -> Row:
    """Return a replay of a history, beside the run that it repeats."""
    definition, handlers = tasks(500), {"same": add_one}
    options: Any = {"quotas": UNLIMITED}
    history = doorstep.run(definition, {"n": 0}, handlers, **options).history
    recorded = {"events": history}

    def run() -> object:
        return doorstep.run(definition, {"n": 0}, handlers, **options).history

    def again() -> object:
        return doorstep.replay(recorded, definition)

    unit, count = "µs an event", len(history)
    return Row("replay; the floor is a run", unit, cost(again, unit, count), cost(run, unit, count))


def rows() -> list[Row]:
    """Return what is measured around the engine."""
    bare = program("-c", "pass")
    suite = {"many.doorstep.yaml": SUITE.format(tests=TESTS)}
    python = {"test_many.py": PYTHON.format(tests=TESTS)}
    tiny = program(*PROGRAM, "run", "tiny.asl.json", files={"tiny.asl.json": TINY})
    return [
        *jsonpath_rows(),
        replay_row(),
        Row("`doorstep --version`", "s", program(*PROGRAM, "--version"), bare, goal="0.11 s"),
        Row("`doorstep run` of one state", "s", tiny, bare, goal="0.18 s"),
        Row(
            f"`doorstep test`, {TESTS} tests",
            "s",
            program(*PROGRAM, "test", files=suite),
            goal="1.5 s",
        ),
        Row(f"pytest, the same {TESTS} as a suite", "s", program(*PYTEST, *suite, files=suite)),
        Row(f"pytest, the same {TESTS} in Python", "s", program(*PYTEST, *python, files=python)),
    ]


def growths() -> list[Growth]:
    """Return how a replay grows with its events."""

    def prepare(size: int) -> Callable[[], object]:
        definition = loop(size // 4)
        options: Any = {"quotas": UNLIMITED}
        recorded = {"events": doorstep.run(definition, {}, **options).history}
        return lambda: doorstep.replay(recorded, definition)

    return [Growth("events of a replay", (1_000, 10_000), prepare)]
