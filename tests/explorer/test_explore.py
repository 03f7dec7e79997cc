"""Exploring: hand-made machines of which it is known what is wrong with them, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.explorer import Finding

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*/*.asl.json"))
SAMPLES = ROOT.parent / "shared" / "samples"
SAMPLE_FILES = sorted(SAMPLES.glob("*.json")) if SAMPLES.is_dir() else []
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:work"
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]


def machine(start: str, **states: Any) -> dict[str, Any]:
    return {"StartAt": start, "States": states}


def task(**fields: Any) -> dict[str, Any]:
    going = {} if "Next" in fields else {"End": True}
    return {"Type": "Task", "Resource": FUNCTION, **going, **fields}


def choice(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": list(rules), **fields}


def passing(**fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", **({} if "Next" in fields else {"End": True}), **fields}


DONE, FAILED = {"Type": "Succeed"}, {"Type": "Fail", "Error": "Given up"}


def found(definition: Any, kind: str, **options: Any) -> list[Finding]:
    return [one for one in doorstep.explore(definition, **options).findings if one.kind == kind]


def only(definition: Any, kind: str, **options: Any) -> Finding:
    [finding] = found(definition, kind, **options)
    return finding


def shown(finding: Finding) -> dict[str, Any]:
    assert finding.script
    return finding.script.as_json()


def unreached(definition: Any) -> list[str]:
    """The parts that were not reached, and those that can't be, without the reasons."""
    findings = doorstep.explore(definition).findings
    places = [p for one in findings if one.kind in ("unreached", "unreachable") for p in one.places]
    return [place.pointer for place in places]


# Data from nowhere ----------------------------------------


def test_an_input_is_made_of_what_the_states_read() -> None:
    work = task(Parameters={"id.$": "$.order.id", "count.$": "States.ArrayLength($.order.items)"})
    example = doorstep.explore(machine("Work", Work=work)).example
    assert example
    assert example.input == {"order": {"id": "some id", "items": []}}


def test_what_a_jsonata_path_computes_of_each_item_is_part_of_the_input() -> None:
    total = passing(Output="{% $sum($states.input.items.(price * quantity)) %}")
    report = doorstep.explore({"QueryLanguage": "JSONata"} | machine("Total", Total=total))
    assert report.example
    assert report.example.input == {"items": [{"price": 1, "quantity": 1}]}


def test_an_answer_is_made_of_what_later_states_read() -> None:
    definition = machine(
        "Ask",
        Ask=task(ResultPath="$.found", Next="Nap"),
        Nap={"Type": "Wait", "SecondsPath": "$.found.delay", "End": True},
    )
    example = doorstep.explore(definition).example
    assert example
    assert example.as_json() == {"input": {}, "answers": {"Ask": [{"Return": {"delay": 1}}]}}


def test_no_list_of_two_thousand_million_items_is_made() -> None:
    read = {"Type": "Pass", "InputPath": "$.list[2000000000]", "End": True}
    report = doorstep.explore(machine("Read", Read=read))
    assert report.example is None
    assert [one.kind for one in report.findings] == ["needs", "unreached"]


def test_what_variables_hold_is_traced_to_its_source() -> None:
    definition = {"QueryLanguage": "JSONata"} | machine(
        "Keep",
        Keep=passing(Assign={"order": "{% $states.input.order %}"}, Next="Check"),
        Check=choice({"Condition": "{% $order.cents > 1000 %}", "Next": "Large"}, Default="Done"),
        Large=DONE,
        Done=DONE,
    )
    assert unreached(definition) == []


def test_the_text_of_a_cause_is_made_to_be_json() -> None:
    definition = machine(
        "Job",
        Job=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Read"}]),
        Read=passing(Parameters={"job.$": "States.StringToJson($.Cause)"}, Next="Check"),
        Check=choice(
            {"Variable": "$.job.Status", "StringEquals": "SPOT", "Next": "Done"}, Default="Failed"
        ),
        Done=DONE,
        Failed=FAILED,
    )
    assert unreached(definition) == []


