"""Where a test keeps the executions that it has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..testing.state_machines import TestSession

SESSION: pytest.StashKey[TestSession] = pytest.StashKey()
