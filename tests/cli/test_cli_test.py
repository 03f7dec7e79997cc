"""`doorstep test`: suites on the command line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "examples" / "order"
GUIDE = ROOT / "docs" / "suites.md"
GOOD = """
definition: order.asl.json
handlers: handlers.py
tests:
  - {name: a good order, input_file: input.json, expect: {took: 5h}}
  - name: a declined card
    input_file: declined.json
    expect: {error: CardDeclined}
"""
MIXED = """
definition: order.asl.json
handlers: handlers.py
mocks: [{state: RefundCard, fail: Never}]
tests:
  - name: slow
    input_file: input.json
    mocks: [{state: ConfirmOrder, attempt: 3, answer: {}}]
    expect: {took: 4h}
  - {name: fine, input_file: input.json}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The order example with a suite that passes, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    for file in ("order.asl.json", "handlers.py", "input.json", "declined.json"):
        shutil.copy(ORDER / file, tmp_path)
    (tmp_path / "good.doorstep.yaml").write_text(GOOD)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["test", *arguments])


def test_a_line_for_each_test_and_the_sum() -> None:
    result = run()
    assert result.exit_code == 0
    *lines, last = result.stdout.splitlines()
    assert lines == [
        "good.doorstep.yaml",
        "  passed  a good order  5h",
        "  passed  a declined card  0s",
    ]
    assert last.startswith("2 passed in ")


def test_a_failure_shows_its_line_both_values_and_what_happened() -> None:
    Path("mixed.doorstep.yaml").write_text(MIXED)
    result = run("mixed.doorstep.yaml")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1:6] == [
        "  failed  slow  5h",
        "          mixed.doorstep.yaml:9: took",
        '          expected  "4h"',
        '          found     "5h"',
        "",
    ]
    assert lines[6] == "          SUCCEEDED after 5:00:00"
    assert "          mock never reached: ConfirmOrder (mixed.doorstep.yaml:8)" in lines
    assert "          mock never reached: RefundCard (mixed.doorstep.yaml:4)" in lines
    assert lines[-1].startswith("1 passed, 1 failed in ")


def test_the_guide_shows_what_a_failing_test_shows() -> None:
    page = GUIDE.read_text("utf-8")
    [suite, *_] = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    Path("order.doorstep.yaml").write_text(suite.replace("retries: 2", "retries: 3"))
    told = page.partition("above it would be:\n")[2].partition("\n## ")[0]
    shown = [line.strip() for line in told.strip().splitlines()]
    printed = [line.strip() for line in run("order.doorstep.yaml").stdout.splitlines()]
    assert printed[1 : 1 + len(shown)] == shown


def test_tests_are_chosen_by_a_text_of_their_name() -> None:
    result = run("-k", "DECLINED")
    assert "a declined card" in result.stdout
    assert "a good order" not in result.stdout
    nothing = run("-k", "no such thing")
    assert (
        nothing.exit_code,
        "no test has a name that contains 'no such thing'" in nothing.stderr,
    ) == (2, True)


def test_the_first_failure_may_be_the_last_test() -> None:
    Path("mixed.doorstep.yaml").write_text(MIXED)
    result = run("mixed.doorstep.yaml", "--fail-fast")
    assert result.exit_code == 1
    assert "fine" not in result.stdout


def test_a_file_that_cant_be_used_exits_with_2_and_the_others_are_run() -> None:
    Path("bad.doorstep.yaml").write_text("tests:\n- nmae: a\n")
    result = run()
    assert result.exit_code == 2
    assert "bad.doorstep.yaml:2:3: there is no member 'nmae' here; did you mean" in result.stderr
    assert "2 passed, 1 error in " in result.stdout


def test_a_test_that_cant_be_used_exits_with_2() -> None:
    Path("bad.doorstep.yaml").write_text("definition: order.asl.json\ntests: [{name: a}]")
    result = run("bad.doorstep.yaml")
    assert result.exit_code == 2
    assert "  error   a" in result.stdout
    assert "Doorstep.HandlerNotFound: The state 'ValidateOrder'" in result.stdout


def test_a_folder_without_suites_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("empty")
    assert result.exit_code == 2
    assert "no *.doorstep.yaml found in empty" in result.stderr


def test_json_and_junit_are_for_programs() -> None:
    Path("mixed.doorstep.yaml").write_text(MIXED)
    result = run("--format", "json", "--junit", "results.xml")
    assert result.exit_code == 1
    whole = json.loads(result.stdout)
    assert (whole["passed"], whole["failed"], whole["error"]) == (3, 1, 0)
    assert whole["tests"][2]["unmet"] == [
        {"line": 9, "what": "took", "expected": "4h", "found": "5h"}
    ]
    root = ET.parse("results.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("4", "1")


def test_coverage_has_the_options_of_the_plugin() -> None:
    result = run("--cov", "--cov-report", "json:cov.json", "--cov-fail-under", "catcher=90")
    assert result.exit_code == 1
    assert "json report written to cov.json" in result.stdout
    assert "FAIL: 25.0% of catchers covered, 90% asked for" in result.stderr
    [machine] = json.loads(Path("cov.json").read_text())["machines"]
    assert (machine["name"], machine["file"]) == ("order", "order.asl.json")
    assert run("--cov-fail-under", "10").exit_code == 0


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--cov-report", "pdf:x"), "'pdf:x' is none of json:FILE, xml:FILE, html:FILE"),
        (("--cov-fail-under", "states=9"), "'states' is none of state, transition, rule"),
        (
            ("--junit", "none/results.xml"),
            "cannot write results.xml: the folder none does not exist",
        ),
        (("none.yaml",), "none.yaml"),
    ],
)
def test_options_that_make_no_sense_are_refused(option: tuple[str, ...], told: str) -> None:
    result = run(*option)
    assert result.exit_code == 2
    assert told in result.stderr


def test_histories_are_kept() -> None:
    suite = GOOD.replace("{took: 5h}", "{history: kept.json}")
    Path("good.doorstep.yaml").write_text(suite)
    assert run().exit_code == 1
    assert run("--update").exit_code == 0
    assert run().exit_code == 0


def test_what_handlers_print_goes_to_stderr() -> None:
    Path("handlers.py").write_text("def validate_order(order):\n    print('looking')\n    1 / 0\n")
    result = run("-k", "good", "--format", "json")
    assert json.loads(result.stdout)["tests"][0]["name"] == "a good order"
    assert "looking" in result.stderr


def test_the_schema_is_printed() -> None:
    assert json.loads(run("--schema").stdout)["required"] == ["tests"]


def test_two_hundred_orders_with_waits_of_days_pass() -> None:
    Path("many.doorstep.yaml").write_text("""
definition: order.asl.json
handlers: handlers.py
tests:
  - name: order ${n}
    each: "{% [1..200].{'n': $} %}"
    input: {orderId: "order-${n}", card: c, items: [{sku: tea, quantity: "${n}"}]}
    mocks: [{state: FulfilOrder, answer: {number: PX}, after: 40h}]
    expect: {took: 40h, output_includes: {payment: {cents: "{% $ = 790 * ${n} %}"}}}
""")
    result = run("many.doorstep.yaml")
    assert "\n200 passed in " in result.stdout


def test_the_report_has_real_seconds_though_handlers_see_frozen_time() -> None:
    """freezegun's `perf_counter` counts from 1970."""
    pytest.importorskip("freezegun", reason="freezegun is not installed")
    assert run("--junit", "report.xml").exit_code == 0
    times = [float(case.attrib["time"]) for case in ET.parse("report.xml").iter("testcase")]
    assert max(times) < 1e6
