"""Slices of the night's fuzzing (`python tests/fuzzing --nightly`), and its machinery."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import strategies as st

FUZZING = Path(__file__).parents[1] / "fuzzing"
SLICES = {"run": 300, "cut": 20, "acknowledged": 15, "neighbours": 8, "bounds": 60}
"""Examples of each law that has random cases."""


def fuzz(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the fuzzer, always on the same examples."""
    command = [sys.executable, FUZZING, "--seed", "0", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("law", SLICES)
def test_a_slice_of_the_law_holds(law: str, tmp_path: Path) -> None:
    options = ("--law", law, "--examples", str(SLICES[law]), "--failures", str(tmp_path))
    ran = fuzz(*options)
    cases = [file.read_text() for file in tmp_path.iterdir()]
    assert ran.returncode == 0, [ran.stdout, ran.stderr, cases]


# The machinery -----------------------------------------------------------------------------------


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of that name; the fuzzer's modules import each other as a script's do."""
    monkeypatch.syspath_prepend(str(FUZZING))
    return importlib.import_module("law")


@pytest.fixture
def night(law: ModuleType) -> Callable[..., int]:
    function: Callable[..., int] = importlib.import_module("night").night
    return function


def is_small(number: int) -> None:
    assert number < 10


def numbers(law: ModuleType, check: Callable[..., None], **more: Any) -> Any:
    return law.Law(check, st.fixed_dictionaries({"number": st.integers(0, 1000)}), 50, **more)


def test_every_round_has_examples_of_its_own(law: ModuleType) -> None:
    def drawn(seed: int) -> list[int]:
        found: list[int] = []
        law_of_all = numbers(law, lambda number: found.append(number))
        assert law.broken_case(law_of_all, seed, 50) is None
        return found

    assert drawn(0) == drawn(0) != drawn(1)


def test_a_night_writes_the_smallest_case_that_breaks_a_law_as_a_file_and_says_its_seed(
    law: ModuleType,
    night: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    laws = {"small": numbers(law, is_small), "fine": numbers(law, lambda number: None)}
    assert night(laws, 0, 7, tmp_path) == 1
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text()) == {"number": 10}
    assert capsys.readouterr().out == (
        f"seed 7\n  small is broken, see {file}\n  fine holds\n"
        "1 rounds from seed 7; laws broken: 1\n"
    )


def test_a_night_whose_laws_hold_writes_nothing(
    law: ModuleType, night: Callable[..., int], tmp_path: Path
) -> None:
    assert night({"fine": numbers(law, lambda number: None)}, 0, 7, tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_case_fails_until_its_law_holds(law: ModuleType, tmp_path: Path) -> None:
    file = law.write_case("small", {"number": 10}, tmp_path)
    with pytest.raises(AssertionError):
        law.check_file({"small": numbers(law, is_small)}, file)
    law.check_file({"small": numbers(law, lambda number: None)}, file)


def test_a_law_without_random_cases_is_checked_with_the_seed(law: ModuleType) -> None:
    def fails(seed: int) -> None:
        raise AssertionError(seed)

    assert law.broken_case(law.Law(fails), 7, 1) == {"seed": 7}


def test_what_never_ends_breaks_a_law_even_where_exceptions_are_swallowed(
    law: ModuleType,
) -> None:
    def swallow(seed: int) -> None:
        for _ in range(2):
            with contextlib.suppress(Exception):
                while True:
                    pass

    assert law.broken_case(law.Law(swallow, patience=0.01), 7, 1) == {"seed": 7}
