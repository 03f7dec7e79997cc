"""What a test expects, held against what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...asl.jsonata_fields import is_expression
from ...definitions.config_schema import Record, SourceValue
from ...errors import InputError
from ...history import StateView
from ...runtime import spelled
from ...values.did_you_mean import did_you_mean
from ...values.json_values import ABSENT, dumps
from ..conditions import unmet
from ..snapshots import compare
from ..state_machines import Observation, callable_names

_LONGEST = 1_000
"""Characters of a value in a message."""
_INCLUDES = "_includes"
_EXECUTION: Mapping[str, Callable[[Observation], Any]] = {
    "status": lambda execution: execution.status,
    "input": lambda execution: execution.input,
    "output": lambda execution: execution.output if execution.succeeded else ABSENT,
    "error": lambda execution: execution.error,
    "cause": lambda execution: execution.cause,
    "path": lambda execution: execution.path,
    "took": lambda execution: execution.took.total_seconds(),
}
_STATE: Mapping[str, Callable[[StateView], Any]] = {
    "visits": lambda state: state.visits,
    "retries": lambda state: state.retries,
    "errors": lambda state: state.errors,
    "outcome": lambda state: state.outcome,
    "next": lambda state: state.next,
    "took": lambda state: state.took.total_seconds(),
    "assigned": lambda state: state.assigned,
    "input": lambda state: state.input,
    "output": lambda state: state.output,
    "paths": lambda state: state.paths,
}


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that was not met: where it stands, and of what it is."""

    place: SourceValue
    what: str
    expected: Any = ABSENT
    found: Any = ABSENT
    """ABSENT: nothing is there; both: `what` says it all."""

    def __str__(self) -> str:
        if self.found is ABSENT and self.expected is ABSENT:
            return self.what
        return f"{self.what}\n{self.values}"

    @property
    def values(self) -> str:
        """Both values, a line each."""
        return both(self.expected, self.found)


def both(expected: Any, found: Any) -> str:
    """Return two values as messages show them, a line each."""
    return f"expected  {_shown(expected)}\nfound     {_shown(found)}"


def check(
    record: Record, expect: Record | None, observed: Observation, folder: Path, update: bool
) -> Iterator[Unmet]:
    """Yield what is not as expected; `update`: store the history instead of comparing it.

    Raises InputError for an expectation that can't be compared.
    """
    if expect is None:
        expect = Record(record.source, {})
    yield from _execution(expect, "", observed, record.source)
    for name, children in expect.get("children", {}).items():
        yield from _children(name, children, expect.source.at("children").at(name), observed)
    if "history" in expect:
        yield from _history(expect.source.at("history"), observed, folder, update)


def _execution(
    expect: Record, of: str, observed: Observation, place: SourceValue
) -> Iterator[Unmet]:
    """Compare an execution; `place`: where a failure is reported that nothing is said about."""
    if not {"status", "error", "cause"} & expect.members.keys() and not observed.succeeded:
        yield Unmet(place, f"status{of}", "SUCCEEDED", observed.status)
    yield from _compared(expect, of, _EXECUTION, observed)
    for name, state in expect.get("states", {}).items():
        state_view = _state(observed, name, state.source)
        yield from _compared(state, f" of {name}{of}", _STATE, state_view)
    for name, wanted in expect.get("calls", {}).items():
        yield from _calls(name, of, wanted, expect.source.at("calls").at(name), observed)


def _children(
    machine: str, wanted: list[Record], place: SourceValue, observed: Observation
) -> Iterator[Unmet]:
    children = [child for child in observed.children if child.machine == machine]
    if len(children) != len(wanted):
        yield Unmet(place, f"number of executions of {machine}", len(wanted), len(children))
        return
    for number, (expect, child) in enumerate(zip(wanted, children, strict=True)):
        yield from _execution(expect, f" of {machine}[{number}]", child, expect.source)


def _compared(
    expect: Record, of: str, table: Mapping[str, Callable[[Any], Any]], observed: Any
) -> Iterator[Unmet]:
    """Compare the members of a record that are in the table."""
    for member, expected in expect.members.items():
        name = member.removesuffix(_INCLUDES)
        if name in table:
            place, partial = expect.source.at(member), member != name
            try:
                actual = table[name](observed)
            except AssertionError as not_reached:
                yield Unmet(place, f"{name}{of}", expected, str(not_reached))
                continue
            yield from differing(place, f"{name}{of}", expected, actual, partial=partial)


def differing(
    place: SourceValue, what: str, expected: Any, actual: Any, *, partial: bool
) -> Iterator[Unmet]:
    """Yield what of a value is not as expected; `partial`: objects may have more members."""
    try:
        differing = unmet("", expected, actual, partial=partial)
    except InputError as problem:
        raise place.problem(str(problem)) from None
    for at, wanted, actual_part in differing:
        if what.partition(" ")[0] == "took" and not is_expression(wanted):
            wanted, actual_part = spelled(wanted), spelled(actual_part)
        dot = "" if not at or at.startswith("[") else "."
        yield Unmet(_inner(place, at), f"{what}{dot}{at}", wanted, actual_part)


def _inner(place: SourceValue, at: str) -> SourceValue:
    """Return the part of an expected value that `at` names, or the nearest around it."""
    steps: Iterable[tuple[str | int, str]] = ()
    match place.value:
        case dict():
            steps = ((name, name) for name in place.value)
        case list():
            steps = ((index, f"[{index}]") for index in range(len(place.value)))
    for key, written in steps:
        rest = at.removeprefix(written)
        if at.startswith(written) and rest[:1] in ("", ".", "["):
            return _inner(place.at(key), rest.removeprefix("."))
    return place


def _state(observed: Observation, name: str, place: SourceValue) -> StateView:
    try:
        return observed.state(name)
    except LookupError as problem:
        raise place.problem(str(problem.args[0]), name=True) from None


def _calls(
    name: str, of: str, wanted: Any, place: SourceValue, observed: Observation
) -> Iterator[Unmet]:
    """Compare calls; `wanted`: a number, the inputs in their order, or a condition on these."""
    inputs = [call.event for call in observed.called(name)]
    known = callable_names(observed.definition or {})
    if not inputs and name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
        raise place.problem(f"no task of the definition calls '{name}'; {hint}", name=True)
    count = isinstance(wanted, int)
    actual = len(inputs) if count else inputs
    yield from differing(place, f"calls of {name}{of}", wanted, actual, partial=True)


def _history(
    place: SourceValue, observed: Observation, folder: Path, update: bool
) -> Iterator[Unmet]:
    try:
        compare(observed, folder / place.value, update=update)
    except AssertionError as difference:
        yield Unmet(place, str(difference))


def _shown(value: Any) -> str:
    text = "nothing" if value is ABSENT else value if is_expression(value) else dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
