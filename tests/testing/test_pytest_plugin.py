"""The pytest plugin, in runs of pytest inside of the test."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Imported here, as pytester forgets modules that are imported within its runs.
import freezegun  # noqa: F401
import pytest
import yaml  # noqa: F401

import doorstep.pytest_plugin
import doorstep.pytest_plugin.coverage
import doorstep.testing.snapshots  # noqa: F401

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "testing.md"
Run = Callable[..., pytest.RunResult]

HEAD = """
import json
from datetime import UTC, datetime, timedelta
import time
import pytest
import doorstep
from doorstep.testing.mocks import mock

def work(**fields):
    resource = "arn:aws:lambda:eu-west-1:123456789012:function:work"
    return {"Type": "Task", "Resource": resource, **fields}

def chain(**states):
    names = [*states, None]
    for name, following in zip(states, names[1:]):
        states[name] |= {"Next": following} if following else {"End": True}
    return {"StartAt": names[0], "States": states}
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the text of a test module, with no other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + text)
        # A setup.py that lies in the folder of temporary files would make that the root.
        options = (
            f"--rootdir={pytester.path}",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",
            *options,
        )
        return pytester.runpytest_inprocess("-p", "doorstep.pytest_plugin", *options)

    return run


@pytest.fixture
def orders(pytester: pytest.Pytester) -> Path:
    """The order example in the folder of the tests."""
    for name in ("order.asl.json", "handlers.py"):
        shutil.copy(ROOT / "examples" / "order" / name, pytester.path)
    return pytester.path


def blocks(language: str, page: Path = GUIDE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def indented() -> list[str]:
    found = re.findall(r"(?:^    .*\n)+", GUIDE.read_text("utf-8"), re.M)
    return [block for block in found if not block.startswith("    return")]


# What the guide shows ----------------------------------------


def test_the_tests_of_the_guide_pass_and_cover_what_it_says(run: Run, orders: Path) -> None:
    result = run(blocks("python")[0], "--doorstep-cov")
    result.assert_outcomes(passed=2)
    table = next(block for block in indented() if "transitions" in block)
    result.stdout.fnmatch_lines([line.strip() for line in table.splitlines()])


def test_the_test_of_the_guide_that_answers_a_callback_passes(run: Run, orders: Path) -> None:
    run("".join(blocks("python")[:2])).assert_outcomes(passed=3)


def test_the_test_of_the_readme_passes(run: Run, orders: Path) -> None:
    text = next(block for block in blocks("python", ROOT / "README.md") if "def test_" in block)
    run(text).assert_outcomes(passed=1)


def test_the_picture_of_the_guide_is_what_a_failing_test_shows(run: Run, orders: Path) -> None:
    result = run(blocks("python")[0].replace("retries == 2", "retries == 3"))
    result.assert_outcomes(passed=1, failed=1)
    picture = next(block for block in indented() if "SUCCEEDED" in block)
    assert "\n".join(line[4:] for line in picture.splitlines()) in result.stdout.str()


# Executions --------------------------------------------------


def test_an_execution_tells_of_its_states(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    item = work(Retry=[{"ErrorEquals": ["Busy"]}])
    each = {"Type": "Map", "ItemProcessor": chain(Item=item, After={"Type": "Pass"})}
    saved = [{"ErrorEquals": ["Odd"], "Next": "Last"}]
    last = work(Catch=saved)
    definition = chain(Each=each, Middle=last, Last={"Type": "Pass"})
    machine = state_machine(definition, {"work": lambda value: value})
    busy = mock("Item", doorstep.fail("Busy"), attempt=0, index=1)
    execution = machine.run([1, 2], mocks=[busy, mock("Middle", doorstep.fail("Odd"))])
    assert execution.status == "SUCCEEDED" and execution.succeeded
    assert not execution.failed and not execution.running
    assert execution.path == ["Each", "Middle", "Last"]
    assert execution.took == timedelta(seconds=1)
    assert execution.state("Each").paths == [["Item", "After"], ["Item", "After"]]
    assert execution.state("Item").visits == 2
    assert execution.state("Item").retries == 1
    assert execution.state("Item").errors == ["Busy"]
    assert execution.state("Item")[0].retries == 0
    assert execution.state("Item")[1].retries == 1
    assert execution.state("Item")[1].input == 2
    assert execution.state("Each").output == [1, 2]
    assert execution.state("Middle").outcome == "caught"
    assert execution.state("Middle").next == "Last"
    assert execution.state("Each").took == timedelta(seconds=1)
    assert execution.output["Error"] == "Odd"
""")
    result.assert_outcomes(passed=1)


def test_states_that_were_not_reached_and_those_that_are_none(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    definition = chain(First=work(), Second=work())
    execution = state_machine(definition).run(mocks=[mock("First", doorstep.fail("Odd", "why"))])
    assert execution.failed and (execution.error, execution.cause) == ("Odd", "why")
    second = execution.state("Second")
    assert (second.visits, second.retries, second.outcome) == (0, 0, None)
    with pytest.raises(AssertionError, match="the state 'Second' was not reached"):
        second.output
    with pytest.raises(LookupError, match="no state 'Secnd'; did you mean 'Second'?"):
        execution.state("Secnd")
""")
    result.assert_outcomes(passed=1)


def test_a_failed_test_shows_every_execution(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    machine = state_machine(chain(First=work()))
    machine.run({"n": 1}, mocks=[mock("First", 1)])
    execution = machine.run({"n": 2}, mocks=[mock("First", doorstep.fail("Odd", "why"))])
    assert execution.succeeded
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Execution test_it-py-test_it-1*",
            "SUCCEEDED after 0:00:00",
            "output 1",
            "*Execution test_it-py-test_it-2*",
            "FAILED after 0:00:00 in First: Odd: why",
            "*failed * First, Odd",
            '* input {"n":2}',
        ]
    )


