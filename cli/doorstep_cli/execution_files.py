"""Executions of an AWS account, or of a server, fetched into files that commands read.

    FOLDER/history.json           GetExecutionHistory's events, all pages
    FOLDER/input.json             its input
    FOLDER/definition.asl.json    the definition that this execution ran, not today's
    FOLDER/children/GROUP/NAME.json    map runs' children, and executions that tasks started
    FOLDER/state-machines/NAME.asl.json    what those executions ran
    FOLDER/about.json             what was fetched, when, and what could not be

Only operations that read are called. What is over is not fetched twice. The folder is below
`$XDG_CACHE_HOME/doorstep` (else `~/.cache/doorstep`); only its owner can read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from doorstep.against.account import HINTS, Account, Refused, account_of
from doorstep.engine import TERMINAL
from doorstep.errors import AccountError
from doorstep.history.causes import execution_arn
from doorstep.values.file_names import file_name
from doorstep.values.json_values import value_of
from doorstep.values.private_files import private

from .definitions import fetched_with, processor_of
from .output import Problem, note
from .views.progress import ProgressLine, wanted

_ARN = re.compile(
    r"arn:aws[\w-]*:states:[\w-]+:\d{12}:(execution|express|mapRun):[^\s?#&:]+:[^\s?#&]+"
)
MOST_CHILDREN = 1_000
"""Children of an execution that are fetched."""
MOST_FAILED = 100
"""Of those that failed, when only these are wanted."""
_FAILED = ("FAILED", "TIMED_OUT")
_NESTED = 3
"""Levels of executions that start executions."""


def arn_in(text: str) -> str | None:
    """Return the ARN of an execution or map run that a text is or, as a console's URL, contains."""
    found = _ARN.search(unquote(text))
    return found[0] if found else None


