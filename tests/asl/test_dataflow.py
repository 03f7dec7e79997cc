"""How data goes through a state, in both query languages."""

from __future__ import annotations

from typing import Any

import pytest

import doorstep

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


def chain(*states: dict[str, Any], **top: Any) -> dict[str, Any]:
    """The states one after another, as S0, S1, …."""
    named = {f"S{index}": dict(state) for index, state in enumerate(states)}
    for index, state in enumerate(named.values()):
        if index < len(named) - 1:
            state["Next"] = f"S{index + 1}"
        elif state["Type"] not in ("Succeed", "Fail"):
            state["End"] = True
    return {"StartAt": "S0", "States": named, **top}


def jsonata(*states: dict[str, Any]) -> dict[str, Any]:
    return chain(*states, QueryLanguage="JSONata")


def passing(**fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", **fields}


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + "work", **fields}


def output(definition: dict[str, Any], data: Any = None, result: Any = None) -> Any:
    execution = doorstep.run(definition, data, {"work": lambda event: result})
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output


def event(execution: doorstep.Execution, event_type: str) -> dict[str, Any]:
    found = next(event for event in execution.history if event["type"] == event_type)
    return next(value for key, value in found.items() if key.endswith("EventDetails"))


# JSONPath ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_a_path_of_null_gives_an_empty_object(field: str) -> None:
    assert output(chain(passing(**{field: None})), {"a": 1}) == {}


def test_a_result_path_of_null_drops_the_result_and_keeps_the_raw_input() -> None:
    state = task(InputPath="$.a", ResultPath=None)
    assert output(chain(state), {"a": 1}, "dropped") == {"a": 1}


def test_the_result_is_put_onto_the_raw_input_and_not_onto_the_effective_one() -> None:
    state = task(InputPath="$.a", ResultPath="$.result")
    assert output(chain(state), {"a": {"b": 1}}, 7) == {"a": {"b": 1}, "result": 7}


def test_result_path_makes_the_objects_on_its_way() -> None:
    state = task(ResultPath="$.x.y")
    assert output(chain(state), {"a": 1, "x": {"z": 2}}, 7) == {"a": 1, "x": {"z": 2, "y": 7}}


def test_a_result_path_into_a_number_fails_and_is_caught_under_both_names() -> None:
    for name in ("States.ReferencePathConflict", "States.ResultPathMatchFailure"):
        catch = [{"ErrorEquals": [name], "Next": "S1", "ResultPath": "$.caught"}]
        definition = chain(task(ResultPath="$.a.b", Catch=catch), passing())
        assert output(definition, {"a": 1}, 7)["caught"]["Error"] == "States.ReferencePathConflict"


def test_the_order_of_a_task_is_input_parameters_selector_result_output() -> None:
    state = task(
        InputPath="$.in",
        Parameters={"sent.$": "$.n", "fixed": "$.n"},
        ResultSelector={"picked.$": "$.value", "state.$": "$$.State.Name"},
        ResultPath="$.result",
        OutputPath="$.result",
    )
    seen: list[Any] = []

    def work(event: Any) -> Any:
        seen.append(event)
        return {"value": 3, "noise": 4}

    execution = doorstep.run(chain(state), {"in": {"n": 2}}, {"work": work})
    assert seen == [{"sent": 2, "fixed": "$.n"}]
    assert execution.output == {"picked": 3, "state": "S0"}


def test_a_pass_states_result_replaces_what_its_parameters_made() -> None:
    state = passing(Parameters={"a.$": "$.a"}, Result={"b": 2}, ResultPath="$.r")
    assert output(chain(state), {"a": 1}) == {"a": 1, "r": {"b": 2}}


def test_a_template_is_evaluated_inside_arrays_and_at_every_depth() -> None:
    parameters = {"list": [{"v.$": "$.n"}, "$.n", [{"deep": {"v.$": "$.n"}}]]}
    expected = {"list": [{"v": 5}, "$.n", [{"deep": {"v": 5}}]]}
    assert output(chain(passing(Parameters=parameters)), {"n": 5}) == expected


