"""Where children run that are not run in their parent's process: one batch of them at a time.

`run_batch` takes a JSON text and returns one, so that nothing has to be pickled; it is what a
process of ours (`python -m doorstep.map_runs.worker`) reads and writes line by line, and what a
Dask worker calls. A batch has the definition, the name of the Map, where the handlers are, and the
children, each with its header and its input, or with its facts when it is redriven.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..asl.compile import compile_scope
from ..engine import Fact, Journal, Program, entry_line, read_all
from ..errors import DoorstepError
from ..model import workflow
from ..runtime import Driver, Handlers, RealClock, Running, VirtualClock
from ..values.json_values import STORED_DEPTH, dumps, loads
from .executors import Child, restored

_WAIT = 3_600.0
"""Seconds of real time after which a batch whose children do not end is given back as it is."""


def run_batch(text: str, worker: str | None = None) -> str:
    """Run a batch and return what became of it.

    {"worker": …, "seconds": …, "children": [[number, [journal line, …]], …]}; of a batch that can't
    be run, {"worker": …, "problem": …}. The lines are those of `engine.journal` without the header;
    of each child all of them, or only the facts and the last event when that is enough ("whole").
    """
    name = worker or f"process {os.getpid()}"
    try:
        batch = loads(text, STORED_DEPTH)
        began = time.perf_counter()
        journals = _run(batch)
        children = [
            [number, [*map(entry_line, one.entries if batch["whole"] else one.condensed())]]
            for number, one in journals
        ]
    except Exception as problem:  # noqa: BLE001  it is the batch's end, and said with its worker
        return dumps({"worker": name, "problem": f"{type(problem).__name__}: {problem}"})
    done = {"worker": name, "seconds": time.perf_counter() - began, "children": children}
    return dumps(done, STORED_DEPTH)


def _run(batch: Mapping[str, Any]) -> list[tuple[int, Journal]]:
    definition, program = _program(batch["definition"], batch["state"])
    handlers = _handlers(dumps(batch["handlers"]))
    virtual = batch["clock"] == "virtual"
    clock = VirtualClock(batch["now"]) if virtual else RealClock()
    driver = Driver(clock, handlers)
    left = len(batch["children"])

    def ended(_: Running) -> None:
        nonlocal left
        left -= 1

    begun: list[tuple[int, Running]] = []
    for number, header_text, data, facts in batch["children"]:
        sent = next(iter(read_all([header_text]).values())).header
        header = sent._replace(definition=definition)
        child = Child(number, program, header, data, [Fact(*fact) for fact in facts])
        begun.append((number, _begin(driver, child, ended)))
    until = time.monotonic() + _WAIT
    clock.run(lambda: left == 0 or (not virtual and time.monotonic() > until))
    return [(number, running.journal) for number, running in begun]


def _begin(driver: Driver, child: Child, ended: Callable[[Running], None]) -> Running:
    if not child.facts:
        running = driver.start(child.program, child.header, child.input)
        running.when_ended = ended
        return running
    running = restored(child, driver.clock)
    running.when_ended = ended
    driver.redrive(running)
    return running


@lru_cache(maxsize=8)
def _program(text: str, state: str) -> tuple[Mapping[str, Any], Program]:
    definition = loads(text, STORED_DEPTH)
    (found,) = (one for one in workflow(definition).scope.walk() if one.name == state)
    return definition, compile_scope(found.scopes[0])


@lru_cache(maxsize=8)
def _handlers(text: str) -> Handlers:
    """Return the handlers that `shipping.shipped` described."""
    sources: list[Any] = []
    for kind, value in loads(text):
        match kind:
            case "module":
                sources.append(value)
            case "functions":
                sources.append({name: _function(path) for name, path in value.items()})
            case _:
                sources.append(_files(value["path"], value["files"]))
    return Handlers(sources)


def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _files(path: str, files: Mapping[str, str]) -> Path:
    """Return the handlers' file or folder: where it is, or on another machine written anew."""
    there = Path(path)
    if all(_text(there / name if name else there) == text for name, text in files.items()):
        return there
    folder = Path(tempfile.mkdtemp(prefix="doorstep-handlers-"))
    for name, text in files.items():
        file = folder / (name or there.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder if "" not in files else folder / there.name


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def main() -> None:
    """Run batches: a line of JSON each on standard input, its answer a line on standard output.

    The first line is the list of folders to import from. Handlers, and programs that they start,
    read nothing and print to stderr: both pipes are of the batches alone.
    """
    with (
        os.fdopen(os.dup(0), encoding="utf-8") as batches,
        os.fdopen(os.dup(1), "w", encoding="utf-8") as answers,
        Path(os.devnull).open("rb") as nothing,
    ):
        os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        sys.path[:] = loads(batches.readline())
        for line in batches:
            answers.write(run_batch(line) + "\n")
            answers.flush()


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError, DoorstepError):
        os._exit(1)
