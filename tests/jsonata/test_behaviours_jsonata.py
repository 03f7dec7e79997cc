"""Facts 60 to 81 (docs/facts): JSONata and variables, through states.

Expected values are those of the facts, of jsonata-js where a fact names it, and of the
measurements in the threads that the facts name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import doorstep
import doorstep.asl.dialect

ERROR = "States.QueryEvaluationError"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Work"
INTO_E = "An error occurred while executing the state 'E' (entered at the event id #2). "
JSONATA = {"QueryLanguage": "JSONata"}


def evaluate(expression: str, data: Any = None) -> doorstep.Execution:
    """Run an expression as `Output/v` of a Pass."""
    state = {"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}, "End": True}
    return doorstep.run({"StartAt": "E", "States": {"E": state}, **JSONATA}, data)


def value(expression: str, data: Any = None) -> Any:
    execution = evaluate(expression, data)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output["v"]


def complaint(expression: str, data: Any = None) -> str:
    """What a failed evaluation says after naming state, expression and field."""
    execution = evaluate(expression, data)
    assert execution.error == ERROR
    opening = f"{INTO_E}The JSONata expression '{expression}' specified for the field 'Output/v' "
    assert str(execution.cause).startswith(opening)
    return str(execution.cause).removeprefix(opening)


def thrown(expression: str, data: Any = None) -> str:
    opening = "threw an error during evaluation"
    said = complaint(expression, data)
    assert said.startswith(opening)
    return said.removeprefix(opening)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$parse('{\"a\":1}').a", 1),
        ("$partition([1,2,3,4], 2)", [[1, 2], [3, 4]]),
        ("$range(0, 6, 2)", [0, 2, 4, 6]),
        ('$hash("input", "SHA-1")', "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ("$random(42)", 0.7275636800328681),
    ],
)
def test_behaviour_60_functions_that_step_functions_adds(expression: str, found: Any) -> None:
    assert value(expression) == found


def test_behaviour_60_uuid_is_of_version_4() -> None:
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(form, value("$uuid()"))


NOTHING = "{% $nothing %}"
TASK = {"Type": "Task", "Resource": FUNCTION}
MAP = {
    "Type": "Map",
    "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
}
POSITIONS: list[tuple[dict[str, Any], str]] = [
    ({"Type": "Pass", "Output": NOTHING}, "Output"),
    ({"Type": "Pass", "Output": {"a": [{"b": NOTHING}]}}, "Output/a[0]/b"),
    ({"Type": "Pass", "Assign": {"x": NOTHING}}, "Assign/x"),
    ({**TASK, "Arguments": NOTHING}, "Arguments"),
    ({**TASK, "Arguments": {"F": NOTHING}}, "Arguments/F"),
    ({**TASK, "TimeoutSeconds": NOTHING}, "TimeoutSeconds"),
    ({**TASK, "HeartbeatSeconds": NOTHING}, "HeartbeatSeconds"),
    ({"Type": "Wait", "Seconds": NOTHING}, "Seconds"),
    ({"Type": "Wait", "Timestamp": NOTHING}, "Timestamp"),
    ({**MAP, "Items": NOTHING}, "Items"),
    ({**MAP, "Items": [1], "MaxConcurrency": NOTHING}, "MaxConcurrency"),
    ({**MAP, "Items": [1], "ItemSelector": {"i": NOTHING}}, "ItemSelector/i"),
    ({"Type": "Fail", "Error": NOTHING}, "Error"),
    ({"Type": "Fail", "Cause": NOTHING}, "Cause"),
    ({"Type": "Choice", "Choices": [{"Condition": NOTHING, "Next": "Z"}]}, "Choices[0]/Condition"),
]


@pytest.mark.parametrize(("state", "field"), POSITIONS, ids=[field for _, field in POSITIONS])
def test_behaviours_61_and_63_an_undefined_result_fails_the_state_in_every_position(
    chain, state: dict[str, Any], field: str
) -> None:
    states = {"E": state, "Z": {"Type": "Succeed"}} if state["Type"] == "Choice" else {"E": state}
    execution = doorstep.run(chain(states, **JSONATA), {}, {"Work": lambda event: event})
    assert execution.error == ERROR
    assert execution.cause == (
        f"{INTO_E}The JSONata expression '$nothing' specified for the field '{field}' "
        "returned nothing (undefined)."
    )


def test_behaviour_62_a_failed_evaluation_leaves_an_event(chain) -> None:
    """Recorded as test_undefined_reference, of November 2024: there EvaluationFailed follows what
    the StateEntered follows. Later recordings and measurements have it follow the StateEntered
    (fact 62), and so do we."""
    state = {"Type": "Pass", "Output": {"result": "{% $doesNotExist %}"}}
    execution = doorstep.run(chain({"State0": state}, **JSONATA))
    entered, failed, ended = execution.history[1:]
    assert [entered["type"], failed["type"], ended["type"]] == [
        "PassStateEntered",
        "EvaluationFailed",
        "ExecutionFailed",
    ]
    assert failed["evaluationFailedEventDetails"] == {
        "cause": "An error occurred while executing the state 'State0' (entered at the event id "
        "#2). The JSONata expression '$doesNotExist' specified for the field 'Output/result' "
        "returned nothing (undefined).",
        "error": ERROR,
        "location": "Output/result",
        "state": "State0",
    }
    assert (failed["previousEventId"], ended["previousEventId"]) == (2, 3)


def located(execution: doorstep.Execution) -> str:
    (failed,) = (event for event in execution.history if event["type"] == "EvaluationFailed")
    where: str = failed["evaluationFailedEventDetails"]["location"]
    return where


def test_behaviour_63_a_choice_rule_is_named_by_its_index(chain) -> None:
    choices = [
        {"Condition": "{% false %}", "Next": "Z"},
        {"Condition": "{% true %}", "Output": {"v": NOTHING}, "Next": "Z"},
    ]
    states = {"E": {"Type": "Choice", "Choices": choices}, "Z": {"Type": "Succeed"}}
    assert located(doorstep.run(chain(states, **JSONATA))) == "Choices[1]/Output/v"


def test_behaviour_63_a_catcher_is_named_by_its_index(chain) -> None:
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Z"},
        {"ErrorEquals": ["Boom"], "Output": {"list": [1, NOTHING]}, "Next": "Z"},
    ]
    states = {"E": {**TASK, "Catch": catch}, "Z": {"Type": "Succeed"}}
    execution = doorstep.run(chain(states, **JSONATA), {}, {"Work": boom})
    assert located(execution) == "Catch[1]/Output/list[1]"


def boom(event: Any) -> Any:
    raise doorstep.fail("Boom", "why")


@pytest.mark.parametrize(
    ("expression", "ending"),
    [
        ("$nothing()", ". T1006: Attempted to invoke a non-function"),
        (
            "$uppercase(1)",
            '. T0410: Argument 1 of function "uppercase" does not match function signature',
        ),
        (
            "$range(1, 360146, 1)",
            ": Expression evaluation memory limit exceeded: Check for excessive memory usage",
        ),
    ],
)
def test_behaviour_64_an_error_is_told_with_its_code_if_it_has_one(
    expression: str, ending: str
) -> None:
    """T1006 is recorded (test_math_random_seeded), the others are measured."""
    assert thrown(expression) == ending


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('"a" + 1', 'T2001: The left side of the "+" operator must evaluate to a number'),
        ('1 - "a"', 'T2002: The right side of the "-" operator must evaluate to a number'),
        ('$sum(["a"])', 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        (
            '$uppercase("a", "b")',
            'T0410: Argument 2 of function "uppercase" does not match function signature',
        ),
        ('$number("x")', 'D3030: Unable to cast value to a number: "x"'),
        (
            '1 < "a"',
            'T2009: The values 1 and "a" either side of operator "<" must be of the same data type',
        ),
        ('$error("no stock")', "D3137: no stock"),
    ],
)
def test_behaviour_65_messages_are_those_of_jsonata_js(expression: str, message: str) -> None:
    assert thrown(expression) == f". {message}"


@pytest.mark.parametrize("wrapped", ["null", "[1]", '{"a": 1}'])
def test_behaviour_b_no_message_shows_the_types_of_the_implementation(wrapped: str) -> None:
    for expression in (f"$uppercase({wrapped})", f"1 + {wrapped}", f'$split({wrapped}, "-")'):
        said = thrown(expression)
        assert "{{" not in said
        assert not re.search(r"\bNone\b|\bObject\b|\bdict\b|\blist\b", said)


def test_behaviour_66_eval_is_taken_away() -> None:
    assert thrown('$eval("1 + 1")') == ". T1006: Attempted to invoke a non-function"


def test_behaviour_66_a_bad_number_picture_fails() -> None:
    assert thrown('$formatNumber(1, "x")').startswith(". D3086: ")


DOUBLING = '($p := function($s, $n) {{ $n = 0 ? $s : $p($s & $s, $n - 1) }}; $length($p("x", {})))'
TOO_MUCH = ": Expression evaluation memory limit exceeded: Check for excessive memory usage"


def test_behaviour_67_memory_is_bounded_for_arrays() -> None:
    assert value("$count([1..873782])") == 873_782
    assert thrown("$count([1..873783])") == TOO_MUCH


def test_behaviour_67_memory_is_bounded_for_texts() -> None:
    assert value(DOUBLING.format(22)) == 2**22
    assert thrown(DOUBLING.format(23)) == TOO_MUCH


TOO_DEEP = (
    ": Stack overflow error: Check for non-terminating recursive function. "
    "Consider rewriting as tail-recursive"
)


@pytest.mark.parametrize(
    ("before", "again", "after", "most"),
    [
        ("1", "+1", "", 99),
        ("", "(", "1" + ")" * 99, 99),
        ("", "[", "1" + "]" * 99, 99),
        ("1", "~>$string", "", 99),
    ],
)
def test_behaviour_68_expressions_nest_a_hundred_deep(
    before: str, again: str, after: str, most: int
) -> None:
    assert evaluate(before + again * most + after).status == "SUCCEEDED"
    closing = after and after + after[-1]
    assert thrown(before + again * (most + 1) + closing).startswith(TOO_DEEP)


RECURSION = "($f := function($x) {{ $x <= 0 ? 0 : 1 + $f($x - 1) }}; $f({}))"


def test_behaviour_68_so_do_calls_that_are_no_tail_calls() -> None:
    assert value(RECURSION.format(31)) == 31
    assert thrown(RECURSION.format(33)).startswith(TOO_DEEP)


def test_behaviour_68_and_the_32nd_call_is_the_first_too_deep() -> None:
    assert thrown(RECURSION.format(32)).startswith(TOO_DEEP)


def test_behaviour_69_endless_tail_recursion_ends_and_is_caught(
    chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS allows about five seconds; here it is a number of steps."""
    short = replace(doorstep.asl.dialect.LIMITS, steps=20_000)
    monkeypatch.setattr(doorstep.asl.dialect, "LIMITS", short)
    endless = "{% ($f := function($x) { $f($x + 1) }; $f(1)) %}"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]
    states = {"E": {**TASK, "Arguments": endless, "Catch": catch}, "Z": {"Type": "Pass"}}
    execution = doorstep.run(chain(states, **JSONATA), {}, {"Work": lambda event: event})
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == ERROR


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("[1/0]", ["Infinity"]),
        ("1/0", "Infinity"),
        ("-1/0", "-Infinity"),
        ("0/0", "NaN"),
        ("1e308 * 10", "Infinity"),
        ("$sum([1e308, 1e308])", "Infinity"),
        ("[$parseInteger('abc', '0')]", ["NaN"]),
        ('{"a": [1/0, {"b": 1/0}]}', {"a": ["Infinity", {"b": "Infinity"}]}),
    ],
)
def test_behaviour_70_numbers_that_json_can_not_hold_become_texts(
    expression: str, found: Any
) -> None:
    assert value(expression) == found


