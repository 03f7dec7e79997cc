"""Files of Doorstep's own, YAML or JSON: values that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import DefinitionError, InputError
from ..model.definition import escape
from ..values.json_values import loads
from . import positions, yaml_text
from .documents import MAX_CHARACTERS, check_bounds, excerpt, window


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands in its file."""

    file: str
    text: str = field(repr=False)
    yaml: bool
    pointer: str
    value: Any

    def at(self, name: str | int) -> Place:
        """A member or an item."""
        step = f"{self.pointer}/{escape(name) if isinstance(name, str) else name}"
        return replace(self, pointer=step, value=self.value[name])

    def position(self, *, name: bool = False) -> tuple[int, int]:
        """Line and column, from 1; `name`: of the member's name."""
        return positions.locate(self.text, self.pointer, yaml=self.yaml, name=name)

    def problem(self, told: str, *, name: bool = False) -> InputError:
        """What is wrong with it: file, line and column, the line itself and a caret."""
        return _problem(self.file, self.text, self.position(name=name), told)

    def __str__(self) -> str:
        return f"{self.file}:{self.position()[0]}"


def load(path: Path, shown: str | None = None) -> Place:
    """The value of a file, `shown` in messages by this name; `.json` is JSON, all else YAML.

    Raises InputError when it can't be read, has too many characters or levels, or when YAML has two
    members of one name in an object.
    """
    file = shown or str(path)
    try:
        text = path.read_text("utf-8-sig")
    except OSError as problem:
        raise InputError(f"can't read {file}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{file} is not UTF-8 text: {problem.reason}") from None
    except ValueError as problem:
        raise InputError(f"can't read {file!r}: {problem}") from None
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"{file} has more than {MAX_CHARACTERS:,} characters")
    yaml = path.suffix.lower() != ".json"
    try:
        value = yaml_text.loads(text, unique=True) if yaml else loads(text)
        check_bounds(value)
    except yaml_text.YAMLProblem as problem:
        raise _problem(file, text, (problem.line, problem.column), problem.message) from None
    except InputError as problem:
        raise InputError(f"{file}: {problem}") from None
    except (DefinitionError, RecursionError):
        raise InputError(f"{file} is nested too deeply, or unfolds to too many values") from None
    return Place(file, text, yaml, "", value)


def _problem(file: str, text: str, position: tuple[int, int], told: str) -> InputError:
    line, column = position
    shown = "\n".join(f"    {one}" for one in window(excerpt(text, line, column)))
    return InputError(f"{file}:{line}:{column}: {told}\n{shown}")
