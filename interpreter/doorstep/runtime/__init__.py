"""Drivers own the clock and the calls; the engine owns neither."""

from __future__ import annotations

from .driver import Driver
from .execution import Execution
from .journal_file import JournalFile
from .real_clock import RealClock
from .virtual_clock import VirtualClock

__all__ = ["Driver", "Execution", "JournalFile", "RealClock", "VirtualClock"]