ITEMS = [{"n": 1, "k": "x"}, {"n": 2, "k": "y"}, {"n": 3, "k": "x", "deep": {"n": 4}}]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("$states.input.n", [1, 2, 3]),
        ("$states.input[n > 1].k", ["y", "x"]),
        ("$states.input[-1].n", 3),
        ("$map($states.input, function($v, $i) { $v.n * 10 + $i })", [10, 21, 32]),
        ('$filter($states.input, function($v) { $v.k = "x" }).n', [1, 3]),
        ("$reduce($states.input.n, function($a, $b) { $a + $b })", 6),
        ("$states.input.**.n", [1, 2, 3, 4]),
        ("$states.input{k: $sum(n)}", {"x": 4, "y": 2}),
        ("($total := $sum($states.input.n); $total * 2)", 12),
    ],
)
def test_behaviour_71_the_language_is_whole(expression: str, found: Any) -> None:
    assert value(expression, ITEMS) == found


@pytest.mark.parametrize(
    "condition",
    [
        '{% $states.input.s != "x" %}',
        "{% $states.input.s = 'say \"hi\"' %}",
        '{% $states.input.s = "say \\"hi\\"" %}',
        '{% $contains($states.input.s, "\\"") %}',
    ],
)
def test_behaviour_72_conditions_compare_and_escape(chain, condition: str) -> None:
    """Recorded as well: test_escape_sequence_parsing."""
    choice = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "Yes"}]}
    states = {"C": {**choice, "Default": "No"}, "Yes": {"Type": "Succeed", "Output": "yes"}}
    machine = chain({**states, "No": {"Type": "Fail"}}, **JSONATA)
    assert doorstep.run(machine, {"s": 'say "hi"'}).output == "yes"


