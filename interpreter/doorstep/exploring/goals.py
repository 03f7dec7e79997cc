"""From a run to scripts that may use what no run has used: rules, errors, timeouts, map sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..answers import Answer, no_answer
from ..coverage import Item
from ..coverage.evaluating import Setting
from ..definition import State
from ..passages import Passage
from . import stateflow
from .choosing import Options, Situation, options
from .flow import wants
from .script import Origin, Script, Source
from .subject import Run
from .trace import Trace
from .tracing import Spot, origin

PASSED = ": passed"
SURPRISE = "Unexpected"
"""An error that no retrier and no catcher names."""
_ANY = ("States.ALL", "States.TaskFailed")
_TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")
_AGAIN = Answer(output={})
Goal = Item | str
"""A part of the definition; or `STATE: what`, for what a definition does not name."""
Wanted = Callable[[Goal], bool]
Propose = Callable[[Run, Trace, Passage, Wanted], Iterator[tuple[Goal, Script]]]


def rules(
    run: Run, trace: Trace, passage: Passage, wanted: Wanted
) -> Iterator[tuple[Goal, Script]]:
    """Scripts with which other rules of a Choice hold; no rule at all, where that has no name."""
    found = run.subject.parts[passage.name]
    ways: list[Goal] = [item for _, item in found.rules]
    if "Default" not in found.state.fields:
        ways.append(no_rule(found.state))
    if not any(map(wanted, ways)):
        return
    for number, option in possible(run, trace, passage).found.items():
        script: Script | None = run.script
        for read, value in option.changes:
            place = origin(run, Spot(trace, passage, read))
            script = script.put(place, value) if script and isinstance(place, Origin) else None
        if script is not None and option.changes:
            yield ways[number], script


def possible(run: Run, trace: Trace, passage: Passage) -> Options:
    """What can be had of a Choice by changing what comes from outside of the definition."""
    reads = stateflow.compared_reads(run.subject.states[passage.name])
    fixed = [r for r in reads if not isinstance(origin(run, Spot(trace, passage, r)), Origin)]
    return options(situation(run, trace, passage), fixed)


def situation(run: Run, trace: Trace, passage: Passage) -> Situation:
    """A Choice as it was about to be made."""
    engine = trace.execution.engine
    setting = Setting(trace.execution.identity, engine.input, engine.started_at)
    state, variables = run.subject.states[passage.name], _variables(trace, passage)
    return Situation(state, passage, passage.input, variables, setting)


def escapes(run: Run) -> Iterator[tuple[Goal, Script]]:
    """Scripts with which a run that goes round might leave its loop."""
    seen: set[str] = set()
    for trace, passage in run.visited():
        if passage.name not in seen and run.subject.states[passage.name].type == "Choice":
            seen.add(passage.name)
            around = run.subject.around[passage.name]
            goal = passed(around.name if around else "")
            yield from ((goal, script) for _, script in rules(run, trace, passage, bool))


def passed(state: str) -> str:
    """The goal that a state is left by Next or End; without a name: that the execution succeeds."""
    return f"{state}{PASSED}"


def no_rule(state: State) -> str:
    """The goal that no rule of a Choice without Default holds."""
    return f"{state.name}: no rule"


def _variables(trace: Trace, passage: Passage) -> dict[str, Any]:
    known: dict[str, Any] = {}
    one: Passage | None = passage
    while one:
        before = trace.before(one)
        one = before or one.around
        if before:
            known = {**before.assigned, **known}
    return known


def errors(run: Run, trace: Trace, passage: Passage, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which a task fails: for its retriers and catchers, and for those around it."""
    subject, number = run.subject, run.number(trace, passage)
    task = subject.states[passage.name]
    inner: State | None = task

    def throw(*replies: Answer) -> Script:
        return run.script.answering(passage.name, number, *replies)

    yield f"{task.name}: {SURPRISE}", throw(failing(SURPRISE))
    while inner:
        found = subject.parts[inner.name]
        for retrier, item in found.retriers:
            for error in retrier.names:
                yield item, throw(_failure(task, error), _answer(run, passage.name, number))
        for catcher in found.catchers:
            for error in catcher.names:
                yield catcher.item, throw(_failure(task, error))
        inner = subject.around[inner.name]


def timeouts(run: Run, trace: Trace, passage: Passage, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which nobody answers a task."""
    subject, number = run.subject, run.number(trace, passage)
    script = run.script.answering(passage.name, number, no_answer())
    limits = subject.parts[passage.name].timeouts
    for limit, item in limits.items():
        yield item, script
        error = "States.Timeout" if limit == "TimeoutSeconds" else "States.HeartbeatTimeout"
        yield item, run.script.answering(passage.name, number, failing(error))
        yield f"{passage.name}: States.Timeout", script
    if subject.coverage.timeout:
        yield subject.coverage.timeout, script


def _failure(task: State, error: str) -> Answer:
    limited = any(name.startswith(("TimeoutSeconds", "HeartbeatSeconds")) for name in task.fields)
    if error in _TIMEOUTS and limited:
        return no_answer()
    return failing(SURPRISE if error in _ANY else error)


def failing(error: str) -> Answer:
    """A task's failure."""
    return Answer(failed=True, error=error, cause="")


def _answer(run: Run, state: str, number: int) -> Answer:
    before = run.script.reply(state, number)
    return _AGAIN if before.failed else before


def sizes(run: Run, trace: Trace, passage: Passage, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which a Map has no item, one and two."""
    state = run.subject.states[passage.name]
    found = run.subject.parts[passage.name]
    if "ItemReader" in state.fields:
        unread = replace(run.script, items={**run.script.items, state.name: None})
        yield from ((catcher.item, unread) for catcher in found.catchers)
    sized = (0, 1, _several(state))
    for place, sizes in _places(run, trace, passage, sized):
        items = run.script.get(place)
        first = items[:1] if isinstance(items, list) and items else [{}]
        for item, size in zip(found.sizes * len(sizes), sizes, strict=False):
            yield item, run.script.put(place, first * size)


def _places(
    run: Run, trace: Trace, passage: Passage, sizes: tuple[int, ...]
) -> Iterator[tuple[Origin, tuple[int, ...]]]:
    """Where a Map's items come from, and how many to have: a guess where they are computed."""
    state = run.subject.states[passage.name]
    flow = stateflow.items(state)
    if "ItemReader" in state.fields:
        yield Origin(Source("items", state.name)), sizes
        return
    for want in wants(flow):
        place = origin(run, Spot(trace, passage, want.flow))
        if isinstance(place, Origin):
            yield place, sizes if want.flow == flow else (*sizes, 1, 2, 3)


def _several(state: State) -> int:
    """How many items make several, of which a map run with batches makes several children."""
    batch = state.fields.get("ItemBatcher", {}).get("MaxItemsPerBatch", 1)
    return 1 + (batch if isinstance(batch, int) else 1)


_OF: Mapping[str, Sequence[Propose]] = {
    "Choice": (rules,),
    "Task": (errors, timeouts),
    "Map": (sizes,),
}


def goals(
    run: Run, trace: Trace, passage: Passage, wanted: Wanted
) -> Iterator[tuple[Goal, Script]]:
    """Scripts worth trying after a passage, each with what it is for, if that is wanted."""
    state = run.subject.states[passage.name]
    if state.type == "Task" and not passage.attempts:
        return
    for propose in _OF.get(state.type, ()):
        yield from (one for one in propose(run, trace, passage, wanted) if wanted(one[0]))
