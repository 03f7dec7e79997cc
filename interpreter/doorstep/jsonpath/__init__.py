"""The JSONPath of AWS: paths that read, reference paths that also write.

Reference paths are closures of our own, and so are other steps where AWS's library differs from
jsonpath-ng; the grammar is AWS's as well.
"""

from __future__ import annotations

from .grammar import ExpressionSyntaxError, PathSyntaxError, Scanner
from .meter import PathMeter, Reach
from .paths import (
    CompiledPath,
    IndexNotFound,
    NotAnArray,
    PathNotFound,
    ReferenceConflict,
    ReferencePath,
    compile_path,
    compile_reference,
)

__all__ = [
    "CompiledPath",
    "ExpressionSyntaxError",
    "IndexNotFound",
    "NotAnArray",
    "PathMeter",
    "PathNotFound",
    "PathSyntaxError",
    "Reach",
    "ReferenceConflict",
    "ReferencePath",
    "Scanner",
    "compile_path",
    "compile_reference",
]
