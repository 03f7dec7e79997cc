"""All laws by name: those of random cases, and the scripts that draw what they need from a seed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from acknowledgements import acknowledgements, have_their_effects
from cutting import cut_lawfully, cuts
from evaluations import ends_within_its_bounds, evaluations
from law import Law
from neighbours import harms_no_neighbour, neighbours
from runs import run_lawfully, runs

ROOT = Path(__file__).parents[2]


def succeeds(*command: str, seed: int, **environment: str) -> None:
    """Run a script of this project with a seed; an AssertionError with its output if it fails."""
    words = [word.format(seed=seed) for word in command]
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


PROPERTIES = ("-m", "pytest", "-q", "tests/properties", "--hypothesis-seed={seed}")
SLICES = "--ignore=tests/properties/test_fuzz_slice.py"
"""Slices of the laws that are here."""
KILLS = ("benchmarks/emulator_kill.py", "--kills", "20", "--executions", "400", "--seed", "{seed}")
SERVERS = ("benchmarks/servers_kill.py", "--kills", "50", "--seed", "{seed}")
STORES = ("-m", "pytest", "-q", "tests/emulator", "-k", "postgresql")
"""The emulator's tests on PostgreSQL; those that change with the seed are elsewhere."""
POISON = ("benchmarks/emulator_poison.py", "--good", "100", "--seed", "{seed}")
HOUR = 3600

LAWS = {
    "run": Law(run_lawfully, runs, round=500),
    "cut": Law(cut_lawfully, cuts, round=100),
    "acknowledged": Law(have_their_effects, acknowledgements, round=50),
    "neighbours": Law(harms_no_neighbour, neighbours, round=100),
    "bounds": Law(ends_within_its_bounds, evaluations, round=500),
    "properties": Law(partial(succeeds, *PROPERTIES, SLICES), patience=HOUR),
    "kill": Law(partial(succeeds, *KILLS), patience=HOUR),
    "servers": Law(partial(succeeds, *SERVERS), patience=HOUR),
    "stores": Law(partial(succeeds, *STORES, DOORSTEP_POSTGRES="all"), patience=HOUR),
    "poison": Law(partial(succeeds, *POISON), patience=HOUR),
}
