"""Mocks written as YAML or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.errors import InputError
from doorstep.testing.mock_files import MOCK, mocks_of, read_mocks
from doorstep.testing.mocks import Mocks
from doorstep_cli.main import cli

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:work"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def mocks(tmp_path: Path) -> Callable[..., Mocks]:
    """Makes the mocks of a list in YAML that is first written to a file."""

    def make(text: str, **options: Any) -> Mocks:
        file = tmp_path / "mocks.yaml"
        file.write_text(f"mocks:\n{text}", "utf-8")
        return Mocks(*read_mocks(file), **options)

    return make


def work(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION, **fields}


def took(execution: doorstep.Execution) -> float:
    return execution.events[-1].at - execution.events[0].at


# What a mock says ----------------------------------------


def test_the_first_mock_that_fits_answers(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    made = mocks("- {state: Work, attempt: 0-1, fail: Busy}\n- {state: Work, answer: [1, null]}")
    execution = made.run(chain({"Work": work(Retry=[{"ErrorEquals": ["Busy"]}])}))
    assert execution.output == [1, None]
    assert took(execution) == 1 + 2


def test_calls_are_numbered_by_invocation_and_by_iteration(
    mocks: Callable[..., Mocks], chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    made = mocks(
        "- {state: Work, index: 1, answer: one}\n"
        "- {state: Work, invocation: 2, answer: third call}\n"
        "- {state: Work, answer: other}"
    )
    execution = made.run(chain({"Each": each({"Work": work()}, MaxConcurrency=1)}), [0, 0, 0])
    assert execution.output == ["other", "one", "third call"]


def test_an_error_may_have_a_cause_and_take_its_time(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    made = mocks("- {state: Work, fail: {error: Odd, cause: why}, after: 1h 30m}")
    execution = made.run(chain({"Work": work()}))
    assert (execution.error, execution.cause, took(execution)) == ("Odd", "why", 5400)


def test_nobody_answers_and_the_heart_stops_or_beats(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    guarded = chain({"Work": work(TimeoutSeconds=3600, HeartbeatSeconds=60)})
    assert took(mocks("- {state: Work, no_answer: true}").run(guarded)) == 60
    beating = mocks("- {state: Work, no_answer: true, heartbeat: 30s}")
    assert took(beating.run(guarded)) == 3600


def test_a_request_is_answered_before_the_callback(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
    }
    made = mocks("- {state: Ask, response: {MessageId: m}, answer: yes!, after: 2d}")
    execution = made.run(chain({"Ask": ask}))
    [submitted] = [event for event in execution.events if event.type == "TaskSubmitted"]
    assert submitted.details
    assert json.loads(submitted.details["output"]) == {"MessageId": "m"}
    assert (execution.output, took(execution)) == ("yes!", 2 * 86_400)


# JSONata -------------------------------------------------


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ("{sku: tea}", True),
        ("{sku: tea, more: 1}", False),
        ("{size: {ml: '{% $ > 200 %}'}}", True),
        ("{size: {ml: '{% $ > 300 %}'}}", False),
        ("{missing: '{% $not($exists($)) %}'}", True),
        ("'{% size.ml = 250 and sku = \"tea\" %}'", True),
        ("'{% size.ml = 251 %}'", False),
        ("tea", False),
    ],
)
def test_a_condition_is_what_the_input_includes_or_jsonata(
    mocks: Callable[..., Mocks], chain: Callable[..., Any], when: str, fits: bool
) -> None:
    made = mocks(f"- {{state: Work, when: {when}, answer: fits}}\n- {{state: Work, answer: not}}")
    execution = made.run(chain({"Work": work()}), {"sku": "tea", "size": {"ml": 250, "cl": 25}})
    assert execution.output == ("fits" if fits else "not")


def test_an_answer_is_made_of_the_input(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    answer = "{sku: '{% sku %}', cents: '{% 790 * quantity %}', of: [a, '{% $ %}']}"
    execution = mocks(f"- {{state: Work, answer: {answer}}}").run(
        chain({"Work": work()}), {"sku": "tea", "quantity": 2}
    )
    whole = {"sku": "tea", "quantity": 2}
    assert execution.output == {"sku": "tea", "cents": 1580, "of": ["a", whole]}


def test_an_answer_that_cant_be_made_fails_the_execution_for_good(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    forgiving = [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}]
    definition = chain({"Work": work(Catch=forgiving, End=True), "Saved": {"Type": "Pass"}})
    execution = mocks("- {state: Work, answer: '{% nothing %}'}").run(definition)
    assert execution.error == "Doorstep.MockInvalid"
    assert "mocks.yaml:2: the JSONata expression {% nothing %} gives" in (execution.cause or "")


def test_a_condition_that_fails_is_told_where_it_stands(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    made = mocks("- state: Work\n  answer: 1\n  when: '{% 1 + sku %}'")
    execution = made.run(chain({"Work": work()}), {"sku": "tea"})
    assert execution.error == "Doorstep.MockInvalid"
    assert "mocks.yaml:4:9: the JSONata expression {% 1 + sku %} fails" in (execution.cause or "")


# What is wrong with a file -------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mocks:\n- sate: A\n  answer: 1", "2:3: there is no member 'sate' here; did you mean"),
        ("mocks:\n- answer: 1", "2:3: the member 'state' is missing"),
        ("mocks:\n- state: A", "2:3: one of answer, fail, no_answer is missing"),
        ("mocks:\n- {state: A, answer: 1, fail: B}", "2:3: answer and fail exclude each other"),
        ("mocks:\n- {state: A, answer: 1, after: soon}", "2:32: this has to be a duration: 'soon'"),
        ("mocks:\n- {state: A, answer: 1, attempt: x}", "or a range such as 0-2: 'x' is none"),
        ("mocks:\n- {state: A, answer: 1, attempt: -1}", ": -1 is none of these"),
        ("mocks:\n- {state: A, no_answer: false}", "2:25: this has to be true; it is false"),
        ("mocks:\n- {state: [A], answer: 1}", "2:4: this has to be a text; it is of the type arr"),
        ("mocks:\n- {state: A, answer: '{% a b %}'}", "2:22: this is no JSONata: Syntax error"),
        ("mocks:\n- {state: A, answer: 1, heartbeat: 0}", "2:3: the mock of A has a heartbeat"),
        ("mocks:\n- {state: A, state: B, answer: 1}", "2:14: there are two members 'state' here"),
        ("mocks:\n- {state: A, fail: {eror: B}}", "2:21: there is no member 'eror' here"),
        ("mocks: {}", "1:1: this has to be a list"),
        ("[]", "1:1: the list of mocks belongs below `mocks:`"),
        ("mocks: [", "mocks.yaml:.*expected"),
        (f"mocks: {'[' * 300}{']' * 300}", "nested too deeply"),
        ("StateMachines: {}", "name a test case: .*#TESTCASE"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_column(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "mocks.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        read_mocks(file)
    assert re.search(told, str(refused.value))


def test_the_line_is_shown_with_a_caret(tmp_path: Path) -> None:
    file = tmp_path / "mocks.yaml"
    file.write_text("mocks:\n  - state: A\n    anwser: 1\n")
    with pytest.raises(InputError, match=r"\n        anwser: 1\n        \^$"):
        read_mocks(file)


def test_json_is_placed_as_well(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    file.write_text('{"mocks": [\n  {"state": "A",\n   "after": "soon", "answer": 1}]}')
    with pytest.raises(InputError, match=r"mocks\.json:3:13: this has to be a duration"):
        read_mocks(file)


def test_a_file_that_cant_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't read .*none\.yaml: No such file"):
        mocks_of("none.yaml", tmp_path, None)
    (tmp_path / "latin.yaml").write_bytes(b"mocks: \xff")
    with pytest.raises(InputError, match=r"latin\.yaml is not UTF-8 text"):
        mocks_of("latin.yaml", tmp_path, None)


def test_a_mock_that_is_never_reached_is_told_with_its_line(
    mocks: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    made = mocks("- {state: Work, answer: 1}\n- {state: Work, attempt: 1, answer: 2}")
    made.run(chain({"Work": work()}))
    [label] = made.unreached
    assert label.startswith("Work (")
    assert label.endswith("mocks.yaml:3)")


def test_the_guide_names_every_member_of_a_mock() -> None:
    page = (ROOT / "docs" / "suites.md").read_text("utf-8")
    assert [
        name for name in MOCK.members if f"`{name}" not in page and f"{name}:" not in page
    ] == []


# The command line ----------------------------------------


def run_order(folder: Path, text: str, *options: str) -> Result:
    example = ROOT / "examples" / "order"
    mocks = folder / "mocks.yaml"
    mocks.write_text(text)
    arguments = [str(example / "order.asl.json"), "--input", f"@{example / 'input.json'}"]
    handlers = ["--handlers", str(example / "handlers.py")]
    return CliRunner().invoke(cli, ["run", *arguments, *handlers, "--mocks", str(mocks), *options])


def test_the_command_line_takes_mocks_in_yaml(tmp_path: Path) -> None:
    parcel = "mocks: [{state: FulfilOrder, answer: {number: PX-1}, after: 1h, heartbeat: 5m}]"
    result = run_order(tmp_path, parcel)
    assert json.loads(result.stdout)["parcel"] == {"number": "PX-1"}
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_command_line_shows_the_line_that_is_wrong(tmp_path: Path) -> None:
    result = run_order(tmp_path, "mocks: [{state: FulfilOrder}]")
    assert result.exit_code == 2
    assert "mocks.yaml:1:9: one of answer, fail, no_answer is missing" in result.stderr
