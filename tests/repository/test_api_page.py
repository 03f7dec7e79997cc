"""docs/api.md is what the docstrings say, and says something about everything public."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("generate_api", ROOT / "docs/generate_api.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_page_is_up_to_date(generator: Any) -> None:
    assert generator.page() == PAGE, "docs/api.md is older than the docstrings: python3 dev.py api"


def test_every_link_of_the_contents_leads_to_an_entry(generator: Any) -> None:
    anchors = re.findall(r'<a id="([^"]+)">', PAGE)
    assert len(anchors) == len({anchor.lower() for anchor in anchors})
    headings = {generator.heading_anchor(text) for text in re.findall(r"^## (.+)$", PAGE, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= {*anchors, *headings}


def test_every_entry_explains_what_it_is_about() -> None:
    entries = re.findall(r"^### <a[^>]+></a>(\w+)\n\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert len(entries) > 40
    bare = [
        name for name, text in entries if not re.sub(r"```.*?```", "", text, flags=re.S).strip()
    ]
    assert bare == []


def test_options_that_are_passed_on_are_spelled_out() -> None:
    run = PAGE.split('"doorstep-run"')[1].split("### ")[0]
    assert re.search(r"^\| `clock` \| ", run, re.M)
    assert re.search(r"^\| `seed` \| `int \\\| str \\\| None` \|$", run, re.M)


def test_the_page_is_the_same_wherever_it_is_written() -> None:
    assert not re.findall(r" object at 0x|<class |/home/|/work/|PosixPath", PAGE)
