"""Parts that no run reached, and why: what can't be reached at all, apart from what was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..asl.retry import matches
from ..coverage import Item
from ..coverage.items import StateItems
from ..errors import StateFailed
from . import flow_states
from .choosing import options
from .evidence import Evidence
from .findings import Finding, Place
from .flow import Read
from .goals import SURPRISE, fixed, possible, situation
from .run import Seen
from .search import Search

_WIDE = {
    "States.ALL": (SURPRISE, "States.Timeout", "States.DataLimitExceeded"),
    "States.TaskFailed": (SURPRISE,),
}
"""Names that take several errors, and one of each sort that they take."""


def unreached(search: Search, evidence: Evidence) -> Iterator[Finding]:
    """What can't be reached, each a finding; the rest in one."""
    rest: list[Place] = []
    for found in search.subject.parts.values():
        for item in found.items():
            if item in search.reached or not _counts(search, found, item):
                continue
            if why := _impossible(found, item, evidence):
                message = f"{item.label} can't be reached: {why}"
                yield Finding("unreachable", "warning", message, [Place(item.pointer, item.label)])
            else:
                why = _unknown(search, found, item, evidence)
                rest.append(Place(item.pointer, f"{item.kind} {item.label}: {why}"))
    if rest:
        many = "1 part was" if len(rest) == 1 else f"{len(rest)} parts were"
        message = f"{many} not reached"
        yield Finding("unreached", "note", message, rest)


def _counts(search: Search, found: StateItems, item: Item) -> bool:
    """Whether it says something of its own: not what merely follows from another one."""
    if found.entered not in search.reached:
        return False
    if item.kind == "transition":
        return item.pointer.endswith(("/Next", "/End"))
    retriers = {one: retrier for retrier, one in found.retriers}
    return item.kind != "retrier" or retriers[item].max_attempts > 0


def _impossible(found: StateItems, item: Item, evidence: Evidence) -> str | None:
    if item.kind == "retrier":
        return _shadowed([(r.names, one) for r, one in found.retriers], item, "retrier")
    if item.kind == "catcher":
        return _shadowed([(c.names, c.item) for c in found.catchers], item, "catcher")
    if item.kind == "rule":
        return _never_first(found, item, evidence)
    return None


def _shadowed(entries: Iterable[tuple[Sequence[str], Item]], item: Item, what: str) -> str | None:
    """The entries before it take all that it names."""
    before: list[Sequence[str]] = []
    for names, one in entries:
        if one == item:
            errors = [StateFailed(error) for name in names for error in _WIDE.get(name, (name,))]
            taken = all(any(matches(b, failed) for b in before) for failed in errors)
            return f"a {what} before it takes all that it names" if before and taken else None
        before.append(names)
    return None


def _never_first(found: StateItems, item: Item, evidence: Evidence) -> str | None:
    """No data make it the first rule that holds."""
    seen = evidence.choices.get(found.state.name)
    if seen is None:
        return None
    had = options(situation(seen))
    number = [one for _, one in found.rules].index(item)
    if not had.complete or number in had.found:
        return None
    if item.pointer.endswith("/Default"):
        return "with all data one of the rules holds"
    if 0 in options(situation(seen, only=number)).found:
        return "whenever it holds, a rule before it does"
    return "no data make it hold"


def _unknown(search: Search, found: StateItems, item: Item, evidence: Evidence) -> str:
    """What is known of why it was not reached."""
    state = found.state
    if state.name in evidence.failed and not search.passed(state.name):
        return "the state fails before"
    if item.kind == "rule" and state.name in evidence.choices:
        return _undecided(evidence.choices[state.name])
    if item.kind == "map" and not state.reader:
        flow = flow_states.items(state)
        fixed = not isinstance(flow, Read)
        return "its items are computed or fixed" if fixed else "its items come from the definition"
    if item.kind == "transition":
        return "the state never ended so"
    if item.kind == "catcher":
        return "a retrier before it is never used up, or no task in it can fail so"
    return "no run got there"


def _undecided(seen: Seen) -> str:
    if fixed(seen):
        return "what its Choice looks at is fixed by the definition on the way that was found"
    if not possible(seen).free:
        return "what its Choice looks at is computed on the way that was found"
    return "no data were found with which it is the first that holds"
