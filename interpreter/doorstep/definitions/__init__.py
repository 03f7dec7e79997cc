"""From text to a definition that remembers where each of its parts stands."""

from __future__ import annotations

from .documents import MAX_DEPTH, Document, load
from .substitution import MAX_BYTES

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "load"]
