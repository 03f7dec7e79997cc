"""The journal: a header, then facts and the events that followed from each, in order.

It is the only memory there is. A run writes it; after a crash, for a redrive or for a replay, an
engine that is given its facts again is where the first one was.

As text it is JSON, a line each:

| line | is |
|---|---|
| {"definition": …, …} | header of the execution in the next lines; null: its parent's definition |
| ["fact", kind, at, key, data] | what reached the execution |
| ["event", id, previous, type, at, details] | what followed from it |
| ["promise", kind, at, key, data] | a scheduled answer: a fact whose time has not come |
| ["of", ARN] | the next lines are about this execution again |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..errors import InputError, ReplayError
from ..values.json_values import STORED_DEPTH, dumps, loads
from .engine import Engine
from .fibers import Fiber
from .identity import Identity
from .messages import TERMINAL, UNSUCCESSFUL, Event, Fact, Program
from .quotas import Quotas, quotas_of

SEMANTICS = 1
"""Version of the rules by which events follow from facts."""

JournalEntry = Fact | Event
_new_tuple = tuple.__new__


class Header(NamedTuple):
    """What an execution is a function of, besides its facts."""

    definition: Mapping[str, Any]
    identity: Identity
    quotas: Quotas
    semantics: int = SEMANTICS

    @classmethod
    def of(cls, definition: Mapping[str, Any], identity: Identity) -> Header:
        """Return the header of an execution that has AWS's quotas."""
        return _new_tuple(cls, (definition, identity, quotas_of(identity.type), SEMANTICS))


@dataclass(slots=True)
class Journal:
    """A journal in memory."""

    header: Header
    entries: list[JournalEntry] = field(default_factory=list)
    scheduled: list[Fact] = field(default_factory=list)
    """Answers that were known before their time, settled ones included."""

    @property
    def events(self) -> list[Event]:
        """The events, in order."""
        return [entry for entry in self.entries if isinstance(entry, Event)]

    @property
    def facts(self) -> list[Fact]:
        """The facts, in order."""
        return [entry for entry in self.entries if isinstance(entry, Fact)]

    @property
    def end(self) -> Event:
        """The last event; there has to be one."""
        at = -1
        while not isinstance(entry := self.entries[at], Event):
            at -= 1
        return entry

    @property
    def status(self) -> str:
        """SUCCEEDED, FAILED, TIMED_OUT or ABORTED; RUNNING where the last event is no end."""
        return TERMINAL.get(self.end.type, "RUNNING")

    @property
    def redrivable(self) -> bool:
        """Whether a `redriven` fact can continue it, as `Engine.redrivable` says (fact 500)."""
        end = self.end
        return TERMINAL.get(end.type) in UNSUCCESSFUL and end.id < self.header.quotas.last_event - 1

    def condensed(self) -> list[JournalEntry]:
        """Return what others need to know of an execution that has ended: facts and last event."""
        return [*self.facts, self.end]

    def lines(self) -> Iterator[str]:
        """Return the journal as text, line by line."""
        yield header_line(self.header)
        yield from map(entry_line, self.entries)


def header_line(header: Header, *, inherited: bool = False) -> str:
    """Return the line that begins an execution; `inherited`: its definition is its parent's."""
    fields: dict[str, Any] = {
        "definition": None if inherited else header.definition,
        "identity": asdict(header.identity),
        "quotas": asdict(header.quotas),
        "semantics": header.semantics,
    }
    for name in ("asynchronous", "job_of"):
        # Journals that were written before there were such members are as they were.
        if not fields["identity"][name]:
            del fields["identity"][name]
    return dumps(fields, STORED_DEPTH)


def entry_line(entry: JournalEntry) -> str:
    """Return the line of a fact or an event."""
    return _line("fact" if isinstance(entry, Fact) else "event", entry)


def scheduled_line(fact: Fact) -> str:
    """Return the line of an answer whose time has not come."""
    return _line("promise", fact)


def _line(kind: str, entry: JournalEntry) -> str:
    return dumps([kind, *entry], STORED_DEPTH)


def read(lines: Iterable[str]) -> Journal:
    """Return the journal of the first execution; raise ReplayError when a line is damaged."""
    return next(iter(read_all(lines).values()))


