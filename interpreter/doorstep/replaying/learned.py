"""What belongs to a run: names, ARNs, tokens, random values. A recording shows those that it had.

A replay begins with values of its own making. Where the recording has another one in their place,
that one is learned, and the replay begins again with it: what is then computed from it can be
compared to the letter.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ..identity import Identity
from .recording import Recording

Slot = tuple[str, ...]
"""What is learned: ("name",), ("token", key), ("draw", place, number), …"""

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MADE = re.compile(f"AQC[0-9a-f]{{64}}|{_UUID}|replayed-(?:execution|machine)")
_ARN = re.compile(
    r"arn:[\w-]+:states:(?P<region>[\w-]+):(?P<account>\d+):"
    r"(?:(?:stateMachine|mapRun):|(?P<executed>execution|express):)"
    r"(?P<machine>[^:/]+)(?:/[^:]+)?(?::(?P<name>[^:]+))?(?::[^:]+)?"
)
_FITS: dict[str, Callable[[str], Any]] = {
    "draw": re.compile(_UUID).fullmatch,
    "token": re.compile(r"\S{16,}").fullmatch,
    "name": re.compile(r"\S{1,80}").fullmatch,
    "machine": re.compile(r"\S{1,80}").fullmatch,
}


@dataclass(slots=True)
class Learned:
    """The values of the recording by slot, and those that this pass has made up itself."""

    values: dict[Slot, Any] = field(default_factory=dict)
    made: dict[str, Slot] = field(default_factory=dict)
    numbers: dict[float, list[Slot]] = field(default_factory=dict)
    fresh: bool = False
    """Whether something was learned since the last `begin`."""

    def begin(self) -> None:
        """Another pass: nothing is made up yet."""
        self.made.clear()
        self.numbers.clear()
        self.fresh = False

    def get(self, slot: Slot, make: Callable[[], str]) -> str:
        """The recording's text for a slot, or one that is made up."""
        if slot in self.values:
            return str(self.values[slot])
        text = make()
        self.made[text] = slot
        return text

    def take(self, recorded: Any, ours: Any) -> bool:
        """Learn from two values that differ; False when they have no reason to."""
        if isinstance(recorded, str) and isinstance(ours, str):
            return self._take_text(recorded, ours)
        for slot in self.numbers.get(ours, ()) if _is_number(ours) and _is_number(recorded) else ():
            if slot not in self.values and type(recorded) is type(ours):
                self._keep(slot, recorded)
                return True
        return False

    def _take_text(self, recorded: str, ours: str) -> bool:
        pattern, slots, at = "", [], 0
        for made in _MADE.finditer(ours):
            if slot := self.made.get(made[0]):
                pattern += f"{re.escape(ours[at : made.start()])}(.+?)"
                slots.append(slot)
                at = made.end()
        found = re.fullmatch(pattern + re.escape(ours[at:]), recorded, re.DOTALL)
        if not slots or found is None:
            return self._take_arn(recorded, ours)
        taken = list(zip(slots, found.groups(), strict=True))
        if all(_FITS[slot[0]](text) for slot, text in taken):
            for slot, text in taken:
                self._keep(slot, text)
            return True
        return False

    def _take_arn(self, recorded: str, ours: str) -> bool:
        theirs = _ARN.fullmatch(recorded)
        if theirs is None or not _ARN.fullmatch(ours):
            return False
        before = len(self.values)
        for name, text in _parts(theirs):
            self._keep((name,), text)
        return len(self.values) > before

    def _keep(self, slot: Slot, value: Any) -> None:
        if slot not in self.values:
            self.values[slot] = value
            self.fresh = True


def _parts(arn: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Names and values of the fields of an identity that an ARN tells."""
    names = ("region", "account", "machine", *(("name",) if arn["executed"] else ()))
    return ((name, arn[name]) for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class RecordedIdentity(Identity):
    """An identity whose tokens, map runs and random values are those learned so far."""

    learned: Learned = field(default_factory=Learned, compare=False)
    given_arn: str | None = None

    @property
    def arn(self) -> str:
        """The execution's ARN, the recording's own where it is known."""
        return self.given_arn or Identity.arn.__get__(self)

    def token(self, key: str) -> str:
        """The recording's, once it is learned."""
        return self.learned.get(("token", key), lambda: Identity.token(self, key))

    def random(self, place: str) -> Random:
        """Draws that are the recording's where they are learned."""
        return RecordedRandom(self, place)


class RecordedRandom(Random):
    """Random numbers, each of which may be replaced by the one that the recording shows."""

    def __init__(self, identity: RecordedIdentity, place: str) -> None:
        super().__init__(f"{identity.seed}/{place}")
        self._learned = identity.learned
        self._place = place
        self.given: list[Any] = []
        """All that was drawn so far."""

    def getrandbits(self, bits: int, /) -> int:
        """128 bits are those of a UUID."""
        made = super().getrandbits(bits)
        if bits != 128:
            return made
        text = self._learned.get(self._slot(), lambda: str(uuid.UUID(int=made, version=4)))
        return int(self._give(uuid.UUID(text).int))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """States.MathRandom."""
        return int(self._number(super().randrange(start, stop, step)))

    def random(self) -> float:
        """$random()."""
        return float(self._number(super().random()))

    def _number(self, made: Any) -> Any:
        slot = self._slot()
        if slot not in self._learned.values:
            self._learned.numbers.setdefault(made, []).append(slot)
        return self._give(self._learned.values.get(slot, made))

    def _slot(self) -> Slot:
        return "draw", self._place, str(len(self.given) + 1)

    def _give(self, value: Any) -> Any:
        self.given.append(value)
        return value


class RepeatedRandom(Random):
    """The numbers that were given before, once more."""

    def __init__(self, given: Iterable[Any]) -> None:
        super().__init__(0)
        self._given = iter(given)

    def getrandbits(self, bits: int, /) -> int:
        """A UUID's."""
        return int(next(self._given, 0))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """States.MathRandom's."""
        return int(next(self._given, start))

    def random(self) -> float:
        """That of $random()."""
        return float(next(self._given, 0))


def identity_of(recording: Recording, learned: Learned, type: str) -> RecordedIdentity:
    """Who the recorded execution was, as far as its history or what was learned from it says."""
    identity = RecordedIdentity(
        name="replayed-execution",
        machine="replayed-machine",
        seed="replay",
        type=type,
        role=recording.events[0].details.get("roleArn"),
        learned=learned,
        given_arn=recording.arn,
    )
    told = dict(_told(recording)) | {
        slot[0]: value for slot, value in learned.values.items() if len(slot) == 1
    }
    learned.made |= {
        getattr(identity, name): (name,) for name in ("name", "machine") if name not in told
    }
    return replace(identity, **told)


def _told(recording: Recording) -> Iterator[tuple[str, str]]:
    """Fields of an identity and their values; what is told later is surer."""
    for entry in recording.events:
        if region := entry.details.get("region"):
            yield "region", str(region)
            break
    started = recording.events[0].details
    role = started.get("roleArn")
    if isinstance(role, str) and role.count(":") == 5:
        yield "account", role.split(":")[4]
    machine = started.get("stateMachineVersionArn") or started.get("stateMachineAliasArn")
    for arn in (machine, recording.arn):
        if parts := _ARN.fullmatch(str(arn)):
            yield from _parts(parts)
