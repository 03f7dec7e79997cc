"""Law: an engine rebuilt from its journal after any fact ends as the one that never stopped."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep import Execution
from doorstep.engine.journal import Journal, read, replay
from doorstep.engine.messages import Command, Fact
from doorstep_conformance import OWN_CASES, Case, load_cases
from doorstep_conformance.runner import execute

CASES = [case for case in load_cases(OWN_CASES) if case.kind in ("history", "sync")]


def executions(case: Case) -> list[Execution]:
    """The execution that a case starts, and the children of its map runs."""
    found: dict[str, Execution] = {}
    execute(case, on_event=lambda execution, _: found.setdefault(execution.arn, execution))
    return list(found.values())


def shown(command: Command) -> Any:
    """A command as a value: a function in it belongs to the engine that issued it."""
    return type(command).__name__, [member for member in command if not callable(member)]


def go_on(journal: Journal, execution: Execution, facts: list[Fact]) -> list[Any]:
    """Rebuild the engine of a journal and give it more facts; gives the commands it issues."""
    engine = replay(execution._running.engine.program, journal)
    issued = []
    for fact in facts:
        before = len(engine.history)
        issued.append([shown(command) for command in engine.receive(fact)])
        journal.entries.append(fact)
        journal.entries.extend(engine.history[before:])
    issued.append([shown(command) for command in engine.pending()])
    return issued


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rebuilt_after_any_fact_it_writes_the_same_journal(case: Case) -> None:
    for execution in executions(case):
        whole = list(execution._running.journal.lines())
        facts = execution._running.journal.facts
        never_stopped = go_on(Journal(execution._running.journal.header), execution, facts)
        starts = [number for number, line in enumerate(whole) if line.startswith('["fact"')]
        assert len(starts) == len(facts)
        for received, cut in enumerate([*starts, len(whole)]):
            journal = read(whole[:cut])
            issued = go_on(journal, execution, facts[received:])
            assert list(journal.lines()) == whole
            assert issued == never_stopped[received:]
