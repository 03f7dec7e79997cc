"""Recorded executions written as tests: what is written passes, and says what it can't say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import doorstep
from doorstep.errors import InputError
from doorstep.history import visits_of
from doorstep.testing import mock
from doorstep.testing.mocks import Mocks
from doorstep.testing.recorded_tests import RecordedTest
from doorstep_cli.main import cli

pytest_plugins = ["pytester"]
EXAMPLES = Path(__file__).parents[2] / "examples"
TASK = "arn:aws:lambda:us-east-1:123456789012:function:work"
WORK = {"Type": "Task", "Resource": TASK}


def recorded(execution: doorstep.Execution, name: str = "one") -> RecordedTest:
    return RecordedTest(dict(execution.definition), visits_of(execution), name)


def mocks_of(execution: doorstep.Execution) -> list[dict[str, Any]]:
    return recorded(execution).mocks


@pytest.mark.parametrize("example", ["order/declined", "order/flaky", "batch/slow"])
def test_what_is_written_passes(
    example: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = example.split("/")
    definition = EXAMPLES / folder / f"{folder}.asl.json"
    shutil.copy(definition, pytester.path)
    execution = doorstep.run(
        definition,
        json.loads((EXAMPLES / folder / f"{case}.json").read_text("utf-8")),
        EXAMPLES / folder / "handlers.py",
    )
    test = recorded(execution, case)
    suite = pytester.path / "recorded.doorstep.yaml"
    suite.write_text(test.as_suite(definition.name), "utf-8")
    pytester.makepyfile(test_recorded=test.as_pytest(definition.name))
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
    # It can fail: another definition, in which the first state is an end.
    changed = json.loads(definition.read_text("utf-8"))
    state = changed["States"][changed["StartAt"]]
    changed["States"] = {changed["StartAt"]: {"Type": "Pass", "End": True}}
    assert state
    (pytester.path / definition.name).write_text(json.dumps(changed), "utf-8")
    assert pytester.runpytest_inprocess().parseoutcomes()["failed"] == 2


def test_calls_are_told_apart_by_as_little_as_does_it(
    chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 3}]
    busy = mock("Work", doorstep.fail("Busy"), invocation=range(2))
    flaky = chain({"Work": {**WORK, "Retry": retry}})
    assert mocks_of(Mocks(busy, mock("Work", "done")).run(flaky, {})) == [
        {"state": "Work", "invocation": "0-1", "fail": {"error": "Busy"}},
        {"state": "Work", "invocation": 2, "answer": "done"},
    ]
    mapped = chain({"Each": each({"Work": WORK})})
    assert mocks_of(Mocks(mock("Work", lambda item: item * 2)).run(mapped, [1, 2])) == [
        {"state": "Work", "index": 0, "attempt": 0, "answer": 2},
        {"state": "Work", "index": 1, "attempt": 0, "answer": 4},
    ]
    same = Mocks(mock("Work", "same")).run(mapped, [1, 2])
    assert mocks_of(same) == [{"state": "Work", "answer": "same"}]


def test_who_does_not_answer_does_not_answer_in_the_test(chain: Callable[..., Any]) -> None:
    silent = chain({"Work": {**WORK, "TimeoutSeconds": 60}})
    execution = Mocks(mock("Work", doorstep.no_answer())).run(silent, {})
    assert execution.error == "States.Timeout"
    assert mocks_of(execution) == [{"state": "Work", "no_answer": True}]


def test_an_answer_that_came_late_comes_late(chain: Callable[..., Any]) -> None:
    execution = Mocks(mock("Work", doorstep.answer(1, after="90s"))).run(chain({"Work": WORK}), {})
    assert mocks_of(execution) == [{"state": "Work", "answer": 1, "after": "90s"}]


def test_a_redriven_execution_is_one_that_never_failed(chain: Callable[..., Any]) -> None:
    answers = Mocks(mock("Work", doorstep.fail("Down"), invocation=0), mock("Work", "up"))
    execution = doorstep.start(chain({"Work": WORK}), {}, respond=answers).wait()
    execution.redrive()
    execution.wait()
    test = recorded(execution)
    assert (test.status, test.mocks) == ("SUCCEEDED", [{"state": "Work", "answer": "up"}])


def test_one_that_was_stopped_is_refused(chain: Callable[..., Any]) -> None:
    execution = doorstep.start(chain({"Wait": {"Type": "Wait", "Seconds": 60}}), {})
    execution.stop()
    with pytest.raises(InputError, match="was stopped"):
        recorded(execution)


def test_data_that_is_an_expression_in_a_suite_is_for_pytest(chain: Callable[..., Any]) -> None:
    execution = doorstep.run(chain({"A": {"Type": "Pass"}}), {"text": "{% 1 %}"})
    with pytest.raises(InputError, match="write it for pytest"):
        recorded(execution).as_suite("a.asl.json")
    assert "{'text': '{% 1 %}'}" in recorded(execution).as_pytest("a.asl.json")


def test_hostile_names_and_data_are_literals(
    chain: Callable[..., Any], pytester: pytest.Pytester
) -> None:
    text = '\'"""\n\\); import os; os.abort() #\x1b[31m\u202e</script>'
    definition = chain({text: WORK})
    execution = Mocks(mock(text, {text: text})).run(definition, {text: [text]})
    (pytester.path / "a.asl.json").write_text(json.dumps(definition), "utf-8")
    test = recorded(execution, text)
    pytester.makepyfile(test_a=test.as_pytest("a.asl.json"))
    (pytester.path / "a.doorstep.yaml").write_text(test.as_suite("a.asl.json"), "utf-8")
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_the_command_writes_it(tmp_path: Path) -> None:
    definition, handlers = EXAMPLES / "order/order.asl.json", EXAMPLES / "order/handlers.py"
    data = json.loads((EXAMPLES / "order/declined.json").read_text("utf-8"))
    history, file = tmp_path / "h.json", tmp_path / "h.doorstep.yaml"
    run = doorstep.run(definition, data, handlers)
    history.write_text(json.dumps({"events": run.history}), "utf-8")
    arguments = ["write-test", str(history), "--definition", str(definition), "-o", str(file)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    passed = CliRunner().invoke(cli, ["test", str(file)])
    assert "1 passed" in passed.stdout
    again = CliRunner().invoke(cli, arguments)
    assert (again.exit_code, "exists" in again.stderr) == (2, True)


def test_pages_of_failed_tests_are_written(pytester: pytest.Pytester) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "Oops"}}}
    pytester.makepyfile(
        f"""
        def test_it(state_machine):
            assert state_machine({definition!r}).run({{}}).succeeded

        def test_that(state_machine):
            assert not state_machine({definition!r}).run({{}}).succeeded
        """
    )
    result = pytester.runpytest_inprocess("--doorstep-html", "pages")
    result.assert_outcomes(failed=1, passed=1)
    (page,) = (pytester.path / "pages").iterdir()
    result.stdout.fnmatch_lines([f"*{page}*"])
    assert "Oops" in page.read_text("utf-8")
