"""From text to a definition that remembers where each of its parts stands."""

from __future__ import annotations

<<<<<<< HEAD
from .documents import MAX_DEPTH, Document, load
from .substitution import MAX_BYTES
=======
from .documents import MAX_BYTES, MAX_DEPTH, NOT_AN_OBJECT, Document, load
>>>>>>> main

__all__ = ["MAX_BYTES", "MAX_DEPTH", "NOT_AN_OBJECT", "Document", "load"]
