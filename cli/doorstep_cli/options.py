"""Options that several commands share, and the conversion of their texts to values."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from .output import Problem, echo
from .streams import read_stdin

_STANDARD_INPUT = f"{__package__}.standard_input"
_LIFTED_BY_NONE = ("payload_bytes", "assign_bytes", "variables_bytes", "history_events")
_NUMBER = re.compile(r"\d+(\.\d+)?")
F = TypeVar("F", bound=Callable[..., Any])


class _Renamed(click.Option):
    """An option that takes over the value given under its former name, with a warning."""

    former = ""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Convert and check the value, whichever of the two names it came with."""
        name, former = str(self.name), opts.get(_former_name(self.former))
        if former is not None:
            echo(f"{self.former} is deprecated: use {self.opts[0]}", fg="yellow", err=True)
            value = [*former, *opts.get(name, ())] if self.multiple else opts.get(name, former)
            opts = {**opts, name: value}
        return super().handle_parse_result(ctx, opts, args)


def renamed_option(*names: str, former: str, **attributes: Any) -> Callable[[F], F]:
    """Return an option as `click.option` does, one that also works under its former name.

    The former name is hidden from the help, and using it prints a warning on stderr.
    """
    current = click.option(
        *names, cls=type("Renamed", (_Renamed,), {"former": former}), **attributes
    )
    hidden = click.option(
        former,
        _former_name(former),
        hidden=True,
        expose_value=False,
        multiple=attributes.get("multiple", False),
        help=f"Deprecated: {names[0]}.",
    )
    return lambda command: current(hidden(command))


def _former_name(option: str) -> str:
    return f"former_{option.strip('-')}"


def pairs(
    _ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """Convert options of the form NAME=VALUE to a mapping."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not {parameter.metavar}", param=parameter)
        values[name] = value
    return values


param_option = click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A template's parameter, or the value of ${NAME} in a definition; repeatable.",
)


s3_root_option = renamed_option(
    "--s3-root",
    "s3_root",
    former="--bucket",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that stands for S3, with a folder for each bucket.",
)


machine_name_option = renamed_option(
    "--machine-name",
    "resource",
    former="--resource",
    metavar="NAME",
    help="Which state machine of a template to use: its name or its logical id.",
)


def definition_options(command: F) -> F:
    """Add the options of every command that reads a definition."""
    type_option = click.option(
        "--type",
        "machine_type",
        type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
        help="Type of the state machine; by default the template's, or STANDARD.",
    )
    return param_option(machine_name_option(type_option(command)))


def input_text(_ctx: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Return an option's JSON text unchanged: its own, that of @FILE, or standard input's.

    `{}` when the option is absent. Raises Problem for a text that is not JSON.
    """
    from doorstep import InputError
    from doorstep.values.json_values import loads

    option = parameter.opts[0]
    purpose = option.removeprefix("--")
    if value is None:
        return "{}"
    if value in ("-", "@-"):
        text, source = standard_input(purpose), "standard input"
    elif value.startswith("@"):
        text, source = read_text(Path(value[1:]), purpose), value[1:]
    else:
        text, source = value, option
    try:
        loads(text)
    except InputError as problem:
        advice = f"; to read that file, write {option} @{value}" if os.path.isfile(value) else ""
        raise Problem(f"{source}: {problem}{advice}") from None
    return text


def input_option(help_text: str) -> Callable[[F], F]:
    """Return the option --input with a help text."""
    return click.option(
        "--input", "input_json", metavar="JSON|@FILE|-", callback=input_text, help=help_text
    )


def handlers_option(help_text: str, name: str = "--handlers") -> Callable[[F], F]:
    """Return the option that names handlers, with a help text."""
    return click.option(
        name,
        "handlers",
        metavar="PATH",
        multiple=True,
        callback=lambda _ctx, _option, paths: list(paths) or None,
        help=f"{help_text} Repeatable; later ones come first.",
    )


services_option = click.option(
    "--services",
    metavar="TARGET",
    help="What answers AWS services: moto (in this process), a URL, or aws (your account).",
)


def network_options(command: F) -> F:
    """Add what says how far handlers and `http:invoke` may reach."""
    for option in (
        click.option(
            "--allow-host",
            "allow_hosts",
            multiple=True,
            metavar="HOST",
            help="A host that http:invoke may ask, beside this machine; repeatable.",
        ),
        click.option(
            "--allow-network",
            is_flag=True,
            help="Let handlers reach AWS itself though --services is local, http:invoke any host.",
        ),
    ):
        command = option(command)
    return command


def format_option(help_text: str, *formats: str) -> Callable[[F], F]:
    """Return the option --format, whose default is the first of the formats."""
    names = formats or ("text", "json")
    return click.option(
        "--format", "output_format", type=click.Choice(names), default=names[0], help=help_text
    )


def read_text(path: Path, purpose: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises Problem when it can't be read as UTF-8.
    """
    if str(path) == "-":
        return standard_input(purpose)
    try:
        return path.read_text("utf-8-sig")
    except OSError as problem:
        raise Problem(f"can't read the {purpose} {path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise Problem(f"the {purpose} {path} is not UTF-8 text: {problem.reason}") from None


def standard_input(purpose: str) -> str:
    """Return the text of standard input, which can serve only one purpose in a command."""
    meta = click.get_current_context().meta
    if _STANDARD_INPUT not in meta:
        try:
            meta[_STANDARD_INPUT] = purpose, read_stdin()
        except UnicodeDecodeError as problem:
            raise Problem(f"standard input is not UTF-8 text: {problem.reason}") from None
    first, text = meta[_STANDARD_INPUT]
    if first != purpose:
        raise Problem(
            f"standard input is already used for the {first}; give the {purpose} as a file"
        )
    return str(text)


def _executors(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Return where children of Maps run, by the names of Maps; `*`: of all others."""
    named = (value.rpartition("=") for value in values)
    return {state or "*": where for state, _, where in named}


executor_option = click.option(
    "--executor",
    "executors",
    multiple=True,
    metavar="[MAP=]WHERE",
    callback=_executors,
    help="Where children of distributed Maps run: inline (default), processes[:N], local:N, "
    "dask://HOST:PORT.",
)


def quotas(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, Any]:
    """Return the changed quotas by name; None means no limit."""
    from doorstep.engine.quotas import STANDARD
    from doorstep.errors import InputError

    try:
        texts = pairs(ctx, parameter, values)
        changes = {name: _limit(name, text) for name, text in texts.items()}
        STANDARD.but(changes)
    except (InputError, ValueError) as problem:
        raise click.BadParameter(str(problem), param=parameter) from None
    return changes


def _limit(name: str, text: str) -> int | None:
    if text == "none" and name in _LIFTED_BY_NONE:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{name} must be a number above 0, not {text!r}")
    return int(text)


def begin_time(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Return epoch seconds for an ISO 8601 time (UTC if it names no zone) or epoch seconds."""
    if text is None:
        return None
    from doorstep.values.timestamps import in_utc

    try:
        if _NUMBER.fullmatch(text):
            return in_utc(float(text)).timestamp()
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        message = f"{text!r} is not a time; write 2025-01-31T08:00:00Z or seconds since 1970"
        raise click.BadParameter(message, param=parameter) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