def test_every_comparison_is_made_to_hold_and_not_to_hold() -> None:
    moment = "2026-03-01T08:00:00Z"
    rules = [
        {"Variable": "$.a", "StringMatches": "order-*.csv"},
        {"And": [{"Variable": "$.b", "NumericGreaterThan": 1},
                 {"Variable": "$.b", "NumericLessThan": 2}]},
        {"Or": [{"Variable": "$.c", "TimestampLessThan": moment},
                {"Variable": "$.c", "IsNull": True}]},
        {"Not": {"Variable": "$.d", "IsPresent": True}},
        {"Variable": "$.d", "BooleanEquals": True},
        {"Variable": "$.e", "NumericLessThanPath": "$.f"},
        {"Variable": "$.g", "StringGreaterThanEquals": "m"},
    ]  # fmt: skip
    targets = {f"T{index}": DONE for index in range(len(rules))}
    numbered = [{**rule, "Next": name} for rule, name in zip(rules, targets, strict=True)]
    check = choice(*numbered, Default="Else")
    assert unreached(machine("Check", Check=check, Else=DONE, **targets)) == []


@pytest.mark.parametrize(
    "condition",
    [
        "$states.input.total > 100 and $states.input.kind = 'gift'",
        "$exists($states.input.coupon)",
        "$count($states.input.items[state = 'lost']) > 0",
        "$not($states.input.paid)",
        "$states.context.Execution.Input.level in ['gold', 'silver']",
    ],
)
def test_conditions_in_jsonata_are_solved(condition: str) -> None:
    rule = {"Condition": f"{{% {condition} %}}", "Next": "Yes"}
    definition = machine("Check", Check=choice(rule, Default="No"), Yes=DONE, No=DONE)
    assert unreached({"QueryLanguage": "JSONata", **definition}) == []


def test_a_choice_after_a_loop_is_reached() -> None:
    definition = machine(
        "Ask",
        Ask=task(Next="Ready?"),
        **{"Ready?": choice(
            {"Variable": "$.state", "StringEquals": "RUNNING", "Next": "Nap"}, Default="Good?"
        )},
        Nap={"Type": "Wait", "Seconds": 30, "Next": "Ask"},
        **{"Good?": choice(
            {"Variable": "$.state", "StringEquals": "DONE", "Next": "Done"}, Default="Failed"
        )},
        Done=DONE,
        Failed=FAILED,
    )  # fmt: skip
    assert unreached(definition) == []


def test_branches_that_each_wait_for_an_answer_of_their_own_are_passed() -> None:
    def branch(name: str) -> dict[str, Any]:
        rule = {"Variable": "$.said", "StringEquals": name, "Next": f"{name} done"}
        states = {
            f"Ask {name}": task(Next=f"{name}?"),
            f"{name}?": choice(rule, Default=f"Ask {name}"),
            f"{name} done": DONE,
        }
        return {"StartAt": f"Ask {name}", "States": states}

    both = {"Type": "Parallel", "Branches": [branch("left"), branch("right")], "Next": "Done"}
    assert unreached(machine("Both", Both=both, Done=DONE)) == []


def test_maps_are_run_with_no_item_one_and_several() -> None:
    inner = machine("Price", Price=task(Parameters={"sku.$": "$.sku"}))
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "End": True}
    report = doorstep.explore(machine("Each", Each=each))
    assert report.kinds["map"] == (3, 3)
    assert report.example
    assert report.example.input == {"items": [{"sku": "some sku"}]}


def test_objects_are_there_for_an_item_reader() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
        "Parameters": {"Bucket": "readings", "Key.$": "$.key"},
    }
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemProcessor": processor | machine("Bill", Bill=task(Parameters={"m.$": "$.meter"})),
        "Catch": [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Failed"}],
        "End": True,
    }
    assert unreached(machine("Each", Each=each, Failed=FAILED)) == []


