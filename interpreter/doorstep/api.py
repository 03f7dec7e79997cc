"""Run a definition: the library's front door."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from .asl.compile import compile_workflow
from .definitions import load
from .engine import Header, Identity, Journal, Program, Quotas, check_name, quotas_of
from .errors import InputError
from .map_runs.run import MapRun
from .model.definition import workflow
from .runtime import (
    Driver,
    Execution,
    Handlers,
    JournalFile,
    MainClock,
    OnEvent,
    RealClock,
    Respond,
    Source,
    Startable,
    VirtualClock,
)
from .validation import check
from .values.json_values import byte_length, dumps, loads

Definition = Mapping[str, Any] | str | Path
Type = Literal["STANDARD", "EXPRESS"]
Machines = Mapping[str, Definition | tuple[Definition, Type]]
"""What `states:startExecution` finds by name: definitions, or (definition, type)."""
SEEDED_START = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""When a seeded run begins, unless it is told otherwise: the same seed gives the same times."""
CLOCKS_DIFFER = 60
"""By so many seconds a machine's clock may have been set back since a journal was written."""
LATEST_START = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""A run may last years: its end has to have a date as well."""


class CommonOptions(TypedDict, total=False):
    """Options of `start` that whoever answers the tasks himself passes on; see there."""

    text: str | None
    seed: int | str | None
    name: str | None
    machine_name: str
    type: Type
    machines: Machines | None
    bucket: Path | str | None
    quotas: dict[str, Any] | None
    journal: Path | str | None
    resource_names: bool


class ClockOptions(CommonOptions, total=False):
    """And those of a run that has a clock of its own."""

    clock: Literal["virtual", "real"] | MainClock
    begin: datetime | float | None
    on_event: OnEvent | None


class Options(ClockOptions, total=False):
    """All options of `start`."""

    respond: Respond | None


def compile_definition(definition: Definition, type: Type = "STANDARD") -> Program:
    """Check and compile; raises DefinitionError with AWS's diagnostics."""
    _, program = _accepted(definition, type)
    return program


def _accepted(
    definition: Definition, type: Type, *, resource_names: bool = False
) -> tuple[dict[str, Any], Program]:
    """A definition that AWS would take, as a value and as a program."""
    value = load(definition).definition
    check(value, type=type, resource_names=resource_names)
    return value, compile_workflow(workflow(value))


def run(
    definition: Definition,
    input: Any = None,
    handlers: Source | None = None,
    **options: Unpack[Options],
) -> Execution:
    """Run a definition to its end.

    `input`: a JSON value, `{}` by default. `handlers`: a dict, a module, or the path of a file or
    folder (see `doorstep.runtime.handlers`). The other options are those of `start`.

    A workflow that fails is a result, not an exception: look at `.status`, `.error` and `.cause`.
    Raises DefinitionError when AWS would refuse the definition, HandlerLoadError when a handler
    file does not load, InputError when the input is no JSON value.
    """
    driver, execution = start(definition, input, handlers, **options)
    try:
        driver.run(execution)
    finally:
        driver.close()
    return execution