@pytest.mark.parametrize(
    ("data", "output", "variable"), [({"n": 1}, "rule", "r"), ({"n": 2}, "state", "s")]
)
def test_behaviour_73_a_rule_has_its_own_output_and_assign(
    chain, data: Any, output: str, variable: str
) -> None:
    """Recorded as well: test_assign_in_choice, test_output_in_choice."""
    rule = {
        "Condition": "{% $states.input.n = 1 %}",
        "Output": "rule",
        "Assign": {"var": "r"},
        "Next": "End",
    }
    choice = {"Type": "Choice", "Choices": [rule], "Default": "End"}
    choice |= {"Output": "state", "Assign": {"var": "s"}}
    end = {"Type": "Pass", "Output": "{% [$states.input, $var] %}"}
    execution = doorstep.run(chain({"C": choice, "End": end}, **JSONATA), data)
    assert execution.output == [output, variable]


@pytest.mark.parametrize("distributed", [False, True])
def test_behaviour_74_item_selectors_are_rendered(chain, each, distributed: bool) -> None:
    item = "{% $states.context.Map.Item.Value %}"
    inner = each(
        {"Keep": {"Type": "Pass"}},
        distributed=distributed,
        Items="{% $states.input.list %}",
        ItemSelector={"inner": item, "tag": "{% $states.input.tag %}"},
    )
    outer = each(
        {"Inner": inner},
        distributed=distributed,
        Items="{% $states.input.lists %}",
        ItemSelector={
            "list": item,
            "tag": "{% $states.input.tag & $states.context.Map.Item.Index %}",
        },
    )
    execution = doorstep.run(
        chain({"Outer": outer}, **JSONATA), {"lists": [["a"], ["b", "c"]], "tag": "t"}
    )
    assert execution.output == [
        [{"inner": "a", "tag": "t0"}],
        [{"inner": "b", "tag": "t1"}, {"inner": "c", "tag": "t1"}],
    ]


