"""A run that is kept in a file: wherever the process dies, the next one goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.testing.mocks import Mocks, mock
from doorstep.values.json_values import MAX_DEPTH

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def service(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **fields}


@pytest.fixture
def definition(chain: Any, each: Any) -> dict[str, Any]:
    """A retry, a wait, a job, a callback, a child execution, and a distributed Map."""
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "MaxAttempts": 1}]
    nested = {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:child"}
    fork = {
        "Type": "Parallel",
        "Branches": [
            chain({"Try": task("try", Retry=retry), "Job": service("glue:startJobRun.sync",
                   Parameters={"JobName": "night"})}),
            chain({"Pause": {"Type": "Wait", "Seconds": 3600}}),
            chain({"Nested": service("states:startExecution.sync:2", Parameters=nested)}),
        ],
        "ResultPath": None,
    }  # fmt: skip
    items = each({"Item": task("item")}, distributed=True, ItemsPath="$.items", MaxConcurrency=2)
    return dict(chain({"First": task("first", ResultPath=None), "Fork": fork, "Each": items}))


@pytest.fixture
def child(chain: Any) -> dict[str, Any]:
    return dict(chain({"Rest": {"Type": "Wait", "Seconds": 600}, "Work": task("item")}))


Handlers = dict[str, Callable[..., Any]]


def handlers(calls: list[str]) -> Handlers:
    def noted(name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def handler(event: Any, context: Any) -> Any:
            calls.append(name)
            return answer(context)

        return handler

    def try_once(context: Any) -> Any:
        return "done" if context.attempt else doorstep.fail("Busy", "come again")

    return {
        "first": noted("first", lambda _: 1),
        "try": noted("try", try_once),
        "glue:startJobRun": noted("job", lambda _: doorstep.answer("finished", after="2h")),
        "item": noted("item", lambda _: "made"),
    }


@pytest.fixture
def run(
    tmp_path: Path, definition: dict[str, Any], child: dict[str, Any]
) -> Callable[..., doorstep.Execution]:
    """Runs the definition with its journal in the test's file."""

    def call(calls: list[str], **options: Any) -> doorstep.Execution:
        given = {
            "input": {"items": [1, 2, 3]},
            "seed": 1,
            "state_machines": {"child": child},
            **options,
        }
        return doorstep.run(
            definition, handlers=handlers(calls), journal=tmp_path / "journal", **given
        )

    return call


