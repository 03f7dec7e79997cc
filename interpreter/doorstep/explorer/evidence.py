"""What the runs of a search showed, each with the first script that did."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..history import Visit
from ..values.json_values import ABSENT
from . import flow_states
from .flow import TEXT, Put, Read, expression, path_text
from .goals import SURPRISE
from .mending import Broken, Lack, blamed, broken, fed, missing
from .run import Run, Seen, Trace
from .script import INPUT, Origin, Script

_EXCEEDED = "States.ExceedToleratedFailureThreshold"
NO_RULE = "Failed to transition out of the state"


@dataclass(frozen=True, slots=True)
class Failed:
    """A state that failed over its data, although none were lacking."""

    script: Script
    cause: str
    fed: bool
    """Whether any of what it reads comes from outside of the definition."""


@dataclass(frozen=True, slots=True)
class Need:
    """Data that a state reads without asking whether they are there."""

    source: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Loop:
    """States that were gone through again and again."""

    script: Script
    states: tuple[str, ...]
    """In order."""
    rounds: int
    """How many when the run was cut off; 0 when it was because nothing changed."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Data that the input has to have on one way, while on another a state leaves them."""

    script: Script
    leaving: str
    read: str


@dataclass(slots=True)
class Evidence:
    """Everything noticed."""

    missing: dict[tuple[str, str], tuple[Script, Broken]] = field(default_factory=dict)
    """By state and field."""
    failed: dict[str, Failed] = field(default_factory=dict)
    unsure: dict[tuple[str, str], Unsure] = field(default_factory=dict)
    """By the state that reads, and the one that leaves them on another way."""
    loops: dict[frozenset[str], Loop] = field(default_factory=dict)
    """By their states."""
    uncaught: dict[tuple[str, str], Script] = field(default_factory=dict)
    """By task and error."""
    no_rule: dict[str, Script] = field(default_factory=dict)
    choices: dict[str, Seen] = field(default_factory=dict)
    """A visit of each Choice."""
    needs: dict[Need, str] = field(default_factory=dict)
    """With the state that reads."""
    success: tuple[Script | None, set[str]] = (None, set())
    """The script with which the execution succeeds after the most states, and these; one in which
    no task fails, if there is one.
    """

    def note(self, run: Run) -> None:
        """Look at a run."""
        if run.execution.status == "SUCCEEDED":
            self.success = max(self.success, (run.script, run.entered), key=_smoothness)
        for seen in run.visited():
            if seen.state.type == "Choice":
                self.choices.setdefault(seen.state.name, seen)
        self._blame(run)
        if loop := loop_of(run):
            self.loops.setdefault(frozenset(loop.states), loop)
        for error in (SURPRISE, "States.Timeout"):
            if state := uncaught_by(run, error):
                self.uncaught.setdefault((state, error), run.script)

    def _blame(self, run: Run) -> None:
        for blame in blamed(run):
            name = blame.seen.state.name
            if NO_RULE in blame.cause:
                # The latest: values of the right kind are tried after those that are made up.
                self.no_rule[name] = run.script
                continue
            lacking = missing(blame)
            for lack in lacking:
                self.needs.setdefault(_need(lack.place, lack.example), name)
                if other := _leaving(blame.seen, lack):
                    self.unsure.setdefault((name, other[0]), Unsure(run.script, *other))
            if lacking:
                continue
            if found := broken(blame):
                self.missing.setdefault((name, found.field), (run.script, found))
            self.failed.setdefault(name, Failed(run.script, blame.cause, fed(blame)))


def _need(place: Origin, example: object) -> Need:
    keys = tuple(0 if isinstance(key, int) else key for key in place.keys if key is not TEXT)
    path = path_text("$", keys).replace("[0]", "[*]")
    kinds = {list: "an array", int: "a number", bool: "true or false", dict: "an object"}
    return Need(str(place.source), path, kinds.get(type(example), ""))


def _smoothness(success: tuple[Script | None, set[str]]) -> tuple[bool, int]:
    script, entered = success
    answers = [one for given in script.answers.values() for one in given] if script else []
    return not any(one.failed or one.output is ABSENT for one in answers), len(entered)


def _leaving(seen: Seen, lack: Lack) -> tuple[str, str] | None:
    """A state that comes before on another way and leaves what the input lacks; what is read."""
    subject, reader, read = seen.run.subject, seen.state.name, lack.read
    if lack.place.source != INPUT or not isinstance(read, Read) or read.root != "input":
        return None
    for name, state in subject.states.items():
        if reader in subject.after[name] and name not in subject.after[reader]:
            put = (way.output for way in flow_states.exits(state) if isinstance(way.output, Put))
            if any(one.keys == read.keys[: len(one.keys)] for one in put):
                return name, expression(read, jsonata=seen.state.jsonata)
    return None


def loop_of(run: Run) -> Loop | None:
    """The states between two visits of the state at which a run was cut off."""
    if not run.endless:
        return None
    trace, event = run.round or (next(iter(run.traces.values())), None)
    start = trace.by_event[event] if event else trace.visits.all[-1]
    states: tuple[str, ...] = ()
    one: Visit | None = start
    while one := trace.before(one) if one else None:
        states = (one.name, *states)
        if one.name == start.name:
            rounds = 0 if run.round else sum(p.name == one.name for p in trace.visits.all)
            return Loop(run.script, states, rounds)
    return None


def uncaught_by(run: Run, error: str) -> str | None:
    """The task whose failure with an error ended the execution."""
    execution = run.execution
    if execution.status != "FAILED" or execution.error not in (error, _EXCEEDED):
        return None
    for seen in reversed(run.visited()):
        visit, task = seen.visit, seen.state.type == "Task"
        if task and error in visit.errors and not _taken(seen.trace, visit):
            return seen.state.name
    return None


def _taken(trace: Trace, visit: Visit) -> bool:
    """Whether a catcher took a visit's failure, there or further out."""
    one: Visit | None = visit
    while one:
        if one.exited:
            return True
        one = one.parent
    return trace.parent is not None and _taken(trace.parent[0], trace.parent[0].started(trace))
