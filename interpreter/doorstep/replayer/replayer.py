"""A definition, compiled, and how recordings are followed with it: pass by pass.

A pass begins with names, ARNs, tokens and random values of its own making. Where the recording has
others in their place, those are adopted, and the recording is followed again with them: what is
then computed from them can be compared to the letter.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ..api import Definition, StateMachines, Type
from ..asl.compile import compile_workflow
from ..definitions import load
from ..engine import (
    Engine,
    Event,
    Fiber,
    Header,
    Identity,
    Journal,
    Program,
    StartMapRun,
    quotas_of,
)
from ..model import home_of, workflow
from ..runtime import Buckets
from ..validation import check
from .child_histories import ChildHistories, ChildSource, read_children
from .comparison import ComparisonRules, Tolerate
from .follower import Follower
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
        self,
        children: ChildSource,
        machines: StateMachines | None,
        buckets: Buckets | None,
        *,
        partial: bool = False,
    ) -> ChildHistories:
        """Read histories of children, and what they ran, to be compared as this one compares.

        `partial`: as for ChildHistories.
        """
        programs = {}
        for name, given in (machines or {}).items():
            definition, of_type = given if isinstance(given, tuple) else (given, None)
            programs[name] = Replayer(
                definition, type=of_type, times=self.times, tolerate=self.tolerate
            )
        return ChildHistories(read_children(children), programs, buckets, partial=partial)

    def follow(
        self,
        recording: Recording,
        before: int | None = None,
        histories: ChildHistories | None = None,
        watch: Callable[[], Callable[[Fiber, Event], None] | None] = lambda: None,
    ) -> Follower:
        """Follow a recording, again and again until nothing more is adopted from it.

        `before`: the first event that is not taken from it; `histories`: those of its children;
        `watch` makes what is called with each event of a pass, and is the engine's then.
        """
        values = RecordedValues()
        while True:
            values.begin()
            follower = self._follower(recording, values, before, histories)
            follower.engine.watch = watch()
            follower.follow()
            if not values.changed:
                return follower

    def _follower(
        self,
        recording: Recording,
        values: RecordedValues,
        before: int | None,
        histories: ChildHistories | None,
    ) -> Follower:
        express = ":express:" in (recording.arn or "")
        of_type = self.type or ("EXPRESS" if express else "STANDARD")
        identity = identity_of(recording, values, of_type, home_of(self.definition))
        quotas = quotas_of(of_type)
        engine = Engine(self.program, identity, quotas)
        journal = Journal(Header(self.definition, identity, quotas))

        def same(recorded: Any, ours: Any) -> bool:
            return values.adopt(recorded, ours) or self.tolerate(recorded, ours)

        rules = ComparisonRules(same, self.times, before)
        return Follower(recording, self.machine, engine, journal, rules, histories)


# Who the execution was ----------------------------------------------------------------------------

Slot = tuple[str, ...]
"""What a value stands for: ("name",), ("token", key), ("draw", place, number), …"""

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MADE = re.compile(f"AQC[0-9a-f]{{64}}|{UUID}|replayed-(?:execution|machine)")
_ARN = re.compile(
    r"arn:[\w-]+:states:(?P<region>[\w-]+):(?P<account>\d+):"
    r"(?:(?:stateMachine|mapRun):|(?P<executed>execution|express):)"
    r"(?P<machine>[^:/]+)(?:/(?P<label>[^:]+))?(?::(?P<name>[^:]+))?(?::[^:]+)?"
)
_FITS: dict[str, Callable[[str], Any]] = {
    "draw": re.compile(UUID).fullmatch,
    "token": re.compile(r"\S{16,}").fullmatch,
    "name": re.compile(r"\S{1,80}").fullmatch,
    "machine": re.compile(r"\S{1,80}").fullmatch,
}


@dataclass(slots=True)
class RecordedValues:
    """The values of the recording by slot, and those that this pass has made up itself."""

    values: dict[Slot, Any] = field(default_factory=dict)
    made: dict[str, Slot] = field(default_factory=dict)
    numbers: dict[float, list[Slot]] = field(default_factory=dict)
    changed: bool = False
    """Whether a value was adopted since the last `begin`."""

    def begin(self) -> None:
        """Begin another pass: nothing is made up yet."""
        self.made.clear()
        self.numbers.clear()
        self.changed = False

    def get(self, slot: Slot, make: Callable[[], str]) -> str:
        """Return the recording's text for a slot, or one that is made up."""
        if slot in self.values:
            return str(self.values[slot])
        text = make()
        self.made[text] = slot
        return text

    def adopt(self, recorded: Any, ours: Any) -> bool:
        """Adopt what a recorded value has in the place of made-up ones; False: it has nothing."""
        if isinstance(recorded, str) and isinstance(ours, str):
            return self._adopt_text(recorded, ours)
        for slot in self.numbers.get(ours, ()) if _is_number(ours) and _is_number(recorded) else ():
            if slot not in self.values and type(recorded) is type(ours):
                self._set(slot, recorded)
                return True
        return False

    def _adopt_text(self, recorded: str, ours: str) -> bool:
        pattern, slots, at = "", [], 0
        for made in _MADE.finditer(ours):
            if slot := self.made.get(made[0]):
                pattern += f"{re.escape(ours[at : made.start()])}(.+?)"
                slots.append(slot)
                at = made.end()
        match = re.fullmatch(pattern + re.escape(ours[at:]), recorded, re.DOTALL)
        if not slots or match is None:
            return self._adopt_arn(recorded, ours)
        texts = list(zip(slots, match.groups(), strict=True))
        if not all(_FITS[slot[0]](text) for slot, text in texts):
            return False
        for slot, text in texts:
            self._set(slot, text)
        return True

    def _adopt_arn(self, recorded: str, ours: str) -> bool:
        theirs = _ARN.fullmatch(recorded)
        if theirs is None or not _ARN.fullmatch(ours):
            return False
        before = len(self.values)
        for name, text in _fields_of(theirs):
            self._set((name,), text)
        return len(self.values) > before

    def _set(self, slot: Slot, value: Any) -> None:
        if slot not in self.values:
            self.values[slot] = value
            self.changed = True


