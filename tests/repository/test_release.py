"""A release: its files, the workflow that publishes them, and the licences of what they need."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ALL = PROJECT["optional-dependencies"]
EXTRAS = {name: needs for name, needs in ALL.items() if name not in ("docs", "dev")}


@pytest.fixture(scope="module")
def dev() -> Any:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec
    assert spec.loader
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text("utf-8"))


def test_the_version_is_written_once(tmp_path: Path) -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT
    written = re.findall(
        r'^__version__ = "(.+)"$', (ROOT / "interpreter/doorstep/__init__.py").read_text(), re.M
    )
    command = [sys.executable, "-m", "hatchling", "version"]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert written == [built.stdout.strip()]


def test_the_source_distribution_holds_the_project_and_nothing_that_lies_beside_it(
    tmp_path: Path,
) -> None:
    copy = tmp_path / "copy"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d"]
    stray = ["notes.txt", "journal.jsonl", ".env"]
    unpack(build(ROOT, command, tmp_path / "first"), copy)
    assert not [name for name in stray if (copy / name).exists()]
    for name in stray:
        (copy / name).write_text("private")
    unpack(build(copy, command, tmp_path / "second"), tmp_path / "again")
    assert files(tmp_path / "again") == files(copy) - set(stray)
    assert "Metadata-Version: 2.4\n" in (copy / "PKG-INFO").read_text("utf-8")
    folders = {name.partition("/")[0] for name in files(copy) if "/" in name}
    assert folders == {
        ".github",
        "benchmarks",
        "cli",
        "conformance",
        "docs",
        "emulator",
        "examples",
        "interpreter",
        "tests",
    }


def build(folder: Path, command: list[str], target: Path) -> Path:
    subprocess.run([*command, str(target)], cwd=folder, check=True, capture_output=True)
    (archive,) = target.iterdir()
    return archive


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        # Python before 3.11.4 has no filters.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        for member in tar.getmembers():
            member.name = member.name.partition("/")[2]
            tar.extract(member, folder)


def files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_all_agree_on_the_versions_of_python(dev: Any, workflow: Any) -> None:
    names = " ".join(PROJECT["classifiers"])
    versions = re.findall(r"Python :: (3\.\d+)", names)
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == versions
    assert versions == dev.VERSIONS
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_only_publishing_may_have_an_identity_and_nothing_may_write(workflow: Any) -> None:
    assert workflow["permissions"] == {}
    allowed = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    reads = {"contents": "read"}
    publishes = {"id-token": "write"}
    assert allowed == {"build": reads, "test": reads, "elsewhere": reads, "publish": publishes}
    assert "secrets." not in WORKFLOW.read_text("utf-8")
    # Neither code of the project nor packages of others run where the identity is.
    assert [step for step in workflow["jobs"]["publish"]["steps"] if "uses" not in step] == []


def test_every_action_is_named_by_its_commit(workflow: Any) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions
    assert [one for one in actions if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []


def test_what_is_published_was_built_once_and_tested(workflow: Any) -> None:
    jobs = workflow["jobs"]
    assert (jobs["test"]["needs"], jobs["publish"]["needs"]) == ("build", "test")
    assert jobs["publish"]["environment"]["name"] == "pypi"
    publish = jobs["publish"]["steps"][-1]
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"] == {"attestations": True}
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true


def test_the_workflow_calls_dev_py_with_options_that_it_has(
    dev: Any, workflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("python dev.py ")]
    calls: list[tuple[bool, str, list[str] | None]] = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        dev, "release", lambda given: calls.append((given.built, given.only, given.tests))
    )
    for command in commands:
        words = command.replace("${{ matrix.python }}", dev.VERSIONS[-1]).split()
        monkeypatch.setattr(sys, "argv", words[1:])
        dev.main()
    built = (False, "3.13", None)
    assert calls == [built, (True, dev.VERSIONS[-1], []), (True, "3.13", None)]


def test_the_emulator_without_its_extra_says_what_to_install() -> None:
    program = "import sys; sys.modules['uvicorn'] = None; import doorstep_emulator"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "ModuleNotFoundError: doorstep_emulator needs uvicorn: pip install 'doorstep[server]'"
    )


# The licences of what users install. RELEASING.md has the table of those that are allowed.


def allowed_licences() -> tuple[set[str], set[str]]:
    """Return the licences, with their spellings, that the core and that an extra may need."""
    page = (ROOT / "RELEASING.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+) \| (core and extras|extras only) \|", page, re.M)
    core: set[str] = set()
    extras: set[str] = set()
    for names, where in rows:
        spellings = re.findall("`([^`]+)`", names.partition("(")[0])
        (extras if where == "extras only" else core).update(spellings)
    return core, core | extras


def needed(requirements: list[str]) -> tuple[dict[str, str], set[str]]:
    """Return the licences of what these requirements need here, and what is not installed."""
    licences: dict[str, str] = {}
    missing: set[str] = set()
    waiting, seen = list(here(requirements, ())), set()
    while waiting:
        requirement = waiting.pop()
        extras = tuple(sorted(requirement.extras))
        if (requirement.name.lower(), extras) in seen:
            continue
        seen.add((requirement.name.lower(), extras))
        try:
            distribution = importlib.metadata.distribution(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            missing.add(requirement.name)
            continue
        licences[distribution.name] = licence(distribution)
        waiting += here(distribution.requires or [], extras)
    return licences, missing


def here(requirements: list[str], extras: tuple[str, ...]) -> Iterator[Requirement]:
    """Yield those that this Python and platform have, with some extras."""
    for one in map(Requirement, requirements):
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in (*extras, "")):
            yield one


def licence(distribution: importlib.metadata.Distribution) -> str:
    """Return its licence: PEP 639's expression, or else the older field, or else classifiers."""
    metadata = distribution.metadata
    classifiers = [
        one.rpartition(" :: ")[2]
        for one in metadata.get_all("Classifier") or []
        if one.startswith("License ::")
    ]
    named = [metadata[field] for field in ("License-Expression", "License") if field in metadata]
    return next((one for one in named if one and "\n" not in one), " AND ".join(classifiers))


