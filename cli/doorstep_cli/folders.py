"""Folders with the histories of many executions: what failed in them, and their replays.

In a folder, every `*.json` is a history, and so is the `history.json` in each folder that
`doorstep download` wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorstep.errors import InputError
from doorstep.history import Visits, ending
from doorstep.history.causes import cause_lines
from doorstep.history.child_failures import reasons
from doorstep.values.file_names import name_of

from .children import family_of
from .output import Problem, TableRow, echo, print_json, print_table
from .recorded import read_history
from .views.replay import answer_counts, print_answers, summary

if TYPE_CHECKING:
    from doorstep.replayer import Replay


def histories_in(folder: Path) -> list[tuple[str, Path]]:
    """Return names and files of the histories in a folder. Raises Problem when there are none."""
    files = [(file.name, file) for file in sorted(folder.glob("*.json"))]
    files += [(name_of(one.parent.name), one) for one in sorted(folder.glob("*/history.json"))]
    if not files:
        raise Problem(f"no histories (*.json, */history.json) found in {folder}")
    return files


# What failed -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlikeFailure:
    """What ended executions, of which all failed at one place with one error."""

    place: str
    error: str
    cause: str
    executions: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the group for programs."""
        return {
            "place": self.place or None,
            "error": self.error,
            "cause": self.cause or None,
            "executions": list(self.executions),
        }


def print_failures(folder: Path, output_format: str) -> int:
    """Print what ended the executions of a folder, alike failures in one row; return exit code."""
    files = histories_in(folder)
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, file in files:
        if end := _end_of(file):
            place, error, cause = end
            alike.setdefault((place, error), []).append((name, cause))
    groups = [
        AlikeFailure(place, error, same[0][1], [name for name, _ in same])
        for (place, error), same in sorted(alike.items(), key=lambda one: -len(one[1]))
    ]
    if output_format == "json":
        print_json([group.as_json() for group in groups])
    else:
        failed = sum(len(group.executions) for group in groups)
        echo(f"{failed:,} of {len(files):,} executions have failed", bold=True)
        if groups:
            rows = [_row(group) for group in groups]
            print_table(["Error", "State", "Executions"], rows)
    return int(bool(groups))


def _row(group: AlikeFailure) -> TableRow:
    first, *others = group.executions
    names = f"{len(group.executions):,}: {first}{' …' if others else ''}"
    below = list(cause_lines(group.cause, frames=False))[:1]
    return TableRow([group.error, group.place, names], "red", below)


def _end_of(file: Path) -> tuple[str, str, str] | None:
    """Return where an execution failed, with which error and cause: in its children, if there."""
    visits = Visits(read_history([file]))
    end = ending(visits)
    if end is None:
        return None
    inner = reasons(end, family_of([file], visits, None).groups)
    if inner:
        place, why = inner[0].place, inner[0].ending
    else:
        why = end
        place = " > ".join(name for name, _ in end.visit.path) if end.visit else ""
    return place, why.error or why.status, why.cause or ""


# Replays -----------------------------------------------------------------------------------------


def replays_of(folder: Path, replay: Callable[[Path], Replay]) -> list[tuple[str, Replay | str]]:
    """Return the replay of each history in a folder, or why it can't be replayed."""
    return [(name, _attempt(replay, file)) for name, file in histories_in(folder)]


def print_replays(
    results: Sequence[tuple[str, Replay | str]], output_format: str, *, compared: bool
) -> int:
    """Print how replays went, and return the exit code; `compared`: handlers were asked as well."""
    replays = [result for _, result in results if not isinstance(result, str)]
    if output_format == "json":
        print_json([{"file": name, **_as_json(result)} for name, result in results])
    else:
        titles = ("Calls", "Fixed", "Different") if compared else ()
        columns = ["History", "Result", "Events", *titles, "State", "What differs"]
        print_table(columns, [_replay_row(*one, compared=compared) for one in results])
        every = (inner for one in replays for inner in one.all)
        if answers := [answer for one in every for answer in one.answers]:
            print_answers(answers)
        for line in _totals(replays, len(results), compared=compared):
            echo(line)
    if len(replays) < len(results):
        return 2
    return int(not all(one.same for one in replays))


def _totals(replays: Sequence[Replay], total: int, *, compared: bool) -> Iterator[str]:
    if compared:
        fixed = sum(answer_counts(one)["fixed"] > 0 for one in replays)
        yield f"in {fixed} of {total} a call that failed succeeds now"
        others = sum(not one.same for one in replays)
        yield f"in {others} of {total} something else differs"
    else:
        same = sum(one.same for one in replays)
        yield f"{same} of {total} run the same with this definition"


def _attempt(attempt: Callable[[Path], Replay], file: Path) -> Replay | str:
    """Return the replay of a file's history, or why it can't be replayed."""
    try:
        return attempt(file)
    except InputError as problem:
        return str(problem)


def _as_json(result: Replay | str) -> dict[str, Any]:
    return {"problem": result} if isinstance(result, str) else result.as_json()


def _replay_row(name: str, result: Replay | str, *, compared: bool) -> TableRow:
    empty = [""] * 3 * compared
    if isinstance(result, str):
        return TableRow([name, "unusable", "", *empty, "", result], "yellow")
    counts = answer_counts(result)
    numbers = [str(counts.total()), str(counts["fixed"]), str(counts["different"])] * compared
    difference = next((one.difference for one in result.all if one.difference), None)
    place, what = (difference.place, summary(difference)) if difference else ("", "")
    verdict, colour = ("same", "green") if result.same else ("differs", "red")
    return TableRow([name, verdict, str(result.recorded), *numbers, place, what], colour)
