"""Whatever is run: a diagnostic, or a valid history that replays the same; never a traceback.

`python tests/fuzzing` for a night's million; a slice of it runs with the tests. With `--law cut`
runs are kept in a file that is cut off: see `cutting`.
"""

from __future__ import annotations

import argparse
import atexit
import sys
import traceback
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from cutting import cut_anywhere, cut_lawfully
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from machines import OBJECTS, definitions
from words import error_names, inputs, texts, values

import doorstep
from doorstep import Answer, DefinitionError, Execution
from doorstep.answers import ABSENT
from doorstep.journal import read, replay
from doorstep_conformance.laws import broken

STARTED = {"x": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}}
"""What an execution can start."""
LIMIT = "the maximum number of history events"
"""In the cause of an execution that was too long; a replay has AWS's limit, not the one here."""
ROUND = 500
"""Examples of a round; what hypothesis remembers of them grows with their number."""

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
            machines=STARTED,
            quotas={"history_events": 200},
            respond=lambda _, invoke: next(answered),
            on_event=lambda execution, _: found.setdefault(execution.arn, execution),
        )
    except DefinitionError as refused:
        errors = refused.diagnostics
        execution = None
    else:
        errors = []
    assert errors == doorstep.validate(definition, type=kind)
    assert errors or (execution and execution.ended)
    for each in found.values():
        sentences = list(broken(each.history))
        assert not sentences, sentences
        rebuilt = replay(each.engine.program, read(each.journal.lines()))
        assert rebuilt.history == each.events
    if execution and LIMIT not in str(execution.cause):
        replay_lawfully(definition, kind, list(found.values()))


def replay_lawfully(definition: Any, kind: Any, family: list[Execution]) -> None:
    """Replay it with its children, who come after it; an AssertionError where one differs."""
    execution, *children = family
    runs = [
        (event.details or {})["mapRunArn"].rpartition(":")[0]
        for one in family
        for event in one.events
        if event.type == "MapRunStarted"
    ]
    if len(set(runs)) < len(runs):
        # A child's ARN does not say which run of its Map it is of.
        return
    replayed = doorstep.replay(
        execution.history,
        definition,
        type=kind,
        children={child.arn: child.history for child in children},
        machines=STARTED,
        bucket=objects(),
    )
    assert replayed.same, replayed.as_json()


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
LAWS = {"run": anything(run_lawfully), "cut": cut_anywhere(cut_lawfully)}
without_hurry = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


def main() -> int:
    """Rounds of examples, each from a seed of its own; those that fail are told at once."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--law", choices=LAWS, default="run", help="cut: of runs kept in a file")
    chosen = parser.parse_args()
    rounds = range(chosen.seed, chosen.seed + -(-chosen.examples // ROUND))
    law, most = LAWS[chosen.law], min(ROUND, chosen.examples)
    failed = [number for number in rounds if not passes(law, number, most)]
    print(f"\n{chosen.examples} examples; rounds that failed: {failed or 'none'}")
    return int(bool(failed))


def passes(law: Callable[[], None], number: int, examples: int) -> bool:
    """One round; with its number as `--seed` it comes again."""
    examine = settings(without_hurry, max_examples=examples)(seed(number)(law))
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
