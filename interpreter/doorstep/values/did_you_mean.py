"""Names that are none of the known ones, but close to one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint, `did you mean 'Item'?`; None when nothing is close."""
    close = closest(name, known)
    return f"did you mean '{close}'?" if close else None


def closest(name: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Return the known name that is closest; None when none is. `cutoff`: 1 is equal."""
    # Imported here: only what is wrong needs it.
    from difflib import get_close_matches

    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None
