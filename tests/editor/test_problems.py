"""What is underlined in an editor, and the changes that mend it."""

from __future__ import annotations

import cProfile
import json
import pstats
from collections.abc import Callable
from textwrap import indent

import pytest

from doorstep import validate
from doorstep.definitions.yaml_text import compose, loads
from doorstep_cli.definitions import hint_of
from doorstep_cli.editor.formatting import json_layout, yaml_layout
from doorstep_cli.editor.machines import machines, place_at
from doorstep_cli.editor.open_text import OpenText
from doorstep_cli.editor.problems import Edit, Findings, Fix, check, extraction, fixes

TEMPLATE = """Resources:
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
"""


def applied(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def found_in(text: str, *, yaml: bool = False) -> list[tuple[str, str]]:
    problems = check(text, machines(text, yaml=yaml), yaml=yaml)
    return [(one.diagnostic.code, text[one.start : one.end]) for one in problems]


def fixes_of(text: str, *, yaml: bool = False) -> dict[str, Fix]:
    found = machines(text, yaml=yaml)
    return {fix.title: fix for fix in fixes(text, found, check(text, found))}


def test_the_name_or_value_that_is_wrong_is_underlined() -> None:
    text = """{"StartAt": "A", "States": {"A": {"Type": "Pass", "Secods": 1, "Next": "Gone"},
      "B": {"Type": "Succed"}}}"""
    found = found_in(text)
    assert ("SCHEMA_VALIDATION_FAILED", '"Secods"') in found
    assert ("SCHEMA_VALIDATION_FAILED", '"Succed"') in found


def test_text_that_is_no_json_is_underlined_where_it_ends_to_be_json() -> None:
    text = '{"StartAt": "A",\n "States": {"A": {"Type" "Pass"}}}'
    ((code, where),) = found_in(text)
    assert code == "INVALID_JSON_DESCRIPTION"
    assert where == '"Pass"'


def test_the_machines_of_a_template_are_checked_each_by_itself() -> None:
    template = """Resources:
  Good:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition: {StartAt: A, States: {A: {Type: Succeed}}}
  Bad:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionString: |
        {"StartAt": "A",
         "States": {"A": {"Type": "Pass", "Next": "C"}, "B": {"Type": "Succeed"}}}
"""
    assert ("MISSING_TRANSITION_TARGET", '"C"') in found_in(template, yaml=True)


@pytest.mark.parametrize("wrong", ["Succed", "Taks"])
def test_a_misspelt_value_is_mended_by_the_name_that_is_close(wrong: str) -> None:
    text = f'{{"StartAt": "A", "States": {{"A": {{"Type": "{wrong}"}}}}}}'
    (fix,) = fixes_of(text).values()
    right = "Succeed" if wrong == "Succed" else "Task"
    assert json.loads(applied(text, [*fix.edits]))["States"]["A"]["Type"] == right
    assert fix.safe


def test_a_target_that_is_missing_is_changed_or_added() -> None:
    text = """{
  "StartAt": "Check",
  "States": {
    "Check": {"Type": "Pass", "Next": "Shipp"},
    "Ship": {"Type": "Succeed"}
  }
}"""
    found = fixes_of(text)
    changed = json.loads(applied(text, [*found["Change to 'Ship'"].edits]))
    assert validate(changed) == []
    added = json.loads(applied(text, [*found["Add the state 'Shipp'"].edits]))
    assert [*added["States"]] == ["Check", "Ship", "Shipp"]


@pytest.mark.parametrize("value", ["[", "{", "'x", '"x'])
def test_what_is_not_closed_in_yaml_costs_only_its_line(value: str) -> None:
    text = (
        f"StartAt: A\nStates:\n  A:\n    Type: Wait\n    Seconds: {value}\n    Next: B\n"
        "  B:\n    Type: Pass\n    Next: C\n  C:\n    Type: Succeed\n"
    )
    (machine,) = machines(text, yaml=True)
    assert [one.name for one in machine.states] == ["A", "B", "C"]
    (problem,) = check(text, [machine])
    assert "in line 5 is not closed" in problem.diagnostic.message


def test_jsonata_without_quotation_marks_in_yaml_is_named() -> None:
    text = "StartAt: A\nStates:\n  A:\n    Type: Succeed\n    Output: {% 1 %}\n"
    (problem,) = check(text, machines(text, yaml=True))
    assert problem.diagnostic.message.endswith("in YAML {% … %} needs quotation marks")


@pytest.mark.parametrize(
    "unquoted",
    [
        "Output: {% $states.input.a & 'b' %}  # why",
        "Output:\n      a: {% $states.input\n        .a %}",
        "Output:\n    - {% 1 %}\n    - {% 2 %}",
    ],
)
def test_jsonata_without_quotation_marks_in_yaml_gets_them(unquoted: str) -> None:
    text = f"QueryLanguage: JSONata\nStartAt: A\nStates:\n  A:\n    Type: Succeed\n    {unquoted}\n"
    for _ in range(text.count("{%")):
        (fix,) = fixes_of(text, yaml=True).values()
        assert fix.title == "Put the expression in quotation marks"
        text = applied(text, [*fix.edits])
    assert validate(loads(text)) == []


def test_a_misspelt_type_is_changed() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Typ": "Succeed"}}}'
    (fix,) = fixes_of(text).values()
    assert validate(json.loads(applied(text, [*fix.edits]))) == []


@pytest.mark.parametrize("comment", ["// a 'word' {\n", '/* "two\nlines */'])
def test_comments_in_json_are_named_and_removed(comment: str) -> None:
    start, end = '{"StartAt": "A", ', '"States": {"A": {"Type": "Succeed", "Comment": "//"}}}'
    text = f"{comment}{start}{comment}{end}"
    document = OpenText("file:///a.asl.json", written=text)
    (machine,), (problem,) = document.machines, document.problems
    assert [one.name for one in machine.states] == ["A"]
    assert problem.start == 0
    assert str(hint_of(problem.diagnostic)).startswith("JSON has no comments")
    (fix,) = fixes(text, [machine], [problem])
    assert json.loads(applied(text, [*fix.edits])) == json.loads(start + end)


def test_a_state_that_leads_nowhere_is_ended_in_yaml_and_in_json() -> None:
    text = '{"StartAt": "A", "States": {"A": {\n  "Type": "Pass"\n}}}'
    fix = fixes_of(text)['Add "End": true']
    assert validate(json.loads(applied(text, [*fix.edits]))) == []
    yaml = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Comment: |\n      two\n      lines\n"
    fix = fixes_of(yaml, yaml=True)['Add "End": true']
    assert applied(yaml, [*fix.edits]) == yaml.rstrip() + "\n    End: true\n"


def extracted(expression: str, part: str) -> str | None:
    text = json.dumps(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "A",
            "States": {"A": {"Type": "Pass", "Output": expression, "End": True}},
        }
    )
    start = text.index(part)
    place = place_at(text, machines(text, yaml=False), start)
    assert place is not None
    fix = extraction(text, place, start, start + len(part))
    if fix is None:
        return None
    changed = json.loads(applied(text, [*fix.edits]))
    output: str = changed["States"]["A"]["Output"]
    return output


