"""State machines in tests; `doorstep.pytest_plugin` makes fixtures of it."""

from __future__ import annotations

from .clock import SimulatedClock
from .executions import ObservedExecution, ObservedState
from .machines import Bench, StateMachine

__all__ = ["Bench", "ObservedExecution", "ObservedState", "SimulatedClock", "StateMachine"]
