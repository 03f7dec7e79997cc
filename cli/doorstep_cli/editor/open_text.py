"""One version of an open document, and what was found out about it so far."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from lsprotocol import types

from .edits import Edit
from .machines import Machine, Place, machines, place_at
from .problems import Findings, Problem, check
from .shapes import Shapes

_LINE_END = re.compile(r"\r\n|\n|\r")
"""What ends a line for clients: not all that does so for Python, or for YAML."""
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""By the encoding in which a client counts columns: Python's name of it, and bytes of a unit."""
_MARK = "\ufeff"


@dataclass
class OpenText:
    """A document in one version; an edit makes another."""

    uri: str
    language: str = ""
    """As the client calls it, such as `yaml`; empty where it does not say so."""
    version: int | None = None
    written: str = ""
    """The whole text."""
    encoding: str = "utf-16"
    findings: Findings = field(default_factory=Findings)
    """What versions of the document pass on to each other."""

    def changed(
        self, changes: Iterable[types.TextDocumentContentChangeEvent], version: int
    ) -> OpenText:
        """Return the version that comes of some changes, each of which counts on those before."""
        now = self
        for change in changes:
            text = change.text
            if isinstance(change, types.TextDocumentContentChangePartial):
                start, end = now._place(change.range.start), now._place(change.range.end)
                text = now.written[:start] + text + now.written[end:]
            now = replace(now, version=version, written=text)
        return now

    @cached_property
    def text(self) -> str:
        """The text behind a byte order mark, as it is read; offsets count in it."""
        return self.written.removeprefix(_MARK)

    @property
    def _marks(self) -> int:
        return len(self.written) - len(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins in what the client has."""
        return [0, *(one.end() for one in _LINE_END.finditer(self.written))]

    @cached_property
    def yaml(self) -> bool:
        """Whether it is YAML: by its name, its language, or its first character."""
        if self.uri.endswith((".yaml", ".yml")) or "yaml" in self.language:
            return True
        if self.uri.endswith(".json") or self.language.startswith("json"):
            return False
        return not self.text.lstrip().startswith(("{", "//", "/*"))

    @cached_property
    def machines(self) -> list[Machine]:
        """The state machines in it."""
        return machines(self.text, yaml=self.yaml)

    @cached_property
    def problems(self) -> list[Problem]:
        """What is wrong."""
        return check(self.text, self.machines, self.findings, yaml=self.yaml)

    def shapes(self, machine: Machine) -> Shapes:
        """Return what is known of a machine's data, from its last accepted definition."""
        accepted = self.findings.accepted.get(machine.name)
        return accepted.shapes if accepted else Shapes()

    def offset(self, position: types.Position) -> int:
        """Return the offset of a client's position; beyond the end of a line is its end."""
        return max(self._place(position) - self._marks, 0)

    def _place(self, position: types.Position) -> int:
        if position.line >= len(self.starts):
            return len(self.written)
        start = self.starts[position.line]
        end = self._end_of_line(position.line)
        if self.written.isascii():
            return min(start + position.character, end)
        codec, width = _UNITS[self.encoding]
        line = self.written[start:end].encode(codec, "surrogatepass")
        return start + len(line[: position.character * width].decode(codec, "replace"))

    def _end_of_line(self, line: int) -> int:
        if line + 1 == len(self.starts):
            return len(self.written)
        end = self.starts[line + 1] - 1
        return end - self.written.startswith("\r\n", end - 1)

    def position(self, offset: int) -> types.Position:
        """Return an offset as the client counts."""
        place = offset + self._marks
        line = bisect_right(self.starts, place) - 1
        start = self.starts[line]
        if self.written.isascii():
            return types.Position(line, place - start)
        codec, width = _UNITS[self.encoding]
        before = self.written[start:place].encode(codec, "surrogatepass")
        return types.Position(line, len(before) // width)

    def range(self, start: int, end: int) -> types.Range:
        """Return two offsets as the client counts."""
        return types.Range(self.position(start), self.position(end))

    def place(self, position: types.Position) -> Place | None:
        """Return what stands at a position."""
        return place_at(self.text, self.machines, self.offset(position))

    def edits(self, edits: Sequence[Edit]) -> list[types.TextEdit]:
        """Return edits as the client takes them."""
        return [types.TextEdit(self.range(one.start, one.end), one.text) for one in edits]
