"""JSONata, JSONPath and intrinsic calls in definitions (facts 6 to 8, 142, 143, 212, 219)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.validation import validate

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}


def machine(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": state}, **fields}


def said(state: dict[str, Any], **fields: Any) -> list[tuple[str, str | None]]:
    return [(one.message, one.location) for one in validate(machine(state, **fields))]


def jsonata(**fields: Any) -> list[tuple[str, str | None]]:
    return said(PASS | fields, QueryLanguage="JSONata")


def names(expression: str) -> list[str]:
    """The names that are refused in an expression, in order."""
    found = [message for message, _ in jsonata(Output=f"{{% {expression} %}}")]
    return [message.split("'")[1] for message in found]


@pytest.mark.parametrize(
    "expression",
    [
        "phone",
        "phone[0].number",
        "phone.number.street",
        "-phone",
        "phone ? 1 : 2",
        "$states.input.a ? phone : 2",
        "phone & 'x'",
        "phone in $states.input.b",
        "$sum(phone)",
        "phone(1)",
        "phone ~> $string()",
        "[1..phone]",
        "(phone)",
        "(phone).other",
        "[phone].other",
        "[phone, 1]",
        "{phone: 1}",
        "($x := phone; $x)",
        "$map($states.input.a, function($y){ phone })",
        "$count(phone[inner])",
        "phone.**.deeper",
    ],
)
def test_a_name_that_the_context_would_give_is_refused(expression: str) -> None:
    assert names(expression) == ["phone"]


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.phone",
        "$states.input.a[0].phone",
        "$states.input.items[phone > 3]",
        "$states.input.a^(phone)",
        "$states.input.a{'k': phone}",
        "$states.input.a.(phone)",
        "$states.input.a.$phone",
        "$phone",
        "$states.input ~> |phone|{'b': 1}|",
        "**.phone",
        "{'k': 1}.phone",
        "$states.input.a[0][phone]",
        "$states.input.a[$ > 1]",
        "function($x){ $x.phone }",
        "$map($states.input.a, function($x){ $x.phone })",
        "'phone'",
        "$now()",
        "$states.input.errorOutput",
        "$states.context.Execution.Input.Task.Token",
        "($states).result",
        "$states['result']",
        "'$states.result'",
        "($states := {'result': 1}; $states.result)",
        "[$states, $states.input, $states.context]",
    ],
)
def test_a_name_that_has_something_before_it_is_accepted(expression: str) -> None:
    assert names(expression) == []


@pytest.mark.parametrize(
    "expression",
    ["$", "$.phone", "$[0]", "$string($)", "$map($states.input.a, function($x){ $ })"],
)
def test_the_context_itself_is_refused(expression: str) -> None:
    assert names(expression) == ["$"]


def test_each_name_is_refused_once_in_writing_order() -> None:
    assert names("aaa + bbb") == ["aaa", "bbb"]
    assert names("[bbb, aaa]") == ["bbb", "aaa"]
    assert names("aaa + aaa") == ["aaa"]


def test_expressions_are_found_at_any_depth_of_any_jsonata_value() -> None:
    assert jsonata(Output={"a": [{"b": "{% x %}"}]}, Assign={"v": ["{% y %}"]}) == [
        ("Reference to 'x' at the top level is not supported.", "/States/A/Output/a[0]/b"),
        ("Reference to 'y' at the top level is not supported.", "/States/A/Assign/v[0]"),
    ]


def test_a_refused_name_hints_at_the_input() -> None:
    (found,) = validate(machine(PASS | {"Output": "{% phone %}"}, QueryLanguage="JSONata"))
    assert found.hint == "did you mean $states.input.phone or the variable $phone?"


def test_a_syntax_error_shows_its_place_in_the_expression() -> None:
    (found,) = validate(machine(PASS | {"Output": "{% 1 + %}"}, QueryLanguage="JSONata"))
    assert found.hint is not None
    assert found.hint.splitlines()[0] == "1 +"
    assert found.hint.splitlines()[1].strip().startswith("^ S0207")


@pytest.mark.parametrize("text", ["{% 1", "1 %}", "{% 1 %} ", "{%"])
def test_a_string_with_one_delimiter_is_refused(text: str) -> None:
    assert jsonata(Output=text) == [
        ("JSONata string must start with {% and end with %}", "/States/A/Output")
    ]


@pytest.mark.parametrize("text", [" {% 1 %} ", "a {% b", "plain", ""])
def test_a_string_with_delimiters_elsewhere_is_a_literal(text: str) -> None:
    assert jsonata(Output=text) == []


def test_jsonata_in_a_jsonpath_state_is_a_literal() -> None:
    assert said(PASS | {"Parameters": {"a": "{% ) %}"}}) == []


@pytest.mark.parametrize("name", ["InputPath", "OutputPath"])
@pytest.mark.parametrize("path", ["foo", "", "$.", "$[", "States.UUID()"])
def test_input_and_output_paths_are_paths(name: str, path: str) -> None:
    assert said(PASS | {name: path}) == [("Value must be a valid JSONPath.", f"/States/A/{name}")]


@pytest.mark.parametrize("path", ["$", "$.a[*]", "$..a", "$$.Execution.Id", "$v.x", "$.a[?(@.b)]"])
def test_input_paths_may_be_any_path(path: str) -> None:
    assert said(PASS | {"InputPath": path}) == []


def test_a_reference_path_starts_with_a_dollar() -> None:
    message = "Value is not a Reference Path: Reference path didn't start with '$'"
    assert said(PASS | {"ResultPath": "foo"}) == [(message, "/States/A/ResultPath")]
    state = {"Type": "Wait", "SecondsPath": "foo", "End": True}
    assert said(state) == [(message, "/States/A/SecondsPath")]


@pytest.mark.parametrize("path", ["$.a[*]", "$..a", "$.a[?(@.b)]", "$.a[1:2]", "$$.x", "$v.x"])
def test_a_result_path_leads_to_one_place_of_the_data(path: str) -> None:
    ((message, where),) = said(PASS | {"ResultPath": path})
    assert message.startswith("Value is not a Reference Path")
    assert where == "/States/A/ResultPath"


@pytest.mark.parametrize("path", ["$", "$.a.b", "$.a[0]", "$['a b']"])
def test_a_result_path_has_names_and_indexes(path: str) -> None:
    assert said(PASS | {"ResultPath": path}) == []


def test_a_path_to_a_number_leads_to_one_value() -> None:
    wait = {"Type": "Wait", "End": True}
    assert said(wait | {"SecondsPath": "$$.Execution.Input.s"}) == []
    ((message, _),) = said(wait | {"SecondsPath": "$.all[*]"})
    assert message == "Value is not a Reference Path"


COMPUTED = "must be a valid JSONPath or a valid intrinsic function call"


@pytest.mark.parametrize("value", ["ipsum", "$.", "States.Format('{}'", "States.format('')", 5, {}])
def test_a_computed_field_is_a_path_or_a_call(value: Any) -> None:
    assert said(TASK | {"Parameters": {"a": [{"lorem.$": value}]}}) == [
        (f"The value for the field 'lorem.$' {COMPUTED}", "/States/A/Parameters/a[0]")
    ]


@pytest.mark.parametrize("name", ["Parameters", "ResultSelector"])
@pytest.mark.parametrize(
    "value", ["$", "$.a[*].b", "$$.Task.Token", "$v", "States.Array($.a, States.UUID(), 'x')"]
)
def test_templates_are_computed_from_paths_and_calls(name: str, value: str) -> None:
    assert said(TASK | {name: {"a.$": value, "b": "no.$path"}}) == []


def test_ten_calls_may_nest() -> None:
    def nested(depth: int) -> str:
        return "States.Array(" * depth + ")" * depth

    assert said(PASS | {"Parameters": {"a.$": nested(10)}}) == []
    assert len(said(PASS | {"Parameters": {"a.$": nested(11)}})) == 1


def test_variables_have_names() -> None:
    found = validate(machine(PASS | {"Assign": {"states": 1, "a b": 2, "ok": 3, "x.$": "$.x"}}))
    assert [(one.code, one.message, one.location) for one in found] == [
        (
            "RESERVED_VARIABLE_NAME",
            "Cannot assign to reserved variable '$states'.",
            "/States/A/Assign",
        ),
        (
            "INVALID_VARIABLE_NAME",
            "Invalid variable name 'a b': the variable name contains invalid characters.",
            "/States/A/Assign",
        ),
    ]


@pytest.mark.parametrize("name", ["_", "_x", "_x.$"])
def test_variables_do_not_begin_with_an_underscore(name: str) -> None:
    """Said by sfnx (fact 143), without a text: it is that of other characters, by analogy."""
    variable = name.removesuffix(".$")
    text = f"Invalid variable name '{variable}': the variable name contains invalid characters."
    assert said(PASS | {"Assign": {name: "$.x"}}) == [(text, "/States/A/Assign")]


def branch(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "B", "States": {"B": state}}


RULE = {"Condition": "{% true %}", "Next": "A"}
CATCHER = {"ErrorEquals": ["States.ALL"], "Next": "A"}
PARALLEL = {"Type": "Parallel", "Branches": [branch(PASS)], "End": True}
NO_RESULT = [
    (PASS, "Output"),
    (PASS, "Assign/v"),
    ({"Type": "Wait", "Seconds": 0, "End": True}, "Output"),
    ({"Type": "Wait", "End": True}, "Seconds"),
    ({"Type": "Succeed"}, "Output"),
    ({"Type": "Fail"}, "Cause"),
    ({"Type": "Choice", "Choices": [RULE]}, "Output"),
    ({"Type": "Choice", "Choices": [RULE]}, "Choices[0]/Output"),
    ({"Type": "Choice", "Choices": [RULE]}, "Choices[0]/Condition"),
    (TASK, "Arguments/a"),
    (TASK, "TimeoutSeconds"),
    (TASK | {"Catch": [CATCHER]}, "Catch[0]/Output"),
    (PARALLEL, "Arguments"),
]
"""States, and a place in each where there is no $states.result."""


def put(state: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """The state with a value at a place, as AWS writes it: Choices[0]/Output."""
    first, _, rest = place.replace("[0]", "/0").partition("/")
    if not rest:
        return {**state, first: value}
    if rest.startswith("0/"):
        return {**state, first: [put(state[first][0], rest.removeprefix("0/"), value)]}
    return {**state, first: {rest: value}}


def member(state: dict[str, Any], place: str, name: str) -> list[tuple[str, str | None]]:
    found = said(put(state, place, f"{{% [$states.{name}] %}}"), QueryLanguage="JSONata")
    return [each for each in found if "terminal state" not in each[0]]


def missing(name: str, place: str) -> list[tuple[str, str]]:
    return [(f"Field '$states.{name}' does not exist.", f"/States/A/{place}")]


@pytest.mark.parametrize(("state", "place"), NO_RESULT)
def test_a_result_is_read_only_where_there_is_one(state: dict[str, Any], place: str) -> None:
    """Recorded for a Pass (tiny-asl-machine), measured for the others (sfnx): fact 142."""
    assert member(state, place, "result.x") == missing("result", place)
    assert member(state, place, "`result`") == missing("result", place)


@pytest.mark.parametrize("state", [TASK, PARALLEL])
@pytest.mark.parametrize("place", ["Output", "Assign/v"])
def test_a_state_that_works_has_a_result(state: dict[str, Any], place: str) -> None:
    assert member(state, place, "result[0]") == []
    assert member(state, place, "errorOutput") == missing("errorOutput", place)
    inside = "$map([1], function($v) { $states.result[$v] })"
    assert said(put(state, place, f"{{% {inside} %}}"), QueryLanguage="JSONata") == []


@pytest.mark.parametrize("place", ["Catch[0]/Output", "Catch[0]/Assign"])
def test_a_catcher_has_an_error_output(place: str) -> None:
    state = TASK | {"Catch": [CATCHER]}
    value = {"e": "{% $states.errorOutput.Error %}"}
    assert said(put(state, place, value), QueryLanguage="JSONata") == []


@pytest.mark.parametrize("state", [PASS, TASK])
@pytest.mark.parametrize("name", ["nope", "Input", "results", "`the input`", "`$`"])
def test_other_members_of_states_do_not_exist(state: dict[str, Any], name: str) -> None:
    """Measured by sfnx (fact 142)."""
    plain = name.strip("`")
    assert member(state, "Output", f"{name}.a") == missing(plain, "Output")


@pytest.mark.parametrize("state", [PASS, PARALLEL, {"Type": "Fail"}])
def test_only_a_task_has_a_token(state: dict[str, Any]) -> None:
    """Measured by sfnx for a Pass (fact 142)."""
    token = "context.Task.Token"
    place = "Cause" if state["Type"] == "Fail" else "Output"
    assert member(state, place, token) == missing(token, place)
    assert member(TASK, "Arguments/a", token) == []
    assert member(TASK, "Output", token) == []


def test_a_state_inside_has_its_own_members() -> None:
    inner = branch(put(PASS, "Output", "{% $states.result %}"))
    outer = {"Type": "Parallel", "Branches": [inner], "End": True}
    assert said(outer, QueryLanguage="JSONata") == missing("result", "Branches[0]/States/B/Output")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("result", "Output and Assign of Task, Parallel and Map"),
        ("errorOutput", "a catcher's Output and Assign"),
        ("inptu", "did you mean 'input'?"),
        ("zzz", "input, context, result and errorOutput"),
        ("context.Task.Token", "only a Task"),
    ],
)
def test_a_member_that_does_not_exist_hints_at_what_does(name: str, hint: str) -> None:
    state = put(PASS, "Output", f"{{% $states.{name} %}}")
    (found,) = validate(machine(state, QueryLanguage="JSONata"))
    assert found.code == "UNSUPPORTED_JSONATA_EXPRESSION"
    assert hint in str(found.hint)


def test_assign_is_an_object() -> None:
    assert said(PASS | {"Assign": []}) == [("Expected value of type [OBJECT]", "/States/A/Assign")]
