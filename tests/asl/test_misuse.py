"""The commonest misuses: each is answered by a message that names the cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.drawing.graph import briefs
from doorstep.testing import Mocks, mock
from doorstep.testing.clock import SimulatedClock
from doorstep.testing.mock_files import mocks_of
from doorstep.testing.state_machines import TestSession
from doorstep_cli.main import cli

Chain = Callable[..., dict[str, Any]]
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
QUEUE = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": QUEUE,
}


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": LAMBDA + name, **fields}


@pytest.fixture
def file(tmp_path: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    definition = chain({"Book": task("book")})
    file = tmp_path / "flight.asl.json"
    file.write_text(json.dumps(definition), "utf-8")
    return file


def doorstep_cli(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def test_a_mock_of_a_state_that_is_not_there_is_named(file: Path) -> None:
    mocks = Mocks(mock("Book", 1), mock("Bok", 1), mock("Zebra", 1))
    mocks.run(file)
    assert mocks.remarks() == [
        "mock never reached: Bok: no state has this name; did you mean 'Book'?",
        "mock never reached: Zebra: no state has this name; there are Book",
    ]


def test_a_list_as_a_file_of_mocks_is_answered_with_the_line_that_is_missing(file: Path) -> None:
    mocks = file.with_name("mocks.yaml")
    mocks.write_text("- {state: Book, answer: 1}\n", "utf-8")
    result = doorstep_cli("run", file, "--mocks", mocks)
    assert result.exit_code == 2
    assert "the list of mocks belongs below `mocks:`" in result.stderr


@pytest.mark.parametrize(
    ("command", "hint"), [("hstory", "did you mean 'history'"), ("xyz", "replay")]
)
def test_a_command_that_is_not_there_is_answered_with_those_that_are(
    command: str, hint: str
) -> None:
    result = doorstep_cli(command)
    assert result.exit_code == 2
    assert hint in result.stderr


def test_a_state_to_test_that_is_not_there_is_named(file: Path) -> None:
    result = doorstep_cli("test-state", file, "--state", "Boook")
    assert result.exit_code == 2
    assert "'Boook'; did you mean 'Book'?" in result.stderr


def test_a_misspelt_option_names_the_function_that_was_called(file: Path) -> None:
    session = TestSession(file.parent, "test", SimulatedClock())
    with pytest.raises(TypeError, match=r"state_machine\(\) has no option 'handler'; .*'handlers'"):
        session.machine(file, handler={})  # type: ignore[call-arg]
    machine = session.machine(file)
    with pytest.raises(TypeError, match=r"run\(\) has no option 'mock'; did you mean 'mocks'"):
        machine.run(mock=[])  # type: ignore[call-arg]


@pytest.mark.parametrize("resource", ["states:::states:startExecution.sync:2"])
def test_an_execution_to_start_without_a_machine_names_the_option(
    tmp_path: Path, chain: Chain, resource: str
) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:kid"
    start = {"Type": "Task", "Resource": f"arn:aws:{resource}"}
    run = doorstep.run(chain({"Go": {**start, "Parameters": {"StateMachineArn": arn}}}))
    assert "--state-machine NAME=FILE" in (run.cause or "")


def test_a_nested_execution_that_waits_is_blamed_in_place_of_its_parent(
    tmp_path: Path, chain: Chain
) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:kid"
    resource = "arn:aws:states:::states:startExecution.sync:2"
    go = {"Type": "Task", "Resource": resource, "Parameters": {"StateMachineArn": arn}}
    parent, kid, handlers = (tmp_path / name for name in ("parent.json", "kid.json", "h.py"))
    parent.write_text(json.dumps(chain({"Go": go})), "utf-8")
    kid.write_text(json.dumps(chain({"Ask": ASK})), "utf-8")
    handlers.write_text(
        "import doorstep\n@doorstep.handler('sqs:sendMessage')\ndef send(event):\n    return {}\n",
        "utf-8",
    )
    result = doorstep_cli("run", parent, "--state-machine", f"kid={kid}", "--handlers", handlers)
    assert result.exit_code == 1
    assert "'Go' waits for kid, an execution of which waits in 'Ask'" in result.stderr


def test_an_input_that_was_not_given_is_mentioned_where_data_is_missing(
    file: Path, chain: Chain
) -> None:
    file.write_text(json.dumps(chain({"Pick": {"Type": "Pass", "InputPath": "$.seat"}})), "utf-8")
    assert "no input was given" in doorstep_cli("run", file).stderr
    assert "no input was given" not in doorstep_cli("run", file, "--input", "{}").stderr


@pytest.mark.parametrize("problem", ["KeyError('seat')", "TypeError('no seat')"])
def test_an_input_that_was_not_given_is_mentioned_where_a_function_misses_it(
    file: Path, problem: str
) -> None:
    handlers = file.with_name("h.py")
    handlers.write_text(f"def book(event):\n    raise {problem}\n", "utf-8")
    result = doorstep_cli("run", file, "--handlers", handlers)
    assert "no input was given" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("run", "history"),
        ("validate", "history"),
        ("graph", "history"),
        ("explore", "history"),
        ("replay", "definition", "--definition", "definition"),
        ("failures", "definition"),
        ("debug", "definition", "--at", "failure"),
        ("view", "definition", "--html", "page.html"),
    ],
)
def test_a_history_and_a_definition_that_change_places_are_told_apart(
    file: Path, command: tuple[str, ...]
) -> None:
    history = file.with_name("run.json")
    assert doorstep_cli("run", file, "--history", history).exit_code == 2
    files = {"history": history, "definition": file}
    result = doorstep_cli(*(files.get(word, word) for word in command))
    assert result.exit_code == 2
    given = "the history of an execution; here goes its definition"
    swapped = "a definition; here goes the history of an execution"
    assert (given if "history" in command else swapped) in result.stderr


@pytest.mark.parametrize("way", [("--input", "1", "--input", "2"), ("--input=1", "--input=2")])
def test_an_option_with_one_value_is_not_dropped_in_silence(
    file: Path, way: tuple[str, ...]
) -> None:
    result = doorstep_cli("run", file, *way)
    assert result.exit_code == 2
    assert "--input is given more than once" in result.stderr
    # Those that may be given again, and values after `--`, are no concern of it.
    twice = doorstep_cli("run", file, "--param", "A=1", "--param", "B=2", "--input", "1")
    assert "more than once" not in twice.stderr


def test_two_histories_that_are_not_pages_of_one_are_answered_with_what_compares_them(
    file: Path,
) -> None:
    one, two = file.with_name("one.json"), file.with_name("two.json")
    doorstep_cli("run", file, "--history", one, "--input", "1")
    doorstep_cli("run", file, "--history", two, "--input", "2")
    result = doorstep_cli("failures", one, two)
    assert result.exit_code == 2
    assert "doorstep diff A B" in result.stderr
    assert doorstep_cli("failures", one, one).exit_code == 1


# Answers of mocks in a MockConfigFile ------------------------------------------------------------

PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::events:putEvents",
    "Parameters": {"Entries": []},
}
CONFIG = {
    "StateMachines": {"M": {"TestCases": {"Good": {"Put": "Answer"}}}},
    "MockedResponses": {"Answer": {"0": {"Return": {"FailedEntryCount": 0, "Foreign": 1}}}},
}


def test_answers_of_a_mock_config_file_are_only_reported(tmp_path: Path, chain: Chain) -> None:
    pytest.importorskip("botocore")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    definition = chain({"Put": PUT})
    mocks = Mocks(*mocks_of("config.json#Good", tmp_path, "M"))
    assert mocks.run(definition, state_machine_name="M").succeeded
    assert ["Foreign" in doubt for doubt in mocks.doubts] == [True]
    strict = Mocks(*mocks_of("config.json#Good", tmp_path, "M"), mock_validation="strict")
    run = strict.run(definition, state_machine_name="M")
    assert run.error == "Doorstep.MockInvalid"
    assert "--mock-validation warn" in (run.cause or "")


def test_answers_of_own_mocks_fail_and_name_the_option(chain: Chain) -> None:
    pytest.importorskip("botocore")
    run = Mocks(mock("Put", {"FailedEntryCount": 0, "Foreign": 1})).run(chain({"Put": PUT}))
    assert run.error == "Doorstep.MockInvalid"
    assert "mock_validation" in (run.cause or "")


# Labels, contexts, clocks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{'$.a.very' * 8}.long = 1", f"{'$.a.very' * 8}.long = 2"),
        (f"$.one{'.same' * 20}", f"$.two{'.same' * 20}"),
        (f"$.{'head' * 12}.one.{'tail' * 12}", f"$.{'head' * 12}.two.{'tail' * 12}"),
    ],
)
def test_labels_of_one_choice_keep_what_differs(one: str, other: str) -> None:
    first, second = briefs([one, other])
    assert first != second
    assert max(len(first), len(second)) <= 40


def test_a_short_label_is_whole_and_equal_ones_stay_equal() -> None:
    long = "$.x" * 40
    assert briefs(["$.a = 1", "default"]) == ["$.a = 1", "default"]
    assert len(set(briefs([long, long]))) == 1


@pytest.mark.parametrize(
    ("fields", "arn", "name"),
    [
        ({"Resource": f"{LAMBDA}book"}, f"{LAMBDA}book", "book"),
        (
            {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "book"}},
            f"{LAMBDA}book",
            "book",
        ),
        (
            {
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": f"{LAMBDA}book:live"},
            },
            f"{LAMBDA}book:live",
            "book",
        ),
    ],
)
def test_a_handlers_context_has_the_members_of_lambdas(
    chain: Chain, fields: dict[str, Any], arn: str, name: str
) -> None:
    seen: list[doorstep.Context] = []

    def book(event: Any, context: doorstep.Context) -> None:
        seen.append(context)

    doorstep.run(chain({"Book": {"Type": "Task", **fields}}), handlers={"book": book}, seed=1)
    (context,) = seen
    assert (context.invoked_function_arn, context.function_name) == (arn, name)
    assert context.resource == fields["Resource"]
    assert context.log_group_name == f"/aws/lambda/{name}"
    assert context.log_stream_name.startswith("2025/01/01/[$LATEST]")
    assert len(context.log_stream_name) == len("2025/01/01/[$LATEST]") + 32


def test_the_body_of_a_test_lives_at_the_time_of_its_handlers(chain: Chain) -> None:
    pytest.importorskip("freezegun")
    clock = SimulatedClock()
    with clock.frozen():
        assert datetime.now(UTC) == clock.moment
        doorstep.run(chain({"Nap": {"Type": "Wait", "Seconds": 90}}), clock=clock)
        assert datetime.now(UTC) == clock.moment
        clock.advance("2h")
        assert datetime.now(UTC) == clock.moment
    assert datetime.now(UTC).year > 2025
