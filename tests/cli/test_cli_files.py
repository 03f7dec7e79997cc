"""Files that can't be used: each command says so in a sentence, whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import doorstep
from doorstep_cli.main import cli

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}
DEFINITION = {"StartAt": "P", "States": {"P": TASK}}
EVENTS = doorstep.run(DEFINITION, {}, {"f": lambda event: event}).history
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join(['*' + name] * 9)}]\n"
    for name, after in zip("abcdefghi", "bcdefghij", strict=True)
)
MACHINE = "Resources:\n  A:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n"


def event(index: int, member: str, value: str) -> bytes:
    """The history with one member's JSON text replaced."""
    events = json.loads(json.dumps(EVENTS))
    events[index][member] = "@@"
    return json.dumps({"events": events}).replace('"@@"', value).encode()


def arranged(arrange: Callable[[list[Any]], list[Any]]) -> bytes:
    return json.dumps({"events": arrange(EVENTS)}).encode()


FILES = {
    "empty.json": b"",
    "nul.json": b"\0\0",
    "bom.json": b"\xef\xbb\xbf",
    "utf16.json": json.dumps(DEFINITION).encode("utf-16"),
    "latin.json": b'{"a":"\xe9"}',
    "deep.json": b"[" * 100_000,
    "deep-object.json": b'{"a":' * 100_000,
    "digits.json": b'{"events":[{"id":' + b"1" * 5_000 + b"}]}",
    "huge.json": b'{"StartAt":1e400}',
    "list.json": b"[]",
    "number.json": b"5",
    "no-events.json": b'{"events":[null,5,"x",[]]}',
    "long.json": b'"' + b"x" * 2_000_000 + b'"',
    "time-past.json": event(1, "timestamp", "-1e18"),
    "time-future.json": event(1, "timestamp", "1e300"),
    "time-digits.json": event(1, "timestamp", "1" + "0" * 400),
    "time-nan.json": event(1, "timestamp", "NaN"),
    "time-year-0.json": event(1, "timestamp", '"0000-01-01T00:00:00Z"'),
    "time-year-1.json": event(1, "timestamp", '"0001-01-01T00:00:00+14:00"'),
    "time-year-9999.json": event(1, "timestamp", '"9999-12-31T23:59:59-14:00"'),
    "time-true.json": event(1, "timestamp", "true"),
    "time-long.json": event(1, "timestamp", json.dumps("9" * 100_000)),
    "id-text.json": event(1, "id", '"x"'),
    "id-huge.json": event(1, "id", "1" + "0" * 400),
    "id-infinite.json": event(1, "id", "1e400"),
    "id-true.json": event(1, "id", "true"),
    "id-fraction.json": event(1, "id", "1.5"),
    "id-twice.json": event(1, "id", "1"),
    "type-null.json": event(1, "type", "null"),
    "type-long.json": event(1, "type", json.dumps("x" * 100_000)),
    "details-list.json": event(1, "taskStateEnteredEventDetails", "[1]"),
    "gap.json": arranged(lambda events: [*events[:2], *events[3:]]),
    "headless.json": arranged(lambda events: events[1:]),
    "log.json": b'{"id":"1","type":"X","details":{},"event_timestamp":"' + b"9" * 400 + b'"}',
    "log-message.json": b'{"events":[{"message":"{"}]}',
    "journal.json": b'{"semantics":1,"definition":5}\nx\n',
    "laughs.yaml": LAUGHS.encode(),
    "itself.yaml": b"a: &a {b: *a}",
    "digits.yaml": b"a: " + b"1" * 5_000,
    "deep.yaml": b"[" * 100_000,
    "nul.yaml": b"a: \0",
    "object.yaml": b"!!python/object/apply:os.system ['true']",
    "nul-uri.yaml": (MACHINE + '      DefinitionUri: "a\\0b"').encode(),
    "long-uri.yaml": (MACHINE + "      DefinitionUri: " + "x" * 5_000).encode(),
    "folder-uri.yaml": (MACHINE + "      DefinitionUri: .").encode(),
    "type-list.yaml": b"Resources:\n  A:\n    Type: [1]\n",
}
COMMANDS = (
    "validate @ --format json",
    "run @",
    "run ok.json --input @@ --handlers h.py --quiet",
    "run ok.json --mocks @",
    "graph @",
    "graph ok.json --history @",
    "explore @ --seconds 0.1",
    "test-state @ --state P",
    "history @",
    "replay @ --definition ok.json",
    "replay okh.json --definition @",
    "resume @ --definition ok.json --handlers h.py",
    "debug @ --at 2 --definition ok.json",
    "diff @ okh.json",
    "test @",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile")
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    (path / "folder.json").mkdir()
    (path / "loop.json").symlink_to("loop.json")
    (path / "ok.json").write_text(json.dumps(DEFINITION))
    (path / "okh.json").write_text(json.dumps({"events": EVENTS}))
    (path / "h.py").write_text("def f(event):\n    return 0\n")
    return path


@pytest.mark.parametrize("name", [*FILES, "folder.json", "loop.json", "missing.json", "x" * 5_000])
def test_no_file_takes_a_command_by_surprise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    for line in COMMANDS:
        command = [{"@": name, "@@": f"@{name}"}.get(word, word) for word in line.split()]
        result = CliRunner().invoke(cli, command)
        said = f"{line}: {result.output[:300]}"
        assert result.exit_code in (0, 1, 2), said
        assert "Traceback" not in result.output, said
        assert result.exit_code == 0 or len(result.output) < 20_000, said


@pytest.mark.parametrize(
    "name", [name for name in FILES if name.startswith(("time", "type-long", "id-t", "id-f"))]
)
def test_an_event_that_can_not_be_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli, ["history", name])
    assert result.exit_code == 2
    assert name in result.stderr
    assert "event 2" in result.stderr or "two events" in result.stderr
    assert len(result.stderr) < 1_000