def permits(expression: str, allowed: set[str]) -> bool:
    """Return whether the allowed licences fulfil an SPDX expression: OR one, AND all."""
    if expression in allowed:
        return True
    for operator, enough in ((" AND ", all), (" OR ", any)):
        parts = split_outside_parentheses(expression, operator)
        if len(parts) > 1:
            return enough(permits(part.strip(), allowed) for part in parts)
    inner = expression.strip()
    return inner.startswith("(") and inner.endswith(")") and permits(inner[1:-1], allowed)


def split_outside_parentheses(expression: str, operator: str) -> list[str]:
    parts = [""]
    for piece in re.split(f"({operator})", expression):
        if piece == operator and parts[-1].count("(") == parts[-1].count(")"):
            parts.append("")
        else:
            parts[-1] += piece
    return parts


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR ISC)", True),
        ("(MIT OR ISC) AND GPL-3.0-only", False),
        ("", False),
    ],
)
def test_a_licence_expression_is_read_as_spdx_defines_it(expression: str, permitted: bool) -> None:
    assert permits(expression, {"MIT", "ISC"}) is permitted


def test_the_core_needs_only_licences_that_are_allowed() -> None:
    core, _ = allowed_licences()
    found, missing = needed(PROJECT["dependencies"])
    assert {"click", "rich", "PyYAML", "jsonpath-ng"} <= set(found)
    assert {name: text for name, text in found.items() if not permits(text, core)} == {}
    assert missing == set()


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_for_users_needs_only_licences_that_are_allowed(extra: str) -> None:
    _, allowed = allowed_licences()
    found, missing = needed(EXTRAS[extra])
    assert {name: text for name, text in found.items() if not permits(text, allowed)} == {}
    (of_dev,) = (Requirement(one) for one in ALL["dev"] if one.startswith("doorstep["))
    if extra in of_dev.extras:
        assert missing == set(), f"not installed, so not looked at: pip install -e '.[{extra}]'"
    elif missing:
        pytest.skip(f"not installed, so not looked at: {', '.join(sorted(missing))}")


def test_what_is_not_installed_is_said_and_what_is_for_other_systems_is_not(dev: Any) -> None:
    assert set(dev.EXTRAS_OF_DEVELOPERS) == set(ALL) - set(EXTRAS)
    other = "not-for-here; python_version < '3'"
    found, missing = needed(["click", "not-to-be-had>=1", other, "click[not-an-extra]"])
    assert (found["click"], missing) == ("BSD-3-Clause", {"not-to-be-had"})


def test_every_allowed_licence_is_needed() -> None:
    extras = [one for group in EXTRAS.values() for one in group]
    spelled = set(needed([*PROJECT["dependencies"], *extras])[0].values())
    _, allowed = allowed_licences()
    single = {name for name in allowed if any(name in text for text in spelled)}
    assert single == allowed
