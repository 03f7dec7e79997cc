"""Expressions that are evaluated often, as Python functions.

The closures are the reference. Generated code counts the same steps and makes the same values; at
an error or a limit it is left, and the closures evaluate the expression from its start and fail as
they do. So only what may be evaluated twice is generated: nothing that calls the caller's functions
or draws random numbers.

All text that is compiled is our own (`code_writer`, `code_operations`): names, constants and
functions of the expression are arguments `k0`, `k1` …, so that expressions that differ in them
alone share one code object.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from . import compile_filters, compile_operators, evaluation, nodes, sequences, values
from .code_text import Unfit
from .code_writer import Writer
from .compile_nodes import HANDLERS
from .compiler import Compiler, Dialect
from .nodes import Node, inside

Code = Callable[[values.Value, Any, evaluation.Evaluation], values.Value]
"""An expression as a function of the input, the bindings and what it may use up."""

_CALLING: Final = frozenset(["map", "filter", "reduce", "sort", "single", "each", "sift"])
_MATCHING: Final = frozenset(["contains", "match", "replace", "split"])
"""Functions that call an argument, and those that may."""
_DRAWING: Final = frozenset(("random", "shuffle", "uuid"))


def generate(
    tree: Node, bound: frozenset[str], dialect: Dialect, *, metered: bool, shares: bool
) -> tuple[Code, int] | None:
    """Return the code of an expression and how deep it nests; None if it is not worth it."""
    compiler = Compiler(HANDLERS, bound, dialect)
    try:
        every = list(inside(tree))
        guarded = _guarded(every, compiler)
        if guarded is None:
            return None
        writer = Writer(tree, compiler)
        make = _make(writer.body(guarded, metered=metered, shares=shares), len(writer.constants))
    except (Unfit, SyntaxError, RecursionError, MemoryError):
        return None
    return make(*writer.constants), writer.deepest


@lru_cache(maxsize=1024)
def _make(body: str, constants: int) -> Callable[..., Code]:
    names = ", ".join(f"k{place}" for place in range(constants))
    scope: dict[str, Any] = {}
    text = f"def make({names}):\n def code(data, g, run=UNMETERED):\n{body}\n return code"
    exec(compile(text, "<jsonata>", "exec"), _RUNTIME, scope)  # noqa: S102  all of it is ours
    return scope["make"]  # type: ignore[no-any-return]


def _follow(
    value: values.Value, names: list[str], run: evaluation.Evaluation
) -> list[values.Value]:
    """Return what the first steps of a path come to: a variable's value, and names."""
    run.tick()
    items = sequences.gather([value], run)
    for name in names:
        run.left -= len(items)
        items = sequences.gather(sequences.fields_of(items, name, run), run)
    return items


def _are_numbers(value: values.Value) -> bool:
    return isinstance(value, list) and values.NUMBERS.issuperset(map(type, value))


_RUNTIME: Final[dict[str, Any]] = {
    **{
        name: value
        for module in (evaluation, values, sequences, compile_operators, compile_filters)
        for name, value in vars(module).items()
        if not name.startswith("_")
    },
    "U": values.UNDEFINED,
    "OTHER": object(),
    "PLAIN": frozenset((str, int, bool, type(None), dict, list, values.Undefined)),
    "follow": _follow,
    "are_numbers": _are_numbers,
}
"""What the generated text calls by name."""


def _guarded(every: list[Node], compiler: Compiler) -> set[str] | None:
    """Return the names that must not be the caller's functions; None if there can be no code.

    No code: for what can't be evaluated twice, what binds variables, and ``[]``, as arrays that
    stay arrays may be in any field then.
    """
    variables = {node.name for node in every if isinstance(node, nodes.Variable)}
    guarded: set[str] = set()
    for node in every:
        if node.keep_array or getattr(node, "keep_singleton", False):
            return None
        match node:
            case nodes.Parent() | nodes.Partial() | nodes.Transform() | nodes.Bind():
                return None
            case nodes.Apply(right=right) if not isinstance(right, nodes.Call):
                return None
            case nodes.Call(procedure=procedure):
                name = procedure.name if isinstance(procedure, nodes.Variable) else ""
                if name not in compiler.bound and name not in compiler.dialect.functions:
                    return None
                guarded.add(name)
                if name in compiler.bound or name in _CALLING or name in _MATCHING:
                    guarded |= variables
    return None if variables & _DRAWING else guarded - compiler.bound - {"", "$"}
