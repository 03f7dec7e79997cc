"""A definition, compiled, and how recordings are compared with it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from ..api import Definition, StateMachines, Type
from ..asl.compile import compile_workflow
from ..definitions import load
from ..engine import Engine, Event, Fiber, Header, Journal, Program, StartMapRun, quotas_of
from ..model.definition import workflow
from ..validation import check
from .child_histories import ChildHistories, ChildSource, read_children
from .comparison import ComparisonRules, Tolerate
from .follower import Follower
from .identity import RecordedIdentity, RecordedValues, identity_of
from .recording import Recording


class Replayer:
    """Follows recordings with a definition, or with the part of it that a map run's child runs."""

    def __init__(
        self,
        definition: Definition,
        *,
        type: Type | None = None,
        times: bool = True,
        tolerate: Tolerate | None = None,
        resource_names: bool = False,
    ) -> None:
        self.definition = load(definition).definition
        self.type: str | None = type
        check(self.definition, type=type or "STANDARD", resource_names=resource_names)
        self.machine = workflow(self.definition)
        self.program: Program = compile_workflow(self.machine)
        self.times = times
        self.tolerate: Tolerate = tolerate or (lambda *_: False)

    def of_child(self, run: StartMapRun) -> Replayer:
        """Return the one for the children of a map run, which run the Map's ItemProcessor."""
        child = copy(self)
        child.program, child.type = run.child, run.execution_type
        return child

    def child_histories(
        self, children: ChildSource, machines: StateMachines | None, s3_root: Path | str | None
    ) -> ChildHistories:
        """Read histories of children, and what they ran, to be compared as this one compares."""
        programs = {}
        for name, given in (machines or {}).items():
            definition, of_type = given if isinstance(given, tuple) else (given, None)
            programs[name] = Replayer(
                definition, type=of_type, times=self.times, tolerate=self.tolerate
            )
        folder = None if s3_root is None else Path(s3_root)
        return ChildHistories(read_children(children), programs, folder)

    def follow(
        self,
        recording: Recording,
        before: int | None = None,
        histories: ChildHistories | None = None,
    ) -> Follower:
        """Follow a recording, again and again until nothing more is adopted from it.

        `before`: the first event that is not taken from it; `histories`: those of its children.
        """
        values = RecordedValues()
        while True:
            values.begin()
            follower = self._follower(recording, values, before, histories)
            follower.follow()
            if not values.changed:
                return follower

    def watch(self, recording: Recording, watch: Callable[[Fiber, Event], None]) -> Follower:
        """Follow a recording, and call `watch` with each event of the last pass."""
        identity = self.follow(recording).engine.identity
        assert isinstance(identity, RecordedIdentity)
        again = self._follower(recording, identity.recorded)
        again.engine.watch = watch
        again.follow()
        return again

    def _follower(
        self,
        recording: Recording,
        values: RecordedValues,
        before: int | None = None,
        histories: ChildHistories | None = None,
    ) -> Follower:
        express = ":express:" in (recording.arn or "")
        of_type = self.type or ("EXPRESS" if express else "STANDARD")
        identity = identity_of(recording, values, of_type)
        quotas = quotas_of(of_type)
        engine = Engine(self.program, identity, quotas)
        journal = Journal(Header(self.definition, identity, quotas))

        def same(recorded: Any, ours: Any) -> bool:
            return values.adopt(recorded, ours) or self.tolerate(recorded, ours)

        rules = ComparisonRules(same, self.times, before)
        return Follower(recording, self.machine, engine, journal, rules, histories)
