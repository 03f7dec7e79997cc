"""The site: it builds without a warning, and one search finds the page that answers a question."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("material", reason="the extra docs (mkdocs-material) is not installed")

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")

QUESTIONS = {
    "What does Express cost?": ("express cost", "lint.html"),
    "How do I answer a callback?": ("waitForTaskToken", "callbacks.html"),
    "How do I continue a failed execution on AWS?": ("redrive", "at-2-am.html"),
    "How do I run JSONata by itself?": ("jsonata compile", "api.html"),
    "How do I come here from moto?": ("moto", "moving-from-moto.html"),
    "My functions are in Node.js": ("Node.js", "nodejs.html"),
    "What do my tests cover?": ("coverage", "testing.html"),
    "Can several servers share a database?": ("PostgreSQL", "scale.html"),
    "Can a Map run on a cluster?": ("Dask", "executors.html"),
    "What does an execution cost?": ("cost", "lint.html"),
    "Is there advice on my definition?": ("lint", "lint.html"),
    "How do I set up my editor?": ("language server", "editors.html"),
    "Are schedules run?": ("schedule", "one-endpoint.html"),
    "How does a run outlive its process?": ("journal", "journal.html"),
    "How do I test one state?": ("TestState", "test-state.html"),
    "How do I see the children of a map run?": ("map run", "distributed-map.html"),
    "How do I replay a history?": ("replay", "replay.html"),
    "How do I mock a task?": ("mock", "testing.html"),
    "Does Terraform work?": ("Terraform", "terraform.html"),
    "Does the CDK work?": ("CDK", "sam-cdk.html"),
    "How do I test without patching?": ("mocking", "testing.html"),
    "How does CI fail for new findings only?": ("baseline", "ci.html"),
    "How does my assistant use it?": ("MCP", "assistants.html"),
    "What ended this execution?": ("failed execution", "at-2-am.html"),
    "Is there an image for Docker?": ("Docker", "ci.html"),
}


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(site)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this tree; mkdocs.yml makes its warnings errors."""
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


def pages_with(site: Path, query: str) -> set[str]:
    """Return the pages with a section that has a query's words, split as the search splits."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))

    def words(text: str) -> set[str]:
        return set(re.split(index["config"]["separator"], text.lower()))

    return {
        entry["location"].split("#")[0]
        for entry in index["docs"]
        if words(query) <= words(f"{entry['title']} {entry['text']}")
    }


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_search_leads_to_the_page_that_answers(site: Path, question: str) -> None:
    words, page = QUESTIONS[question]
    assert page in pages_with(site, words)


def test_a_search_for_mocks_shows_how_to_test_before_what_is_looked_up(site: Path) -> None:
    """The search weighs titles most, by a page's boost."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    named = {one["location"].split("#")[0] for one in index if "mock" in one["title"].lower()}
    first = {one["location"] for one in index if one.get("boost", 1) == 1}
    assert {"testing.html", "suites.html"} <= named & first
    assert "test-state.html" not in named
    assert "api.html" not in first


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not FOREIGN.findall(page.read_text("utf-8")), page


def test_the_nav_has_the_rows_of_the_readme_in_their_order(site: Path) -> None:
    start = (site / "index.html").read_text("utf-8")
    tabs = re.findall(r'md-tabs__link">\s*(.*?)\s*</a>', start, re.DOTALL)
    table = (ROOT / "README.md").read_text("utf-8").split("## All of it")[1]
    rows = re.findall(r"^\| (\w[^|]*) \| \[", table.split("\n## ")[0], re.MULTILINE)
    assert tabs == ["Doorstep", *rows, "Project"]


def test_the_nav_has_every_page_of_a_row(site: Path) -> None:
    page = (site / "examples" / "order" / "index.html").read_text("utf-8")
    names = re.findall(r'<span class="md-ellipsis">\s*(.*?)\s*</span>', page, re.DOTALL)
    assert {"order", "approval", "enrichment", "batch job", "CSV"} <= set(names)


def test_a_link_out_of_docs_leads_to_a_page_with_that_text(site: Path) -> None:
    page = (site / "replay.html").read_text("utf-8")
    assert 'href="examples/approval/index.html"' in page
    example = (site / "examples" / "approval" / "index.html").read_text("utf-8")
    assert "approval.asl.json" in example
    assert "mail_manager" in example


def test_a_bar_in_the_code_of_a_table_has_no_backslash(site: Path) -> None:
    page = (site / "api.html").read_text("utf-8")
    assert "<code>str | None</code>" in page
    assert "\\|" not in page


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            "[gone](../examples/gone)",
            "time.md links to ../examples/gone, which is not in the repository",
        ),
        ("[out](../../other)", "time.md links to ../../other, which is not in the repository"),
        ("[gone](replay.md#gone)", "does not contain an anchor '#gone'"),
    ],
)
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path, link: str, said: str) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "docs", tree / "docs")
    shutil.copytree(ROOT / "examples", tree / "examples")
    for file in [*ROOT.glob("*.md"), ROOT / "LICENSE", ROOT / "mkdocs.yml"]:
        shutil.copy(file, tree)
    with (tree / "docs" / "time.md").open("a") as page:
        page.write(f"\n{link}\n")
    (tmp_path / "other").mkdir()
    built = build(tree, tmp_path / "out")
    assert built.returncode == 1
    assert said in built.stderr
