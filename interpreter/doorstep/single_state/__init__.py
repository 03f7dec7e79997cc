"""TestState: one state, run by itself, with a mocked answer in place of the world.

A test is a program of one state (`trial`) that receives one fact: the mock, or a handler's answer.
`request` reads the request, `refusals` refuses what AWS would, `response` answers.
"""

from __future__ import annotations

from .response import test_state

__all__ = ["test_state"]
