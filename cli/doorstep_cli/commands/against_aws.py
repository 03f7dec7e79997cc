"""`doorstep conformance against-aws`: run cases on an account, beside Doorstep's own answers."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import format_option
from ..output import Problem, echo, json_text, note, print_json, style

if TYPE_CHECKING:
    from doorstep.against.differences import Difference
    from doorstep_conformance import Case
    from doorstep_conformance.on_account import Compared, OnAccount, Plan

_STYLES: dict[str, dict[str, Any]] = {
    "same": {"fg": "green"},
    "differs": {"fg": "red", "bold": True},
    "error": {"fg": "red", "bold": True},
    "not run": {"fg": "yellow"},
}
_SECONDS = {"execution": 2.0, "sync": 1.5, "create": 0.5, "validate": 0.3}
"""What a case takes beside its own time, for the estimate: its requests, one after the other."""
_MARGIN = " " * 11


@click.command("against-aws", short_help="Run cases on an AWS account, beside Doorstep's answers.")
@click.argument("patterns", nargs=-1, metavar="[CASE|PATTERN]...")
@click.option(
    "--cases",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of case files; by default Doorstep's own cases.",
)
@click.option("--role", required=True, metavar="ARN", help="The role of the state machines.")
@click.option("--endpoint", metavar="URL", help="A server such as `doorstep serve`; else AWS.")
@click.option(
    "--record",
    "into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write what the account answers into this folder, as case files.",
)
@click.option(
    "--time-limit",
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="Leave out cases that take longer, and give up executions: 90s, 1h.",
)
@click.option("--yes", is_flag=True, help="Don't ask before anything is created.")
@click.option("--keep", is_flag=True, help="Don't delete the state machines.")
@format_option("json: an object with an entry for each case.")
@click.pass_context
def against_aws(
    ctx: click.Context,
    patterns: tuple[str, ...],
    directory: Path | None,
    role: str,
    endpoint: str | None,
    into: Path | None,
    time_limit: str,
    yes: bool,
    keep: bool,
    output_format: str,
) -> None:
    """Run cases on the account that AWS's configuration names, and compare with Doorstep's answers.

    CASE is a case's id, PATTERN one with `*`; by default all cases of the folder. It says first
    what will be created and about what it costs. A state machine is created for a case, run, and
    deleted before the next one. No task calls anything: cases with tasks are compared state by
    state through TestState. What differs is possibly a fault of Doorstep.

    Exit code: 0 no differences, 1 some, 2 a case could not be run or a state machine not deleted.

    \b
    Examples:
      doorstep conformance against-aws --role arn:aws:iam::123456789012:role/doorstep
      doorstep conformance against-aws 'wait/*' map/retried --role ARN --record recorded
      doorstep conformance against-aws --cases cases --role ARN --yes --format json
    """
    from doorstep_conformance.on_account import plan

    account, limit = _account(role, endpoint, time_limit, keep)
    plans = [plan(case, limit) for case in _chosen(directory, patterns)]
    if into:
        _check_free(into, plans)
    _say_what_will_happen(account, plans)
    if any(one.way for one in plans) and not yes:
        _ask(account)
    session = Session(account, into, verbose=output_format == "text")
    try:
        with _terminated_like_interrupted():
            session.all(plans)
    finally:
        if output_format == "json":
            print_json(session.as_json())
        else:
            session.sum_up()
        _say_what_is_left(account, endpoint)
    ctx.exit(session.exit_code)


def _account(
    role: str, endpoint: str | None, time_limit: str, keep: bool
) -> tuple[OnAccount, float]:
    from doorstep.against.account import account_of
    from doorstep.against.target import Target
    from doorstep.runtime import seconds
    from doorstep_conformance.on_account import NEEDS, OnAccount

    try:
        limit = seconds(time_limit)
    except ValueError as problem:
        raise click.UsageError(f"--time-limit: {problem}") from None
    account = account_of(endpoint, "us-east-1" if endpoint else None, NEEDS)
    return OnAccount(Target(account, endpoint or "aws", limit), role, keep=keep), limit


def _chosen(directory: Path | None, patterns: Sequence[str]) -> list[Case]:
    from doorstep_conformance import OWN_CASES, load_cases

    directory = directory or OWN_CASES
    if not directory.is_dir():
        raise Problem(
            "Doorstep's own cases are in its repository, not in the installed package; "
            "name a folder of cases with --cases"
        )
    cases = list(load_cases(directory))
    for pattern in patterns:
        if not any(fnmatchcase(case.id, pattern) for case in cases):
            raise Problem(f"no case of {directory} is called {pattern}; `*` stands for any text")
    return [
        case
        for case in cases
        if not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns)
    ]


def _check_free(into: Path, plans: Sequence[Plan]) -> None:
    for plan in plans:
        for file in (into / f"{plan.case.id}.json", into / plan.case.id):
            if plan.way and file.exists():
                raise Problem(f"--record: {file} exists; delete it, or choose another folder")


# Before ------------------------------------------------------------------------------------------


def _say_what_will_happen(account: OnAccount, plans: Sequence[Plan]) -> None:
    from doorstep_conformance.on_account import PREFIX, TAG

    ways = Counter(plan.way for plan in plans)
    machines = ways["execution"] + ways["sync"] + ways["create"]
    target = account.target
    owner = account.role.split(":")[4]
    note(f"At {target.label} ({account.region}, account {owner}), one after the other:")
    if machines:
        end = "kept" if account.keep else "deleted"
        note(f"  state machines {PREFIX}UUID, tagged {TAG}: {machines} created, run, {end}")
        note(f"  {_cost(plans)}")
    if ways["states"] or ways["test_state"]:
        note(f"  requests of TestState: about {_requests(plans)}; no price is listed for them")
    if ways["validate"]:
        note(f"  requests of ValidateStateMachineDefinition: {ways['validate']}, likewise")
    note(f"  about {_minutes(plans, target.label == 'aws')}")
    reasons = Counter(plan.reason for plan in plans if plan.way is None)
    for reason, number in reasons.most_common():
        note(f"  not run, {number}: {reason}")


def _cost(plans: Sequence[Plan]) -> str:
    from doorstep.advice.cost import PRICES

    transitions = sum(_transitions(plan) for plan in plans if plan.way == "execution")
    express = [plan.usage.express(1) for plan in plans if plan.way == "sync"]
    dollars = transitions * PRICES.transition + sum(express)
    return (
        f"state transitions: {transitions}, Express executions: {len(express)}; about "
        f"${dollars:.4f}, less what is free (prices of {PRICES.region}, {PRICES.date})"
    )


def _transitions(plan: Plan) -> int:
    return plan.usage.transitions.total()


def _requests(plans: Sequence[Plan]) -> int:
    """Return how often TestState is asked: once for each attempt of a state."""
    tested = sum(plan.way == "test_state" for plan in plans)
    return tested + sum(_transitions(plan) for plan in plans if plan.way == "states")


def _minutes(plans: Sequence[Plan], paced: bool) -> str:
    own = sum(plan.seconds for plan in plans if plan.way in ("execution", "sync"))
    own += sum(_SECONDS.get(plan.way or "", 0.0) for plan in plans)
    whole = own + _requests(plans) * (1.2 if paced else 0.1)
    return f"{whole / 60:.0f} minutes" if whole >= 90 else f"{whole:.0f} seconds"


def _ask(account: OnAccount) -> None:
    if not sys.stdin.isatty():
        raise Problem(
            f"nothing was created at {account.target.label}: standard input is no terminal to ask "
            "at; --yes goes ahead without asking"
        )
    if not click.confirm("Go ahead?", err=True):
        raise Problem(f"nothing was created at {account.target.label}")


# Meanwhile ---------------------------------------------------------------------------------------


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which ends a job of a CI service, delete what was created, as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Session:
    """Runs cases, prints what became of them, and writes what the account answered."""

    def __init__(self, account: OnAccount, into: Path | None, *, verbose: bool) -> None:
        """`into`: the folder of --record; `verbose`: print each case as soon as it has run."""
        self.compared: list[Compared] = []
        self.account = account
        self._into = into
        self._verbose = verbose
        self._begun = time.monotonic()

    def all(self, plans: Sequence[Plan]) -> None:
        """Run all cases. Raises Problem when the account can't be asked any more."""
        from doorstep.errors import AccountError

        for plan in plans:
            try:
                compared = self.account.compare(plan)
            except AccountError as problem:
                left = len(plans) - len(self.compared)
                raise Problem(
                    f"{plan.case.id}: {problem}\n{left} cases were not compared"
                ) from None
            self.compared.append(compared)
            if self._into:
                self._record(compared, self._into)
            if self._verbose:
                for line in _lines(compared, self.account.target.label):
                    echo(line)

    def _record(self, compared: Compared, into: Path) -> None:
        for content in compared.contents:
            file = into / f"{content['id']}.json"
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json_text(content, indent=2) + "\n", "utf-8")
            except OSError as problem:
                raise Problem(f"can't write {file}: {problem.strerror}") from None

    def sum_up(self) -> None:
        """Print the totals."""
        from doorstep_conformance.on_account import OUTCOMES

        totals = Counter(one.outcome for one in self.compared)
        parts = [style(f"{totals[one]} {one}", **_STYLES[one]) for one in OUTCOMES if totals[one]]
        echo(f"{', '.join(parts) or 'no cases'} in {time.monotonic() - self._begun:.0f} s")
        if self._into and any(one.contents for one in self.compared):
            note(f"next: doorstep conformance --cases {self._into}")

    def as_json(self) -> dict[str, Any]:
        """Return {"target", "cases": […], "left": {ARN: why}}."""
        return {
            "target": self.account.target.label,
            "region": self.account.region,
            "cases": [_plain(one) for one in self.compared],
            "left": self.account.left,
        }

    @property
    def exit_code(self) -> int:
        """0 no differences, 1 some, 2 a case could not be run or a machine not deleted."""
        outcomes = {one.outcome for one in self.compared}
        if "error" in outcomes or (self.account.left and not self.account.keep):
            return 2
        return int("differs" in outcomes)