# Retries, catchers, timeouts ----------------------------------------


def test_retriers_catchers_and_timeouts_are_reached() -> None:
    work = task(
        TimeoutSeconds=60,
        HeartbeatSeconds=10,
        Retry=[
            {"ErrorEquals": ["Busy"], "MaxAttempts": 2},
            {"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1},
        ],
        Catch=[{"ErrorEquals": ["Refused"], "Next": "Done"}, *CATCH],
    )
    report = doorstep.explore(machine("Work", Work=work, Done=DONE, Failed=FAILED))
    assert report.reached == report.parts
    assert report.ok


def test_a_failure_inside_a_parallel_reaches_its_retriers_and_catchers() -> None:
    branch = machine("Inner", Inner=task())
    around = {
        "Type": "Parallel",
        "Branches": [branch],
        "Retry": [{"ErrorEquals": ["Busy"]}],
        "Catch": CATCH,
        "End": True,
    }
    assert unreached(machine("Around", Around=around, Failed=FAILED)) == []


# Missing data ----------------------------------------


def test_a_catcher_that_throws_the_input_away_is_found() -> None:
    definition = machine(
        "Charge",
        Charge=task(
            Parameters={"id.$": "$.id"}, Catch=[{"ErrorEquals": ["Declined"], "Next": "Tell"}]
        ),
        Tell=task(Parameters={"id.$": "$.id", "why.$": "$.Error"}, Catch=CATCH),
        Failed=FAILED,
    )  # fmt: skip
    finding = only(definition, "missing")
    assert finding.severity == "error"
    assert finding.places[0].pointer == "/States/Tell/Parameters"
    assert "$.id" in finding.message
    assert finding.path == ["Charge", "Tell"]
    assert shown(finding) == {
        "input": {"id": "some id"},
        "answers": {"Charge": [{"Throw": {"Error": "Declined", "Cause": ""}}]},
    }


def test_a_catcher_that_keeps_the_input_is_right() -> None:
    catch = [{"ErrorEquals": ["Declined"], "ResultPath": "$.problem", "Next": "Tell"}]
    definition = machine(
        "Charge",
        Charge=task(Parameters={"id.$": "$.id"}, Catch=catch),
        Tell=task(Parameters={"id.$": "$.id", "why.$": "$.problem.Error"}, Catch=CATCH),
        Failed=FAILED,
    )
    assert found(definition, "missing") == []


def test_a_variable_that_one_path_does_not_assign_is_found() -> None:
    definition = {"QueryLanguage": "JSONata"} | machine(
        "Check",
        Check=choice(
            {"Condition": "{% $states.input.new = true %}", "Next": "Name"}, Default="Greet"
        ),
        Name=passing(Assign={"name": "{% $states.input.name %}"}, Next="Greet"),
        Greet=passing(Output="{% 'Hello ' & $name & $uppercase($name) %}", Next="Done"),
        Done=passing(Output="{% $name %}"),
    )
    finding = only(definition, "missing")
    assert finding.places[0].pointer == "/States/Done/Output"
    assert "$name" in finding.message


def test_a_list_that_may_be_empty_is_asked_for_its_first_item() -> None:
    inner = machine("Price", Price=task())
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "Next": "First"}
    first = {"Type": "Pass", "InputPath": "$[0]", "End": True}
    finding = only(machine("Each", Each=each, First=first), "missing")
    assert shown(finding)["input"] == {"items": []}
    assert finding.advice.startswith("the array has no item 0")


def test_what_one_path_outputs_and_another_does_not_is_a_warning() -> None:
    kind = {"Variable": "$.kind", "StringEquals": "gift", "Next": "Wrap"}
    definition = machine(
        "Kind",
        Kind=choice(kind, Default="Ship"),
        Wrap=task(ResultPath="$.wrapping", Next="Ship", Catch=CATCH),
        Ship=task(Parameters={"paper.$": "$.wrapping.paper"}, Catch=CATCH),
        Failed=FAILED,
    )
    finding = only(definition, "missing")
    assert finding.severity == "warning"
    assert finding.message.endswith("which Wrap outputs, but on another path")
    assert finding.path == ["Kind", "Ship"]