def test_behaviour_75_merge_takes_members_that_are_computed() -> None:
    """Recorded as well: test_merge_with_dynamic_args."""
    data = {"a": {"hello": "world"}, "b": {"foo": "bar"}}
    found = value("$merge([$states.input.a, $states.input.b])", data)
    assert found == {"hello": "world", "foo": "bar"}


def test_behaviour_76_items_that_are_a_function_fail_the_map(chain) -> None:
    """The text of test_map_state_items_eval_jsonata_fail[function]."""
    state = {**MAP, "Items": "{% $fn := function($x){$x} %}"}
    execution = doorstep.run(chain({"MapIterateState": state}, **JSONATA))
    assert execution.error == ERROR
    assert execution.cause == (
        "An error occurred while executing the state 'MapIterateState' (entered at the event id "
        "#2). The JSONata expression '$fn := function($x){$x}' specified for the field 'Items' "
        "returned an unsupported result type."
    )


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('"costs $name"', "costs $name"),
        ("'$name'", "$name"),
        ('$contains("a$name", /\\$name/)', True),
        ("$split('a$nameb', '$name')", ["a", "b"]),
        ('$replace("$x", /\\$[a-z]/, "y")', "y"),
    ],
)
def test_behaviour_77_a_dollar_in_a_literal_is_no_variable(expression: str, found: Any) -> None:
    assert value(expression) == found


def no_number(field: str, given: str, kind: str) -> str:
    return f'The {field}Path field refers to value "{given}" which is not a valid {kind}: $.X'


COUNT, PERCENTAGE = "ToleratedFailureCount", "ToleratedFailurePercentage"


