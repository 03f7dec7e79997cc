"""What the pages about clients of the emulator show: the AWS CLI's session, pytest, Terraform."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="boto3 is not installed")
from doorstep_emulator import Options, running

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]
URL = "http://127.0.0.1:8083"


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_session_of_the_aws_cli_prints_what_the_page_says(
    launch: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("awscli", reason="the AWS CLI is not installed")
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "aws-cli.md").read_text("utf-8")
    (serve,) = re.findall(r"^    doorstep serve (.*)$", page, re.MULTILINE)
    server = launch(*serve.split(), "--db", ":memory:")
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    (script,), (printed,) = blocks("aws-cli.md", "bash"), blocks("aws-cli.md", "text")
    none = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-eu", "-c", script.replace(URL, url)],
        env={**os.environ, **none, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout == printed, ran.stderr


def test_the_fixture_and_the_test_of_the_pytest_page_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    shutil.copytree(ROOT / "examples" / "order", pytester.path, dirs_exist_ok=True)
    fixtures, test = blocks("pytest-server.md", "python")
    pytester.makeconftest(fixtures)
    pytester.makepyfile(test)
    pytester.runpytest().assert_outcomes(passed=1)


def test_the_mocks_that_the_page_shows_are_those_of_the_example() -> None:
    (shown,) = blocks("moving-from-stepfunctions-local.md", "json")
    assert shown == (ROOT / "examples" / "order" / "MockConfigFile.json").read_text("utf-8")


@pytest.mark.skipif(
    "DOORSTEP_TERRAFORM" not in os.environ,
    reason="takes half a minute and needs Terraform with the AWS provider: DOORSTEP_TERRAFORM=1",
)
def test_terraform_applies_plans_without_changes_and_destroys(tmp_path: Path) -> None:
    (configuration,) = blocks("terraform.md", "hcl")

    def terraform(*arguments: str) -> int:
        environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        ran = subprocess.run(["terraform", *arguments], cwd=tmp_path, env=environment)
        return ran.returncode

    with running(Options(port=0)) as url:
        (tmp_path / "main.tf").write_text(configuration.replace(URL, url))
        assert terraform("init") == 0
        assert terraform("apply", "-auto-approve") == 0
        # 2 would say that there is something to change.
        assert terraform("plan", "-detailed-exitcode") == 0
        assert terraform("destroy", "-auto-approve") == 0
