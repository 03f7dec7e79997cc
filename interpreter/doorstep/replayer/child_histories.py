"""Histories of the children of an execution, in a folder: GROUP/NAME.json.

| a child of | GROUP |
|---|---|
| a distributed Map | the id of its map run: what stands last in the map run's ARN |
| a task that starts executions | the name of the state machine |

NAME is what stands last in the child's ARN; both are written as `file_name` does. The events of
GetExecutionHistory say neither, so the place in the folder does; a file in no group is tried
everywhere. Journals, and the log lines that Express executions have for a history, name their
executions: one file may hold those of many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine import TERMINAL, Event
from ..errors import InputError
from ..history import by_execution, history_lines, is_started
from ..history.child_failures import ChildEvents, Lookup, Started
from ..runtime import Buckets, Execution
from ..values.file_names import file_name, name_of
from ..values.json_values import loads
from .recording import History, Recording, events_of, read_recording

ChildSource = Path | str | Mapping[str, History]
"""A folder, a journal's file, or histories by the ARNs of their executions."""


@dataclass(frozen=True, slots=True, eq=False)
class ChildHistory:
    """A child's history, and which child it is of, as far as that is known."""

    source: str
    """The file, or the ARN."""
    group: str | None
    name: str
    recording: Recording
    input: Any
    """The child's input as a value."""

    @property
    def began(self) -> float:
        """When the child started, in epoch seconds."""
        return self.recording.events[0].at

    def is_execution(self, arn: str) -> bool:
        """Return whether it is of the execution with this ARN."""
        machine, name = last_of(arn)
        return self.name == name and self.group in (None, machine)


def last_of(arn: str) -> tuple[str, str]:
    """Return the machine in an ARN, NAME or NAME/LABEL, and the ARN's last part (fact 282)."""
    machine, _, rest = arn.split(":", 6)[-1].partition(":")
    return machine, rest.rpartition(":")[2]


def read_children(source: ChildSource) -> list[ChildHistory]:
    """Read the histories in a folder or a file, or those given by ARN.

    Raises InputError for a folder without any, and for a file that is no history.
    """
    if isinstance(source, Mapping):
        return [_child(arn, *_named(arn), read_recording(one, arn)) for arn, one in source.items()]
    folder = Path(source)
    if folder.is_file():
        return list(_read(folder, folder.parent))
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise InputError(f"no histories (*.json) found in {folder}")
    return [child for file in files for child in _read(file, folder)]


def child_lookup(source: ChildSource, parent: str | None = None) -> Lookup:
    """Return what finds the children in a folder, a file, or histories by ARN.

    Of a folder only those groups are read that are asked for. `parent`: the ARN of the execution
    whose children they are, where its history is in the source as well. What can't be read raises
    InputError when it is asked for.
    """
    return _Finder(source, parent).find


class _Finder:
    """Reads the histories of children when they are asked for, each once."""

    def __init__(self, source: ChildSource, parent: str | None) -> None:
        self._parent = parent
        self._histories = ChildHistories((), {}, None)
        self._whole: ChildSource | None = source
        """A source that is not in groups, until it is read."""
        self._files: defaultdict[str | None, list[Path]] = defaultdict(list)
        """The files of a folder that were not read yet, by their groups."""
        self._folder = Path() if isinstance(source, Mapping) else Path(source)
        if not isinstance(source, Mapping) and self._folder.is_dir():
            self._whole = None
            for file in sorted(self._folder.rglob("*.json")):
                self._files[_group(file, self._folder)].append(file)

    def find(self, started: Started) -> list[ChildEvents]:
        """Return the histories of what a state started."""
        self._read(last_of(started.arn))
        if started.is_map_run:
            found = self._histories.of_map_run(started.arn, started.since, started.until)
        else:
            one = self._histories.find(started.arn)
            found = [one] if one else []
        self._histories.remove(*found)
        return [ChildEvents(one.name, self._path(one), one.recording.events) for one in found]

    def _path(self, child: ChildHistory) -> str:
        folder = self._folder if self._folder.is_dir() else self._folder.parent
        return str(folder / child.source)

    def _read(self, groups: Iterable[str]) -> None:
        """Read these groups, and what is in no group, unless that was done."""
        read = read_children(self._whole) if self._whole is not None else []
        self._whole = None
        for group in (*groups, None):
            for file in self._files.pop(group, ()):
                read += _read(file, self._folder)
        own = self._parent
        self._histories.add(one for one in read if own is None or one.recording.arn != own)


