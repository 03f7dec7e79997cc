"""`doorstep graph`: Mermaid, DOT and SVG, coloured by what happened."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.drawing.graph import condition
from doorstep_cli.main import cli

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
DEFINITION: dict[str, Any] = {
    "StartAt": "Large?",
    "States": {
        "Large?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThan": 100, "Next": "Ask"}],
            "Default": "Each",
        },
        "Ask": {
            "Type": "Task",
            "Resource": f"{FUNCTION}ask",
            "Catch": [
                {
                    "ErrorEquals": ["Refused", "States.Timeout"],
                    "ResultPath": None,
                    "Next": "Each",
                }
            ],
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "StartAt": "Price",
                "States": {"Price": {"Type": "Task", "Resource": f"{FUNCTION}price", "End": True}},
            },
            "Next": "Nap",
        },
        "Nap": {"Type": "Wait", "Seconds": 5, "Next": "Sad"},
        "Sad": {"Type": "Fail"},
    },
}
ORDER = {"total": 200, "items": [1, 2]}


def refuse(_: Any) -> Any:
    raise doorstep.fail("Refused")


def graph(folder: Path, *options: str, definition: Any = DEFINITION) -> Result:
    file = folder / "flow.asl.json"
    file.write_text(json.dumps(definition), "utf-8")
    return CliRunner().invoke(cli, ["graph", str(file), *options])


def coloured(folder: Path, execution: doorstep.Execution) -> dict[str, str]:
    """Each state's colour in a graph with this history: its label, without the count, to class."""
    history = folder / "history.json"
    history.write_text(json.dumps({"events": execution.history}), "utf-8")
    definition = execution.definition
    text = graph(folder, "--history", str(history), definition=definition).stdout
    labels = dict(re.findall(r'(s\d+) ?[\[{(]+"([^"]+)"', text))
    return {
        re.sub(r" (×\d+|↻\d+|\d+[✓✗…]|\(.*\))", "", labels[node]): colour
        for ids, colour in re.findall(r"class (\S+) (\S+)$", text, re.M)
        for node in ids.split(",")
        if node in labels
    }


def test_mermaid_has_states_transitions_conditions_and_catches(tmp_path: Path) -> None:
    assert graph(tmp_path).stdout.splitlines() == [
        "flowchart TD",
        "    start((Start))",
        '    s1{"Large?"}',
        '    s2["Ask"]',
        '    subgraph s3 ["Each (Map)"]',
        '        s6["Price"]',
        "    end",
        '    s4(["Nap"])',
        '    s5(["Sad"])',
        "    finish((End))",
        "    start --> s1",
        '    s1 -->|"$.total #62; 100"| s2',
        '    s1 -->|"default"| s3',
        "    s2 --> s3",
        '    s2 -.->|"Refused, States.Timeout"| s3',
        "    s3 --> s4",
        "    s4 --> s5",
        "    s5 --> finish",
    ]


def test_dot_clips_the_edges_of_a_map_at_its_frame(tmp_path: Path) -> None:
    text = graph(tmp_path, "--format", "dot").stdout
    assert text.startswith('digraph "flow" {\n')
    assert text.endswith("}\n")
    assert text.count("{") == text.count("}")
    assert "subgraph cluster_s3 {" in text
    assert 's1 -> s6 [lhead=cluster_s3, label="default"]' in text
    assert "s6 -> s4 [ltail=cluster_s3]" in text
    assert 'label="Refused, States.Timeout", style=dashed' in text


