"""Facts 1 to 27 (docs/facts/definitions.md): what other emulators got wrong in validation.

Each test names the behaviours it stands for; texts and places are those of the facts.
"""

from __future__ import annotations

from typing import Any

import pytest

import doorstep
from doorstep.errors import DefinitionError
from doorstep.validation import check, validate

PASS = {"Type": "Pass", "End": True}
LAMBDA = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]


def machine(states: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    states = {"A": PASS} if states is None else states
    return {"StartAt": next(iter(states)), "States": states, **fields}


def said(definition: Any, **options: Any) -> list[tuple[str, str, str | None]]:
    return [(one.code, one.message, one.location) for one in validate(definition, **options)]


def schema(message: str, location: str) -> tuple[str, str, str]:
    return "SCHEMA_VALIDATION_FAILED", message, location


def transition(message: str, location: str) -> tuple[str, str, str]:
    return "MISSING_TRANSITION_TARGET", message, location


def accepted(definition: Any) -> bool:
    return validate(definition) == []


LOOP = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
NO_END = ("MISSING_END_STATE", "Workflow has no terminal state", None)


def test_1_a_loop_without_a_terminal_state_is_refused_at_null() -> None:
    assert said(machine(LOOP)) == [NO_END]
    with pytest.raises(DefinitionError) as refused:
        check(machine(LOOP))
    assert str(refused.value) == (
        "Invalid State Machine Definition: "
        "'MISSING_END_STATE: Workflow has no terminal state at null'"
    )


def test_1_a_missing_end_hides_unreachable_states_but_not_missing_targets() -> None:
    assert said(machine(LOOP | {"C": {"Type": "Pass", "Next": "A"}})) == [NO_END]
    assert said(machine({"A": {"Type": "Pass", "Next": "NOPE"}})) == [
        transition("Missing 'Next' target: NOPE", "/States/A/Next"),
        NO_END,
    ]


def test_1_a_loop_inside_a_map_is_accepted() -> None:
    inner = {"StartAt": "A", "States": LOOP}
    assert accepted(machine({"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}))


def test_2_an_unreachable_terminal_state_is_named_instead() -> None:
    found = said(machine(LOOP | {"C": PASS}))
    assert found == [transition('State "C" is not reachable.', "/States/C")]


def test_3_missing_targets_and_unreachable_states_are_reported_together() -> None:
    definition = machine({"pass1": {"Type": "Pass", "Next": "pass3"}, "pass2": PASS})
    with pytest.raises(DefinitionError) as refused:
        check(definition)
    assert str(refused.value) == (
        "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: Missing 'Next' target: "
        'pass3 at /States/pass1/Next, MISSING_TRANSITION_TARGET: State "pass2" is not '
        "reachable. at /States/pass2'"
    )


STATES_OF_ALL_TYPES = {
    "Pass": PASS,
    "Wait": {"Type": "Wait", "Seconds": 1, "End": True},
    "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "Z"}]},
    "Succeed": {"Type": "Succeed"},
    "Fail": {"Type": "Fail"},
    "Parallel": {"Type": "Parallel", "Branches": [machine({"B": PASS})], "End": True},
    "Map": {"Type": "Map", "ItemProcessor": machine({"B": PASS}), "End": True},
    "Task": LAMBDA | {"End": True},
}


def refused_fields(kind: str, name: str, value: Any) -> list[tuple[str, str, str | None]]:
    states = {"X": STATES_OF_ALL_TYPES[kind] | {name: value}, "Z": PASS}
    return [one for one in said(machine(states)) if one[0] == "SCHEMA_VALIDATION_FAILED"]


@pytest.mark.parametrize("kind", STATES_OF_ALL_TYPES)
def test_4_only_tasks_have_a_timeout(kind: str) -> None:
    refusal = [schema("Field 'TimeoutSeconds' is not supported", "/States/X")]
    assert refused_fields(kind, "TimeoutSeconds", 5) == ([] if kind == "Task" else refusal)


def test_4_the_machine_has_a_timeout_too_and_it_may_be_zero() -> None:
    assert accepted(machine(TimeoutSeconds=0))
    assert said(machine(TimeoutSeconds=-1)) == [schema("Minimum value is 0", "/TimeoutSeconds")]


@pytest.mark.parametrize("kind", STATES_OF_ALL_TYPES)
@pytest.mark.parametrize(
    ("name", "value"), [("Retry", [{"ErrorEquals": ["States.ALL"]}]), ("Catch", CATCH)]
)
def test_5_only_tasks_parallels_and_maps_retry_and_catch(kind: str, name: str, value: Any) -> None:
    refusal = [schema(f"Field '{name}' is not supported", "/States/X")]
    allowed = kind in ("Task", "Parallel", "Map")
    assert refused_fields(kind, name, value) == ([] if allowed else refusal)


def output(expression: str) -> dict[str, Any]:
    state = {"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}, "End": True}
    return machine({"E": state}, QueryLanguage="JSONata")


def unsupported(message: str) -> list[tuple[str, str, str]]:
    return [("UNSUPPORTED_JSONATA_EXPRESSION", message, "/States/E/Output/v")]


def test_6_a_name_at_the_top_level_of_jsonata_is_refused() -> None:
    message = "Reference to 'phone' at the top level is not supported."
    assert said(output("phone")) == unsupported(message)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a[1,2)", 'Expected "]", got ","'),
        ('"unterminated', "String literal must be terminated by a matching quote"),
        ("1 +", "Unexpected end of expression"),
        ('{"a":}', 'The symbol "}" cannot be used as a unary operator'),
        ("$x :=", "Unexpected end of expression"),
        ('$match("a", /abc', "No terminating / in regular expression"),
        ("phone %.other", 'The symbol "." cannot be used as a unary operator'),
        ("", "Unexpected end of expression"),
    ],
)
def test_7_jsonata_that_does_not_parse_is_refused_without_its_code(
    expression: str, message: str
) -> None:
    assert said(output(expression)) == [
        ("INVALID_JSONATA_EXPRESSION", message, "/States/E/Output/v")
    ]


def test_8_the_root_is_refused() -> None:
    assert said(output("$$")) == unsupported("Reference to '$$' is not supported.")


def test_8_the_error_output_exists_in_catchers_only() -> None:
    message = "Field '$states.errorOutput' does not exist."
    assert said(output("$states.errorOutput.Cause")) == unsupported(message)
    read = "{% $states.errorOutput %}"
    catcher = {"ErrorEquals": ["States.ALL"], "Next": "Z", "Output": read, "Assign": {"e": read}}
    states = {"A": LAMBDA | {"Catch": [catcher], "End": True}, "Z": PASS}
    assert accepted(machine(states, QueryLanguage="JSONata"))


def language(own: str, field: str, other: str) -> str:
    return (
        f"The QueryLanguage is set to '{own}', but field '{field}' is only supported "
        f"for the '{other}' QueryLanguage"
    )


def test_9_fields_of_the_other_language_are_refused_at_the_state() -> None:
    assert said(machine({"A": PASS | {"Output": 1}})) == [
        schema(language("JSONPath", "Output", "JSONata"), "/States/A")
    ]
    assert said(machine({"A": PASS | {"InputPath": "$"}}, QueryLanguage="JSONata")) == [
        schema(language("JSONata", "InputPath", "JSONPath"), "/States/A")
    ]


MIXED = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"


def test_10_a_state_of_a_jsonata_machine_is_no_jsonpath_state() -> None:
    state = PASS | {"QueryLanguage": "JSONPath", "Output": 1}
    assert said(machine({"A": state}, QueryLanguage="JSONata")) == [schema(MIXED, "/States/A")]
    wrong = STATES_OF_ALL_TYPES["Map"] | {"QueryLanguage": "JSONPath", "MaxConcurrency": -1}
    assert said(machine({"M": wrong}, QueryLanguage="JSONata")) == [
        schema(MIXED, "/States/M"),
        schema("Minimum value is 0", "/States/M/MaxConcurrency"),
    ]


@pytest.mark.parametrize("key", ["ItemProcessor", "Iterator"])
def test_11_a_map_does_not_hand_its_language_down(key: str) -> None:
    inner = machine({"P": PASS | {"Output": 1}})
    state = {"Type": "Map", "QueryLanguage": "JSONata", key: inner, "End": True}
    assert said(machine({"M": state})) == [
        schema(language("JSONPath", "Output", "JSONata"), f"/States/M/{key}/States/P")
    ]


@pytest.mark.parametrize("key", ["ItemProcessor", "Iterator"])
def test_11_a_processor_has_no_language_of_its_own(key: str) -> None:
    inner = machine({"P": PASS}, QueryLanguage="JSONata")
    assert said(machine({"M": {"Type": "Map", key: inner, "End": True}})) == [
        schema("Field 'QueryLanguage' is not supported", f"/States/M/{key}")
    ]


LANGUAGES = "Value should be one of the following: [JSONPath, JSONata]"


@pytest.mark.parametrize(
    ("own", "message"), [("jsonata", LANGUAGES), (5, "Expected value of type [STRING]")]
)
def test_12_any_other_language_is_refused_and_read_as_jsonata(own: Any, message: str) -> None:
    state = PASS | {"QueryLanguage": own, "InputPath": "$.a"}
    assert said(machine({"X": state})) == [
        schema(language("JSONata", "InputPath", "JSONPath"), "/States/X"),
        schema(message, "/States/X/QueryLanguage"),
    ]
    assert said(machine({"X": PASS | {"Output": 1}}, QueryLanguage=own)) == [
        schema(message, "/QueryLanguage")
    ]


def test_13_the_version_is_1_0() -> None:
    assert accepted(machine(Version="1.0"))
    only = schema("Value should be one of the following: [1.0]", "/Version")
    assert said(machine(Version="2.0")) == [only]


def test_14_comments_are_allowed_wherever_there_are_fields() -> None:
    comment = {"Comment": "why"}
    retrier, catcher = {"ErrorEquals": ["E"]} | comment, CATCH[0] | comment
    rule = {"Variable": "$.x", "IsNull": True} | comment
    choices = [{"And": [rule, {"Not": rule}], "Next": "Z"} | comment]
    states = {
        "T": LAMBDA | {"Retry": [retrier], "Catch": [catcher], "Next": "C"} | comment,
        "C": {"Type": "Choice", "Choices": choices} | comment,
        "Z": PASS,
    }
    assert accepted(machine(states, **comment))


def test_15_no_attempts_are_a_valid_number_of_attempts() -> None:
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 0}]
    assert accepted(machine({"T": LAMBDA | {"Retry": retry, "End": True}}))


