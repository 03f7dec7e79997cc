"""Advice on the ways through a workflow: loops written by hand, loops without end, its type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..model import HTTP_REQUESTS, Scope, State, Workflow, actions, integration, targets_of

EVENTS = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
_EXPRESS_SECONDS = 300
_SOON = 6 * 3600
"""Seconds that a polling loop without a counter should last."""
_EVENTS_OF = {"Task": 5, "Choice": 2, "Pass": 2, "Wait": 2, "Parallel": 4, "Map": 4}
"""Events that one visit of a state leaves, at least (docs/facts/history.md)."""
_ASKS = re.compile(
    r"(?:aws-sdk:)?([\w-]+):(?:get|describe|batchGet|batchDescribe|list)\w*", re.ASCII
)
_ALIASES = {"sfn": "states"}
"""Names of services in `aws-sdk:` that the optimised integrations call otherwise."""
_COUNTS = re.compile(r"States\.MathAdd|[+-]\s*1\b|\$count\(")
_LITERAL = re.compile(r"\{%\s*(\d{1,9})\s*%\}")
_READS = re.compile(
    r"(?:aws-sdk:)?\w+:(?:batch)?(?i:get|query|scan|describe|list|head|select|search|lookup"
    r"|analyze|classify|compare|detect|estimate|recognize|simulate|translate|validate)\w*"
)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods of HTTP that change nothing (RFC 9110, section 9.2.1)."""


def scopes_of(scope: Scope) -> Iterator[Scope]:
    """Yield a scope and those inside of its states."""
    yield scope
    for state in scope.states.values():
        for inner in state.scopes:
            yield from scopes_of(inner)


def ways_of(scope: Scope) -> dict[str, list[str]]:
    """Return to which states each state of a scope may lead."""
    return {
        name: [target for _, target in targets_of(state.fields)]
        for name, state in scope.states.items()
    }


def reached(ways: Mapping[str, list[str]], start: str) -> set[str]:
    """Return the states that a way from one reaches, itself only through a loop."""
    seen: set[str] = set()
    waiting = list(ways.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += ways[name]
    return seen


def _reachable(scope: Scope) -> set[str]:
    return {scope.start_at, *reached(ways_of(scope), scope.start_at)}


def _by_end(ways: Mapping[str, list[str]]) -> list[str]:
    """Return the states in the order in which a search in depth is done with them."""
    done: list[str] = []
    seen: set[str] = set()
    for root in ways:
        waiting = [(root, False)]
        while waiting:
            name, left = waiting.pop()
            if left:
                done.append(name)
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(target, False) for target in ways[name] if target not in seen]
    return done


def loops_of(scope: Scope) -> list[list[State]]:
    """Return the loops of a scope: states each of which leads to all others of its loop.

    In two passes, however many loops there are: the strongly connected components of the graph
    are what can be reached against its arrows, from the state that the first search left last.
    """
    ways = ways_of(scope)
    back: dict[str, list[str]] = {name: [] for name in ways}
    for name, targets in ways.items():
        for target in targets:
            back[target].append(name)
    loops: list[list[State]] = []
    place = {name: number for number, name in enumerate(ways)}
    for name in reversed(_by_end(ways)):
        if name in back:
            group = _taken(back, name)
            if len(group) > 1 or name in ways[name]:
                loops.append([scope.states[one] for one in sorted(group, key=place.__getitem__)])
    return loops


def _taken(back: dict[str, list[str]], start: str) -> list[str]:
    """Take a state out of a graph, and what is left of those that it reaches there."""
    taken, waiting = [], [start]
    while waiting:
        name = waiting.pop()
        if name in back:
            taken.append(name)
            waiting += back.pop(name)
    return taken


def _loops(tree: Workflow) -> Iterator[list[State]]:
    for scope in scopes_of(tree.scope):
        there = _reachable(scope)
        loops = (loop for loop in loops_of(scope) if loop[0].name in there)
        yield from sorted(loops, key=lambda loop: loop[0].pointer)


def loop_at(tree: Workflow, pointer: str) -> set[str]:
    """Return the JSON Pointers of the states of the loop that a state is in."""
    loops = ({one.pointer for one in loop} for loop in _loops(tree))
    return next((loop for loop in loops if pointer in loop), set())


