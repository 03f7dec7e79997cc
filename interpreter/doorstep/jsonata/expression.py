"""An expression: compiled once, evaluated as often as you like.

What it reads is known without evaluating it: for validation, coverage and data flow.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Final

from .compile_nodes import HANDLERS
from .compiler import STANDARD, Compiler, Dialect
from .errors import STACK_OVERFLOW, JSONataError
from .evaluation import (
    DEFAULT_LIMITS,
    GLOBALS,
    OUTER,
    RUN,
    UNMETERED,
    Evaluation,
    Limits,
    too_deep,
)
from .nodes import Reads, RootName
from .parser import parse
from .sequences import finished, written_size
from .values import UNDEFINED, OuterSequence, Value

_FEW_NODES: Final = 64
_MANY_STEPS: Final = 1_000
"""From which on an evaluation reports the steps that it took."""

_WARM: Final = 250

# The only clock and the only generator of the language, for callers that bring none.
_RANDOM: Final = random.random


def _clock() -> float:
    return time.time_ns() // 1_000_000


def compile(source: str) -> Expression:  # noqa: A001  what the package is imported for
    """Compile an expression; JSONataError (S…, U1001) with position and token if it is wrong."""
    return Expression(source)


class Expression:
    """One compiled expression; ``str()`` returns its source."""

    def __init__(self, source: str, dialect: Dialect = STANDARD) -> None:
        self._source = source
        try:
            self._tree, bound = parse(source)
            compiler = Compiler(HANDLERS, bound, dialect)
            self._evaluate = compiler.compile(self._tree, 1)
        except RecursionError:
            raise JSONataError("U1001", len(source), message=STACK_OVERFLOW) from None
        # Without loops, a few parts can neither take long nor repeat a value often.
        large = compiler.nodes > _FEW_NODES
        self._shares = compiler.shares or large
        self._needs_run = compiler.uses_run or large
        self._needs_input = compiler.uses_input
        self._deepest = compiler.deepest
        self._compiler = compiler
        self._cold = _WARM
        """How much is still evaluated by closures before code is generated, about microseconds."""
        self.code: Callable[..., Value] | None = None
        """What an evaluation calls, with the input and the bindings, where it is hot."""

    def __str__(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return f"compile({self._source!r})"

    @cached_property
    def _reads(self) -> Reads:
        return Reads(self._tree)

    @property
    def variables(self) -> frozenset[str]:
        """Free variables read, functions among them, without ``$``."""
        return frozenset(path[0] for path in self._reads.paths)

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """Free variables with the constant field names read off them: ('states', 'input')."""
        return frozenset(self._reads.paths)

    @property
    def root_names(self) -> tuple[RootName, ...]:
        """Names and ``$$`` that are read off the input itself, with their positions."""
        return tuple(self._reads.roots)

    @property
    def quick(self) -> bool:
        """Whether it takes so little that nothing is counted, and looks at variables alone."""
        return not (self._needs_run or self._needs_input)

    def evaluate(
        self,
        data: Value = UNDEFINED,
        bindings: Mapping[str, Value] | None = None,
        *,
        now: float | None = None,
        random: Callable[[], float] | None = None,
        limits: Limits | None = None,
        spent: Callable[[int], None] | None = None,
    ) -> Value:
        """Return the value for an input (``$``) and variables; UNDEFINED if there is none.

        ``bindings``: names without ``$`` to JSON values or Python callables, which are called with
        positional arguments, missing ones as UNDEFINED; they win over the language's functions,
        and a name bound to UNDEFINED is gone. ``now``: epoch milliseconds of ``$now`` and
        ``$millis``, by default the clock's; ``random``: numbers from 0 up to 1, by default
        ``random.random``; ``spent`` is called with the steps used at the end of an evaluation that
        used many, also when it failed. Raises JSONataError (T…, D…; U1001 beyond the limits); what
        a callable raises passes unchanged.
        """
        if limits is None:
            limits = DEFAULT_LIMITS
        if self._deepest > limits.depth:
            raise too_deep(limits)
        known = {} if bindings is None else bindings
        if self._needs_input:
            known = {**known, "$": data}
        run: Evaluation = UNMETERED
        if self._needs_run:
            run = Evaluation(limits, _clock if now is None else now, random or _RANDOM)
        try:
            result = (self.code or self._by_closures)(
                OuterSequence((data,)) if type(data) is list else data, known, run
            )
            if self._shares:
                run.allocate(written_size(result, {}))
        except RecursionError:
            raise JSONataError("U1001", message=STACK_OVERFLOW) from None
        except (OverflowError, ValueError):
            # Python's, of a number that is beyond doubles, or none, where it has to be whole.
            raise JSONataError("D1001", message="Number out of range") from None
        finally:
            if spent is not None and run.spent >= _MANY_STEPS:
                spent(run.spent)
        return result

    def _by_closures(self, context: Value, bindings: Mapping[str, Value], run: Evaluation) -> Value:
        result = self._evaluate(context, {OUTER: None, GLOBALS: bindings, RUN: run})
        self._cold -= 1 + (run.spent >> 2)
        if self._cold < 0:
            self._generate()
        return finished(result)

    def _generate(self) -> None:
        """Compile the expression to Python code, which pays for what is evaluated often."""
        from .codegen import generate

        self._cold = sys.maxsize
        with suppress(RecursionError, MemoryError):  # where there is little left of the stack
            self.code = generate(self._tree, self._compiler)
