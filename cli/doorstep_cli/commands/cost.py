"""`doorstep cost`: what executions cost as Standard and as Express workflows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.advice.cost import PRICES, Prices, Usage, read_prices, verdict
from doorstep.engine.messages import TERMINAL
from doorstep.history import Entry, Visits
from doorstep.history.child_failures import walk

from ..children import Family, children_option, family_of
from ..definitions import PROJECT, Type, read_accepted
from ..options import definition_options, format_option
from ..output import Problem, TableRow, echo, note, print_json, print_table
from ..recorded import read_history

if TYPE_CHECKING:
    from ..definitions import DefinitionFile

_COLUMNS = ("State", "Transitions", "Retries", "Redrives", "Share", "Standard")


@click.command("cost", short_help="Say what executions cost, and which type of workflow fits.")
@click.argument("paths", type=PROJECT, nargs=-1, required=True, metavar="HISTORY...|PATH")
@click.option(
    "--executions",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Executions a month.",
)
@click.option(
    "--prices",
    "price_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with prices of another Region or date.",
)
@children_option
@definition_options
@format_option("json: an object with the usage, both costs and the verdict.", "table", "json")
def cost(
    paths: tuple[Path, ...],
    executions: int,
    price_file: Path | None,
    children: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Say what executions cost as Standard and as Express workflows, by state.

    HISTORY is as for `doorstep replay`; of several the average counts, with the children of their
    distributed Maps whose histories are there. PATH is a definition or a template: then the run
    counts that `doorstep explore` finds to succeed, in which tasks take no time. The services that
    a workflow calls have prices of their own, which are not in it.

    The prices are those of one Region and month, which the output names; --prices takes others:
    {"region": "eu-central-1", "date": "2026-11", "transition": 0.000025, "request": 0.000001,
    "gb_hours": [[1000, 0.06], [4000, 0.03], [null, 0.01642]]}.

    \b
    Examples:
      doorstep cost history.json
      doorstep cost runs/*.json --executions 100000
      doorstep cost order.asl.json --executions 5000000
      doorstep cost history.json --prices frankfurt.json --format json | jq .express
    """
    prices = read_prices(price_file) if price_file else PRICES
    usage = Usage()
    for path in paths:
        events, size = _events(path, parameters, resource, machine_type)
        if events[-1].type not in TERMINAL:
            note(f"{path}: this execution has not ended; it counts as far as it has come")
        usage.add(events, size)
        if any(one.type == "MapRunStarted" for one in events):
            _add_children(usage, path, family_of([path], Visits(events), children))
    if output_format == "json":
        print_json(_as_json(usage, executions, prices))
    else:
        _print(usage, executions, prices)


def _add_children(usage: Usage, path: Path, family: Family) -> None:
    """Add the children of map runs whose histories are known, and say which are not counted."""
    for group in walk(family.groups):
        if group.started.is_map_run:
            # What is known of an Express child by its ARN alone has no states.
            known = [one for one in group.children if not one.source.startswith("arn:")]
            for child in known:
                usage.add_child(child.events)
            total = family.total(group)
            if known and len(known) == total:
                note(f"{path}: with the {total:,} children of {group.name}, as Standard executions")
            else:
                left = f"{total - len(known):,} of {total:,}" if total else "the"
                note(
                    f"{path}: without {left} children of {group.name}, each of which costs as an "
                    "execution of its own; --children DIR, or `doorstep download --all-children`"
                )


def _events(
    path: Path,
    parameters: Mapping[str, str],
    resource: str | None,
    machine_type: Type | None,
) -> tuple[list[Entry], int]:
    """Return the events of a history, or of a run of a definition, and the definition's bytes."""
    from doorstep import InputError

    try:
        return read_history([path]), 0
    except (InputError, Problem, IsADirectoryError):
        definition = read_accepted(path, parameters, resource, machine_type)
    return _run(definition), len(definition.document.text.encode())


def _run(definition: DefinitionFile) -> list[Entry]:
    """Return the events of the run that an exploration finds to succeed."""
    from doorstep import explore, run
    from doorstep.history import entries

    value = definition.document.definition
    example = explore(value, type=definition.type, seconds=5).example
    if example is None:
        raise Problem(
            f"{definition.file}: no run is known that succeeds; run it with "
            "`doorstep run … --history history.json` and name the history here"
        )
    note(f"{definition.file}: by the run that succeeds with the input that `explore` found")
    calls: dict[str, int] = {}

    def answer(_: object, invoke: Any) -> Any:
        calls[invoke.state] = calls.get(invoke.state, -1) + 1
        return example.reply(invoke.state, calls[invoke.state])

    execution = run(dict(value), example.input, respond=answer, type=definition.type)
    return entries(execution.history, definition.file)


def _rows(usage: Usage, executions: int, prices: Prices) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for state, number in usage.transitions.most_common():
        each = number / usage.executions
        dollars = each * executions * prices.transition
        share = f"{number / usage.transitions.total():.0%}"
        again = [
            f"{counts[state] / usage.executions:g}" if counts[state] else ""
            for counts in (usage.retries, usage.redrives)
        ]
        rows.append((state, f"{each:g}", *again, share, f"${dollars:,.2f}"))
    return rows


def _print(usage: Usage, executions: int, prices: Prices) -> None:
    print_table(_COLUMNS, [TableRow(row) for row in _rows(usage, executions, prices)])
    seconds = sum(one for one, _ in usage.billed) / max(usage.executions, 1)
    megabytes = max((one for _, one in usage.billed), default=0)
    echo(
        f"STANDARD  ${usage.standard(executions, prices):,.2f} for {executions:,} executions a "
        f"month: {usage.transitions_each:g} transitions each, {prices.free_transitions:,} are free"
    )
    if usage.only_standard:
        echo("EXPRESS   can't run it")
    else:
        dollars = usage.express(executions, prices)
        echo(f"EXPRESS   ${dollars:,.2f}: {seconds:g} s and {megabytes} MB billed each")
    for line in verdict(usage, executions, prices):
        echo(line, bold=True)
    note(f"prices of {prices.region}, {prices.date}; --prices takes others")


def _as_json(usage: Usage, executions: int, prices: Prices) -> dict[str, Any]:
    return {
        "executions": executions,
        "region": prices.region,
        "date": prices.date,
        "transitions": usage.transitions_each,
        "states": [
            {
                "state": state,
                "transitions": number / usage.executions,
                "retries": usage.retries[state] / usage.executions,
                "redrives": usage.redrives[state] / usage.executions,
                "standard": number / usage.executions * executions * prices.transition,
            }
            for state, number in usage.transitions.most_common()
        ],
        "standard": usage.standard(executions, prices),
        "express": None if usage.only_standard else usage.express(executions, prices),
        "verdict": verdict(usage, executions, prices),
    }
