"""The pictures of docs/ are what the code draws; `pytest --doorstep-update` draws them anew."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import CONSOLE_SVG_FORMAT, Console

import doorstep
from doorstep.coverage import SuiteCoverage
from doorstep.coverage.marks import of_execution, picture
from doorstep.definitions import load
from doorstep.drawing import draw, svg
from doorstep.history import visits_of
from doorstep.model.definition import workflow
from doorstep.testing.mocks import Mock, Mocks, mock
from doorstep_cli.views.moment import screen
from doorstep_cli.views.stepping import DebugSession

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
APPROVAL = ROOT / "examples" / "approval"
ORDER = ROOT / "examples" / "order"
BEGIN = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
SIZE = 118, 32
FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
"""rich's pictures name fonts of another server; any monospaced one will do."""


def order(*mocks: Mock, value: str = "input") -> doorstep.Execution:
    """An order of the example, answered by its handlers but for the mocks."""
    data = json.loads((ORDER / f"{value}.json").read_text("utf-8"))
    handlers = ORDER / "handlers.py"
    return Mocks(*mocks).run(ORDER / "order.asl.json", data, handlers, seed=1, start_time=BEGIN)


def order_run() -> str:
    """A declined card."""
    definition = load(ORDER / "order.asl.json").definition
    marks = of_execution(definition, visits_of(order(value="declined")))
    return "\n".join(svg(draw(workflow(definition), "order", marks)))


def coverage() -> str:
    """The two tests of docs/testing.md."""
    suite = SuiteCoverage()
    busy = mock("ChargeCard", doorstep.fail("GatewayBusy"), attempt=range(2))
    for one in (busy, mock("FulfilOrder", doorstep.no_answer())):
        suite.add(order(one), "examples/order/order.asl.json")
    [covered] = suite.machines
    return "\n".join(picture(covered, "line"))


def debug() -> str:
    """An approval whose payment failed, as `doorstep debug` opens it."""
    data = json.loads((APPROVAL / "input.json").read_text("utf-8"))
    definition = APPROVAL / "approval.asl.json"
    broken = Mocks(mock("PayOut", doorstep.fail("KeyError", "'amount'")))
    run = broken.run(definition, data, APPROVAL / "handlers.py", seed=1, start_time=BEGIN)
    moments = doorstep.moments(run.history, definition)
    width, height = SIZE
    console = Console(
        record=True,
        file=io.StringIO(),
        width=width,
        height=height,
        highlight=False,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
    )
    console.print(screen(DebugSession(moments, moments.first_failure or 0), width, height))
    form = FONTS.sub("", CONSOLE_SVG_FORMAT)
    return console.export_svg(title="doorstep debug", code_format=form, unique_id="debug")


@pytest.mark.parametrize("make", [order_run, coverage, debug], ids=lambda make: make.__name__)
def test_a_picture_is_what_the_code_draws(
    make: Callable[[], str], request: pytest.FixtureRequest
) -> None:
    file = PICTURES / f"{make.__name__.replace('_', '-')}.svg"
    drawn = f"{make().rstrip()}\n"
    if request.config.getoption("doorstep_update"):
        file.write_text(drawn, "utf-8", newline="\n")
    assert file.read_text("utf-8") == drawn


def test_every_picture_is_in_a_page_and_is_drawn_here() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    drawn = {
        "order-run.svg",
        "coverage.svg",
        "debug.svg",
        "console.png",
        "console-machine.png",
        "console-waiting.png",
    }
    assert {file.name for file in PICTURES.iterdir()} == drawn
    assert set(re.findall(r"\]\(pictures/([\w.-]+)\)", pages)) == drawn
