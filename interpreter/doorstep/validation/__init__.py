"""Static rules: what AWS says of a definition before it ever runs.

Tables first (`fields`, `objects`, `states`), then the checks that walk them, a module for each
concern; `validation` gathers what all of them say, in AWS's order.
"""

from __future__ import annotations

from ..errors import invalid_definition_message
from .rules import MachineType, check, validate

__all__ = ["MachineType", "check", "invalid_definition_message", "validate"]
