"""`pytest --doorstep-against`: marked tests beside a server, in runs of pytest inside of the test.

The server is `doorstep serve` in this process. The operations:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Imported here, as pytester forgets modules that are imported within its runs.
import freezegun  # noqa: F401
import pytest
import yaml  # noqa: F401

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="doorstep[aws] is not installed")

import doorstep.pytest_plugin
import doorstep.pytest_plugin.against
import doorstep.testing.snapshots
from doorstep.against.account import Account
from doorstep.against.own_executions import Beside
from doorstep.against.target import Target
from doorstep.testing import Mocks, ObservedExecution, SimulatedClock
from doorstep_cli.commands.remote import Remote
from doorstep_emulator import Options, running

pytest_plugins = ["pytester"]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine"
PAY = {
    "StartAt": "Price",
    "States": {
        "Price": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "price", "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "End": True,
        }
    },
}
HANDLERS = """
def price(event):
    return {"cents": event["number"] * 100}
"""
TESTS = """
import pytest
import doorstep
from doorstep.testing import mock


def machine(state_machine):
    return state_machine("pay.asl.json", handlers="handlers.py")


@pytest.mark.doorstep_against
def test_paid(state_machine):
    execution = machine(state_machine).run({"number": 3})
    assert execution.output == {"cents": 300}


@pytest.mark.doorstep_against
def test_mocked(state_machine):
    execution = machine(state_machine).run({"number": 3}, mocks=[mock("Price", 7)])
    assert execution.output == 7


def test_unmarked(state_machine):
    assert machine(state_machine).run({"number": 3}).succeeded
"""
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts a server with handlers, on which the machine is deployed."""
    servers: list[Any] = []

    def serve(handlers: str = HANDLERS, name: str = "pay", type: str = "STANDARD") -> str:
        file = tmp_path / f"served{len(servers)}.py"
        file.write_text(handlers)
        server = running(Options(port=0, handlers=str(file), clock="virtual"))
        url: str = server.__enter__()
        servers.append(server)
        text = json.dumps(PAY)
        Remote(url).ask("CreateStateMachine", name=name, definition=text, roleArn=ROLE, type=type)
        return url

    yield serve
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, without_aws: None) -> Run:
    """Runs the text of a test module, with no other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr("doorstep.against.target._FIRST", 0.01)
    (pytester.path / "pay.asl.json").write_text(json.dumps(PAY))
    (pytester.path / "handlers.py").write_text(HANDLERS)

    def run(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=text)
        plugins = ("-p", "doorstep.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers")
        return pytester.runpytest_inprocess(f"--rootdir={pytester.path}", *plugins, *options)

    return run


def started(url: str, name: str = "pay") -> list[Any]:
    answer = Remote(url).ask("ListExecutions", stateMachineArn=f"{MACHINE}:{name}")
    found: list[Any] = answer["executions"]
    return found


def test_marked_tests_run_there_and_unmarked_ones_as_ever(serve: Any, run: Run) -> None:
    url = serve()
    result = run(TESTS, "--doorstep-against", url)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            f"*state machines at {url}*",
            "*test_it.py::test_paid: executions compared: 1",
            "*test_it.py::test_mocked: answers of TestState compared: 1",
        ]
    )
    assert "test_unmarked" not in result.stdout.str()
    assert len(started(url)) == 1


def test_without_the_option_nothing_is_asked(run: Run) -> None:
    result = run(TESTS)
    result.assert_outcomes(passed=3)
    assert "state machines at" not in result.stdout.str()


def test_a_fault_there_fails_the_test_in_the_words_of_suites(serve: Any, run: Run) -> None:
    url = serve(HANDLERS.replace("* 100", "* 100 + 1"))
    result = run(TESTS, "--doorstep-against", url)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "E * Price, output.cents: Doorstep's own execution (expected) differs, "
                "possibly a fault of Doorstep"
            ),
            "E * expected  300",
            "E * found     301",
        ]
    )


def test_a_fault_of_teststate_fails_a_test_with_mocks(
    serve: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Account.ask

    def altered(self: Account, operation: str, **request: Any) -> dict[str, Any]:
        answer = ask(self, operation, **request)
        return answer | {"output": "8"} if operation == "test_state" else answer

    monkeypatch.setattr(Account, "ask", altered)
    url = serve()
    result = run(TESTS, "--doorstep-against", url, "-k", "mocked")
    result.assert_outcomes(failed=1, deselected=2)
    place = "E * Price, visit 1, output: Doorstep's own execution (expected) differs from TestState"
    result.stdout.fnmatch_lines([f"{place} at {url}*", "E * expected  7", "E * found     8"])


def test_requests_are_signed_with_the_real_time_and_the_body_sees_the_modelled_one(
    serve: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[datetime] = []
    ask, begun = Account.ask, datetime.now(UTC)

    def timed(self: Account, operation: str, **request: Any) -> dict[str, Any]:
        times.append(datetime.now(UTC))
        return ask(self, operation, **request)

    monkeypatch.setattr(Account, "ask", timed)
    body = "    assert execution.output == {'cents': 300}\n"
    text = TESTS.replace(
        '    assert execution.output == {"cents": 300}\n',
        body + "    import datetime\n    assert datetime.datetime.now().year == 2025\n",
    )
    run(text, "--doorstep-against", serve(), "-k", "paid").assert_outcomes(passed=1, deselected=2)
    assert len(times) >= 4
    assert min(times) >= begun


def test_a_machine_that_is_called_otherwise_is_named_by_the_mark(serve: Any, run: Run) -> None:
    url = serve(name="pay-prod")
    result = run(TESTS, "--doorstep-against", url, "-k", "paid")
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(
        [
            (
                f"E *state machine 'pay' not found at {url}; deploy it, or name another one with "
                '@pytest.mark.doorstep_against(machine="NAME") (there are pay-prod)'
            )
        ]
    )
    named = TESTS.replace("_against\n", '_against(machine="pay-prod")\n')
    run(named, "--doorstep-against", url, "-k", "paid").assert_outcomes(passed=1, deselected=2)
    assert len(started(url, "pay-prod")) == 1


def test_what_cant_be_compared_is_told_in_the_summary(serve: Any, run: Run) -> None:
    url = serve(type="EXPRESS")
    text = (
        TESTS
        + """

