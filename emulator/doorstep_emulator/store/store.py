"""What the emulator stores, and what it asks of a store.

| stored | as |
|---|---|
| state machines, revisions, activities | documents: a JSON object for each ARN |
| executions | a row each, for lists and for the answers that need no history |
| Express children that ended | a row each with all that is left of them: see `condensed` |
| journals | facts and events in order, written before anything follows from them |
| scheduled answers | facts that are known and whose time has not come |
| task tokens | whose they are, as long as the execution is stored |
| redrives | documents: for which clientToken an execution was redriven, and when |
| map runs | documents; their children are executions |

Writes are collected and become one transaction when `commit` is called: until then nothing has
happened. Reads other than `row` see what was collected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from doorstep.engine.journal import JournalEntry
from doorstep.engine.messages import Event, Fact

from .peers import Peers

Kind = Literal["machine", "revision", "activity", "map run", "redrives"]


@dataclass(slots=True, kw_only=True)
class Row:
    """An execution as lists show it; times in epoch seconds."""

    id: int
    arn: str
    machine: str
    """The unqualified ARN of its state machine."""
    name: str
    type: str
    status: str
    started: float
    identity: str
    """Its Identity as a JSON object."""
    revision: str
    """Of the state machine, when it was started."""
    stopped: float | None = None
    version: str | None = None
    alias: str | None = None
    trace: str | None = None
    map_run: str | None = None
    redrives: int = 0
    redriven: float | None = None
    clock: str = "real"
    """How its time passes: see `clock`."""
    root: str | None = None
    """The execution whose timeline it is in."""
    test_case: str | None = None
    """Of a MockConfigFile.json, when it was started as one."""

    @property
    def timeline(self) -> str:
        """The ARN of the execution in whose timeline it is: its own, or the root's."""
        return self.root or self.arn

    @property
    def durable(self) -> bool:
        """Whether it survives a crash."""
        return self.type == "STANDARD"

    @property
    def condensable(self) -> bool:
        """Whether it is stored when it has ended, by facts and last event."""
        return self.type == "EXPRESS" and self.map_run is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which executions to list, the newest first; `before`: only those with smaller ids."""

    machine: str | None = None
    version: str | None = None
    alias: str | None = None
    map_run: str | None = None
    status: str | None = None
    redriven: bool | None = None
    before: int | None = None
    limit: int = 100


class Store(Protocol):
    """Stores all that is not to be lost. Used by one thread.

    Whatever writes or reads waits as long as the disk refuses to be written: nothing is lost, and
    nothing is reported that is not durable. A value that can't be stored is refused at once, with
    StoreError; what is refused only by `commit` is dropped, and the rest is written.
    """

    trouble: str | None
    """Why nothing can be written just now. May be read from any thread."""

    path: str
    """Its file, or `:memory:`."""
    commits: int
    """How many transactions it has written."""

    refused_documents: list[str]
    """What `commit` could not write of documents: their names. May be read from any thread."""

    damaged: dict[str, str]
    """What was damaged when it was read: its name, and what to do. Lists leave it out; a request
    for it is refused with StoreError.
    """

    fenced: bool
    """Whether other servers have taken over what this one had: nothing is written any more, and
    nothing that was collected.
    """

    peers: Peers
    """The other servers."""

    missing: int
    """How many commits of the last server are not in the file any more."""

    def file_trouble(self) -> str | None:
        """Return what is wrong with the file under the server. May be called from any thread."""

    def commit(self) -> None:
        """Make what was collected durable.

        What can't be written, however often it is tried, is dropped together with all else that
        was collected of the same execution or document.
        """

    def take_refused(self) -> dict[int, str]:
        """Return of which executions `commit` dropped something since the last call, and why."""

    def close(self) -> None:
        """Close the file."""

    def put(self, kind: Kind, arn: str, document: dict[str, Any]) -> None:
        """Store a document in place of the one before."""

    def drop(self, kind: Kind, arn: str) -> None:
        """Delete a document."""

    def get(self, kind: Kind, arn: str) -> dict[str, Any] | None:
        """Return a document."""

    def documents(self, kind: Kind) -> Iterator[dict[str, Any]]:
        """Return all documents of a kind that are whole."""

    def next_id(self) -> int:
        """Return an id for a new execution; ids grow."""

    def begin(self, row: Row) -> None:
        """Store a new execution."""

    def update(self, row: Row) -> None:
        """Store status, times and redrives of an execution, which have changed."""

    def remove(self, row: Row) -> None:
        """Delete an execution and its journal."""

    def condense(self, row: Row, entries: Sequence[JournalEntry]) -> None:
        """Store an Express child of a map run that has ended, again if it was redriven.

        `entries`: its facts and its last event, which are its `journal` from now on.
        """

    def count_children(self, map_run: str) -> int:
        """Return how many children of a map run are stored."""

    def row(self, arn: str) -> Row | None:
        """Return an execution as it was at the last commit."""

    def rows(self, query: ListQuery) -> list[Row]:
        """Return executions whose rows are whole, the newest first."""

    def append(self, execution: int, entries: Sequence[JournalEntry]) -> None:
        """Append to an execution's journal."""

    def running(self, roots: Sequence[str] | None = None) -> list[Row]:
        """Return the executions that run, in these timelines or in all, the newest first."""

    def journal(self, execution: int) -> list[JournalEntry]:
        """Return all facts and events of an execution."""

    def events(self, execution: int, first: int, last: int) -> list[Event]:
        """Return the events of an execution with ids from `first` to `last`."""

    def ends(self, execution: int) -> tuple[Event, Event]:
        """Return the first and the last event of an execution."""

    def last_event(self, execution: int) -> int:
        """Return the id of an execution's last event."""

    def schedule(self, execution: int, fact: Fact) -> None:
        """Store an answer for its time."""

    def scheduled(self, execution: int) -> list[Fact]:
        """Return the answers that were scheduled for an execution, delivered ones included."""

    def own_token(self, token: str, execution: int) -> None:
        """Store that a task token belongs to an execution."""

    def knows_token(self, token: str) -> bool:
        """Return whether some task had this token."""
