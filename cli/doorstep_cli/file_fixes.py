"""`doorstep lint --fix`: the safe changes, written into files in which all else stays as it is."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorstep.advice import LAMBDA_RETRY
from doorstep.definitions import yaml_text

from .editor.edits import Edit, added_member, applied
from .editor.machines import Machine, machines
from .output import echo, note

if TYPE_CHECKING:
    from .editor.machines import State
    from .views.diagnostics import DefinitionReport


def write_fixes(reports: Iterable[DefinitionReport]) -> bool:
    """Write the safe changes for what was reported into the files; return whether there are any.

    Each change is printed. A file in which one would mean anything else is left as it is.
    """
    wanted: dict[Path, list[tuple[str, str]]] = {}
    for report in reports:
        for one in report.diagnostics:
            if one.code == "RETRY_LAMBDA" and one.location:
                at = (report.machine or "", one.location)
                wanted.setdefault(Path(report.file), []).append(at)
    return sum(_fix(path, places) for path, places in wanted.items()) > 0


def _fix(path: Path, places: Sequence[tuple[str, str]]) -> bool:
    data = path.read_bytes()
    given = data.decode("utf-8-sig")
    text = given.replace("\r\n", "\n")
    yaml = path.suffix in (".yaml", ".yml") or not text.lstrip().startswith(("{", '"'))
    found = machines(text, yaml=yaml)
    states = list(_without_retry(found, places))
    edits = [
        added_member(text, machine, state.node, "Retry", [LAMBDA_RETRY])
        for machine, state in states
    ]
    if not edits:
        return False
    if not _adds_only(found, applied(text, edits), yaml=yaml):
        note(f"{path}: left as it is; its layout can't be changed safely, add the retriers by hand")
        return False
    fixed = applied(given, _with_line_ends(given, edits))
    bom = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
    path.write_bytes(bom + fixed.encode())
    for _, state in states:
        echo(f"{path}: add a retry for Lambda's errors at {state.pointer}", err=True)
    return True


def _without_retry(
    found: Sequence[Machine], places: Iterable[tuple[str, str]]
) -> Iterator[tuple[Machine, State]]:
    """Yield the states at these places (machine, JSON Pointer) that have no Retry at all."""
    for name, pointer in places:
        for machine in found:
            # A definition that a template names has its machine without a name.
            if machine.name in (name, ""):
                for state in machine.states:
                    if state.pointer == pointer and state.node.get("Retry") is None:
                        yield machine, state


def _with_line_ends(given: str, edits: Iterable[Edit]) -> list[Edit]:
    """Return edits of a text with LF as edits of it with the line ends that it had."""
    ends = [one.start() - number for number, one in enumerate(re.finditer("\r\n", given))]
    line_end = "\r\n" if ends and ends[0] == given.replace("\r\n", "\n").find("\n") else "\n"
    return [
        Edit(
            one.start + bisect_left(ends, one.start),
            one.end + bisect_left(ends, one.end),
            one.text.replace("\n", line_end),
        )
        for one in edits
    ]


def _adds_only(before: Sequence[Machine], fixed: str, *, yaml: bool) -> bool:
    """Return whether a changed text can be read and has the same machines, but for retriers."""
    try:
        yaml_text.compose(fixed) if yaml else json.loads(fixed)
    except (yaml_text.YAMLProblem, ValueError):
        return False
    after = machines(fixed, yaml=yaml)
    return [_bare(one.root.plain()) for one in before] == [_bare(one.root.plain()) for one in after]


def _bare(value: Any) -> Any:
    """Return a value without the retriers that are added."""
    if isinstance(value, Mapping):
        return {
            name: _bare(inner)
            for name, inner in value.items()
            if (name, inner) != ("Retry", [LAMBDA_RETRY])
        }
    return [_bare(one) for one in value] if isinstance(value, list) else value
