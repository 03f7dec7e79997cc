"""`doorstep run`: what it prints, writes and answers to whoever called it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.api import compile_definition
from doorstep.engine import journal
from doorstep_cli.main import cli
from doorstep_cli.views.progress import Progress, wanted

PROGRAM = Path(sys.executable).with_name("doorstep")
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
HANDLERS = """
import time

class CardDeclined(Exception):
    pass

def greet(event):
    print("greeting", event)
    return {"text": "Hello, " + event["name"]}

def charge(event):
    take(event)

def take(event):
    raise CardDeclined("no funds")

def a_set(event):
    return {1, 2}

def forever(event):
    while True:
        time.sleep(0.01)
"""
SLOW = """
import pathlib, time

def slow(event):
    pathlib.Path("ready").touch()
    while True:
        time.sleep(0.01)
"""


def task(function: str, **fields: Any) -> dict[str, Any]:
    resource = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return {"StartAt": "Call", "States": {"Call": state}}


def callback(**fields: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "https://queue", "MessageBody.$": "$$.Task.Token"},
        "End": True,
        **fields,
    }
    return {"StartAt": "Ask", "States": {"Ask": state}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handlers.py").write_text(HANDLERS, "utf-8")
    return tmp_path


def run(definition: Any, *options: str, stdin: str | None = None) -> Result:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    Path("flow.asl.json").write_text(text, "utf-8")
    return CliRunner().invoke(cli, ["run", "flow.asl.json", *options], input=stdin)


def says(result: Result, code: int, *texts: str) -> bool:
    """Whether a run ended with this exit code, these words on stderr, and no traceback."""
    assert result.exit_code == code, result.output
    assert "Traceback (most recent" not in result.output
    for text in texts:
        assert text in result.stderr
    return True


# What it prints ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_stdout_has_the_outputs_json_on_one_line_and_nothing_else() -> None:
    result = run(task("greet"), "--handlers", "handlers.py", "--input", '{\n"name": "Zoë"\n}')
    assert (result.exit_code, result.stdout) == (0, '{"text":"Hello, Zoë"}\n')


@pytest.mark.usefixtures("folder")
def test_what_handlers_print_goes_to_stderr() -> None:
    result = run(task("greet"), "--handlers", "handlers.py", "--input", '{"name": "Ada"}')
    assert result.stderr == "greeting {'name': 'Ada'}\n"


def test_what_programs_started_by_handlers_print_goes_to_stderr(folder: Path) -> None:
    (folder / "loud.py").write_text(
        "import subprocess, sys\n"
        "def shout(event):\n"
        "    subprocess.run([sys.executable, '-c', 'print(\"hey\")'])\n"
        "    return 1\n",
        "utf-8",
    )
    (folder / "flow.json").write_text(json.dumps(task("shout")), "utf-8")
    process = subprocess.run(
        [PROGRAM, "run", "flow.json", "--handlers", "loud.py"], capture_output=True, text=True
    )
    assert (process.stdout, process.stderr) == ("1\n", "hey\n")


@pytest.mark.usefixtures("folder")
def test_a_failure_names_state_error_message_and_the_handlers_own_frames() -> None:
    result = run(task("charge"), "--handlers", "handlers.py")
    assert says(result, 1, "FAILED in Call: CardDeclined\n  no funds\n")
    assert "in charge\n" in result.stderr
    assert "in take\n" in result.stderr
    assert "calling.py" not in result.stderr
    assert result.stdout == ""


@pytest.mark.usefixtures("folder")
def test_a_failure_inside_a_map_is_told_with_the_map_around_it() -> None:
    each = {"Type": "Map", "ItemProcessor": task("charge"), "ItemsPath": "$", "End": True}
    result = run(
        {"StartAt": "Each", "States": {"Each": each}}, "--handlers", "handlers.py", "--input", "[1]"
    )
    assert says(result, 1, "FAILED in Each[0] > Call: CardDeclined")


@pytest.mark.usefixtures("folder")
def test_format_json_gives_one_object_with_status_and_output() -> None:
    result = run(PASS, "--format", "json", "--seed", "4", "--input", "[null]")
    assert json.loads(result.stdout) == {
        "executionArn": "arn:aws:states:us-east-1:123456789012:execution:flow:seed-4",
        "name": "seed-4",
        "status": "SUCCEEDED",
        "startDate": "2025-01-01T00:00:00.000+00:00",
        "stopDate": "2025-01-01T00:00:00.000+00:00",
        "events": 4,
        "output": [None],
    }


@pytest.mark.usefixtures("folder")
def test_format_json_has_error_and_cause_of_a_failure() -> None:
    fail = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "why"}}}
    result = run(fail, "--format", "json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["status"]) == (1, "FAILED")
    assert (told["error"], told["cause"]) == ("E", "why")
    assert "output" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_the_output_is_indented_and_coloured(folder: Path) -> None:
    (folder / "flow.json").write_text(json.dumps(PASS), "utf-8")
    ours, theirs = os.openpty()
    subprocess.run(
        [PROGRAM, "run", "flow.json", "--input", '{"a":1}'],
        stdout=theirs,
        env={**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", "COLUMNS": "80"},
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "\x1b[" in shown
    assert len(shown.splitlines()) == 3


# Files -------------------------------------------------------------------------------------------


def test_history_writes_what_get_execution_history_returns(folder: Path) -> None:
    result = run(PASS, "--history", "history.json", "--seed", "1")
    assert says(result, 0, "written: history.json")
    written = json.loads((folder / "history.json").read_text("utf-8"))
    assert written == {"events": doorstep.run(PASS, seed=1).history}


@pytest.mark.parametrize("history", ["run.json", "./run.json", "{folder}/run.json"])
def test_a_journal_and_a_history_in_one_file_are_refused(folder: Path, history: str) -> None:
    result = run(PASS, "--journal", "run.json", "--history", history.format(folder=folder))
    assert says(result, 2, "--journal and --history")
    assert not (folder / "run.json").exists()


def test_the_journal_can_be_replayed(folder: Path) -> None:
    run(PASS, "--journal", "run.journal")
    lines = (folder / "run.journal").read_text("utf-8").splitlines()
    engine = journal.replay(compile_definition(PASS), journal.read(lines))
    assert engine.status == "SUCCEEDED"


@pytest.mark.usefixtures("folder")
def test_quiet_leaves_remarks_out() -> None:
    assert run(PASS, "--history", "history.json", "--quiet").stderr == ""


@pytest.mark.usefixtures("folder")
def test_a_history_that_could_not_be_written_is_refused_before_the_run() -> None:
    result = run(task("greet"), "--handlers", "handlers.py", "--history", "none/history.json")
    assert says(result, 2, "--history", "the folder none does not exist")
    assert "greeting" not in result.stderr


# Inputs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["-", "@-"])
@pytest.mark.usefixtures("folder")
def test_the_input_is_read_from_standard_input(given: str) -> None:
    assert run(PASS, "--input", given, stdin='{"n": 1}').stdout == '{"n":1}\n'


def test_the_input_is_read_from_a_file(folder: Path) -> None:
    (folder / "in.json").write_text('{"n": 2}', "utf-8")
    assert run(PASS, "--input", "@in.json").stdout == '{"n":2}\n'


@pytest.mark.usefixtures("folder")
def test_without_an_input_it_is_an_empty_object() -> None:
    assert run(PASS).stdout == "{}\n"


def test_the_definition_is_read_from_standard_input() -> None:
    result = CliRunner().invoke(cli, ["run", "-", "--input", "7"], input=json.dumps(PASS))
    assert result.stdout == "7\n"


@pytest.mark.usefixtures("folder")
def test_yaml_is_a_definition_too() -> None:
    Path("flow.yaml").write_text("StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n", "utf-8")
    assert CliRunner().invoke(cli, ["run", "flow.yaml"]).stdout == "{}\n"


@pytest.mark.usefixtures("folder")
def test_param_fills_in_placeholders() -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${X}", "End": True}}}
    assert run(definition, "--param", "X=a=b").stdout == '"a=b"\n'


TEMPLATE = """
Parameters:
  Stage: {Type: String}
