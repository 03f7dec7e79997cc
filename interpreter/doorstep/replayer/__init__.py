"""Recorded executions run again: what AWS's history says, event by event, against a definition.

`Replayer.follow` is the one way of following a recording. `replay` reports what differs, `resume`
continues from its end, `moments` shows the data at each event.

| module | |
|---|---|
| recording | the events of one execution, indexed |
| comparison | what counts as a difference, which events are counterparts, and what is reported |
| follower | one pass: recorded events become facts, and the engine's events are compared |
| replayer | a definition, and its passes: what one adopts of names and tokens the next one has |
| child_histories | histories of children in a folder or a journal |
| matching | the inputs of a map run ↔ the histories of its children |
| children | where the children belong, their inputs and ends |
| report | `doorstep.replay`, and local handlers asked again |
| resumption | `doorstep.resume` |
| debugger | `doorstep.moments` |
"""

from __future__ import annotations

from .child_histories import ChildFiles, ChildHistories
from .comparison import Difference
from .debugger import Moment, Moments, moments
from .recording import Recording, read_recording
from .replayer import Replayer
from .report import ChildReplay, HandlerAnswer, Replay, replay, replay_recording
from .resumption import prepare_resume, resume

__all__ = [
    "ChildFiles",
    "ChildHistories",
    "ChildReplay",
    "Difference",
    "HandlerAnswer",
    "Moment",
    "Moments",
    "Recording",
    "Replay",
    "Replayer",
    "moments",
    "prepare_resume",
    "read_recording",
    "replay",
    "replay_recording",
    "resume",
]
