"""Run a definition: the library's front door."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from .asl.compile import compile_workflow
from .definitions import NOT_AN_OBJECT, load
from .engine import Header, Identity, Journal, Program, Quotas, check_name, quotas_of, role_in
from .errors import InputError, refusal
from .map_runs import MapRun, NewExecutor, buckets_in, executor_named
from .model import home_of, workflow
from .runtime import (
    Buckets,
    Driver,
    Execution,
    Handlers,
    JournalFile,
    MainClock,
    OnEvent,
    Persistence,
    RealClock,
    Respond,
    Running,
    Source,
    Startable,
    VirtualClock,
    listener,
    several,
)
from .validation import check
from .values.json_values import byte_length, dumps, loads

if TYPE_CHECKING:
    from .services import AtWork

Definition = Mapping[str, Any] | str | Path
Type = Literal["STANDARD", "EXPRESS"]
StateMachines = Mapping[str, Definition | tuple[Definition, Type]]
"""What `states:startExecution` finds by name: definitions, or (definition, type)."""
STANDARD: Type = "STANDARD"
SEEDED_START = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""When a seeded run starts without a `start_time`: the same seed gives the same times."""
CLOCKS_DIFFER = 60
"""By so many seconds a machine's clock may have been set back since a journal was written."""
INLINE = "inline"
_HERE = "services and functions of this process answer their tasks"
"""Why children do not run on workers."""
LATEST_START = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""A run may last years: its end has to have a date as well."""


class CommonOptions(TypedDict, total=False):
    """Options of `start` that whoever brings a clock and answers of his own passes on."""

    input_json: str | None
    seed: int | str | None
    name: str | None
    state_machine_name: str
    type: Type
    state_machines: StateMachines | None
    s3_root: Path | str | None
    quotas: Mapping[str, int | None] | None
    journal: Path | str | None
    resource_names: bool
    services: AtWork | str | None
    executor: str | Mapping[str, str]


class ClockOptions(CommonOptions, total=False):
    """And those of a run that has a clock of its own."""

    clock: Literal["virtual", "real"] | MainClock
    start_time: datetime | float | None
    on_event: OnEvent | None


class Options(ClockOptions, total=False):
    """All options of `start`."""

    respond: Respond | None


def compile_definition(definition: Definition, type: Type = "STANDARD") -> Program:
    """Check and compile; raise DefinitionError with AWS's diagnostics."""
    _, program = _accepted(definition, type)
    return program


def _accepted(
    definition: Definition, type: Type, *, resource_names: bool = False
) -> tuple[dict[str, Any], Program]:
    """Return a definition that AWS would take, as a value and as a program.

    A definition that is run again, as tests do, is checked and compiled once.
    """
    value = load(definition).definition
    try:
        text = dumps(value)
    except InputError:
        raise refusal([NOT_AN_OBJECT]) from None
    return value, _program(text, type, resource_names)


@lru_cache(maxsize=64)
def _program(text: str, type: Type, resource_names: bool) -> Program:
    # From the text: what the caller does with the definition later is not the program's.
    value = loads(text)
    check(value, type=type, resource_names=resource_names, runnable=True)
    return compile_workflow(workflow(value))


def run(
    definition: Definition,
    input: Any = None,
    handlers: Source | None = None,
    **options: Unpack[Options],
) -> Execution:
    """Run a definition to its end.

    `definition`: a JSON value, or the path of a file in JSON or YAML. `input`: a JSON value, `{}`
    by default. `handlers`: a dict, a module, or the path of a file or folder (docs/handlers.md).
    The other options are those of `start`.

    A workflow that fails is a result, not an exception: look at `.status`, `.error` and `.cause`.
    Raises DefinitionError when AWS would refuse the definition, HandlerLoadError when a handler
    file does not load, InputError for an input that is no JSON value, or an option out of range.
    """
    services = options.get("services")
    if isinstance(services, str):
        from .services import services_at_work

        with services_at_work(services) as options["services"]:
            return run(definition, input, handlers, **options)
    with start(definition, input, handlers, **options) as execution:
        return execution.wait()


