"""Rounds of laws: what a night, or a slice of it, is made of."""

from __future__ import annotations

import time
from pathlib import Path

from law import Law, broken_case, write_case


def night(laws: dict[str, Law], minutes: float, first: int, failures: Path) -> int:
    """Check all laws, again and again, each round with the next seed."""
    end = time.monotonic() + minutes * 60
    seed, broken = first, 0
    while seed == first or time.monotonic() < end:
        print(f"seed {seed}", flush=True)
        for name, law in laws.items():
            broken += not holds(name, law, seed, law.round, failures)
        seed += 1
    print(f"{seed - first} rounds from seed {first}; laws broken: {broken}")
    return int(bool(broken))


def holds(name: str, law: Law, seed: int, examples: int, failures: Path) -> bool:
    """Check one round of a law; report a case that breaks it, and write it to a file."""
    case = broken_case(law, seed, examples)
    if case is None:
        print(f"  {name} holds", flush=True)
        return True
    print(f"  {name} is broken, see {write_case(name, case, failures)}", flush=True)
    return False
