"""An expression: compiled once, evaluated as often as you like.

What it reads is known without evaluating it: for validation, coverage and data flow.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from . import nodes
from .compile_nodes import compile_tree
from .compiler import STANDARD, Dialect
from .errors import STACK_OVERFLOW, JSONataError
from .evaluation import (
    DEFAULT_LIMITS,
    GLOBALS,
    OUTER,
    RUN,
    UNMETERED,
    Env,
    Evaluation,
    Limits,
    too_deep,
)
from .nodes import Node, children
from .parser import parse
from .sequences import SEQUENCES, written_size
from .values import UNDEFINED, OuterSequence, Value, number

_FEW_NODES: Final = 64
_MANY_STEPS: Final = 1_000
"""From which on an evaluation reports the steps that it took."""

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
            self._evaluate, compiler = compile_tree(self._tree, bound, dialect)
        except RecursionError:
            raise JSONataError("U1001", len(source), message=STACK_OVERFLOW) from None
        # Without loops, a few parts can neither take long nor repeat a value often.
        large = compiler.nodes > _FEW_NODES
        self._shares = compiler.shares or large
        self._needs_run = compiler.uses_run or large
        self._needs_input = compiler.uses_input
        self._deepest = compiler.deepest

    def __str__(self) -> str:
        return self._source

    def __repr__(self) -> str:
        return f"compile({self._source!r})"

    @cached_property
    def _reads(self) -> _Reads:
        return _Reads(self._tree)

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
        env: Env = {OUTER: None, GLOBALS: {} if bindings is None else bindings, RUN: UNMETERED}
        if self._needs_input:
            env[GLOBALS] = {**env[GLOBALS], "$": data}
        if self._needs_run:
            env[RUN] = Evaluation(limits, _clock if now is None else now, random or _RANDOM)
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


# -- what an expression reads


@dataclass(frozen=True, slots=True)
class RootName:
    """Something read off the input: a field's name, or ``$$``; ``position`` is behind it."""

    name: str
    position: int


class _Reads:
    """``paths``: a free variable and the fields read off it, as far as they are constant.

    ``roots``: what is read off the input where the input itself is the context: not inside a path,
    a predicate or a grouping.
    """

    def __init__(self, tree: Node) -> None:
        self.paths: set[tuple[str, ...]] = set()
        self.roots: list[RootName] = []
        self.read(tree, {""}, at_root=True)

    def read(self, node: Node, bound: set[str], *, at_root: bool) -> None:
        """Read a node; ``bound`` is the set of its block's own names and grows with ``:=``."""
        match node:
            case nodes.Path():
                self._path(node, bound, at_root=at_root)
            case nodes.Variable():
                self._variable(node, (), bound)
            case nodes.Name() if at_root:
                self.roots.append(RootName(node.value, node.position))
            case nodes.Block():
                inner = set(bound)
                for part in node.expressions:
                    self.read(part, inner, at_root=at_root)
            case nodes.Lambda():
                self.read(node.body, bound | set(node.parameters), at_root=at_root)
            case nodes.Bind():
                if isinstance(node.value, nodes.Lambda):
                    bound.add(node.name)  # a function may call itself
                self.read(node.value, bound, at_root=at_root)
                bound.add(node.name)
            case _:
                here = at_root and not isinstance(node, nodes.Transform)
                for part in children(node):
                    self.read(part, bound, at_root=here)
        self._trailing(node, bound)

    def _path(self, path: nodes.Path, bound: set[str], *, at_root: bool) -> None:
        first, *rest = path.steps
        names = _constant_names(rest)
        if isinstance(first, nodes.Variable):
            self._variable(first, names if not _is_filtered(first) else (), bound)
            self._trailing(first, bound)
        else:
            self.read(first, bound, at_root=at_root)
        inner = bound | {n for step in path.steps for n in (step.focus, step.index) if n}
        for step in rest:
            if not isinstance(step, nodes.Name):
                self.read(step, inner, at_root=False)
            else:
                self._trailing(step, inner)

    def _variable(self, node: nodes.Variable, names: tuple[str, ...], bound: set[str]) -> None:
        if node.name == "$":
            self.roots.append(RootName("$$", node.position))
        elif node.name not in bound:
            self.paths.add((node.name, *names))

    def _trailing(self, node: Node, bound: set[str]) -> None:
        """Read predicates and groupings: their context is not the input."""
        for stage in (*node.predicates, *node.stages):
            if isinstance(stage, nodes.Filter):
                self.read(stage.expression, bound, at_root=False)
        for pair in node.group.pairs if node.group is not None else ():
            for part in pair:
                self.read(part, bound, at_root=False)


def _constant_names(steps: list[Node]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        if not isinstance(step, nodes.Name):
            break
        names.append(step.value)
        if _is_filtered(step):
            break
    return tuple(names)


def _is_filtered(node: Node) -> bool:
    """Return whether predicates other than a constant index follow."""
    return not all(
        isinstance(stage, nodes.Filter) and isinstance(stage.expression, nodes.Literal)
        for stage in (*node.predicates, *node.stages)
    )
