"""Recorded executions run again: what AWS's history says, event by event, against a definition.

There is one way of following a recording: `Replayer.follow`. What it finds is told by `replay`,
gone on from by `resume`, looked at by `moments`.

| of the recording | |
|---|---|
| recording | the events of one execution, indexed |
| learned, identities | names, tokens, random values: what one pass learns the next one has |
| facts | event → fact |
| **following it** | |
| replayer | a definition that recordings are compared with; their passes |
| follower | one pass: facts in, events compared |
| pairing | our event ↔ the recorded one |
| comparing | what counts as a difference, in values and in time |
| difference | what differs, where, and why |
| **its children** | |
| family | histories of children in a folder or a journal |
| handing | what a map run hands out ↔ who got it |
| children | their places, inputs and ends |
| **what it is for** | |
| replays | `doorstep.replay`; `answering`: handlers asked again |
| resuming | `doorstep.resume` |
| debugging | `doorstep.moments`; `moment`: one event; `watching`: what expressions could see |
"""

from __future__ import annotations

from .answering import Answered
from .debugging import Moments, moments
from .difference import Difference
from .family import ChildFiles, Family
from .moment import Moment
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
