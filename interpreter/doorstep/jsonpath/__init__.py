"""The JSONPath of AWS: paths that read, reference paths that also write.

Reference paths are closures of our own; other steps are nodes of jsonpath-ng and of ours, since
AWS's grammar is not the one that jsonpath-ng parses.
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
