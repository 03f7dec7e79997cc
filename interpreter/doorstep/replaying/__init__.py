"""Recorded executions run again: what AWS's history says, event by event, against a definition.

    recording  events, indexed                       learned     names, tokens, random values
    facts      event → fact                          comparing   what counts as a difference
    pairing    our event ↔ the recorded one          difference  what differs, where, and why
    follower   facts in, events compared             answering   handlers asked again
    family     histories of children in a folder     handing     a map run's items ↔ its children
    replayer   a definition that is followed         children    their places, inputs and ends
    watching   what expressions could see            debugging   `doorstep.moments`, event by event

`replays` and `resuming` have the functions that are `doorstep.replay` and `doorstep.resume`.
"""

from __future__ import annotations

from .answering import Answered
from .debugging import Moment, Moments, moments
from .difference import Difference
from .family import ChildFiles, Family
from .recording import Recording, read_recording
from .replayer import Replayer
from .replays import ChildReplay, Replay, replay, replay_recording
from .resuming import begin_again, resume

__all__ = [
    "Answered",
    "ChildFiles",
    "ChildReplay",
    "Difference",
    "Family",
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
