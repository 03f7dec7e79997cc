"""Drivers own the clock and the calls; the engine owns neither."""

from __future__ import annotations

from .answers import (
    Answer,
    Duration,
    TaskFailed,
    answer,
    comparable,
    fail,
    no_answer,
    seconds,
    spelled,
)
from .clocks import AT_ONCE, Clock, Handle, MainClock, RealClock, VirtualClock
from .driver import Driver, Respond
from .execution import Execution, OnEvent, listener
from .handlers import Handler, Handlers, OneSource, Source, handler, names_by, names_of, several
from .invocation import Callbacks, Context, call, call_apart, context_of
from .journal_file import JournalFile
from .nested import described, input_text, starts_execution
from .payloads import event_from, event_of
from .persistence import InMemory, resume_execution
from .running import Buckets, ItemCounts, Persistence, Running, Startable, child_identity
from .texts import Texts

# fmt: off
__all__ = [
    "AT_ONCE", "Answer", "Buckets", "Callbacks", "Clock", "Context", "Driver", "Duration",
    "Execution", "Handle", "Handler", "Handlers", "InMemory", "ItemCounts", "JournalFile",
    "MainClock", "OnEvent", "OneSource", "Persistence", "RealClock", "Respond", "Running", "Source",
    "Startable", "TaskFailed", "Texts", "VirtualClock", "answer", "call", "call_apart",
    "child_identity", "comparable", "context_of", "described", "event_from", "event_of", "fail",
    "handler", "input_text", "listener", "names_by", "names_of", "no_answer", "resume_execution",
    "seconds", "several", "spelled", "starts_execution",
]
# fmt: on