def _named(arn: str) -> tuple[str, str]:
    if not arn.startswith("arn:"):
        raise InputError(f"children are named by the ARNs of their executions, not by {arn!r}")
    return last_of(arn)


def _read(file: Path, folder: Path) -> Iterator[ChildHistory]:
    events, source = events_of(file), str(file.relative_to(folder))
    group = _group(file, folder)
    named = by_execution(events)
    # The execution that a journal begins with is the parent.
    started = {arn: own for arn, own in named.items() if is_started(own)} or named
    for arn, own in started.items():
        yield _child(f"{source}: {arn}", *last_of(arn), read_recording(own, arn))
    if not named:
        yield _child(source, group, name_of(file.stem), read_recording(events, source=str(file)))


def _group(file: Path, folder: Path) -> str | None:
    return None if file.parent == folder else name_of(file.parent.name)


def _child(source: str, group: str | None, name: str, recording: Recording) -> ChildHistory:
    try:
        return ChildHistory(
            source, group, name, recording, loads(recording.events[0].text("input"))
        )
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None


class ChildHistories:
    """The histories of children, what started executions ran, and the bucket of their items."""

    def __init__(
        self,
        histories: Iterable[ChildHistory],
        machines: Mapping[str, Any],
        buckets: Buckets | None,
        *,
        partial: bool = False,
    ) -> None:
        """`partial`: only some children's histories were fetched, so that none is missing."""
        self.unmatched: dict[ChildHistory, None] = {}
        """Those that have not been matched with a parent yet, in order."""
        self.machines = machines
        self.buckets = buckets
        self.partial = partial
        self.replayed = 0
        """How many have been replayed so far, for a progress line."""
        self._by_name: defaultdict[str, list[ChildHistory]] = defaultdict(list)
        self._by_group: defaultdict[str | None, list[ChildHistory]] = defaultdict(list)
        self.add(histories)

    def add(self, histories: Iterable[ChildHistory]) -> None:
        """Add histories that are not matched yet."""
        for child in histories:
            self.unmatched[child] = None
            self._by_name[child.name].append(child)
            self._by_group[child.group].append(child)

    def remove(self, *matched: ChildHistory) -> None:
        """Remove histories that are matched with a parent."""
        for child in matched:
            del self.unmatched[child]

    def find(self, arn: str) -> ChildHistory | None:
        """Return the history of the execution with this ARN."""
        named = self._by_name[last_of(arn)[1]]
        return next((one for one in named if one in self.unmatched and one.is_execution(arn)), None)

    def of_map_run(self, arn: str, since: float, until: float) -> list[ChildHistory]:
        """Return what can be the children of the map run with this ARN, which lasted so long.

        Fact 282: a child's ARN has MACHINE/LABEL in place of the machine's name.
        """
        machine, run = last_of(arn)
        # Express children's log lines name the Map's machine, not the run: their time has to tell.
        unsure = [*self._by_group[machine], *self._by_group[None]]
        likely = [*self._by_group[run], *(one for one in unsure if since <= one.began <= until)]
        return [child for child in likely if child in self.unmatched]


class ChildFiles:
    """Writes the histories of the executions that a run starts.

    `on_event` is for `doorstep.start`; `close` has to follow when the run has ended. Raises
    InputError where nothing can be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: set[Path] = set()
        self._names: defaultdict[Path, dict[str, str]] = defaultdict(dict)
        self._unwritten: dict[str, Execution] = {}
        _make(folder)

    def on_event(self, execution: Execution, event: Event) -> None:
        """Write a map run's child, of which there may be many, as soon as it has ended."""
        if event.type in TERMINAL and execution.map_run:
            self._write(execution)
            self._unwritten.pop(execution.arn, None)
        else:
            self._unwritten[execution.arn] = execution

    def close(self, parent: Execution) -> None:
        """Write all other children; the parent is none."""
        for execution in self._unwritten.values():
            if execution != parent:
                self._write(execution)

    def _write(self, child: Execution) -> None:
        machine, name = last_of(child.arn)
        group = last_of(child.map_run)[1] if child.map_run else machine
        folder = _make(self.folder / file_name(group, self._names[self.folder]))
        file = folder / f"{file_name(name, self._names[folder])}.json"
        with _writing(file):
            file.write_text("".join(f"{line}\n" for line in history_lines(child.events)), "utf-8")
        self.written.add(file)


def _make(folder: Path) -> Path:
    with _writing(folder):
        folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise InputError(f"can't write {path}: {problem.strerror}") from None
