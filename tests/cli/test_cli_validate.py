"""`doorstep validate`: what AWS would refuse, and where it stands in the user's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
BAD = """{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Succeed"},
    "B": {"Type": "Succeed"}
  }
}
"""
WARNED = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "$.x", "End": true}}}'
TEMPLATE = """
Parameters:
  Stage: {Type: String}
Resources:
  Good:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A: {Type: Pass, Result: !Ref Stage, End: true}
  Bad:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A: {Type: Pass, End: true, Lambda: {}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with definitions, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    texts = {"good.json": GOOD, "bad.json": BAD, "warned.json": WARNED, "template.yaml": TEMPLATE}
    for name, text in texts.items():
        Path(name).write_text(text, "utf-8")


def validate(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["validate", *arguments], input=stdin)


def test_an_accepted_definition_exits_with_0() -> None:
    result = validate("good.json")
    assert (result.exit_code, result.stdout) == (0, "good.json: accepted\n")


def test_a_refused_definition_shows_code_message_place_and_hint() -> None:
    result = validate("bad.json")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'bad.json:5:5: error MISSING_TRANSITION_TARGET: State "B" is not reachable.',
        '        "B": {"Type": "Succeed"}',
        "        ^",
        "  at /States/B",
        "  hint: no state goes there: name it in a Next, Default, Catch or StartAt",
        "bad.json: refused",
    ]


def test_one_refused_among_many_exits_with_1() -> None:
    result = validate("good.json", "bad.json")
    assert result.exit_code == 1
    assert "good.json: accepted" in result.stdout
    assert "bad.json: refused" in result.stdout


def test_text_that_is_not_json_is_refused_where_it_breaks() -> None:
    Path("broken.json").write_text('{"StartAt":\n  "A",,\n}', "utf-8")
    result = validate("broken.json")
    assert result.exit_code == 1
    assert "broken.json:2:7: error INVALID_JSON_DESCRIPTION" in result.stdout
    assert '      "A",,\n          ^\n' in result.stdout


def test_the_text_of_the_definition_is_not_repeated_in_a_message() -> None:
    Path("cut.json").write_text('{"StartAt": "A",\n "States": {"A": {}', "utf-8")
    told = validate("cut.json").stdout
    assert "start marker at line: 2, column: 12" in told
    assert "Source" not in told


def test_yaml_is_refused_at_its_line() -> None:
    Path("flow.yaml").write_text("StartAt: A\nStates:\n  A:\n    Type: Pass\n", "utf-8")
    assert "flow.yaml:3:3: error" in validate("flow.yaml").stdout


def test_warnings_are_shown_when_asked_for_and_refuse_nothing() -> None:
    assert validate("warned.json").stdout == "warned.json: accepted\n"
    result = validate("warned.json", "--severity", "WARNING")
    assert result.exit_code == 0
    assert "warned.json:1:61: warning" in result.stdout


def test_express_refuses_what_standard_allows() -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "https://queue", "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    flow = {"StartAt": "A", "States": {"A": state}}
    Path("flow.json").write_text(json.dumps(flow), "utf-8")
    assert validate("flow.json").exit_code == 0
    assert validate("flow.json", "--type", "EXPRESS").exit_code == 1


def test_every_machine_of_a_template_is_looked_at() -> None:
    result = validate("template.yaml", "--param", "Stage=test")
    assert result.exit_code == 1
    assert "template.yaml (Good): accepted" in result.stdout
    assert "template.yaml:18:" in result.stdout
    assert "template.yaml (Bad): refused" in result.stdout


def test_resource_looks_at_one_machine_of_a_template() -> None:
    result = validate("template.yaml", "--param", "Stage=test", "--machine-name", "Good")
    assert (result.exit_code, result.stdout) == (0, "template.yaml (Good): accepted\n")


def test_a_template_parameter_without_a_value_is_named() -> None:
    result = validate("template.yaml")
    assert result.exit_code == 2
    assert "--param Stage=" in result.stderr