@pytest.mark.parametrize(
    ("field", "given", "text"),
    [
        ("MaxConcurrency", "NoNumber", no_number("MaxConcurrency", "NoNumber", "integer")),
        ("MaxConcurrency", {}, no_number("MaxConcurrency", "{}", "integer")),
        (COUNT, "NoNumber", no_number(COUNT, "NoNumber", "integer")),
        (COUNT, -1, "ToleratedFailureCount cannot be negative."),
        (PERCENTAGE, {}, no_number(PERCENTAGE, "{}", "float")),
        (PERCENTAGE, -1.1, "ToleratedFailurePercentage must be between 0 and 100."),
        (PERCENTAGE, 101, "ToleratedFailurePercentage must be between 0 and 100."),
    ],
)
def test_behaviour_79_numbers_of_a_map_that_are_none_are_told_exactly(
    chain, each, field: str, given: Any, text: str
) -> None:
    """Recorded: test_max_concurrency_path, test_map_state_tolerated_failure_…_path."""
    tolerance = field != "MaxConcurrency"
    paths = {"ItemsPath": "$.items", f"{field}Path": "$.X"}
    state = each({"I": {"Type": "Pass"}}, distributed=tolerance, **paths)
    execution = doorstep.run(chain({"MapState": state}), {"items": [1], "X": given})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'MapState' (entered at the event id #2). "
        + text
    )
    followed = execution.history[execution.history[-1]["previousEventId"] - 1]["type"]
    assert followed == ("MapStateStarted" if tolerance else "MapStateEntered")


def test_behaviour_80_assign_happens_when_the_task_is_answered_by_a_stand_in(chain) -> None:
    task = {**TASK, "Assign": {"kept": "{% $states.result.n %}"}, "Output": 0}
    read = {"Type": "Pass", "Output": "{% $kept %}"}
    execution = doorstep.run(
        chain({"T": task, "Read": read}, **JSONATA),
        respond=lambda execution, invoke: doorstep.answer({"n": 5}),
    )
    assert execution.output == 5


def test_behaviour_81_the_exit_shows_what_was_assigned(chain) -> None:
    assign = {"n": 1, "s": "a", "o": "{% {'k': [$states.input.x]} %}"}
    execution = doorstep.run(chain({"P": {"Type": "Pass", "Assign": assign}}, **JSONATA), {"x": 2})
    exited = execution.history[2]["stateExitedEventDetails"]
    assert exited["assignedVariables"] == {"n": "1", "s": '"a"', "o": '{"k":[2]}'}
    assert exited["assignedVariablesDetails"] == {"truncated": False}


def test_behaviour_81_without_assign_the_exit_shows_no_variables(chain) -> None:
    execution = doorstep.run(chain({"P": {"Type": "Pass", "Assign": {}}}, **JSONATA))
    assert set(execution.history[2]["stateExitedEventDetails"]) == {
        "name",
        "output",
        "outputDetails",
    }


def test_behaviour_a_null_and_undefined_are_different_values() -> None:
    data = {"nul": None}
    assert value('{"k": $states.input.nul}', data) == {"k": None}
    assert value('{"k": $states.input.no}', data) == {}
    assert value('{"k": $keys($states.input.nul)}', data) == {}
    assert value("$count([$states.input.nul, $states.input.no])", data) == 1
    assert complaint('$states.input.no ~> $split("-")') == "returned nothing (undefined)."


@pytest.mark.parametrize("expression", ["$states.input.a ?: 1", "$states.input.a ?? 1"])
def test_behaviour_c_operators_of_jsonata_2_1_and_later_are_refused(expression: str) -> None:
    """AWS has JSONata 2.0.6 (fact 363), which has neither."""
    with pytest.raises(doorstep.DefinitionError, match="INVALID_JSONATA_EXPRESSION"):
        evaluate(expression)


def test_an_array_of_one_inside_an_output_is_an_array_for_the_next_state() -> None:
    # What a state passes on is JSON: nothing in it is a sequence that the next would unwrap.
    first = {"kept": "$states.input.a[]", "listed": "$states.input.b.[c]"}
    output = ", ".join(f"'{name}': {text}" for name, text in first.items())
    machine = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Output": f"{{% {{ {output} }} %}}", "Next": "B"},
            "B": {
                "Type": "Pass",
                "Output": {
                    "kept": "{% $states.input.kept %}",
                    "flat": "{% $states.input.listed.(1) %}",
                },
                "End": True,
            },
        },
        **JSONATA,
    }
    execution = doorstep.run(machine, {"a": 5, "b": [{"c": 1}, {"c": 2}]})
    assert execution.output == {"kept": [5], "flat": [1, 1]}
