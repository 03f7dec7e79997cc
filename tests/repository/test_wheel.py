"""The wheel that users install: what is in it, and what a type checker says of a user's file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("doorstep", "doorstep_cli", "doorstep_emulator", "doorstep_conformance")
RIGHT = """
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import doorstep
from doorstep.testing import Mocks, ObservedExecution, SimulatedClock, StateMachine, mock
from doorstep_emulator import Deployment, Options, running, serve


@doorstep.handler("Work", "sqs:sendMessage")
def work(event: dict[str, int], context: doorstep.Context) -> object:
    context.heartbeat()
    return doorstep.answer(event["n"], after="1h") if context.attempt else doorstep.fail("Busy")


async def later(event: dict[str, int]) -> int:
    return event["n"]


def watch(execution: doorstep.Execution, event: object) -> None:
    print(execution.name, execution.machine, event)


handlers: dict[str, Callable[..., object]] = {"work": work, "later": later}
mocks = Mocks(mock("Work", doorstep.no_answer(), when=bool), mock_validation="warn")
execution = doorstep.run(
    {}, {"n": 1}, handlers, seed=1, type="EXPRESS", s3_root="buckets", on_event=watch
)
print(execution.status, execution.output, execution.error, execution.cause, execution.history)
print(execution.path, execution.took + timedelta(1), execution.state("Work").errors)
with doorstep.start(
    Path("a.asl.json"),
    input_json="{}",
    clock="real",
    start_time=datetime.now(UTC),
    name="order-17",
    state_machine_name="Orders",
    state_machines={"b": {}, "c": ("c.asl.json", "EXPRESS")},
    quotas={"history_events": None},
    journal="orders.journal",
    respond=mocks,
) as started:
    started.advance("2h")
    started.callbacks.send_task_success("token", {"n": 1})
    started.stop("Enough", "of this")
    if started.redrivable:
        started.redrive()
    print(started.wait().picture)
print(mocks.run({}, state_machine_name="a").status, mocks.remarks())
resumed: doorstep.Execution = doorstep.resume("history.json", {}, state="Work", times=False)
replay = doorstep.replay("history.json", {}, handlers=handlers, s3_root=Path())
print(replay.same, replay.difference, replay.path, replay.as_json())
moments = doorstep.moments("history.json", {})
print(moments[0].variables, moments.state("Work").visits)
views: list[doorstep.ExecutionView] = [execution, replay, moments]
for diagnostic in doorstep.validate({}, severity="WARNING"):
    print(diagnostic.code, diagnostic.location)
print(doorstep.explore({}, runs=10, state_machine_name="a").as_json())
doorstep.test_state({"definition": "{}"})
doorstep.jsonata.compile("1 + 1").evaluate(bindings={"x": 1})


def test_it(state_machine: Callable[..., StateMachine], virtual_clock: SimulatedClock) -> None:
    machine = state_machine("order.asl.json", handlers="handlers.py")
    observed: ObservedExecution = machine.run({"n": 1}, mocks=[mock("Work", 1)], seed=2)
    assert [call.event for call in observed.called("Work")] == [1]
    virtual_clock.advance("2h")
    assert machine.start(mocks="mocks.yaml").children == []


with running(Options(port=0, deployments=[Deployment("a", "{}")])) as url:
    print(url)
