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
from ..values.did_you_mean import did_you_mean
from .diagnostics import TASK_TOKEN, Diagnostics, Location, error

_ALWAYS = frozenset(("input", "context"))
_MEMBERS = {
    "result": "it exists in Output and Assign of Task, Parallel and Map only",
    "errorOutput": "it exists in a catcher's Output and Assign only",
    TASK_TOKEN: "only a Task has a task token",
}
"""The members of `$states` that exist in some places only, and a hint at these."""


def expression(text: str, location: Location) -> Diagnostics:
    """Check the text between `{%` and `%}` (facts 6 to 8, 142)."""
    try:
        tree, bound = parse(text)
    except JSONataError as problem:
        yield error(problem.message, location, "INVALID_JSONATA_EXPRESSION", problem.caret(text))
        return
    own = "states" in bound  # the expression has a $states of its own
    for name in dict.fromkeys(references(tree)):
        member = name.removeprefix(_STATES)
        if member == name or not (own or member in _ALWAYS or member in location.readable):
            yield error(_refused(name), location, "UNSUPPORTED_JSONATA_EXPRESSION", _instead(name))


_STATES = "$states."


def references(node: Node) -> Iterator[str]:
    """Yield what an expression reads from the context, and the members of `$states`, as written."""
    for child in _inside(node):
        yield from references(child)
    match node:
        case nodes.Name():
            yield node.value
        case nodes.Variable(name=""):
            yield "$"
        case nodes.Variable(name="$"):
            yield "$$"
        case nodes.Path(steps=[nodes.Variable(name="states"), nodes.Name(value=member), *rest]):
            token = [getattr(step, "value", None) for step in rest[:2]] == ["Task", "Token"]
            yield _STATES + (TASK_TOKEN if member == "context" and token else member)


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
    # Facts 6, 8 and 142: AWS's words.
    if name == "$$":
        return "Reference to '$$' is not supported."
    if name.startswith(_STATES):
        return f"Field '{name}' does not exist."
    return f"Reference to '{name}' at the top level is not supported."


def _instead(name: str) -> str:
    member = name.removeprefix(_STATES)
    if member != name:
        return _MEMBERS.get(member) or (
            did_you_mean(member, dict.fromkeys((*_ALWAYS, *_MEMBERS)))
            or "$states has input, context, result and errorOutput"
        )
    if name in ("$", "$$"):
        return "the state's input is $states.input"
    return f"did you mean $states.input.{name} or the variable ${name}?"