def test_what_a_loop_renews_has_to_be_in_the_input() -> None:
    definition = machine(
        "Page",
        Page=task(
            Parameters={"after.$": "$.after"}, ResultPath="$.after", Next="More", Catch=CATCH
        ),
        More=choice({"Variable": "$.after", "IsString": True, "Next": "Page"}, Default="Done"),
        Done=DONE,
        Failed=FAILED,
    )
    assert found(definition, "missing") == []


def test_jsonata_states_are_reported_in_their_own_language() -> None:
    definition = {"QueryLanguage": "JSONata"} | machine(
        "Ask",
        Ask=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Tell"}]),
        Tell=task(Arguments={"id": "{% $states.input.id %}"}, Catch=CATCH),
        Failed=FAILED,
    )
    finding = only(definition, "missing")
    assert "Tell reads $states.input.id," in finding.message
    assert "ResultPath" not in finding.advice


def test_what_a_deployment_fills_in_is_not_judged() -> None:
    definition = machine(
        "Set",
        Set=passing(Parameters={"settings": "${Settings}"}, Next="Read"),
        Read=passing(Parameters={"s.$": "States.StringToJson($.settings)"}),
    )
    assert found(definition, "missing") == []
    assert only(definition, "broken").severity == "note"


def test_a_constant_that_an_intrinsic_can_not_take_is_found() -> None:
    definition = machine(
        "Set",
        Set=passing(Result={"list": "no list"}, Next="Count"),
        Count=passing(Parameters={"n.$": "States.ArrayLength($.list)"}),
    )
    finding = only(definition, "broken")
    assert finding.severity == "error"
    assert finding.places[0].pointer == "/States/Count"


def test_data_that_is_read_without_a_check_is_reported() -> None:
    definition = machine(
        "Each",
        Each={
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": machine("Price", Price=task(Parameters={"sku.$": "$.sku"})),
            "Next": "Sum",
        },
        Sum=task(ResultSelector={"cents.$": "$.cents"}),
    )
    finding = only(definition, "needs")
    assert finding.severity == "note"
    assert [place.text for place in finding.places] == [
        "the input: $.items (an array), for Each",
        "the input: $.items[*].sku, for Price",
        "Sum's answer: $.cents, for Sum",
    ]


def test_what_a_batch_does_not_have_is_not_taken_for_a_member_of_its_items() -> None:
    """A child reads `$.sku` as if it had an item; it has {"Items": […]}, whatever they are."""
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    definition = machine(
        "Each",
        Each={
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemBatcher": {"MaxItemsPerBatch": 2},
            "ItemProcessor": processor | machine("Price", Price=task(InputPath="$.sku")),
            "End": True,
        },
    )
    assert only(definition, "broken").places[0].pointer.endswith("/Price")
    assert [place.text for place in only(definition, "needs").places] == [
        "the input: $.items (an array), for Each"
    ]


# Choices ----------------------------------------


def test_a_choice_that_may_find_no_rule_is_reported() -> None:
    rules = [
        {"Variable": "$.answer", "StringEquals": "yes", "Next": "Done"},
        {"Variable": "$.answer", "StringEquals": "no", "Next": "Failed"},
    ]
    finding = only(machine("Check", Check=choice(*rules), Done=DONE, Failed=FAILED), "no-rule")
    assert finding.places[0].pointer == "/States/Check"
    answer = shown(finding)["input"]["answer"]
    assert isinstance(answer, str)
    assert answer not in ("yes", "no")


