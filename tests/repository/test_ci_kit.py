"""The CI kit, as far as it can be tried without GitHub, GitLab and Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from doorstep_cli.main import cli

KIT = Path(__file__).parents[2] / "docs" / "ci"
EXAMPLE = Path(__file__).parents[2] / "examples" / "approval"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    if not (shutil.which("git") and shutil.which("bash")):
        pytest.skip("needs git and bash")
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def check(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the action does."""
    command, env = ["bash", str(KIT / "check.sh")], environment(project, **variables)
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)


def environment(project: Path, **variables: str) -> dict[str, str]:
    """A home with nothing in it, and the `doorstep` that these tests run on."""
    programs = project.parent / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "doorstep"
    call = "import sys; from doorstep_cli.main import entry; entry()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{call}" "$@"\n')
    program.chmod(0o755)
    return {
        "HOME": str(project.parent),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "DOORSTEP_SUMMARY": str(project / "summary.md"),
        **variables,
    }


def fake(project: Path, *names: str) -> Path:
    """Put programs on the path that only write down how they are called; return where."""
    called = project.parent / "called.txt"
    (project.parent / "bin").mkdir(exist_ok=True)
    for name in names:
        program = project.parent / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>{called}\n')
        program.chmod(0o755)
    return called


def test_a_good_project_passes_and_leaves_its_reports(project: Path) -> None:
    base = git(project, "rev-parse", "HEAD").strip()
    definition = project / "approval.asl.json"
    definition.write_text(definition.read_text().replace("NeedsApproval", "TooMuch"))
    suite = project / "approval.doorstep.yaml"
    suite.write_text(suite.read_text().replace("NeedsApproval", "TooMuch"))
    write_baseline(project, "approval.asl.json")
    variables = {"DOORSTEP_TESTS": ".", "DOORSTEP_EXPLORE": "approval.asl.json"}
    done = check(project, DOORSTEP_BASE=base, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((project / "doorstep.sarif").read_text())["version"] == "2.1.0"
    assert "<testsuite" in (project / "doorstep.junit.xml").read_text()
    assert "line-rate" in (project / "doorstep.coverage.xml").read_text()
    summary = (project / "summary.md").read_text()
    assert "- test: passed" in summary
    before, after = re.findall(r"```mermaid\n(.*?)```", summary, re.DOTALL)
    assert "NeedsApproval" in before
    assert "TooMuch" in after


def test_all_steps_run_and_one_that_fails_decides(project: Path) -> None:
    (project / "broken.asl.json").write_text('{"StartAt": "A", "States": {}}')
    done = check(project, DOORSTEP_TESTS=".")
    assert done.returncode == 1
    summary = (project / "summary.md").read_text()
    assert "- **validate: failed**" in summary
    assert "- test: passed" in summary


def write_baseline(project: Path, *definitions: str) -> Any:
    for definition in definitions:
        options = ["--baseline", "doorstep.baseline.json", "--update-baseline"]
        command = ["doorstep", "explore", definition, *options]
        subprocess.run(command, cwd=project, env=environment(project), check=True)
    return json.loads((project / "doorstep.baseline.json").read_text())


def test_without_a_baseline_every_finding_fails_and_none_is_written(project: Path) -> None:
    states = {"A": {"Type": "Pass", "Result": {}, "Next": "B"}}
    states["B"] = {"Type": "Pass", "InputPath": "$.y", "End": True}
    (project / "one.asl.json").write_text(json.dumps({"StartAt": "A", "States": states}))
    for _ in range(2):
        assert check(project, DOORSTEP_EXPLORE="one.asl.json").returncode == 1
    assert not (project / "doorstep.baseline.json").exists()
    assert "--update-baseline" in (project / "summary.md").read_text()


def test_a_baseline_fails_for_new_findings_only(project: Path) -> None:
    definition = project / "one.asl.json"
    states = {
        "Make": {"Type": "Pass", "Result": {"x": 1}, "Next": "Read"},
        "Read": {"Type": "Pass", "InputPath": "$.y", "End": True},
    }
    definition.write_text(json.dumps({"StartAt": "Make", "States": states}))
    known = write_baseline(project, "one.asl.json")
    assert known["explored"] == ["one"]
    assert {one["machine"] for one in known["findings"]} == {"one"}
    second = check(project, DOORSTEP_EXPLORE="one.asl.json")
    assert second.returncode == 0
    assert "2 known findings are left out, 0 no longer occur" in second.stderr
    states["Make"]["Next"] = "Look"
    states["Look"] = {"Type": "Pass", "InputPath": "$.z", "ResultPath": "$.w", "Next": "Read"}
    definition.write_text(json.dumps({"StartAt": "Make", "States": states}))
    assert check(project, DOORSTEP_EXPLORE="one.asl.json").returncode == 1


def test_a_machine_that_was_clean_is_known_and_its_first_findings_are_new(project: Path) -> None:
    good = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"x": 1}, "Next": "B"}}}
    good["States"]["B"] = {"Type": "Pass", "InputPath": "$.x", "End": True}
    bad = json.loads(json.dumps(good).replace("$.x", "$.y"))
    for name, definition in (("one", good), ("two", bad)):
        (project / f"{name}.asl.json").write_text(json.dumps(definition))
    both = {"DOORSTEP_EXPLORE": "one.asl.json two.asl.json"}
    known = write_baseline(project, "one.asl.json", "two.asl.json")
    assert known["explored"] == ["one", "two"]
    assert {each["machine"] for each in known["findings"]} == {"two"}
    assert check(project, **both).returncode == 0
    (project / "one.asl.json").write_text(json.dumps(bad))
    assert check(project, **both).returncode == 1