def test_children_of_a_distributed_map_are_executions_of_their_own(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    processor = chain(Item=work())
    processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    definition = chain(Each={"Type": "Map", "ItemProcessor": processor})
    execution = state_machine(definition, {"work": lambda n: n * 2}).run([1, 2, 3])
    assert [child.output for child in execution.children] == [2, 4, 6]
    assert execution.children[0].path == ["Item"]
    assert execution.state("Item").visits == 3
    assert [call.event for call in execution.called("work")] == [1, 2, 3]
""")
    result.assert_outcomes(passed=1)


def test_the_table_of_failures_names_what_failed_in_children(run: Run) -> None:
    result = run("""
def fails(n):
    raise ValueError(n)

def test_it(state_machine):
    processor = chain(Item=work())
    processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    inner = chain(Each={"Type": "Map", "ItemProcessor": processor, "ItemsPath": "$"})
    start = {"StateMachineArn": "inner", "Input": [1, 2]}
    begin = work(Resource="arn:aws:states:::states:startExecution.sync:2", Parameters=start)
    machine = state_machine(chain(Begin=begin), {"work": fails}, state_machines={"inner": inner})
    table = machine.run().failure_table
    [row] = [line for line in table.splitlines() if line.startswith("Begin > Each > Item ")]
    assert "ValueError" in row
""")
    result.assert_outcomes(passed=1)


def test_states_in_distributed_maps_are_counted_where_they_belong(run: Run) -> None:
    result = run("""
def each(**inside):
    processor = chain(**inside)
    processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"Type": "Map", "ItemProcessor": processor}

def test_it(state_machine):
    twice = chain(Outer=each(Inner=each(Item=work())))
    start = {"StateMachineArn": "twice", "Input": [[1, 2], [3]]}
    begin = work(Resource="arn:aws:states:::states:startExecution.sync:2", Parameters=start)
    definition = chain(Begin=begin, Item={"Type": "Pass"})
    machine = state_machine(definition, {"work": lambda n: n}, state_machines={"twice": twice})
    execution = machine.run()
    assert execution.state("Item").visits == 1
    [child] = [child for child in execution.children if child.machine == "twice"]
    assert child.state("Inner").visits == 2
    assert child.state("Item").visits == 3
