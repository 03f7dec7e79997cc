"""Random definitions: nearly all of them would be accepted, until something in them is changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from hypothesis import strategies as st
from words import (
    RESOURCES,
    WANTED,
    calls,
    conditions,
    error_names,
    expressions,
    lists,
    members,
    moments,
    numbers,
    numeric,
    of_error,
    of_result,
    paths,
    queries,
    texts,
    values,
)

OBJECTS = {
    "items.json": '[{"a": 1}, {"a": "x"}, 3, null]',
    "items.jsonl": '{"a": 1}\n{"a": [2]}\n',
    "items.csv": "a,b\n1,2\n3\n",
    "broken.json": '[{"a": 1}, ',
    "bytes.csv": "\0\ufeff,a,a\n",
}
"""What stands in the bucket that ItemReaders read."""

Drawn = st.SearchStrategy[Any] | Callable[[], Any]


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
