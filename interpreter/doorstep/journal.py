"""The journal: a header, then facts and the events that followed from each, in order.

It is the only memory there is. A run writes it; after a crash, for a redrive or for a replay, an
engine that is given its facts again is where the first one was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .engine import Engine, Program
from .errors import InputError, ReplayError
from .events import Event, Fact
from .identity import Identity
from .jsontext import dumps, loads
from .quotas import Quotas

SEMANTICS = 1
"""Version of the rules by which events follow from facts."""

Entry = Fact | Event


@dataclass(frozen=True, slots=True)
class Header:
    """What an execution is a function of, besides its facts."""

    definition: Mapping[str, Any]
    identity: Identity
    quotas: Quotas
    semantics: int = SEMANTICS


@dataclass(slots=True)
class Journal:
    """A journal in memory."""

    header: Header
    entries: list[Entry] = field(default_factory=list)

    def append(self, entries: Iterable[Entry]) -> None:
        """Add a fact or events."""
        self.entries.extend(entries)

    @property
    def facts(self) -> list[Fact]:
        """All that reached the execution."""
        return [entry for entry in self.entries if isinstance(entry, Fact)]

    def lines(self) -> Iterator[str]:
        """The journal as JSON, a line each: the header, then `["fact", …]` and `["event", …]`."""
        yield dumps({**asdict(self.header), "definition": self.header.definition})
        for entry in self.entries:
            yield dumps(["fact" if isinstance(entry, Fact) else "event", *entry])


def read(lines: Iterable[str]) -> Journal:
    """A journal from its lines; raises ReplayError when one of them is damaged."""
    journal: Journal | None = None
    for number, line in enumerate(lines, start=1):
        try:
            row = loads(line)
            if journal is None:
                journal = Journal(_header(row))
            else:
                journal.entries.append(_entry(row))
        except (InputError, TypeError, KeyError, ValueError) as problem:
            raise ReplayError(f"line {number} of the journal is damaged: {problem}") from None
    if journal is None:
        raise ReplayError("the journal is empty: it has no header")
    return journal


def replay(program: Program, journal: Journal) -> Engine:
    """An engine that has received the journal's facts.

    Raises ReplayError when its events are not those of the journal: the definition was changed, or
    the journal was written by another version of the rules.
    """
    engine = Engine(program, journal.header.identity, journal.header.quotas)
    expected = [entry for entry in journal.entries if isinstance(entry, Event)]
    for fact in journal.facts:
        engine.receive(fact)
    for ours, theirs in zip(engine.history, expected, strict=False):
        if ours != theirs:
            raise ReplayError(_difference(ours, theirs))
    if len(engine.history) < len(expected):
        missing = expected[len(engine.history)]
        raise ReplayError(f"event {missing.id}, {missing.type}, does not happen now")
    return engine


def _header(fields: dict[str, Any]) -> Header:
    if fields["semantics"] != SEMANTICS:
        raise ReplayError(f"the journal has semantics {fields['semantics']}, not {SEMANTICS}")
    return Header(fields["definition"], Identity(**fields["identity"]), Quotas(**fields["quotas"]))


def _entry(row: list[Any]) -> Entry:
    kind, *members = row
    return _ENTRIES[kind](*members)


_ENTRIES: dict[str, Callable[..., Entry]] = {"fact": Fact, "event": Event}


def _difference(ours: Event, theirs: Event) -> str:
    if ours.type != theirs.type:
        return f"event {theirs.id} is {theirs.type} in the journal, {ours.type} now"
    before, now = _members(theirs), _members(ours)
    name = next(name for name in (*before, *now) if before.get(name) != now.get(name))
    return f"event {theirs.id}, {theirs.type}, has another {name} now"


def _members(event: Event) -> dict[str, Any]:
    return {**(event.details or {}), "previous": event.previous, "at": event.at, "id": event.id}
