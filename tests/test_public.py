"""The public face of the package, and what importing it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import doorstep

DOCUMENTED = {
    # Running
    "run",
    "start",
    "validate",
    "explore",
    "test_state",
    "Execution",
    "ExecutionView",
    "StateView",
    "Exploration",
    # Replaying
    "replay",
    "resume",
    "moments",
    "Replay",
    "Moment",
    "Moments",
    # Handlers
    "handler",
    "answer",
    "fail",
    "no_answer",
    "Answer",
    "Callbacks",
    "Context",
    "TaskFailed",
    # What goes wrong
    "DoorstepError",
    "ApiError",
    "DefinitionError",
    "InputError",
    "HandlerLoadError",
    "ReplayError",
    "Diagnostic",
    "Failure",
    # The language by itself
    "jsonata",
}
HEAVY = ("click", "rich", "yaml", "jsonpath_ng", "csv", "asyncio", "concurrent")


def modules_after(statement: str) -> set[str]:
    """The modules that a new interpreter has loaded after a statement."""
    code = f"import json, sys\nbefore = set(sys.modules)\n{statement}\n"
    code += "print(json.dumps(sorted(set(sys.modules) - before)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stdout))


def test_the_face_is_the_documented_one() -> None:
    assert set(doorstep.__all__) == DOCUMENTED
    assert len(doorstep.__all__) == len(DOCUMENTED)


def test_every_name_of_the_face_is_there_and_explained() -> None:
    for name in doorstep.__all__:
        assert getattr(doorstep, name).__doc__, name


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(doorstep, "no_such_name")


def test_importing_the_package_imports_none_of_its_modules() -> None:
    loaded = modules_after("import doorstep")
    assert {name for name in loaded if name.startswith("doorstep")} == {"doorstep"}
    assert not {name for name in loaded if name.split(".")[0] in HEAVY}


def test_a_jsonpath_run_pays_neither_for_yaml_nor_the_command_line_nor_jsonata() -> None:
    run = "doorstep.run({'StartAt': 'S', 'States': {'S': {'Type': 'Pass', 'End': True}}})"
    loaded = modules_after(f"import doorstep; assert {run}.status == 'SUCCEEDED'")
    assert "doorstep.engine.engine" in loaded
    assert "doorstep.jsonata.parser" not in loaded
    heavy = ("click", "rich", "yaml", "jsonpath_ng")
    assert not {name for name in loaded if name.split(".")[0] in heavy}


def test_every_error_for_callers_is_a_doorstep_error() -> None:
    for name in ("DefinitionError", "InputError", "HandlerLoadError", "ReplayError"):
        assert issubclass(getattr(doorstep, name), doorstep.DoorstepError)
