"""What AWS refuses in a JSONata expression when a definition is created.

An expression has no context item: `$states` and variables are all there is. So a name, `$` or `$$`
that would be read from the context is refused; a name further down a path, in a predicate or in a
sort term is not, but one in a function's body is (each measured: facts 6 to 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..jsonata import nodes
from ..jsonata.errors import JSONataError
from ..jsonata.nodes import Node
from ..jsonata.parser import parse
from .diagnostics import Diagnostics, Location, error

ERROR_OUTPUT = "$states.errorOutput"


def expression(text: str, location: Location) -> Diagnostics:
    """Check the text between `{%` and `%}` (facts 6 to 8)."""
    try:
        tree, _ = parse(text)
    except JSONataError as problem:
        yield error(problem.message, location, "INVALID_JSONATA_EXPRESSION", problem.caret(text))
        return
    for name in dict.fromkeys(references(tree)):
        if name != ERROR_OUTPUT or not location.error_output:
            yield error(_refused(name), location, "UNSUPPORTED_JSONATA_EXPRESSION", _instead(name))


def references(node: Node) -> Iterator[str]:
    """Yield what an expression reads from the context that AWS does not provide, as written."""
    inner = _INSIDE.get(type(node))
    if inner is not None:
        for child in inner(node):
            yield from references(child)
    match node:
        case nodes.Name():
            yield node.value
        case nodes.Variable(name=""):
            yield "$"
        case nodes.Variable(name="$"):
            yield "$$"
        case nodes.Path(steps=[nodes.Variable(name="states"), nodes.Name(value="errorOutput"), *_]):
            yield ERROR_OUTPUT


def _pairs(node: nodes.Object) -> Iterable[Node]:
    return (part for pair in node.pairs for part in pair)


# Where the context of the whole still holds; what is not listed has a context of its own.
_INSIDE: dict[type[Node], Callable[..., Iterable[Node]]] = {
    nodes.Path: lambda node: node.steps[:1],
    nodes.Negate: lambda node: [node.operand],
    nodes.Binary: lambda node: [node.left, node.right],
    nodes.Apply: lambda node: [node.left, node.right],
    nodes.Array: lambda node: node.items,
    nodes.Object: _pairs,
    nodes.Block: lambda node: node.expressions,
    nodes.Condition: lambda node: [
        part for part in (node.test, node.then, node.otherwise) if part is not None
    ],
    nodes.Bind: lambda node: [node.value],
    nodes.Call: lambda node: [node.procedure, *node.arguments],
    nodes.Partial: lambda node: [node.procedure, *node.arguments],
    nodes.Lambda: lambda node: [node.body],
}


def _refused(name: str) -> str:
    # Facts 6 and 8: AWS's words.
    if name == "$$":
        return "Reference to '$$' is not supported."
    if name == ERROR_OUTPUT:
        return f"Field '{name}' does not exist."
    return f"Reference to '{name}' at the top level is not supported."


def _instead(name: str) -> str:
    if name == ERROR_OUTPUT:
        return "it exists in a catcher's Output and Assign only"
    if name in ("$", "$$"):
        return "the state's input is $states.input"
    return f"did you mean $states.input.{name} or the variable ${name}?"