def test_an_index_past_the_end_is_null_in_a_template() -> None:
    assert output(chain(passing(Parameters={"v.$": "$.list[3]"})), {"list": [1]}) == {"v": None}


def test_the_context_object_is_seen_in_paths_and_templates() -> None:
    parameters = {
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "input.$": "$$.Execution.Input.n",
        "machine.$": "$$.StateMachine.Name",
        "state.$": "$$.State.Name",
        "redrives.$": "$$.Execution.RedriveCount",
    }
    execution = doorstep.run(chain(passing(), passing(Parameters=parameters)), {"n": 1}, name="n1")
    assert execution.output == {
        "id": "arn:aws:states:us-east-1:123456789012:execution:StateMachine:n1",
        "name": "n1",
        "input": 1,
        "machine": "StateMachine",
        "state": "S1",
        "redrives": 0,
    }
    assert output(chain(passing(InputPath="$$.State.Name"))) == "S0"


def test_the_context_object_of_a_pass_has_the_recorded_members() -> None:
    context = output(chain(passing(InputPath="$$")))
    assert {name: set(members) for name, members in context.items()} == {
        "Execution": {"Id", "Input", "StartTime", "Name", "RoleArn", "RedriveCount"},
        "StateMachine": {"Id", "Name"},
        "State": {"Name", "EnteredTime"},
    }


def test_an_express_execution_has_no_redrive_count() -> None:
    context = doorstep.run(chain(passing(InputPath="$$")), type="EXPRESS").output
    assert "RedriveCount" not in context["Execution"]


def test_a_task_counts_its_retries_in_the_context_object() -> None:
    seen: list[Any] = []

    def work(event: Any) -> Any:
        seen.append(event["count"])
        if len(seen) < 3:
            raise doorstep.fail("Busy")

    parameters = {"count.$": "$$.State.RetryCount"}
    state = task(Parameters=parameters, Retry=[{"ErrorEquals": ["Busy"]}])
    doorstep.run(chain(state), handlers={"work": work})
    assert seen == [0, 1, 2]


def test_a_retry_after_a_failed_result_selector_sends_the_same_input_again() -> None:
    seen: list[Any] = []

    def work(event: Any) -> Any:
        seen.append(event)
        return {"a": "long" * 50_000 if len(seen) == 1 else 1}

    state = task(
        ResultSelector={"twice.$": "States.Array($.a, $.a)"},
        Retry=[{"ErrorEquals": ["States.DataLimitExceeded"]}],
    )
    execution = doorstep.run(chain(state), {"in": 1}, {"work": work})
    assert execution.output == {"twice": [1, 1]}
    assert seen == [{"in": 1}, {"in": 1}]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (
            passing(InputPath="$.NoSuch"),
            "Invalid path '$.NoSuch' : No results for path: $['NoSuch']",
        ),
        (
            passing(OutputPath="$.NoSuch"),
            "Invalid path '$.NoSuch' : No results for path: $['NoSuch']",
        ),
        (
            passing(InputPath=None, Parameters={"v.$": "$.n"}),
            "The JSONPath '$.n' specified for the field 'v.$' could not be found in the input '{}'",
        ),
        (
            task(TimeoutSecondsPath="$.NoSuch"),
            "Invalid path '$.NoSuch' : No results for path: $['NoSuch']",
        ),
    ],
)
def test_a_path_that_leads_nowhere_fails_the_execution(state: dict[str, Any], cause: str) -> None:
    # Recorded: test_invalid_jsonpath.
    execution = doorstep.run(chain(state), {"other": 1})
    assert execution.error == "States.Runtime"
    where = "An error occurred while executing the state 'S0' (entered at the event id #2). "
    assert execution.cause == where + cause