def test_json_is_an_array_in_the_shape_of_aws_with_lines_and_columns() -> None:
    result = validate("good.json", "bad.json", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {"file": "good.json", "result": "OK", "diagnostics": []},
        {
            "file": "bad.json",
            "result": "FAIL",
            "diagnostics": [
                {
                    "severity": "ERROR",
                    "code": "MISSING_TRANSITION_TARGET",
                    "message": 'State "B" is not reachable.',
                    "location": "/States/B",
                    "line": 5,
                    "column": 5,
                    "hint": "no state goes there: name it in a Next, Default, Catch or StartAt",
                }
            ],
        },
    ]


def test_json_keeps_awss_words_for_text_that_is_not_json() -> None:
    [found] = json.loads(validate("-", "--format", "json", stdin="not JSON").stdout)
    [diagnostic] = found["diagnostics"]
    assert diagnostic["location"] == '[Source: (String)"not JSON"; line: 1, column: 4]'
    assert (diagnostic["line"], diagnostic["column"]) == (1, 1)


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    result = validate("none.json")
    assert result.exit_code == 2
    assert "'none.json' does not exist" in result.stderr


def test_a_file_that_is_not_text_is_named() -> None:
    Path("bytes.json").write_bytes(b"\xff\xfe")
    result = validate("bytes.json")
    assert result.exit_code == 2
    assert "not UTF-8" in result.stderr


def test_a_folder_is_checked_file_by_file_and_machine_by_machine() -> None:
    good = """
Resources:
  M{n}:
    Type: AWS::StepFunctions::StateMachine
    Properties: {{Definition: {{StartAt: A, States: {{A: {{Type: Pass, End: true}}}}}}}}
"""
    Path("flows/inner").mkdir(parents=True)
    for number in range(12):
        Path(f"flows/inner/{number:02}.yaml").write_text(good.format(n=number), "utf-8")
    lost = "    Properties: {DefinitionUri: nowhere.asl.json}\n"
    two = good.format(n="Good") + "  Lost:\n    Type: AWS::Serverless::StateMachine\n" + lost
    Path("flows/two.yaml").write_text(two, "utf-8")
    Path("flows/broken.asl.json").write_text('{"StartAt": "A",, "States": {}}', "utf-8")
    Path("flows/bad.asl.json").write_text(BAD, "utf-8")
    Path("flows/other.json").write_text('{"name": "a package"}', "utf-8")
    Path("flows/node_modules").mkdir()
    Path("flows/node_modules/skipped.json").write_text(BAD, "utf-8")
    result = validate("flows", "good.json")
    assert result.exit_code == 2
    assert result.stdout.count(": accepted") == 14
    assert "flows/two.yaml:6:3: error UNUSABLE_DEFINITION: can't read" in result.stderr
    assert "flows/two.yaml (Lost): can't be used" in result.stderr
    assert "flows/broken.asl.json: refused" in result.stdout
    assert "flows/bad.asl.json: refused" in result.stdout
    assert "skipped" not in result.stdout
    reports = json.loads(validate("flows", "--format", "json").stdout)
    assert len(reports) == 16
    assert sum(report["result"] == "FAIL" for report in reports) == 3


def test_a_machine_that_lacks_a_parameter_does_not_hide_the_others() -> None:
    result = validate("template.yaml")
    assert result.exit_code == 2
    assert "template.yaml (Good): can't be used" in result.stderr
    assert "template's Parameters need values: --param Stage=" in result.stderr
    assert "template.yaml (Bad): refused" in result.stdout


def test_a_folder_without_definitions_is_a_mistake() -> None:
    Path("empty").mkdir()
    result = validate("empty")
    assert result.exit_code == 2
    assert "the folder empty has no definitions" in result.output


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        (
            "one.asl.json",
            """{"StartAt": "W",
 "States": {"W": {"Type": "Wait",
  "Seconds": ${N}, "Comment": "${C}", "End": ${E}}}}""",
            {"${N}": (3, 14), "${E}": (3, 46)},
        ),
        ("two.asl.yaml", "States:\n  W: {Type: Wait, Seconds: ${N}}\n", {"${N}": (2, 28)}),
    ],
)
@pytest.mark.parametrize("command", ["validate", "run"])
def test_placeholders_without_quotes_and_value_are_named_where_they_stand(
    name: str, text: str, places: dict[str, tuple[int, int]], command: str
) -> None:
    Path(name).write_text(text, "utf-8")
    result = CliRunner().invoke(cli, [command, name])
    assert result.exit_code == (1 if command == "validate" else 2)
    found = [line for line in result.output.splitlines() if "PLACEHOLDER_WITHOUT_VALUE" in line]
    assert [line.partition(";")[0] for line in found] == [
        f"{name}:{line}:{column}: error PLACEHOLDER_WITHOUT_VALUE: {placeholder} has no value"
        for placeholder, (line, column) in places.items()
    ]


