"""Tests of state machines: mocks, and what the fixtures of the pytest plugin hand out.

    from doorstep.testing import mock

    execution = state_machine("order.asl.json").run({…}, mocks=[mock("ChargeCard", {"paid": True})])

Names are imported when they are first used: the pytest plugin is loaded into every run of pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clock import SimulatedClock
    from .mocks import Mock, Mocks, mock
    from .state_machines import Call, ObservedExecution, StateMachine

__all__ = [
    "Call",
    "Mock",
    "Mocks",
    "ObservedExecution",
    "SimulatedClock",
    "StateMachine",
    "mock",
]

_HOMES = {
    "clock": ("SimulatedClock",),
    "mocks": ("Mock", "Mocks", "mock"),
    "state_machines": ("Call", "ObservedExecution", "StateMachine"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