NULL = "Unable to apply Path transformation to null or empty input."
IS = {"Type": "Choice", "Default": "S1"}
LIST = {"Type": "Map", "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}}


def on_null(state: dict[str, Any]) -> doorstep.Execution:
    """Run a state on null."""
    following = {} if state["Type"] in ("Choice", "Fail") else {"Next": "S1"}
    states = {"S0": {**state, **following}, "S1": {"Type": "Succeed"}}
    definition = {"StartAt": "S0", "States": states if state["Type"] != "Fail" else {"S0": state}}
    return doorstep.run(definition, input_json="null", handlers={"work": lambda event: event})


def rule(**comparison: Any) -> dict[str, Any]:
    return {**IS, "Choices": [{**comparison, "Next": "S1"}]}


@pytest.mark.parametrize(
    "state",
    [
        passing(Parameters={"all.$": "$"}),
        passing(Parameters={"deep": [{"one.$": "$.a"}]}),
        passing(Parameters={"found.$": "$..a"}),
        passing(Parameters={"text.$": "States.Format('{}', $)"}),
        passing(InputPath="$"),
        passing(InputPath="$.a", Result=1),
        passing(OutputPath="$"),
        passing(Assign={"all.$": "$"}),
        task(TimeoutSecondsPath="$.limit"),
        {**LIST, "ItemsPath": "$"},
        {"Type": "Wait", "SecondsPath": "$"},
        {"Type": "Wait", "TimestampPath": "$.at"},
        {"Type": "Fail", "ErrorPath": "$.error"},
        rule(Variable="$", IsNull=True),
        rule(Variable="$", IsPresent=True),
        rule(Variable="$.a", IsPresent=False),
        rule(Not={"Variable": "$", "IsString": True}),
        rule(Variable="$$.State.Name", StringEqualsPath="$.name"),
    ],
    ids=str,
)
def test_no_path_can_be_applied_to_null(state: dict[str, Any]) -> None:
    """Fact 335: reported for `$` in Parameters and in a Choice, inferred for the others."""
    execution = on_null(state)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    where = "An error occurred while executing the state 'S0' (entered at the event id #2). "
    assert execution.cause == where + NULL


@pytest.mark.parametrize(
    "fields",
    [
        {"ResultSelector": {"all.$": "$"}},
        {"ResultSelector": {"a.$": "$.a"}},
        {"OutputPath": "$"},
        {"Assign": {"all.$": "$"}},
        {"ResultPath": None, "Assign": {"all.$": "$"}},
    ],
    ids=str,
)
def test_no_path_can_be_applied_to_a_result_of_null(fields: dict[str, Any]) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "S1"}]
    state = task(**fields, Catch=catch)
    execution = doorstep.run(chain(state, passing()), {"in": 1}, {"work": lambda event: None})
    assert execution.error == "States.Runtime"
    assert execution.cause.endswith(NULL)


