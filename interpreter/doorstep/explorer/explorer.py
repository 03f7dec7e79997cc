"""`doorstep.explore`: a state machine driven by itself through all that may happen to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..api import Definition, Type
from ..asl.retry import matches
from ..coverage import KINDS, Item, StateItems
from ..definitions import load
from ..errors import StateFailed
from ..runtime import Handlers, Source
from ..validation import check
from . import flow_states
from .choices import fixed, options, possible, situation
from .findings import SEVERITIES, Exploration, Finding, FindingPlace, Script, shrink
from .flow import Read
from .repetition import called_twice, repeated
from .run import Run, RunStep, Subject
from .search import UNEXPECTED, Search
from .verdicts import VERDICTS, Evidence, needs

RUNS, SECONDS = 3_000, 20.0
"""Limits of a search. Definitions of some tens of states end by themselves in a few hundred runs;
these are for larger ones, and for a check that a developer waits for.
"""


def explore(
    definition: Definition,
    input: Any = None,
    handlers: Source | None = None,
    *,
    type: Type = "STANDARD",
    state_machine_name: str = "StateMachine",
    runs: int = RUNS,
    seconds: float = SECONDS,
    on_run: Callable[[Search], None] | None = None,
) -> Exploration:
    """Run a definition through its choices, errors, timeouts and Map sizes; report what is wrong.

    Input and answers are derived from what the definition reads and compares; nothing is random,
    so that the same definition has the same findings. The clock is virtual.

    | option | |
    |---|---|
    | input | an input to begin with that is known to be valid; `{}` by default |
    | handlers | each task runs twice in its handler, and the answers are compared |
    | type | STANDARD or EXPRESS |
    | state_machine_name | the state machine's name, in ARNs and the context object |
    | runs, seconds | limits of the search; `Exploration.cut_short`: whether one was reached |
    | on_run | called after each run |

    Raises DefinitionError when AWS would refuse the definition, HandlerLoadError when the handlers
    do not load.
    """
    local = None if handlers is None else Handlers(handlers)
    value = load(definition).definition
    check(value, type=type)
    subject = Subject(value, type, state_machine_name)
    evidence = Evidence()

    def ran(search: Search, run: Run) -> None:
        evidence.add(run)
        if on_run:
            on_run(search)

    begin = Script({} if input is None else input)
    search = Search(subject, begin, runs=runs, seconds=seconds, on_run=ran)
    search.explore()
    findings = _findings(search, evidence)
    example = _example(search, evidence, begin)
    ends = {
        name: _least(search, script, begin, partial(_ends_with, name))
        for name, script in evidence.ends.items()
    }
    if local:
        findings += called_twice(subject, begin if input else example or begin, local)
    findings.sort(key=lambda one: SEVERITIES.index(one.severity))
    return Exploration(findings, _kinds(search), search.runs, search.cut_short, example, ends)


def _findings(search: Search, evidence: Evidence) -> list[Finding]:
    shown = [_shown(search, *one) for find in VERDICTS for one in find(search, evidence)]
    required = needs(search, evidence)
    return [*shown, *repeated(search.subject), *required, *unreached(search, evidence)]


def _kinds(search: Search) -> dict[str, tuple[int, int]]:
    kinds: dict[str, tuple[int, int]] = {}
    for kind in KINDS:
        items = [item for item in search.items if item.kind == kind]
        kinds[kind] = sum(item in search.reached for item in items), len(items)
    return kinds


def _shown(search: Search, finding: Finding, field: str, key: object) -> Finding:
    """Return a finding with the smallest script that shows it, and the path of that run."""
    assert finding.script

    def shows(script: Script) -> bool:
        own = Evidence()
        own.add(search.subject.run(script))
        return key in getattr(own, field)

    script = shrink(finding.script, shows)
    run = search.subject.run(script)
    called = dict.fromkeys(invoke.state for invoke in run.invokes)
    return replace(finding, script=run.whole_script, path=_path(run), called=list(called))


def _path(run: Run) -> list[str]:
    """Return the states entered, a loop's only once."""
    names = [step.state.name for step in run.steps()]
    if (loop := run.loop) is None:
        return names
    visits = [index for index, name in enumerate(names) if name == loop.states[0]]
    return names[: visits[1] + 1]


def _example(search: Search, evidence: Evidence, begin: Script) -> Script | None:
    script, entered = evidence.success
    if script is None:
        return None

    def shows(run: Run) -> bool:
        return run.execution.status == "SUCCEEDED" and run.entered == entered

    return _least(search, script, begin, shows)