""")
    result.assert_outcomes(passed=1)


NESTED = """
def nested(state_machine, pytestconfig):
    start = {"StateMachineArn": "inner", "Input": {"n": 1}}
    resource = "arn:aws:states:::states:startExecution.sync:2"
    begin = {"Type": "Task", "Resource": resource, "Parameters": start}
    pause = {"Type": "Wait", "Seconds": 60}
    outer = chain(First=work(), Begin=begin, Pause=pause, Last=work(Assign={"done": True}))
    (pytestconfig.rootpath / "inner.asl.json").write_text(json.dumps(chain(Inside=work())))
    handlers = {"work": lambda event: event}
    machines = {"inner": ("inner.asl.json", "STANDARD")}
    return state_machine(outer, handlers, state_machine_name="outer", state_machines=machines)
"""


def test_calls_are_told_in_order_those_of_children_in_between(run: Run) -> None:
    result = run(
        NESTED
        + """
def test_it(state_machine, pytestconfig):
    execution = nested(state_machine, pytestconfig).run()
    calls = [(call.state, call.at.total_seconds()) for call in execution.calls]
    assert calls == [("First", 0), ("Begin", 0), ("Inside", 0), ("Last", 60)]
    assert [call.event["n"] for call in execution.called("Inside")] == [1]
    assert execution.state("Last").assigned == {"done": True}
    [inner] = execution.children
    assert (inner.machine, inner.path) == ("inner", ["Inside"])
    assert inner.input["n"] == 1
    assert [call.state for call in inner.calls] == ["Inside"]
"""
    )
    result.assert_outcomes(passed=1)


def test_mocks_in_yaml_answer_for_machines_that_are_started_as_well(run: Run) -> None:
    result = run(
        NESTED
        + """
def test_it(state_machine, pytestconfig):
    (pytestconfig.rootpath / "mocks.yaml").write_text("mocks: [{state: Inside, answer: mocked}]")
    execution = nested(state_machine, pytestconfig).run(mocks="mocks.yaml")
    assert execution.children[0].output == "mocked"
"""
    )
    result.assert_outcomes(passed=1)


def test_a_child_that_failed_is_shown_with_its_parent(run: Run) -> None:
    result = run(
        NESTED
        + """
def test_it(state_machine, pytestconfig):
    failing = mock("Inside", doorstep.fail("Odd", "why"))
    assert nested(state_machine, pytestconfig).run(mocks=[failing]).succeeded
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["FAILED after 0:00:00 in *: *", "inner: FAILED after 0:00:00 in Inside: Odd: why"]
    )


def test_children_are_covered_in_the_files_of_their_machines(run: Run) -> None:
    result = run(
        NESTED
        + """
def test_it(state_machine, pytestconfig):
    nested(state_machine, pytestconfig).run(mocks=[mock("Inside", doorstep.fail("Odd"))])
""",
        "--doorstep-cov",
    )
    result.stdout.fnmatch_lines(
        ["inner.asl.json: not covered", "  transition Inside → end (line 1)"]
    )


def test_a_test_answers_with_the_token_that_a_call_had(run: Run) -> None:
    result = run("""
def test_it(state_machine, virtual_clock):
    message = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
    ask = work(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=message)
    machine = state_machine(chain(Ask=ask, Last={"Type": "Pass"}))
    execution = machine.start(mocks=[mock("Ask", doorstep.no_answer())])
    virtual_clock.advance("2h")
    [call] = execution.called("sqs:sendMessage")
    assert call.event["MessageBody"]["token"] == call.token
    execution.callbacks.send_task_success(call.token, {"approved": True})
    virtual_clock.advance(0)
    assert execution.output == {"approved": True}
    assert execution.took == timedelta(hours=2)
    with pytest.raises(doorstep.DoorstepError, match="is over"):
        execution.callbacks.send_task_failure(call.token, "Late")
""")
    result.assert_outcomes(passed=1)


