"""Where a test keeps the executions that it has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..testing.testkit import Bench

BENCH: pytest.StashKey[Bench] = pytest.StashKey()
