"""Laws of the engine, on random machines: order, crashes, redrives and seeds change nothing."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from itertools import count, pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import doorstep
from doorstep.api import compile_definition
from doorstep.engine.engine import EXECUTION, Engine
from doorstep.engine.identity import Identity
from doorstep.engine.journal import read, replay
from doorstep.engine.messages import Fact, Invoke, SetTimer
from doorstep.engine.quotas import STANDARD
from doorstep.runtime.invocation import Context

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
IDENTITY = Identity(name="law", seed="law")
BAD = {"Error": "Bad", "Cause": "always"}
CATCH_BAD = {"ErrorEquals": ["Bad"]}

# Machines ----------------------------------------------------------------------------------------

LEAVES = st.sampled_from(["pass", "work", "flaky", "bad", "late", "wait"])


def composites(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    scope = st.lists(inner, min_size=1, max_size=2)
    concurrency, items = st.integers(0, 2), st.integers(0, 3)
    return (
        st.tuples(st.just("parallel"), st.lists(scope, min_size=1, max_size=3))
        | st.tuples(st.just("saved"), scope)
        | st.tuples(st.just("map"), scope, items, concurrency)
    )


SHAPES = st.lists(st.recursive(LEAVES, composites, max_leaves=6), min_size=1, max_size=3)


class Names:
    """Names for states: AWS wants them to be unique in the whole machine."""

    def __init__(self) -> None:
        self._numbers = count()

    def new(self) -> str:
        return f"S{next(self._numbers)}"


def scope_of(shapes: list[Any], names: Names) -> dict[str, Any]:
    """The shapes as states one after another, and a Pass at the end."""
    steps = [state for shape in shapes for state in states_of(shape, names)]
    named = [(names.new(), state) for state in [*steps, {"Type": "Pass"}]]
    for (_, state), (following, _) in pairwise(named):
        state["Next"] = following
        for catcher in state.get("Catch", ()):
            catcher["Next"] = following
    named[-1][1]["End"] = True
    return {"StartAt": named[0][0], "States": dict(named)}


def states_of(shape: Any, names: Names) -> list[dict[str, Any]]:
    match shape:
        case "pass":
            return [{"Type": "Pass", "Parameters": {"was.$": "$"}}]
        case "wait":
            return [{"Type": "Wait", "Seconds": 10}]
        case "work" | "bad":
            catch = {"Catch": [dict(CATCH_BAD)]} if shape == "bad" else {}
            return [{"Type": "Task", "Resource": FUNCTION + shape, **catch}]
        case "flaky":
            retry = [{"ErrorEquals": ["Flaky"], "MaxAttempts": 2}]
            return [{"Type": "Task", "Resource": FUNCTION + shape, "Retry": retry}]
        case "late":
            limit = {"TimeoutSeconds": 10, "Catch": [{"ErrorEquals": ["States.Timeout"]}]}
            return [{"Type": "Task", "Resource": FUNCTION + shape, **limit}]
        case "parallel", branches:
            return [{"Type": "Parallel", "Branches": [scope_of(b, names) for b in branches]}]
        case "saved", branch:
            failing = scope_of(["wait"], names)
            *_, last = failing["States"]
            failing["States"][last] = {"Type": "Fail", **BAD}
            branches = [scope_of(branch, names), failing]
            return [{"Type": "Parallel", "Branches": branches, "Catch": [dict(CATCH_BAD)]}]
        case "map", inner, items, concurrency:
            listed = {"items": list(range(items)), "v.$": "$"}
            selector = {"i.$": "$$.Map.Item.Index", "v.$": "$.v"}
            each = {"ItemSelector": selector, "ItemProcessor": scope_of(inner, names)}
            limit = {"MaxConcurrency": concurrency}
            return [
                {"Type": "Pass", "Parameters": listed},
                {"Type": "Map", "ItemsPath": "$.items", **each, **limit},
            ]
    raise AssertionError(shape)


MACHINES = SHAPES.map(lambda shapes: scope_of(shapes, Names()))


def answer(state: str, arguments: Any) -> str:
    """What a task gives: it depends on the call alone, and not on the order of members."""
    text = json.dumps([state, arguments], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:8]


def model(scope: dict[str, Any], value: Any) -> Any:
    """The output by the specification, one state after another and nothing at the same time."""
    name = scope["StartAt"]
    while True:
        state = scope["States"][name]
        value = modelled(name, state, value)
        if "Next" not in state:
            return value
        name = state["Next"]


def modelled(name: str, state: dict[str, Any], value: Any) -> Any:
    match state["Type"]:
        case "Pass" if "items" in state.get("Parameters", {}):
            return {"items": state["Parameters"]["items"], "v": value}
        case "Pass" if "Parameters" in state:
            return {"was": value}
        case "Task" if "TimeoutSeconds" in state:
            return {"Error": "States.Timeout", "Cause": ""}
        case "Task" | "Parallel" if "Catch" in state:
            return BAD
        case "Task":
            return answer(name, value)
        case "Parallel":
            return [model(branch, value) for branch in state["Branches"]]
        case "Map":
            each, items = state["ItemProcessor"], value["items"]
            return [model(each, {"i": index, "v": value["v"]}) for index in items]
    return value


# Worlds ------------------------------------------------------------------------------------------


class Play:
    """An execution whose facts come in an order that chance decides."""

    def __init__(self, definition: dict[str, Any], chance: Random, breaks: int = 0) -> None:
        self.program = compile_definition(definition)
        self.engine = Engine(self.program, IDENTITY, STANDARD)
        self.chance = chance
        self.breaks = breaks
        """How many calls of healthy tasks are still going to fail."""
        self.stops = 10
        """How often the execution may still be stopped: chance might stop it for ever."""
        self.now = 1000.0
        self.facts: list[Fact] = []

    def deliver(self, kind: Any, key: str = "", data: Any = None) -> None:
        self.facts.append(Fact(kind, self.now, key, data))
        self.engine.receive(self.facts[-1])

    def play(self, redrives: int = 0) -> Play:
        """Start, answer whatever waits until nothing does; redrive what failed."""
        self.deliver("started", data='{"n": 1}')
        while self.engine.status == "RUNNING" or redrives:
            if self.engine.status != "RUNNING":
                redrives -= 1
                if self.engine.status == "SUCCEEDED":
                    break
                self.deliver("redriven")
            elif redrives and self.stops and not self.chance.randrange(20):
                self.stops -= 1
                self.deliver("stopped", data={})
            else:
                self.step()
        return self

    def step(self) -> None:
        pending = list(self.engine.pending())
        timers = [c for c in pending if isinstance(c, SetTimer) and c.key != EXECUTION]
        soonest = [min(timers, key=lambda timer: timer.at)] if timers else []
        calls = [c for c in pending if isinstance(c, Invoke) and c.timeout is None]
        chosen = self.chance.choice([*calls, *soonest])
        if isinstance(chosen, SetTimer):
            self.now = max(self.now, chosen.at)
            self.deliver("due", chosen.key, chosen.name)
        else:
            self.answer(chosen)

    def answer(self, call: Invoke) -> None:
        kind = call.resource.rpartition(":")[2]
        if kind == "bad":
            self.deliver("failed", call.key, {"error": "Bad", "cause": "always"})
        elif kind == "flaky" and call.attempt < 2:
            self.deliver("failed", call.key, {"error": "Flaky", "cause": "at times"})
        elif self.breaks and self.chance.randrange(2):
            self.breaks -= 1
            self.deliver("failed", call.key, {"error": "Broken", "cause": "heals"})
        else:
            self.deliver("succeeded", call.key, answer(call.state, call.arguments))


def plain(engine: Engine) -> list[tuple[Any, ...]]:
    return [tuple(command) for command in engine.pending()]


# Laws --------------------------------------------------------------------------------------------

LAW = settings(deadline=None, max_examples=40)
CHANCE = st.randoms(use_true_random=False)


@LAW
@given(MACHINES, CHANCE)
def test_completion_order_never_changes_the_output(machine: dict[str, Any], chance: Random) -> None:
    engine = Play(machine, chance).play().engine
    assert (engine.status, engine.output) == ("SUCCEEDED", model(machine, {"n": 1}))


@LAW
@given(MACHINES, CHANCE)
def test_ids_are_contiguous_and_every_event_follows_an_earlier_one(
    machine: dict[str, Any], chance: Random
) -> None:
    engine = Play(machine, chance, breaks=1).play().engine
    assert [event.id for event in engine.history] == list(range(1, len(engine.history) + 1))
    assert all(0 <= event.previous < event.id for event in engine.history)
    assert [event.id for event in engine.history if event.previous == 0] == [1, 2]
    assert list(engine.pending()) == []


@LAW
@given(MACHINES, CHANCE)
def test_all_that_is_entered_is_left_or_caught_in_a_run_that_succeeds(
    machine: dict[str, Any], chance: Random
) -> None:
    engine = Play(machine, chance).play().engine
    kinds = Counter(event.type for event in engine.history)
    for state in ("Pass", "Wait", "Task", "Map", "Parallel"):
        aborted = kinds[f"{state}StateAborted"]
        assert kinds[f"{state}StateEntered"] == kinds[f"{state}StateExited"] + aborted
    scheduled = kinds["LambdaFunctionScheduled"]
    ended = sum(kinds[f"LambdaFunction{how}"] for how in ("Succeeded", "Failed", "TimedOut"))
    assert 0 <= scheduled - ended <= kinds["TaskStateAborted"]


@LAW
@given(MACHINES, CHANCE)
def test_an_engine_rebuilt_after_any_fact_is_where_the_first_one_was(
    machine: dict[str, Any], chance: Random
) -> None:
    run = Play(machine, chance, breaks=1).play(redrives=2)
    lived = Engine(run.program, IDENTITY, STANDARD)
    crash = chance.randrange(len(run.facts) + 1)
    for number, fact in enumerate(run.facts):
        if number == crash:
            lived = rebuilt(run, number, lived)
        lived.receive(fact)
    assert lived.history == run.engine.history
    assert (lived.status, lived.output) == (run.engine.status, run.engine.output)


def rebuilt(run: Play, facts: int, lived: Engine) -> Engine:
    """A new engine after so many facts; it has to be like the one that lived until then."""
    again = Engine(run.program, IDENTITY, STANDARD)
    for fact in run.facts[:facts]:
        again.receive(fact)
    assert again.history == lived.history
    assert plain(again) == plain(lived)
    return again


@LAW
@given(MACHINES, CHANCE, st.integers(1, 3))
def test_a_redriven_run_with_healed_handlers_ends_as_the_run_that_never_failed(
    machine: dict[str, Any], chance: Random, breaks: int
) -> None:
    engine = Play(machine, chance, breaks).play(redrives=40).engine
    assert (engine.status, engine.output) == ("SUCCEEDED", model(machine, {"n": 1}))


@LAW
@given(MACHINES, CHANCE)
def test_facts_about_what_is_over_change_nothing(machine: dict[str, Any], chance: Random) -> None:
    run = Play(machine, chance).play()
    before = list(run.engine.history)
    for fact in run.facts:
        assert run.engine.receive(fact) == []
    assert run.engine.history == before
    assert run.engine.status == "SUCCEEDED"


def handlers(delay: int) -> dict[str, Any]:
    def flaky(event: Any, context: Context) -> Any:
        if context.attempt < 2:
            raise doorstep.fail("Flaky", "at times")
        return answer(context.state_name, event)

    def work(event: Any, context: Context) -> Any:
        # Later calls may answer sooner, always the same ones.
        result = answer(context.state_name, event)
        return doorstep.answer(result, after=int(result, 16) % delay)

    return {
        "flaky": flaky,
        "work": work,
        "bad": lambda event: doorstep.fail("Bad", "always"),
        "late": lambda event: doorstep.no_answer(),
    }


@LAW
@given(MACHINES, st.integers(1, 50))
def test_the_same_seed_gives_the_same_journal_and_its_replay_the_same_history(
    machine: dict[str, Any], delay: int
) -> None:
    first, second = (doorstep.run(machine, {"n": 1}, handlers(delay), seed=delay) for _ in range(2))
    lines = list(first._running.journal.lines())
    assert lines == list(second._running.journal.lines())
    assert first.output == model(machine, {"n": 1})
    assert replay(compile_definition(machine), read(lines)).history == first.events
