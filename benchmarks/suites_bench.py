"""Measure 200 tests of the order workflow, each with a wait of days, in YAML and in Python.

    python benchmarks/suites_bench.py [--tests 200]

Prints CPU seconds (user and system, the least of three runs, as the machine may have other work) of
`doorstep test`, of pytest on the same suite and on the same tests in Python; then what the plugin
adds to a run of pytest that does not use it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ORDER = Path(__file__).parent.parent / "examples" / "order"
SUITE = """
definition: order.asl.json
handlers: handlers.py
mocks:
  - {{state: FulfilOrder, answer: {{number: PX}}, after: 40h}}
tests:
  - name: order ${{n}} arrives after forty hours
    each: "{{% [1..{tests}].{{'n': $}} %}}"
    input:
      orderId: order-${{n}}
      card: 4000-0341
      items: [{{sku: tea, quantity: "${{n}}"}}, {{sku: cup, quantity: 1}}]
    expect:
      took: 40h 6s
      output_includes: {{payment: {{cents: "{{% $ = 790 * ${{n}} + 450 %}}"}}}}
      states: {{ChargeCard: {{retries: 2}}}}
"""
PYTHON = """
from datetime import timedelta
import doorstep, pytest
from doorstep.testing.mocks import mock

@pytest.mark.parametrize("n", range(1, {tests} + 1))
def test_an_order_arrives_after_forty_hours(state_machine, n):
    items = [{{"sku": "tea", "quantity": n}}, {{"sku": "cup", "quantity": 1}}]
    order = {{"orderId": f"order-{{n}}", "card": "4000-0341", "items": items}}
    parcel = mock("FulfilOrder", doorstep.answer({{"number": "PX"}}, after="40h"))
    execution = state_machine("order.asl.json", "handlers.py").run(order, mocks=[parcel])
    assert execution.took == timedelta(hours=40, seconds=6)
    assert execution.output["payment"]["cents"] == 790 * n + 450
    assert execution.state("ChargeCard").retries == 2
"""
ROUNDS, EMPTY_ROUNDS = 3, 10
# Users have their modules compiled once; an environment that forbids it would measure that.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
NO_TESTS = 5
"""pytest's exit code."""


def cpu_seconds(*command: str, folder: Path, code: int = 0) -> float:
    """Return the CPU seconds of a program and what it starts."""
    before = os.times()
    ran = subprocess.run(
        [sys.executable, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    after = os.times()
    assert ran.returncode == code, ran.stdout + ran.stderr
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def plugin_cost(folder: Path) -> float:
    """Measure a run that finds no tests."""
    collect = ("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
    without = (*collect, "-p", "no:doorstep")
    rounds = [
        [cpu_seconds(*command, folder=folder, code=NO_TESTS) for command in (collect, without)]
        for _ in range(EMPTY_ROUNDS)
    ]
    return min(one[0] for one in rounds) - min(one[1] for one in rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=200)
    tests = parser.parse_args().tests
    program = "from doorstep_cli.main import entry; entry()"
    pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        for file in ("order.asl.json", "handlers.py"):
            shutil.copy(ORDER / file, folder)
        (folder / "many.doorstep.yaml").write_text(SUITE.format(tests=tests), "utf-8")
        (folder / "test_many.py").write_text(PYTHON.format(tests=tests), "utf-8")
        for title, command in (
            ("doorstep test", ("-c", program, "test")),
            ("pytest, the suite", (*pytest, "many.doorstep.yaml")),
            ("pytest, in Python", (*pytest, "test_many.py")),
        ):
            least = min(cpu_seconds(*command, folder=folder) for _ in range(ROUNDS))
            print(f"{title:<20}{tests} tests  {least:.2f} s CPU")
        print(f"the plugin adds {plugin_cost(folder / 'empty'):.3f} s to a run without it")


if __name__ == "__main__":
    main()