def test_a_part_of_an_expression_becomes_a_variable_wherever_it_stands() -> None:
    total = "$sum($states.input.items.price)"
    output = extracted(f"{{% {total} > 10 ? {total} : 0 %}}", total)
    assert output == f"{{% ($part := {total}; $part > 10 ? $part : 0) %}}"


@pytest.mark.parametrize(
    "part", ["price * 2", "$item.price", "input.items", "> 10", "$map($states.input.items, fun"]
)
def test_a_part_that_means_something_else_outside_stays(part: str) -> None:
    expression = (
        "{% $map($states.input.items, function($item){ $item.price > 10 })"
        " ~> $append($states.input.items[price * 2 > 1]) %}"
    )
    assert extracted(expression, part) is None


def test_laid_out_json_is_the_same_json_with_its_numbers_as_they_were() -> None:
    text = '{"a":[1.0,1e3,{}],"b":{"c":"x\\u00e9,{"},"d":[]}'
    laid = json_layout(text)
    assert json.loads(laid) == json.loads(text)
    assert laid == (
        '{\n  "a": [\n    1.0,\n    1e3,\n    {}\n  ],\n  "b": {\n    "c": "x\\u00e9,{"\n  },\n'
        '  "d": []\n}\n'
    )
    assert json_layout(laid) == laid