def test_16_state_names_are_unique_within_the_whole_machine() -> None:
    branches = [machine({"A": PASS}), machine({"B": PASS})]
    states = {"A": {"Type": "Parallel", "Branches": branches, "End": True}}
    assert said(machine(states)) == [
        ("DUPLICATE_STATE_NAME", "Duplicate State name: A", "/States/A/Branches[0]/States/A")
    ]
    assert accepted(machine({"A": PASS}))
    assert accepted(machine({"A": PASS}))


@pytest.mark.parametrize("moment", ["2024-01-01T10:00:00.123456789Z", "2024-01-01T10:00:00.001Z"])
def test_17_timestamps_may_have_nine_fraction_digits(moment: str) -> None:
    assert accepted(machine({"W": {"Type": "Wait", "Timestamp": moment, "End": True}}))


@pytest.mark.parametrize(
    "moment",
    [
        "2016-12-05 21:29:29Z",
        "2016-12-05T21:29:29",
        "2016-13-05T21:29:29Z",
        "2016-12-05T25:29:29Z",
        "05-12-2016T21:29:29Z",
        "2016-12-05t21:29:29z",
    ],
)
def test_18_a_written_timestamp_is_checked(moment: str) -> None:
    state = {"Type": "Wait", "Timestamp": moment, "End": True}
    assert said(machine({"WaitUntil": state})) == [
        schema("String does not match RFC3339 timestamp", "/States/WaitUntil/Timestamp")
    ]


