"""Real definitions, and files with which people went wrong, through `validate`, `run` and `serve`.

The expected exit codes of the second kind are those of the rows that describe the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES = sorted((SHARED / "samples").glob("*.json"))
FAULTS = {
    # file: exit codes of `validate` and of `run`, and the machines that `serve` has of it
    "asset.0123abcd.json": (0, 0, ["asset"]),
    "blame.asl.json": (0, 0, ["blame"]),
    "blame.mocks.yaml": (1, 2, []),
    "cdk-from-file.template.json": (0, 0, ["M"]),
    "definitionstring-line.yaml": (1, 2, []),
    "findinmap.yaml": (0, 0, ["SM"]),
    "mocks_list.yaml": (1, 2, []),
    "param-without-default.yaml": (2, 2, []),
    "placeholder-numeric.asl.json": (1, 2, []),
    "placeholder-retry.asl.json": (1, 2, []),
    "placeholder-seconds.asl.json": (1, 2, []),
    "refs.yaml": (0, 2, ["SM", "SM2"]),
    "region-arn.asl.json": (0, 0, ["region-arn"]),
    "sam-functions/template.yaml": (0, 0, ["SM"]),
    "same-label.asl.json": (0, 1, ["same-label"]),
    "split.yaml": (0, 0, ["SM"]),
    "tolerated-inline-map.asl.json": (0, 1, ["tolerated-inline-map"]),
    "two.yaml": (0, 2, ["Bad", "Good"]),
    "unquoted-number.asl.json": (1, 2, []),
    "unquoted-number.asl.yaml": (0, 2, []),
    "unquoted-number-json-template.yaml": (0, 0, ["SM"]),
    "unquoted-number-string-template.yaml": (0, 0, ["SM"]),
    "unquoted-number-yaml-template.yaml": (0, 0, ["SM"]),
}
needs_samples = pytest.mark.skipif(not SAMPLES, reason="../shared/samples is not there")
needs_faults = pytest.mark.skipif(
    not (SHARED / "faults").is_dir(), reason="../shared/faults is not there"
)


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    file = tmp_path / "anything.py"
    file.write_text(
        "import doorstep\n@doorstep.handler('*')\ndef anything(event):\n    return {}\n", "utf-8"
    )
    return file


def doorstep_cli(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    assert "bug in Doorstep" not in result.stderr
    assert "Traceback" not in result.output
    return result


@needs_samples
def test_every_real_definition_is_accepted_and_runs(handlers: Path) -> None:
    assert len(SAMPLES) == 86
    reports = json.loads(doorstep_cli("validate", *SAMPLES, "--format", "json").stdout)
    assert {report["file"] for report in reports if report["result"] != "OK"} == set()
    # That one fails for want of data is an honest end; 2 would be of a handler or a file.
    exits = {
        path.name: doorstep_cli("run", path, "--handlers", handlers, "--quiet").exit_code
        for path in SAMPLES
    }
    assert {name for name, code in exits.items() if code not in (0, 1)} == set()


@needs_samples
def test_every_real_definition_is_served_and_what_starts_is_known(
    handlers: Path, tmp_path: Path, launch: Callable[..., Any], aws: Callable[..., Any]
) -> None:
    files = [str(path) for path in SAMPLES]
    options = ("--db", str(tmp_path / "db"), "--handlers", str(handlers), "--clock", "virtual")
    server = launch(*files, *options)
    url = server.stdout.readline().split()[-1]
    client = aws(url)
    arns = [server.stdout.readline().strip() for _ in SAMPLES]
    for arn in arns:
        started = client.start_execution(stateMachineArn=arn)["executionArn"]
        assert client.describe_execution(executionArn=started)["executionArn"] == started


@needs_faults
def test_every_faulty_file_is_listed() -> None:
    files = {path.name for path in (SHARED / "faults").glob("*.*") if path.suffix != ".md"}
    assert files - {"measured.json"} == {name for name in FAULTS if "/" not in name}


@needs_faults
@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_file_is_answered_by_validate_and_run(name: str, handlers: Path) -> None:
    path = SHARED / "faults" / name
    validated, ran, _ = FAULTS[name]
    assert doorstep_cli("validate", path).exit_code == validated
    assert doorstep_cli("run", path, "--handlers", handlers).exit_code == ran


@needs_faults
def test_serve_has_what_is_good_of_the_faulty_files_and_names_the_others(
    handlers: Path, tmp_path: Path
) -> None:
    from doorstep_cli.definitions import all_accepted

    for name, (_, _, machines) in FAULTS.items():
        path = SHARED / "faults" / name
        accepted, problems = all_accepted(path, {})
        assert [one.name for one in accepted] == machines, name
        assert bool(problems) == (not machines), name
        for problem in problems:
            assert name in problem.message or Path(name).stem in problem.message