@pytest.mark.parametrize(
    "state",
    [
        passing(),
        passing(InputPath="$$.State", OutputPath="$.Name"),
        passing(InputPath=None),
        passing(Parameters={"fixed": 1, "name.$": "$$.State.Name"}),
        passing(Parameters={"text.$": "States.Format('{}', $$.Execution.Input)"}),
        passing(Assign={"name.$": "$$.State.Name"}),
        task(ResultPath="$"),
        task(ResultSelector={"fixed": 1}),
        rule(Variable="$$.Execution.Input", IsNull=True),
        {"Type": "Wait", "Seconds": 1},
        {"Type": "Parallel", "Branches": [{"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}]},
    ],
    ids=str,
)
def test_what_no_path_reads_may_be_null(state: dict[str, Any]) -> None:
    """Fact 335: paths that are not written, and those into the context object."""
    assert on_null(state).status == "SUCCEEDED"


def test_a_member_that_is_null_is_a_value() -> None:
    state = passing(InputPath="$.a", Parameters={"b.$": "$$.Execution.Input.a"}, ResultPath="$.c")
    assert doorstep.run(chain(state), {"a": None}).output == {"a": None, "c": {"b": None}}


@pytest.mark.parametrize("value", [{"a": 1}, ["a"], 7, True])
def test_an_error_path_to_anything_but_text_fails_the_execution(value: Any) -> None:
    """Specification, Fail State: the values of ErrorPath and CausePath must be strings."""
    execution = doorstep.run(chain({"Type": "Fail", "ErrorPath": "$.why"}), {"why": value})
    assert execution.error == "States.Runtime"
    assert "which is not a valid string: $.why" in str(execution.cause)


def test_what_a_template_evaluates_comes_last_and_in_the_order_of_a_hash_table() -> None:
    """Recorded: test_map_state_item_selector, test_sns_publish_wait_for_task_token."""
    evaluated = ("original_input", "iteration_input_value", "iteration_index")
    selected = {f"{name}.$": "$" for name in (*evaluated, "from_input_constant")}
    message = {f"{name}.$": "$" for name in ("TaskToken", "arg1", "arg2")}
    state = passing(Parameters={**selected, "constant_value": "Hello", "Message": message})
    output = doorstep.run(chain(state), 1).output
    assert list(output) == [
        *("constant_value", "Message"),
        *("iteration_input_value", "from_input_constant", "iteration_index", "original_input"),
    ]
    assert list(output["Message"]) == ["arg2", "arg1", "TaskToken"]


def test_a_path_that_fails_after_the_task_is_not_caught_by_its_name() -> None:
    # Recorded: test_catch_states_runtime.
    catch = [{"ErrorEquals": ["States.Runtime"], "Next": "S1"}]
    state = task(ResultSelector={"v.$": "$.no.such.result.path"}, Catch=catch)
    execution = doorstep.run(chain(state, passing()), {}, {"work": lambda event: {}})
    assert execution.error == "States.Runtime"
    shown = [event["type"] for event in execution.history]
    assert shown[-2:] == ["LambdaFunctionSucceeded", "ExecutionFailed"]
    assert execution.history[-1]["previousEventId"] == execution.history[-2]["id"]


def fails(event: Any) -> Any:
    raise doorstep.fail("Boom", "why")


def test_what_a_catcher_gives_skips_result_selector_and_output_path() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "S1"}]
    state = task(ResultSelector={"v.$": "$.v"}, OutputPath="$.Payload", Catch=catch)
    execution = doorstep.run(chain(state, passing()), {"in": 1}, {"work": fails})
    assert execution.output == {"Error": "Boom", "Cause": "why"}


def test_catch_puts_the_error_onto_the_input_that_the_state_was_given() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "S1", "ResultPath": "$.error"}]
    state = task(InputPath="$.in", ResultPath="$.other", Catch=catch)
    execution = doorstep.run(chain(state, passing()), {"in": 1}, {"work": fails})
    assert execution.output == {"in": 1, "error": {"Error": "Boom", "Cause": "why"}}


def test_a_catchers_own_assign_runs_and_the_states_does_not() -> None:
    catch = [
        {
            "ErrorEquals": ["States.ALL"],
            "Next": "S2",
            "Assign": {"caught.$": "$.Error", "who": "catcher"},
        }
    ]
    show = passing(Parameters={"who.$": "$who", "caught.$": "$caught"})
    states = [passing(Assign={"who": "start", "caught": "nothing"})]
    states += [task(Assign={"who": "state"}, Catch=catch), show]
    execution = doorstep.run(chain(*states), handlers={"work": fails})
    assert execution.output == {"who": "catcher", "caught": "Boom"}


def test_the_right_hand_sides_of_assign_and_the_output_see_the_variables_as_on_entry() -> None:
    # Recorded: test_state_assign_evaluation_order.
    swap = passing(
        Assign={"a.$": "$b", "b.$": "$a"}, Parameters={"a.$": "$a", "b.$": "$b"}, ResultPath="$.on"
    )
    show = passing(Parameters={"on.$": "$.on", "now.$": "States.Array($a, $b)"})
    states = [passing(Assign={"a": 1, "b": 2}), swap, show]
    assert output(chain(*states)) == {"on": {"a": 1, "b": 2}, "now": [2, 1]}


