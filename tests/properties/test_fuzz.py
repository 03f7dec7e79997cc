"""Whatever is run, there is a diagnostic or an execution with a valid history, never a traceback.

A slice of this runs with the tests. For a night: `python tests/properties/test_fuzz.py --help`.
"""

from __future__ import annotations

import argparse
import atexit
import sys
import traceback
from collections.abc import Callable
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import doorstep
from doorstep import Answer, DefinitionError, Execution
from doorstep.answers import ABSENT
from doorstep.journal import read, replay
from doorstep_conformance.laws import broken

SLICE = 300
ROUND = 500
OBJECTS = {
    "items.json": '[{"a": 1}, {"a": "x"}, 3, null]',
    "items.jsonl": '{"a": 1}\n{"a": [2]}\n',
    "items.csv": "a,b\n1,2\n3\n",
    "broken.json": '[{"a": 1}, ',
    "bytes.csv": "\0\ufeff,a,a\n",
}

# Values ------------------------------------------------------------------------------------------

numbers = st.integers(-3, 12) | st.sampled_from([0.5, -1.5, 1e21, 2**53, 10**30, -0.0, 1e-7])
texts = st.sampled_from(["", "a", "x", "7", "é😀", "null", "2025-01-01T00:00:30Z", '{"a":1}', "{}"])
scalars = st.none() | st.booleans() | numbers | texts | st.text(max_size=3)
members = st.sampled_from(["a", "b", "n", "list", "Error", "é", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=8,
)
inputs = st.fixed_dictionaries(
    {
        "a": values,
        "n": st.integers(-1, 9),
        "list": st.lists(values, max_size=4),
        "at": st.sampled_from(["2025-01-01T00:00:30Z", "2030-01-01T00:00:00.5+01:00", "soon"]),
    },
    optional={"b": values},
)

# What stands in definitions ----------------------------------------------------------------------

paths = st.sampled_from(
    [*("$", "$.a", "$.b", "$.n", "$.list", "$.at", "$.a.b", "$.list[0]", "$['a']", "$.list[5]")]
    + [*("$$", "$$.State.Name", "$$.Execution.Input.a", "$$.Map.Item.Value", "$$.Task.Token")]
    + [*("$v", "$v.a", "$w[0]")]
)
queries = paths | st.sampled_from(
    [*("$.list[*]", "$..a", "$.list[-1]", "$.list[0:2]", "$.list[?(@.a == 1)]", "$.list[0,1]")]
    + [*("$.list[?(@.a > 0 && @.b)]", "$.list.length()", "$.*", "$.list[?(@ =~ /x.*/)]")]
)
calls = st.sampled_from(
    [*("States.UUID()", "States.Array($.a, 1, 'x')", "States.ArrayLength($.list)")]
    + [*("States.Format('{} {}', $.a, $$.State.Name)", "States.MathAdd($.n, 3000000000)")]
    + [*("States.ArrayRange(0, $.n, 1)", "States.ArrayPartition($.list, $.n)")]
    + [*("States.JsonToString($)", "States.StringToJson($.a)", "States.MathRandom(1, $.n)")]
    + [
        *(
            "States.Hash($.a, 'SHA-256')",
            "States.Base64Decode($.a)",
            "States.JsonMerge($, $, false)",
        )
    ]
    + [*("States.ArrayGetItem($.list, $.n)", "States.StringSplit($.a, ',')")]
    + [*("States.ArrayContains($.list, $.a)", "States.ArrayUnique($.list)")]
)


def query(*texts: str) -> st.SearchStrategy[str]:
    """JSONata as definitions have it."""
    return st.sampled_from([f"{{% {text} %}}" for text in texts])


safe = query(
    *("$states.input", "$states.input", "$states.input.n", "$states.input.list", "null", "true"),
    *("$string($states.input)", "$states.context.State.Name", "$count($states.input.list)", "2.5"),
    *("$uuid()", "$random()", "$now()", "$states.input.a = 1", "{'a': $states.input.n}", "[1..3]"),
)
risky = query(
    *(
        "$states.input.a",
        "$v",
        "$w.a",
        "$states.input.list[a = 1]",
        "$nothing",
        "1/0",
        "0/0",
        "$sum",
    ),
    *("$sum($states.input.list)", "$map($states.input.list, function($x) { $x.a })", "-1", "[]"),
    *("$range(0, $states.input.n, 1)", "$parse($states.input.a)", "$sort($states.input.list)"),
    *("$states.input ~> |$|{'b': 1}|", "$error('mine')", "$toMillis('x')", "'arn'", "/a/"),
    *("($f := function($n) { 1 + $f($n) }; $f(0))", "$states.input.list.a & 'x'"),
    *("$states.input.**.a", "$states.input{'k': a}", "$match('ab', /(a)(b)/)"),
)
expressions = st.one_of(safe, safe, safe, risky)
lists = query("$states.input.list", "[1..3]", "[]", "$states.input", "[$states.input.n, 'x']")
numeric = query("$states.input.n", "$count($states.input.list)", "30", "2.5", "'x'")
moments = query("$states.input.at", "$now()", "'2025-01-01T00:00:10Z'", "$string($states.input.n)")
conditions = query("$states.input.n > 3", "true", "false", "$states.input.a = 1", "$states.input.n")
of_result = expressions | st.just("{% $states.result %}")
of_error = expressions | st.just("{% $states.errorOutput.Error %}")
error_names = st.sampled_from(
    [*("States.ALL", "States.Timeout", "States.TaskFailed", "States.Runtime", "Boom")]
    + [*("States.HeartbeatTimeout", "States.QueryEvaluationError", "States.DataLimitExceeded")]
)
RESOURCES = [
    "arn:aws:lambda:us-east-1:123456789012:function:press",
    "arn:aws:states:us-east-1:123456789012:activity:stamp",
    "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "arn:aws:states:::ecs:runTask.sync",
    "arn:aws:states:::aws-sdk:s3:getObject",
    "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:states:::http:invoke",
]
Drawn = st.SearchStrategy[Any] | Callable[[], Any]
WANTED = ("FunctionName", "QueueUrl", "MessageBody", "TaskDefinition", "StateMachineArn", "Input")


class Machines:
    """Draws definitions; nearly all of them would be accepted."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.names = (f"S{number}" for number in range(10_000))
        self.jsonata = False
        self.whole = draw(st.booleans())

    def machine(self) -> dict[str, Any]:
        language = {"QueryLanguage": "JSONata"} if self.whole else {}
        limit = self.sometimes(TimeoutSeconds=st.integers(0, 400))
        return {**language, **limit, **self.scope(depth=0)}

    def scope(self, depth: int) -> dict[str, Any]:
        names = list(islice(self.names, self.draw(st.integers(1, 4 - depth))))
        states = {
            name: self.state(names, number, depth) for number, name in enumerate(names, start=1)
        }
        return {"StartAt": names[0], "States": states}

    def state(self, names: list[str], number: int, depth: int) -> dict[str, Any]:
        """The state that comes `number`th; from it the next one can be reached."""
        last = number == len(names)
        kinds = ["Pass", "Task", "Wait", "Map", "Parallel"]
        kinds = kinds[: 3 if depth == 2 else 5] + (["Succeed", "Fail"] if last else ["Choice"])
        kind = self.draw(st.sampled_from(kinds))
        self.jsonata = self.whole or self.draw(st.booleans())
        shown = {"QueryLanguage": "JSONata"} if self.jsonata and not self.whole else {}
        fields = {"Type": kind, **shown, **self.common(kind)}
        onward = {"End": True} if last else {"Next": names[number]}
        match kind:
            case "Succeed" | "Fail":
                return fields
            case "Choice":
                rules = [
                    self.rule(st.sampled_from(names)) for _ in range(self.draw(st.integers(1, 2)))
                ]
                return fields | {"Choices": rules, "Default": names[number]}
            case "Task" | "Map" | "Parallel":
                fields |= self.handling(names)
        return fields | self.work(kind, depth) | onward

    def work(self, kind: str, depth: int) -> dict[str, Any]:
        jsonata = self.jsonata
        match kind:
            case "Task":
                resource = self.draw(st.sampled_from(RESOURCES))
                key = "Arguments" if jsonata else "Parameters"
                given = dict.fromkeys(WANTED, "x") | self.template(jsonata)
                return {"Resource": resource, key: given} | self.limits()
            case "Wait":
                return self.delay()
            case "Parallel":
                count = self.draw(st.integers(1, 3))
                return {"Branches": [self.scope(depth + 1) for _ in range(count)]}
            case "Map":
                return self.map(depth)
        return {}

    def common(self, kind: str) -> dict[str, Any]:
        """Fields that many states have."""
        if kind == "Fail":
            text = texts | expressions if self.jsonata else texts
            found = self.sometimes(Error=text, Cause=text)
            return found or ({} if self.jsonata else self.sometimes(ErrorPath=paths | calls))
        works = kind in ("Task", "Map", "Parallel")
        assign: dict[str, Any] = {} if kind == "Succeed" else {"Assign": self.variables}
        if self.jsonata:
            output = of_result if works else expressions
            given = {"Arguments": expressions} if kind == "Parallel" else {}
            return self.sometimes(Output=output | values, **given, **assign)
        found = self.sometimes(
            InputPath=queries | st.none(), OutputPath=queries | st.none(), **assign
        )
        if works or kind == "Pass":
            found |= self.sometimes(
                ResultPath=st.sampled_from([None, "$", "$.a", "$.a.b.c", "$.list[1]"])
            )
        if works:
            found |= self.sometimes(ResultSelector=self.template)
        if kind == "Pass":
            found |= self.sometimes(Parameters=self.template, Result=values)
        return found

    def handling(self, names: list[str]) -> dict[str, Any]:
        """Retry and Catch."""
        errors = st.lists(error_names, min_size=1, max_size=1)
        retrier = st.fixed_dictionaries(
            {"ErrorEquals": errors},
            optional={
                "IntervalSeconds": st.integers(0, 90),
                "MaxAttempts": st.integers(0, 3),
                "BackoffRate": st.sampled_from([1, 1.5, 1e9]),
                "MaxDelaySeconds": st.integers(91, 200),
                "JitterStrategy": st.sampled_from(["FULL", "NONE"]),
            },
        )
        return self.sometimes(
            Retry=st.lists(retrier, min_size=1, max_size=1), Catch=lambda: [self.catcher(names)]
        )

    def catcher(self, names: list[str]) -> dict[str, Any]:
        more = {"Output": of_error} if self.jsonata else {"ResultPath": st.just("$.a")}
        target = self.draw(st.sampled_from(names))
        caught = self.sometimes(Assign=self.variables, **more)
        return {"ErrorEquals": [self.draw(error_names)], "Next": target, **caught}

    def limits(self) -> dict[str, Any]:
        """A Task's time limits."""
        if self.jsonata:
            return self.sometimes(TimeoutSeconds=st.integers(2, 99) | numeric)
        if self.draw(st.booleans()):
            return self.sometimes(TimeoutSecondsPath=paths, HeartbeatSecondsPath=paths)
        return self.sometimes(
            TimeoutSeconds=st.integers(50, 99), HeartbeatSeconds=st.integers(1, 49)
        )

    def delay(self) -> dict[str, Any]:
        fixed = self.one_of(
            Seconds=st.integers(0, 100) | st.just(99_999_999),
            Timestamp=st.sampled_from(["2025-01-01T00:00:20Z", "2124-01-01T00:00:00.5Z"]),
        )
        if self.draw(st.booleans()):
            return fixed
        if self.jsonata:
            return self.one_of(Seconds=numeric, Timestamp=moments)
        return self.one_of(
            SecondsPath=st.just("$.n") | paths, TimestampPath=st.just("$.at") | paths
        )

    def map(self, depth: int) -> dict[str, Any]:
        jsonata = self.jsonata
        fields = self.sometimes(ItemSelector=partial(self.template, jsonata))
        if jsonata:
            fields |= {"Items": self.draw(lists | st.lists(values, max_size=3))}
            fields |= self.sometimes(MaxConcurrency=st.integers(0, 3) | numeric)
        else:
            fields |= {"ItemsPath": self.draw(st.just("$.list") | paths)}
            fields |= self.one_of(MaxConcurrency=st.integers(0, 3), MaxConcurrencyPath=paths)
        processor = {}
        if self.draw(st.integers(0, 3)) == 0:
            kind = self.draw(st.sampled_from(["STANDARD", "EXPRESS"]))
            processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
            fields |= self.distributed(jsonata)
            if "ItemReader" in fields:
                fields.pop("Items" if jsonata else "ItemsPath")
        return fields | {"ItemProcessor": processor | self.scope(depth + 1)}

    def distributed(self, jsonata: bool) -> dict[str, Any]:
        fields = self.sometimes(
            ToleratedFailurePercentage=st.integers(0, 100),
            ToleratedFailureCount=st.integers(0, 3),
            ItemBatcher=st.fixed_dictionaries(
                {"MaxItemsPerBatch": st.integers(1, 3)}, optional={"BatchInput": st.just({"a": 1})}
            ),
        )
        place = "Arguments" if jsonata else "Parameters"
        if self.draw(st.booleans()):
            key = self.draw(st.sampled_from([*OBJECTS, "missing.json"]))
            kind = {"json": "JSON", "jsonl": "JSONL", "csv": "CSV"}[key.partition(".")[2]]
            config = {"InputType": kind} | (
                {"CSVHeaderLocation": "FIRST_ROW"} if kind == "CSV" else {}
            )
            fields["ItemReader"] = {
                "Resource": "arn:aws:states:::s3:getObject",
                place: {"Bucket": "bucket", "Key": key},
                "ReaderConfig": config | self.sometimes(MaxItems=st.integers(0, 3)),
            }
        if self.draw(st.integers(0, 3)) == 0:
            fields["ResultWriter"] = {
                "Resource": "arn:aws:states:::s3:putObject",
                place: {"Bucket": "results", "Prefix": "out"},
            }
        return fields

    def rule(self, target: st.SearchStrategy[str]) -> dict[str, Any]:
        if self.jsonata:
            found = {"Condition": self.draw(conditions)} | self.sometimes(Output=expressions)
        else:
            found = self.comparison(depth=0)
        return found | {"Next": self.draw(target)} | self.sometimes(Assign=self.variables)

    def comparison(self, depth: int) -> dict[str, Any]:
        how = self.draw(st.integers(0, 9 if depth < 2 else 6))
        if how == 7:
            return {"Not": self.comparison(depth + 1)}
        if how > 7:
            both = [self.comparison(depth + 1), self.comparison(depth + 1)]
            return {self.draw(st.sampled_from(["And", "Or"])): both}
        compared = self.one_of(
            StringEquals=texts,
            StringMatches=st.sampled_from(["*", "a*", "\\*", "x\\\\", "a\\"]),
            NumericLessThan=numbers,
            NumericGreaterThanEqualsPath=paths,
            TimestampLessThan=st.just("2025-01-01T00:00:00Z"),
            BooleanEquals=st.booleans(),
            StringLessThanPath=paths,
            IsPresent=st.booleans(),
            IsNull=st.booleans(),
            IsNumeric=st.booleans(),
            IsTimestamp=st.booleans(),
        )
        return {"Variable": self.draw(paths), **compared}

    def template(self, jsonata: bool = False) -> dict[str, Any]:
        """A payload template: of the language's own queries, and of literals."""
        if jsonata:
            return self.sometimes(
                a=expressions, b=values | expressions, list=st.lists(expressions, max_size=2)
            )
        inner = st.fixed_dictionaries({}, optional={"c.$": queries | calls, "d": values})
        more = self.sometimes(b=values | inner, n=st.integers(0, 5))
        return more | self.sometimes(**{"a.$": queries | calls, "list.$": queries | calls})

    def variables(self) -> dict[str, Any]:
        if self.jsonata:
            return self.sometimes(v=expressions | values, w=expressions)
        return self.sometimes(**{"v.$": queries | calls, "w": values})

    def sometimes(self, **fields: Drawn) -> dict[str, Any]:
        """Each of these fields in one case of three."""
        return {
            name: self.value(drawn)
            for name, drawn in fields.items()
            if self.draw(st.integers(0, 2)) == 2
        }

    def one_of(self, **fields: Drawn) -> dict[str, Any]:
        name = self.draw(st.sampled_from(list(fields)))
        return {name: self.value(fields[name])}

    def value(self, drawn: Drawn) -> Any:
        return drawn() if callable(drawn) else self.draw(drawn)


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """A machine; in one case of four something in it has been changed."""
    definition = Machines(draw).machine()
    if draw(st.integers(0, 3)) == 3:
        for _ in range(draw(st.integers(1, 2))):
            mutate(draw, definition)
    return definition


def mutate(draw: st.DrawFn, definition: dict[str, Any]) -> None:
    """Replace, take away or copy one thing, at any depth."""
    inside: Any = definition
    place = draw(st.sampled_from(list(inside)))
    while isinstance(inside[place], dict | list) and inside[place] and draw(st.integers(0, 5)):
        inside = inside[place]
        place = draw(
            st.sampled_from(list(inside) if isinstance(inside, dict) else range(len(inside)))
        )
    match draw(st.sampled_from(["replace", "remove", "copy"])):
        case "replace":
            inside[place] = draw(
                values
                | queries
                | calls
                | expressions
                | st.sampled_from(["{% ( %}", "{% a", "{% $$ %}"])
            )
        case "copy" if isinstance(inside, dict):
            inside[draw(members | st.sampled_from(["Output", "Next", "Items", "a.$"]))] = inside[
                place
            ]
        case _:
            del inside[place]


answers = st.lists(
    st.builds(
        Answer,
        output=values,
        failed=st.sampled_from([False, False, True]),
        error=st.none() | error_names,
        cause=st.none() | texts,
        after=st.sampled_from([0.0, 5.0, 60.5, 1e6]),
        response=st.just(ABSENT) | values,
    )
    | st.builds(Answer, response=st.just(ABSENT) | values, accepted=st.booleans()),
    min_size=1,
    max_size=4,
)

# What has to hold --------------------------------------------------------------------------------


def run_lawfully(definition: Any, value: Any, told: list[Answer], express: bool) -> None:
    """Run it; an AssertionError where a law is broken."""
    kind: Any = "EXPRESS" if express else "STANDARD"
    found: dict[str, Execution] = {}
    answered = cycle(told)
    try:
        execution = doorstep.run(
            definition,
            value,
            type=kind,
            seed=1,
            bucket=objects(),
            machines={"x": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}},
            quotas={"history_events": 200},
            respond=lambda _, invoke: next(answered),
            on_event=lambda execution, _: found.setdefault(execution.arn, execution),
        )
    except DefinitionError as refused:
        assert [one for one in refused.diagnostics if one.severity == "ERROR"]
        assert refused.diagnostics == doorstep.validate(definition, type=kind)
        return
    assert doorstep.validate(definition, type=kind) == []
    assert execution.ended
    for each in found.values():
        sentences = list(broken(each.history))
        assert not sentences, sentences
        rebuilt = replay(each.engine.program, read(each.journal.lines()))
        assert rebuilt.history == each.events