def test_the_traceback_of_a_mistake_ends_in_the_test(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    state_machine("there-is-none.asl.json").run()
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * can't read *there-is-none.asl.json: *", "", "test_it.py:*"])
    result.stdout.no_fnmatch_line("*machines.py:*")


def test_executions_have_names_of_their_own_and_are_the_same_every_time(run: Run) -> None:
    text = """
def test_it(state_machine):
    machine = state_machine(chain(First={"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}}))
    ids = [machine.run().output["id"] for _ in range(2)]
    assert ids[0] != ids[1]
    print("ids", *ids)
"""
    printed = [re.findall("ids .*", run(text, "-s").stdout.str()) for _ in range(2)]
    assert printed[0] == printed[1] != []


# Mocks -------------------------------------------------------


def test_a_mock_that_is_never_reached_is_warned_of(run: Run) -> None:
    result = run("""
def test_it(state_machine):
    mocks = [mock("First", 1), mock("First", 2, attempt=1)]
    assert state_machine(chain(First=work())).run(mocks=mocks).output == 1
""")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*mock never reached: First, attempt 1"])


def test_a_test_case_of_a_mock_configuration_is_named(run: Run, orders: Path) -> None:
    config = {
        "StateMachines": {"order": {"TestCases": {"Sad": {"ChargeCard": "Declined"}}}},
        "MockedResponses": {"Declined": {"0": {"Throw": {"Error": "Declined", "Cause": "no"}}}},
    }
    (orders / "MockConfigFile.json").write_text(json.dumps(config))
    result = run("""
def test_it(state_machine):
    order = {"orderId": "o", "card": "c", "items": [{"sku": "tea", "quantity": 1}]}
    machine = state_machine("order.asl.json", "handlers.py")
    execution = machine.run(order, mocks="MockConfigFile.json#Sad")
    assert execution.error == "Declined"
""")
    result.assert_outcomes(passed=1)


# Time --------------------------------------------------------


def test_handlers_and_the_body_of_a_test_see_the_modelled_time(run: Run) -> None:
    result = run("""
def test_it(state_machine, virtual_clock):
    seen = []
    def look(event):
        seen.append((datetime.now(UTC), datetime.now(), time.time()))
    pause = {"Type": "Wait", "Seconds": 3600}
    definition = chain(First=work(TimeoutSeconds=9), Pause=pause, Second=work())
    virtual_clock.set("2024-02-29T12:00:00")
    assert state_machine(definition, {"work": look}).run().succeeded
    noon = datetime(2024, 2, 29, 12)
    aware = noon.replace(tzinfo=UTC)
    assert seen[0] == (aware, noon, aware.timestamp())
    assert seen[1][0] == aware + timedelta(hours=1)
    assert virtual_clock.moment == aware + timedelta(hours=1)
    assert datetime.now(UTC) == virtual_clock.moment
    virtual_clock.advance("2h")
    assert time.time() == (aware + timedelta(hours=3)).timestamp()
""")
    result.assert_outcomes(passed=1)


def test_threads_and_event_loops_of_handlers_have_the_modelled_time(run: Run) -> None:
    result = run("""
import asyncio, threading

async def a_moment_later():
    await asyncio.sleep(0.001)
    return time.time()

def test_it(state_machine):
    def look(event):
        seen = [asyncio.run(a_moment_later())]
        thread = threading.Thread(target=lambda: seen.append(time.time()))
        thread.start()
        thread.join()
        return seen
    again = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60}]
    each = {"Type": "Map", "ItemProcessor": chain(Item=work(Retry=again))}
    busy = mock("Item", doorstep.fail("Busy"), index=1, attempt=0)
    execution = state_machine(chain(Each=each), {"work": look}).run([1, 2], mocks=[busy])
    begun = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    assert execution.output == [[begun, begun], [begun + 60, begun + 60]]
    assert time.time() == begun + 60
""")
    result.assert_outcomes(passed=1)


def test_without_freezegun_handlers_see_the_real_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "freezegun", None)
    result = run("""
def test_it(state_machine, virtual_clock):
    virtual_clock.set("2024-02-29")
    machine = state_machine(chain(First=work()), {"work": lambda _: datetime.now().year})
    assert machine.run().output > 2024
""")
    result.assert_outcomes(passed=1)