def test_18_a_computed_timestamp_is_not_checked() -> None:
    state = {"Type": "Wait", "Timestamp": "{% $states.input.at %}", "End": True}
    assert accepted(machine({"W": state}, QueryLanguage="JSONata"))


@pytest.mark.parametrize(
    "path",
    ["$.x", "$$.State.Name", "$$.StateMachine.Name", "$x", "States.Format('{}', $.x)"],
)
def test_19_error_and_cause_paths_are_paths_and_intrinsics(path: str) -> None:
    assert accepted(machine({"F": {"Type": "Fail", "ErrorPath": path, "CausePath": path}}))


def test_20_max_concurrency_path_is_a_field() -> None:
    state = STATES_OF_ALL_TYPES["Map"] | {"MaxConcurrencyPath": "$.limit"}
    assert accepted(machine({"M": state}))
    both = state | {"MaxConcurrency": 1}
    only = "There should only be one of the following fields: [MaxConcurrency, MaxConcurrencyPath]"
    assert said(machine({"M": both})) == [schema(only, "/States/M")]


def test_21_what_is_no_definition_at_all() -> None:
    no_object = ("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", None)
    assert said("") == [no_object]
    assert said("{}") == [schema("These fields are required: [States, StartAt]", "/")]
    ((code, message, location),) = said("not a definition")
    assert code == "INVALID_JSON_DESCRIPTION"
    assert message == (
        "Unrecognized token 'not': was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    )
    assert location == '[Source: (String)"not a definition"; line: 1, column: 4]'


def test_22_reachability_follows_catch_inside_a_map() -> None:
    inner = {"T": LAMBDA | {"Catch": CATCH, "End": True}, "Z": {"Type": "Pass", "End": True}}
    state = {"Type": "Map", "ItemProcessor": machine(inner), "End": True}
    assert accepted(machine({"M": state}))


def distributed(**fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = machine({"P": PASS}, ProcessorConfig=config)
    return machine({"M": {"Type": "Map", "ItemProcessor": processor, "End": True} | fields})


def reader(**changes: Any) -> dict[str, Any]:
    whole = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    return {"ItemReader": whole | changes}


def test_23_an_unknown_reader_is_refused() -> None:
    assert accepted(distributed(**reader()))
    where = "/States/M/ItemReader"
    assert said(distributed(**reader(Resource="arn:aws:states:::s3:unknown"))) == [
        schema("The field 'Resource' does not match any of the allowed values", f"{where}/Resource")
    ]
    ((_, _, location),) = said(distributed(**reader(ReaderConfig={"InputType": "XML"})))
    assert location == f"{where}/ReaderConfig/InputType"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ItemReader", reader()["ItemReader"]),
        ("ItemBatcher", {"MaxItemsPerBatch": 1}),
        ("ResultWriter", {"WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"}}),
    ],
)
def test_24_an_inline_map_has_no_fields_of_a_distributed_one(name: str, value: Any) -> None:
    assert accepted(distributed(**{name: value}))
    inline = STATES_OF_ALL_TYPES["Map"] | {name: value}
    assert said(machine({"M": inline})) == [schema(f"Field '{name}' is not supported", "/States/M")]


