"""Tests of state machines written as YAML: `*.doorstep.yaml`.

`files` says which members a file has and makes tests of it, `results` runs one and writes reports,
`expectations` compares. The command `doorstep test` does so, and pytest; machines, mocks and clocks
are those of `doorstep.testing`.
"""

from __future__ import annotations

SUFFIXES = (".doorstep.yaml", ".doorstep.yml", ".doorstep.json")
"""How the names of suites end."""
