"""What a long check says in the end: expectations as they come, problems, an exit code."""

from __future__ import annotations

from collections.abc import Sequence

_missed: list[str] = []


def expect(what: str, holds: bool) -> None:
    """Print what is expected, and whether it holds."""
    print(f"  {'ok' if holds else 'NOT'}: {what}", flush=True)
    if not holds:
        _missed.append(what)


def as_expected() -> int:
    """Sum up what `expect` printed; return the exit code."""
    print(f"not as expected: {len(_missed)}" if _missed else "all as expected")
    return 1 if _missed else 0


def verdict(problems: Sequence[str], otherwise: str) -> int:
    """Print the first problems and how many there are, or what is true without; return the code."""
    for problem in problems[:20]:
        print(problem[:1_000])
    print(f"{len(problems)} problems" if problems else otherwise)
    return 1 if problems else 0
