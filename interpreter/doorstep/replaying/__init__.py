"""Recorded executions run again: what AWS's history says, event by event, against a definition.

    recording  events, indexed                       learned     names, tokens, random values
    facts      event → fact                          comparing   what counts as a difference
    pairing    our event ↔ the recorded one          difference  what differs, where, and why
    follower   facts in, events compared             answering   handlers asked again
    watching   what expressions could see            debugging   `doorstep.moments`, event by event

`replays` has the functions that are `doorstep.replay` and `doorstep.resume`.
"""

from __future__ import annotations

from .answering import Answered
from .debugging import Moment, Moments, moments
from .difference import Difference
from .recording import Recording, read_recording
from .replays import Replay, Replayer, begin_again, replay, replay_recording, resume

__all__ = [
    "Answered",
    "Difference",
    "Moment",
    "Moments",
    "Recording",
    "Replay",
    "Replayer",
    "begin_again",
    "moments",
    "read_recording",
    "replay",
    "replay_recording",
    "resume",
]
