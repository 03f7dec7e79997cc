"""ARNs of Step Functions taken apart.

| kind | the rest of the ARN |
|---|---|
| stateMachine | NAME, NAME/LABEL (children of a map run), NAME:VERSION, NAME:ALIAS |
| execution | MACHINE:NAME, MACHINE/LABEL:NAME |
| express | MACHINE:NAME:UUID |
| activity | NAME |
| mapRun | MACHINE/LABEL:UUID |
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from doorstep.model import partition_of
from doorstep.model.aws_errors import invalid_arn, invalid_request


@dataclass(frozen=True, slots=True)
class Caller:
    """In whose name a request is made."""

    account: str
    region: str
    clock: str | None = None
    """The clock of what is started, if the request names one: see `clock`."""
    everywhere: bool = False
    """Nobody signed, as `doorstep ps` and curl do: lists show all accounts and regions."""

    @property
    def partition(self) -> str:
        """The partition of the region, which ARNs name."""
        return partition_of(self.region)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of something of the caller's."""
        return f"arn:{self.partition}:states:{self.region}:{self.account}:{kind}:{name}"

    def sees(self, arn: str) -> bool:
        """Return whether a list shows what has this ARN."""
        return self.everywhere or arn.split(":")[3:5] == [self.region, self.account]


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN."""

    text: str
    kind: str
    name: str
    qualifier: str
    """What stands behind the name: a version or alias, an execution's name; or empty."""

    @property
    def unqualified(self) -> str:
        """The ARN without its qualifier."""
        return self.text.removesuffix(f":{self.qualifier}") if self.qualifier else self.text


@lru_cache(maxsize=1024)
def parse(text: str, *kinds: str) -> Arn:
    """Take an ARN of one of these kinds apart; raise InvalidArn, ValidationException.

    What is no ARN: facts 110 and 452. No operation takes that of a labelled Map (API reference,
    StartExecution).
    """
    if not text.startswith("arn:"):
        raise invalid_arn(f"Invalid ARN prefix: {text}")
    parts = text.split(":", 7)
    if len(parts) < 7 or parts[2] != "states" or not all(parts[3:7]):
        raise invalid_arn(f"Resource type not valid in this context: {text}")
    kind, name, *qualifier = parts[5:]
    if kind not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {kind}")
    if kind == "stateMachine" and "/" in name:
        message = f"The ARN of a distributed Map can't be used here: {text}"
        raise invalid_request(message, "API_DOES_NOT_SUPPORT_LABELED_ARNS")
    return Arn(text, kind, name, "".join(qualifier))
