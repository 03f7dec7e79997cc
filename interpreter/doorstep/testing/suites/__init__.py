"""Tests of state machines written as YAML: `*.doorstep.yaml`.

`files` says which members a file has and makes tests of it, `results` runs one and writes reports,
`expectations` compares. The command `doorstep test` does so, and pytest; machines, mocks and clocks
are those of `doorstep.testing`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = (".doorstep.yaml", ".doorstep.yml", ".doorstep.json")
"""How the names of suites end."""


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and those of folders; hidden folders and node_modules are left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, inner, files in os.walk(path):
            inner[:] = sorted(n for n in inner if n[0] != "." and n != "node_modules")
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(SUFFIXES))
