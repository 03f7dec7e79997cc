"""Whatever JSON comes in, validation answers with diagnostics that can be shown, or with none."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doorstep.definitions import load
from doorstep.errors import DefinitionError, InputError
from doorstep.model.grammar import COMPARATORS
from doorstep.model.state_types import STATES
from doorstep.validation import check, validate

FIELDS = sorted(
    {name for shape in STATES.values() for name in shape.fields}
    | {"StartAt", "States", "ErrorEquals", "ReaderConfig", "InputType", "Mode", "Condition", "And"}
    | set(list(COMPARATORS)[::5])
)
WORDS = [
    *STATES,
    *("A", "B", "JSONata", "JSONPath", "DISTRIBUTED", "EXPRESS", "States.ALL", "CSV", "GIVEN"),
    *("$", "$.a", "$.a[*]", "$$.x", "$v", "$[", "States.UUID()", "States.Format('{}', $.a)"),
    *("{% $states.input %}", "{% a + $$ %}", "{% (", "{%", "%}", "${x}", "2024-01-01T00:00:00Z"),
    *("arn:aws:states:::lambda:invoke", "arn:aws:states:::sqs:sendMessage.sync", "arn:", "a:b"),
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=4)
)
names = st.sampled_from(FIELDS) | st.sampled_from(["A", "B", "x.$"]) | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


def _state(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(st.sampled_from(sorted(STATES[kind].fields)), values, max_size=6)
    return fields.map(lambda found: found | {"Type": kind})


states = st.sampled_from(list(STATES)).flatmap(_state)
machines = st.fixed_dictionaries(
    {"StartAt": st.sampled_from(["A", "B"]), "States": st.dictionaries(names, states, max_size=3)},
    optional={"QueryLanguage": scalars, "TimeoutSeconds": scalars, "Version": scalars},
)


def _answers(definition: Any) -> None:
    for machine_type in ("STANDARD", "EXPRESS"):
        found = validate(definition, type=machine_type, severity="WARNING")  # type: ignore[arg-type]
        assert json.dumps([one.as_aws() for one in found])
        errors = [one for one in found if one.severity == "ERROR"]
        assert validate(definition, type=machine_type) == errors  # type: ignore[arg-type]


@given(values)
def test_any_json_is_answered(definition: Any) -> None:
    _answers(definition)
    _answers(json.dumps(definition))


@settings(max_examples=200)
@given(machines)
def test_anything_like_a_machine_is_answered(definition: dict[str, Any]) -> None:
    _answers(definition)
    document = load(json.dumps(definition, indent=1))
    for one in validate(definition, severity="WARNING"):
        line, column = document.locate(one.location)
        assert 1 <= column <= len(document.text.split("\n")[line - 1]) + 1
        assert document.excerpt(one.location).endswith("^")


@given(machines)
def test_check_refuses_exactly_what_has_errors(definition: dict[str, Any]) -> None:
    try:
        check(definition)
        refused = []
    except DefinitionError as error:
        refused = error.diagnostics
    assert refused == validate(definition)


@given(st.text(max_size=30))
def test_any_text_is_answered(text: str) -> None:
    _answers(text)
    with suppress(DefinitionError, InputError):
        assert isinstance(load(text).definition, dict)