def test_assign_sees_the_raw_result_of_a_task_and_the_parameters_of_a_pass() -> None:
    work = task(ResultSelector={"v.$": "$.v"}, Assign={"raw.$": "$.other"}, ResultPath=None)
    make = passing(Parameters={"made": 4}, Assign={"made.$": "$.made"}, ResultPath=None)
    show = passing(Parameters={"raw.$": "$raw", "made.$": "$made"})
    assert output(chain(work, make, show), {}, {"v": 1, "other": 3}) == {"raw": 3, "made": 4}


def test_assigned_variables_are_shown_as_json_texts() -> None:
    # Fact 81.
    execution = doorstep.run(chain(passing(Assign={"x": 1, "s": "a"})))
    exited = event(execution, "PassStateExited")
    assert exited["assignedVariables"] == {"x": "1", "s": '"a"'}
    assert exited["assignedVariablesDetails"] == {"truncated": False}
    assert "assignedVariables" not in event(doorstep.run(chain(passing())), "PassStateExited")


def test_the_first_state_shows_the_input_to_the_letter_and_later_ones_are_compact() -> None:
    execution = doorstep.run(chain(passing(), passing()), input_json='{"a":  1}')
    shown = [
        details.get("input", details.get("output"))
        for entry in execution.history
        for name, details in entry.items()
        if name.endswith("EventDetails")
    ]
    assert shown == ['{"a":  1}', '{"a":  1}'] + ['{"a":1}'] * 4


def test_fail_reads_error_and_cause_off_its_input() -> None:
    state = {
        "Type": "Fail",
        "ErrorPath": "$.name",
        "CausePath": "States.Format('{} at {}', $.why, $$.State.Name)",
    }
    execution = doorstep.run(chain(state), {"name": "Bad", "why": "luck"})
    assert (execution.error, execution.cause) == ("Bad", "luck at S0")


def test_fail_without_error_and_cause_shows_neither() -> None:
    execution = doorstep.run(chain({"Type": "Fail"}))
    assert (execution.error, execution.cause) == (None, None)
    assert event(execution, "ExecutionFailed") == {}


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("NoNumber", 'refers to value "NoNumber" which is not a valid integer: $.n'),
        ({}, 'refers to value "{}" which is not a valid integer: $.n'),
    ],
)
def test_a_number_behind_a_path_has_to_be_one(value: Any, cause: str) -> None:
    each = {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemProcessor": each, "MaxConcurrencyPath": "$.n", "ItemsPath": "$.i"}
    execution = doorstep.run(chain(state), {"n": value, "i": []})
    # Recorded: test_max_concurrency_path.
    assert execution.error == "States.Runtime"
    assert (execution.cause or "").endswith(f"The MaxConcurrencyPath field {cause}")


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (1.5, "cannot be parsed as a long value: $.s == 1.5"),
        (-1, "references a negative value: $.s == -1"),
        (None, "does not reference an input value: $.s"),
    ],
)
def test_seconds_behind_a_path_have_to_be_a_whole_number(value: Any, cause: str) -> None:
    execution = doorstep.run(chain({"Type": "Wait", "SecondsPath": "$.s"}), {"s": value})
    # Recorded: test_base_wait_seconds_path.
    assert execution.error == "States.Runtime"
    assert (execution.cause or "").endswith(f"The SecondsPath parameter {cause}")


# JSONata -----------------------------------------------------------------------------------------


def test_arguments_output_and_assign_each_see_what_they_may() -> None:
    state = task(
        Arguments={"sent": "{% $states.input.n + 1 %}", "fixed": "plain"},
        Output={"got": "{% $states.result.v %}", "in": "{% $states.input %}", "x": "{% $x %}"},
        Assign={"x": "{% $states.result.v * 10 %}"},
    )
    seen: list[Any] = []

    def work(event: Any) -> Any:
        seen.append(event)
        return {"v": 5}

    show = passing(Output="{% [$states.input, $x] %}")
    execution = doorstep.run(
        jsonata(passing(Assign={"x": "old"}), state, show), {"n": 1}, {"work": work}
    )
    assert seen == [{"sent": 2, "fixed": "plain"}]
    assert execution.output == [{"got": 5, "in": {"n": 1}, "x": "old"}, 50]