@pytest.mark.parametrize("layout", [json_layout, yaml_layout])
def test_line_ends_stay_what_they_are(layout: Callable[[str], str]) -> None:
    text = '{"a": 1,  \r\n"b": 2}\r\n'
    laid = layout(text)
    assert laid != text
    assert laid.count("\n") == laid.count("\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  two  \n\n  lines\t\nb:  \n  - 'x  \n\n    y'  \n  - z  \n",
        "a: >-\n  two  \n  lines\t\nb: x  \n",
        'a: "x  \n  y"  \nb: |+\n  last  \n\n\n',
        "a: x   # why  \nb: &c {d: e}  \nf: *c  \n",
    ],
)
def test_laid_out_yaml_has_the_same_values_and_comments(text: str) -> None:
    laid = yaml_layout(text)
    assert loads(laid) == loads(text)
    assert laid.count("#") == text.count("#")
    assert len(laid) < len(text)
    assert yaml_layout(laid) == laid


ALIASES = """StartAt: A
States:
  A: &a
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: f}
    Next: B
  B: *a
  C:
    <<: *a
    Next: D
  D: {Type: Succed}
"""


def test_a_state_that_an_alias_or_a_merge_key_makes_is_a_state() -> None:
    (machine,) = machines(ALIASES, yaml=True)
    states = {one.name: one.type for one in machine.states}
    assert states == {"A": "Task", "B": "Task", "C": "Task", "D": "Succed"}
    places = [one.node.start for one in machine.targets]
    assert len(places) == len({*places})
    assert [*fixes_of(ALIASES, yaml=True)] == ["Change to 'Succeed'"]


@pytest.mark.parametrize(
    "text",
    [
        "StartAt: A\nStates: &s\n  A: {Type: Map, ItemProcessor: {StartAt: A, States: *s}}\n",
        "StartAt: A\nStates:\n  A: &a {Type: Pass, <<: *a, Next: *a}\n",
        "StartAt: A\nStates:\n  A: {ItemProcessor: &p0 {States: {X: {Type: Fail}}}}\n"
        + "".join(
            f"  P{n}: {{ItemProcessor: &p{n + 1} "
            f"{{States: {{X: {{ItemProcessor: *p{n}}}, Y: {{ItemProcessor: *p{n}}}}}}}}}\n"
            for n in range(60)
        ),
    ],
)
def test_aliases_that_name_themselves_or_each_other_have_an_end(text: str) -> None:
    (machine,) = machines(text, yaml=True)
    assert len(machine.states) <= 1 + 1 + 60 * 3
    assert [machine.targets, machine.root.get("States")]


def test_tabs_that_indent_yaml_are_named() -> None:
    text = "StartAt: A\nStates:\n\tA:\n\t\tType: Pass\n"
    (problem,) = check(text, machines(text, yaml=True), yaml=True)
    assert problem.diagnostic.message.endswith("YAML is indented with blanks, not with tabs")
    assert text[problem.start : problem.end] == "\tA:"


@pytest.mark.parametrize("yaml", [False, True])
def test_of_two_members_with_one_name_the_first_is_underlined(yaml: bool) -> None:
    state = '{"Type": "Pass", "Type": "Succeed"}'
    text = f'{{"StartAt": "A", "States": {{"A": {state}, "A": {{"Type": "Succeed"}}}}}}'
    if yaml:
        text = f"StartAt: A\nStates:\n  A: {state}\n  A: {{Type: Succeed}}\n"
    found = check(text, machines(text, yaml=yaml), yaml=yaml)
    assert [one.diagnostic.code for one in found] == ["DUPLICATE_MEMBER"] * 2
    assert [text[one.start : one.end].strip('"') for one in found] == ["A", "Type"]
    assert [text.index(text[one.start : one.end], text.index("States")) for one in found] == [
        one.start for one in found
    ]


