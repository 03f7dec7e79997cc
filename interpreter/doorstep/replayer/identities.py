"""Who a recorded execution was: names, tokens and random values, as far as they are learned."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ..engine.identity import Identity
from .learned import ARN, Learned, Slot, parts_of
from .recording import Recording


@dataclass(frozen=True)
class RecordedIdentity(Identity):
    """An identity whose tokens, map runs and random values are those learned so far."""

    learned: Learned = field(default_factory=Learned, compare=False)
    given_arn: str | None = None

    @property
    def arn(self) -> str:
        """The execution's ARN, the recording's own where it is known."""
        return self.given_arn or Identity.arn.__get__(self)

    def uuid(self, place: str) -> str:
        """The recording's, once it is learned: the end of an Express execution's ARN."""
        return self.learned.get(("draw", "uuid", place), lambda: Identity.uuid(self, place))

    def child(self, label: str, map_run: str, key: str, execution_type: str) -> Identity:
        """A child that is started now: nothing of it is recorded."""
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
    map_run = ARN.fullmatch(str(recording.map_run))
    identity = RecordedIdentity(
        name="replayed-execution",
        machine="replayed-machine",
        seed="replay",
        type=type,
        role=recording.events[0].details.get("roleArn"),
        learned=learned,
        given_arn=recording.arn,
        map_run=recording.map_run,
        label=map_run["label"] if map_run else None,
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
    for arn in (machine, recording.map_run, recording.arn):
        if parts := ARN.fullmatch(str(arn)):
            yield from parts_of(parts)
