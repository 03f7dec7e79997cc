"""The 18 States.* functions of JSONPath states: parsed once, called as closures."""

from __future__ import annotations

from .calls import (
    Argument,
    IntrinsicCall,
    IntrinsicFailure,
    IntrinsicSyntaxError,
    LiteralArgument,
    PathArgument,
    RandomSource,
    TooLarge,
    compile_intrinsic,
    parse_intrinsic,
)

__all__ = [
    "Argument",
    "IntrinsicCall",
    "IntrinsicFailure",
    "IntrinsicSyntaxError",
    "LiteralArgument",
    "PathArgument",
    "RandomSource",
    "TooLarge",
    "compile_intrinsic",
    "parse_intrinsic",
]