def test_yaml_keeps_its_layout_and_its_comments() -> None:
    assert yaml_layout("a: 1  \n# why\t\nb: 2\n\n\n") == "a: 1\n# why\nb: 2\n"


@pytest.mark.parametrize("head", ["", TEMPLATE])
def test_a_text_of_yaml_is_parsed_once_for_all_that_is_asked_of_it(head: str) -> None:
    margin = " " * 8 if head else ""
    states = "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: -1, Next: B}\n  B: {Type: Succeed}\n"
    findings = Findings()
    for comment in ("one", "two"):
        text = head + indent(f"Comment: {comment}\n{states}", margin)
        before = compose.cache_info().misses
        assert len(check(text, machines(text, yaml=True), findings, yaml=True)) == 1
        assert compose.cache_info().misses == before + 1


def test_in_a_template_only_the_machine_is_checked_that_changed() -> None:
    text = "".join(
        f"  {name}:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      Definition:\n"
        f"        {{StartAt: A, States: {{A: {{Type: Pass, Comment: {name}, End: true}}}}}}\n"
        for name in ("One", "Two", "Three")
    )
    text, findings = f"Resources:\n{text}", Findings()
    assert check(text, machines(text, yaml=True), findings) == []
    before = dict(findings.accepted)
    text = text.replace("Comment: Two", "Comment: New").replace("  One:", "  # one\n  One:")
    assert check(text, machines(text, yaml=True), findings) == []
    assert [name for name in before if findings.accepted[name] is not before[name]] == ["Two"]


def test_what_keeps_a_template_from_being_read_is_said_once() -> None:
    machine = "Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: A}}"
    text = f"Resources:\n  One: {{{machine}}}\n  Two: {{{machine}}}\n  Other: [\n"
    assert [where for _, where in found_in(text, yaml=True)] == [""]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(("head", "parsed"), [("|", 2), ("!Sub |+", 2), ("|-", 3)])
def test_yaml_in_a_string_stands_where_the_template_has_it(
    head: str, parsed: int, line_end: str
) -> None:
    inner = "StartAt: A\nStates:\n  A: {Type: Pass, Next: Gone}\n\n  'B':  # é\n    Type: Succeed\n"
    text = f"{TEMPLATE[:-2]}String: {head}\n{indent(inner, ' ' * 8)}\n      Role: r\n"
    text = text.replace("\n", line_end)
    compose.cache_clear()
    (machine,) = machines(text, yaml=True)
    names = [text[one.member.start : one.member.end] for one in machine.states]
    assert names == ["A", "'B'"]
    missing = [text[one.start : one.end] for one in check(text, [machine], yaml=True)]
    assert missing[0] == "Gone"
    assert (
        text[machine.root.start : machine.root.end].strip()
        == text[text.index("StartAt") : text.index("      Role")].strip()
    )
    assert compose.cache_info().misses == parsed


@pytest.mark.parametrize("template", ["", f"{TEMPLATE[:-2]}String: |\n"])
def test_twice_as_many_states_are_not_four_times_the_work(template: str) -> None:
    def calls(states: int) -> int:
        task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
        task |= {"Parameters": {"FunctionName": "f"}}  # type: ignore[dict-item]
        chain = {f"S{number}": {**task, "Next": f"S{number + 1}"} for number in range(states)}
        text = json.dumps({"StartAt": "S0", "States": chain | {f"S{states}": {"Type": "Succeed"}}})
        text = template + indent(text.replace("{", "{\n"), " " * 8)
        with cProfile.Profile() as profile:
            assert len(check(text, machines(text, yaml=bool(template)))) >= states
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    calls(1)
    assert calls(200) < 2.1 * calls(100)
