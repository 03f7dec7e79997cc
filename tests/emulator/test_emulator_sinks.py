"""Where events and log lines go: files, webhooks, functions."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import SinkError
from doorstep_emulator.publish import sinks
from doorstep_emulator.publish.sinks import Sink, Sinks

HOOKS = """
import threading

taken = []
gate = threading.Event()

def take(document):
    taken.append(document)

def change(document):
    document["n"] = "changed"

def stumble(document):
    if document["n"] == 1:
        fall()
    taken.append(document)

def fall():
    raise ValueError("over a stone")

def wait(document):
    gate.wait(10)
    taken.append(document)
"""


class Hook:
    """A file of hooks, by their names as targets."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "hooks.py"
        self.file.write_text(HOOKS)

    def __getitem__(self, name: str) -> str:
        return f"python:{self.file}:{name}"

    @property
    def module(self) -> Any:
        """The module that the last sink has loaded."""
        return sys.modules["doorstep_handlers_hooks"]


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    return Hook(tmp_path)


class Receiver(HTTPServer):
    """Answers with the statuses that it is given, then with 200; keeps the bodies."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receive)
        self.statuses: list[int] = []
        self.bodies: list[Any] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Receive(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        self.server.bodies.append(json.loads(body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.bodies.append("GET")

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is lost between attempts."""
    monkeypatch.setattr(sinks, "_PAUSES", (0.0, 0.0, 0.0))


def sent(target: str, *documents: Any) -> Sink:
    """A sink that has been given documents and is closed."""
    sink = Sink(target)
    sink.start()
    for document in documents:
        sink.send(document)
    sink.close(10)
    return sink


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"n": number} for number in range(count)]


def test_a_file_is_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    sent(str(file), *numbered(2))
    sink = sent(str(file), {"n": 2, "half": "\ud800"})
    assert [json.loads(line)["n"] for line in file.read_text().splitlines()] == [0, 1, 2]
    assert (sink.delivered, sink.failed) == (1, 0)


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"n": 0}\n{"n"')
    sent(str(file), {"n": 2})
    assert file.read_text().splitlines() == ['{"n": 0}', '{"n"', '{"n":2}']


def test_a_file_that_is_moved_away_is_begun_again(tmp_path: Path, eventually: Any) -> None:
    file = tmp_path / "events.jsonl"
    sink = Sink(str(file))
    sink.start()
    sink.send({"n": 0})
    eventually(lambda: sink.delivered)
    file.rename(tmp_path / "events.1")
    sink.send({"n": 1})
    sink.close(10)
    assert file.read_text() == '{"n":1}\n'


def test_a_webhook_is_posted_to_in_order(receiver: Receiver) -> None:
    assert sent(receiver.url, *numbered(5)).delivered == 5
    assert receiver.bodies == numbered(5)


@pytest.mark.usefixtures("quick")
def test_a_busy_webhook_is_asked_again(receiver: Receiver) -> None:
    receiver.statuses = [503, 429, 500]
    sink = sent(receiver.url, *numbered(2))
    assert [body["n"] for body in receiver.bodies] == [0, 0, 0, 0, 1]
    assert (sink.delivered, sink.failed) == (2, 0)


@pytest.mark.usefixtures("quick")
def test_what_a_webhook_fails_four_times_is_given_up(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [500] * 4
    sink = sent(receiver.url + "?token=secret", *numbered(2))
    assert [body["n"] for body in receiver.bodies] == [0, 0, 0, 0, 1]
    assert (sink.delivered, sink.failed) == (1, 1)
    assert f"{receiver.url}: given up: 1: HTTPError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_a_webhook_refuses_is_given_up_at_once(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    sink = sent(receiver.url, *numbered(2))
    assert receiver.bodies == numbered(2)
    assert (sink.delivered, sink.failed) == (1, 1)


def test_a_hook_is_called_with_a_document_of_its_own(hook: Hook) -> None:
    document = {"n": 0}
    assert sent(hook["change"], document).delivered == 1
    assert document == {"n": 0}


def test_a_hook_that_raises_is_shown_from_its_own_lines_on(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    sink = sent(hook["stumble"], *numbered(3))
    assert (sink.delivered, sink.failed) == (2, 1)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "ValueError: over a stone" in told
    assert [line.split()[-1] for line in told.splitlines() if "File" in line] == ["stumble", "fall"]


def test_a_hook_of_a_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_hooks.py").write_text("def take(document): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert sent("python:my_hooks:take", {}).delivered == 1


def test_a_full_queue_drops_what_comes_and_holds_up_nobody(
    hook: Hook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "_MOST", 2)
    sink = Sink(hook["wait"])
    module = hook.module
    sink.start()
    for document in numbered(5):
        sink.send(document)
    assert (sink.waiting, sink.failed) == (2, 3)
    module.gate.set()
    sink.close(10)
    assert [one["n"] for one in module.taken] == [0, 1]
    assert (sink.delivered, sink.waiting) == (2, 0)
    assert caplog.text.count("more are dropped") == 1


def test_what_is_left_at_the_end_is_told(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    sink = Sink(hook["wait"])
    sink.start()
    for document in numbered(3):
        sink.send(document)
    sink.close(0.01)
    hook.module.gate.set()
    assert "3 documents could not be delivered before the end" in caplog.text


def test_a_target_of_both_kinds_is_one_sink(tmp_path: Path) -> None:
    file = str(tmp_path / "all")
    both = Sinks((file,), (file, file))
    assert len(both.all) == 1
    assert both.events == both.logs == both.all


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("nowhere/events", "can't be written: No such file or directory"),
        ("http:///path", "has no host; write http://HOST:PORT/PATH"),
        ("https://me:secret@host/x", "https://host/x: a URL with a user can't be used"),
        ("python:hooks", "write python:MODULE:FUNCTION or python:FILE.py:FUNCTION"),
        ("python:no_such_module:f", "no handler file, folder or module 'no_such_module'"),
        ("python:json:f", "json has no function f"),
    ],
)
def test_a_target_that_can_not_be_used_is_refused(target: str, told: str) -> None:
    with pytest.raises(SinkError) as raised:
        Sink(target)
    assert told in str(raised.value)
    assert "secret" not in str(raised.value)


Launch = Callable[..., Any]


def test_serve_says_what_is_wrong_with_a_target(launch: Launch) -> None:
    server = launch("--db", ":memory:", "--events", "nowhere/events")
    _, told = server.communicate(timeout=20)
    assert server.returncode == 2
    assert told.startswith("doorstep: nowhere/events can't be written")
