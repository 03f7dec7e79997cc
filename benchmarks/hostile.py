"""Hostile executions: bad for a server, for executions beside them, or for their readers.

Each must be refused or end with an error of its own, and must not harm another.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kill_workload import FUNCTION, MACHINES, single, task

Definition = dict[str, Any]
HUGE = "1" + "0" * 400
"""A number that JSON can write; neither a float nor SQLite can hold it."""
LONG = "9" * 5000
"""More digits than Python turns into a number."""
HALF = "\\ud83d"
"""Half an emoji, as JSON writes it."""

HANDLERS = r"""
import doorstep

class Silent(Exception):
    def __str__(self):
        raise ValueError("no text")

class Stranger(BaseException):
    pass

def interrupts(event):
    raise KeyboardInterrupt

def exits(event):
    raise SystemExit(3)

def closes(event):
    raise GeneratorExit

def strange(event):
    raise Stranger("unknown")

def silent(event):
    raise Silent

def odd_cause(event):
    return doorstep.fail("E", {"a": 1})

def odd_error(event):
    raise doorstep.fail({"a": 1}, ["b"])

def long_error(event):
    return doorstep.fail("E" * 100_000, "\ud83d" * 100_000)

def huge(event):
    return 10 ** 400

def long(event):
    return 10 ** 6000

def not_a_number(event):
    return [float("nan"), float("inf")]

def half(event):
    return {"\ud83d": "\ude00"}

def nul(event):
    return {"a\0b": "c\0d"}

def circle(event):
    found = []
    found.append(found)
    return found

def deep(event):
    found = []
    for _ in range(100_000):
        found = [found]
    return found

def big(event):
    return "x" * 30_000_000

def nothing_like_json(event):
    return {1: object(), (2,): {3}}

def endless_answer(event):
    return doorstep.answer("late", after=1e300)
"""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A state machine and the input that it is started with, as JSON."""

    name: str
    definition: Definition
    text: str = "{}"
    type: str = "STANDARD"

    @property
    def endless(self) -> bool:
        """Whether it may keep running: only its own time limit ends it."""
        return "endless" in self.name


def passes(name: str, language: str = "JSONPath", **fields: Any) -> Definition:
    return {"QueryLanguage": language, **single(name, {"Type": "Pass", **fields})}


def intrinsic(text: str) -> Definition:
    return passes("Compute", Parameters={"value.$": text})


def jsonata(text: str) -> Definition:
    return passes("Compute", "JSONata", Output=f"{{% {text} %}}")


