"""Who an execution is: its names and ARNs, and the seed of all that is random in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random

from ..errors import InputError
from ..model import partition_of

ACCOUNT = "123456789012"
REGION = "us-east-1"


def role_in(region: str) -> str:
    """Return the ARN of the role that executions have when nobody named one."""
    return f"arn:{partition_of(region)}:iam::{ACCOUNT}:role/DoorstepRole"


ROLE = role_in(REGION)

_REFUSED_IN_NAMES = re.compile(
    r"[\s<>{}\[\]?*\"#%\\^|~$&,;:/`\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U0010ffff]"
)
LONGEST_NAME = 80
"""Characters of a name (API reference, StartExecution)."""


def is_name(name: str) -> bool:
    """Return whether a name has none of the characters that AWS refuses.

    The characters are those of the service model's documentation of `name`.

    Fact 451.
    """
    return not _REFUSED_IN_NAMES.search(name)


def check_name(name: str | None) -> None:
    """Raise InputError for a name that AWS refuses: 1 to 80 characters, no special ones."""
    if name is not None and (not 0 < len(name) <= LONGEST_NAME or not is_name(name)):
        raise InputError(
            f"Invalid Name: '{name}': 1 to 80 characters, without spaces, brackets and "
            "other special characters"
        )


@dataclass(slots=True)  # frozen costs a third more for each: there may be a million
class Identity:
    """Names as they stand in ARNs and in the context object."""

    name: str
    seed: str
    machine: str = "StateMachine"
    label: str | None = None
    """Set in children of a distributed Map: their machine is MACHINE/LABEL."""
    type: str = "STANDARD"
    account: str = ACCOUNT
    region: str = REGION
    role: str | None = ROLE
    map_run: str | None = None
    nesting: int = 0
    """How many executions wait for this one, each for the next."""
    asynchronous: bool = False
    """Whether StartExecution started it: an Express one then has a RedriveCount (fact 341)."""
    job_of: str | None = None
    """The ARN of the execution that started it with `.sync`, and waits for its end."""

    @property
    def machine_path(self) -> str:
        """NAME, or NAME/LABEL for the children of a map run (fact 282)."""
        return self.machine if self.label is None else f"{self.machine}/{self.label}"

    @property
    def machine_arn(self) -> str:
        """The unqualified ARN of the state machine."""
        return self._arn("stateMachine", self.label)

    @property
    def arn(self) -> str:
        """The execution's ARN; Express ones end in an id of their own (facts 282 and 457)."""
        if self.type == "EXPRESS":
            return self._arn("express", self.label, f":{self.name}:{self.uuid('express')}")
        return self._arn("execution", self.label, f":{self.name}")

    def map_run_arn(self, label: str, key: str) -> str:
        """Return the ARN of the map run that the command `key` starts (fact 282)."""
        return self._arn("mapRun", label, f":{self.uuid(key)}")

    def label_of(self, state: str) -> str:
        """Return the label of a Map that has none: a UUID, the same in all executions.

        Fact 282.
        """
        return _uuid(f"{self.machine_arn}/{state}")

    def uuid(self, place: str) -> str:
        """Return a UUID (version 4) that depends on the seed and the place that asks."""
        return _uuid(f"{self.seed}/{place}")

    def token(self, key: str) -> str:
        """Return the task token of the command `key`."""
        return f"AQC{sha256(f'{self.arn}/{self.seed}/{key}'.encode()).hexdigest()}"

    def random(self, place: str) -> Random:
        """Return random numbers that depend on the seed and the place that asks."""
        return Random(f"{self.seed}/{place}")

    def child(self, label: str, map_run: str, key: str, execution_type: str) -> Identity:
        """Return the identity of the child execution that a map run starts under `key`."""
        return Identity(  # without names, which cost half as much again: there may be a million
            _uuid.__wrapped__(f"{self.seed}/{key}"),  # it is asked for once
            # Not its name: its task tokens follow from its seed, and must stay secret.
            sha256(f"child/{self.seed}/{key}".encode()).hexdigest(),
            self.machine,
            label,
            execution_type,
            self.account,
            self.region,
            self.role,
            map_run,
            self.nesting,
        )

    def _arn(self, kind: str, label: str | None, end: str = "") -> str:
        path = self.machine if label is None else f"{self.machine}/{label}"
        place = f"{partition_of(self.region)}:states:{self.region}:{self.account}"
        return f"arn:{place}:{kind}:{path}{end}"


@lru_cache(256)
def _uuid(text: str) -> str:
    # The ARN of an Express execution has one, and is asked for several times.
    digits = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
