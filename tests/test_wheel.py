"""The wheel that users install: what is in it, and what a type checker says of a user's file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("doorstep", "doorstep_cli", "doorstep_emulator", "doorstep_conformance")
RIGHT = """
from pathlib import Path

import doorstep
from doorstep.testing.mocks import Mocks, mock
from doorstep_emulator import Options, running


def work(event: dict[str, int], context: doorstep.Context) -> object:
    return doorstep.answer(event["n"], after="1h") if context.attempt else doorstep.fail("Busy")


execution = doorstep.run({}, {"n": 1}, {"work": work}, seed=1, type="EXPRESS", s3_root="buckets")
print(execution.status, execution.output, execution.error, execution.cause, execution.history)
started = doorstep.start(Path("a.asl.json"), clock="real", state_machines={"b": {}}, quotas={})
started.wait()
Mocks(mock("Work", doorstep.no_answer())).run({}, state_machine_name="a")
doorstep.resume("history.json", {}, state="Work", times=False)
replay = doorstep.replay("history.json", {})
for diagnostic in doorstep.validate({}):
    print(diagnostic.code, diagnostic.location)
doorstep.test_state({"definition": "{}"})
doorstep.jsonata.compile("1 + 1").evaluate(bindings={"x": 1})
with running(Options(port=0, deployments=())) as url:
    print(url)
"""
WRONG = {
    'doorstep.run({}, clok="real")': 'Unexpected keyword argument "clok"',
    "doorstep.run({}, seed=[1])": 'Argument "seed"',
    'doorstep.start({}, clock="vrtual")': 'Argument "clock"',
    "doorstep.start({}, machine=1)": 'Unexpected keyword argument "machine"',
    'Mocks().run({}, respond="x")': 'Unexpected keyword argument "respond"',
    'doorstep.resume("h", {}, stat="A")': 'Unexpected keyword argument "stat"',
    'doorstep.validate({}, severity="BAD")': 'Argument "severity"',
    "Options(prt=1)": 'Unexpected keyword argument "prt"',
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


def test_a_user_s_file_is_checked_against_the_wheel(installed: Path, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    head = RIGHT.partition("\n\n\n")[0].strip().splitlines()
    wrong.write_text("\n".join([*head, *WRONG]))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty"]
    mypy = subprocess.run(
        [
            *command,
            "--config-file=",
            "--cache-dir",
            str(tmp_path / "cache"),
            str(right),
            str(wrong),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={"MYPYPATH": str(installed), "PATH": ""},
        cwd=tmp_path,
    )
    complaints = [line for line in mypy.stdout.splitlines() if ": error: " in line]
    assert [line for line in complaints if "right.py" in line] == []
    for number, expected in enumerate(WRONG.values(), start=len(head) + 1):
        place = f"wrong.py:{number}: "
        assert any(place in line and expected in line for line in complaints), mypy.stdout
