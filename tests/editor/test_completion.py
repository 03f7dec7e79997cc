"""What an editor offers at a place, in JSON, YAML and templates, and in text that is not finished.

What may stand where is https://states-language.net/spec.html and the tables of `doorstep.model`.
A `|` in the texts is the cursor.
"""

from __future__ import annotations

import json

import pytest

from doorstep_cli.editor.completion import Completer, Completion
from doorstep_cli.editor.machines import machines, place_at
from doorstep_cli.editor.shapes import Shapes, shapes_of


def offered(marked: str, *, yaml: bool = False, known: Shapes | None = None) -> list[Completion]:
    cursor = marked.index("|")
    text = marked[:cursor] + marked[cursor + 1 :]
    place = place_at(text, machines(text, yaml=yaml, cursor=cursor), cursor)
    assert place is not None
    return Completer(text, place, cursor, lambda _: known or Shapes()).completions()


def labels(marked: str, *, yaml: bool = False, known: Shapes | None = None) -> list[str]:
    return [one.label for one in offered(marked, yaml=yaml, known=known)]


def test_a_target_is_a_state_of_its_own_scope_and_not_the_state_itself() -> None:
    text = """{"StartAt": "A", "States": {
      "A": {"Type": "Task", "Next": "|"},
      "B": {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": {}, "Mid": {}}}}}}"""
    assert labels(text) == ["B"]
    inner = text.replace("|", "").replace('"StartAt": "In"', '"StartAt": "|"')
    assert labels(inner) == ["In", "Mid"]


def test_a_states_fields_are_those_of_its_type_and_language_without_those_that_are_there() -> None:
    start = '{"StartAt": "A", "States": {"A": {"Type": '
    wait = labels(start + '"Wait", "Seconds": 1, |}}}')
    assert {"SecondsPath", "TimestampPath", "Next"} <= {*wait}
    assert not {"Seconds", "Type", "Output", "Retry"} & {*wait}
    jsonata = labels(start + '"Wait", "QueryLanguage": "JSONata", |}}}')
    assert {"Seconds", "Output"} <= {*jsonata}
    assert not {"SecondsPath", "InputPath"} & {*jsonata}


@pytest.mark.parametrize(
    "unfinished",
    [
        '{"StartAt": "A", "States": {"A": {"Type": "|',
        '{"StartAt": "A", "States": {"A": {"Type": |, "End": true}}}',
        '{"StartAt": "A", "States": {"A": {"Type": "|\n "End": true}}}',
        '{"StartAt": "A" "States": {"A": {"Type": "T|"}}',
    ],
)
def test_a_text_that_is_no_json_is_completed_all_the_same(unfinished: str) -> None:
    assert labels(unfinished)[:3] == ["Task", "Wait", "Pass"]


def test_what_is_inserted_replaces_the_word_and_keeps_the_texts_form() -> None:
    word = next(one for one in offered('{"StartAt": "A", "States": {"A": {"Type": "Task", Res|}}}'))
    assert word.text == '"Resource": '
    marked = "StartAt: A\nStates:\n  A:\n    Type: Task\n    |\n  B: {}\n"
    yaml = next(one for one in offered(marked, yaml=True))
    assert (yaml.text, yaml.start, yaml.end) == ("Resource: ", marked.index("|"), marked.index("|"))


def test_resources_come_with_their_patterns_and_what_they_need() -> None:
    items = offered('{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "|"}}}')
    found = {one.label: one.detail for one in items}
    assert found["arn:aws:states:::sqs:sendMessage.waitForTaskToken"]
    assert "arn:aws:states:::sqs:sendMessage.sync" not in found
    assert "StateMachineArn" in found["arn:aws:states:::states:startExecution.sync:2"]


