"""Executions of an AWS account, or of a server, fetched into files that commands read.

    FOLDER/history.json           GetExecutionHistory's events, all pages
    FOLDER/definition.asl.json    the definition that this execution ran, not today's
    FOLDER/children/GROUP/NAME.json    map runs' children, and executions that tasks started
    FOLDER/about.json             what was fetched, when, and what could not be

Only operations that read are called. What is over is not fetched twice. The folder is below
`$XDG_CACHE_HOME/doorstep` (else `~/.cache/doorstep`); only its owner can read it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from doorstep.against.account import HINTS, Account, Refused, account_of
from doorstep.values.private_files import private

from .definitions import fetched_with
from .output import Problem, note
from .views.progress import ProgressLine, wanted

_ARN = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:(execution|express):[^\s?#&]+")
MOST_CHILDREN = 1_000
"""Children of an execution that are fetched."""
_NESTED = 3
"""Levels of executions that start executions."""


def arn_in(text: str) -> str | None:
    """Return the ARN of an execution that a text is or, as a console's URL, contains."""
    found = _ARN.search(unquote(text))
    return found[0] if found else None


# Into files --------------------------------------------------------------------------------------


class Fetch:
    """One execution on its way into a folder."""

    def __init__(self, account: Account, arn: str, folder: Path) -> None:
        self.account, self.arn, self.folder = account, arn, folder
        self.events = self.children = 0
        self.missing: list[str] = []
        """What could not be fetched, and why."""

    def __str__(self) -> str:
        children = f" · {self.children:,} children" if self.children else ""
        return f"fetching {self.arn.rpartition(':')[2]} · {self.events:,} events{children}"

    def run(self) -> dict[str, Any]:
        """Fetch all, and return what `about.json` then says."""
        described = self.account.ask("describe_execution", executionArn=self.arn)
        events = self.history(self.arn, self.folder / "history.json")
        machine = self._definition()
        self._children(events, 0)
        about = {
            "arn": self.arn,
            "status": described["status"],
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "events": len(events),
            "children": self.children,
            "stateMachineArn": described.get("stateMachineArn"),
            "definitionOf": machine,
            "missing": self.missing,
        }
        _write(self.folder / "about.json", about)
        return about

    def history(self, arn: str, file: Path) -> list[dict[str, Any]]:
        """Write the history of an execution into a file, and return its events."""
        pages = self.account.pages(
            "get_execution_history", "events", executionArn=arn, maxResults=1_000
        )
        events = []
        for event in pages:
            events.append(event)
            self.events += 1
        _write(file, {"events": events})
        return events

    def _definition(self) -> str | None:
        try:
            machine = self.account.ask(
                "describe_state_machine_for_execution", executionArn=self.arn
            )
        except Refused as refused:
            self.missing.append(f"the definition: {refused}")
            return None
        write_text(self.folder / "definition.asl.json", machine["definition"])
        updated = machine.get("updateDate")
        return updated.isoformat() if isinstance(updated, datetime) else None

    def _children(self, events: list[dict[str, Any]], level: int) -> None:
        if level >= _NESTED:
            return
        for event in events:
            if map_run := event.get("mapRunStartedEventDetails", {}).get("mapRunArn"):
                self._of_map_run(map_run, level)
            elif (started := _started(event)) and self._allowed():
                machine, _, name = started.split(":", 6)[-1].partition(":")
                self._child(started, machine, name, level)

    def _of_map_run(self, map_run: str, level: int) -> None:
        try:
            for child in self.account.pages(
                "list_executions", "executions", mapRunArn=map_run, maxResults=1_000
            ):
                if not self._allowed():
                    return
                arn = child["executionArn"]
                self._child(arn, map_run.rpartition(":")[2], arn.rpartition(":")[2], level)
        except Refused as refused:
            self.missing.append(f"children of {map_run}: {refused}")

    def _allowed(self) -> bool:
        if self.children < MOST_CHILDREN:
            return True
        more = f"children after the first {MOST_CHILDREN:,}"
        if more not in self.missing:
            self.missing.append(more)
        return False

    def _child(self, arn: str, group: str, name: str, level: int) -> None:
        try:
            file = self.folder / "children" / safe_name(group) / f"{safe_name(name)}.json"
            events = self.history(arn, file)
        except Refused as refused:
            self.missing.append(f"the history of {arn}: {refused.code}")
            return
        self.children += 1
        self._children(events, level + 1)


def _started(event: dict[str, Any]) -> str | None:
    """Return the execution that a task's answer says it started."""
    details = event.get("taskSubmittedEventDetails") or event.get("taskSucceededEventDetails") or {}
    if details.get("resourceType") != "states" or event["type"] != "TaskSubmitted":
        return None
    try:
        arn = json.loads(details["output"])["ExecutionArn"]
    except (ValueError, KeyError, TypeError):
        return None
    return arn if arn_in(str(arn)) else None


def safe_name(name: str) -> str:
    """Return a name for a file or folder; two names never become one."""
    safe = re.sub(r"[^\w.-]", "_", name).lstrip(".")
    return safe if safe == name else f"{safe}-{sha256(name.encode()).hexdigest()[:8]}"


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
    where = safe_name(endpoint.partition("://")[2]) if endpoint else f"{account}-{region}"
    return Path(base, "doorstep", "executions", where, *map(safe_name, (kind, *rest)))


def fetched(arn: str, endpoint: str | None = None, account: Account | None = None) -> Path:
    """Return the history's file of an execution, fetched unless it is there and over.

    Raises Problem when it can't be had.
    """
    if ":express:" in arn:
        raise Problem(f"{arn}: {HINTS['StateMachineTypeNotSupported']}")
    folder = folder_of(arn, endpoint)
    before = fetched_with(folder / "history.json")
    if before and before.get("status") != "RUNNING" and _whole(folder, before, arn):
        note(f"{arn}: as fetched at {before.get('fetched')} into {folder}")
        return folder / "history.json"
    fetch = Fetch(account or account_of(endpoint, arn.split(":")[3]), arn, folder)
    if wanted():
        with ProgressLine(fetch.__str__):
            now = fetch.run()
    else:
        now = fetch.run()
    children = f" and {now['children']:,} children" if now["children"] else ""
    note(f"{arn}: {now['events']:,} events{children} fetched into {folder}")
    for missing in now["missing"]:
        note(f"not fetched: {missing}")
    return folder / "history.json"


def _whole(folder: Path, about: Mapping[str, Any], arn: str) -> bool:
    """Return whether all that could be fetched of an execution is there, and readable."""
    if about["arn"] != arn:
        return False
    try:
        json.loads((folder / "definition.asl.json").read_bytes())
        history = json.loads((folder / "history.json").read_bytes())
        return not about["missing"] and len(history["events"]) == about["events"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
