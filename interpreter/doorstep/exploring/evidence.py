"""What the runs of a search showed, each with the first script that did."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..passages import Passage
from .flow import path_text
from .goals import SURPRISE
from .mending import Broken, blamed, broken, fed, missing
from .run import Run, Seen, Trace
from .script import Origin, Script

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


@dataclass(slots=True)
class Evidence:
    """Everything noticed."""

    missing: dict[tuple[str, str], tuple[Script, Broken]] = field(default_factory=dict)
    """By state and field."""
    failed: dict[str, Failed] = field(default_factory=dict)
    loops: dict[frozenset[str], tuple[Script, tuple[str, ...]]] = field(default_factory=dict)
    """The states of each loop that changed nothing, in order."""
    uncaught: dict[tuple[str, str], Script] = field(default_factory=dict)
    """By task and error."""
    no_rule: dict[str, Script] = field(default_factory=dict)
    choices: dict[str, Seen] = field(default_factory=dict)
    """A passage of each Choice."""
    needs: dict[Need, str] = field(default_factory=dict)
    """With the state that reads."""
    success: tuple[Script | None, set[str]] = (None, set())
    """The script with which the execution succeeds after the most states, and these."""

    def note(self, run: Run) -> None:
        """Look at a run."""
        if run.execution.status == "SUCCEEDED":
            entered = run.entered
            if len(entered) > len(self.success[1]):
                self.success = run.script, entered
        for seen in run.visited():
            if seen.state.type == "Choice":
                self.choices.setdefault(seen.state.name, seen)
        self._blame(run)
        if loop := loop_of(run):
            self.loops.setdefault(frozenset(loop), (run.script, loop))
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
            for place, example in lacking:
                self.needs.setdefault(_need(place, example), name)
            if lacking:
                continue
            if found := broken(blame):
                self.missing.setdefault((name, found.field), (run.script, found))
            self.failed.setdefault(name, Failed(run.script, blame.cause, fed(blame)))


def _need(place: Origin, example: object) -> Need:
    keys = tuple(0 if isinstance(key, int) else key for key in place.keys)
    path = path_text("$", keys).replace("[0]", "[*]")
    kinds = {list: "an array", int: "a number", bool: "true or false", dict: "an object"}
    return Need(str(place.source), path, kinds.get(type(example), ""))


def loop_of(run: Run) -> tuple[str, ...] | None:
    """The states between two visits of the state at which a run was stopped."""
    if run.round is None:
        return None
    trace, event, name = run.round
    last: tuple[str, ...] = ()
    one: Passage | None = trace.by_event[event]
    while one := trace.before(one) if one else None:
        last = (one.name, *last)
        if one.name == name:
            return last
    return None


def uncaught_by(run: Run, error: str) -> str | None:
    """The task whose failure with an error ended the execution."""
    execution = run.execution
    if execution.status != "FAILED" or execution.error not in (error, _EXCEEDED):
        return None
    for seen in reversed(run.visited()):
        passage, task = seen.passage, seen.state.type == "Task"
        if task and error in passage.errors and not _taken(seen.trace, passage):
            return seen.state.name
    return None


def _taken(trace: Trace, passage: Passage) -> bool:
    """Whether a catcher took a passage's failure, there or further out."""
    one: Passage | None = passage
    while one:
        if one.left:
            return True
        one = one.around
    return trace.parent is not None and _taken(trace.parent[0], trace.parent[0].started(trace))
