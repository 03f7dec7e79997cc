"""From text to a definition that remembers where each of its parts stands."""

from __future__ import annotations

from .documents import MAX_DEPTH, NOT_AN_OBJECT, Document, load
from .substitution import MAX_BYTES

__all__ = ["MAX_BYTES", "MAX_DEPTH", "NOT_AN_OBJECT", "Document", "load"]