def test_a_choice_whose_rules_leave_nothing_out_needs_no_default() -> None:
    rules = [
        {"Variable": "$.n", "NumericLessThan": 1, "Next": "Done"},
        {"Not": {"Variable": "$.n", "NumericLessThan": 1}, "Next": "Failed"},
    ]
    assert found(machine("Check", Check=choice(*rules), Done=DONE, Failed=FAILED), "no-rule") == []


def test_a_rule_behind_a_wider_one_can_not_be_reached() -> None:
    rules = [
        {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Done"},
        {"Variable": "$.n", "NumericGreaterThan": 100, "Next": "Failed"},
    ]
    finding = only(
        machine("Check", Check=choice(*rules, Default="Done"), Done=DONE, Failed=FAILED),
        "unreachable",
    )
    assert finding.severity == "warning"
    assert finding.places[0].pointer == "/States/Check/Choices/1"


def test_a_rule_that_contradicts_itself_is_reported_as_such() -> None:
    both = [{"Variable": "$.n", "NumericGreaterThan": 9}, {"Variable": "$.n", "NumericLessThan": 5}]
    check = choice({"And": both, "Next": "Failed"}, Default="Done")
    finding = only(machine("Check", Check=check, Done=DONE, Failed=FAILED), "unreachable")
    assert finding.message.endswith("no data matches it")


@pytest.mark.parametrize(
    "comparison",
    [
        {"Variable": "$$.Execution.RedriveCount", "NumericGreaterThan": 0},
        {"Variable": "$$.State.EnteredTime", "TimestampGreaterThan": "2030-01-01T00:00:00Z"},
    ],
)
def test_a_rule_over_the_context_object_is_not_called_unreachable(
    comparison: dict[str, Any],
) -> None:
    check = choice({**comparison, "Next": "Failed"}, Default="Done")
    definition = machine("Check", Check=check, Done=DONE, Failed=FAILED)
    assert found(definition, "unreachable") == []


def test_a_rule_over_what_the_definition_fixes_is_a_note() -> None:
    definition = machine(
        "Set",
        Set=passing(Result={"stage": "test"}, Next="Check"),
        Check=choice(
            {"Variable": "$.stage", "StringEquals": "live", "Next": "Failed"}, Default="Done"
        ),
        Done=DONE,
        Failed=FAILED,
    )
    finding = only(definition, "unreached")
    assert finding.severity == "note"
    assert [place.pointer for place in finding.places] == ["/States/Check/Choices/0"]
    assert "the definition fixes" in finding.places[0].text


def test_entries_behind_wider_ones_can_not_be_reached() -> None:
    work = task(
        Retry=[
            {"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1},
            {"ErrorEquals": ["Busy"], "MaxAttempts": 5},
        ],
        Catch=[{"ErrorEquals": ["States.TaskFailed", "Lost"], "Next": "Done"},
               {"ErrorEquals": ["Lost"], "Next": "Done"}, *CATCH],
        TimeoutSeconds=5,
    )  # fmt: skip
    findings = found(machine("Work", Work=work, Done=DONE, Failed=FAILED), "unreachable")
    pointers = [finding.places[0].pointer for finding in findings]
    assert pointers == ["/States/Work/Retry/1", "/States/Work/Catch/1"]


def test_a_retrier_that_forbids_retries_is_no_finding() -> None:
    work = task(Retry=[{"ErrorEquals": ["Fatal"], "MaxAttempts": 0}], Catch=CATCH)
    assert unreached(machine("Work", Work=work, Failed=FAILED)) == []


# Loops ----------------------------------------


def polling(**fields: Any) -> dict[str, Any]:
    return {**fields} | machine(
        "Ask",
        Ask=task(Next="Ready?", Catch=CATCH),
        **{"Ready?": choice(
            {"Variable": "$.state", "StringEquals": "DONE", "Next": "Done"}, Default="Nap"
        )},
        Nap={"Type": "Wait", "Seconds": 30, "Next": "Ask"},
        Done=DONE,
        Failed=FAILED,
    )  # fmt: skip


def test_polling_without_a_bound_is_reported() -> None:
    finding = only(polling(), "endless")
    assert finding.severity == "warning"
    assert "Ask returns the same answer" in finding.message
    assert "25,000 events" in finding.message
    assert sorted(set(finding.path)) == ["Ask", "Nap", "Ready?"]
    assert shown(finding)["answers"]["Ask"][0]["Return"]["state"] != "DONE"


def test_polling_is_bounded_by_the_machines_timeout() -> None:
    assert found(polling(TimeoutSeconds=3600), "endless") == []


def test_a_loop_that_counts_its_rounds_is_right() -> None:
    definition = machine(
        "Begin",
        Begin=passing(Result={"n": 0}, Next="Ask"),
        Ask=task(ResultPath=None, Catch=CATCH, Next="Count"),
        Count=passing(Parameters={"n.$": "States.MathAdd($.n, 1)"}, Next="Enough?"),
        **{"Enough?": choice(
            {"Variable": "$.n", "NumericGreaterThanEquals": 30, "Next": "Done"}, Default="Ask"
        )},
        Done=DONE,
        Failed=FAILED,
    )  # fmt: skip
    report = doorstep.explore(definition)
    assert report.ok
    assert report.reached == report.parts


def test_a_loop_that_no_answer_can_end_is_an_error() -> None:
    definition = machine(
        "Check",
        Check=choice({"Variable": "$.go", "BooleanEquals": True, "Next": "Nap"}, Default="Done"),
        Nap={"Type": "Wait", "Seconds": 1, "Next": "Check"},
        Done=DONE,
    )
    finding = only(definition, "endless")
    assert finding.severity == "error"
    assert shown(finding)["input"] == {"go": True}


def test_a_counter_that_nothing_counts_is_an_error() -> None:
    definition = machine(
        "Begin",
        Begin=passing(Result={"n": 0}, Next="Work"),
        Work=task(ResultPath="$.done", Catch=CATCH, Next="More"),
        More=choice({"Variable": "$.n", "NumericLessThan": 3, "Next": "Work"}, Default="Done"),
        Done=DONE,
        Failed=FAILED,
    )
    finding = only(definition, "endless")
    assert finding.severity == "error"
    assert finding.path == ["Begin", "Work", "More", "Work", "More"]


def test_a_counter_that_counts_the_wrong_way_is_reported() -> None:
    definition = machine(
        "Begin",
        Begin=passing(Result={"n": 0}, Next="Count"),
        Count=passing(Parameters={"n.$": "States.MathAdd($.n, -1)"}, Next="More"),
        More=choice({"Variable": "$.n", "NumericLessThan": 3, "Next": "Count"}, Default="Done"),
        Done=DONE,
    )
    finding = only(definition, "endless")
    assert finding.severity == "warning"
    assert "had not ended after" in finding.message


# Errors that nobody catches ----------------------------------------


def test_tasks_without_a_catcher_are_reported_together() -> None:
    definition = machine(
        "One",
        One=task(Next="Two", Catch=CATCH),
        Two=task(Next="Three"),
        Three=task(Catch=[{"ErrorEquals": ["Known"], "Next": "Failed"}]),
        Failed=FAILED,
    )
    finding = only(definition, "uncaught")
    assert finding.severity == "warning"
    assert [place.pointer for place in finding.places] == ["/States/Two", "/States/Three"]
    assert shown(finding)["answers"] == {"Two": [{"Throw": {"Error": "Unexpected", "Cause": ""}}]}


def test_a_definition_that_catches_nothing_is_only_noted() -> None:
    report = doorstep.explore(machine("One", One=task(Next="Two"), Two=task()))
    [finding] = report.findings
    assert (finding.kind, finding.severity) == ("uncaught", "note")
    assert report.ok


def test_a_catcher_further_out_counts() -> None:
    around = {
        "Type": "Parallel",
        "Branches": [machine("Inner", Inner=task())],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "Tell"}],
        "End": True,
    }
    tell = {"Type": "Fail", "ErrorPath": "$.why.Error"}
    assert found(machine("Around", Around=around, Tell=tell), "uncaught") == []