def test_what_else_keeps_a_text_from_being_read_is_reported_beside_its_placeholders() -> None:
    Path("a.asl.json").write_text('{"StartAt": "A",\n "TimeoutSeconds": ${T},, }', "utf-8")
    output = validate("a.asl.json").output
    assert "INVALID_JSON_DESCRIPTION" in output
    assert "a.asl.json:2:20: error PLACEHOLDER_WITHOUT_VALUE: ${T} has no value" in output


def test_what_is_wrong_after_substitution_has_its_place_in_the_definitions_own_file() -> None:
    """Values move what follows them: several lines here, and a quote that ends a text early."""
    properties = (
        'DefinitionUri: a.asl.json\n      DefinitionSubstitutions: {L: "[\\n\\n1]", S: a"bcd}'
    )
    machine = (
        f"  M:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      {properties}\n"
    )
    Path("t.yaml").write_text(f"Resources:\n{machine}", "utf-8")
    Path("a.asl.json").write_text(
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": ${L},\n "Next": "N"}}}',
        "utf-8",
    )
    assert "a.asl.json:2:10: error MISSING_TRANSITION_TARGET" in validate("t.yaml").output
    Path("a.asl.json").write_text('{"StartAt": ${L},\n "Comment": "${S}"}', "utf-8")
    assert "a.asl.json:2:14: error INVALID_JSON_DESCRIPTION" in validate("t.yaml").output


def test_terraforms_own_language_is_answered_with_what_to_give_instead() -> None:
    Path("main.tf").write_text('resource "aws_sfn_state_machine" "m" {}', "utf-8")
    result = validate("main.tf")
    assert result.exit_code == 2
    assert "terraform show -json" in result.output


def test_of_fifty_templates_three_bad_ones_are_reported_and_the_others_too() -> None:
    """A function that is not known, a text that is no YAML, and a Parameter without a value."""
    folder = Path("infrastructure")
    folder.mkdir()
    good = "{StartAt: A, States: {A: {Type: Pass, Next: B}, B: {Type: Succeed}}}"
    for number in range(47):
        definition = good.replace("Next: B", "Next: X") if number % 10 == 3 else good
        write_template(folder / f"t{number:02}.yaml", definition)
    write_template(
        folder / "t47.yaml", "{StartAt: A, States: {A: {Type: Pass, Result: !Nope [1]}}}"
    )
    (folder / "t48.yaml").write_text(
        "Type: AWS::Serverless::StateMachine\nStartAt: {States: [\n", "utf-8"
    )
    write_template(folder / "t49.yaml", good.replace("Next: B", "Comment: !Ref P, Next: B"))
    with (folder / "t49.yaml").open("a") as file:
        file.write("Parameters: {P: {Type: String}}\n")
    result = validate("infrastructure")
    verdicts = [
        line.rpartition(": ")
        for line in result.output.splitlines()
        if line.endswith((": accepted", ": refused", ": can't be used"))
    ]
    outcomes = {name.split("/")[1][:8]: verdict for name, _, verdict in verdicts}
    bad = {"t47.yaml": "can't be used", "t48.yaml": "refused", "t49.yaml": "can't be used"}
    assert (
        outcomes
        == {
            f"t{number:02}.yaml": "refused" if number % 10 == 3 else "accepted"
            for number in range(47)
        }
        | bad
    )
    assert result.exit_code == 2


def write_template(path: Path, definition: str) -> None:
    machine = f"{{Type: AWS::Serverless::StateMachine, Properties: {{Definition: {definition}}}}}"
    path.write_text(f"Resources:\n  M: {machine}\n", "utf-8")