def test_cut_off_anywhere_it_goes_on_to_the_same_history(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    whole = run([])
    text = file.read_bytes()
    lines = text.splitlines(keepends=True)
    assert whole.status == "SUCCEEDED"
    assert sum(line.startswith(b"{") for line in lines) == 1 + 1 + 3
    for number in range(len(lines)):
        for torn in (b"", lines[number][:7]):
            file.write_bytes(b"".join(lines[:number]) + torn)
            calls: list[str] = []
            again = run(calls)
            assert (number, again.history) == (number, whole.history)
            done = any(line.startswith(b'["fact","succeeded"') for line in lines[:number])
            assert ("first" in calls) == (not done)


def test_an_execution_that_has_ended_is_not_run_again(run: Any) -> None:
    first = run([])
    calls: list[str] = []
    assert run(calls).history == first.history
    assert calls == []


def test_what_failed_is_redriven_by_the_same_command(tmp_path: Path, chain: Any) -> None:
    definition = chain({"First": task("first"), "Second": task("second")})
    calls: list[str] = []

    def second(event: Any) -> Any:
        calls.append("second")
        return doorstep.fail("Broken") if len(calls) < 3 else "mended"

    answering = {"first": lambda event: calls.append("first"), "second": second}
    given = {"handlers": answering, "journal": tmp_path / "journal", "seed": 1}
    assert doorstep.run(definition, **given).status == "FAILED"
    execution = doorstep.start(definition, **given)
    execution.redrive()
    execution.wait()
    execution.close()
    assert execution.output == "mended"
    assert calls == ["first", "second", "second"]
    assert doorstep.run(definition, **given).history == execution.history


def test_mocks_count_the_calls_that_were_made_before(tmp_path: Path, chain: Any) -> None:
    file = tmp_path / "journal"
    retried = chain({"Work": task("work", Retry=[{"ErrorEquals": ["Busy"]}])})

    def run() -> doorstep.Execution:
        busy = mock("Work", doorstep.fail("Busy"), invocation=0)
        return Mocks(busy, mock("Work", "done")).run(retried, journal=file, seed=1)

    whole = run()
    head, failed, tail = file.read_bytes().partition(b'["fact","failed"')
    file.write_bytes(head + failed + tail.partition(b"\n")[0] + b"\n")
    again = run()
    assert again.history == whole.history
    assert again.output == "done"


def test_a_mock_whose_heart_beats_is_called_again(tmp_path: Path, chain: Any) -> None:
    given = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    waiting = service("sqs:sendMessage.waitForTaskToken", Parameters=given, HeartbeatSeconds=90)
    beating = mock("Send", doorstep.answer("done", after="1h"), heartbeat=60)
    options = {"seed": 1, "journal": tmp_path / "journal"}
    whole = Mocks(beating).run(chain({"Send": waiting}), **options)
    assert whole.output == "done"
    cut_after(tmp_path / "journal", b'"TaskStarted"')
    assert Mocks(beating).run(chain({"Send": waiting}), **options).history == whole.history


def test_a_journal_of_virtual_time_does_not_go_on_in_real_time(run: Any, tmp_path: Path) -> None:
    run([], seed=None)
    with pytest.raises(
        doorstep.InputError, match="ahead of the clock: it was written with the virt"
    ):
        run([], seed=None, clock="real")


@pytest.mark.parametrize(
    ("options", "what"), [({"input": {"items": []}}, "input"), ({"seed": 2}, "seed"),
                          ({"name": "other"}, "name")]
)  # fmt: skip
def test_another_execution_is_not_mixed_in(run: Any, options: Any, what: str) -> None:
    run([])
    with pytest.raises(
        doorstep.InputError, match=f"journal holds an execution with another {what}"
    ):
        run([], **options)


def test_a_definition_with_which_this_does_not_happen_is_refused(
    run: Any, tmp_path: Path, chain: Any
) -> None:
    run([])
    other = chain({"Zeroth": {"Type": "Pass"}})
    with pytest.raises(doorstep.ReplayError, match="event 2 is TaskStateEntered in the journal"):
        doorstep.run(other, journal=tmp_path / "journal")


def test_a_damaged_file_is_named_and_left_as_it_is(run: Any, tmp_path: Path) -> None:
    run([])
    file = tmp_path / "journal"
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = b'["event", 1\n'
    file.write_bytes(b"".join(lines))
    with pytest.raises(doorstep.ReplayError, match="journal: line 3 of the journal is damaged"):
        run([])
    assert file.read_bytes() == b"".join(lines)


def test_a_machine_that_is_not_given_any_more_is_named(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    run([])
    lines = file.read_bytes().splitlines(keepends=True)
    began = next(n for n, line in enumerate(lines) if b'"machine":"child"' in line)
    file.write_bytes(b"".join(lines[: began + 2]))
    with pytest.raises(doorstep.InputError, match="has an execution of 'child'"):
        run([], state_machines={})


def test_a_file_that_can_not_be_written_is_named(run: Any, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(doorstep.InputError, match="can't store a journal in"):
        run([])


def test_two_processes_do_not_run_the_same_execution(tmp_path: Path, chain: Any) -> None:
    definition = chain({"Pause": {"Type": "Wait", "Seconds": 1}})
    execution = doorstep.start(definition, journal=tmp_path / "journal")
    with pytest.raises(doorstep.InputError, match="another process runs the execution in"):
        doorstep.start(definition, journal=tmp_path / "journal")
    execution.close()


def test_another_file_is_not_taken_for_a_journal(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    for text in ('{"StartAt": "A"}', '{"StartAt":\n"A"}', '{"StartAt": "A"}\n', "a,b\n1,2"):
        file.write_text(text)
        with pytest.raises(doorstep.ReplayError, match="line 1 of the journal is damaged"):
            run([])
        assert file.read_text() == text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_can_not_be_a_journal(chain: Any) -> None:
    with pytest.raises(doorstep.InputError, match="it is no regular file"):
        doorstep.run(chain({"A": {"Type": "Pass"}}), journal="/dev/full")


LIMITED = """
import resource, signal, sys
from doorstep_cli.main import entry

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY))
entry()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit there")
def test_a_full_disk_is_told_and_what_was_written_is_gone_on_with(
    tmp_path: Path, chain: Any
) -> None:
    definition = chain({f"Step{n}": {"Type": "Wait", "Seconds": 1} for n in range(9)})
    (tmp_path / "steps.asl.json").write_text(json.dumps(definition))
    command = [sys.executable, "-c", LIMITED, "run", "steps.asl.json", "--journal", "full.journal"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("doorstep: can't write full.journal: ")
    again = doorstep.run(definition, journal=tmp_path / "full.journal")
    assert again.status == "SUCCEEDED"
    assert sum(event.type == "WaitStateExited" for event in again.events) == 9


def cut_after(file: Path, line: bytes, lines: int = 0) -> None:
    """Cut a journal so many lines after the last one that contains this."""
    whole = file.read_bytes().splitlines(keepends=True)
    last = max(number for number, one in enumerate(whole) if line in one)
    file.write_bytes(b"".join(whole[: last + 1 + lines]))


def test_a_heartbeat_that_has_come_does_not_come_again(tmp_path: Path, chain: Any) -> None:
    def send(event: Any, context: Any) -> Any:
        context.send_task_heartbeat(event["MessageBody"], after=5)
        return {}

    given = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    waiting = service("sqs:sendMessage.waitForTaskToken", Parameters=given, HeartbeatSeconds=7)
    pause = chain({"Pause": {"Type": "Wait", "Seconds": 8}})
    fork = {"Type": "Parallel", "Branches": [chain({"Send": waiting}), pause]}
    options = {"handlers": {"sqs:sendMessage": send}, "seed": 1, "journal": tmp_path / "journal"}
    whole = doorstep.run(chain({"Fork": fork}), **options)
    assert whole.events[-1].at - whole.events[0].at == 12
    cut_after(tmp_path / "journal", b'"WaitStateExited"')
    assert doorstep.run(chain({"Fork": fork}), **options).history == whole.history


def test_children_that_were_about_to_be_stopped_are_stopped(
    tmp_path: Path, chain: Any, each: Any
) -> None:
    failing = chain({"Pause": {"Type": "Wait", "Seconds": 5}, "No": {"Type": "Fail"}})
    items = each({"Item": {"Type": "Wait", "Seconds": 60}}, distributed=True, ItemsPath="$.items")
    definition = chain(
        {"Fork": {"Type": "Parallel", "Branches": [chain({"Each": items}), failing]}}
    )
    options = {"input": {"items": [1, 2]}, "seed": 1, "journal": tmp_path / "journal"}
    doorstep.run(definition, **options)
    whole = (tmp_path / "journal").read_bytes()
    assert whole.count(b'"ExecutionAborted"') == 2
    cut_after(tmp_path / "journal", b'"ExecutionFailed"')
    doorstep.run(definition, **options)
    assert (tmp_path / "journal").read_bytes() == whole


@pytest.mark.parametrize("reader", [False, True])
def test_a_map_run_that_has_failed_too_often_makes_no_more_calls(
    tmp_path: Path, chain: Any, each: Any, reader: bool
) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "items.json").write_text("[0, 1, 2]")
    calls: list[int] = []

    def item(number: int) -> Any:
        calls.append(number)
        return doorstep.answer(1, after=60) if number else doorstep.fail("Bad", after=5)

    items = {"ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
             "Parameters": {"Bucket": "bucket", "Key": "items.json"},
             "ReaderConfig": {"InputType": "JSON"}}} if reader else {"ItemsPath": "$"}  # fmt: skip
    failing = each({"Item": task("item")}, distributed=True, ToleratedFailurePercentage=10, **items)
    options = {
        "input": [0, 1, 2],
        "handlers": {"item": item},
        "seed": 1,
        "s3_root": tmp_path,
        "journal": tmp_path / "journal",
    }
    whole = doorstep.run(chain({"Each": failing}), **options)
    assert whole.error == "States.ExceedToleratedFailureThreshold"
    cut_after(tmp_path / "journal", b'["fact","failed",1735689605.0,"1",{"error":"Bad"')
    text = (tmp_path / "journal").read_bytes()
    calls.clear()
    again = doorstep.run(chain({"Each": failing}), **options)
    assert (again.history, calls) == (whole.history, [])
    assert (tmp_path / "journal").read_bytes().startswith(text)


@pytest.mark.parametrize("resource", [FUNCTION + "deep", "arn:aws:states:::lambda:invoke"])
def test_the_deepest_value_is_stored_and_read_again(
    tmp_path: Path, chain: Any, resource: str
) -> None:
    deep = json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    fields = {"Parameters": {"FunctionName": "deep"}, "OutputPath": "$.Payload"}
    work = {"Type": "Task", "Resource": resource, **(fields if "invoke" in resource else {})}
    options = {"handlers": {"deep": lambda _: deep}, "seed": 1}
    whole = doorstep.run(chain({"Work": work}), **options)
    for _ in range(2):
        run = doorstep.run(chain({"Work": work}), **options, journal=tmp_path / "journal")
        assert (run.history, run.error) == (whole.history, whole.error)


KILLED = """
import os, pathlib, signal

FOLDER = pathlib.Path(__file__).parent

def note(name, context):
    with open(FOLDER / "calls", "a") as file:
        print(name, context.idempotency_key, file=file)

def first(event, context):
    note("first", context)
    return 1

def second(event, context):
    note("second", context)
    if not (FOLDER / "again").exists():
        (FOLDER / "again").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_in_a_handler_the_same_command_goes_on(tmp_path: Path, chain: Any) -> None:
    (tmp_path / "handlers.py").write_text(KILLED)
    definition = chain({"First": task("first"), "Second": task("second")})
    (tmp_path / "two.asl.json").write_text(json.dumps(definition))
    program = "from doorstep_cli.main import entry; entry()"
    command = [sys.executable, "-c", program, "run", "two.asl.json", "--handlers", "handlers.py"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--clock", "real", "--journal", "two.journal"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert run().returncode < 0
    again = run()
    assert (again.returncode, again.stdout) == (0, "2\n")
    assert "continuing after the 9 events in two.journal" in again.stderr
    first, *second = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert first[0] == "first"
    assert [name for name, _ in second] == ["second", "second"]
    assert len({key for _, key in second}) == 1