def test_findings_of_a_machine_that_a_baseline_does_not_have_are_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    states = {"A": {"Type": "Pass", "Result": {}, "Next": "B"}}
    states["B"] = {"Type": "Pass", "InputPath": "$.y", "End": True}
    for name in ("one", "two"):
        Path(f"{name}.asl.json").write_text(json.dumps({"StartAt": "A", "States": states}))

    def explore(name: str, *more: str) -> Any:
        command = ["explore", f"{name}.asl.json", "--baseline", "known.json", *more]
        return CliRunner().invoke(cli, command)

    assert explore("one").exit_code == 0
    known = Path("known.json")
    known.write_text(json.dumps(json.loads(known.read_text())["findings"]))  # as earlier versions
    assert explore("one").exit_code == 0
    refused = explore("two")
    assert refused.exit_code == 1
    assert "known.json does not have two; add it with --update-baseline" in refused.stderr
    assert explore("two", "--update-baseline").exit_code == 0
    assert explore("two").exit_code == 0
    assert explore("one").exit_code == 0
    assert json.loads(known.read_text())["explored"] == ["one", "two"]


def test_a_definition_that_is_refused_is_not_drawn_and_names_are_what_they_are(
    project: Path,
) -> None:
    base = git(project, "rev-parse", "HEAD").strip()
    (project / "zwei Wörter.asl.json").write_text('{"StartAt": "A", "States": {}}')
    git(project, "add", ".")
    check(project, DOORSTEP_BASE=base)
    summary = (project / "summary.md").read_text()
    assert "\n### zwei Wörter.asl.json\n\nIt can't be drawn" in summary
    assert "```mermaid" not in summary


