"""Whatever is run: a diagnostic, or a valid history that replays the same; never a traceback."""

from __future__ import annotations

import atexit
from functools import cache
from itertools import cycle
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st
from machines import OBJECTS, definitions
from words import error_names, inputs, texts, values

import doorstep
from doorstep import Answer, DefinitionError, Execution
from doorstep.engine.journal import read, replay
from doorstep_conformance.laws import broken

STARTED = {"x": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}}
"""What an execution can start."""
LIMIT = "the maximum number of history events"
"""In the cause of an execution that was too long; a replay has AWS's limit, not the one here."""

failures = st.fixed_dictionaries(
    {
        "output": values,
        "failed": st.sampled_from([False, False, True]),
        "error": st.none() | error_names,
        "cause": st.none() | texts,
        "after": st.sampled_from([0.0, 5.0, 60.5, 1e6]),
    },
    optional={"response": values},
)
silences = st.fixed_dictionaries({"accepted": st.booleans()}, optional={"response": values})
runs = st.fixed_dictionaries(
    {
        "definition": definitions(),
        "value": inputs | values,
        "answers": st.lists(failures | silences, min_size=1, max_size=4),
        "express": st.sampled_from([False, False, False, True]),
    }
)


def run_lawfully(definition: Any, value: Any, answers: list[dict[str, Any]], express: bool) -> None:
    """Run it, its calls answered in turn; an AssertionError where a law is broken."""
    kind: Any = "EXPRESS" if express else "STANDARD"
    found: dict[str, Execution] = {}
    answered = cycle([Answer(**members) for members in answers])
    try:
        execution = doorstep.run(
            definition,
            value,
            type=kind,
            seed=1,
            s3_root=objects(),
            state_machines=STARTED,
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
        rebuilt = replay(each._running.engine.program, read(each._running.journal.lines()))
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
        state_machines=STARTED,
        s3_root=objects(),
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
