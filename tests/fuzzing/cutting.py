"""A run kept in a file, cut off anywhere, goes on to the history of the run that was never cut.

Handlers answer at times of their own, so that hardly two things happen at the same instant: of
those that do, the order is not promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

import doorstep
from doorstep.engine.journal import read_all
from doorstep.engine.messages import Event
from doorstep.runtime.invocation import Context

CUTS = 10
"""In how many places a journal is cut."""
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
SERVICE = "arn:aws:states:::"
RETRY = {"Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 9, "JitterStrategy": "FULL"}]}
CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"]}]}
RANDOM = {"u.$": "States.UUID()", "r.$": "States.MathRandom(1, 99)"}
NESTED = {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:x", "Input": {}}
TOKEN = {"QueueUrl": "orders", "MessageBody.$": "$$.Task.Token"}
KEPT = {"FunctionName": "keep", "Payload.$": "$$.Task.Token"}
BEATEN = {"QueueUrl": "beaten", "MessageBody.$": "$$.Task.Token"}
ITEMS = {"items.json": '[{"a": 1}, 3, null]', "items.jsonl": "1\n[2]\n", "items.csv": "a,b\n1,2\n"}


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


QUICK: dict[str, dict[str, Any]] = {
    "random": {"Type": "Pass", "Parameters": RANDOM},
    "jsonata": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% [$uuid(), $random()] %}"},
    "wait": {"Type": "Wait", "Seconds": 10},
    "work": task(f"{FUNCTION}succeed"),
    "flaky": task(f"{FUNCTION}flaky", **RETRY),
    "broken": task(f"{FUNCTION}broken"),
    "late": task(f"{FUNCTION}late", TimeoutSeconds=10, **CATCH),
    "fire": task(f"{SERVICE}states:startExecution", Parameters=NESTED),
}
SLOW = QUICK | {
    "activity": task("arn:aws:states:us-east-1:123456789012:activity:succeed"),
    "job": task(f"{SERVICE}glue:startJobRun.sync", Parameters={"JobName": "night"}, **RETRY),
    "nested": task(f"{SERVICE}states:startExecution.sync:2", Parameters=NESTED, **CATCH),
    "callback": task(
        f"{SERVICE}sqs:sendMessage.waitForTaskToken", Parameters=TOKEN, TimeoutSeconds=500, **CATCH
    ),
    "beaten": task(
        f"{SERVICE}sqs:sendMessage.waitForTaskToken",
        Parameters=BEATEN,
        HeartbeatSeconds=7,
        **CATCH,
    ),
    "kept": task(
        f"{SERVICE}lambda:invoke.waitForTaskToken", Parameters=KEPT, TimeoutSeconds=50, **CATCH
    ),
    "give": task(f"{FUNCTION}give"),
}
"""States by name; Express executions have no callbacks or jobs."""


def nesting(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    scope = st.lists(inner, min_size=1, max_size=2)
    return (
        st.tuples(st.just("parallel"), st.lists(scope, min_size=1, max_size=3))
        | st.tuples(st.just("stopped"), scope)
        | st.tuples(st.just("map"), scope, st.integers(0, 3))
    )


def distributed(processor: st.SearchStrategy[Any], kind: str) -> st.SearchStrategy[Any]:
    fields = st.fixed_dictionaries(
        {"MaxConcurrency": st.integers(0, 3)},
        optional={
            "ItemBatcher": st.builds(lambda most: {"MaxItemsPerBatch": most}, st.integers(1, 3)),
            "ToleratedFailurePercentage": st.sampled_from([30, 60]),
            "ItemReader": st.sampled_from(list(ITEMS)).map(reader),
            "ResultWriter": st.just(
                {
                    "Resource": f"{SERVICE}s3:putObject",
                    "Parameters": {"Bucket": "bucket", "Prefix": "out"},
                }
            ),
        },
    )
    scope = st.lists(processor, min_size=1, max_size=2)
    return st.tuples(st.just("distributed"), scope, fields, st.just(kind))


def reader(key: str) -> dict[str, Any]:
    config = {"InputType": key.partition(".")[2].upper(), "CSVHeaderLocation": "FIRST_ROW"}
    if not key.endswith("csv"):
        del config["CSVHeaderLocation"]
    place = {"Bucket": "bucket", "Key": key}
    return {
        "Resource": f"{SERVICE}s3:getObject",
        "Parameters": place,
        "ReaderConfig": config,
    }


LEAVES = st.sampled_from(list(SLOW))
SHAPES = st.recursive(
    LEAVES
    | distributed(st.sampled_from(list(QUICK)), "EXPRESS")
    | distributed(LEAVES | distributed(LEAVES, "STANDARD"), "STANDARD"),
    nesting,
    max_leaves=5,
)


class Scopes:
    """Makes definitions of shapes; names are unique in the whole machine."""

    def __init__(self) -> None:
        self._numbers = count()

    def of(self, shapes: list[Any]) -> dict[str, Any]:
        states = [state for shape in shapes for state in self._states(shape)]
        return self._chained([*states, {"Type": "Pass"}])

    def _chained(self, states: list[dict[str, Any]]) -> dict[str, Any]:
        named = [(f"S{next(self._numbers)}", dict(state)) for state in states]
        for (_, state), (following, _) in pairwise(named):
            state["Next"] = following
            if "Catch" in state:
                state["Catch"] = [{**catcher, "Next": following} for catcher in state["Catch"]]
        named[-1][1]["End"] = True
        return {"StartAt": named[0][0], "States": dict(named)}

    def _states(self, shape: Any) -> Iterator[dict[str, Any]]:
        listed = {"Type": "Pass", "Result": [0, 1]}
        match shape:
            case str():
                yield SLOW[shape]
            case "parallel", branches:
                yield {"Type": "Parallel", "Branches": [self.of(branch) for branch in branches]}
            case "stopped", branch:
                fails = self._chained([task(f"{FUNCTION}bad"), {"Type": "Pass"}])
                yield {"Type": "Parallel", "Branches": [self.of(branch), fails], **CATCH}
            case "map", inner, concurrency:
                yield listed
                each = {"ItemProcessor": self.of(inner), "MaxConcurrency": concurrency}
                yield {"Type": "Map", **each}
            case "distributed", inner, fields, kind:
                yield listed
                config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
                processor = {"ProcessorConfig": config, **self.of(inner)}
                yield {"Type": "Map", "ItemProcessor": processor, **fields}


def handlers(calls: set[Any], tokens: set[str]) -> dict[str, Callable[..., Any]]:
    """What they answer, and when, depends on the call alone; `tokens` outlives the process."""

    def noted(answer: Callable[..., Any]) -> Callable[..., Any]:
        def handler(event: Any, context: Context) -> Any:
            calls.add((context.idempotency_key, context.attempt, context.aws_request_id))
            drawn = int(sha256(context.aws_request_id.encode()).hexdigest()[:12], 16)
            return answer(event, context, drawn, 0.001 + drawn % 15_485_863 / 1e6)

        return handler

    def flaky(_: Any, context: Context, drawn: int, after: float) -> Any:
        failing = context.attempt < drawn % 3
        return doorstep.fail("Flaky", after=after) if failing else succeed(_, context, drawn, after)

    def succeed(_: Any, context: Context, drawn: int, after: float) -> Any:
        return doorstep.answer(drawn, after=after)

    def broken(_: Any, context: Context, drawn: int, after: float) -> Any:
        return doorstep.fail("Broken", after=after) if drawn % 3 else "well"

    def bad(_: Any, context: Context, drawn: int, after: float) -> Any:
        return doorstep.fail("Bad", after=after)

    def queue(event: Any, context: Context, drawn: int, after: float) -> Any:
        if event["QueueUrl"] == "beaten":
            context.send_task_heartbeat(context.task_token, after=after / 3)
        if drawn % 3:
            context.send_task_success(context.task_token, drawn, after=after)
        return {}

    def keep(event: Any, context: Context, drawn: int, after: float) -> Any:
        tokens.add(event)
        return drawn

    def give(_: Any, context: Context, drawn: int, after: float) -> Any:
        for token in sorted(tokens):
            try:
                context.send_task_success(token, drawn, after=after / 2)
            except doorstep.DoorstepError:
                """It is another execution's, or it is over."""
        return doorstep.answer(drawn, after=after)

    def late(_: Any, context: Context, drawn: int, after: float) -> Any:
        return doorstep.no_answer()

    tasks = (succeed, flaky, broken, bad, late, keep, give)
    answers = {answer.__name__: answer for answer in tasks}
    services = {"glue:startJobRun": flaky, "sqs:sendMessage": queue}
    return {name: noted(answer) for name, answer in (answers | services).items()}