def test_without_output_a_task_gives_its_result_and_a_pass_its_input() -> None:
    assert output(jsonata(task()), {"n": 1}, "result") == "result"
    assert output(jsonata(passing()), {"n": 1}) == {"n": 1}


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (
            {"Type": "Wait", "Seconds": "{% 2.5 %}"},
            "The Seconds field cannot be parsed as an integer: 2.5",
        ),
        (
            {"Type": "Wait", "Seconds": "{% -3 %}"},
            "Seconds must be between 0 and 99999999 but was: -3",
        ),
        (
            {
                "Type": "Map",
                "Items": [1],
                "MaxConcurrency": "{% 0.5 %}",
                "ItemProcessor": {
                    "StartAt": "I",
                    "States": {"I": {"Type": "Succeed"}},
                },
            },
            "The MaxConcurrency field cannot be parsed as an integer: 0.5",
        ),
    ],
)
def test_a_number_of_an_expression_is_refused_as_that_of_a_time_limit_is(
    state: dict[str, Any], cause: str
) -> None:
    """Fact 144, recorded of TimeoutSeconds; of these fields by analogy."""
    execution = doorstep.run(chain({**state, "QueryLanguage": "JSONata"}))
    assert execution.error == "States.QueryEvaluationError"
    assert (execution.cause or "").endswith(f" {cause}")


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, " {% 1 %} "])
def test_an_output_may_be_any_json_value(value: Any) -> None:
    assert output(jsonata(passing(Output=value)), {"n": 1}) == value


def test_the_context_is_a_member_of_states() -> None:
    state = passing(Output="{% [$states.context.State.Name, $states.context.Execution.Input.n] %}")
    assert output(jsonata(state), {"n": 1}) == ["S0", 1]


def test_the_whole_of_states_holds_the_context() -> None:
    assert output(jsonata(passing(Output="{% $keys($states.context) %}"))) == [
        "Execution",
        "StateMachine",
        "State",
    ]
    aliased = passing(Output="{% ($s := $states; $s.context.State.Name) %}")
    assert output(jsonata(aliased)) == "S0"


def test_a_catchers_output_sees_the_error_output() -> None:
    catch = [
        {
            "ErrorEquals": ["States.ALL"],
            "Next": "S1",
            "Output": {"error": "{% $states.errorOutput.Error %}", "in": "{% $states.input %}"},
            "Assign": {"cause": "{% $states.errorOutput.Cause %}"},
        }
    ]
    show = passing(Output="{% $merge([$states.input, {'cause': $cause}]) %}")
    execution = doorstep.run(jsonata(task(Catch=catch), show), {"n": 1}, {"work": fails})
    assert execution.output == {"error": "Boom", "in": {"n": 1}, "cause": "why"}


@pytest.mark.parametrize(
    ("state", "location"),
    [
        (passing(Output="{% $nothing %}"), "Output"),
        (passing(Output={"a": {"b": ["x", "{% $nothing %}"]}}), "Output/a/b[1]"),
        (passing(Assign={"x": "{% $nothing %}"}), "Assign/x"),
        (task(Arguments={"F": "{% $nothing %}"}), "Arguments/F"),
        (task(Arguments="{% $nothing %}"), "Arguments"),
        ({"Type": "Wait", "Seconds": "{% $nothing %}"}, "Seconds"),
        ({"Type": "Fail", "Error": "{% $nothing %}"}, "Error"),
        ({"Type": "Fail", "Cause": "{% $nothing %}"}, "Cause"),
    ],
)
def test_an_expression_without_a_value_fails_where_it_stands(
    state: dict[str, Any], location: str
) -> None:
    execution = doorstep.run(jsonata(state))
    assert execution.error == "States.QueryEvaluationError"
    # Recorded: test_undefined_reference.
    cause = (
        "An error occurred while executing the state 'S0' (entered at the event id #2). "
        f"The JSONata expression '$nothing' specified for the field '{location}' "
        "returned nothing (undefined)."
    )
    failed = event(execution, "EvaluationFailed")
    assert failed == {
        "error": "States.QueryEvaluationError",
        "cause": cause,
        "location": location,
        "state": "S0",
    }
    assert execution.cause == cause
    assert execution.history[-1]["previousEventId"] == execution.history[-2]["id"]


