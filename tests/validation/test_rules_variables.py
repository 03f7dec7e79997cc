"""variableReferences: fact 223, and what AWS was recorded to list for states like these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorstep.validation.variables import variable_references

Chain = Callable[..., dict[str, Any]]
MADE = {"Type": "Pass", "Assign": {"theAnswer": 42, "bias.$": "$.bias"}}


def reading(**fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", **fields}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (reading(Parameters={"answer.$": "$theAnswer"}), ["theAnswer"]),
        (reading(Parameters={"answer": "$theAnswer"}), []),
        (reading(Result={"answer.$": "$theAnswer"}), []),
        (reading(Parameters={"a.$": "$.theAnswer", "b.$": "$$.State.Name"}), []),
        (reading(Parameters={"deep": [{"answer.$": "$theAnswer[0].x"}]}), ["theAnswer"]),
        (reading(InputPath="$theAnswer", OutputPath="$bias"), ["bias", "theAnswer"]),
        (reading(InputPath=None), []),
        (reading(Assign={"sum.$": "States.MathAdd(States.MathAdd($y, $x), 1)"}), ["x", "y"]),
        (reading(Assign={"theAnswer": 1}), []),
        (reading(Parameters={"a.$": "${Placeholder}"}), []),
        ({"Type": "Wait", "SecondsPath": "$waitTime"}, ["waitTime"]),
        ({"Type": "Fail", "CausePath": "$why", "ErrorPath": "$error"}, ["error", "why"]),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "TimeoutSecondsPath": "$limit",
                "ResultSelector": {"r.$": "$made"},
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Next": "After",
                        "Assign": {"error.$": "States.Format('{}', $caught)"},
                    }
                ],
            },
            ["caught", "limit", "made"],
        ),
        (
            {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$guess", "StringEqualsPath": "$answer", "Next": "After"},
                    {
                        "And": [
                            {"Variable": "$a", "IsNull": True},
                            {"Not": {"Variable": "$b", "IsNull": True}},
                        ],
                        "Next": "After",
                    },
                ],
            },
            ["a", "answer", "b", "guess"],
        ),
    ],
)  # fmt: skip
def test_a_jsonpath_state_reads_what_its_paths_and_calls_begin_with(
    chain: Chain, state: dict[str, Any], names: list[str]
) -> None:
    found = variable_references(chain({"Made": MADE, "State": state, "After": {"Type": "Succeed"}}))
    assert found == ({"State": names} if names else {})


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("$theAnswer + $bias.x", ["bias", "theAnswer"]),
        ("$states.input.result", []),
        ("$not($states.context.Execution.Id = $wanted)", ["wanted"]),
        ("$map($states.input, function($v) { $v * $factor })", ["factor"]),
        ("($local := $x; $local + 1)", ["x"]),
        ("$uuid() & $partition([1], 1)", []),
        ("theAnswer", []),
    ],
)
def test_a_jsonata_state_reads_the_free_names_of_its_expressions(
    chain: Chain, expression: str, names: list[str]
) -> None:
    state = reading(QueryLanguage="JSONata", Output={"deep": [f"{{% {expression} %}}"]})
    assert variable_references(chain({"State": state})) == ({"State": names} if names else {})


def test_text_that_is_no_expression_reads_nothing(chain: Chain) -> None:
    state = reading(Output="$theAnswer", Comment="{% $theAnswer %}")
    assert variable_references(chain({"State": state}, QueryLanguage="JSONata")) == {}


def test_what_is_still_to_be_filled_in_reads_nothing(chain: Chain, each: Chain) -> None:
    reader = each({"Leaf": {"Type": "Pass"}}, distributed=True, ItemReader="${Reader}")
    state = reading(InputPath="${Path}", Parameters={"a.$": "${Path}", "b.$": "$variable"})
    assert variable_references(chain({"Many": reader, "State": state})) == {"State": ["variable"]}


def test_a_functions_name_is_a_variable_where_a_state_assigns_it(chain: Chain) -> None:
    states = {
        "Count": reading(Assign={"count": "{% $count + $sum($states.input) %}"}),
        "Show": reading(Output="{% $count %}"),
    }
    found = variable_references(chain(states, QueryLanguage="JSONata"))
    assert found == {"Count": ["count"], "Show": ["count"]}


def test_states_inside_of_others_stand_by_themselves(chain: Chain, each: Chain) -> None:
    inner = each({"Summate": reading(Parameters={"sum.$": "$bias"})}, ItemsPath="$items")
    branch = {"StartAt": "Aside", "States": {"Aside": {"Type": "Fail", "ErrorPath": "$error"}}}
    parallel = {"Type": "Parallel", "Branches": [branch], "ResultPath": "$.out"}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket.$": "$bucket", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON", "MaxItemsPath": "$most"},
    }
    distributed = each(
        {"Leaf": {"Type": "Pass"}},
        distributed=True,
        ItemReader=reader,
        ItemSelector={"value.$": "States.Format($template, $$.Map.Item.Value)"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"shared.$": "$shared"}},
        ToleratedFailureCountPath="$tolerated",
    )
    found = variable_references(chain({"Each": inner, "Both": parallel, "Many": distributed}))
    assert found == {
        "Each": ["items"],
        "Summate": ["bias"],
        "Aside": ["error"],
        "Many": ["bucket", "most", "shared", "template", "tolerated"],
    }