class World:
    """Where one machine is run, again and again on the same journal."""

    def __init__(self, folder: Path, machine: dict[str, Any], redrives: int) -> None:
        self.folder, self.machine, self.redrives = folder, machine, redrives
        self.journal = folder / "journal"
        (folder / "bucket").mkdir()
        for key, text in ITEMS.items():
            (folder / "bucket" / key).write_text(text)

    def run(self, tokens: set[str]) -> set[Any]:
        """Run it to its end, then redrive it; gives the calls that were made."""
        calls: set[Any] = set()
        execution = doorstep.start(
            self.machine,
            handlers=handlers(calls, tokens),
            state_machines={"x": Scopes().of(["work", "flaky"])},
            seed=1,
            s3_root=self.folder,
            journal=self.journal,
        )
        execution.wait()
        while execution.redrivable and execution._running.engine.redrives < self.redrives:
            execution.redrive()
            execution.wait()
        execution.close()
        assert execution.ended
        return calls

    def histories(self) -> dict[str, list[Any]]:
        """What is in the file, but for the order of what happened at the same instant."""
        lines = self.journal.read_text().splitlines()
        found = {arn: journal.events for arn, journal in read_all(lines).items()}
        return {arn: sorted(map(shown, events)) for arn, events in found.items() if events}


def shown(event: Event) -> tuple[float, str, str]:
    return event.at, event.type, str(event.details)


def cut_lawfully(machine: dict[str, Any], redrives: int, places: int) -> None:
    """Cut its journal in some places, drawn from a seed; raises where it ends differently."""
    chance = Random(places)
    with TemporaryDirectory() as folder:
        world = World(Path(folder), machine, redrives)
        tokens: set[str] = set()
        calls, whole = world.run(tokens), world.histories()
        lines = world.journal.read_bytes().splitlines(keepends=True)
        for number in chance.sample(range(len(lines)), min(CUTS, len(lines))):
            torn = lines[number][: chance.randrange(len(lines[number]))]
            world.journal.write_bytes(b"".join(lines[:number]) + torn)
            again = world.run(set(tokens))
            assert again <= calls, (number, again - calls)
            assert world.histories() == whole, number


cuts = st.fixed_dictionaries(
    {
        "machine": st.lists(SHAPES, min_size=1, max_size=2).map(lambda shapes: Scopes().of(shapes)),
        "redrives": st.integers(0, 1),
        "places": st.integers(0, 2**32),
    }
)