def start(
    definition: Definition,
    input: Any = None,
    handlers: Source | None = None,
    *,
    input_json: str | None = None,
    clock: Literal["virtual", "real"] | MainClock = "virtual",
    seed: int | str | None = None,
    start_time: datetime | float | None = None,
    name: str | None = None,
    state_machine_name: str = "StateMachine",
    type: Type = "STANDARD",
    state_machines: StateMachines | None = None,
    s3_root: Path | str | None = None,
    quotas: Mapping[str, int | None] | None = None,
    journal: Path | str | None = None,
    resource_names: bool = False,
    services: AtWork | str | None = None,
    executor: str | Mapping[str, str] = INLINE,
    on_event: OnEvent | None = None,
    respond: Respond | None = None,
) -> Execution:
    """Start an execution; `.wait()` lets it continue to its end, `.advance("2h")` for a while.

    `definition`, `input` and `handlers` are those of `run`, and so is what it raises.

    | option | |
    |---|---|
    | input_json | the input as JSON text, which the history has to the letter; replaces `input` |
    | clock | `virtual`: Waits cost nothing; `real`: the machine's time |
    | seed | makes the run reproducible: names, UUIDs, jitter, and the times (from 2025 on) |
    | start_time | when the virtual clock starts: a datetime or epoch seconds; now by default |
    | name, state_machine_name | of the execution and its machine, in ARNs and the context object |
    | type | STANDARD or EXPRESS |
    | state_machines | what `states:startExecution` finds: definitions or (definition, type) |
    | s3_root | the folder that holds a folder for each S3 bucket |
    | quotas | limits to change, by their names in `engine/quotas.py`; None lifts one |
    | journal | a file that stores the execution: if it has one already, that one continues |
    | resource_names | take names in place of ARNs as Resource, which AWS would refuse |
    | services | `with services_at_work("moto") as services`; in `run` also "moto", a URL, "aws" |
    | executor | where a distributed Map's children run, for all or by Map: `inline`, `processes`, \
    `processes:N`, `dask`, `local:N`, `dask://HOST:PORT` (docs/executors.md) |
    | on_event | called with (execution, event) for every event, children's included |
    | respond | asked before the handlers: a `doorstep.testing.Mocks` |
    """
    value, program = _accepted(definition, type, resource_names=resource_names)
    check_name(name)
    if isinstance(services, str):
        raise InputError(
            "`start` takes services that are at work: with doorstep.services.services_at_work("
            f"{services!r}) as services: start(…, services=services)"
        )
    text = input_json if input_json is not None or input is None else dumps(input)
    limits = quotas_of(type).but(dict(quotas or {}))
    _check_input(text or "{}", limits)
    loaded = handlers_with(services, handlers)
    stored = None if journal is None else JournalFile(Path(journal))
    driver = driver_with(
        services,
        Startable(state_machine_name, program, value, type, role_in(home_of(value))),
        state_machines,
        _clock(clock, seed, (stored and stored.latest) or start_time),
        loaded,
        s3_root=s3_root,
        on_event=on_event,
        respond=respond,
        persistence=stored,
        executor=executor_named(executor, None, lambda _: _HERE)
        if services
        else executor_named(executor, handlers),
    )
    if stored and stored.first:
        if (ahead := (stored.latest or 0) - driver.clock.now()) > CLOCKS_DIFFER:
            stored.close()
            raise InputError(
                f"{stored.path} is {ahead:,.0f} seconds ahead of the clock: it was written with "
                "the virtual clock; resume it with the virtual clock"
            )
        asked = {
            "input": None if text is None else loads(text),
            "name": name,
            "seed": None if seed is None else str(seed),
        }
        return Execution(driver, _resumed(stored, stored.first, driver, program, asked))
    name = name or (str(uuid.uuid4()) if seed is None else f"seed-{seed}")
    region = home_of(value)
    identity = Identity(
        name=name,
        seed=name if seed is None else str(seed),
        machine=state_machine_name,
        type=type,
        region=region,
        role=role_in(region),
    )
    running = driver.start(program, Header(value, identity, limits), text or "{}")
    return Execution(driver, running)


def _resumed(
    stored: JournalFile,
    first: Journal,
    driver: Driver,
    program: Program,
    asked: Mapping[str, Any],
) -> Running:
    """Return the execution of a journal, which has to be the one that is asked for."""
    identity = first.header.identity
    there = {"input": loads(first.facts[0].data), "name": identity.name, "seed": identity.seed}
    try:
        for what, wanted in asked.items():
            if wanted not in (None, there[what]):
                raise InputError(
                    f"{stored.path} holds an execution with another {what}; "
                    "name another file to begin a new one"
                )
        return stored.resume(driver, program)
    except BaseException:
        stored.close()
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
    start: datetime | float | None,
) -> MainClock:
    if clock == "real":
        return RealClock()
    if clock != "virtual":
        return clock
    if isinstance(start, datetime):
        start = start.timestamp()
    if start is None and seed is not None:
        start = SEEDED_START
    if start is not None and not 0 <= start <= LATEST_START:
        raise InputError("the clock can begin between 1970 and the year 9000")
    return VirtualClock(start)


def handlers_with(services: AtWork | None, handlers: Source | None) -> Handlers:
    """Return the handlers, and behind them the functions and services at work.

    Raises HandlerLoadError.
    """
    return Handlers([*(services.sources if services else ()), *several(handlers)])


def buckets_of(services: AtWork | None, s3_root: Path | str | None) -> Buckets | None:
    """Return the S3 of the services at work, and the buckets that stand in a folder."""
    return services.buckets(s3_root) if services else buckets_in(s3_root)


def driver_with(
    services: AtWork | None,
    machine: Startable,
    state_machines: StateMachines | None,
    clock: MainClock,
    handlers: Handlers,
    *,
    s3_root: Path | str | None,
    on_event: OnEvent | None,
    respond: Respond | None = None,
    persistence: Persistence | None = None,
    executor: NewExecutor | None = None,
) -> Driver:
    """Return a driver for executions of a machine, which code in handlers can reach too."""
    others = {**(services.state_machines if services else {}), **(state_machines or {})}
    machines = {key: as_machine(key, one) for key, one in others.items()}
    driver = Driver(
        clock,
        handlers,
        machines=machines,
        buckets=buckets_of(services, s3_root),
        on_event=listener(on_event, lambda: driver),
        respond=respond,
        persistence=persistence,
        new_map_run=partial(MapRun, executor=executor) if executor else MapRun,
    )
    if services:
        services.join(driver, {machine.name: machine, **machines})
    return driver


def as_machine(name: str, source: Definition | tuple[Definition, Type]) -> Startable:
    """Return what `states:startExecution` starts by this name."""
    definition, of_type = source if isinstance(source, tuple) else (source, STANDARD)
    value, program = _accepted(definition, of_type)
    return Startable(name, program, value, of_type, role_in(home_of(value)))
