"""Foreign definitions and histories: what is in them never orders a terminal about."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
import doorstep_cli
from doorstep.values.printable import escaped, printable
from doorstep_cli.main import cli

EVIL = "\x1b[2J\x1b]0;title\x07\x9b31m\r\x08\x7f\u202egnp\u2066\u2028\ud800\x1b[31m"
"""Clears a screen, sets a title, colours, goes back, turns directions, breaks UTF-8."""
ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
OURS = re.compile("\x1b\\[[0-9;]*m")
WRITES = re.compile(r"click\.(?:echo|secho|style)|[^_.)]\bprint\(|import Console")
NAME = f"A{EVIL}"
CALL = "arn:aws:states:::lambda:invoke"


def workflow(**fields: Any) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": CALL,
        "Parameters": {"FunctionName": "f", "Payload": {EVIL: EVIL}},
        "Comment": EVIL,
        "ResultPath": "$.r",
        "Catch": [{"ErrorEquals": [f"E{EVIL}"], "ResultPath": "$.why", "Next": f"B{EVIL}"}],
        "Next": f"B{EVIL}",
        **fields,
    }
    end = {"Type": "Fail", "Error": f"E{EVIL}", "Cause": f"c\n{EVIL}"}
    return {"StartAt": NAME, "States": {NAME: task, f"B{EVIL}": end}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A definition, one that is refused, a history, handlers, mocks and a suite."""
    monkeypatch.chdir(tmp_path)
    definition = workflow()
    Path("m.json").write_text(json.dumps(definition))
    refused = workflow(**{EVIL: 1, "Next": f"C{EVIL}"})
    Path("refused.json").write_text(json.dumps(refused))
    Path("broken.json").write_text('{"a": ' + EVIL[:-6].replace("\ud800", ""), "utf-8")
    execution = doorstep.run(definition, {"in": EVIL}, {"f": lambda _: EVIL}, name="n")
    events = {"events": execution.history}
    Path("h.json").write_text(json.dumps(events))
    strange = json.loads(json.dumps(events))
    strange["events"][1]["type"] = EVIL
    Path("strange.json").write_text(json.dumps(strange))
    Path("h.py").write_text(f"def f(event):\n    raise ValueError({EVIL!r})\n")
    Path("same.py").write_text(f"def f(event):\n    return {EVIL!r}\n")
    Path("ok.json").write_text(
        json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": EVIL, "End": True}}})
    )
    case = {"name": f"t{EVIL}".replace("\ud800", ""), "input": EVIL, "expect": {"output": EVIL}}
    suite = {"machine": "m.json", "handlers": "h.py", "tests": [case]}
    # YAML has no escape for half of a surrogate pair.
    Path("s.doorstep.yaml").write_text(json.dumps(suite).replace(r"\ud800", ""))
    return tmp_path


COMMANDS = [
    "validate m.json refused.json broken.json --severity WARNING",
    "validate m.json refused.json --severity WARNING --format json",
    "validate refused.json --format sarif",
    "run m.json --handlers h.py --history out.json",
    "run m.json --handlers h.py --format json --quiet",
    "run m.json",
    "run ok.json",
    "run refused.json",
    "run broken.json",
    "graph m.json",
    "graph m.json --format dot",
    "graph m.json --format svg",
    "graph m.json --history h.json",
    "explore m.json --seconds 1",
    "explore m.json --seconds 1 --format json",
    "test .",
    "test . --format json",
    f"test-state m.json --state {NAME} --handlers h.py",
    f"test-state m.json --state {NAME} --handlers h.py --format json --level DEBUG",
    f"test-state m.json --state {NAME} --mock-result {{}} --level DEBUG",
    "test-state m.json --state none",
    "history h.json",
    "history h.json --details",
    "history h.json --format json",
    "history strange.json --details",
    "replay h.json --definition m.json",
    "replay h.json --definition ok.json",
    "replay strange.json --definition m.json",
    "resume h.json --definition m.json --handlers h.py",
    "debug h.json --definition m.json --at failure",
    "debug h.json --at 3",
    "debug h.json --at 3 --format json",
    "diff h.json h.json",
    "diff h.json strange.json",
]


