"""docs/behaviours.md is complete and true: each behaviour is a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL = [*map(str, range(1, 128)), "a", "b", "c"]
ROW = re.compile(r"^\| (\d+|[abc]) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
NAMED = re.compile(r"^def test_behaviours?_((?:\d+|[abc])(?:_and_(?:\d+|[abc]))*)_", re.MULTILINE)
SECTION_A = re.compile(r"^def test_(\d+)_", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """Each behaviour's number, and where the page says that it is tested."""
    return ROW.findall((ROOT / "docs" / "behaviours.md").read_text(encoding="utf-8"))


def named_in(path: Path) -> set[str]:
    """The behaviours that the names of a file's tests name."""
    text = path.read_text(encoding="utf-8")
    numbers = {number for names in NAMED.findall(text) for number in names.split("_and_")}
    return numbers | set(SECTION_A.findall(text))


def test_the_page_has_each_behaviour_once() -> None:
    assert [number for number, _ in rows()] == [*ALL[:81], "a", "b", "c", *ALL[81:127]]


@pytest.mark.parametrize(("number", "where"), rows(), ids=[number for number, _ in rows()])
def test_a_behaviour_is_tested_wherever_the_page_says(number: str, where: str) -> None:
    files = TEST_FILE.findall(where)
    assert files
    assert [file for file in files if number not in named_in(ROOT / file)] == []
