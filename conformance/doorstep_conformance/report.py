"""Score the answers to cases, by kind of case and by area."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO, get_args

from doorstep.values.json_values import dumps

from .cases import Case, load_cases
from .compare import Grade, Verdict, judge
from .runner import answer

GRADES: tuple[Grade, ...] = get_args(Grade)
Scores = dict[str, dict[str, Counter[Grade]]]
"""The number of cases with each grade, by kind and area."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A case and the verdict on the answer to it."""

    case: Case
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts on a set of cases."""

    judged: list[Judged]

    def scores(self, by: Literal["kind", "area"] = "kind") -> dict[str, Counter[Grade]]:
        """Return the number of cases with each grade, by kind or by area."""
        scores: dict[str, Counter[Grade]] = {}
        for one in sorted(self.judged, key=lambda one: str(getattr(one.case, by))):
            scores.setdefault(getattr(one.case, by), Counter())[one.verdict.grade] += 1
        return scores

    def table(self) -> Scores:
        """Return the number of cases with each grade, by kind and area."""
        scores: Scores = {}
        for one in sorted(self.judged, key=lambda one: (one.case.kind, one.case.area)):
            areas = scores.setdefault(one.case.kind, {})
            areas.setdefault(one.case.area, Counter())[one.verdict.grade] += 1
        return scores

    def as_recorded(self, by: Literal["kind", "area"] = "kind") -> dict[str, int]:
        """Return how many cases are exact or causal, by kind or by area."""
        return {
            group: counts["exact"] + counts["causal"] for group, counts in self.scores(by).items()
        }

    @property
    def missed(self) -> list[Judged]:
        """The cases that Doorstep answers differently from AWS."""
        return [one for one in self.judged if not one.verdict.as_recorded]

    def __str__(self) -> str:
        """Return a line for each kind, then the whole score."""
        lines = [_line(kind, counts) for kind, counts in self.scores().items()]
        total = len(self.judged)
        good = total - len(self.missed)
        share = 100 * good / total if total else 0.0
        return "\n".join([*lines, f"{good} of {total} as AWS recorded them ({share:.1f} %)"])


def check(directory: Path, emit: TextIO | None = None) -> Report:
    """Answer the cases below a directory, and judge those that have a recording.

    Writes the answers to `emit`, one JSON object a line. Raises InputError for files that are not
    cases.
    """
    judged = []
    for case in load_cases(directory):
        reply = answer(case)
        if emit:
            emit.write(dumps({"id": case.id, **reply}) + "\n")
        if case.recorded is not None:
            judged.append(Judged(case, judge(case, reply)))
    return Report(judged)


def _line(kind: str, counts: Counter[Grade]) -> str:
    grades = ", ".join(f"{grade} {counts[grade]}" for grade in GRADES)
    return f"{kind}: {grades} of {counts.total()}"
