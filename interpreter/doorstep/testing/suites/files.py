"""Suites in files: the members that they have, their JSON schema, and the tests read from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...api import Type
from ...asl.jsonata_fields import is_expression
from ...definitions.config_schema import (
    TEXT,
    ArrayOf,
    Either,
    Form,
    MapOf,
    Member,
    Record,
    Scalar,
    Schema,
    SourceValue,
    load,
    options,
)
from ...definitions.settings import FILE, Settings, settings_above
from ...definitions.templates import TemplateMachine, load_any
from ...errors import DoorstepError, InputError
from ...project import Project, open_project
from ...runtime import seconds
from ...validation import check
from ...values.did_you_mean import did_you_mean
from ...values.json_values import dumps, loads
from ..conditions import made
from ..mock_files import MOCKS, VALUE, made_mocks, mocks_of
from ..mocks import Mock

_NAME = re.compile(r"\$\{([^${}\s]+)\}")
MOST = 10_000
"""Tests that one `each` may make."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A form whose member `each` is a list of objects, or JSONata that makes one.

    In all other texts `${NAME}` stands for the row's member NAME; a text that is nothing else
    becomes the value itself.
    """

    form: Form

    def read(self, place: SourceValue) -> list[Record]:
        """Return a record for each row; one when there is no `each`."""
        if not isinstance(place.value, dict) or "each" not in place.value:
            return [self.form.read(place)]
        rows = list(_rows(place.at("each")))
        rest = {name: value for name, value in place.value.items() if name != "each"}
        return [self.form.read(replace(place, value=_filled(place, rest, row))) for row in rows]

    def schema(self) -> Schema:
        """Return the form's schema."""
        return self.form.schema()


def _rows(place: SourceValue) -> Iterator[Mapping[str, Any]]:
    try:
        rows = made(place.value)
    except InputError as problem:
        raise place.problem(str(problem)) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise place.problem("this has to be a list of objects")
    if len(rows) > MOST:
        raise place.problem(f"these are {len(rows):,} tests; {MOST:,} is the most")
    return iter(rows)


def _filled(place: SourceValue, value: Any, row: Mapping[str, Any]) -> Any:
    def known(name: str) -> Any:
        if name in row:
            return row[name]
        hint = did_you_mean(name, row) or f"there are {', '.join(row) or 'none'}"
        raise place.problem(f"`each` has a value without the member '{name}'; {hint}")

    def text(name: re.Match[str]) -> str:
        value = known(name[1])
        return value if isinstance(value, str) else dumps(value)

    def inside(value: Any) -> Any:
        match value:
            case str():
                whole = _NAME.fullmatch(value)
                return known(whole[1]) if whole else _NAME.sub(text, value)
            case dict():
                return {name: inside(inner) for name, inner in value.items()}
            case list():
                return [inside(item) for item in value]
        return value

    return inside(value)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(value: float | str) -> float | str:
    return value if isinstance(value, str) and is_expression(value) else seconds(value)


def _status(text: str) -> str:
    if text not in _STATUSES and not is_expression(text):
        raise ValueError(f"{text!r} is none of these")
    return text


_STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING")
_STATUS = Scalar(f"one of {', '.join(_STATUSES)}, or a condition", ("string",), _status)
_MOMENT = Scalar("a time such as 2025-01-31T08:00:00Z", ("string",), _moment)
_LENGTH = Scalar("a duration, or a condition on its seconds", ("number", "string"), _length)
_SEED = Scalar("a text or a number", ("string", "number"), str)
_MOCKS = Either("a list of mocks, or a file of them", {"array": MOCKS, "string": TEXT})

SETTINGS = {
    "definition": Member(TEXT, "file of the definition or template"),
    "project": Member(TEXT, "folder or template of a project: its functions answer its tasks"),
    "services": Member(TEXT, "what answers AWS services: moto, a URL; `tables` … begin in it"),
    "resource": Member(TEXT, "which state machine of a template"),
    "parameters": Member(MapOf(TEXT), "a template's parameters, and what ${NAME} stands for"),
    "handlers": Member(TEXT, "what answers the tasks: a .py file, a folder of them, a module"),
    "state_machines": Member(MapOf(TEXT), "files that states:startExecution finds, by name"),
    "s3_root": Member(TEXT, "the folder that holds a folder for each S3 bucket"),
    "type": Member(options("STANDARD", "EXPRESS"), "of the state machine; STANDARD by default"),
    "start_time": Member(_MOMENT, "when the clock starts; 2025-01-01T00:00:00Z by default"),
    "seed": Member(_SEED, "of UUIDs, jitter and tokens; by default the execution's name"),
    "mock_validation": Member(
        options("strict", "warn", "off"),
        "what to do about a mock's answer that no service gives",
    ),
}
"""What holds for a test, or when it stands beside `tests`, for all that don't say otherwise."""