def test_the_outputs_of_a_catcher_and_a_rule_are_located() -> None:
    catch = [{"ErrorEquals": ["X"], "Next": "S1"}]
    catch += [{"ErrorEquals": ["States.ALL"], "Next": "S1", "Output": {"v": "{% $nothing %}"}}]
    execution = doorstep.run(jsonata(task(Catch=catch), passing()), {}, {"work": fails})
    assert event(execution, "EvaluationFailed")["location"] == "Catch[1]/Output/v"
    rules = [
        {"Condition": "{% false %}", "Next": "S1"},
        {"Condition": "{% true %}", "Next": "S1", "Output": {"v": "{% $nothing %}"}},
    ]
    definition = jsonata({"Type": "Choice", "Choices": rules}, passing())
    del definition["States"]["S0"]["Next"]
    execution = doorstep.run(definition)
    assert event(execution, "EvaluationFailed")["location"] == "Choices[1]/Output/v"


def test_a_failed_evaluation_is_retried_and_caught() -> None:
    retry = [{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 2}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "S1", "Output": "caught"}]
    state = task(Arguments={"v": "{% $nothing %}"}, Retry=retry, Catch=catch)
    execution = doorstep.run(jsonata(state, passing()))
    assert execution.output == "caught"
    # Fact 417: one EvaluationFailed for each attempt.
    shown = [event["type"] for event in execution.history]
    assert shown.count("EvaluationFailed") == 3


def test_an_error_in_an_expression_shows_its_code() -> None:
    execution = doorstep.run(jsonata(passing(Output="{% 'a' + 1 %}")))
    assert "The JSONata expression ''a' + 1' specified for the field 'Output' " in (
        execution.cause or ""
    )
    assert "threw an error during evaluation. T2001: " in (execution.cause or "")


def test_a_function_is_no_result() -> None:
    execution = doorstep.run(jsonata(passing(Output="{% function($x){$x} %}")))
    assert (execution.cause or "").endswith(
        "specified for the field 'Output' returned an unsupported result type."
    )


def test_a_function_inside_a_result_fails_the_state_and_not_the_run() -> None:
    execution = doorstep.run(jsonata(passing(Output="{% {'f': function($x){$x}} %}")))
    assert execution.status == "FAILED"


@pytest.mark.parametrize(
    ("items", "kind", "shown"),
    [
        ("'string'", "string", '"string"'),
        ("1", "number", "1"),
        ("null", "null", "null"),
        ("true", "boolean", "true"),
        ("{'foo': 'bar'}", "object", '{"foo":"bar"}'),
    ],
)
def test_items_have_to_be_an_array(items: str, kind: str, shown: str) -> None:
    each = {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "Items": f"{{% {items} %}}", "ItemProcessor": each}
    execution = doorstep.run(jsonata(state))
    # Recorded: test_map_state_items_eval_jsonata_fail.
    assert execution.cause == (
        "An error occurred while executing the state 'S0' (entered at the event id #2). "
        f"The JSONata expression '{items}' specified for the field 'Items' returned an unexpected "
        f"result type. Expected 'array', but was '{kind}' for value: {shown}"
    )


def test_a_map_without_items_needs_an_array_as_its_input() -> None:
    each = {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}}
    execution = doorstep.run(jsonata({"Type": "Map", "ItemProcessor": each}), {"foo": "bar"})
    # Recorded: test_map_state_items_input_types; the event then has no location.
    assert (execution.cause or "").endswith(
        'Map state input must be an array but was: {"foo":"bar"}'
    )
    assert "location" not in event(execution, "EvaluationFailed")


