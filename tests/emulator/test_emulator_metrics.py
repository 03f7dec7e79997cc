"""/metrics and /health of a server. Names: CloudWatch's metrics of Step Functions."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from prometheus_client import parser

import doorstep
from doorstep_cli.commands.remote import Remote
from doorstep_emulator import Options, running
from doorstep_emulator.http import app
from doorstep_emulator.reporting import report

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:m:e"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
HANDLERS = """
import pathlib, time

def stuck(event):
    while not (pathlib.Path(__file__).parent / "open").exists():
        time.sleep(0.005)
"""


class Observed:
    """A server, what it tells of itself, and what is asked of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ask = Remote(url).ask

    def get(self, path: str) -> str:
        with urlopen(self.url + path, timeout=10) as answer:
            told: str = answer.read().decode()
            return told

    def health(self) -> Any:
        return json.loads(self.get("/health"))

    def metric(self, name: str, **labels: str) -> float:
        """A sample's value; 0 when there is none yet."""
        families = parser.text_string_to_metric_families(self.get("/metrics"))
        samples = [one for family in families for one in family.samples]
        return sum(one.value for one in samples if (one.name, one.labels) == (name, labels))

    def start(self, name: str, state: dict[str, Any]) -> str:
        """Starts an execution of a new machine of one state."""
        definition = json.dumps({"StartAt": "A", "States": {"A": state}})
        self.ask("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)
        arn: str = self.ask("StartExecution", stateMachineArn=MACHINE + name)["executionArn"]
        return arn


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[Observed]:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    handlers, events = str(tmp_path / "handlers.py"), (str(tmp_path / "events"),)
    with running(Options(port=0, handlers=handlers, events=events, max_handlers=1, grace=0)) as url:
        yield Observed(url)
        (tmp_path / "open").touch()


Eventually = Callable[[Callable[[], Any]], Any]
WAIT = {"Type": "Wait", "Seconds": 600, "End": True}
STUCK = {"Type": "Task", "Resource": FUNCTION + "stuck", "End": True}


@pytest.mark.parametrize(
    ("name", "state", "counted"),
    [
        ("yes", {"Type": "Succeed"}, "succeeded"),
        ("no", {"Type": "Fail"}, "failed"),
        ("stop", WAIT, "aborted"),
    ],
)
def test_executions_are_counted_by_machine(
    observed: Observed, eventually: Eventually, name: str, state: dict[str, Any], counted: str
) -> None:
    arn = observed.start(name, state)
    if counted == "aborted":
        assert observed.metric("doorstep_open_executions") == 1
        observed.ask("StopExecution", executionArn=arn)
    labels = {"state_machine_arn": MACHINE + name}
    eventually(lambda: observed.metric(f"doorstep_executions_{counted}_total", **labels) == 1)
    assert observed.metric("doorstep_executions_started_total", **labels) == 1
    assert observed.metric("doorstep_execution_time_seconds_count", **labels) == 1
    eventually(lambda: observed.metric("doorstep_open_executions") == 0)


def test_a_redrive_is_counted(observed: Observed, eventually: Eventually) -> None:
    arn = observed.start("no", {"Type": "Fail"})
    observed.ask("RedriveExecution", executionArn=arn)
    labels = {"state_machine_arn": MACHINE + "no"}
    eventually(lambda: observed.metric("doorstep_executions_failed_total", **labels) == 2)
    assert observed.metric("doorstep_executions_redriven_total", **labels) == 1
    assert observed.metric("doorstep_executions_started_total", **labels) == 1


def test_requests_are_counted_by_operation_and_code(observed: Observed) -> None:
    observed.ask("ListActivities")
    with pytest.raises(Exception, match="ExecutionDoesNotExist"):
        observed.ask(
            "DescribeExecution", executionArn=f"{MACHINE}m:e".replace("stateMachine", "execution")
        )
    requests = "doorstep_api_requests_total"
    assert observed.metric(requests, operation="ListActivities", code="OK") == 1
    refused = {"operation": "DescribeExecution", "code": "ExecutionDoesNotExist"}
    assert observed.metric(requests, **refused) == 1
    assert observed.metric("doorstep_api_latency_seconds_count", operation="ListActivities") == 1


def test_the_page_names_every_metric(observed: Observed) -> None:
    observed.ask("ListActivities")
    page = Path(__file__).parents[2] / "docs" / "events-and-logs.md"
    named = set(re.findall(r"`(doorstep_\w+)`", page.read_text("utf-8")))
    families = [*parser.text_string_to_metric_families(observed.get("/metrics"))]
    there = {one.name + "_total" if one.type == "counter" else one.name for one in families}
    # The client tells of each counter when it began, too.
    there = {name for name in there if name.startswith("doorstep_") and "_created" not in name}
    assert named == there


def test_what_waits_is_shown(observed: Observed, eventually: Eventually) -> None:
    for name in ("first", "second"):
        observed.start(name, STUCK)
    activity = observed.ask("CreateActivity", name="a")["activityArn"]
    observed.start("third", {"Type": "Task", "Resource": activity, "End": True})
    eventually(lambda: observed.health()["activities"] == {"tasks": 1, "polls": 0})
    told = observed.health()
    assert told["calls"] == {"running": 1, "waiting": 1, "most": 1}
    assert told["running"] == 3
    assert observed.metric("doorstep_calls_in_flight") == 1
    assert observed.metric("doorstep_calls_waiting") == 1
    assert observed.metric("doorstep_open_activity_tasks") == 1
    assert observed.metric("doorstep_waiting_activity_polls") == 0


def test_commits_and_deliveries_are_counted(observed: Observed, eventually: Eventually) -> None:
    before = observed.metric("doorstep_journal_commits_total")
    observed.start("yes", {"Type": "Succeed"})
    (sink,) = eventually(
        lambda: [one for one in observed.health()["sinks"] if one["delivered"] == 2]
    )
    assert (sink["failed"], sink["waiting"]) == (0, 0)
    assert observed.metric("doorstep_journal_commits_total") > before
    assert observed.metric("doorstep_sink_deliveries_total", sink=sink["target"]) == 2
    assert observed.metric("doorstep_sink_failures_total", sink=sink["target"]) == 0


@pytest.mark.parametrize("late", [0.0, 3600.0], ids=["for long", "for a moment"])
def test_a_server_that_does_one_thing_for_long_is_in_trouble(
    monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    monkeypatch.setattr(app, "_SOON", 0.0)
    monkeypatch.setattr(app, "_LATE", late)
    at_work, enough = threading.Event(), threading.Event()

    def respond(*_: Any) -> Any:
        at_work.set()
        assert enough.wait(30)
        return doorstep.answer(1)

    with running(Options(port=0, respond=respond, grace=0)) as url:
        observed = Observed(url)
        task = {"Type": "Task", "Resource": FUNCTION + "any", "End": True}
        starting = threading.Thread(target=observed.start, args=("busy", task))
        starting.start()
        assert at_work.wait(30)
        try:
            if late:
                assert observed.health()["status"] == "ok"
                return
            with pytest.raises(HTTPError) as raised:
                observed.health()
            with raised.value as answer:
                assert answer.code == 503
                assert "has been busy with one thing" in json.load(answer)["trouble"]
        finally:
            enough.set()
            starting.join()


def test_reports_are_json_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    root, log = logging.getLogger(), logging.getLogger("doorstep")
    before, level = root.handlers[:], log.level
    try:
        report("text", "info")
        log.error("the state %s", "A\x1b[2J\x9b\u202e\ud800")
        spoken = capsys.readouterr().err
        report("json", "info")
        log.debug("unheard")
        log.info("%s é\ud800", "said", extra={"fields": {"code": "OK"}})
        try:
            raise ValueError("why")
        except ValueError:
            log.exception("wrong")
    finally:
        root.handlers[:] = before
        log.setLevel(level)
    assert spoken.endswith("ERROR the state A�[2J��\\ud800\n")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["message"], first["code"]) == ("INFO", "said é\ud800", "OK")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first["time"])
    assert second["traceback"].endswith("ValueError: why")