def test_names_cannot_break_out_of_their_labels(tmp_path: Path) -> None:
    name = 'a"] --> b\\'
    flow = {"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}}
    assert '    s1["a#34;] --#62; b#92;"]' in graph(tmp_path, definition=flow).stdout
    dot = graph(tmp_path, "--format", "dot", definition=flow).stdout
    assert r's1 [label="a\"] --> b\\"]' in dot


def test_parallel_branches_stand_in_one_frame(tmp_path: Path) -> None:
    branch = {"StartAt": "L", "States": {"L": {"Type": "Pass", "End": True}}}
    other = {"StartAt": "R", "States": {"R": {"Type": "Pass", "End": True}}}
    both = {"Type": "Parallel", "Branches": [branch, other], "End": True}
    text = graph(tmp_path, definition={"StartAt": "Both", "States": {"Both": both}}).stdout
    assert (
        '    subgraph s1 ["Both (Parallel)"]\n        s2["L"]\n        s3["R"]\n    end\n' in text
    )


def test_states_are_coloured_by_what_happened(tmp_path: Path) -> None:
    execution = doorstep.run(
        DEFINITION, ORDER, handlers={"ask": refuse, "price": lambda item: item}
    )
    assert coloured(tmp_path, execution) == {
        "Large?": "succeeded",
        "Ask": "caught",
        "Each": "succeeded",
        "Price": "succeeded",
        "Nap": "succeeded",
        "Sad": "failed",
    }


def test_a_failure_inside_a_map_colours_the_state_and_the_map(tmp_path: Path) -> None:
    execution = doorstep.run(DEFINITION, {**ORDER, "total": 1}, handlers={"price": refuse})
    assert coloured(tmp_path, execution) == {
        "Large?": "succeeded",
        "Ask": "not_reached",
        "Each": "failed",
        "Price": "failed",
        "Nap": "not_reached",
        "Sad": "not_reached",
    }


def test_a_state_that_succeeded_in_the_end_is_not_failed(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["States.ALL"]}]
    ask = {"Type": "Task", "Resource": f"{FUNCTION}ask", "Retry": retry, "End": True}

    def again(_: Any, context: doorstep.Context) -> Any:
        if context.attempt < 2:
            raise doorstep.fail("Busy")
        return {}

    run = doorstep.run({"StartAt": "Ask", "States": {"Ask": ask}}, handlers={"ask": again})
    assert coloured(tmp_path, run) == {"Ask": "succeeded"}


def test_what_was_cut_off_by_a_timeout_is_aborted(tmp_path: Path) -> None:
    nap = {"Type": "Wait", "Seconds": 50, "End": True}
    flow = {"StartAt": "Nap", "TimeoutSeconds": 5, "States": {"Nap": nap}}
    assert coloured(tmp_path, doorstep.run(flow)) == {"Nap": "aborted"}


def test_what_still_runs_is_in_progress(tmp_path: Path) -> None:
    nap = {"Type": "Wait", "Seconds": 50, "End": True}
    execution = doorstep.start({"StartAt": "Nap", "States": {"Nap": nap}})
    execution._driver.clock.run(lambda: len(execution.events) > 1)
    assert coloured(tmp_path, execution) == {"Nap": "in_progress"}