@pytest.mark.parametrize("config", [{}, {"ProcessorConfig": {"Mode": "INLINE"}}])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ToleratedFailureCount", 1),
        ("ToleratedFailurePercentage", 12.5),
        ("ToleratedFailureCountPath", "$.no.such"),
        ("ToleratedFailurePercentagePath", "$.no.such"),
    ],
)
def test_24_tolerances_of_an_inline_map_have_no_effect(
    config: dict[str, Any], name: str, value: Any
) -> None:
    inner = machine({"F": {"Type": "Fail", "Error": "E"}}, **config)
    state = {"Type": "Map", "ItemProcessor": inner, name: value, "End": True}
    assert said(machine({"M": state})) == []
    assert doorstep.run(machine({"M": state}), [1, 2, 3]).error == "E"


def test_24_the_tolerance_of_an_inline_map_may_be_an_expression() -> None:
    inner = machine({"P": PASS})
    fields = {"QueryLanguage": "JSONata", "ToleratedFailureCount": "{% $no.such %}"}
    state = {"Type": "Map", "ItemProcessor": inner, **fields, "End": True}
    assert doorstep.run(machine({"M": state}), [1]).output == [1]
    state["ToleratedFailureCount"] = -1
    assert said(machine({"M": state}))


def test_25_validation_is_a_pure_function() -> None:
    wrong, right = machine({"A": {"Type": "Nope"}}), machine()
    first = validate(wrong)
    assert [validate(right), validate(wrong), validate(right)] == [[], first, []]


def test_26_what_cannot_run_is_not_ok() -> None:
    assert said(machine({"T": {"Type": "Task", "End": True}})) == [
        schema("These fields are required: [Resource]", "/States/T")
    ]
    assert said(machine({"W": {"Type": "Wait", "End": True}})) == [
        schema(
            "This object should have only one of the following fields: "
            "[SecondsPath, Seconds, TimestampPath, Timestamp]",
            "/States/W",
        )
    ]


@pytest.mark.parametrize("call", [r"States.StringToJson('\q')", "States.Nope()", "States.UUID("])
def test_27_an_illegal_intrinsic_call_is_refused(call: str) -> None:
    state = PASS | {"Parameters": {"parsed.$": call}}
    text = "must be a valid JSONPath or a valid intrinsic function call"
    assert said(machine({"IntrinsicEscape": state})) == [
        schema(f"The value for the field 'parsed.$' {text}", "/States/IntrinsicEscape/Parameters")
    ]