def test_a_timeout_that_task_failed_does_not_match_is_reported() -> None:
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Failed"}]
    work = task(TimeoutSeconds=60, Catch=catch)
    finding = only(machine("Work", Work=work, Failed=FAILED), "uncaught")
    assert finding.message == "nothing catches a timeout of Work"
    assert shown(finding)["answers"] == {"Work": [{"Throw": {"Error": "States.Timeout"}}]}


# Twice ----------------------------------------

RETRY = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 2}]


def sending(**fields: Any) -> dict[str, Any]:
    resource = "arn:aws:states:::sns:publish"
    return machine("Send", Send=task(Resource=resource, TimeoutSeconds=9, Retry=RETRY, **fields))


def test_a_number_makes_no_message_the_same_as_before() -> None:
    finding = only(sending(Parameters={"Message": {"text": "hello", "count": 5}}), "twice")
    assert finding.severity == "warning"


def test_a_message_that_may_be_sent_twice_is_reported() -> None:
    finding = only(sending(Parameters={"Message": "hello"}), "twice")
    assert finding.severity == "warning"
    assert finding.places[0].pointer == "/States/Send/Retry/0"


@pytest.mark.parametrize(
    "parameters",
    [
        {"Message.$": "States.Format('{} is on its way', $$.Execution.Name)"},
        {"Message": {"orderId.$": "$.orderId"}},
        {"Message": "hello", "MessageDeduplicationId": "once"},
    ],
)
def test_arguments_that_tell_a_repetition_are_right(parameters: dict[str, Any]) -> None:
    assert found(sending(Parameters=parameters), "twice") == []