def test_an_item_selector_sees_the_states_input_and_the_item() -> None:
    each = {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}}
    selector = {
        "item": "{% $states.context.Map.Item.Value %}",
        "index": "{% $states.context.Map.Item.Index %}",
        "all": "{% $count($states.input) %}",
    }
    state = {"Type": "Map", "ItemSelector": selector, "ItemProcessor": each}
    assert output(jsonata(state), ["a", "b"]) == [
        {"item": "a", "index": 0, "all": 2},
        {"item": "b", "index": 1, "all": 2},
    ]


def test_a_jsonata_state_in_a_jsonpath_machine_shares_its_variables() -> None:
    first = passing(Assign={"x.$": "$.n"})
    second = passing(QueryLanguage="JSONata", Output="{% $x + 1 %}", Assign={"y": "{% $x * 2 %}"})
    third = passing(Parameters={"v.$": "$", "y.$": "$y"})
    assert output(chain(first, second, third), {"n": 3}) == {"v": 4, "y": 6}


WAITS = [
    {"Type": "Wait", "SecondsPath": "$.seconds"},
    {"Type": "Wait", "TimestampPath": "$.moment"},
    {"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% $states.input.seconds %}"},
    {"Type": "Wait", "QueryLanguage": "JSONata", "Timestamp": "{% $states.input.moment %}"},
]


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ("{% 'role' %}", "Expected 'object', but was 'string' for value: \"role\""),
        ("{% {} %}", "The field 'RoleArn' is required but was missing"),
    ],
)
def test_computed_credentials_that_name_no_role_fail_the_task(expression: str, cause: str) -> None:
    state = task(QueryLanguage="JSONata", Credentials=expression)
    execution = doorstep.run(chain(state), {}, {"T": lambda _: 1})
    assert execution.status == "FAILED"
    assert (execution.cause or "").endswith(cause)


@pytest.mark.parametrize("state", WAITS)
@pytest.mark.parametrize("start_time", [0.0, 1764372000.001, 1764372000.002, 1764372000.003])
def test_a_wait_of_more_than_68_years_fails_at_once(
    state: dict[str, Any], start_time: float
) -> None:
    data = {"seconds": 2**31 - 1, "moment": "2100-01-01T00:00:00Z"}
    execution = doorstep.run(chain(state), data, start_time=start_time * ("seconds" in str(state)))
    # Fact 261: measured on AWS.
    assert (execution.cause or "").endswith("Wait state delay is too long.")


@pytest.mark.parametrize(
    ("expression", "kind", "value"),
    [("5", "number", "5"), ("null", "null", "null"), ("[]", "array", "[]")],
)
def test_a_timestamp_expression_has_to_give_a_text(expression: str, kind: str, value: str) -> None:
    """The text is recorded on AWS for Items; by analogy for Timestamp."""
    wait = {"Type": "Wait", "QueryLanguage": "JSONata", "Timestamp": f"{{% {expression} %}}"}
    execution = doorstep.run(chain(wait), {})
    assert execution.error == "States.QueryEvaluationError"
    assert (execution.cause or "").endswith(
        f"The JSONata expression '{expression}' specified for the field 'Timestamp' returned an "
        f"unexpected result type. Expected 'string', but was '{kind}' for value: {value}"
    )


def test_after_a_map_its_last_item_is_no_longer_in_the_context() -> None:
    each = {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}}
    inner = {
        "Type": "Map",
        "ItemSelector": {"v.$": "$$.Map.Item.Value"},
        "ItemProcessor": each,
        "ResultSelector": {"outer.$": "$$.Map.Item.Value", "inner.$": "$[*].v"},
        "End": True,
    }
    outer = {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": inner}}}
    assert output(chain(outer), [["a", "b"], ["c"]]) == [
        {"outer": ["a", "b"], "inner": ["a", "b"]},
        {"outer": ["c"], "inner": ["c"]},
    ]
