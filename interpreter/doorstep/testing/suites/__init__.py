"""Tests of state machines written as YAML: `*.doorstep.yaml`.

`tables` says which members a file has, `reading` makes tests of it, `running` runs one,
`expectations` compares, `reports` tells. The command `doorstep test` does so, and pytest
(`collecting`); machines, mocks and clocks are those of `testkit`.
"""

from __future__ import annotations

SUFFIXES = (".doorstep.yaml", ".doorstep.yml", ".doorstep.json")
"""How the names of suites end."""