FORMER = {
    "machines": "state_machines",
    "bucket": "s3_root",
    "begin": "start_time",
    "answers": "mock_validation",
}

STATE = Form(
    {
        "visits": Member(VALUE, "how often it was entered"),
        "retries": Member(VALUE, "how often its work was retried"),
        "errors": Member(VALUE, "the names of the errors of its work, retried ones included"),
        "outcome": Member(
            VALUE, "of the last visit: succeeded, caught, failed, aborted, in progress; null: none"
        ),
        "took": Member(_LENGTH, "how long the last visit took, in modelled time"),
        "assigned": Member(VALUE, "the variables that the last visit assigned"),
        "assigned_includes": Member(VALUE, "the same; there may be more"),
        "next": Member(VALUE, "the state that followed; null at an end"),
        "input": Member(VALUE, "of the last visit, before InputPath"),
        "input_includes": Member(VALUE, "the same; objects may have more members"),
        "output": Member(VALUE, "of the last visit"),
        "output_includes": Member(VALUE, "the same; objects may have more members"),
        "paths": Member(VALUE, "the states that each branch or iteration inside went through"),
    }
)
EXECUTION = {
    "status": Member(_STATUS, "how it ended; SUCCEEDED unless error or cause is expected"),
    "output": Member(VALUE, "the output"),
    "output_includes": Member(VALUE, "the output; its objects may have more members"),
    "error": Member(VALUE, "the error's name"),
    "cause": Member(VALUE, "the cause"),
    "path": Member(VALUE, "the states it went through, those inside of Parallel and Map not"),
    "took": Member(_LENGTH, "how long it took, in modelled time"),
    "states": Member(MapOf(STATE), "what became of states, by name"),
    "calls": Member(
        MapOf(VALUE), "calls of tasks by function, service:action or state: how many, or inputs"
    ),
}
CHILD = Form(
    {
        **EXECUTION,
        "input": Member(VALUE, "the input"),
        "input_includes": Member(VALUE, "the input; its objects may have more members"),
    }
)
EXPECT = Form(
    {
        **EXECUTION,
        "children": Member(
            MapOf(ArrayOf(CHILD)),
            "the executions that it started, in order, by their machine's name",
        ),
        "tables": Member(MapOf(VALUE), "the items of tables at the end, sorted by their keys"),
        "messages": Member(
            MapOf(VALUE), "the bodies of the messages in queues at the end, by name"
        ),
        "objects": Member(MapOf(VALUE), "objects of S3 at the end, by BUCKET/KEY; null: none"),
        "history": Member(TEXT, "file of the stored history; `--update` stores it"),
    }
)
TEST = Form(
    {
        "name": Member(TEXT, "a sentence", required=True),
        "each": Member(VALUE, "a list of values; the test is run for each, ${NAME} is its member"),
        "input": Member(VALUE, "the input; {} by default"),
        "input_file": Member(TEXT, "file of the input"),
        "tables": Member(MapOf(ArrayOf(VALUE)), "items that DynamoDB's tables have, by name"),
        "objects": Member(MapOf(VALUE), "objects that S3 has, by BUCKET/KEY; a text as it is"),
        "execution": Member(TEXT, "the execution's name"),
        "mocks": Member(_MOCKS, "asked before those of the suite and before the handlers"),
        "expect": Member(EXPECT, "what it is compared with; without: that it succeeds"),
        **SETTINGS,
    },
    exclusive=(("input", "input_file"),),
    former=FORMER,
)
SUITE = Form(
    {
        "mocks": Member(_MOCKS, "asked in every test, after its own"),
        **SETTINGS,
        "tests": Member(ArrayOf(Rows(TEST)), "the tests", required=True),
    },
    former=FORMER,
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A file of tests."""

    path: Path
    record: Record
    _machines: dict[tuple[Any, ...], TemplateMachine]
    """Those that were read before."""
    _projects: dict[tuple[Any, ...], Project]
    settings: Settings
    """Of the nearest `doorstep.yaml`; what a suite says of its own comes first."""

    @property
    def tests(self) -> list[Test]:
        """Each test, once for every value of its `each`: numbered where names don't differ."""
        tests: list[Test] = []
        for records in self.record.members["tests"]:
            names = [record.members["name"] for record in records]
            distinct = len(set(names)) == len(names)
            tests += [
                Test(self, name if distinct else f"{name} [{number}]", record)
                for number, (name, record) in enumerate(zip(names, records, strict=True))
            ]
        return tests

    def machine(
        self, file: str, resource: str | None, parameters: dict[str, str], type: Type | None
    ) -> TemplateMachine:
        """Return the state machine of a file beside it; raise DefinitionError if refused.

        `type` comes before what a template says.
        """
        key = file, resource, type, *sorted(parameters.items())
        if key not in self._machines:
            machine = load_any(self.path.parent / file, resource, parameters=parameters)
            machine = replace(machine, type=type or machine.type)
            check(machine.document.definition, type=machine.type)
            self._machines[key] = machine
        return self._machines[key]

    def project(self, path: Path, parameters: dict[str, str]) -> Project:
        """Return the project of a folder or template; raise what `open_project` raises."""
        key = path, *sorted(parameters.items())
        if key not in self._projects:
            self._projects[key] = open_project(path, parameters)
        return self._projects[key]


@dataclass(frozen=True, slots=True)
class Test:
    """One test."""

    __test__ = False
    suite: Suite
    name: str
    record: Record

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member of its own, of the suite, or of the `doorstep.yaml` around it."""
        settings = self.suite.settings
        match name:
            case "services":
                default = settings.services
            case "handlers":
                default = list(settings.handlers) or default
        return self.record.get(name, self.suite.record.get(name, default))

    @property
    def parameters(self) -> dict[str, str]:
        """What `${NAME}` and a template's parameters stand for."""
        return {**self.suite.settings.parameters, **self.get("parameters", {})}

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
        file, resource = self.get("definition"), self.get("resource")
        project = self.project
        if file is None and project is None:
            missing = "the member 'definition' is missing, and so is 'project', here and above"
            raise self.record.source.problem(missing)
        try:
            if project is not None:
                return project.machine(resource)
            return self.suite.machine(file, resource, self.parameters, self.get("type"))
        except DoorstepError as problem:
            raise self._blamed("definition" if file else "project", problem) from None

    @property
    def project(self) -> Project | None:
        """Its project; raises InputError when there is none in the folder that is named.

        A test that names neither a definition nor a project is of the one with the `doorstep.yaml`.
        """
        path, settings = self.get("project"), self.suite.settings
        if self.get("definition") is not None:
            return None
        if path is None and not (settings.folder / FILE).is_file():
            return None
        there = self.folder / path if path else settings.project or settings.folder
        try:
            return self.suite.project(there, self.parameters)
        except DoorstepError as problem:
            raise self._blamed("project", problem) from None

    def _blamed(self, member: str, problem: DoorstepError) -> InputError:
        """Return a problem with the line of the member that led to it, if there is one."""
        for record in (self.record, self.suite.record):
            if member in record:
                return record.source.at(member).problem(str(problem))
        return self.record.source.problem(str(problem))

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

    def project_mocks(self) -> list[Mock]:
        """Return the mocks that the `doorstep.yaml` names: asked after those of the suite."""
        source = self.suite.settings.mocks
        return mocks_of(source, Path(), self.machine.name) if source else []

    def mocks(self, record: Record) -> list[Mock]:
        """Return the mocks that its record, or that of the suite, has."""
        source = record.get("mocks", [])
        if not isinstance(source, str):
            return made_mocks(source)
        try:
            return mocks_of(source, self.folder, self.machine.name)
        except InputError as problem:
            raise record.source.at("mocks").problem(str(problem)) from None


def read(path: Path, name: str | None = None) -> Suite:
    """Return the suite of a file; raise InputError with file, line and column of what is wrong."""
    settings = settings_above(path.parent) or Settings(path.parent)
    return Suite(path, SUITE.read(load(path, name)), {}, {}, settings)


def schema() -> Schema:
    """Return the JSON schema of such a file, for editors."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Doorstep suite"}
    return {**head, **SUITE.schema()}