def start(
    definition: Definition,
    input: Any = None,
    handlers: Source | None = None,
    *,
    text: str | None = None,
    clock: Literal["virtual", "real"] | MainClock = "virtual",
    seed: int | str | None = None,
    begin: datetime | float | None = None,
    name: str | None = None,
    machine_name: str = "StateMachine",
    type: Type = "STANDARD",
    machines: Machines | None = None,
    bucket: Path | str | None = None,
    quotas: dict[str, Any] | None = None,
    journal: Path | str | None = None,
    resource_names: bool = False,
    on_event: OnEvent | None = None,
    respond: Respond | None = None,
) -> tuple[Driver, Execution]:
    """Start an execution; `driver.run(execution)` lets it go on to its end.

    | option | |
    |---|---|
    | text | the input as JSON text, kept to the letter in the history; replaces `input` |
    | clock | `virtual`: Waits cost nothing; `real`: the machine's time |
    | seed | makes the run reproducible: names, UUIDs, jitter, and the times (from 2025 on) |
    | begin | when the virtual clock starts: a datetime or epoch seconds; now by default |
    | name, machine_name | of the execution and of its machine, for ARNs and the context object |
    | type | STANDARD or EXPRESS |
    | machines | what `states:startExecution` finds by name: definitions, or (definition, type) |
    | bucket | the folder that holds a folder for each S3 bucket |
    | quotas | limits to change, by their names in `doorstep.engine.quotas.Quotas` |
    | journal | a file that keeps the execution: if it has one already, that one goes on |
    | resource_names | take names in place of ARNs as Resource, which AWS would refuse |
    | on_event | called with (execution, event) for every event, children's included |
    | respond | called with (execution, invoke) before the handlers; None leaves it to them |
    """
    value, program = _accepted(definition, type, resource_names=resource_names)
    check_name(name)
    given = text if text is not None or input is None else dumps(input)
    limits = quotas_of(type).but(quotas or {})
    _check_input(given or "{}", limits)
    found = Handlers(handlers)
    started = {key: as_machine(key, one) for key, one in (machines or {}).items()}
    journal_file = None if journal is None else JournalFile(Path(journal))
    driver = Driver(
        _clock(clock, seed, (journal_file and journal_file.latest) or begin),
        found,
        machines=started,
        bucket=None if bucket is None else Path(bucket),
        on_event=on_event,
        respond=respond,
        persistence=journal_file,
        new_map_run=MapRun,
    )
    if journal_file and journal_file.first:
        if (ahead := (journal_file.latest or 0) - driver.clock.now()) > CLOCKS_DIFFER:
            journal_file.close()
            raise InputError(
                f"{journal_file.path} is {ahead:,.0f} seconds ahead of the clock: "
                "its time was virtual; go on with the virtual clock"
            )
        asked = {
            "input": None if given is None else loads(given),
            "name": name,
            "seed": None if seed is None else str(seed),
        }
        return driver, _taken_up(journal_file, journal_file.first, driver, program, asked)
    name = name or (str(uuid.uuid4()) if seed is None else f"seed-{seed}")
    identity = Identity(
        name=name,
        seed=name if seed is None else str(seed),
        machine=machine_name,
        type=type,
    )
    return driver, driver.start(program, Header(value, identity, limits), given or "{}")


def _taken_up(
    journal_file: JournalFile,
    first: Journal,
    driver: Driver,
    program: Program,
    asked: Mapping[str, Any],
) -> Execution:
    """The execution of a journal, which has to be the one that is asked for."""
    identity = first.header.identity
    there = {"input": loads(first.facts[0].data), "name": identity.name, "seed": identity.seed}
    try:
        for what, wanted in asked.items():
            if wanted not in (None, there[what]):
                told = f"{journal_file.path} holds an execution with another {what}"
                raise InputError(f"{told}; name another file to begin a new one")
        return journal_file.resume(driver, program)
    except BaseException:
        journal_file.close()
        raise


def _check_input(text: str, quotas: Quotas) -> None:
    loads(text)
    limit = quotas.payload_bytes
    if limit is not None and (size := byte_length(text)) > limit:
        raise InputError(
            f"The input has {size} bytes in UTF-8; StartExecution takes {limit} at the most. "
            "Keep large data in a file or bucket and pass its name."
        )


def _clock(
    clock: Literal["virtual", "real"] | MainClock,
    seed: int | str | None,
    begin: datetime | float | None,
) -> MainClock:
    if clock == "real":
        return RealClock()
    if clock != "virtual":
        return clock
    if isinstance(begin, datetime):
        begin = begin.timestamp()
    if begin is None and seed is not None:
        begin = SEEDED_START
    if begin is not None and not 0 <= begin <= LATEST_START:
        raise InputError("the clock can begin between 1970 and the year 9000")
    return VirtualClock(begin)


def as_machine(name: str, given: Definition | tuple[Definition, Type]) -> Startable:
    """What `states:startExecution` starts by this name: a definition, or (definition, type)."""
    definition: Definition
    of_type: Type = "STANDARD"
    if isinstance(given, tuple):
        definition, of_type = given
    else:
        definition = given
    value, program = _accepted(definition, of_type)
    return Startable(name, program, value, of_type)