@pytest.mark.parametrize("version", ["", "1.2.3"])
def test_the_steps_of_the_action_do_it_with_its_inputs(project: Path, version: str) -> None:
    action = yaml.safe_load((KIT / "action.yml").read_text())
    inputs = {name: str(one["default"]) for name, one in action["inputs"].items()}
    inputs |= {"version": version, "tests": ".", "base": git(project, "rev-parse", "HEAD").strip()}
    called = fake(project, "python")
    for step in (step for step in action["runs"]["steps"] if "run" in step):
        assert step["shell"] == "bash"
        own = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: inputs[found[1]], value)
            for name, value in step["env"].items()
        }
        summary = str(project / "step-summary.md")
        runner = {"GITHUB_ACTION_PATH": str(KIT), "GITHUB_STEP_SUMMARY": summary}
        env = environment(project, **runner, **own)
        command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
        subprocess.run(command, cwd=project, env=env, check=True)
    wanted = f"doorstep[test,local]{f'=={version}' if version else ''}"
    assert called.read_text() == f"python -m pip install --quiet {wanted}\n"
    assert "- test: passed" in (project / "step-summary.md").read_text()


def test_the_job_of_the_template_does_it_and_leaves_its_artifacts(project: Path) -> None:
    job = yaml.safe_load((KIT / "gitlab.yml").read_text())["doorstep"]
    (project / "ci").mkdir()
    shutil.copy(KIT / "check.sh", project / "ci" / "doorstep.sh")
    called = fake(project, "apt-get", "pip")
    variables = {name: str(value) for name, value in job["variables"].items()}
    env = environment(project, **variables | {"DOORSTEP_TESTS": "."})
    script = "\n".join([*job["before_script"], *job["script"]])
    subprocess.run(["bash", "-e", "-c", script], cwd=project, env=env, check=True)
    assert called.read_text().endswith("pip install --quiet doorstep[test,local]\n")
    reports = job["artifacts"]["reports"]
    left = [*job["artifacts"]["paths"], reports["junit"], reports["coverage_report"]["path"]]
    assert [name for name in left if not (project / name).is_file()] == []


def test_the_hooks_of_pre_commit_refuse_a_faulty_definition(project: Path) -> None:
    hooks = yaml.safe_load((KIT.parents[1] / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["doorstep-validate", "doorstep-lint"]
    (project / "bad.asl.yaml").write_text("StartAt: A\nStates: {}\n")
    for hook in hooks:
        files = [one.name for one in project.iterdir() if re.search(hook["files"], one.name)]
        assert sorted(files) == ["approval.asl.json", "bad.asl.yaml"]
        command = [*hook["entry"].split(), "bad.asl.yaml"]
        done = subprocess.run(command, cwd=project, env=environment(project), capture_output=True)
        assert done.returncode in {1, 2}
        assert b"bad.asl.yaml" in done.stdout


def test_the_action_and_the_template_give_the_script_what_it_reads() -> None:
    script = (KIT / "check.sh").read_text()
    read = set(re.findall(r"\$\{?(DOORSTEP_[A-Z]+)", script))
    action = yaml.safe_load((KIT / "action.yml").read_text())
    steps = action["runs"]["steps"]
    (check_step,) = (step for step in steps if "check.sh" in step.get("run", ""))
    assert set(check_step["env"]) == read - {"DOORSTEP_SUMMARY"}
    assert check_step["run"].startswith('DOORSTEP_SUMMARY="$GITHUB_STEP_SUMMARY" ')
    used = re.findall(r"inputs\.(\w+)", json.dumps(steps))
    assert set(used) == set(action["inputs"])
    template = yaml.safe_load((KIT / "gitlab.yml").read_text())["doorstep"]
    assert set(template["variables"]) == read | {"GIT_DEPTH"}
    assert template["variables"]["GIT_DEPTH"] == 0  # the base has to be there


def test_the_image_runs_as_nobody_special_and_listens_when_asked() -> None:
    lines = (KIT / "Dockerfile").read_text().splitlines()
    steps = [line.split(" ", 1) for line in lines if re.match("[A-Z]+ ", line)]
    named = dict(steps)
    assert named["USER"] == "doorstep"
    assert named["CMD"] == '["--help"]'
    assert [word for word, _ in steps].index("USER") < [word for word, _ in steps].index("CMD")