def _lines(compared: Compared, label: str) -> Iterator[str]:
    """Yield a case's line, and below it why it was not run, or where it differs."""
    outcome = style(f"{compared.outcome:7}", **_STYLES[compared.outcome])
    yield f"  {outcome}  {compared.case.id}"
    for line in compared.reason.splitlines():
        yield style(f"{_MARGIN}{line}", dim=True)
    width = max(len(label), len("Doorstep"))
    for one in compared.differences:
        yield f"{_MARGIN}{one}"
        for whose, value in (("Doorstep", one.own), (label, one.there)):
            yield f"{_MARGIN}{whose:{width}}  {_shown(value)}"
    for remark in compared.remarks:
        yield style(f"{_MARGIN}{remark}", dim=True)


def _shown(value: Any) -> str:
    from doorstep.errors import shortened
    from doorstep.values.json_values import ABSENT

    return "nothing" if value is ABSENT else shortened(json_text(value), 1_000)


def _plain(compared: Compared) -> dict[str, Any]:
    return {
        "id": compared.case.id,
        "kind": compared.case.kind,
        "outcome": compared.outcome,
        "grade": compared.grade,
        "reason": compared.reason or None,
        "differences": [_difference(one) for one in compared.differences],
        "remarks": compared.remarks,
        "recorded": [content["id"] for content in compared.contents],
    }


def _difference(one: Difference) -> dict[str, Any]:
    """Return {"place", "member", "doorstep", "account"}; without a value where nothing is."""
    from doorstep.values.json_values import ABSENT

    values = {"doorstep": one.own, "account": one.there}
    present = {whose: value for whose, value in values.items() if value is not ABSENT}
    return {"place": one.place, "member": one.member, **present}


# Afterwards --------------------------------------------------------------------------------------


def _say_what_is_left(account: OnAccount, endpoint: str | None) -> None:
    if not account.left:
        return
    where = f" --endpoint-url {endpoint}" if endpoint else ""
    note("still there; these commands delete them:")
    for arn, why in account.left.items():
        note(
            f"  aws stepfunctions delete-state-machine --region {account.region}{where} "
            f"--state-machine-arn {arn}  # {why}"
        )