def test_the_parameters_of_a_known_action_are_offered_those_it_needs_first() -> None:
    text = """{"StartAt": "A", "States": {"A": {"Type": "Task",
      "Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": {"Item.$": "$.item", |}}}}"""
    names = offered(text)
    assert names[0].label == "TableName"
    assert "Item" not in [one.label for one in names]


def test_a_path_goes_on_with_what_the_states_before_put_there() -> None:
    definition = {
        "StartAt": "Fetch",
        "States": {
            "Fetch": {
                "Type": "Pass",
                "Result": {"total": 3, "lines": [1]},
                "ResultPath": "$.order",
                "Next": "Use",
            },
            "Use": {"Type": "Pass", "InputPath": "$.order", "End": True},
        },
    }
    known = shapes_of(definition)
    text = json.dumps(definition).replace("$.order", "$.ord|", 2).replace("$.ord|", "$.order", 1)
    assert labels(text, known=known) == ["order"]
    deeper = text.replace("$.ord|", "$.order.|")
    assert labels(deeper, known=known) == ["lines", "total"]


def test_jsonata_offers_variables_functions_and_the_members_of_states() -> None:
    text = """{"QueryLanguage": "JSONata", "StartAt": "A", "States": {
      "A": {"Type": "Pass", "Assign": {"rate": 2}, "Next": "B"},
      "B": {"Type": "Pass", "Output": "{% $| %}", "End": true}}}"""
    assert {"$rate", "$states", "$sum", "$partition"} <= {*labels(text)}
    inner = text.replace("$|", "$states.|")
    assert labels(inner) == ["input", "result", "errorOutput", "context"]
    assert "StartTime" in labels(text.replace("$|", "$states.context.Execution.|"))


def test_intrinsic_functions_and_the_context_object_are_offered_in_jsonpath() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x.$": "|"}}}}'
    assert "States.ArrayUnique" in labels(text.replace("|", "States.Arr|"))
    assert labels(text.replace("|", "$$.Map.Item.|")) == ["Index", "Key", "Source", "Value"]


def test_the_definitions_of_templates_are_completed_in_objects_and_in_strings() -> None:
    template = """Resources:
  One:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A:
            Type: Choice
            Choices:
              - Next: |
          B: {Type: Succeed}
  Two:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub >
        {"StartAt": "", "States": {"C": {"Type": "Succeed"}}}
"""
    assert labels(template, yaml=True) == ["B"]
    string = template.replace("|", "A").replace('"StartAt": ""', '"StartAt": "|"')
    (found,) = offered(string, yaml=True)
    assert (found.label, found.text) == ("C", '"C"')


def test_other_files_have_no_machines() -> None:
    assert machines("a: 1\nb: [2]\n", yaml=True) == []
    assert machines('{"name": "package", "version": "1"}', yaml=False) == []
    assert machines("", yaml=False) == machines("\t- :", yaml=True) == []


@pytest.mark.parametrize("quoted", ['"{% $states.in|', "'{% $states.in|", '"{% $states.in| %}"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quotation_mark_that_is_not_closed_yet_hides_nothing_in_yaml(
    quoted: str, end: str
) -> None:
    lines = [
        *("QueryLanguage: JSONata", "StartAt: A", "States:", "  A:", "    Type: Pass"),
        *(f"    Output: {quoted}", "    Next: B", "  B: {Type: Succeed}", ""),
    ]
    assert "input" in labels(end.join(lines), yaml=True)
    target = 'StartAt: A\nStates:\n  A:\n    Type: Pass\n    Next: "|\n  B: {Type: Succeed}\n'
    assert labels(target, yaml=True) == ["B"]


def test_jsonata_without_quotation_marks_in_yaml_is_completed_like_any() -> None:
    state = "A:\n    Type: Pass\n    QueryLanguage: JSONata\n    Output: {% $s|"
    text = f"StartAt: A\nStates:\n  {state}"
    assert labels(text, yaml=True)[0] == "$states"
    assert "input" in labels(text[:-1] + "tates.|", yaml=True)