def test_the_legend_explains_the_colours_that_occur(tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    run = doorstep.run(DEFINITION, {**ORDER, "total": 1}, handlers={"price": refuse})
    history.write_text(json.dumps(run.history), "utf-8")
    for output_format in ("mermaid", "dot"):
        text = graph(tmp_path, "--history", str(history), "--format", output_format).stdout
        assert re.findall(r"legend_(\w+) ?\[", text) == ["succeeded", "failed", "not_reached"]


def test_the_ways_that_were_taken_are_coloured(tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    run = doorstep.run(DEFINITION, ORDER, handlers={"ask": refuse, "price": lambda item: item})
    history.write_text(json.dumps(run.history), "utf-8")
    green, orange, red, grey = "#1d8102", "#d45b07", "#c7131f", "#aab7b8"
    text = graph(tmp_path, "--history", str(history)).stdout
    # In the order of the edges: Large?, its Default, Ask's Next and its catcher, …
    assert re.findall(r"linkStyle (\S+) stroke:(\S+)", text) == [
        ("0,1,5,6", green),
        ("4", orange),
        ("7", red),
        ("2,3", grey),
    ]
    text = graph(tmp_path, "--history", str(history), "--format", "dot").stdout
    assert f's1 -> s2 [label="$.total > 100", color="{green}"]' in text
    assert f'label="Refused, States.Timeout", style=dashed, color="{orange}"]' in text


@pytest.mark.parametrize("part", [slice(3, None), slice(6)])
def test_a_page_of_a_history_colours_what_it_has(tmp_path: Path, part: slice) -> None:
    history = tmp_path / "history.json"
    sad = {"StartAt": "Sad", "States": {"Sad": {"Type": "Succeed"}}}
    run = doorstep.run(DEFINITION, ORDER, handlers={"ask": refuse, "price": lambda item: item})
    history.write_text(json.dumps(run.history[part]), "utf-8")
    for definition in (DEFINITION, sad):
        assert graph(tmp_path, "--history", str(history), definition=definition).exit_code == 0


def test_how_often_a_state_was_entered_is_shown(tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    run = doorstep.run(DEFINITION, ORDER | {"total": 1}, handlers={"price": lambda item: item})
    history.write_text(json.dumps(run.history), "utf-8")
    assert '"Price ×2"' in graph(tmp_path, "--history", str(history)).stdout


def test_a_history_of_another_workflow_is_noticed(tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    run = doorstep.run({"StartAt": "X", "States": {"X": {"Type": "Succeed"}}})
    history.write_text(json.dumps(run.history), "utf-8")
    result = graph(tmp_path, "--history", str(history))
    assert result.exit_code == 0
    assert "flow.asl.json does not define: X\n" in result.stderr


def test_a_refused_definition_is_not_drawn(tmp_path: Path) -> None:
    result = graph(tmp_path, definition={"StartAt": "A", "States": {}})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "error" in result.stderr


def test_a_picture_is_coloured_and_written_to_a_file(tmp_path: Path) -> None:
    history, file = tmp_path / "history.json", tmp_path / "flow.svg"
    run = doorstep.run(DEFINITION, {**ORDER, "total": 1}, handlers={"price": refuse})
    history.write_text(json.dumps(run.history), "utf-8")
    options = ("--format", "svg", "--output", str(file), "--history", str(history))
    assert graph(tmp_path, *options).stdout == ""
    tag = "{http://www.w3.org/2000/svg}"
    fills = {
        (group.findtext(f"{tag}title") or "").splitlines()[0]: group.get("class")
        for group in ElementTree.parse(file).getroot().iter(f"{tag}g")
        for box in group
        if (box.get("class") or "").startswith("box") and group.find(f"{tag}title") is not None
    }
    assert fills == {
        "Large? (Choice)": "state succeeded",
        "Ask (Task)": "state not-reached",
        "Each (Map)": "state failed",
        "Price (Task)": "state failed",
        "Nap (Wait)": "state not-reached",
        "Sad (Fail)": "state not-reached",
    }


def test_retries_and_iterations_are_counted(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["Refused"], "MaxAttempts": 2}]
    definition = json.loads(json.dumps(DEFINITION))
    each = definition["States"]["Each"]
    each["ItemProcessor"]["States"]["Price"]["Retry"] = retry
    each["MaxConcurrency"] = 1

    def price(item: int) -> int:
        return item if item == 1 else refuse(item)

    run = doorstep.run(definition, {**ORDER, "total": 1}, handlers={"price": price})
    history = tmp_path / "history.json"
    history.write_text(json.dumps(run.history), "utf-8")
    text = graph(tmp_path, "--history", str(history), definition=definition).stdout
    assert '"Price ×2 ↻2"' in text
    assert '"Each 1✓ 1✗ (Map)"' in text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"Variable": "$.a", "StringEquals": "x"}, '$.a = "x"'),
        ({"Variable": "$.a", "NumericLessThanEqualsPath": "$.b"}, "$.a ≤ $.b"),
        (
            {"Variable": "$.a", "TimestampGreaterThan": "2025-01-01T00:00:00Z"},
            '$.a > "2025-01-01T00:00:00Z"',
        ),
        ({"Variable": "$.a", "StringMatches": "log-*"}, '$.a matches "log-*"'),
        ({"Variable": "$.a", "IsPresent": True}, "$.a is present"),
        ({"Variable": "$.a", "IsNull": False}, "$.a is not null"),
        ({"Variable": "$.a", "BooleanEquals": True}, "$.a = true"),
        ({"Condition": "{% $n > 3 %}"}, "$n > 3"),
        ({"Not": {"Variable": "$.a", "IsNull": True}}, "not ($.a is null)"),
        (
            {
                "And": [
                    {"Variable": "$.a", "IsNull": True},
                    {"Or": [{"Condition": "{% 1 %}"}, {"Condition": "{% 2 %}"}]},
                ]
            },
            "$.a is null and (1 or 2)",
        ),
    ],
)
def test_conditions_are_said_briefly(rule: dict[str, Any], said: str) -> None:
    assert condition({**rule, "Next": "N", "Comment": "c"}) == said
