"""The public face of the package, and what importing it costs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import doorstep

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
API = ROOT / "docs" / "api.md"
PAGES = {ROOT / "README.md", *(ROOT / "docs").glob("*.md")} - {API}

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


def public_packages() -> list[str]:
    """The packages that the architecture's page calls public."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    [sentence] = re.findall(r"^Public is what (.*?) name in", page, re.MULTILINE | re.DOTALL)
    return re.findall(r"`([\w.]+)`", sentence)


def imported(code: str) -> set[tuple[str, str]]:
    """(module, name) of what a program imports from Doorstep; the name is "" for `import`."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
    return {one for one in found if one[0].startswith("doorstep")}


def test_the_pages_and_examples_import_what_is_public_alone() -> None:
    codes = [code for page in PAGES for code in BLOCK.findall(page.read_text("utf-8"))]
    codes += [file.read_text("utf-8") for file in (ROOT / "examples").rglob("*.py")]
    used = set().union(*map(imported, codes))
    assert ("doorstep.testing", "mock") in used
    public = public_packages()
    names = {(name, public) for name in public for public in ("", *import_module(name).__all__)}
    assert used - names == set()


def test_the_api_page_is_made_of_the_public_packages() -> None:
    page = API.read_text("utf-8")
    headings = re.findall(r"^## ([\w.]+)$", page, re.MULTILINE)
    assert sorted(headings) == sorted([*public_packages(), "doorstep.pytest_plugin"])
