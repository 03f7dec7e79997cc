"""TestState: one state, run by itself, with a mocked answer in place of the world.

A test is a program of one state (`trial`) that gets one fact: the mock, or what a handler answers.
`request` reads what was asked, `refusals` and `contexts` refuse what AWS would refuse,
`inspection` shows the data between the state's fields.
"""

from __future__ import annotations

from .answering import test_state

__all__ = ["test_state"]