def call(line: str, *, colour: bool = False) -> Result:
    words = [word.replace("\0", " ") for word in line.replace(NAME, "\1").split(" ")]
    return CliRunner().invoke(cli, [word.replace("\1", NAME) for word in words], color=colour)


@pytest.mark.parametrize("line", COMMANDS, ids=printable)
@pytest.mark.usefixtures("folder")
def test_no_command_lets_a_foreign_text_order_the_terminal_about(line: str) -> None:
    plain, coloured = call(line), call(line, colour=True)
    for result in (plain, coloured):
        assert result.exit_code in (0, 1, 2), (result.output, result.exception)
        assert result.output
    for text in (plain.stdout, plain.stderr):
        assert not ORDERS.findall(text)
    for text in (coloured.stdout, coloured.stderr):
        assert "\x1b[2J" not in text
        assert not ORDERS.findall(OURS.sub("", text))
    # TestState refuses half a surrogate in a name, as it can't be sent over HTTP.
    refused = line.startswith("test-state") and "--format json" in line
    if refused:
        assert (plain.exit_code, plain.stdout) == (2, "")
    elif "--format json" in line or "--format sarif" in line or line == "run ok.json":
        json.loads(plain.stdout)


@pytest.mark.usefixtures("folder")
def test_json_in_a_pipe_is_exact() -> None:
    assert json.loads(call("run ok.json").stdout) == EVIL
    call("run m.json --handlers same.py --history out.json")
    history = json.loads(Path("out.json").read_text("utf-8"))["events"]
    assert json.loads(history[0]["executionStartedEventDetails"]["input"]) == {}
    assert history[1]["stateEnteredEventDetails"]["name"] == NAME


def test_an_escape_says_the_same_in_json() -> None:
    text = json.dumps([EVIL], ensure_ascii=False)
    assert json.loads(escaped(text)) == [EVIL]
    assert not ORDERS.findall(escaped(text))


def test_only_one_module_writes_to_the_terminal() -> None:
    """Where everything passes nothing can be forgotten."""
    folder = Path(doorstep_cli.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text("utf-8")
        if path.name != "output.py":
            assert not re.findall(
                r"click\.(?:echo|secho|style)|[^_.)]\bprint\(|import Console", text
            ), f"{path.name}: use echo, style and console of output.py"


def test_a_thousand_refusals_are_counted_rather_than_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded nowhere: AWS bounds what it lists by ValidateStateMachineDefinition's maxResults."""
    monkeypatch.chdir(tmp_path)
    branch = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    parallel = {"Type": "Parallel", "Branches": [branch] * 1_001, "End": True}
    definition = {"StartAt": "P", "States": {"P": parallel}}
    Path("many.json").write_text(json.dumps(definition))
    with pytest.raises(doorstep.DefinitionError, match="… and 950 more") as refused:
        doorstep.run(definition)
    assert len(refused.value.diagnostics) == 1_000
    assert len(str(refused.value)) < 6_000
    for line in ("validate many.json", "run many.json"):
        output = call(line).output
        assert "… and 950 more; `doorstep validate --format json` lists all" in output
        assert len(output) < 60_000
    (found,) = json.loads(call("validate many.json --format json").stdout)
    assert len(found["diagnostics"]) == 1_000


@pytest.mark.parametrize(
    "fields", [{"x" * 100_000: 1}, {"Next": "y" * 100_000}, {"Type": "z" * 100_000}]
)
def test_a_refusal_repeats_only_the_beginning_of_a_large_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    state = {"Type": "Pass", "End": True} | fields
    Path("large.json").write_text(json.dumps({"StartAt": "P", "States": {"P": state}}))
    for line in ("validate large.json", "run large.json", "validate large.json --format json"):
        result = call(line)
        assert result.exit_code in (1, 2)
        assert len(result.output) < 10_000