def read_all(lines: Iterable[str]) -> dict[str, Journal]:
    """Return all journals by the ARNs of their executions; raise ReplayError as `read` does."""
    reader = Reader()
    for line in lines:
        reader.take(line)
    if not reader.journals:
        raise ReplayError("the journal is empty: it has no header")
    return reader.journals


class Reader:
    """Reads journals line by line; `journals` has those that there are so far, by ARN."""

    def __init__(self) -> None:
        self.journals: dict[str, Journal] = {}
        self.current: Journal | None = None
        """The one that the next line is about."""
        self._number = 0

    def take(self, line: str) -> None:
        """Take in a line; raise ReplayError when it is damaged."""
        self._number += 1
        try:
            row = loads(line, STORED_DEPTH)
            if isinstance(row, dict) or self.current is None:
                self.turn(Journal(_header(row)))
            elif row[0] == "of":
                self.turn(self.journals.get(row[1]) or self.another(row[1]))
            else:
                _add(self.current, *row)
        except (InputError, TypeError, KeyError, ValueError, IndexError) as problem:
            raise ReplayError(f"line {self._number} of the journal is damaged: {problem}") from None

    def turn(self, journal: Journal) -> None:
        """Let the lines from now on be about this journal."""
        self.current = self.journals[journal.header.identity.arn] = journal

    def another(self, arn: str) -> Journal:
        """Return a journal that is not among `journals`; raise KeyError for an unknown one."""
        raise KeyError(arn)


def replay(program: Program, journal: Journal) -> Engine:
    """Return an engine that has received the journal's facts; it may be `condensed`.

    Raises ReplayError when its events are not those of the journal: the definition was changed, or
    the journal was written by another version of the rules.
    """
    engine = Engine(program, journal.header.identity, journal.header.quotas)
    expected = journal.events
    for fact in journal.facts:
        engine.receive(fact)
    events = engine.history
    if expected and isinstance(first := expected[0].id, int) and first > 1:
        # It was condensed once, and continued after that.
        events = events[first - 1 :]
    for ours, theirs in zip(events, expected, strict=False):
        if ours != theirs:
            raise ReplayError(_difference(ours, theirs))
    if len(events) < len(expected):
        missing = expected[len(events)]
        raise ReplayError(f"event {missing.id}, {missing.type}, does not happen now")
    return engine


def _header(fields: Any) -> Header:
    if not isinstance(fields, dict) or "semantics" not in fields:
        raise ValueError("it is no journal's header")
    if fields["semantics"] != SEMANTICS:
        raise ReplayError(f"the journal has semantics {fields['semantics']}, not {SEMANTICS}")
    definition = fields["definition"] or {}
    return Header(definition, Identity(**fields["identity"]), Quotas(**fields["quotas"]))


def _add(journal: Journal, kind: str, *members: Any) -> None:
    match kind:
        case "fact":
            journal.entries.append(Fact(*members))
        case "event":
            journal.entries.append(Event(*members))
        case "promise":
            journal.scheduled.append(Fact(*members))
        case _:
            raise ValueError(f"there are no lines {kind!r}")


def _difference(ours: Event, theirs: Event) -> str:
    if ours.type != theirs.type:
        return f"event {theirs.id} is {theirs.type} in the journal, {ours.type} now"
    before, now = _members(theirs), _members(ours)
    name = next(name for name in (*before, *now) if before.get(name) != now.get(name))
    return f"event {theirs.id}, {theirs.type}, has another {name} now"


def _members(event: Event) -> dict[str, Any]:
    return {**(event.details or {}), "previous": event.previous, "at": event.at, "id": event.id}


def states_of(program: Program, journal: Journal) -> dict[int, int]:
    """Return by each event the one that entered the state in which its line of control was.

    The journal's facts go into an engine again, which knows what a history does not say: what of
    many things that failed is continued by an event after a redrive.
    """
    header = journal.header
    engine = Engine(program, header.identity, header.quotas)
    entered: dict[int, int] = {}

    def watch(fiber: Fiber, event: Event) -> None:
        if fiber.env is not None:
            entered[event.id] = fiber.env.entered

    engine.watch = watch
    for fact in journal.facts:
        engine.receive(fact)
    return entered
