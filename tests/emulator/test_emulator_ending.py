"""What is told and what is left when a server ends: in order, by `kill -9`, or with a full disk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_cli.commands.remote import Remote
from doorstep_cli.output import Problem
from doorstep_emulator import Options, running
from doorstep_emulator.http import app
from doorstep_emulator.store.sqlite import SqliteStore

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
HANDLERS = """
import pathlib, time

FOLDER = pathlib.Path(__file__).parent

def work(event):
    (FOLDER / event["began"]).touch()
    while not (FOLDER / event["until"]).exists():
        time.sleep(0.005)
    return event
"""
WORK = {"Type": "Task", "Resource": FUNCTION + "work", "End": True}
Launch = Callable[..., subprocess.Popen[str]]
Eventually = Callable[[Callable[[], Any]], Any]


class Served:
    """A server in a process of its own, on a store and a file of status changes that stay."""

    def __init__(self, launch: Launch, folder: Path, *options: str) -> None:
        self.folder = folder
        (folder / "handlers.py").write_text(HANDLERS)
        self.process = launch(
            *("--db", str(folder / "kept.db"), "--handlers", str(folder / "handlers.py")),
            *("--events", str(folder / "events"), "--log-format", "json", *options),
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        self.ask = Remote(self.url).ask

    def start(self, name: str, state: dict[str, Any], given: Any = None, **more: str) -> None:
        create_and_start(self.ask, name, state, json.dumps(given or {}), **more)

    def told(self, name: str) -> list[str]:
        """The statuses that were told of the execution of a machine."""
        return statuses(self.folder / "events", name)

    def end(self) -> None:
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)

    def said(self) -> list[dict[str, Any]]:
        """All that it said until it ended."""
        _, said = self.process.communicate(timeout=20)
        return [json.loads(line) for line in said.splitlines()]


def create_and_start(
    ask: Any, name: str, state: dict[str, Any], given: str = "{}", **more: str
) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    ask("CreateStateMachine", name=name, definition=definition, roleArn=ROLE, **more)
    ask("StartExecution", stateMachineArn=MACHINE + name, name="one", input=given)


def in_thread(act: Any, *given: Any, **more: Any) -> threading.Thread:
    thread = threading.Thread(target=act, args=given, kwargs=more)
    thread.start()
    return thread


def statuses(file: Path, name: str) -> list[str]:
    *lines, _ = file.read_text().split("\n")
    details = [json.loads(line)["detail"] for line in lines]
    return [one["status"] for one in details if one["stateMachineArn"] == MACHINE + name]


def test_a_server_that_is_asked_to_end_lets_go_in_order(
    launch: Launch, tmp_path: Path, eventually: Eventually
) -> None:
    served = Served(launch, tmp_path, "--grace", "2")
    served.start("ends", WORK, {"began": "ends", "until": "soon"})
    served.start("stays", WORK, {"began": "stays", "until": "never"})
    express = {"Type": "Wait", "Seconds": 600, "End": True}
    served.start("lost", express, type="EXPRESS")
    activity = served.ask("CreateActivity", name="a")["activityArn"]
    answers: list[Any] = []

    def ask(operation: str, **request: str) -> None:
        try:
            answers.append(served.ask(operation, **request))
        except Problem as problem:
            answers.append(problem.message)

    poll = in_thread(ask, "GetActivityTask", activityArn=activity)
    eventually(lambda: health(served.url)["activities"]["polls"] == 1)
    sync = in_thread(ask, "StartSyncExecution", stateMachineArn=MACHINE + "lost")
    eventually(lambda: health(served.url)["running"] == 4)
    eventually(lambda: (tmp_path / "ends").exists() and (tmp_path / "stays").exists())
    served.end()
    # One of the handlers ends in time.
    (tmp_path / "soon").touch()
    poll.join(10)
    assert answers == [{}]
    sync.join(10)
    assert "ServiceUnavailable" in answers[1]
    assert served.said()[-1]["message"] == (
        "stopped; executions that continue at the next start: 1, that are lost: 2; "
        "handlers that still run: 1"
    )
    assert served.process.returncode == 0
    assert served.told("ends") == ["RUNNING", "SUCCEEDED"]
    (tmp_path / "never").touch()
    again = Served(launch, tmp_path)
    eventually(lambda: again.told("stays") == ["RUNNING", "SUCCEEDED"])
    again.end()
    said = again.said()
    assert [line["level"] for line in said] == ["WARNING", "WARNING", "INFO", "INFO"]
    assert all(":express:lost:" in line["message"] for line in said[:2])
    assert said[2]["message"].endswith("executions that continue: 1")


def test_a_server_that_is_asked_to_end_twice_ends_at_once(
    launch: Launch, tmp_path: Path, eventually: Eventually
) -> None:
    served = Served(launch, tmp_path, "--grace", "600")
    served.start("stays", WORK, {"began": "stays", "until": "never"})
    eventually((tmp_path / "stays").exists)
    served.end()
    # Another signal, as one that waits to be handled swallows its like.
    served.process.send_signal(signal.SIGINT)
    said = [line["message"] for line in served.said()]
    assert served.process.returncode == 0
    assert said[-1].endswith("handlers that still run: 1"), said
    assert len(said) == 2, said


def health(url: str) -> Any:
    with urlopen(f"{url}/health", timeout=10) as answer:
        return json.load(answer)


def test_after_a_kill_no_status_change_is_told_twice(
    launch: Launch, tmp_path: Path, eventually: Eventually
) -> None:
    served = Served(launch, tmp_path)
    served.start("work", WORK, {"began": "began", "until": "soon"})
    eventually(lambda: served.told("work") == ["RUNNING"])
    served.process.kill()
    served.process.communicate()
    (tmp_path / "soon").touch()
    again = Served(launch, tmp_path)
    eventually(lambda: len(again.told("work")) > 1)
    again.end()
    again.said()
    assert again.told("work") == ["RUNNING", "SUCCEEDED"]


def test_nothing_is_told_before_it_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    def refuse(store: SqliteStore) -> None:
        raise sqlite3.OperationalError("the disk is full")

    def trouble() -> str | None:
        try:
            health(url)
        except HTTPError as refused:
            with refused:
                told: str = json.load(refused)["trouble"]
                return told
        return None

    monkeypatch.setattr(app, "_LATE", 0.1)
    file = tmp_path / "events"
    with running(Options(port=0, events=(str(file),))) as url:
        create_and_start(Remote(url).ask, "before", {"Type": "Succeed"})
        eventually(lambda: statuses(file, "before") == ["RUNNING", "SUCCEEDED"])
        with monkeypatch.context() as full:
            full.setattr(SqliteStore, "_transact", refuse)
            again = {"stateMachineArn": MACHINE + "before", "name": "two"}
            start = in_thread(Remote(url).ask, "StartExecution", **again)
            assert "the disk is full" in eventually(trouble)
            assert len(statuses(file, "before")) == 2
        start.join()
        eventually(lambda: statuses(file, "before") == ["RUNNING", "SUCCEEDED"] * 2)


def test_an_execution_that_can_not_go_on_can_be_stopped_and_that_is_told(
    tmp_path: Path, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    file, store = tmp_path / "events", tmp_path / "kept.db"
    options = Options(port=0, db=str(store), events=(str(file),))
    with running(options) as url:
        wait = {"Type": "Wait", "Seconds": 600, "End": True}
        create_and_start(Remote(url).ask, "torn", wait, '{"a": 1}')
        eventually(lambda: statuses(file, "torn") == ["RUNNING"])
    with closing(sqlite3.connect(store)) as connection:
        # A definition with which its journal does not agree.
        changed = "CAST(replace(CAST(body AS TEXT), 'Wait', 'Pass') AS BLOB)"
        connection.execute(
            f"UPDATE documents SET body = {changed}, checksum = NULL WHERE kind = 'revision'"
        )
        connection.commit()
    arn = f"{MACHINE}torn:one".replace("stateMachine", "execution")
    with running(options) as url:
        Remote(url).ask("StopExecution", executionArn=arn, error="Enough")
        assert Remote(url).ask("DescribeExecution", executionArn=arn)["status"] == "ABORTED"
    assert f"{arn} is set aside" in caplog.text
    assert statuses(file, "torn") == ["RUNNING", "ABORTED"]
    detail = json.loads(file.read_text().splitlines()[-1])["detail"]
    assert (detail["input"], detail["error"]) == ('{"a": 1}', "Enough")


WINDOWS_LOOP = """
import asyncio, sys
from doorstep_cli.main import entry

def missing(self, *_):
    raise NotImplementedError

for name in ("add_signal_handler", "remove_signal_handler", "add_reader", "add_writer"):
    setattr(asyncio.SelectorEventLoop, name, missing)
sys.modules["uvloop"] = sys.modules["fcntl"] = sys.modules["resource"] = None
entry()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_ends_in_order_on_an_event_loop_without_signals(
    number: int, tmp_path: Path
) -> None:
    # What Windows' loops lack: docs.python.org, asyncio, "Platform Support".
    arguments = ["serve", "--port", "0", "--db", str(tmp_path / "kept.db")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "cp1252"}
    with subprocess.Popen(
        [sys.executable, "-c", WINDOWS_LOOP, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with urlopen(f"{url}/health") as answer:
            assert json.load(answer)["status"] == "ok"
        create_and_start(Remote(url).ask, "wait", {"Type": "Wait", "Seconds": 60, "End": True})
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    assert (process.returncode, "Traceback" in said) == (0, False), said
    store = SqliteStore(str(tmp_path / "kept.db"))
    store.close()
