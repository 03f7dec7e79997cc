"""Case files: one JSON object each, with a request to AWS and its answer.

| field | |
|---|---|
| id | the case; in our own set the path below `cases/` without `.json` |
| source | where the answer comes from: facts (docs/facts), the specification, a recording |
| kind | history, sync, test_state, validate, create_error |
| type | STANDARD (default) or EXPRESS; of history and sync cases |
| definition, input | JSON values; a text if the definition is not JSON |
| request | the whole request of a test_state, validate or create_error case |
| task_outcomes | per state the outcomes of its calls, in order |
| handlers | in place of outcomes: the lines of a Python file whose functions are called |
| machines | with handlers: definitions by name, which states:startExecution starts |
| objects | files in S3 buckets: {"bucket", "key", "body"} |
| recorded | AWS's answer; optional |
| wildcards | strings of `recorded` that stand for any value |
| parallel_unordered | events inside Parallel have no order and no ids in `recorded` |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args

from doorstep.errors import InputError
from doorstep.validation import MachineType
from doorstep.values.json_values import loads

OWN_CASES = Path(__file__).resolve().parents[1] / "cases"
"""Doorstep's own cases; they are in the repository, not in the installed package."""

CaseKind = Literal["history", "sync", "test_state", "validate", "create_error"]

_OUTCOME: dict[str, type | UnionType] = {
    "submitted": object,
    "output": object,
    "error": object,
    "cause": object,
    "failed_as": object,
    "timed_out": object,
    "after": int | float,
    "place": list,
}
_FIELDS: dict[str, type] = {
    "id": str,
    "source": str,
    "request": dict,
    "task_outcomes": dict,
    "handlers": list,
    "machines": dict,
    "objects": list,
    "recorded": dict,
    "wildcards": list,
    "parallel_unordered": bool,
}
_CHOICES: dict[str, tuple[str, ...]] = {"kind": get_args(CaseKind), "type": get_args(MachineType)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case; its fields are those of the file."""

    id: str
    kind: CaseKind
    source: str = ""
    type: MachineType = "STANDARD"
    definition: Any = None
    input: Any = None
    request: Mapping[str, Any] | None = None
    task_outcomes: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    handlers: list[str] | None = None
    machines: Mapping[str, Any] = field(default_factory=dict)
    objects: list[Mapping[str, str]] = field(default_factory=list)
    recorded: Mapping[str, Any] | None = None
    wildcards: frozenset[str] = frozenset()
    parallel_unordered: bool = False

    @property
    def area(self) -> str:
        """The subject of the case: its folder in our own set, else the suite that recorded it."""
        return self.id.partition("/" if "/" in self.id else "--")[0]


def load_cases(directory: Path) -> Iterator[Case]:
    """Yield the cases below a directory, sorted by id.

    Raises InputError for a directory without cases and for a file that is not a case.
    """
    cases = sorted(
        (load_case(path) for path in directory.rglob("*.json")), key=lambda case: case.id
    )
    if not cases:
        raise InputError(f"No cases (*.json) found in {directory}.")
    yield from cases


def load_case(path: Path) -> Case:
    """Read a case file. Raises InputError that names the file and the wrong field."""
    try:
        return case_of(loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, InputError) as problem:
        raise InputError(f"{path}: {problem}") from None


def case_of(content: Any) -> Case:
    """Return the case that a file's content describes. Raises InputError for another value."""
    if not isinstance(content, dict):
        raise InputError("a case is a JSON object.")
    for name, kind in _FIELDS.items():
        if name in content and not isinstance(content[name], kind):
            raise InputError(f"the field {name!r} must be of type {kind.__name__}.")
    for name, choices in _CHOICES.items():
        if name in content and content[name] not in choices:
            raise InputError(f"the field {name!r} must be one of {', '.join(choices)}.")
    started = content.get("kind") in ("history", "sync")
    for name in ("id", "kind", "definition" if started else "request"):
        if name not in content:
            raise InputError(f"the field {name!r} is missing.")
    _check_outcomes(content.get("task_outcomes", {}))
    known = {one.name for one in fields(Case)}
    return Case(
        **{name: value for name, value in content.items() if name in known}
        | {"wildcards": frozenset(content.get("wildcards", ()))}
    )


def _check_outcomes(outcomes: Mapping[str, Any]) -> None:
    for state, calls in outcomes.items():
        if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
            raise InputError(f"the outcomes of {state!r} must be a list of objects.")
        for name, value in (member for call in calls for member in call.items()):
            if name not in _OUTCOME:
                raise InputError(f"an outcome of {state!r} cannot have a member {name!r}.")
            if not isinstance(value, _OUTCOME[name]):
                raise InputError(f"the {name!r} of an outcome of {state!r} cannot be {value!r}.")
