"""The package's face: an expression, compiled once, evaluated as often as you like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

from .compiler import compile_tree
from .errors import STACK_OVERFLOW, JSONataError
from .facts import Facts, Reference, facts_of
from .parser import parse
from .run import DEFAULT_LIMITS, GLOBALS, OUTER, RUN, UNMETERED, Env, Limits, Run, too_deep
from .sequences import SEQUENCES, written_size
from .values import UNDEFINED, OuterSequence, Value, number

_FEW_NODES: Final = 64
_MANY_STEPS: Final = 1_000
"""From which on an evaluation says what it used."""


def compile(source: str) -> Expression:  # noqa: A001  what the package is imported for
    """Compile an expression; JSONataError (S…, U1001) with position and token if it is wrong."""
    return Expression(source)


class Expression:
    """One compiled expression; ``str()`` gives its source back."""

    def __init__(self, source: str) -> None:
        self._source = source
        try:
            self._tree, bound = parse(source)
            self._evaluate, scope = compile_tree(self._tree, bound)
        except RecursionError:
            raise JSONataError("U1001", len(source), message=STACK_OVERFLOW) from None
        # Without loops, a few parts can neither take long nor repeat a value often.
        large = scope.nodes > _FEW_NODES
        self._shares = scope.shares or large
        self._needs_run = scope.uses_run or large
        self._needs_input = scope.uses_input
        self._deepest = scope.deepest

    def __str__(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return f"compile({self._source!r})"

    @cached_property
    def _facts(self) -> Facts:
        return facts_of(self._tree)

    @property
    def variables(self) -> frozenset[str]:
        """Free variables read, functions among them, without ``$``."""
        return self._facts.variables

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """Free variables with the constant field names read off them: ('states', 'input')."""
        return self._facts.paths

    @property
    def root_names(self) -> tuple[Reference, ...]:
        """Names and ``$$`` that are read off the input itself, with their positions."""
        return self._facts.roots

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
        """The value for an input (``$``) and variables; UNDEFINED if there is none.

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
        env: Env = {OUTER: None, GLOBALS: {} if bindings is None else bindings, RUN: UNMETERED}
        if self._needs_input:
            env[GLOBALS] = {**env[GLOBALS], "$": data}
        if self._needs_run:
            env[RUN] = Run(limits, now, random)
        try:
            result = self._evaluate(OuterSequence((data,)) if type(data) is list else data, env)
            if self._shares:
                env[RUN].allocate(written_size(result, {}))
        except RecursionError:
            raise JSONataError("U1001", message=STACK_OVERFLOW) from None
        except (OverflowError, ValueError):
            # Python's, of a number that is beyond doubles, or none, where it has to be whole.
            raise JSONataError("D1001", message="Number out of range") from None
        finally:
            run = env[RUN]
            if run is not UNMETERED and spent is not None and run.spent >= _MANY_STEPS:
                spent(run.spent)
        kind = type(result)
        if kind is float:
            return number(result)
        return list(result) if kind in SEQUENCES else result