@cache
def objects() -> Path:
    """A folder with the objects that item readers ask for."""
    folder = Path(mkdtemp())
    atexit.register(rmtree, folder)
    for bucket in ("bucket", "results"):
        (folder / bucket).mkdir()
    for key, text in OBJECTS.items():
        (folder / "bucket" / key).write_text(text, "utf-8")
    return folder


anything = given(
    definition=definitions(),
    value=inputs | values,
    told=answers,
    express=st.sampled_from([False, False, False, True]),
)
without_hurry = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


@settings(without_hurry, max_examples=SLICE)
@anything
def test_whatever_is_run_ends_in_a_diagnostic_or_in_a_valid_history(
    definition: Any, value: Any, told: list[Answer], express: bool
) -> None:
    run_lawfully(definition, value, told, express)


# A night -----------------------------------------------------------------------------------------


def main() -> int:
    """Rounds of examples, each from a seed of its own; those that fail are told at once."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    chosen = parser.parse_args()
    rounds = range(chosen.seed, chosen.seed + -(-chosen.examples // ROUND))
    failed = [number for number in rounds if not passes(number)]
    print(f"{len(rounds) * ROUND} examples; rounds that failed: {failed or 'none'}")
    return int(bool(failed))


def passes(number: int) -> bool:
    """One round; with its number as `--seed` it comes again."""
    examine = settings(without_hurry, max_examples=ROUND)(seed(number)(anything(run_lawfully)))
    try:
        examine()
    except Exception:  # noqa: BLE001  whatever it is, it is what we look for
        print(f"\nround {number}:", flush=True)
        traceback.print_exc()
        return False
    print(".", end="", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
