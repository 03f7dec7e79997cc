"""A storm of retries in a Map within a Map: every command and page names the same, right cause.

After a redrive none of them has the data of one iteration at the place of another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

Chain = Callable[..., dict[str, Any]]
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
ORDERS = [{"lines": [{"o": o, "l": line} for line in range(3)]} for o in range(12)]
PLACE, CAUSE = "Orders[8] > Lines[1] > Pack", "no box for 8, 1"
HANDLERS = """
import doorstep

def pick(event, context):
    if (event["o"] + event["l"]) % 4 and context.attempt < 2:
        raise doorstep.fail("Throttled", "later")
    return event

def pack(event):
    if (event["o"], event["l"]) == (8, 1) and {fails}:
        raise doorstep.fail("NoBox", "no box for 8, 1")
    return event["o"] * 10 + event["l"]
"""


@pytest.fixture
def folder(tmp_path: Path, chain: Chain, each: Chain, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of three lines are throttled; line 1 of order 8 is, and has no box once it is picked."""
    monkeypatch.chdir(tmp_path)
    retry = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 60}]
    work = {
        "Pick": {"Type": "Task", "Resource": f"{LAMBDA}pick", "Retry": retry},
        "Pack": {"Type": "Task", "Resource": f"{LAMBDA}pack"},
    }
    definition = chain({"Orders": each({"Lines": each(work, ItemsPath="$.lines")})})
    Path("orders.asl.json").write_text(json.dumps(definition), "utf-8")
    Path("orders.json").write_text(json.dumps(ORDERS), "utf-8")
    Path("fails.py").write_text(HANDLERS.replace("{fails}", "True"), "utf-8")
    Path("heals.py").write_text(HANDLERS.replace("{fails}", "False"), "utf-8")
    return tmp_path


def doorstep_cli(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def fail(history: str = "failed.json") -> Result:
    return doorstep_cli(
        "run", "orders.asl.json", "--input", "@orders.json", "--handlers", "fails.py",
        "--history", history,
    )  # fmt: skip


def redrive() -> None:
    fail()
    result = doorstep_cli(
        "resume", "failed.json", "--definition", "orders.asl.json", "--handlers", "heals.py",
        "--history", "whole.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr


@pytest.mark.usefixtures("folder")
def test_every_command_names_the_same_cause() -> None:
    headline = f"FAILED in {PLACE}: NoBox\n  {CAUSE}"
    assert headline in fail().stderr
    assert headline in doorstep_cli("failures", "failed.json").stdout
    table = json.loads(doorstep_cli("failures", "failed.json", "--format", "json").stdout)
    assert (table["place"], table["error"], table["cause"]) == (PLACE, "NoBox", CAUSE)
    ended, *others = table["failures"]
    assert (ended["iterations"], ended["ended"]) == ([[8, 1]], True)
    assert {row["ended"] for row in others} == {False}
    at = doorstep_cli("debug", "failed.json", "--at", "failure", "--format", "json").stdout
    moment = json.loads(at)
    assert (moment["place"], moment["input"]) == (PLACE, {"o": 8, "l": 1})
    assert moment["event"]["id"] == ended["event"]
    again = doorstep_cli(
        "resume", "failed.json", "--definition", "orders.asl.json", "--handlers", "fails.py"
    )
    assert headline in again.stderr
    failed = doorstep_cli("history", "failed.json", "--failed").stdout.splitlines()
    blamed = [line.split()[1:4] for line in failed if "NoBox" in line and "[" in line]
    assert blamed[0] == ["LambdaFunctionFailed", "Pack", "[8][1]"]


@pytest.mark.usefixtures("folder")
def test_the_picture_colours_the_state_that_failed() -> None:
    fail()
    picture = doorstep_cli("graph", "orders.asl.json", "--history", "failed.json").stdout
    names = dict(re.findall(r'(s\d+)\["?([A-Za-z]+)', picture))
    (coloured,) = re.findall(r"class ([\w,]+) failed", picture)
    failed = {names.get(one, one) for one in coloured.split(",")}
    assert "Pack" in failed
    assert "Pick" not in failed


def articles(page: Path) -> list[tuple[str, str]]:
    """Return the place and the text of each event on a page that `doorstep view` wrote."""
    text = page.read_text("utf-8")
    found = re.findall(r'<article class="moment".*?</article>', text, re.DOTALL)
    plain = [unescape(re.sub(r"<[^>]+>", " ", one)) for one in found]
    return [(one.split("·")[0], one) for one in plain]


def numbers(text: str) -> set[tuple[int, int]]:
    return {
        (int(o), int(line)) for o, line in re.findall(r'\{"o":\s*(\d+),\s*"l":\s*(\d+)\}', text)
    }


@pytest.mark.parametrize("definition", [True, False])
@pytest.mark.usefixtures("folder")
def test_after_a_redrive_no_event_of_a_page_has_the_data_of_another_iteration(
    definition: bool,
) -> None:
    redrive()
    more = ("--definition", "orders.asl.json") if definition else ()
    assert doorstep_cli("view", "whole.json", "--html", "page.html", *more).exit_code == 0
    seen = 0
    for place, text in articles(Path("page.html")):
        own = re.search(r"Orders\[(\d+)\] > Lines\[(\d+)\] > Pick|Pack", place)
        if own is None or own[1] is None:
            continue
        # What the execution was given, in the context object, has all orders.
        data, _, change = text.partition("Difference to event")
        shown = numbers(data.partition("Execution")[0] + data.partition("RoleArn")[2])
        order, line = int(own[1]), int(own[2])
        assert shown <= {(order, line)}, place
        # An item follows from the start of its order, which has all of its lines.
        assert {o for o, _ in numbers(change.partition("Execution")[0])} <= {order}, place
        seen += len(shown)
    assert seen > 36


@pytest.mark.usefixtures("folder")
def test_after_a_redrive_commands_agree_on_the_iteration_of_each_event() -> None:
    redrive()
    rows = json.loads(
        doorstep_cli("history", "whole.json", "--iteration", "[8][1]", "--format", "json").stdout
    )
    events = rows["events"] if isinstance(rows, dict) else rows
    redriven = 0
    for event in events:
        details = next((one for name, one in event.items() if name.endswith("Details")), {})
        shown = numbers(json.dumps(details).replace("\\", ""))
        assert shown <= {(8, 1)}
        redriven += event["type"] == "LambdaFunctionScheduled"
    assert redriven == 5, "three attempts to pick, two to pack"
    table = doorstep_cli("failures", "whole.json", "--definition", "orders.asl.json").stdout
    assert "[8][1]" in next(line for line in table.splitlines() if "NoBox" in line)
    same = doorstep_cli("diff", "failed.json", "whole.json", "--definition", "orders.asl.json")
    changed = [line for line in same.stdout.splitlines() if "Pack" in line and "NoBox" in line]
    assert all("[8]" in line and "[1]" in line for line in changed)