class Fetch:
    """One execution on its way into a folder."""

    def __init__(
        self,
        account: Account,
        arn: str,
        folder: Path,
        endpoint: str | None,
        *,
        every: bool,
        reuse: bool,
    ) -> None:
        """`endpoint`: the URL of the server that is asked in place of AWS.

        `every`: all children, not only those that failed. `reuse`: children that are in the folder
        are not fetched again.
        """
        self.account, self.arn, self.folder, self.endpoint = account, arn, folder, endpoint
        self.every, self._reuse = every, reuse
        self._skipped = False
        self._machines: set[str] = set()
        """Those whose definitions were fetched, beside the execution's own."""
        self.events = self.children = 0
        self.map_runs: dict[str, dict[str, int]] = {}
        """How many children each map run has by their status, where that may be asked for."""
        self.ends: dict[str, list[dict[str, Any]]] = {}
        """How Express children failed, which have no histories (fact 282), by their map runs."""
        self.missing: list[str] = []
        """What could not be fetched, and why."""
        self.left_out: list[str] = []
        """What was not fetched, as it is more than `most`."""

    def __str__(self) -> str:
        children = f" · {self.children:,} children" if self.children else ""
        return f"fetching {self.arn.rpartition(':')[2]} · {self.events:,} events{children}"

    @property
    def most(self) -> int:
        """How many children are fetched."""
        return MOST_CHILDREN if self.every else MOST_FAILED

    def run(self) -> dict[str, Any]:
        """Fetch all, and return what `about.json` then says."""
        described = self.account.ask("describe_execution", executionArn=self.arn)
        events = self.history(self.arn, self.folder / "history.json")
        write_text(self.folder / "input.json", described.get("input", "{}"))
        machine = self._definition(self.arn, self.folder / "definition.asl.json")
        self.fetch_children(events)
        about = {
            "arn": self.arn,
            "endpoint": self.endpoint,
            "status": described["status"],
            "redriveCount": described.get("redriveCount", 0),
            "redriveStatus": described.get("redriveStatus"),
            "redriveStatusReason": described.get("redriveStatusReason"),
            "parent": self._parent(described.get("mapRunArn")),
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "events": len(events),
            "children": self.children,
            "everyChild": self.every or not self._skipped,
            "mapRuns": self.map_runs,
            "ends": self.ends,
            "stateMachineArn": described.get("stateMachineArn"),
            "definitionOf": machine,
            "missing": self.missing,
            "leftOut": self.left_out,
        }
        _write(self.folder / "about.json", about)
        return about

    def _parent(self, map_run: str | None) -> str | None:
        """Return the execution whose map run this one is a child of."""
        if map_run is None:
            return None
        with contextlib.suppress(Refused):
            parent = self.account.ask("describe_map_run", mapRunArn=map_run)["executionArn"]
            return str(parent)
        return None

    def history(self, arn: str, file: Path) -> list[dict[str, Any]]:
        """Write the history of an execution into a file, and return its events."""
        events = []
        for event in self.account.history(arn):
            events.append(event)
            self.events += 1
        _write(file, {"events": events})
        return events

    def _definition(self, arn: str, file: Path) -> str | None:
        """Write the definition that an execution ran; return since when it is deployed."""
        try:
            machine = self.account.ask("describe_state_machine_for_execution", executionArn=arn)
        except Refused as refused:
            self.missing.append(f"the definition of {arn}: {refused}")
            return None
        write_text(file, _own_definition(machine))
        updated = machine.get("updateDate")
        return updated.isoformat() if isinstance(updated, datetime) else None

    def fetch_children(self, events: list[dict[str, Any]], level: int = 0) -> None:
        """Fetch the children of the execution that has these events, and theirs."""
        if level >= _NESTED:
            return
        succeeded = {e.get("previousEventId") for e in events if e["type"] == "TaskSucceeded"}
        for event in events:
            if map_run := event.get("mapRunStartedEventDetails", {}).get("mapRunArn"):
                self._skipped = not self.every
                self._of_map_run(map_run, level)
            elif not (started := _started(event)):
                continue
            elif not self.every and event["id"] in succeeded:
                self._skipped = True
            elif self._may_have_more():
                machine, _, name = started.split(":", 6)[-1].partition(":")
                self._child(started, machine, name, level)
                file = self.folder / "state-machines" / f"{file_name(machine)}.asl.json"
                if machine not in self._machines:
                    self._machines.add(machine)
                    self._definition(started, file)

    def _of_map_run(self, map_run: str, level: int) -> None:
        run = map_run.rpartition(":")[2]
        try:
            for arn in self._listed(map_run):
                if not self._may_have_more():
                    break
                if ":express:" in arn:
                    self.ends.setdefault(map_run, []).append(self._end(arn))
                else:
                    self._child(arn, run, arn.rpartition(":")[2], level)
        except Refused as refused:
            self.missing.append(f"children of {map_run}: {refused}")
            return
        with contextlib.suppress(Refused):
            described = self.account.ask("describe_map_run", mapRunArn=map_run)
            self.map_runs[map_run] = described["executionCounts"]

    def _listed(self, map_run: str) -> Iterator[str]:
        """Yield the ARNs of a map run's children, those that failed first."""
        seen = set()
        for status in (*_FAILED, *((None,) if self.every else ())):
            chosen = {"statusFilter": status} if status else {}
            for child in self.account.pages(
                "list_executions", "executions", mapRunArn=map_run, maxResults=1_000, **chosen
            ):
                if status is None and ":express:" in child["executionArn"]:
                    return
                if (arn := child["executionArn"]) not in seen:
                    seen.add(arn)
                    yield arn

    def _may_have_more(self) -> bool:
        if self.children < self.most:
            return True
        which = "children" if self.every else "children that failed"
        self.left_out = [f"{which} after the first {self.most:,}"]
        return False

    def _end(self, arn: str) -> dict[str, Any]:
        """Return how an Express child of a map run ended (fact 456)."""
        described = self.account.ask("describe_execution", executionArn=arn)
        self.children += 1
        wanted = ("executionArn", "name", "status", "error", "cause", "startDate", "stopDate")
        return {name: described[name] for name in wanted if name in described}

    def _child(self, arn: str, group: str, name: str, level: int) -> None:
        file = self.folder / "children" / file_name(group) / f"{file_name(name)}.json"
        try:
            events = self._known(file) or self.history(arn, file)
        except Refused as refused:
            self.missing.append(f"the history of {arn}: {refused.code}")
            return
        self.children += 1
        self.fetch_children(events, level + 1)

    def _known(self, file: Path) -> list[dict[str, Any]]:
        """Return the events of a child that was fetched before and is over."""
        try:
            events: list[dict[str, Any]] = json.loads(file.read_bytes())["events"]
        except (OSError, ValueError):
            return []
        return events if self._reuse and events[-1]["type"] in TERMINAL else []


def _own_definition(machine: dict[str, Any]) -> str:
    """Return what an execution ran: of a map run's child its Map's processor, if that is known."""
    text = str(machine["definition"])
    if "mapRunArn" not in machine:
        return text
    processor = processor_of(json.loads(text), machine.get("label", ""))
    return json.dumps(processor) if processor else text