Resources:
  Outer:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Start
        States:
          Start:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Parameters: {StateMachineArn: !Ref Inner}
            OutputPath: $.Output
            End: true
  Inner:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: A
        States:
          A: {Type: Pass, Result: !Ref Stage, End: true}
"""


def test_a_machine_of_a_template_can_start_its_siblings(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE, "utf-8")
    options = ["template.yaml", "--machine-name", "Outer", "--param", "Stage=test"]
    assert CliRunner().invoke(cli, ["run", *options]).stdout == '"test"\n'


def test_a_template_with_several_machines_needs_a_choice(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE, "utf-8")
    result = CliRunner().invoke(cli, ["run", "template.yaml", "--param", "Stage=test"])
    assert says(result, 2, "Outer, Inner")


def test_other_definitions_are_started_by_their_names(folder: Path) -> None:
    (folder / "child.json").write_text(json.dumps(PASS), "utf-8")
    parent = callback(
        Resource="arn:aws:states:::states:startExecution.sync:2",
        Parameters={
            "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:Child",
            "Input": [1],
        },
        OutputPath="$.Output",
    )
    assert run(parent, "--state-machine", "Child=child.json").stdout == "[1]\n"


@pytest.mark.usefixtures("folder")
def test_begin_sets_the_modelled_time() -> None:
    clock = {"Type": "Pass", "Parameters": {"at.$": "$$.Execution.StartTime"}, "End": True}
    result = run({"StartAt": "A", "States": {"A": clock}}, "--start-time", "2030-02-03T04:05:06Z")
    assert result.stdout == '{"at":"2030-02-03T04:05:06Z"}\n'


@pytest.mark.usefixtures("folder")
def test_an_express_execution_has_an_express_arn() -> None:
    result = run(PASS, "--type", "EXPRESS", "--format", "json")
    assert ":express:flow:" in json.loads(result.stdout)["executionArn"]


@pytest.mark.usefixtures("folder")
def test_a_quota_can_be_lifted() -> None:
    large = json.dumps("a" * 300_000)
    assert run(PASS, "--input", "-", stdin=large).exit_code == 2
    lifted = run(PASS, "--input", "-", "--quota", "payload_bytes=none", stdin=large)
    assert lifted.exit_code == 0, lifted.stderr


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ("not JSON", ["flow.asl.json:1:1", "INVALID_JSON_DESCRIPTION", "Unrecognized token 'not'"]),
        ("[1]", ["SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object"]),
        (
            '{"StartAt": "A",\n "States": {"A": {"Type": "Succeed", "Comnent": {}}}}',
            ["flow.asl.json:2:38", "Field 'Comnent' is not supported", "did you mean 'Comment'?"],
        ),
        (
            '{"StartAt": "A",\n "States": {"A": {"Type": "Pass", "Next": "B"}}}',
            ["flow.asl.json:2:43", "MISSING_TRANSITION_TARGET", "Missing 'Next' target: B"],
        ),
        (
            '{"StartAt": "A",\n "States": {"A": {"Type": "Succeed"},\n  "B": {"Type": "Succeed"}}}',
            ["flow.asl.json:3:3", 'State "B" is not reachable.', '\n      "B": {'],
        ),
        (json.dumps(PASS) + "[" * 100_000, ["INVALID_JSON_DESCRIPTION"]),
        ("[" * 100_000 + "]" * 100_000, ["TOO_DEEPLY_NESTED"]),
    ],
    ids=["not JSON", "no object", "field", "target", "unreachable", "rest", "deep"],
)
@pytest.mark.usefixtures("folder")
def test_a_definition_that_aws_would_refuse_is_refused_with_its_place(
    definition: str, told: list[str]
) -> None:
    result = run(definition)
    assert says(result, 2, "flow.asl.json", *told)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"a": }', ["--input", "line 1, column 7"]),
        ("NaN", ["--input", "NaN"]),
        ("[" * 100_000, ["--input", "can't be read"]),
        ("@none.json", ["can't read the input none.json", "No such file"]),
        ("flow.asl.json", ["--input", "write --input @flow.asl.json"]),
        ("@bytes", ["the input bytes is not UTF-8"]),
    ],
    ids=["broken", "NaN", "deep", "no file", "no @", "not text"],
)
def test_an_input_that_is_not_json_is_refused(folder: Path, given: str, told: list[str]) -> None:
    (folder / "bytes").write_bytes(b"\xff\xfe")
    assert says(run(PASS, "--input", given), 2, *told)


@pytest.mark.usefixtures("folder")
def test_an_input_above_256_kib_is_refused() -> None:
    result = run(PASS, "--input", "-", stdin=json.dumps("a" * 300 * 1024))
    assert says(result, 2, "262144")


@pytest.mark.usefixtures("folder")
def test_an_input_nested_more_deeply_than_python_can_encode_is_no_crash() -> None:
    deep = "[" * 900 + "]" * 900
    assert run(PASS, "--input", "-", stdin=deep).exit_code in (0, 2)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--param", "novalue", "'novalue' is not NAME=VALUE"),
        ("--state-machine", "=file", "'=file' is not NAME=FILE"),
        ("--state-machine", "Child=none.json", "can't read none.json"),
        ("--quota", "many=1", "no quota 'many'"),
        ("--quota", "payload_bytes=big", "must be a number above 0, not 'big'"),
        ("--quota", "inline_concurrency=0", "must be a number above 0"),
        ("--quota", "execution_seconds=none", "must be a number above 0"),
        ("--start-time", "noon", "'noon' is not a time"),
        ("--start-time", "9" * 30, "is not a time"),
        ("--s3-root", "none", "'none' does not exist"),
        ("--machine-name", "Flow", "flow.asl.json is a definition, not a template"),
        ("--clock", "wall", "'wall' is not one of"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_an_unusable_option_is_named(option: str, value: str, told: str) -> None:
    assert says(run(PASS, option, value), 2, option.removeprefix("--state-machine"), told)


@pytest.mark.usefixtures("folder")
def test_the_real_clock_takes_no_start_time() -> None:
    result = run(PASS, "--clock", "real", "--start-time", "0")
    assert says(result, 2, "--start-time sets the virtual clock")


@pytest.mark.usefixtures("folder")
def test_standard_input_can_only_be_one_thing() -> None:
    result = CliRunner().invoke(cli, ["run", "-", "--input", "-"], input="{}")
    assert says(result, 2, "standard input is already used for the input")


@pytest.mark.usefixtures("folder")
def test_a_definition_that_is_not_there_is_named() -> None:
    assert says(CliRunner().invoke(cli, ["run", "none.json"]), 2, "Path 'none.json' does not exist")


# Handlers that can't be used ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["none.py", "none", "flow.asl.json"])
@pytest.mark.usefixtures("folder")
def test_a_missing_handler_file_is_named_with_what_would_do(path: str) -> None:
    result = run(task("greet"), "--handlers", path)
    assert says(result, 2, f"--handlers {path}", "a .py file, a folder of them, or a module's name")


def test_a_handler_files_syntax_error_is_shown_with_line_and_caret(folder: Path) -> None:
    (folder / "broken.py").write_text("x = 1\ndef greet(:\n    pass\n", "utf-8")
    result = run(task("greet"), "--handlers", "broken.py")
    assert says(result, 2, "broken.py, line 2: invalid syntax", "def greet(:\n          ^")


def test_a_handler_file_that_raises_is_shown_with_its_line(folder: Path) -> None:
    (folder / "raises.py").write_text("x = 1\ny = x / 0\n", "utf-8")
    result = run(task("greet"), "--handlers", "raises.py")
    assert says(result, 2, "raises.py, line 2: ZeroDivisionError: division by zero")


def test_a_handler_in_a_folder_that_does_not_load_is_shown_when_it_is_called(folder: Path) -> None:
    (folder / "functions").mkdir()
    (folder / "functions" / "greet.py").write_text("def handler(:\n", "utf-8")
    result = run(task("greet"), "--handlers", "functions")
    assert says(result, 2, "Doorstep.HandlerNotLoaded", "greet.py, line 1: invalid syntax")


@pytest.mark.parametrize("options", [[], ["--handlers", "handlers.py"]])
@pytest.mark.usefixtures("folder")
def test_a_task_without_a_function_is_told_how_to_get_one(options: list[str]) -> None:
    result = run(task("ship"), *options)
    assert says(result, 2, "'Call'", "function:ship", "@doorstep.handler('ship')", "ship.py")


def test_a_module_of_the_users_folder_is_found_by_its_name(folder: Path) -> None:
    (folder / "shop_functions.py").write_text("def greet(event):\n    return 1\n", "utf-8")
    assert run(task("greet"), "--handlers", "shop_functions").stdout == "1\n"


# Runs that end badly -----------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_a_handler_that_returns_no_json_value_fails_the_run() -> None:
    result = run(task("a_set"), "--handlers", "handlers.py")
    assert says(result, 1, "Runtime.MarshalError", "set is not JSON serializable")


@pytest.mark.parametrize("clock", ["virtual", "real"])
@pytest.mark.usefixtures("folder")
def test_a_handler_that_never_returns_is_ended_by_its_timeout(clock: str) -> None:
    result = run(task("forever", TimeoutSeconds=1), "--handlers", "handlers.py", "--clock", clock)
    assert says(result, 1, "FAILED in Call: States.Timeout")


@pytest.mark.usefixtures("folder")
def test_a_cycle_ends_at_25000_events() -> None:
    again: dict[str, Any] = {"Type": "Choice", "Default": "A", "Choices": []}
    again["Choices"] = [{"Variable": "$.stop", "IsPresent": True, "Next": "Z"}]
    states = {"A": {"Type": "Pass", "Next": "C"}, "C": again, "Z": {"Type": "Succeed"}}
    result = run({"StartAt": "A", "States": states}, "--history", "history.json")
    assert says(result, 1, "maximum number of history events (25000)")
    assert len(json.loads(Path("history.json").read_text("utf-8"))["events"]) == 25_000


@pytest.mark.usefixtures("folder")
def test_a_path_that_finds_nothing_fails_with_the_path() -> None:
    lost = {"StartAt": "A", "States": {"A": {"Type": "Pass", "InputPath": "$.no", "End": True}}}
    assert says(run(lost), 1, "FAILED in A: States.Runtime", "Invalid path '$.no'")


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ('{"errorMessage": "lost", "stackTrace": 5}', "  lost\n"),
        ('{"errorMessage": null, "trace": []}', "  None\n"),
        ("[" * 5_000, "… (5,000 characters)"),
        ("two\nlines", "  two\n  lines\n"),
    ],
    ids=["odd report", "null", "deep", "lines"],
)
@pytest.mark.usefixtures("folder")
def test_whatever_stands_in_a_cause_is_shown(cause: str, told: str) -> None:
    fail = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": cause}}}
    assert says(run(fail), 1, "FAILED in F: E\n", told)


@pytest.mark.parametrize(
    ("definition", "headline"),
    [
        ({**callback(), "TimeoutSeconds": 60}, "TIMED_OUT: States.Timeout"),
        (callback(TimeoutSeconds=60), "FAILED in Ask: States.Timeout"),
        (callback(HeartbeatSeconds=60), "FAILED in Ask: States.Timeout"),
    ],
    ids=["execution", "state", "heartbeat"],
)
def test_a_callback_that_nobody_answered_gets_a_hint(
    folder: Path, definition: dict[str, Any], headline: str
) -> None:
    (folder / "ask.py").write_text(
        "import doorstep\n"
        "@doorstep.handler('sqs:sendMessage')\n"
        "def ask(event):\n    return {'MessageId': '1'}\n",
        "utf-8",
    )
    result = run(definition, "--handlers", "ask.py")
    assert says(result, 1, headline, "'Ask' got no answer", 'after="5h"')


INTERRUPTIBLE = """
import signal
# A run in the background of a shell is started with Ctrl-C ignored, and so is what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
from doorstep_cli.main import entry
entry()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent by POSIX's kill")
@pytest.mark.parametrize("clock", ["virtual", "real"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_writes_the_history_so_far(
    tmp_path: Path, clock: str, number: signal.Signals, code: int
) -> None:
    (tmp_path / "slow.py").write_text(SLOW, "utf-8")
    (tmp_path / "flow.json").write_text(json.dumps(task("slow")), "utf-8")
    options = ["--handlers", "slow.py", "--history", "history.json", "--clock", clock]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "run", "flow.json", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for(tmp_path / "ready")
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (code, "")
    assert "Interrupted in 'Call', after 4 events." in stderr
    assert "Traceback" not in stderr
    events = json.loads((tmp_path / "history.json").read_text("utf-8"))["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
    ]


def wait_for(file: Path) -> None:
    for _ in range(3_000):
        if file.exists():
            return
        time.sleep(0.01)
    pytest.fail(f"{file} did not appear")


# Progress ----------------------------------------------------------------------------------------


def test_progress_counts_states_map_items_and_simulated_time() -> None:
    wait = {"StartAt": "Nap", "States": {"Nap": {"Type": "Wait", "Seconds": 3600, "End": True}}}
    each = {"Type": "Map", "ItemProcessor": wait, "MaxConcurrency": 1, "End": True}
    progress = Progress()
    doorstep.run(
        {"StartAt": "Each", "States": {"Each": each}}, [1, 2, 3], on_event=progress.on_event
    )
    assert str(progress) == (
        "Nap · 4 states entered · 3 of 3 Map items done · simulated time 3:00:00"
    )


def test_progress_counts_the_children_of_a_map_run() -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
    each = {"Type": "Map", "ItemProcessor": processor, "End": True}
    each["ToleratedFailurePercentage"] = 100
    progress = Progress()
    seconds = iter([10.0, 14.0])
    progress._clock = lambda: next(seconds)
    shown: list[str] = []

    def on_event(execution: doorstep.Execution, event: Any) -> None:
        progress.on_event(execution, event)
        if event.type == "ExecutionStarted" and execution.input in ("1", "5"):
            shown.append(str(progress))

    definition = {"StartAt": "Each", "States": {"Each": each}}
    execution = doorstep.start(definition, [*"12345678"], on_event=on_event)
    progress.execution = execution
    execution.wait()
    assert shown[0].split(" · ")[2] == "0 items done, 0 failed"
    # Four of eight in four seconds, and the fifth has begun.
    assert shown[1].split(" · ")[2] == "4 items done, 0 failed, 1 a second, 0:00:04 left"


class Stderr(io.StringIO):
    """Where progress would go."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.isatty = lambda: terminal  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("terminal", "environment", "shown"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "CI": "true"}, False),
    ],
)
def test_progress_is_for_people_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, environment: dict[str, str], shown: bool
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Stderr(terminal=terminal))
    assert wanted() is shown


def test_a_history_does_not_replace_the_definition(tmp_path: Path) -> None:
    file = tmp_path / "m.asl.json"
    file.write_text(json.dumps(PASS))
    result = CliRunner().invoke(cli, ["run", str(file), "--history", str(file)])
    assert result.exit_code == 2
    assert "would replace the definition" in result.stderr
    assert json.loads(file.read_text()) == PASS
