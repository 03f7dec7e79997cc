"""Write `docs/conformance.md`: how many cases Doorstep answers as AWS does, and why not the rest.

The page is `conformance/page.md` with tables in place of `<!-- own -->`, `<!-- recorded -->` and
`<!-- missed -->`. The recordings are not in the repository. Their scores are stored in
`conformance/recorded.json`, so that the page is the same wherever it is made;
`conformance/missed.json` has the missed cases and the reasons.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .cases import OWN_CASES
from .compare import Grade
from .report import Report, Scores

HOME = OWN_CASES.parent
RECORDED = HOME / "recorded.json"
MISSED = HOME / "missed.json"


def page(own: Report) -> str:
    """Return the page: the verdicts on Doorstep's own cases, and the stored recorded scores."""
    recorded: Scores = {
        kind: {area: Counter(grades) for area, grades in areas.items()}
        for kind, areas in _read(RECORDED).items()
    }
    parts = {
        "own": _table(own.table()),
        "recorded": _table(recorded),
        "missed": (f"- `{case}`: {reason}" for case, reason in _read(MISSED).items()),
    }
    text = (HOME / "page.md").read_text("utf-8")
    for name, lines in parts.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(lines))
    return text


def store_scores(recorded: Report) -> None:
    """Store the scores of the recorded cases for the page."""
    RECORDED.write_text(json.dumps(recorded.table(), indent=2) + "\n", "utf-8")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _table(scores: Scores) -> Iterator[str]:
    yield "| kind | area | cases | exact | causal | otherwise |"
    yield "|---|---|--:|--:|--:|--:|"
    whole: Counter[Grade] = Counter()
    for kind, areas in scores.items():
        for area, grades in areas.items():
            yield _row(kind, area, grades)
            whole += grades
    yield _row("**all**", "", whole)


def _row(kind: str, area: str, grades: Mapping[Grade, int]) -> str:
    exact, causal = grades.get("exact", 0), grades.get("causal", 0)
    cases = sum(grades.values())
    numbers = (cases, exact, causal, cases - exact - causal)
    return f"| {kind} | {area} | {' | '.join(str(number or '') for number in numbers)} |"
