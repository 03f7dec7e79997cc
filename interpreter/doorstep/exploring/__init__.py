"""Exploring: a state machine driven by itself through its choices, errors, timeouts and sizes."""

from __future__ import annotations

from .explorer import explore
from .findings import Exploration, Finding, Place

__all__ = ["Exploration", "Finding", "Place", "explore"]