def test_other_tests_have_the_real_time_those_of_other_files_also_the_real_datetime(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        test_later="""
import datetime

def test_it():
    assert datetime.datetime.__module__ == "datetime"
"""
    )
    result = run("""
BEFORE = time.time()

def test_first(virtual_clock):
    virtual_clock.set("2025-01-02")
    assert datetime.now(UTC) == virtual_clock.moment

def test_between():
    assert BEFORE <= time.time() < BEFORE + 600
    assert BEFORE <= datetime.now(UTC).timestamp() < BEFORE + 600

def test_second(state_machine):
    machine = state_machine(chain(First=work()), {"work": lambda _: datetime.now(UTC).isoformat()})
    assert machine.run().output == "2025-01-01T00:00:00+00:00"
""")
    result.assert_outcomes(passed=4)


def test_a_test_lets_time_pass(run: Run) -> None:
    result = run("""
def test_it(state_machine, virtual_clock):
    definition = chain(Pause={"Type": "Wait", "Seconds": 3 * 86_400})
    execution = state_machine(definition).start()
    assert execution.status == "NOT_STARTED"
    virtual_clock.advance("2d")
    assert execution.running and execution.state("Pause").outcome == "in progress"
    virtual_clock.set("2025-01-04")
    assert execution.succeeded
    assert virtual_clock.moment == datetime(2025, 1, 4, tzinfo=UTC)
    with pytest.raises(doorstep.InputError, match="the clock can't go back"):
        virtual_clock.set("2025-01-03")
""")
    result.assert_outcomes(passed=1)


def test_all_that_a_moment_brings_about_is_done_when_it_is_reached(run: Run) -> None:
    result = run("""
def test_it(state_machine, virtual_clock):
    pauses = {name: {"Type": "Wait", "Seconds": 3600} for name in ("First", "Second")}
    definition = chain(**pauses, Third=work(), Fourth=work())
    execution = state_machine(definition, {"work": lambda event: event}).start()
    virtual_clock.advance("2h")
    assert execution.succeeded
""")
    result.assert_outcomes(passed=1)


# Snapshots ---------------------------------------------------

SNAPSHOT = """
def test_it(state_machine, virtual_clock, history_snapshot):
    virtual_clock.set("DATE")
    fields = {"token.$": "States.UUID()", "at.$": "$$.State.EnteredTime", "n.$": "$.n"}
    definition = chain(First={"Type": "Pass", "Parameters": fields})
    history_snapshot(state_machine(definition).run({"n": N}, name="NAME"))
"""


def snapshot(date: str, n: int, name: str) -> str:
    return SNAPSHOT.replace("DATE", date).replace("N}", f"{n}}}").replace("NAME", name)


