"""From a run to scripts that may use what no run has used: rules, errors, timeouts, map sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..coverage import Item
from ..coverage.reader import Setting
from ..model.definition import State
from ..runtime import Answer, no_answer
from . import flow_states
from .choosing import Options, Situation, looked_at, options
from .flow import MOST_ITEMS, Fixed, wants
from .run import Run, Seen
from .script import Origin, Script, Source
from .tracing import origin

PASSED = ": passed"
SURPRISE = "Unexpected"
"""An error that no retrier and no catcher names."""
_ANY = ("States.ALL", "States.TaskFailed")
_TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")
_AGAIN = Answer(output={})
Goal = Item | str
"""A part of the definition; or `STATE: what`, for what a definition does not name."""
Wanted = Callable[[Goal], bool]
Propose = Callable[[Seen, Wanted], Iterator[tuple[Goal, Script]]]


def rules(seen: Seen, wanted: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts with which other rules of a Choice hold; no rule at all, where that has no name."""
    ways: list[Goal] = [item for _, item in seen.parts.rules]
    if seen.state.default is None:
        ways.append(no_rule(seen.state))
    if not any(map(wanted, ways)):
        return
    for number, option in possible(seen).found.items():
        script: Script | None = seen.run.script
        for read, value in option.changes:
            place = origin(seen, read)
            script = script.put(place, value) if script and isinstance(place, Origin) else None
        if script is not None and option.changes:
            yield ways[number], script


def possible(seen: Seen) -> Options:
    """What can be had of a Choice by changing what comes from outside of the definition."""
    return options(situation(seen), lambda read: isinstance(origin(seen, read), Origin))


def fixed(seen: Seen) -> bool:
    """Whether the definition spells out all that a Choice looks at, on the way that was taken."""
    return all(isinstance(origin(seen, read), Fixed) for read in looked_at(seen.state))


def situation(seen: Seen, only: int | None = None) -> Situation:
    """A Choice as it was about to be made; `only`: as if it had this one rule."""
    execution, visit, state = seen.trace.execution, seen.visit, seen.state
    if only is not None:
        state = replace(state, fields={**state.fields, "Choices": [state.rules[only].fields]})
    setting = Setting(execution.identity, execution.engine.input, execution.engine.started_at)
    known = seen.trace.visits.variables[visit.entered.id]
    return Situation(state, visit, visit.input, known, setting)


def escapes(run: Run) -> Iterator[tuple[Goal, Script]]:
    """Scripts with which a run that goes round might leave its loop."""
    known: set[str] = set()
    for seen in run.visited():
        name = seen.state.name
        if seen.state.type == "Choice" and name not in known:
            known.add(name)
            around = run.subject.around[name]
            goal = passed(around.name if around else "")
            yield from ((goal, script) for _, script in rules(seen, bool))


def passed(state: str) -> str:
    """The goal that a state is left by Next or End; without a name: that the execution succeeds."""
    return f"{state}{PASSED}"


def no_rule(state: State) -> str:
    """The goal that no rule of a Choice without Default holds."""
    return f"{state.name}: no rule"


def errors(seen: Seen, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which a task fails: for its retriers and catchers, and for those around it."""
    subject, script, task, call = seen.run.subject, seen.run.script, seen.state, seen.call
    inner: State | None = task

    def throw(*replies: Answer) -> Script:
        return script.answering(task.name, call, *replies)

    yield f"{task.name}: {SURPRISE}", throw(failing(SURPRISE))
    while inner:
        found = subject.parts[inner.name]
        for retrier, item in found.retriers:
            for error in retrier.names:
                yield item, throw(_failure(task, error), _answer(script.reply(task.name, call)))
        for catcher in found.catchers:
            for error in catcher.names:
                yield catcher.item, throw(_failure(task, error))
        inner = subject.around[inner.name]


def timeouts(seen: Seen, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which nobody answers a task."""
    name, call, coverage = seen.state.name, seen.call, seen.run.subject.coverage
    script = seen.run.script.answering(name, call, no_answer())
    for limit, item in seen.parts.timeouts.items():
        yield item, script
        error = "States.Timeout" if limit == "TimeoutSeconds" else "States.HeartbeatTimeout"
        yield item, seen.run.script.answering(name, call, failing(error))
        yield f"{name}: States.Timeout", script
    if coverage.timeout:
        yield coverage.timeout, script


def _failure(task: State, error: str) -> Answer:
    if error in _TIMEOUTS and task.time_limits:
        return no_answer()
    return failing(SURPRISE if error in _ANY else error)


def failing(error: str) -> Answer:
    """A task's failure."""
    return Answer(failed=True, error=error, cause="")


def _answer(before: Answer) -> Answer:
    return _AGAIN if before.failed else before


def sizes(seen: Seen, _: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts in which a Map has no item, one and two."""
    state, script, parts = seen.state, seen.run.script, seen.parts
    if state.reader:
        unread = replace(script, items={**script.items, state.name: None})
        yield from ((catcher.item, unread) for catcher in parts.catchers)
    for place, numbers in _places(seen, (0, 1, _several(state))):
        items = script.get(place)
        first = items[:1] if isinstance(items, list) and items else [{}]
        for item, number in zip(parts.sizes * len(numbers), numbers, strict=False):
            yield item, script.put(place, first * number)


def _places(seen: Seen, numbers: tuple[int, ...]) -> Iterator[tuple[Origin, tuple[int, ...]]]:
    """Where a Map's items come from, and how many to have: a guess where they are computed."""
    flow = flow_states.items(seen.state)
    if seen.state.reader:
        yield Origin(Source("items", seen.state.name)), numbers
        return
    for want in wants(flow):
        place = origin(seen, want.flow)
        if isinstance(place, Origin):
            yield place, numbers if want.flow == flow else (*numbers, 1, 2, 3)


def _several(state: State) -> int:
    """How many items make several, of which a map run with batches makes several children."""
    batch = (state.batcher or {}).get("MaxItemsPerBatch", 1)
    return 1 + (min(batch, MOST_ITEMS) if isinstance(batch, int) else 1)


_OF: Mapping[str, Sequence[Propose]] = {
    "Choice": (rules,),
    "Task": (errors, timeouts),
    "Map": (sizes,),
}


def goals(seen: Seen, wanted: Wanted) -> Iterator[tuple[Goal, Script]]:
    """Scripts worth trying after a visit, each with what it is for, if that is wanted."""
    if seen.state.type == "Task" and not seen.visit.attempts:
        return
    for propose in _OF.get(seen.state.type, ()):
        yield from (one for one in propose(seen, wanted) if wanted(one[0]))
