"""The 18 States.* functions of JSONPath states: parsed once, called as closures."""

from __future__ import annotations

from .calls import Env, IntrinsicFailure, TooLarge, compile_intrinsic
from .grammar import Call, IntrinsicSyntaxError, Literal, PathArgument, parse_intrinsic

__all__ = [
    "Call",
    "Env",
    "IntrinsicFailure",
    "IntrinsicSyntaxError",
    "Literal",
    "PathArgument",
    "TooLarge",
    "compile_intrinsic",
    "parse_intrinsic",
]
