"""What the compiler knows while it compiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .callables import Builtin
from .evaluation import Compiled, Env
from .functions import BUILTINS
from .functions.strings import JAVASCRIPT, TextStyle
from .nodes import Node, Object, children
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
        evaluate = self.compile(node, level)
        return lambda items, env: [evaluate(item, env) for item in items]

    def compile_test(self, node: Node, level: int) -> Column:
        """Return what selects those of some items for which a test is true."""
        evaluate = self.compile(node, level)
        return lambda items, env: [item for item in items if evaluate(item, env) is True]


def count_objects(node: Node) -> int:
    """Return how many objects an evaluation of the node makes at the most, loops aside."""
    return isinstance(node, Object) + sum(map(count_objects, children(node)))
