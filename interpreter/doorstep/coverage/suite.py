"""The coverage of all state machines that a run of tests used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..definitions.documents import Document, load
from ..history import visits_of
from ..runtime import Execution
from ..values.file_names import relative
from ..values.json_values import dumps
from .items import KINDS, Item, ItemKind
from .reader import Coverage

_PERCENT = re.compile(r"\d{1,3}(\.\d{1,9})?", re.ASCII)
Share = tuple[int, int]
"""How many items are covered, of how many."""


@dataclass(slots=True)
class MachineCoverage:
    """One state machine."""

    name: str
    file: str | None
    document: Document
    coverage: Coverage

    def share(self, kind: ItemKind | None = None) -> Share:
        """Return the share of all items, or of one kind."""
        hits = self.coverage.hits
        items = [item for item in self.coverage.items if kind in (None, item.kind)]
        return sum(1 for item in items if hits[item]), len(items)

    @property
    def missing(self) -> list[Item]:
        """The items that were never used."""
        hits = self.coverage.hits
        return [item for item in self.coverage.items if not hits[item]]

    def lines(self) -> dict[int, list[Item]]:
        """Return the items by the line of the definition that they stand in."""
        by_line: dict[int, list[Item]] = {}
        for item in self.coverage.items:
            by_line.setdefault(self.document.locate(item.pointer)[0], []).append(item)
        return dict(sorted(by_line.items()))


@dataclass(slots=True)
class SuiteCoverage:
    """State machines, each known by its definition."""

    _machines: dict[str, MachineCoverage] = field(default_factory=dict)

    @property
    def machines(self) -> list[MachineCoverage]:
        """By name."""
        return sorted(self._machines.values(), key=lambda one: (one.name, one.file or ""))

    def machine(
        self, name: str, definition: Mapping[str, Any], file: str | None
    ) -> MachineCoverage:
        """Return the coverage of this definition; `file`: where it is written, if known."""
        key = dumps(definition)
        if key not in self._machines:
            document = load(Path(file) if file else definition)
            self._machines[key] = MachineCoverage(name, file, document, Coverage(definition))
        return self._machines[key]

    def add(self, execution: Execution, file: str | None = None) -> None:
        """Count what an execution used."""
        identity = execution.identity
        covered = self.machine(identity.machine, execution.definition, file)
        covered.coverage.add(visits_of(execution), identity, identity.map_run)

    def add_source(self, path: Path) -> None:
        """Let the definitions of a file or folder (`*.asl.*`) count, run or not."""
        files = sorted(path.rglob("*.asl.*")) if path.is_dir() else [path]
        for file in files:
            name = file.name.partition(".")[0]
            self.machine(name, load(file).definition, relative(file))

    def share(self, kind: ItemKind | None = None) -> Share:
        """Return the share of all items, or of one kind."""
        shares = [machine.share(kind) for machine in self.machines]
        return sum(covered for covered, _ in shares), sum(total for _, total in shares)

    def shortfalls(self, thresholds: Mapping[ItemKind | None, float]) -> Iterator[str]:
        """Yield what is covered less than required, for a kind or (None) for all items."""
        for kind, wanted in thresholds.items():
            reached = percent(self.share(kind))
            if reached < wanted:
                yield f"{reached:.1f}% of {kind or 'item'}s covered, {wanted:g}% asked for"

    def plain(self) -> list[dict[str, Any]]:
        """Return plain values for `merge` in another process."""
        return [
            {
                "name": one.name,
                "file": one.file,
                "definition": one.coverage.definition,
                "hits": [
                    [item.kind, item.pointer, item.label, hits]
                    for item, hits in one.coverage.hits.items()
                ],
            }
            for one in self.machines
        ]

    def merge(self, machines: Iterable[Mapping[str, Any]]) -> None:
        """Add what `plain` gave."""
        for one in machines:
            covered = self.machine(one["name"], one["definition"], one["file"])
            hits = {Item(*members): hits for *members, hits in one["hits"]}
            covered.coverage.count(hits)


def percent(share: Share) -> float:
    """Return a percentage, 100 when there is nothing to cover."""
    covered, total = share
    return 100 * covered / total if total else 100.0


def thresholds(texts: Iterable[str]) -> dict[ItemKind | None, float]:
    """Read thresholds as options have them: "90", or "catcher=75" for one kind.

    Raises ValueError for other texts.
    """
    percentages: dict[ItemKind | None, float] = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        kind = next((one for one in KINDS if one == name), None)
        if equals and kind is None:
            raise ValueError(f"{name!r} is none of {', '.join(KINDS)}")
        if not _PERCENT.fullmatch(number):
            raise ValueError(f"{text!r} is no percentage; write 90, or catcher=75 for one kind")
        percentages[kind] = float(number)
    return percentages
