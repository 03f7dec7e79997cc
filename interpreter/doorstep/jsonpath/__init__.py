"""The JSONPath of AWS: paths that read, reference paths that also write.

Reference paths are closures of our own; everything else is a tree of jsonpath-ng's nodes, with
filters of our own, since AWS's grammar is not the one that jsonpath-ng parses.
"""

from __future__ import annotations

from .follow import IndexNotFound, PathNotFound
from .grammar import PathSyntaxError
from .paths import Path, Reference, ReferenceConflict, compile_path, compile_reference
from .steps import Meter

__all__ = [
    "IndexNotFound",
    "Meter",
    "Path",
    "PathNotFound",
    "PathSyntaxError",
    "Reference",
    "ReferenceConflict",
    "compile_path",
    "compile_reference",
]
