"""Drivers own the clock and the calls; the engine owns neither."""

from __future__ import annotations

from .clocks import RealClock, VirtualClock
from .driver import Driver
from .execution import Execution
from .persistence import JournalFile

__all__ = ["Driver", "Execution", "JournalFile", "RealClock", "VirtualClock"]