"""
HEAD = [
    *RIGHT.partition("\n\n\n")[0].strip().splitlines(),
    "machine: StateMachine",
    "execution: doorstep.Execution",
]
UNKNOWN, MISTYPED = "Unexpected keyword argument", "has incompatible type"
WRONG = {
    call.replace("{BAD}", bad): expected
    for call in (
        "doorstep.run({}, {BAD})",
        "doorstep.start({}, {BAD})",
        "doorstep.resume('h', {}, {BAD})",
        "doorstep.replay('h', {}, {BAD})",
        "doorstep.moments('h', {}, {BAD})",
        "doorstep.explore({}, {BAD})",
        "doorstep.validate({}, {BAD})",
        "Mocks({BAD})",
        "Mocks().run({}, {BAD})",
        "mock('Work', 1, {BAD})",
        "StateMachine.run(machine, {BAD})",
        "StateMachine.start(machine, {BAD})",
        "doorstep.answer(1, {BAD})",
        "doorstep.fail('Busy', {BAD})",
        "doorstep.no_answer({BAD})",
        "execution.stop({BAD})",
        "doorstep.test_state({}, {BAD})",
        "doorstep.jsonata.compile('1', {BAD})",
        "doorstep.jsonata.compile('1').evaluate({BAD})",
        "Options({BAD})",
    )
    for bad, expected in [("tpye='EXPRESS'", f'{UNKNOWN} "tpye"')]
} | {
    "doorstep.run({}, seed=[1])": MISTYPED,
    "doorstep.run({}, quotas={'history_events': 'many'})": "expected",
    "doorstep.run({}, type='SMALL')": MISTYPED,
    "doorstep.run({}, input_json={})": MISTYPED,
    "doorstep.run({}, s3_root=1)": MISTYPED,
    "doorstep.run({}, state_machines=['a.asl.json'])": MISTYPED,
    "doorstep.run({}, on_event='print')": MISTYPED,
    "doorstep.start({}, clock='vrtual')": MISTYPED,
    "doorstep.start({}, start_time='today')": MISTYPED,
    "doorstep.start({}, journal=1)": MISTYPED,
    "doorstep.start({}, {}, 5)": MISTYPED,
    "doorstep.resume('h', {}, at='5')": MISTYPED,
    "doorstep.replay('h', {}, times='no')": MISTYPED,
    "doorstep.moments('h', {}, arn=1)": MISTYPED,
    "doorstep.explore({}, runs='3')": MISTYPED,
    "doorstep.validate({}, severity='BAD')": MISTYPED,
    "Mocks(mock_validation='loose')": MISTYPED,
    "Mocks().run({}, respond='x')": UNKNOWN,
    "Mocks().run({}, name=1)": MISTYPED,
    "mock('Work', 1, invocation='first')": MISTYPED,
    "StateMachine.run(machine, mocks=[1])": "List item 0",
    "StateMachine.start(machine, clock='real')": UNKNOWN,
    "execution.advance([])": MISTYPED,
    "execution.stop(5)": MISTYPED,
    "execution.stat('Work')": "has no attribute",
    "doorstep.handler(1)": MISTYPED,
    "doorstep.jsonata.compile(1)": MISTYPED,
    "Options(port='8083')": MISTYPED,
    "Options(deployments=['a.asl.json'])": "List item 0",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*command, *options], check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_package_of_the_wheel_is_typed(installed: Path) -> None:
    assert [name for name in PACKAGES if not (installed / name / "py.typed").exists()] == []


def test_tools_that_publish_can_read_the_metadata(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert metadata.read_text("utf-8").startswith("Metadata-Version: 2.4\n")


@pytest.fixture(scope="module")
def complaints(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of both files; the wrong one has a call a line, after the right one's head."""
    folder = tmp_path_factory.mktemp("mypy")
    right, wrong = folder / "right.py", folder / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text("\n".join([*HEAD, *WRONG]))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty"]
    options = ["--config-file=", "--cache-dir", str(folder / "cache"), str(right), str(wrong)]
    mypy = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        timeout=1_200,  # nothing is cached, and the machine may be busy
        env={"MYPYPATH": str(installed), "PATH": ""},
        cwd=folder,
    )
    return [line for line in mypy.stdout.splitlines() if ": error: " in line]


def test_a_user_s_file_is_checked_against_the_wheel(complaints: list[str]) -> None:
    assert [line for line in complaints if "right.py" in line] == []


@pytest.mark.parametrize("call", WRONG)
def test_a_misspelt_or_mistyped_option_fails_the_type_check(
    call: str, complaints: list[str]
) -> None:
    line = len(HEAD) + 1 + list(WRONG).index(call)
    found = [text for text in complaints if f"wrong.py:{line}: " in text]
    assert any(WRONG[call] in text for text in found), found
