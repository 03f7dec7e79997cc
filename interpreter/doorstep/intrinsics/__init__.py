"""The 18 States.* functions of JSONPath states: parsed once, called as closures."""

from __future__ import annotations

from .calls import (
    Call,
    Env,
    IntrinsicFailure,
    IntrinsicSyntaxError,
    Literal,
    PathArgument,
    compile_intrinsic,
    parse_intrinsic,
)

__all__ = [
    "Call",
    "Env",
    "IntrinsicFailure",
    "IntrinsicSyntaxError",
    "Literal",
    "PathArgument",
    "compile_intrinsic",
    "parse_intrinsic",
]
