"""A definition, compiled, and how recordings are compared with it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from ..api import Definition, Machines, Type
from ..asl.compile import compile_workflow
from ..definitions import load
from ..engine.engine import Engine
from ..engine.fibers import Fiber
from ..engine.journal import Header, Journal
from ..engine.messages import Event, Program, StartMapRun
from ..engine.quotas import quotas_of
from ..model.definition import workflow
from ..runtime.handlers import Handlers
from ..validation import check
from .answering import Answered, Asking
from .comparing import Rules, Tolerate
from .family import Children, Family, read_children
from .follower import Follower
from .identities import RecordedIdentity, identity_of
from .learned import Learned
from .recording import Recording


class Replayer:
    """Follows recordings with a definition; of a child of a map run with a part of it."""

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
        """For the children of a map run, which run the Map's ItemProcessor."""
        child = copy(self)
        child.program, child.type = run.child, run.execution_type
        return child

    def family(
        self, children: Children, machines: Machines | None, bucket: Path | str | None
    ) -> Family:
        """Histories of children, and what they ran, to be compared as this one compares."""
        programs = {}
        for name, given in (machines or {}).items():
            definition, of_type = given if isinstance(given, tuple) else (given, None)
            programs[name] = Replayer(
                definition, type=of_type, times=self.times, tolerate=self.tolerate
            )
        return Family(read_children(children), programs, None if bucket is None else Path(bucket))

    def follow(
        self, recording: Recording, before: int | None = None, family: Family | None = None
    ) -> Follower:
        """The last of the passes that it takes to learn the recording's names and random values.

        `before`: the first event that is not taken from it; `family`: its children's histories.
        """
        learned = Learned()
        while True:
            learned.begin()
            follower = self._pass(recording, learned, before, family)
            follower.follow()
            if not learned.fresh:
                return follower

    def ask(self, follower: Follower, handlers: Handlers) -> list[Answered]:
        """The answers of handlers to all that was asked in a pass."""
        asking = Asking(handlers, follower.engine.identity, self.tolerate)
        for invoke, fact, _ in follower.answers:
            asking(invoke, fact)
        return asking.answers

    def watch(self, recording: Recording, watch: Callable[[Fiber, Event], None]) -> Follower:
        """The last pass once more, with somebody who is told of its events."""
        identity = self.follow(recording).engine.identity
        assert isinstance(identity, RecordedIdentity)
        again = self._pass(recording, identity.learned, None, None)
        again.engine.watch = watch
        again.follow()
        return again

    def _pass(
        self,
        recording: Recording,
        learned: Learned,
        before: int | None,
        family: Family | None,
    ) -> Follower:
        express = ":express:" in (recording.arn or "")
        of_type = self.type or ("EXPRESS" if express else "STANDARD")
        identity = identity_of(recording, learned, of_type)
        quotas = quotas_of(of_type)
        engine = Engine(self.program, identity, quotas)
        journal = Journal(Header(self.definition, identity, quotas))

        def same(recorded: Any, ours: Any) -> bool:
            return learned.take(recorded, ours) or self.tolerate(recorded, ours)

        rules = Rules(same, self.times, before)
        return Follower(recording, self.machine, engine, journal, rules, family)
