"""`doorstep.explore`: a state machine driven by itself through all that may happen to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..api import Definition, Type
from ..coverage import KINDS
from ..definitions import load
from ..runtime import Handlers, Source
from ..validation import check
from .evidence import Evidence, loop_of
from .findings import SEVERITIES, Exploration, Finding
from .run import Run
from .script import Script, shrink
from .search import Search
from .subject import Subject
from .twice import called_twice, repeated
from .unreached import unreached
from .verdicts import VERDICTS, Check, needs

RUNS, SECONDS = 3_000, 20.0


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
    """Drive a definition through its choices, errors, timeouts and Map sizes; tell what is wrong.

    Input and answers are derived from what the definition reads and compares; nothing is random,
    so that the same definition gives the same findings. The clock is virtual.

    | option | |
    |---|---|
    | input | where to begin: an input that is known to be right; `{}` by default |
    | handlers | each task is carried out twice by its handler, and the answers are compared |
    | type | STANDARD or EXPRESS |
    | state_machine_name | the state machine's name, in ARNs and the context object |
    | runs, seconds | when to stop at the latest; `Exploration.cut_short` says whether it did |
    | on_run | called after each run |

    Raises DefinitionError when AWS would refuse the definition, HandlerLoadError when the handlers
    do not load.
    """
    given = None if handlers is None else Handlers(handlers)
    value = load(definition).definition
    check(value, type=type)
    subject = Subject(value, type, state_machine_name)
    evidence = Evidence()

    def seen(search: Search, run: Run) -> None:
        evidence.note(run)
        if on_run:
            on_run(search)

    begin = Script({} if input is None else input)
    search = Search(subject, begin, runs=runs, seconds=seconds, on_run=seen)
    search.explore()
    found = _findings(search, evidence)
    example = _example(search, evidence)
    if given:
        found += called_twice(subject, begin if input else example or begin, given)
    found.sort(key=lambda one: SEVERITIES.index(one.severity))
    return Exploration(found, _kinds(search), search.runs, search.cut_short, example)


def _findings(search: Search, evidence: Evidence) -> list[Finding]:
    found = [_shown(search, *one) for judge in VERDICTS for one in judge(search, evidence)]
    read = needs(search, evidence)
    return [*found, *repeated(search.subject), *read, *unreached(search, evidence)]


def _kinds(search: Search) -> dict[str, tuple[int, int]]:
    kinds: dict[str, tuple[int, int]] = {}
    for kind in KINDS:
        items = [item for item in search.items if item.kind == kind]
        kinds[kind] = sum(item in search.reached for item in items), len(items)
    return kinds


def _shown(search: Search, finding: Finding, check: Check) -> Finding:
    """A finding with the smallest script that shows it, and the way that it takes."""
    assert finding.script

    def shows(script: Script) -> bool:
        seen = Evidence()
        seen.note(search.subject.run(script))
        return check(seen)

    script = shrink(finding.script, shows)
    run = search.subject.run(script)
    called = dict.fromkeys(invoke.state for invoke in run.invokes)
    return replace(finding, script=run.read, path=_path(run), called=list(called))


def _path(run: Run) -> list[str]:
    """The states entered, without the further rounds of a loop."""
    names = [seen.state.name for seen in run.visited()]
    if (loop := loop_of(run)) is None:
        return names
    visits = [index for index, name in enumerate(names) if name == loop.states[0]]
    return names[: visits[1] + 1]


def _example(search: Search, evidence: Evidence) -> Script | None:
    script, entered = evidence.success
    if script is None:
        return None

    def shows(script: Script) -> bool:
        run = search.subject.run(script)
        return run.execution.status == "SUCCEEDED" and run.entered == entered

    return search.subject.run(shrink(script, shows)).read