@pytest.mark.parametrize(("method", "findings"), [("POST", 1), ("GET", 0), ("PUT", 0)])
def test_methods_of_http_that_may_be_repeated_are_right(method: str, findings: int) -> None:
    resource = "arn:aws:states:::http:invoke"
    connection = "arn:aws:events:eu-west-1:123456789012:connection/shop/1"
    parameters = {
        "ApiEndpoint": "https://pay.example",
        "Method": method,
        "Authentication": {"ConnectionArn": connection},
        "RequestBody": {"card.$": "$.cardNumber"},
    }
    pay = task(Resource=resource, Parameters=parameters, Retry=[{"ErrorEquals": ["States.ALL"]}])
    assert len(found(machine("Pay", Pay=pay), "twice")) == findings


def test_a_token_is_another_one_in_every_attempt() -> None:
    parameters = {"Message": {"TaskToken.$": "$$.Task.Token"}}
    assert only(sending(Parameters=parameters), "twice").severity == "warning"


def test_a_payload_that_is_the_whole_input_is_only_noted() -> None:
    resource = "arn:aws:states:::lambda:invoke"
    given = {"FunctionName": "send", "Payload.$": "$"}
    send = task(Resource=resource, Parameters=given, Retry=[{"ErrorEquals": ["States.ALL"]}])
    assert only(machine("Send", Send=send), "twice").severity == "note"


def test_what_only_reads_may_be_done_twice() -> None:
    resource = "arn:aws:states:::dynamodb:getItem"
    key = {"TableName": "t", "Key": {"id": {"S": "1"}}}
    read = task(Resource=resource, Parameters=key, Retry=RETRY)
    assert found(machine("Read", Read=read), "twice") == []


def test_a_retrier_around_a_task_repeats_it_too() -> None:
    publish = task(Resource="arn:aws:states:::sns:publish", Parameters={"Message": "hello"})
    around = {
        "Type": "Parallel",
        "Branches": [machine("Send", Send=publish)],
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "End": True,
    }
    finding = only(machine("Around", Around=around), "twice")
    assert finding.places[0].text == "Send (the retrier of Around)"