def retries(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield tasks whose catcher leads to a Wait that leads back to the task."""
    for scope in scopes_of(tree.scope):
        for state in scope.states.values():
            if state.type != "Task" or state.retriers:
                continue
            for catcher in state.catchers:
                if way := _back(scope, catcher.target, state.name):
                    names = ", ".join(f"'{one}'" for one in way)
                    yield state.pointer, f"'{state.name}' is tried again by way of {names}"
                    break


def _back(scope: Scope, start: str, end: str) -> tuple[str, ...]:
    """Return the states, one of them a Wait, that lead from one to a task without doing work."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[tuple[str, bool]] = set()
    for way in ways:
        state = scope.states[way[-1]]
        waits = any(scope.states[one].type == "Wait" for one in way)
        if state.type not in ("Wait", "Pass", "Choice") or (state.name, waits) in seen:
            continue
        seen.add((state.name, waits))
        targets = [one.target for one in state.transitions()]
        if waits and end in targets:
            return way
        ways += [(*way, one) for one in targets if one not in (None, end)]
    return ()


def polls(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield tasks that start a job for which there is .sync, and a loop then asks for it."""
    for scope in scopes_of(tree.scope):
        ways, loops = ways_of(scope), loops_of(scope)
        for state in scope.states.values():
            called = integration(str(state.fields.get("Resource", "")))
            action = called.action.removeprefix("aws-sdk:")
            known = actions().get(action)
            if known is None or "s" not in known.patterns or called.pattern:
                continue
            service = action.partition(":")[0]
            for loop in loops:
                kinds = {one.type for one in loop}
                asks = [one for one in loop if _asks(one, service)]
                found = {"Wait", "Choice"} <= kinds and asks
                if found and asks[0].name in reached(ways, state.name):
                    said = (
                        f"'{state.name}' starts a job, and '{asks[0].name}' asks for it in a loop"
                    )
                    yield state.pointer, said
                    break


def _asks(state: State, service: str) -> bool:
    found = _ASKS.match(integration(str(state.fields.get("Resource", ""))).action)
    return found is not None and _ALIASES.get(found[1], found[1]) == service


def endless(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield loops without a way out, or without a counter whose history is full within hours."""
    if kind == "EXPRESS":
        return
    for loop in _loops(tree):
        names = ", ".join(f"'{one.name}'" for one in loop)
        waits = [_seconds(one) for one in loop if one.type == "Wait"]
        events = sum(_EVENTS_OF.get(one.type, 2) for one in loop)
        seconds = EVENTS // events * sum(one or 0 for one in waits)
        if not _left(loop):
            yield loop[0].pointer, f"nothing leads out of the loop {names}"
        elif waits and None not in waits and seconds <= _SOON and not any(map(_counts, loop)):
            hours = max(round(seconds / 3600), 1)
            yield loop[0].pointer, f"the loop {names} fills the history in about {hours} h"


def _seconds(state: State) -> int | None:
    """Return how long a Wait is, if the definition says it, in JSONata too."""
    seconds = state.fields.get("Seconds")
    literal = _LITERAL.fullmatch(seconds) if isinstance(seconds, str) else None
    return int(literal[1]) if literal else seconds if isinstance(seconds, int) else None


def _left(loop: list[State]) -> bool:
    """Return whether a way leads out of a loop, or a Fail inside of one of its states."""
    names = {one.name for one in loop}
    targets = {way.target for state in loop for way in state.transitions()}
    return not targets <= names or any(
        one.type == "Fail" for state in loop for one in _with_inner(state)
    )


def _counts(state: State) -> bool:
    return _COUNTS.search(str(state.fields)) is not None


def long_express(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield the Waits of an Express workflow that are longer than it can run."""
    if kind != "EXPRESS":
        return
    for state in tree.scope.walk():
        seconds = _seconds(state) or 0
        if seconds > _EXPRESS_SECONDS:
            yield state.pointer, f"'{state.name}' waits for {seconds:,} seconds"


def express_would_do(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield a Standard workflow that only reads: no wait, no loop, no call with an effect."""
    states = [*tree.scope.walk()]
    if kind != "STANDARD" or not any(one.type == "Task" for one in states):
        return
    if any(map(_needs_standard, states)) or any(_loops(tree)):
        return
    yield "", f"its {len(states)} states only read"


def _needs_standard(state: State) -> bool:
    return state.type == "Wait" or state.distributed or has_effect(state)


def has_effect(state: State) -> bool:
    """Return whether a task does more than ask; what a function does is not known."""
    if state.type != "Task":
        return False
    called = integration(str(state.fields["Resource"]))
    arguments = state.arguments
    if called.action in HTTP_REQUESTS and isinstance(arguments, dict):
        return arguments.get("Method") not in _SAFE_METHODS
    return called.pattern != "" or _READS.fullmatch(called.action) is None


def without_catch(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield a workflow without any Catch in which a task follows one that had its effect."""
    if any(one.catchers for one in tree.scope.walk()):
        return
    for scope in scopes_of(tree.scope):
        ways = ways_of(scope)
        for state in scope.states.values():
            task = next((one for one in _with_inner(state) if has_effect(one)), None)
            if task is None:
                continue
            later = [scope.states[name] for name in reached(ways, state.name) - {state.name}]
            if any(inner.type == "Task" for one in later for inner in _with_inner(one)):
                yield "", f"nothing catches what fails after '{task.name}'"
                return


def _with_inner(state: State) -> Iterator[State]:
    yield state
    for scope in state.scopes:
        yield from scope.walk()


def unreachable(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield the first of states that lead only to each other."""
    for scope in scopes_of(tree.scope):
        there = _reachable(scope)
        rest = [state for name, state in scope.states.items() if name not in there]
        if rest:
            names = ", ".join(f"'{one.name}'" for one in rest)
            yield rest[0].pointer, f"no way from '{scope.start_at}' leads to {names}"
