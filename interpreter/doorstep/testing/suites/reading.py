"""From a file to its tests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...api import Type
from ...definitions.config_schema import Record, load
from ...definitions.templates import TemplateMachine, load_any
from ...errors import DoorstepError, InputError
from ...validation import check
from ...values.json_values import loads
from ..conditions import made
from ..mock_files import made_mocks, mocks_of
from ..mocks import Mock
from . import SUFFIXES
from .tables import SUITE


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of tests."""

    path: Path
    record: Record
    _machines: dict[tuple[Any, ...], TemplateMachine]
    """Those that were read before."""

    @property
    def tests(self) -> list[Test]:
        """Each test, once for every value of its `each`: numbered where names don't differ."""
        found: list[Test] = []
        for records in self.record.members["tests"]:
            names = [record.members["name"] for record in records]
            distinct = len(set(names)) == len(names)
            found += [
                Test(self, name if distinct else f"{name} [{number}]", record)
                for number, (name, record) in enumerate(zip(names, records, strict=True))
            ]
        return found

    def machine(
        self, file: str, resource: str | None, parameters: dict[str, str], type: Type | None
    ) -> TemplateMachine:
        """The state machine of a file beside it; raises DefinitionError when AWS would refuse it.

        `type` comes before what a template says.
        """
        key = file, resource, type, *sorted(parameters.items())
        if key not in self._machines:
            found = load_any(self.path.parent / file, resource, parameters=parameters)
            found = replace(found, type=type or found.type)
            check(found.document.definition, type=found.type)
            self._machines[key] = found
        return self._machines[key]


@dataclass(frozen=True, slots=True)
class Test:
    """One test."""

    __test__ = False
    suite: Suite
    name: str
    record: Record

    def get(self, name: str, default: Any = None) -> Any:
        """A member of its own, or of the suite."""
        return self.record.get(name, self.suite.record.get(name, default))

    @property
    def folder(self) -> Path:
        """What files are relative to."""
        return self.suite.path.parent

    @property
    def file(self) -> str:
        """Where it is written, as messages have it."""
        return self.record.source.file

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.record.source.position()[0]

    @property
    def machine(self) -> TemplateMachine:
        """Its state machine; raises InputError or DefinitionError when it can't be had."""
        file = self.get("definition")
        if file is None:
            raise self.record.source.problem("the member 'definition' is missing, here or above")
        try:
            names = ("resource", "parameters", "type")
            resource, parameters, of_type = (self.get(name) for name in names)
            return self.suite.machine(file, resource, parameters or {}, of_type)
        except DoorstepError as problem:
            place = (self.record if "definition" in self.record else self.suite.record).source
            raise place.at("definition").problem(str(problem)) from None

    @property
    def input(self) -> Any:
        """The input's value."""
        if "input_file" in self.record:
            place = self.record.source.at("input_file")
            try:
                return loads((self.folder / place.value).read_text("utf-8-sig"))
            except OSError as problem:
                raise place.problem(f"can't read {place.value}: {problem.strerror}") from None
            except (InputError, UnicodeDecodeError) as problem:
                raise place.problem(f"{place.value}: {problem}") from None
        try:
            return made(self.record.get("input", {}))
        except InputError as problem:
            raise self.record.source.at("input").problem(str(problem)) from None

    def mocks(self, record: Record) -> list[Mock]:
        """The mocks that its record, or that of the suite, has."""
        given = record.get("mocks", [])
        if not isinstance(given, str):
            return made_mocks(given)
        try:
            return mocks_of(given, self.folder, self.machine.name)
        except InputError as problem:
            raise record.source.at("mocks").problem(str(problem)) from None


def read(path: Path, shown: str | None = None) -> Suite:
    """The suite of a file; raises InputError with file, line and column of what is wrong."""
    return Suite(path, SUITE.read(load(path, shown)), {})


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The files given, and those of folders; hidden folders and node_modules are left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, inner, files in os.walk(path):
            inner[:] = sorted(n for n in inner if n[0] != "." and n != "node_modules")
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIXES))