def _ends_with(name: str, run: Run) -> bool:
    return run.end == name


def _least(search: Search, script: Script, begin: Script, shows: Callable[[Run], bool]) -> Script:
    """Return the smallest script that shows something; an input that was given stays whole."""
    least = shrink(script, lambda one: shows(search.subject.run(one)))
    whole = replace(least, input=begin.input)
    if begin.input and shows(search.subject.run(whole)):
        least = whole
    return search.subject.run(least).whole_script


# Parts that no run reached ------------------------------------------------------------------------

_WIDE = {
    "States.ALL": (UNEXPECTED, "States.Timeout", "States.DataLimitExceeded"),
    "States.TaskFailed": (UNEXPECTED,),
}
"""Names that match several errors, and one of each sort that they match."""


def unreached(search: Search, evidence: Evidence) -> Iterator[Finding]:
    """Find what can't be reached, each in a finding, and in one the rest with the reasons."""
    rest: list[FindingPlace] = []
    for parts in search.subject.parts.values():
        for item in parts.items():
            if item in search.reached or not _counts(search, parts, item):
                continue
            if why := _impossible(parts, item, evidence):
                message = f"{item.label} can't be reached: {why}"
                yield Finding(
                    "unreachable", "warning", message, [FindingPlace(item.pointer, item.label)]
                )
            else:
                why = _reason(search, parts, item, evidence)
                rest.append(FindingPlace(item.pointer, f"{item.kind} {item.label}: {why}"))
    if rest:
        many = "1 part was" if len(rest) == 1 else f"{len(rest)} parts were"
        yield Finding("unreached", "note", f"{many} not reached", rest)


def _counts(search: Search, parts: StateItems, item: Item) -> bool:
    """Return whether a part is reported: not if it follows from another one that is."""
    if parts.entered not in search.reached:
        return False
    if item.kind == "transition":
        return item.pointer.endswith(("/Next", "/End"))
    retriers = {one: retrier for retrier, one in parts.retriers}
    return item.kind != "retrier" or retriers[item].max_attempts > 0


def _impossible(parts: StateItems, item: Item, evidence: Evidence) -> str | None:
    if item.kind == "retrier":
        return _shadowed([(r.names, one) for r, one in parts.retriers], item, "retrier")
    if item.kind == "catcher":
        return _shadowed([(c.names, c.item) for c in parts.catchers], item, "catcher")
    if item.kind == "rule":
        return _never_first(parts, item, evidence)
    return None


def _shadowed(entries: Iterable[tuple[Sequence[str], Item]], item: Item, what: str) -> str | None:
    """Return that earlier entries match all its errors, if they do."""
    before: list[Sequence[str]] = []
    for names, one in entries:
        if one == item:
            errors = [StateFailed(error) for name in names for error in _WIDE.get(name, (name,))]
            taken = all(any(matches(b, failed) for b in before) for failed in errors)
            return f"an earlier {what} matches all its errors" if before and taken else None
        before.append(names)
    return None


def _never_first(parts: StateItems, item: Item, evidence: Evidence) -> str | None:
    """Return why no data makes it the first rule to match, if all data was tried."""
    step = evidence.choices.get(parts.state.name)
    if step is None:
        return None
    all_data = options(situation(step))
    number = [one for _, one in parts.rules].index(item)
    if not all_data.complete or number in all_data.by_rule:
        return None
    if item.pointer.endswith("/Default"):
        return "one of the rules always matches"
    if 0 in options(situation(step, only=number)).by_rule:
        return "whenever it matches, an earlier rule does"
    return "no data matches it"


def _reason(search: Search, parts: StateItems, item: Item, evidence: Evidence) -> str:
    """Return what is known of why a part was not reached."""
    state = parts.state
    if state.name in evidence.failed and not search.passed(state.name):
        return "the state fails before it"
    if item.kind == "rule" and state.name in evidence.choices:
        return _undecided(evidence.choices[state.name])
    if item.kind == "map" and not state.reader:
        read = isinstance(flow_states.items(state), Read)
        return "its items come from the definition" if read else "its items are computed or fixed"
    if item.kind == "transition":
        return "the state never ended this way"
    if item.kind == "catcher":
        return "a retrier is never exhausted before it, or no task inside can fail this way"
    return "no run reached it"


def _undecided(step: RunStep) -> str:
    if fixed(step):
        return "the definition fixes what its Choice compares, on the path that was found"
    if not possible(step).changeable:
        return "what its Choice compares is computed, on the path that was found"
    return "no data was found with which it is the first to match"
