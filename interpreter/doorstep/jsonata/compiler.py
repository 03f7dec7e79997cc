"""What the compiler knows while it compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .callables import Builtin
from .evaluation import Compiled, Env
from .functions import BUILTINS
from .functions.strings import JAVASCRIPT, TextStyle
from .nodes import Lambda, Node
from .values import Value

Column = Callable[[list[Value], Env], list[Value]]
Handler = Callable[[Any, "Compiler", int], Compiled]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an embedder changes of the language; it is compiled in, so that it costs nothing.

    ``functions`` are those that a name stands for which no binding has; ``style`` is how ``&``
    writes what is no string; ``regex_flags`` are added to those of every regular expression.
    """

    functions: Mapping[str, Builtin]
    style: TextStyle
    regex_flags: str


STANDARD: Final = Dialect(BUILTINS, JAVASCRIPT, "")
"""The language as jsonata-js has it."""


@dataclass(slots=True, eq=False)
class Compiler:
    """``level`` counts how deep an expression nests in its function, as jsonata-js counts."""

    handlers: Mapping[type[Node], Handler]
    bound: frozenset[str]
    """The names that are bound anywhere in the expression; all others are the caller's."""
    dialect: Dialect = STANDARD
    binds: bool = False
    """Whether something compiled since the last reset binds a name in its own environment."""
    shares: bool = False
    """Whether a value may be put into another one more than once."""
    keeps: bool = False
    """Whether a value may be an array that stays one: what is at the end of a path does not."""
    uses_run: bool = False
    uses_input: bool = False
    deepest: int = 0
    nodes: int = 0
    """How many were compiled."""

    def compile(self, node: Node, level: int) -> Compiled:
        """Return the closure of a node, its predicates and its grouping applied."""
        self.nodes += 1
        self.deepest = max(self.deepest, level)
        return self.handlers[type(node)](node, self, level)

    def compile_each(self, node: Node, level: int) -> Column:
        """Return what evaluates a node for each of some items."""
        return as_column(self.compile(node, level))

    def make_code(self, _node: Lambda) -> Callable[[Value, Env], Callable[..., Value]] | None:
        """Return what makes a lambda's value a Python function as well; None: nothing does."""
        return None


def as_column(evaluate: Compiled) -> Column:
    """Return what calls a closure for each of some items."""
    return lambda items, env: [evaluate(item, env) for item in items]
