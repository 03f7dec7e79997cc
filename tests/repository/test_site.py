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

FIRST = 3
"""Results of a search that one looks at."""
QUESTIONS = {
    # What a newcomer asks.
    "How do I run it with my Lambda functions?": ("Lambda", "handlers.html"),
    "My functions lie beside a template": ("run my lambda", "projects.html"),
    "My functions are in Node.js": ("Node.js", "nodejs.html"),
    "How do I mock DynamoDB?": ("mock DynamoDB", "testing.html"),
    "Why did it fail?": ("why did it fail", "at-2-am.html"),
    "I have the ARN of a failed execution": ("ARN", "at-2-am.html"),
    "What does AWS bill?": ("bill", "lint.html"),
    "How do I test a Wait of three days?": ("wait 3 days", "time.html"),
    "Where do I see the picture?": ("picture", "console.html"),
    "How do I use it in GitHub Actions?": ("GitHub Actions", "ci.html"),
    "How do I answer a task token?": ("task token", "callbacks.html"),
    "Which endpoint does boto3 need?": ("boto3 endpoint", "boto3.html"),
    "Does Terraform work?": ("Terraform", "terraform.html"),
    "Does the CDK work?": ("CDK", "sam-cdk.html"),
    "How do I run a Map over a CSV file?": ("CSV", "distributed-map.html"),
    "How do I continue a failed execution on AWS?": ("redrive", "at-2-am.html"),
    "Does it do what AWS does?": ("compare with AWS", "conformance.html"),
    "What is left after a crash?": ("crash", "journal.html"),
    "Where do secrets come from?": ("secrets", "projects.html"),
    "Can several servers share a database?": ("PostgreSQL", "scale.html"),
    "Is it there in my editor?": ("editor", "editors.html"),
    "How fast is it?": ("speed", "performance.html"),
    "Does it run on Kubernetes?": ("Kubernetes", "scale.html"),
    "I come from Step Functions Local": (
        "step functions local",
        "moving-from-stepfunctions-local.html",
    ),
    # And later.
    "What does Express cost?": ("express cost", "lint.html"),
    "How do I answer a callback?": ("waitForTaskToken", "callbacks.html"),
    "How do I run JSONata by itself?": ("jsonata compile", "api.html"),
    "How do I come here from moto?": ("moto", "moving-from-moto.html"),
    "What do my tests cover?": ("coverage", "testing.html"),
    "Can a Map run on a cluster?": ("Dask", "executors.html"),
    "Is there advice on my definition?": ("lint", "lint.html"),
    "How do I set up my editor?": ("language server", "editors.html"),
    "Are schedules run?": ("schedule", "one-endpoint.html"),
    "How does a run outlive its process?": ("journal", "journal.html"),
    "How do I test one state?": ("TestState", "test-state.html"),
    "How do I see the children of a map run?": ("map run", "distributed-map.html"),
    "How do I replay a history?": ("replay", "replay.html"),
    "How do I mock a task?": ("mock", "testing.html"),
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


@pytest.fixture(scope="module")
def results(site: Path) -> dict[str, list[str]]:
    """The pages that the site's own search shows for each query, the first first."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, which runs the search")
    asked = subprocess.run(
        [node, str(Path(__file__).with_name("site_search.js")), str(site)],
        input=json.dumps([words for words, _ in QUESTIONS.values()]),
        capture_output=True,
        text=True,
        check=True,
    )
    pages: dict[str, list[str]] = json.loads(asked.stdout)
    return pages


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_search_shows_the_page_that_answers_among_the_first(
    results: dict[str, list[str]], question: str
) -> None:
    words, page = QUESTIONS[question]
    assert page in results[words][:FIRST]


def test_words_to_find_a_page_by_are_of_pages_that_exist() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8").split("found_by:")[1].split("\nplugins:")[0]
    named = re.findall(r"^    ([\w./-]+\.md):", text, re.MULTILINE)
    assert len(named) > 20
    assert [page for page in named if not (ROOT / "docs" / page).exists()] == []


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
