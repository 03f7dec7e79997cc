"""The results of replays, as lines and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from doorstep.errors import shortened
from doorstep.values.json_values import dumps

from ..output import TableRow, echo, note, plain, print_table
from .ended import EXCEEDED

if TYPE_CHECKING:
    from doorstep.engine.messages import Event
    from doorstep.history.recorded import Entry
    from doorstep.replayer import ChildReplay, Difference, HandlerAnswer, Replay

_VERDICTS = {
    "same": "Same",
    "fixed": "Fixed",
    "different": "Different",
    "no handler": "No handler",
    "no answer": "No answer",
}
"""What a handler's answer was beside the recorded one, and the title of its column."""
_CHILD_RESULTS = {"not given": "no history", "no items": "not compared"}
"""Results of children whose names in the table differ from those in the JSON."""
_MOST = 10
"""Children, and answers, that differ to list; the others are counted."""
_SHOWN = 400
"""Characters of an event or an answer to show."""
_ABSENT = {
    "missing": "it received an item, but its history is not here",
    "unmatched": "it matches none of the items",
    "not given": "its history is not here",
    "no definition": "its definition is not known; name it with --state-machine NAME=FILE",
    "no items": "its items are in a bucket, so its children are not compared; name --s3-root DIR",
}
_ELSEWHERE = "one of its children, or a handler, differs"


def print_replay(replayed: Replay) -> None:
    """Print the first difference, the handlers' answers, and the children."""
    _print_own(replayed)
    _print_children(replayed)


def _print_own(replayed: Replay) -> None:
    if difference := replayed.difference:
        echo(_headline(difference), fg="red", bold=True)
        echo(f"  {plain(difference.message)}")
        for title, event in (("recorded", difference.recorded), ("now", difference.ours)):
            echo(f"  {title + ':':10}{_event(event)}")
        echo(f"  likely:   {difference.advice}")
    else:
        echo(f"the same: {replayed.recorded:,} events, {replayed.status}", fg="green")
        if replayed.error == EXCEEDED and not replayed.children:
            note("whether the failures of its children are tolerated now: add --children DIR")
    if answers := [answer for one in replayed.all for answer in one.answers]:
        print_answers(answers)


def _headline(difference: Difference) -> str:
    where = f" in {difference.place}" if difference.place else ""
    number = (
        f"event {difference.recorded.id}" if difference.recorded else "the end of the recording"
    )
    return plain(f"differs at {number}{where}")


def _event(event: Event | Entry | None) -> str:
    if event is None:
        return "nothing"
    return plain(shortened(f"{event.type} {dumps(event.details or {})}", _SHOWN))


def answer_counts(replayed: Replay) -> Counter[str]:
    """Return how many answers of handlers have each verdict, in children as well."""
    return Counter(answer.verdict for one in replayed.all for answer in one.answers)


def print_answers(answers: Sequence[HandlerAnswer]) -> None:
    """Print the verdicts on handlers' answers by state, and the answers that differ."""
    counts: dict[str, Counter[str]] = {}
    for answer in answers:
        counts.setdefault(answer.state, Counter())[answer.verdict] += 1
    rows = [
        TableRow(
            [state, str(counted.total()), *(str(counted[verdict]) for verdict in _VERDICTS)],
            "red" if counted["different"] else None,
        )
        for state, counted in counts.items()
    ]
    print_table(["State", "Calls", *_VERDICTS.values()], rows)
    _print_different(answers)


def _print_different(answers: Sequence[HandlerAnswer]) -> None:
    different = [answer for answer in answers if answer.verdict == "different"]
    for answer in different[:_MOST]:
        where = plain(f"{answer.state}, attempt {answer.attempt}")
        echo(f"{where}: the handler's answer differs at {answer.at}")
        for title, value in (("recorded", answer.recorded), ("now", answer.now)):
            echo(f"  {title + ':':10}{plain(shortened(dumps(value), _SHOWN))}")
    if len(different) > _MOST:
        echo(f"… and {len(different) - _MOST} more; --format json lists all")


# Children ---------------------------------------------------------------------------------------


def _print_children(replayed: Replay) -> None:
    """Print a table of the children that differ, and the number of children with each result."""
    for file in replayed.unused:
        note(f"matches no child: {file}")
    children = list(_descendants(replayed))
    if not children:
        return
    counts = Counter(child.verdict for _, child in children if child.verdict != "no items")
    notable = [(where, child) for where, child in children if child.verdict != "same"]
    if notable:
        rows = [_child_row(where, child) for where, child in notable[:_MOST]]
        print_table(["Child", "Execution", "Result", "State", "What differs"], rows)
    if len(notable) > _MOST:
        echo(f"… and {len(notable) - _MOST} more; --format json lists all")
    totals = (f"{_child_result(name)} {number:,}" for name, number in counts.most_common())
    echo(f"children: {', '.join(totals)}")


def _child_result(verdict: str) -> str:
    return _CHILD_RESULTS.get(verdict, verdict)


def _descendants(replayed: Replay, around: str = "") -> Iterator[tuple[str, ChildReplay]]:
    for child in replayed.children:
        yield f"{around}{child.place}", child
        if child.replay:
            yield from _descendants(child.replay, f"{around}{child.place} > ")


def _child_row(where: str, child: ChildReplay) -> TableRow:
    difference = child.replay.difference if child.replay else None
    why = _ABSENT.get(child.verdict) or (summary(difference) if difference else _ELSEWHERE)
    colour = "yellow" if child.same else "red"
    state, result = difference.place if difference else "", _child_result(child.verdict)
    return TableRow([where, child.name or "", result, state, why], colour)


def summary(difference: Difference) -> str:
    """Return a difference in a few words, for a cell of a table."""
    number = f"event {difference.recorded.id}: " if difference.recorded else ""
    return f"{number}{difference.message}"