def _started(event: dict[str, Any]) -> str | None:
    """Return the execution that a task's answer says it started."""
    details = event.get("taskSubmittedEventDetails") or {}
    if details.get("resourceType") != "states":
        return None
    arn = execution_arn(value_of(details.get("output")))
    return arn if arn and arn_in(arn) else None


def _write(file: Path, content: Any) -> None:
    write_text(file, json.dumps(content, ensure_ascii=False, indent=1, default=_timestamp) + "\n")


def write_text(file: Path, text: str) -> None:
    """Write a file that only its owner can read. Raises Problem when that can't be done."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(file, "w", encoding="utf-8", opener=private) as written:
            written.write(text)
    except OSError as problem:
        raise Problem(f"can't write {file}: {problem.strerror}") from None


def _timestamp(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


# In place of a file ------------------------------------------------------------------------------


def folder_of(arn: str, endpoint: str | None) -> Path:
    """Return where an execution's files are."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    _, _, _, region, account, kind, *rest = arn.split(":")
    where = file_name(endpoint.partition("://")[2]) if endpoint else f"{account}-{region}"
    return Path(base, "doorstep", "executions", where, *map(file_name, (kind, *rest)))


def fetched(
    arn: str, endpoint: str | None = None, account: Account | None = None, *, every: bool = False
) -> Path:
    """Return the history's file of an execution, fetched unless it is there and over.

    `arn`: of the execution, or of a map run that it started. `every`: as for `Fetch`. Raises
    Problem when it can't be had.
    """
    if ":express:" in arn:
        raise Problem(f"{arn}: {HINTS['StateMachineTypeNotSupported']}")

    def asked(*, patient: bool = True) -> Account:
        return account or account_of(endpoint, arn.split(":")[3], patient=patient)

    if ":mapRun:" in arn:
        arn = asked().ask("describe_map_run", mapRunArn=arn)["executionArn"]
    folder = folder_of(arn, endpoint)
    about, before = fetched_into(folder, arn, asked, endpoint, every=every)
    if before:
        note(f"{arn}: as fetched at {about['fetched']} into {folder}")
    else:
        children = f" and {about['children']:,} children" if about["children"] else ""
        note(f"{arn}: {about['events']:,} events{children} fetched into {folder}")
    note_missing(about)
    return folder / "history.json"


def note_missing(about: Mapping[str, Any]) -> None:
    """Say what was not fetched of an execution."""
    for missing in (*about["missing"], *about["leftOut"]):
        note(f"not fetched: {missing}")


def fetched_into(
    folder: Path,
    arn: str,
    asked: Callable[..., Account],
    endpoint: str | None,
    *,
    every: bool = False,
) -> tuple[dict[str, Any], bool]:
    """Fetch an execution into a folder, unless it is there and over.

    `asked(patient=…)` returns the account, see `account_of`. Return what `about.json` says, and
    whether it was there. Raises AccountError when it can't be had.
    """
    before = fetched_with(folder / "history.json")
    known = bool(before and _whole(folder, before, arn) and _is_as_before(asked, before))
    if before and known and (before["everyChild"] or not every):
        return before, True
    return _run(Fetch(asked(), arn, folder, endpoint, every=every, reuse=known)), False


def _run(fetch: Fetch) -> dict[str, Any]:
    if not wanted():
        return fetch.run()
    with ProgressLine(fetch.__str__):
        return fetch.run()


def _is_as_before(asked: Callable[..., Account], about: Mapping[str, Any]) -> bool:
    """Return whether an execution is over and was not redriven since; also when nobody answers."""
    if about["status"] in ("RUNNING", "PENDING_REDRIVE"):
        return False
    if about["status"] == "SUCCEEDED":
        return True
    try:
        now = asked(patient=False).ask("describe_execution", executionArn=about["arn"])
    except AccountError:
        return True
    return bool(now.get("redriveCount", 0) == about["redriveCount"])


def _whole(folder: Path, about: Mapping[str, Any], arn: str) -> bool:
    """Return whether all that could be fetched of an execution is there, and readable."""
    try:
        json.loads((folder / "definition.asl.json").read_bytes())
        history = json.loads((folder / "history.json").read_bytes())
        complete = len(history["events"]) == about["events"] and not about["missing"]
        return complete and about["arn"] == arn and {"everyChild", "redriveCount"} <= about.keys()
    except (OSError, ValueError, KeyError, TypeError):
        return False