def test_a_snapshot_is_asked_for_first(run: Run) -> None:
    result = run(snapshot("2025-01-01", 1, "one"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no *test_it.json; --doorstep-update *"])


def test_a_snapshot_forgets_times_ids_and_names(run: Run) -> None:
    run(snapshot("2025-01-01", 1, "one"), "--doorstep-update").assert_outcomes(passed=1)
    run(snapshot("2026-06-06", 1, "two")).assert_outcomes(passed=1)
    result = run(snapshot("2025-01-01", 2, "one"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*-*"n": 1*', '*+*"n": 2*'])


# Coverage ----------------------------------------------------

COVERED = """
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_it(state_machine, n):
    rules = [{"Variable": "$", "NumericEquals": 1, "Next": "One"}]
    states = {
        "Pick": {"Type": "Choice", "Choices": rules, "Default": "Other"},
        "One": {"Type": "Succeed"},
        "Other": {"Type": "Succeed"},
    }
    state_machine({"StartAt": "Pick", "States": states}, state_machine_name="pick").run(n + SHIFT)
"""
WHOLE, HALF = COVERED.replace("SHIFT", "0"), COVERED.replace("SHIFT", "1")


def test_thresholds_fail_the_run(run: Run) -> None:
    assert run(WHOLE, "--doorstep-cov", "--doorstep-cov-fail-under=100").ret == 0
    result = run(HALF, "--doorstep-cov-fail-under=rule=60")
    result.assert_outcomes(passed=4)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL: 50.0% of rules covered, 60% asked for"])


def test_reports_are_written(run: Run, pytester: pytest.Pytester) -> None:
    options = [f"--doorstep-cov-report={kind}:new/cov.{kind}" for kind in ("json", "xml", "html")]
    run(HALF, "--doorstep-cov", *options).assert_outcomes(passed=4)
    whole = json.loads((pytester.path / "new/cov.json").read_text("utf-8"))
    assert whole["machines"][0]["kinds"]["state"] == {"covered": 2, "total": 3}
    assert "<coverage " in (pytester.path / "new/cov.xml").read_text("utf-8")
    assert "<html" in (pytester.path / "new/cov.html").read_text("utf-8")


def test_a_definition_without_tests_counts(run: Run, orders: Path) -> None:
    result = run(HALF, "--doorstep-cov", "--doorstep-cov-source=.")
    result.stdout.fnmatch_lines(["order *0/9 *0%"])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--doorstep-cov-report=pdf:x", "'pdf:x' is none of json:FILE, xml:FILE, html:FILE"),
        ("--doorstep-cov-fail-under=states=9", "'states' is none of state, transition, rule"),
        ("--doorstep-cov-source=none.json", "can't read *none.json"),
    ],
)
def test_options_that_make_no_sense_are_refused(run: Run, option: str, told: str) -> None:
    result = run(HALF, "--doorstep-cov", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{told}*"])


def test_workers_send_what_they_counted(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_it=HEAD + WHOLE)
    options = ["-p", "doorstep.pytest_plugin", "-p", "xdist", "-n", "2", "--doorstep-cov"]
    result = pytester.runpytest_subprocess(*options, "--doorstep-cov-report=json:cov.json")
    result.assert_outcomes(passed=4)
    [machine] = json.loads((pytester.path / "cov.json").read_text("utf-8"))["machines"]
    hits = {item["label"]: item["hits"] for item in machine["items"] if item["kind"] == "state"}
    assert hits == {"Pick": 4, "One": 1, "Other": 3}


# Cost --------------------------------------------------------


def test_a_run_that_does_not_use_the_plugin_imports_nothing_for_it() -> None:
    program = "import sys, doorstep.pytest_plugin; print(*sys.modules, sep='\\n')"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = {name for name in out.stdout.split() if name.startswith("doorstep")}
    assert loaded == {"doorstep", "doorstep.pytest_plugin", "doorstep.pytest_plugin.stash"}
    assert "freezegun" not in out.stdout


def test_two_hundred_orders_with_waits_of_days_pass(run: Run, orders: Path) -> None:
    text = """
@pytest.mark.parametrize("n", range(200))
def test_it(state_machine, n):
    order = {"orderId": f"order-{n}", "card": "c", "items": [{"sku": "tea", "quantity": n + 1}] * 3}
    machine = state_machine("order.asl.json", "handlers.py")
    parcel = doorstep.answer({"number": "PX"}, after="40h")
    execution = machine.run(order, mocks=[mock("FulfilOrder", parcel)])
    assert execution.output["payment"] == {"charge": ANY, "cents": 3 * 790 * (n + 1)}
    assert execution.took == timedelta(hours=40)
"""
    result = run("from unittest.mock import ANY\n" + text)
    result.assert_outcomes(passed=200)


def test_a_foreign_text_does_not_order_the_terminal_about(run: Run) -> None:
    result = run(
        r"""
def test_it(state_machine):
    definition = chain(**{"A\x1b[2J\u202e\ud800": work()})
    execution = state_machine(definition, handlers={"work": lambda e: 1 / 0}).run()
    assert execution.succeeded
"""
    )
    text = result.stdout.str()
    assert "A�[2J�\\ud800" in text
    assert not re.findall("[\x1b\x9b\u202e\ud800]", text)


@pytest.mark.parametrize("name", ["\x1b[31mX", "\x9b2J", "a\x07\u202e"])
def test_the_name_of_a_suite_s_test_reaches_no_terminal_as_it_is(
    pytester: pytest.Pytester, chain: Callable[..., Any], name: str
) -> None:
    tests = [{"name": name, "expect": {"status": "FAILED"}}]
    (pytester.path / "m.asl.json").write_text(json.dumps(chain({"A": {"Type": "Pass"}})))
    suite = {"definition": "m.asl.json", "tests": tests}
    (pytester.path / "a.doorstep.yaml").write_text(json.dumps(suite))
    text = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-rA").stdout.str()
    assert "1 failed" in text
    assert not re.findall("[\x1b\x9b\x07\u202e]", text)
