"""`doorstep lsp` while somebody types: what a key costs in a definition of 2,100 lines."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, cycle, islice
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from measure import Row, Work

LINES = 2_100
KEYS = 20
"""Keys of one measurement: the system counts a process's time in hundredths of a second."""
TEMPLATE = """Resources:
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
"""
TICK = os.sysconf("SC_CLK_TCK")


def state(number: int) -> dict[str, Any]:
    """Return one of six kinds of states, most of them with something inside."""
    payload = {"FunctionName": "f", "Payload": {"id.$": "$.order.id", "n.$": "States.UUID()"}}
    retry = {"ErrorEquals": ["Lambda.ServiceException", "States.Timeout"], "MaxAttempts": 3}
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Failed", "ResultPath": "$.error"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": payload}
    more = {"Variable": "$.total", "NumericGreaterThan": 3, "Next": f"S{number + 1}"}
    total = {"total": "{% $sum($states.input.items.price) %}"}
    inner = {"StartAt": f"I{number}", "States": {f"I{number}": {**task, "End": True}}}
    kinds: list[dict[str, Any]] = [
        {**task, "Retry": [retry], "Catch": [catch]},
        {"Type": "Choice", "Choices": [more], "Default": "Failed"},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": total, "Output": total},
        {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 4, "ItemProcessor": inner},
        {"Type": "Wait", "Seconds": 3},
        {"Type": "Parallel", "Branches": [inner]},
    ]
    kind = kinds[number % len(kinds)]
    return kind if "Choices" in kind else {**kind, "Next": f"S{number + 1}"}


def definition(states: int) -> dict[str, Any]:
    """Return a machine of so many states, and its two ends."""
    ends = {f"S{states}": {"Type": "Succeed"}, "Failed": {"Type": "Fail", "Error": "Failed"}}
    chain = {f"S{number}": state(number) for number in range(states)}
    return {"StartAt": "S0", "States": {**chain, **ends}}


def as_json(machine: Any) -> str:
    """Return a definition as an editor lays it out."""
    return json.dumps(machine, indent=2)


def as_yaml(machine: Any) -> str:
    """Return a definition in YAML."""
    dumper = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    return yaml.dump(machine, Dumper=dumper, sort_keys=False)


def in_template(machine: Any) -> str:
    """Return a SAM template with a definition as an object."""
    return f"{TEMPLATE}      Definition:\n{indent(as_yaml(machine), ' ' * 8)}"


def as_string(machine: Any) -> str:
    """Return a SAM template with a definition as a text of JSON."""
    return f"{TEMPLATE}      DefinitionString: !Sub |\n{indent(as_json(machine), ' ' * 8)}\n"


def text_of(written: Callable[[Any], str]) -> str:
    """Return a text of 2,100 lines or a few more."""
    return next(
        text for states in count(6, 6) if (text := written(definition(states))).count("\n") >= LINES
    )


class Editor:
    """A language server and what an editor tells it."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-c", "from doorstep_cli.main import entry; entry()", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.server.kill)
        self.tell("initialize", {"capabilities": {}, "processId": None, "rootUri": None}, id=1)
        self.hear("result")
        self.tell("initialized", {})
        self.version = 0

    def tell(self, method: str, params: Any, **more: Any) -> None:
        """Send a message."""
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        assert self.server.stdin
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def hear(self, part: str) -> Any:
        """Return a part of the next message that has it."""
        assert self.server.stdout
        while True:
            length = 0
            while (line := self.server.stdout.readline()).strip() or not length:
                if not line:
                    raise EOFError("the language server has ended")
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            message = json.loads(self.server.stdout.read(length))
            if part in message:
                return message[part]

    def open(self, uri: str, language: str, text: str) -> None:
        """Open a document, and wait for what is said about it."""
        document = {"uri": uri, "languageId": language, "version": 0, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        self.hear("params")

    def change(self, uri: str, line: int, columns: tuple[int, int], text: str) -> None:
        """Replace a part of a line, and wait for what is said about it."""
        self.version += 1
        start, end = ({"line": line, "character": column} for column in columns)
        change = {"range": {"start": start, "end": end}, "text": text}
        document = {"uri": uri, "version": self.version}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        while self.hear("params").get("version") != self.version:
            pass

    def spent(self) -> float:
        """Return the milliseconds that the server has worked."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICK


@cache
def editor() -> Editor:
    """Return the language server of this run."""
    return Editor()


def keys(written: Callable[[Any], str], breaks: bool = False) -> Work:
    """Return the processor time of a key: a digit, each time at another place, or [ and its end.

    A text with one more digit is new to the server; a [ that breaks it is taken back.
    """

    @cache
    def places() -> tuple[str, Iterator[tuple[int, int]]]:
        text, language = text_of(written), "json" if written is as_json else "yaml"
        uri = f"file:///{written.__name__}-{breaks}.{language}"
        editor().open(uri, language, text)
        seconds = ((at, line) for at, line in enumerate(text.split("\n")) if "Seconds" in line)
        return uri, cycle([(at, line.index("3")) for at, line in seconds])

    def work() -> float:
        uri, where = places()
        before = editor().spent()
        for line, column in islice(where, KEYS // 2 if breaks else KEYS):
            editor().change(uri, line, (column, column), "[" if breaks else "1")
            if breaks:
                editor().change(uri, line, (column, column + 1), "")
        return (editor().spent() - before) / KEYS

    return work


def rows() -> list[Row]:
    """Return what a key costs in each way to write a definition."""
    ways = {
        "JSON": keys(as_json),
        "YAML": keys(as_yaml),
        "YAML that is broken and mended": keys(as_yaml, breaks=True),
        "a SAM template": keys(in_template),
        "a SAM template, JSON in a string": keys(as_string),
    }
    return [
        Row(f"`doorstep lsp`, a key in 2,100 lines of {way}", "ms", work, goal="100 ms")
        for way, work in ways.items()
    ]