@pytest.mark.doorstep_against
def test_started(state_machine):
    assert machine(state_machine).start({"number": 3}).wait().succeeded


@pytest.mark.doorstep_against
def test_no_handler(state_machine):
    assert state_machine("pay.asl.json").run({"number": 3}).failed

"""
    )
    result = run(text, "--doorstep-against", url)
    result.assert_outcomes(passed=5)
    where = "*test_it.py::test_"
    result.stdout.fnmatch_lines_random(
        [
            f"{where}paid: not compared: pay: Express executions have no history",
            f"{where}started: not compared: 1 of `.start`; only those of `.run` are",
            f"{where}no_handler: not compared: pay: Doorstep's own execution ended with Doorstep.*",
        ]
    )


def test_a_test_whose_tasks_moto_answers_is_not_compared() -> None:
    execution = doorstep.run(PAY, {"number": 3}, {"price": lambda _: 7})
    own = ObservedExecution(execution, [], [])
    beside = Beside(Target(Account(None), "aws", 1.0), SimulatedClock(), None)
    beside(own, Mocks(), services=True)
    reason = "in a test with `services` or `project` moto answers in place of AWS"
    assert list(beside.remarks(1)) == [f"not compared: StateMachine: {reason}"]


def test_workers_of_xdist_tell_what_they_compared(
    serve: Any, run: Run, pytester: pytest.Pytester
) -> None:
    pytest.importorskip("xdist")
    url = serve()
    pytester.makepyfile(test_it=TESTS)
    options = ["-p", "doorstep.pytest_plugin", "-p", "xdist", "-n", "2", "--doorstep-against", url]
    result = pytester.runpytest_subprocess(*options, "--junitxml=junit.xml")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*test_it.py::test_paid: executions compared: 1",
            "*test_it.py::test_mocked: answers of TestState compared: 1",
        ]
    )
    assert 'value="executions compared: 1"' in (pytester.path / "junit.xml").read_text()


def test_a_run_without_marked_tests_says_so(serve: Any, run: Run) -> None:
    result = run(TESTS, "--doorstep-against", serve(), "-k", "unmarked")
    result.stdout.fnmatch_lines(["no test that ran has the mark doorstep_against"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("prod",), "target prod: expected aws, or a URL such as"),
        (("aws",), "configuration can't be used: You must specify a region"),
        (("aws", "--doorstep-time-limit", "long"), "'long' is not a duration"),
    ],
)
def test_options_that_cant_be_used_are_explained(
    run: Run, options: tuple[str, ...], message: str
) -> None:
    result = run(TESTS, "--doorstep-against", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--doorstep-against: *{message}*"])


def test_a_mark_with_another_argument_is_explained(serve: Any, run: Run) -> None:
    text = TESTS.replace("_against\n", '_against("pay")\n')
    result = run(text, "--doorstep-against", serve(), "-k", "paid")
    result.assert_outcomes(errors=1, deselected=2)
    result.stdout.fnmatch_lines(["*the mark doorstep_against takes machine=NAME, and nothing*"])