def matches(pattern: str) -> Definition:
    rule = {"Variable": "$.text", "StringMatches": pattern, "Next": "Done"}
    states = {
        "Look": {"Type": "Choice", "Choices": [rule], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }
    return {"StartAt": "Look", "States": states}


def nested(pattern: str = "", **parameters: Any) -> Definition:
    started = {"StateMachineArn": MACHINES + "child", "Input": {}, **parameters}
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    return single("Start", {"Type": "Task", "Resource": resource, "Parameters": started})


def of(**members: Any) -> str:
    return json.dumps(members)


def raw(text: str) -> str:
    """Return an input with one member that is written as given."""
    return f'{{"v":{text}}}'


def tower(levels: int) -> Definition:
    """Return Parallel states inside Parallel states."""
    scope = single("P0", {"Type": "Pass"})
    for level in range(1, levels):
        scope = single(f"P{level}", {"Type": "Parallel", "Branches": [scope]})
    return scope


def read(key: str, kind: str) -> Definition:
    """Return a map run over an object of the bucket."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": kind},
        "Parameters": {"Bucket": "bucket", "Key": key},
    }
    if kind == "CSV":
        reader["ReaderConfig"] = {"InputType": kind, "CSVHeaderLocation": "FIRST_ROW"}
    processor = {"ProcessorConfig": config, **single("Item", {"Type": "Pass"})}
    return single("Read", {"Type": "Map", "ItemReader": reader, "ItemProcessor": processor})


NEVER = {"Variable": "$.never", "IsPresent": True, "Next": "Done"}
LOOP = {
    "StartAt": "Again",
    "States": {
        "Again": {"Type": "Pass", "Next": "Look"},
        "Look": {"Type": "Choice", "Choices": [NEVER], "Default": "Again"},
        "Done": {"Type": "Succeed"},
    },
}
SELF = nested(".sync:2", StateMachineArn=MACHINES + "starts-itself")
STARS = "*/*/*/*/*/*/*.csv"
FILTER = "$.rows[?(@.k =~ {})]"
ROWS = of(rows=[{"k": "a" * 40 + "!"}, {"k": "a" * 20_000 + "!"}])
SUBJECT = of(text="a" * 30_000 + "!")


def names() -> Iterator[Hostile]:
    """Yield invalid names of nested executions (D1)."""
    values = ({"a": 1}, 7, "a/b", "n" * 500, None, [], "", "half \ud83d", "nul \0", True)
    for number, value in enumerate(values):
        pattern = ("", ".sync", ".sync:2")[number % 3]
        definition = nested(pattern, **{"Name.$": "$.name"})
        yield Hostile(f"name-{number}", definition, of(name=value))


def evaluations() -> Iterator[Hostile]:
    """Yield evaluations that never return, or build too much (D2)."""
    slashes = of(text="/".join("ab" * 20_000) + "!")
    yield Hostile("stars-path", matches(STARS), slashes)
    yield Hostile("stars-letters", matches("*a*a*a*a*b"), of(text="a" * 100_000))
    yield Hostile("stars-twenty", matches("*a" * 20 + "*b"), of(text="a" * 100_000))
    yield Hostile("filter-plus", single_path(FILTER.format("/(a+)+$/")), ROWS)
    yield Hostile("filter-or", single_path(FILTER.format("/(a|aa)+$/")), ROWS)
    yield Hostile("filter-any", single_path(FILTER.format("/(.*)*b/")), ROWS)
    letters = of(t="x" * 200_000)
    yield Hostile("format", intrinsic(f"States.Format('{'{}' * 2000}'{', $.t' * 2000})"), letters)
    yield Hostile("array", intrinsic("States.JsonToString(" + nested_arrays(6) + ")"), letters)
    yield Hostile("join", jsonata("$join([1..1000].$pad('', 1000000, 'x'))"))
    yield Hostile("double", jsonata("($f := function($s){$f($s & $s)}; $f('a'))"))
    yield Hostile("recursion-tail", jsonata("($f := function($n){$f($n + 1)}; $f(0))"))
    yield Hostile("recursion", jsonata("($f := function($n){1 + $f($n + 1)}; $f(0))"))
    yield Hostile("recursion-two", jsonata("($f := function($n){$f($n) + $f($n)}; $f(0))"))
    yield Hostile("range", jsonata("$sum([1..9999999])"))
    yield Hostile("product", jsonata("$count([1..5000].([1..5000]))"))
    yield Hostile("match", jsonata("$match($states.input.text, /(a+)+$/)"), SUBJECT)
    yield Hostile("replace", jsonata("$replace($states.input.text, /(a|a)*b/, 'x')"), SUBJECT)
    yield Hostile("split", jsonata("$split($states.input.text, /(a*)*b/)"), SUBJECT)
    yield Hostile("starts-itself", SELF)
    yield Hostile("loop", LOOP)
    yield Hostile("endless-express", LOOP, type="EXPRESS")


def single_path(path: str) -> Definition:
    return passes("Compute", Parameters={"value.$": path})


def nested_arrays(levels: int) -> str:
    """Return an expression for an array 2 ** levels times as large as `$.t`."""
    text = "$.t"
    for _ in range(levels):
        text = f"States.Array({text}, {text})"
    return text


def values() -> Iterator[Hostile]:
    """Yield values that Python or SQLite can't hold (D6, D7)."""
    wait = single("Rest", {"Type": "Wait", "SecondsPath": "$.v"})
    until = single("Rest", {"Type": "Wait", "TimestampPath": "$.v"})
    echo = passes("Echo")
    for name, text in (("huge", HUGE), ("long", LONG), ("float", "1e400"), ("minus", "-1e308")):
        yield Hostile(f"wait-{name}", wait, raw(text))
        yield Hostile(f"echo-{name}", echo, raw(text))
    for number, moment in enumerate(("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59")):
        yield Hostile(f"endless-wait-{number}", until, raw(f'"{moment}"'))
    yield Hostile("hash-half", intrinsic("States.Hash($.v, 'SHA-256')"), raw(f'"{HALF}"'))
    yield Hostile("encode-half", intrinsic("States.Base64Encode($.v)"), raw(f'"{HALF}"'))
    yield Hostile("random-huge", intrinsic("States.MathRandom(1, $.v)"), raw(HUGE))
    yield Hostile("item-huge", intrinsic("States.ArrayGetItem($.l, $.v)"), f'{{"l":[],"v":{HUGE}}}')
    yield Hostile("range-huge", intrinsic("States.ArrayRange(1, $.v, 1)"), raw(HUGE))
    yield Hostile("echo-half", echo, raw(f'"{HALF}"'))
    yield Hostile("echo-nul", echo, '{"a\\u0000b":"c\\u0000d"}')
    yield Hostile("echo-deep", echo, raw("[" * 900 + "]" * 900))
    yield Hostile("echo-deeper", echo, raw("[" * 50_000 + "]" * 50_000))


def expressions() -> Iterator[Hostile]:
    """Yield expressions that exceed Python's own limits (D7)."""
    yield Hostile("terms", jsonata(" & ".join(["'a'"] * 400)))
    yield Hostile("terms-many", jsonata(" + ".join(["1"] * 20_000)))
    yield Hostile("repeat", jsonata("$match('a', /a{1,2000}/)"))
    yield Hostile("steps", single_path("$" + ".a" * 5000))
    yield Hostile("brackets", jsonata("(" * 3000 + "1" + ")" * 3000))
    yield Hostile("calls", intrinsic("States.Array(" * 500 + "1" + ")" * 500))
    yield Hostile("tower", tower(100))


def objects() -> Iterator[Hostile]:
    """Yield objects that can't be read (D6)."""
    yield Hostile("cut-json", read("cut.json.gz", "JSON"))
    yield Hostile("cut-csv", read("cut.csv.gz", "CSV"))
    yield Hostile("cut-lines", read("cut.jsonl.gz", "JSONL"))
    yield Hostile("not-gzip", read("fake.json.gz", "JSON"))


def workers() -> Iterator[Hostile]:
    """Yield handlers that raise or return what no Lambda function could (D6)."""
    functions = [line[4:].partition("(")[0] for line in HANDLERS.splitlines() if line[:4] == "def "]
    for function in functions:
        yield Hostile(f"handler-{function.replace('_', '-')}", single("Work", task(function)))
    asked = {"FunctionName": FUNCTION + "odd_cause", "Payload": {}}
    resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    fields = {"Type": "Task", "Resource": resource, "Parameters": asked}
    yield Hostile("callback-odd", single("Work", fields))


CATALOGUE = [*names(), *evaluations(), *values(), *expressions(), *objects(), *workers()]
"""All of them; their names are those of their state machines."""


def write_objects(bucket: Path) -> None:
    """Write what the item readers read into the folder of a bucket."""
    whole = gzip.compress(json.dumps([{"a": "x" * number} for number in range(200)]).encode())
    bucket.mkdir(parents=True)
    for key in ("cut.json.gz", "cut.csv.gz", "cut.jsonl.gz"):
        (bucket / key).write_bytes(whole[: len(whole) // 2])
    (bucket / "fake.json.gz").write_bytes(b"[1, 2, 3]")


REQUESTS: list[tuple[str, str]] = [
    (
        "CreateStateMachine",
        '{"name":"m","definition":"{}","roleArn":"arn:aws:iam::123456789012:role/\\ud83d"}',
    ),
    ("CreateStateMachine", '{"name":"\\ud83d","definition":"{}","roleArn":"arn:\\u0000"}'),
    ("CreateActivity", '{"name":"a\\ud83d"}'),
    ("DescribeExecution", '{"executionArn":"arn:aws:states:us-east-1:1:execution:a:\\ud83d"}'),
    ("DescribeStateMachine", '{"stateMachineArn":"\\u0000"}'),
    ("SendTaskSuccess", '{"taskToken":"\\ud83d","output":"1"}'),
    ("SendTaskSuccess", '{"taskToken":"' + "t" * 100_000 + '","output":"1"}'),
    ("SendTaskFailure", '{"taskToken":"\\u0000","error":"\\ud83d"}'),
    ("ListExecutions", '{"stateMachineArn":"a","maxResults":' + LONG + "}"),
    ("GetActivityTask", '{"activityArn":"\\ud83d"}'),
    ("TagResource", '{"resourceArn":"\\ud83d","tags":[{"key":"\\u0000","value":"\\ud83d"}]}'),
    ("ValidateStateMachineDefinition", '{"definition":"' + "[" * 50_000 + '"}'),
    ("StartExecution", "[" * 50_000),
    ("StartExecution", "\\ud83d"),
]
"""Operations and bodies; each has to be answered with a refusal."""
