"""Tokens to a syntax tree: a Pratt parser that builds the tree as it goes.

What belongs together is put together at once: ``a.b[0]`` is one Path, predicates stand at their
step, and every ``%`` is resolved when its path is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeVar

from . import nodes
from .callables import Signature
from .errors import STACK_OVERFLOW, JSONataError
from .lexer import POWERS, Lexer, Token, token_text
from .nodes import Node
from .path_nodes import (
    add_filter,
    add_order,
    binary,
    bind_focus,
    bind_index,
    is_lambda,
    join_step,
    keep_array,
    mark_tail_calls,
    pass_up,
    path_of,
    text_of,
)
from .regex.pattern import Pattern, compile_pattern
from .regex.syntax import RegexError
from .values import number

_T = TypeVar("_T")

_PREFIX_POWER: Final = 70
_MAX_NESTING: Final = 128
_MAX_HEIGHT: Final = 220
"""How deep a tree may be, chains such as ``1 + 1 + …`` included: what recurses over trees relies on
it. Evaluations nest less: 200 terms were measured on AWS to fail at run time, not before."""
_FLAT: Final = frozenset(".[^{@#")
"""What adds to the node on the left, instead of putting it into a new one."""


# Nobody changes a tree that is read. A definition is read by its rules, its data flow and its
# advice, and again after each key in an editor.
@lru_cache(maxsize=2048)
def parse(source: str) -> tuple[Node, frozenset[str]]:
    """Return the tree of an expression and the names bound in it; raise JSONataError (S…)."""
    parser = Parser(source)
    return parser.parse(), frozenset(parser.bound)


class Parser(Lexer):
    """One expression's parser."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._nesting = self._height = self._labels = 0
        self.bound: set[str] = set()

    def parse(self) -> Node:
        """Parse the whole text."""
        self.advance()
        tree = self.expression(0)
        if self.token.kind != "end":
            raise JSONataError("S0201", self.token.position, token_text(self.token))
        if self.problem is not None:
            raise self.problem
        if isinstance(tree, nodes.Parent) or tree.seeking is not None:
            raise JSONataError("S0217", tree.position, type(tree).__name__.lower())
        return tree

    def expression(self, power: int) -> Node:
        """Parse an expression of operators that bind tighter than `power`."""
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise JSONataError("U1001", self.token.position, message=STACK_OVERFLOW)
        token = self.token
        beside, self._height = self._height, 0
        self.advance(infix=True)
        left = self._prefix(token)
        while (token := self.token).kind == "operator" and power < POWERS.get(token.value, 0):
            self.advance()
            left = self._infix(token, left)
            self._height += token.value not in _FLAT
            if self._height > _MAX_HEIGHT:
                raise JSONataError("U1001", token.position, message=STACK_OVERFLOW)
        self._nesting -= 1
        height = self._height + 1
        self._height = max(beside, height)
        return left

    def _joined(self, join: Callable[..., Node], left: Node, *parts: Any) -> Node:
        try:
            return join(left, *parts)
        except JSONataError as problem:
            self.defer(problem)
            return left

    # -- what an expression can start with

    def _prefix(self, token: Token) -> Node:
        """Return the expression that starts with a token."""
        at = token.position
        match token.kind:
            case "name":
                return path_of(nodes.Name(at, token.value))
            case "variable":
                return nodes.Variable(at, token.value)
            case "number":
                return nodes.Literal(at, number(token.value))
            case "string" | "value":
                return nodes.Literal(at, token.value)
            case "regex":
                return nodes.Regex(at, _regex_of(token.value[0], token.value[1], at))
            case "end":
                self.defer(JSONataError("S0207", at, "(end)"))
                return nodes.Hole(at)
            case _:
                return self._prefix_operator(token)

    def _prefix_operator(self, token: Token) -> Node:
        at = token.position
        match token.value:
            case "and" | "or" | "in":
                return path_of(nodes.Name(at, token.value))
            case "-":
                return self._negation(at)
            case "*":
                return nodes.Wildcard(at)
            case "**":
                return nodes.Descendants(at)
            case "%":
                self._labels += 1
                return nodes.Parent(at, nodes.Slot(f"!{self._labels}"))
            case "(":
                return self._block(at)
            case "[":
                return self._array(at)
            case "{":
                return self._object(at)
            case "|":
                return self._transform(at)
        raise JSONataError("S0211", at, token.value)

    def _negation(self, at: int) -> Node:
        operand = self.expression(_PREFIX_POWER)
        if isinstance(operand, nodes.Literal) and type(operand.value) in (int, float):
            operand.value = -operand.value
            return operand
        return pass_up(nodes.Negate(at, operand), operand)

    def _block(self, at: int) -> Node:
        block = nodes.Block(at, [])
        while not self.at(")"):
            part = self.expression(0)
            block.expressions.append(part)
            pass_up(block, part)
            first = part.steps[0] if isinstance(part, nodes.Path) else part
            if isinstance(first, nodes.Array | nodes.Block) and first.constructed:
                block.constructed = True
            if not self.at(";"):
                break
            self.advance(";")
        self.advance(")", infix=True)
        return block

    def _array(self, at: int) -> Node:
        items = self._list("]", self._item)
        return pass_up(nodes.Array(at, items), *items)

    def _item(self) -> Node:
        item = self.expression(0)
        if not self.at(".."):
            return item
        position = self.token.position
        self.advance("..")
        return binary("..", position, item, self.expression(0))

    def _object(self, at: int) -> Node:
        pairs = self._list("}", self._pair)
        return pass_up(nodes.Object(at, pairs), *chain.from_iterable(pairs))

    def _pair(self) -> tuple[Node, Node]:
        key = self.expression(0)
        self.advance(":")
        return key, self.expression(0)

    def _list(self, closing: str, read: Callable[[], _T]) -> list[_T]:
        """Return what stands between commas, up to the closing bracket."""
        items: list[_T] = []
        while not self.at(closing):
            items.append(read())
            if not self.at(","):
                break
            self.advance(",")
            if self.at(closing):
                raise JSONataError("S0211", self.token.position, token_text(self.token))
        self.advance(closing, infix=True)
        return items

    def _transform(self, at: int) -> Node:
        pattern = self.expression(0)
        self.advance("|")
        update = self.expression(0)
        delete = None
        if self.at(","):
            self.advance(",")
            delete = self.expression(0)
        self.advance("|")
        return nodes.Transform(at, pattern, update, delete)

    # -- what can follow

    def _infix(self, token: Token, left: Node) -> Node:
        at = token.position
        match token.value:
            case ".":
                return self._joined(join_step, left, self.expression(POWERS["."]))
            case "[":
                return self._predicate(at, left)
            case "(":
                return self._call(at, left)
            case "{":
                return self._group(at, left)
            case "^":
                return self._sort(at, left)
            case "?":
                return self._condition(at, left)
            case ":=":
                return self._bind(at, left)
            case "@":
                return self._joined(bind_focus, left, self._bound_name("@"), at)
            case "#":
                return bind_index(left, self._bound_name("#"))
            case "~>":
                right = self.expression(POWERS["~>"])
                node = nodes.Apply(at, left, right)
                node.keep_array = left.keep_array or right.keep_array
                return node
        return binary(token.value, at, left, self.expression(POWERS[token.value]))

    def _bound_name(self, operator: str) -> str:
        right = self.expression(POWERS[operator])
        if not isinstance(right, nodes.Variable):
            raise JSONataError("S0214", right.position, operator)
        self.bound.add(right.name)
        return right.name

    def _predicate(self, at: int, left: Node) -> Node:
        if self.at("]"):
            self.advance("]")
            return keep_array(left)
        condition = self.expression(0)
        self.advance("]", infix=True)
        return self._joined(add_filter, left, condition, at)

    def _group(self, at: int, left: Node) -> Node:
        pairs = self._list("}", self._pair)
        if left.group is not None:
            self.defer(JSONataError("S0210", at))
        left.group = nodes.Grouping(pairs, at)
        return left

    def _sort(self, at: int, left: Node) -> Node:
        self.advance("(")
        path = left if isinstance(left, nodes.Path) else nodes.Path(left.position, [left])
        sort = nodes.Sort(at, [])
        while True:
            descending = self.at(">")
            if descending or self.at("<"):
                self.advance()
            term = self.expression(0)
            pass_up(sort, term)
            sort.terms.append((term, descending))
            if not self.at(","):
                break
            self.advance(",")
        self.advance(")")
        return self._joined(add_order, path, sort)

    def _condition(self, at: int, test: Node) -> Node:
        then = self.expression(0)
        otherwise = None
        if self.at(":"):
            self.advance(":")
            otherwise = self.expression(0)
        return pass_up(nodes.Condition(at, test, then, otherwise), test, then, otherwise)

    def _bind(self, at: int, left: Node) -> Node:
        if not isinstance(left, nodes.Variable) or left.predicates or left.group:
            raise JSONataError("S0212", left.position, text_of(left))
        self.bound.add(left.name)
        value = self.expression(POWERS[":="] - 1)  # right associative
        return pass_up(nodes.Bind(at, left.name, value), value)

    def _call(self, at: int, procedure: Node) -> Node:
        arguments = self._list(")", self._argument)
        if is_lambda(procedure):
            return self._lambda(at, arguments)
        is_partial = any(isinstance(argument, nodes.Placeholder) for argument in arguments)
        kind = nodes.Partial if is_partial else nodes.Call
        return pass_up(kind(at, procedure, arguments), *arguments)

    def _argument(self) -> Node:
        if not self.at("?"):
            return self.expression(0)
        placeholder = nodes.Placeholder(self.token.position)
        self.advance("?")
        return placeholder

    def _lambda(self, at: int, arguments: list[Node]) -> Node:
        parameters: list[str] = []
        for index, argument in enumerate(arguments, 1):
            if not isinstance(argument, nodes.Variable) or argument.predicates or argument.group:
                raise JSONataError("S0208", argument.position, text_of(argument), value=index)
            parameters.append(argument.name)
        signature = self._signature() if self.at("<") else None
        self.advance("{")
        body = self.expression(0)
        self.advance("}")
        self.bound.update(parameters)
        return nodes.Lambda(at, parameters, signature, body, mark_tail_calls(body))

    def _signature(self) -> Signature:
        start, depth, text = self.token.position, 1, "<"
        while depth > 0 and not self.at("{") and self.token.kind != "end":
            self.advance()
            depth += self.at("<") - self.at(">")
            text += str(self.token.value)
        self.advance(">")
        try:
            return Signature(text)
        except JSONataError as error:
            error.position = start + (error.position or 0)
            raise


def _regex_of(pattern: str, flags: str, position: int) -> Pattern:
    """Return the pattern of a literal in an expression; raise S0303 if it is none."""
    try:
        return compile_pattern(pattern, flags)
    except RegexError as error:
        raise JSONataError("S0303", position, pattern, value=pattern, reason=str(error)) from None
