"""One version of an open document, and what was found out about it so far."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from .edits import Edit
from .machines import Machine, Place, machines, place_at
from .problems import Checked, check
from .shapes import Shapes, shapes_of

if TYPE_CHECKING:
    from pygls.workspace import TextDocument


@dataclass
class Accepted:
    """A definition that AWS would accept, and what is known of its data once that is asked for."""

    definition: dict[str, Any]

    @cached_property
    def shapes(self) -> Shapes:
        """What is known of its data."""
        return shapes_of(self.definition)


@dataclass
class OpenText:
    """A document in one version; an edit makes another."""

    document: TextDocument
    accepted: dict[str, Accepted] = field(default_factory=dict)
    """By machine, the last of its definitions that AWS would have accepted."""

    @cached_property
    def text(self) -> str:
        """The whole text."""
        return self.document.source

    @cached_property
    def lines(self) -> list[str]:
        """The lines with their breaks, as positions count them."""
        return list(self.document.lines)

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line."""
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    @property
    def yaml(self) -> bool:
        """Whether it is YAML: by its language, its name, or its first character."""
        name = str(self.document.filename or "")
        if self.document.language_id in ("yaml", "json") or name.endswith((".yaml", ".yml")):
            return self.document.language_id == "yaml" or name.endswith((".yaml", ".yml"))
        return not self.text.lstrip().startswith("{")

    @cached_property
    def machines(self) -> list[Machine]:
        """The state machines in it."""
        return machines(self.text, yaml=self.yaml)

    @cached_property
    def checked(self) -> Checked:
        """What is wrong; definitions without an error are kept."""
        checked = check(self.text, self.machines)
        for name, definition in checked.definitions.items():
            self.accepted[name] = Accepted(definition)
        return checked

    def shapes(self, machine: Machine) -> Shapes:
        """Return what is known of a machine's data, from its last accepted definition."""
        accepted = self.accepted.get(machine.name)
        return accepted.shapes if accepted else Shapes()

    def offset(self, position: types.Position) -> int:
        """Return the offset of a client's position."""
        codec = self.document.position_codec
        there = codec.position_from_client_units(self.lines, position)
        line = min(there.line, len(self.lines))
        return min(self.starts[line] + there.character, len(self.text))

    def position(self, offset: int) -> types.Position:
        """Return an offset as the client counts."""
        line = max(bisect_right(self.starts, offset, hi=max(len(self.lines), 1)) - 1, 0)
        place = types.Position(line, offset - self.starts[line])
        return self.document.position_codec.position_to_client_units(self.lines, place)

    def range(self, start: int, end: int) -> types.Range:
        """Return two offsets as the client counts."""
        return types.Range(self.position(start), self.position(end))

    def place(self, position: types.Position) -> Place | None:
        """Return what stands at a position."""
        return place_at(self.text, self.machines, self.offset(position))

    def edits(self, edits: Sequence[Edit]) -> list[types.TextEdit]:
        """Return edits as the client takes them."""
        return [types.TextEdit(self.range(one.start, one.end), one.text) for one in edits]
