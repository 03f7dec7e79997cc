"""What AWS refuses in a JSONata expression when a definition is created.

An expression has no context item: `$states` and variables are all there is. So a name, `$` or `$$`
that would be read from the context is refused; a name further down a path, in a predicate or in a
sort term is not, but one in a function's body is (each measured: facts 6 to 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    for child in _inside(node):
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


def _inside(node: Node) -> Iterable[Node]:
    """Return the parts of a node where the context of the whole still holds."""
    match node:
        case nodes.Path():
            return node.steps[:1]
        case nodes.Block():
            return node.expressions
        case nodes.Bind():
            return [node.value]
        case nodes.Lambda():
            return [node.body]
        case nodes.Transform():
            return []
    return nodes.children(node)


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
