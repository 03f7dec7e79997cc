"""What became of replays, as lines and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from doorstep.errors import shortened
from doorstep.values.json_values import dumps

from ..output import TableRow, echo, note, plain, print_table

if TYPE_CHECKING:
    from doorstep.engine.messages import Event
    from doorstep.history.recorded import Entry
    from doorstep.replayer import ChildReplay, Difference, HandlerAnswer, Replay

_VERDICTS = ("same", "fixed", "different", "no handler", "no answer")
_MOST = 10
"""Children and answers that differ are shown one by one, up to this number."""
_SHOWN = 400
"""Characters of an event or an answer."""
_ABSENT = {
    "missing": "it got an item, and has no history here",
    "unmatched": "none of the items is handed out to it",
    "not given": "there is no history of it here",
    "no definition": "what it ran is not known: --state-machine NAME=FILE",
    "no items": "what its children got is not compared: the items are in a bucket (--s3-root DIR)",
}
_IN_ANOTHER = "a child of its own, or a handler"


def tell(replayed: Replay) -> None:
    """The first difference, what the handlers answered, and the children."""
    _tell_own(replayed)
    _tell_children(replayed)


def _tell_own(replayed: Replay) -> None:
    if found := replayed.difference:
        echo(_headline(found), fg="red", bold=True)
        echo(f"  {plain(found.message)}")
        for title, event in (("recorded", found.recorded), ("now", found.ours)):
            echo(f"  {title + ':':10}{_event(event)}")
        echo(f"  likely:   {found.advice}")
    else:
        echo(f"the same: {replayed.events:,} events, {replayed.status}", fg="green")
    if answers := [answer for one in replayed.all for answer in one.answers]:
        _tell_answers(answers)


def _headline(found: Difference) -> str:
    where = f" in {found.place}" if found.place else ""
    number = f"event {found.recorded.id}" if found.recorded else "the end of the recording"
    return plain(f"differs at {number}{where}")


def _event(event: Event | Entry | None) -> str:
    if event is None:
        return "nothing"
    return plain(shortened(f"{event.type} {dumps(event.details or {})}", _SHOWN))


def _tell_answers(answers: Sequence[HandlerAnswer]) -> None:
    counts: dict[str, Counter[str]] = {}
    for answer in answers:
        counts.setdefault(answer.state, Counter())[answer.verdict] += 1
    rows = [
        TableRow(
            [state, str(found.total()), *(str(found[verdict]) for verdict in _VERDICTS)],
            "red" if found["different"] else None,
        )
        for state, found in counts.items()
    ]
    print_table(["State", "Calls", *(verdict.capitalize() for verdict in _VERDICTS)], rows)
    _tell_different(answers)


def _tell_different(answers: Sequence[HandlerAnswer]) -> None:
    different = [answer for answer in answers if answer.verdict == "different"]
    for answer in different[:_MOST]:
        where = plain(f"{answer.state}, attempt {answer.attempt}")
        echo(f"{where}: the handler answers otherwise at {answer.at}")
        for title, value in (("recorded", answer.recorded), ("now", answer.now)):
            echo(f"  {title + ':':10}{plain(shortened(dumps(value), _SHOWN))}")
    if len(different) > _MOST:
        echo(f"… and {len(different) - _MOST} more; --format json has all")


# Children ---------------------------------------------------------------------------------------


def _tell_children(replayed: Replay) -> None:
    """The children that are not the same in a table, and how many there are of each verdict."""
    for file in replayed.unused:
        note(f"of no child: {file}")
    found = list(_descendants(replayed))
    if not found:
        return
    counts = Counter(child.verdict for _, child in found if child.verdict != "no items")
    notable = [(where, child) for where, child in found if child.verdict != "same"]
    if notable:
        rows = [_child_row(where, child) for where, child in notable[:_MOST]]
        print_table(["Child", "Execution", "Result", "State", "What differs"], rows)
    if len(notable) > _MOST:
        echo(f"… and {len(notable) - _MOST} more; --format json has all")
    told = ", ".join(f"{verdict} {number:,}" for verdict, number in counts.most_common())
    echo(f"children: {told}")


def _descendants(replayed: Replay, around: str = "") -> Iterator[tuple[str, ChildReplay]]:
    for child in replayed.children:
        yield f"{around}{child.place}", child
        if child.replay:
            yield from _descendants(child.replay, f"{around}{child.place} > ")


def _child_row(where: str, child: ChildReplay) -> TableRow:
    found = child.replay.difference if child.replay else None
    told = _ABSENT.get(child.verdict) or (told_shortly(found) if found else _IN_ANOTHER)
    colour = "yellow" if child.same else "red"
    return TableRow(
        [where, child.name or "", child.verdict, found.place if found else "", told], colour
    )


def told_shortly(found: Difference) -> str:
    """A difference in a cell of a table."""
    number = f"event {found.recorded.id}: " if found.recorded else ""
    return f"{number}{found.message}"
