"""Express children of map runs that have ended, in a few hundred bytes each.

AWS has no history of Express executions (fact 456), and no operation returns one here. Facts and
last event are stored, from which a map run's result and a redrive follow. What all children of a
map run have in common is one row of `families`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from doorstep.engine.identity import Identity
from doorstep.engine.journal import JournalEntry
from doorstep.engine.messages import Event, Fact
from doorstep.values.json_values import dumps, loads

from .store import Row

OWN = ("id", "name", "seed", "status", "started", "stopped", "redrives", "redriven")
"""What each child has of its own: of its row, and the seed of its identity."""
_FAMILIAR = (
    *("machine", "type", "revision", "version", "alias", "trace", "map_run", "clock", "root"),
    "test_case",
)
_WORDS = (
    b'],["due",,"1","delay"],["picked up","submitted",["redriven","crashed","stopped",["failed",'
    b'"ExecutionAborted"ExecutionTimedOut"ExecutedVersion":"$LATEST","Payload":{"StatusCode":200,'
    b'"ExecutionFailed",{"error":"States.TaskFailed","cause":"{\\"errorMessage\\":\\"\\",'
    b'\\"errorType\\":\\"Exception\\",\\"stackTrace\\":[]}"}[["started",,"","{\\""],["succeeded",,'
    b'"1",{"name":"\\"}],[8,7,"ExecutionSucceeded",{"output":"{\\"\\"}","outputDetails":'
    b'{"truncated":false}}]]'
)
"""What the texts have in common. What was written can only be read with the same words."""
_NAME = re.compile(r":express:[^:]+:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):")
_WINDOW = -12
"""4 KiB, raw: a compressor that needs little memory is made in little time."""


def common(row: Row) -> dict[str, Any]:
    """Return what a child has in common with the others of its map run."""
    identity = {
        name: value for name, value in loads(row.identity).items() if name not in ("name", "seed")
    }
    return {name: getattr(row, name) for name in _FAMILIAR} | {"identity": identity}


def own(row: Row) -> list[Any]:
    """Return the values of OWN; names of children are UUIDs, seeds hexadecimal digits."""
    seed = bytes.fromhex(loads(row.identity)["seed"])
    started, stopped, redriven = (
        # A REAL column returns a float for an integer that was written.
        None if date is None else float(date)
        for date in (row.started, row.stopped, row.redriven)
    )
    name = UUID(row.name).bytes
    return [row.id, name, seed, row.status, started, stopped, row.redrives, redriven]


def name_in(arn: str) -> bytes | None:
    """Return the name in the ARN of an Express child as it is stored; None in another ARN."""
    match = _NAME.search(arn)
    return UUID(match[1]).bytes if match else None


def row_of(family: dict[str, Any], values: Sequence[Any]) -> Row:
    """Return the row of a child."""
    members = dict(zip(OWN, values, strict=True))
    name = str(UUID(bytes=members["name"]))
    identity = Identity(name=name, seed=members.pop("seed").hex(), **family["identity"])
    members |= {**family, "name": name, "arn": identity.arn, "identity": dumps(asdict(identity))}
    return Row(**members)


def compressed(text: bytes) -> bytes:
    """Return a text in fewer bytes."""
    compressor = zlib.compressobj(wbits=_WINDOW, memLevel=4, zdict=_WORDS)
    return compressor.compress(text) + compressor.flush()


def decompressed(blob: bytes) -> bytes:
    """Return the text that was compressed; raise ValueError for what was not."""
    try:
        return zlib.decompressobj(_WINDOW, _WORDS).decompress(blob)
    except zlib.error as problem:
        raise ValueError(str(problem)) from None


def entries_of(rows: Sequence[Sequence[Any]]) -> list[JournalEntry]:
    """Return facts and the last event from their members."""
    return [*(Fact(*fact) for fact in rows[:-1]), Event(*rows[-1])]