def test_handlers_that_can_not_be_called_twice_are_reported() -> None:
    sold: list[str] = []

    def sell(event: dict[str, str]) -> dict[str, int]:
        if event["seat"] in sold:
            raise doorstep.TaskFailed("SeatTaken")
        sold.append(event["seat"])
        return {"price": 7}

    definition = machine(
        "Sell", Sell=task(Resource="sell", Next="Tell"), Tell=task(Resource="tell")
    )
    handlers = {"sell": sell, "tell": lambda event: {"told": True}}
    for state in definition["States"].values():
        state["Resource"] = f"arn:aws:lambda:eu-west-1:123456789012:function:{state['Resource']}"
    finding = only(definition, "twice", input={"seat": "7a"}, handlers=handlers)
    assert finding.places[0].pointer == "/States/Sell"
    assert "fails with SeatTaken when it runs again" in finding.message
    assert 'returns {"price":7}' in finding.message


# As a whole ----------------------------------------


def test_the_same_definition_gives_the_same_report() -> None:
    definition = json.loads(EXAMPLES[0].read_text("utf-8"))
    reports = [doorstep.explore(definition).as_json() for _ in range(2)]
    assert reports[0] == reports[1]


def test_a_limit_of_runs_is_observed_and_reported() -> None:
    report = doorstep.explore(polling(), runs=3)
    assert (report.runs, report.cut_short) == (3, True)


def test_a_known_input_is_where_it_begins() -> None:
    work = task(Parameters={"id.$": "$.id"})
    report = doorstep.explore(machine("Work", Work=work), {"id": "order-1"})
    assert report.example
    assert report.example.input == {"id": "order-1"}
    assert not [one for one in report.findings if one.kind == "needs"]


def test_the_example_is_one_in_which_nothing_fails() -> None:
    catch = [{"ErrorEquals": ["Lost"], "Next": "Other"}]
    definition = machine("Work", Work=task(Catch=catch), Other=passing(Next="More"), More=passing())
    example = doorstep.explore(definition).example
    assert example
    assert example.answers == {}


def test_what_a_reader_reads_is_part_of_what_shows_a_finding() -> None:
    parameters = {"Bucket": "b", "Key": "k"}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": parameters}
    mode = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {
        "Type": "Map",
        "ItemReader": {**reader, "ReaderConfig": {"InputType": "JSON"}},
        "ItemProcessor": mode | machine("Bill", Bill=task()),
        "End": True,
    }
    assert shown(only(machine("Each", Each=each), "uncaught"))["items"] == {"Each": [{}]}


def test_a_definition_that_aws_refuses_is_refused() -> None:
    with pytest.raises(doorstep.DefinitionError):
        doorstep.explore(machine("Nowhere", Work=task()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_everything_in_the_examples_is_reached(path: Path) -> None:
    report = doorstep.explore(path)
    assert report.reached == report.parts
    assert {one.kind for one in report.findings} <= {"uncaught", "needs"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_what_a_finding_shows_can_be_run(path: Path) -> None:
    for finding in doorstep.explore(path).findings:
        if finding.script:
            assert finding.path
            assert finding.script.answers.keys() <= set(finding.called)


# Their Resource names an account where the form of an SDK integration has none.
REFUSED = ("script-generator", "word-filtering-script-generator")


@pytest.mark.skipif(not SAMPLE_FILES, reason="../shared/samples is not there")
def test_nearly_everything_in_the_samples_is_reached_within_the_limit() -> None:
    reports = [
        doorstep.explore(path, runs=500)
        for path in SAMPLE_FILES[::4]
        if not path.name.startswith(REFUSED)
    ]
    assert not [report for report in reports if report.cut_short]
    shares = [report.reached / report.parts for report in reports]
    assert sum(shares) / len(shares) > 0.97
