"""Drivers own the clock and the calls; the engine owns neither."""

from __future__ import annotations

from .driver import Driver
from .execution import Execution
from .journalfile import JournalFile
from .realtime import RealClock
from .virtual import VirtualClock

__all__ = ["Driver", "Execution", "JournalFile", "RealClock", "VirtualClock"]
