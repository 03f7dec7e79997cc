"""Histories stored beside the tests, without what differs from run to run."""

from __future__ import annotations

import json
import re
from difflib import unified_diff
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..values.json_values import loads
from .state_machines import Observation

_ADVICE = "--doorstep-update (of `doorstep test`: --update) stores this one"
_LEFT_OUT = ("timestamp", "id", "previousEventId")
_TEXTS = ("input", "output", "parameters", "cause")
_RANDOM = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"AQC[0-9a-f]{64}"), "<task token>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)"), "<time>"),
)


def recognizable(observed: Observation) -> list[Any]:
    """Return a history's events without times, ids, names and tokens; JSON texts are values."""
    name = observed.name
    return [
        {key: unvarying(value, name) for key, value in event.items() if key not in _LEFT_OUT}
        for event in observed.history
    ]


def compare(observed: Observation, file: Path, *, update: bool) -> None:
    """Raise AssertionError with the differences to a stored history; or store this one."""
    text = json.dumps(recognizable(observed), indent=2, ensure_ascii=False) + "\n"
    if update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return
    if not file.exists():
        raise AssertionError(f"there is no {file}; {_ADVICE}")
    stored = file.read_text("utf-8")
    if stored != text:
        lines = unified_diff(
            stored.splitlines(), text.splitlines(), f"{file.name} (stored)", "this run", lineterm=""
        )
        raise AssertionError("\n".join([f"the history is another one; {_ADVICE}", *lines]))


def unvarying(value: Any, name: str) -> Any:
    """Return a value without what differs from run to run; `name`: the execution's."""
    match value:
        case dict():
            return {
                key: unvarying(_value(inner) if key in _TEXTS else inner, name)
                for key, inner in value.items()
                if key != "stackTrace"
            }
        case list():
            return [unvarying(item, name) for item in value]
        case str():
            text = value.replace(name, "<execution>")
            for pattern, instead in _RANDOM:
                text = pattern.sub(instead, text)
            return text
    return value


def _value(text: Any) -> Any:
    """Return the value of a JSON text; what is none stays as it is."""
    try:
        return loads(text) if isinstance(text, str) else text
    except InputError:
        return text
