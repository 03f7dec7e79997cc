"""docs/facts is whole: every number that is cited exists, every link leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "docs" / "facts"
PAGES = sorted(page for page in FACTS.glob("*.md") if page.name != "README.md")
SOURCES = ["Recorded", "Measured", "Documented", "Reported", "Inferred"]

ENTRY = re.compile(
    r'^- <a id="fact-(\d+)"></a>\*\*Fact (\d+)\.\*\* (.*?)(?=^- <a id|^#|^\[|\Z)', re.M | re.S
)
CITED = re.compile(r"\bfacts? (\d{1,3}(?:(?:, | and | to |, and )\d{1,3})*)\b", re.IGNORECASE)
OUTSIDE = re.compile(r"asl-facts|shared/facts|\bbehaviours? [A-G]\d|\bsection \d of the facts")
SOURCE = re.compile(r"https?://|\bfacts? \d|\bRFC \d", re.IGNORECASE)
RULES = [
    *("interpreter/doorstep/" + folder for folder in ("asl", "intrinsics", "jsonpath", "map_runs")),
    *("interpreter/doorstep/" + folder for folder in ("model", "single_state", "validation")),
    "emulator/doorstep_emulator/api",
]
"""The folders whose modules say what AWS does."""
WITHOUT_RULES = {
    "interpreter/doorstep/jsonpath/meter.py": "a bound of our own",
    "interpreter/doorstep/map_runs/pools.py": "where children run",
    "interpreter/doorstep/map_runs/remote.py": "where children run",
    "interpreter/doorstep/map_runs/shipping.py": "where children run",
    "interpreter/doorstep/map_runs/worker.py": "where children run",
    "interpreter/doorstep/validation/diagnostics.py": "what the rules share",
}
LABEL = re.compile(r"\[([^\]\n]+(?:\n[^\]\n]+)?)\](?![(:])")
DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)


def entries() -> list[tuple[str, str, str, str]]:
    """Each entry as the page it is on, its anchor, its number and its text."""
    return [
        (page.name, *match)
        for page in PAGES
        for match in ENTRY.findall(page.read_text(encoding="utf-8"))
    ]


def numbers() -> set[int]:
    return {int(number) for _, _, number, _ in entries()}


def texts() -> list[tuple[str, str]]:
    """Every text of the repository but this one, with its name."""
    folders = ["interpreter", "cli", "emulator", "conformance", "tests", "docs", "benchmarks"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")] + [*ROOT.iterdir()]
    return [
        (path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(paths)
        if path.suffix in {".py", ".md", ".json", ".toml"} and path != Path(__file__)
    ]


def cited(text: str) -> set[int]:
    """The numbers that a text cites: "fact 12", "facts 12, 13 and 20", "facts 6 to 8"."""
    found: set[int] = set()
    for match in CITED.findall(text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", match):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_fact_has_one_entry_with_its_own_anchor() -> None:
    assert [entry for entry in entries() if entry[1] != entry[2]] == []
    counts = Counter(number for _, _, number, _ in entries())
    assert [number for number, count in counts.items() if count > 1] == []


def test_the_numbers_of_the_behaviours_and_the_measurements_are_there() -> None:
    assert set(range(1, 156)) <= numbers()


def test_every_entry_says_how_sure_it_is_and_where_it_is_known_from() -> None:
    ends = re.compile(rf"\*({'|'.join(SOURCES)}):\*\s+\S+")
    assert [number for _, _, number, text in entries() if not ends.search(text)] == []


def test_the_index_lists_every_page_with_its_facts() -> None:
    index = (FACTS / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        row = re.search(rf"\({page.name}\) \| ([\d–, ]+) \|", index)
        assert row, page.name
        listed: set[int] = set()
        for first, last in re.findall(r"(\d+)(?:–(\d+))?", row[1]):
            listed |= set(range(int(first), int(last or first) + 1))
        assert listed == {int(n) for name, _, n, _ in entries() if name == page.name}, page.name


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_links_are_defined_used_and_well_formed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    body = re.sub(r"`[^`]*`", "", DEFINITION.sub("", text))
    defined = dict(DEFINITION.findall(text))
    used = {re.sub(r"\s+", " ", label) for label in LABEL.findall(body)}
    assert used - set(defined) == set()
    assert set(defined) - used == set()
    inline = re.findall(r"\]\(([^)\s]+)\)", body)
    for target in [*defined.values(), *inline]:
        if not re.fullmatch(r"https://[a-z0-9.-]+/?[\w./#-]*", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_fact_that_is_cited_exists() -> None:
    known = numbers()
    missing = {name: cited(text) - known for name, text in texts()}
    assert {name: found for name, found in missing.items() if found} == {}


def test_no_citation_points_outside_the_repository() -> None:
    assert [(name, OUTSIDE.findall(text)) for name, text in texts() if OUTSIDE.search(text)] == []


def test_ranges_and_lists_of_citations_are_read() -> None:
    assert cited("facts 6 to 8, see fact 20 and facts 1, 2 and 3") == {1, 2, 3, 6, 7, 8, 20}


def test_every_module_that_holds_rules_of_aws_names_a_source() -> None:
    modules = [path for folder in RULES for path in (ROOT / folder).glob("*.py")]
    silent = {
        path.relative_to(ROOT).as_posix()
        for path in modules
        if path.name != "__init__.py" and not SOURCE.search(path.read_text(encoding="utf-8"))
    }
    assert silent == set(WITHOUT_RULES), "cite a fact at each rule of AWS's (docs/facts/README.md)"