def _fields_of(arn: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the fields of an identity that an ARN has."""
    names = ("region", "account", "machine", *(("name",) if arn["executed"] else ()))
    return ((name, arn[name]) for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class RecordedIdentity(Identity):
    """An identity with the recording's tokens, map runs and random values, as far as adopted."""

    recorded: RecordedValues = field(default_factory=RecordedValues, compare=False)
    given_arn: str | None = None

    @property
    def arn(self) -> str:
        """The execution's ARN, the recording's own where it is known (facts 282 and 457)."""
        return self.given_arn or Identity.arn.__get__(self)

    def uuid(self, place: str) -> str:
        """Return the end of an Express execution's ARN."""
        return self.recorded.get(("draw", "uuid", place), lambda: Identity.uuid(self, place))

    def child(self, label: str, map_run: str, key: str, execution_type: str) -> Identity:
        """Return the identity of a child that is started now: nothing of it is recorded."""
        own = Identity(
            name=self.name,
            seed=self.seed,
            machine=self.machine,
            account=self.account,
            region=self.region,
            role=self.role,
        )
        return own.child(label, map_run, key, execution_type)

    def token(self, key: str) -> str:
        """Return a task's token."""
        return self.recorded.get(("token", key), lambda: Identity.token(self, key))

    def random(self, place: str) -> Random:
        """Return what a place draws its random numbers from."""
        return RecordedRandom(self, place)


class RecordedRandom(Random):
    """Random numbers, each of which may be replaced by the one in the recording."""

    def __init__(self, identity: RecordedIdentity, place: str) -> None:
        super().__init__(f"{identity.seed}/{place}")
        self._recorded = identity.recorded
        self._place = place
        self.drawn: list[Any] = []

    def getrandbits(self, bits: int, /) -> int:
        """Draw bits; 128 are those of a UUID."""
        made = super().getrandbits(bits)
        if bits != 128:
            return made
        text = self._recorded.get(self._slot(), lambda: str(uuid.UUID(int=made, version=4)))
        return int(self._draw(uuid.UUID(text).int))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """Draw for States.MathRandom."""
        return int(self._number(super().randrange(start, stop, step)))

    def random(self) -> float:
        """Draw for $random()."""
        return float(self._number(super().random()))

    def _number(self, made: Any) -> Any:
        slot = self._slot()
        if slot not in self._recorded.values:
            self._recorded.numbers.setdefault(made, []).append(slot)
        return self._draw(self._recorded.values.get(slot, made))

    def _slot(self) -> Slot:
        return "draw", self._place, str(len(self.drawn) + 1)

    def _draw(self, value: Any) -> Any:
        self.drawn.append(value)
        return value


class RepeatedRandom(Random):
    """The numbers that were drawn before, once more."""

    def __init__(self, drawn: Iterable[Any]) -> None:
        super().__init__(0)
        self._drawn = iter(drawn)

    def getrandbits(self, bits: int, /) -> int:
        """Return a UUID's bits."""
        return int(next(self._drawn, 0))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """Return the next number of States.MathRandom."""
        return int(next(self._drawn, start))

    def random(self) -> float:
        """Return the next number of $random()."""
        return float(next(self._drawn, 0))


def identity_of(
    recording: Recording, recorded: RecordedValues, type: str, region: str
) -> RecordedIdentity:
    """Return who the recorded execution was, as far as its history and `recorded` say it.

    `region`: if neither says one. Facts 282 and 457: what ARNs say of names, labels and types.
    """
    map_run = _ARN.fullmatch(str(recording.map_run))
    identity = RecordedIdentity(
        name="replayed-execution",
        machine="replayed-machine",
        seed="replay",
        type=type,
        region=region,
        role=recording.events[0].details.get("roleArn"),
        recorded=recorded,
        given_arn=recording.arn,
        map_run=recording.map_run,
        label=map_run["label"] if map_run else None,
    )
    known = dict(_fields(recording)) | {
        slot[0]: value for slot, value in recorded.values.items() if len(slot) == 1
    }
    recorded.made |= {
        getattr(identity, name): (name,) for name in ("name", "machine") if name not in known
    }
    return replace(identity, **known)


def _fields(recording: Recording) -> Iterator[tuple[str, str]]:
    """Yield fields of an identity and their values; a later one is surer."""
    for entry in recording.events:
        if region := entry.details.get("region"):
            yield "region", str(region)
            break
    started = recording.events[0].details
    role = started.get("roleArn")
    if isinstance(role, str) and role.count(":") == 5:
        yield "account", role.split(":")[4]
    machine = started.get("stateMachineVersionArn") or started.get("stateMachineAliasArn")
    for arn in (machine, recording.map_run, recording.arn):
        if match := _ARN.fullmatch(str(arn)):
            yield from _fields_of(match)
