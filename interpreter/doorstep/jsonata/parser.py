"""Tokens to a syntax tree: a Pratt parser that builds the tree as it goes.

What belongs together is put together at once: ``a.b[0]`` is one Path, predicates stand at their
step, and every ``%`` is resolved (ancestry) when its path is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import ancestry
from .errors import STACK_OVERFLOW, JSONataError
from .joining import (
    add_filter,
    add_order,
    binary,
    bind_focus,
    bind_index,
    is_lambda,
    join_step,
    keep_array,
    mark_tail_calls,
    text_of,
)
from .lexer import Token
from .nodes import (
    Apply,
    Bind,
    Call,
    Condition,
    Group,
    Lambda,
    Node,
    Parent,
    Partial,
    Path,
    Placeholder,
    Sort,
    SortTerm,
    Variable,
)
from .parser_prefix import PrefixParser
from .signatures import Signature
from .tokens import POWERS, token_text

_MAX_NESTING: Final = 128
_MAX_HEIGHT: Final = 220
"""How deep a tree may be, chains such as ``1 + 1 + …`` included: what recurses over trees relies on
it. Evaluations nest less: 200 terms were measured on AWS to fail at run time, not before."""
_FLAT: Final = frozenset(".[^{@#")
"""What adds to the node on the left, instead of putting it into a new one."""


def parse(source: str) -> tuple[Node, frozenset[str]]:
    """The tree of an expression and the names bound in it; JSONataError S… if it has none."""
    parser = Parser(source)
    return parser.parse(), frozenset(parser.bound)


class Parser(PrefixParser):
    """One expression's parser; this half knows what can follow."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._nesting = self._height = 0
        self.bound: set[str] = set()

    def parse(self) -> Node:
        self.advance()
        tree = self.expression(0)
        if self.token.kind != "end":
            raise JSONataError("S0201", self.token.position, token_text(self.token))
        if self.problem is not None:
            raise self.problem
        if isinstance(tree, Parent) or tree.seeking is not None:
            raise JSONataError("S0217", tree.position, type(tree).__name__.lower())
        return tree

    def expression(self, power: int) -> Node:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise JSONataError("U1001", self.token.position, message=STACK_OVERFLOW)
        token = self.token
        beside, self._height = self._height, 0
        self.advance(infix=True)
        left = self.prefix(token)
        while self.token.kind == "operator" and power < POWERS.get(self.token.value, 0):
            token = self.token
            self.advance()
            left = self._infix(token, left)
            self._height += token.value not in _FLAT
            if self._height > _MAX_HEIGHT:
                raise JSONataError("U1001", token.position, message=STACK_OVERFLOW)
        self._nesting -= 1
        self._height = max(beside, self._height + 1)
        return left

    def _joined(self, join: Callable[..., Node], left: Node, *parts: Any) -> Node:
        try:
            return join(left, *parts)
        except JSONataError as problem:
            self.defer(problem)
            return left

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
                node = Apply(at, left, right)
                node.keep_array = left.keep_array or right.keep_array
                return node
        return binary(token.value, at, left, self.expression(POWERS[token.value]))

    def _bound_name(self, operator: str) -> str:
        right = self.expression(POWERS[operator])
        if not isinstance(right, Variable):
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
        pairs = self.pairs()
        if left.group is not None:
            self.defer(JSONataError("S0210", at))
        left.group = Group(pairs, at)
        return left

    def _sort(self, at: int, left: Node) -> Node:
        self.advance("(")
        path = left if isinstance(left, Path) else Path(left.position, [left])
        sort = Sort(at, [])
        while True:
            descending = self.at(">")
            if descending or self.at("<"):
                self.advance()
            term = self.expression(0)
            ancestry.pass_up(sort, term)
            sort.terms.append(SortTerm(term, descending))
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
        node = Condition(at, test, then, otherwise)
        for part in (test, then, otherwise):
            if part is not None:
                ancestry.pass_up(node, part)
        return node

    def _bind(self, at: int, left: Node) -> Node:
        if not isinstance(left, Variable) or left.predicates or left.group:
            raise JSONataError("S0212", left.position, text_of(left))
        self.bound.add(left.name)
        value = self.expression(POWERS[":="] - 1)  # right associative
        node = Bind(at, left.name, value)
        ancestry.pass_up(node, value)
        return node

    def _call(self, at: int, procedure: Node) -> Node:
        arguments = self._arguments()
        if is_lambda(procedure):
            return self._lambda(at, arguments)
        node: Call | Partial
        if any(isinstance(argument, Placeholder) for argument in arguments):
            node = Partial(at, procedure, arguments)
        else:
            node = Call(at, procedure, arguments)
        for argument in arguments:
            ancestry.pass_up(node, argument)
        return node

    def _arguments(self) -> list[Node]:
        arguments: list[Node] = []
        while not self.at(")"):
            if self.at("?"):
                arguments.append(Placeholder(self.token.position))
                self.advance("?")
            else:
                arguments.append(self.expression(0))
            if not self.at(","):
                break
            self.advance(",")
            if self.at(")"):
                self.fail_prefix()
        self.advance(")", infix=True)
        return arguments

    def _lambda(self, at: int, arguments: list[Node]) -> Node:
        parameters: list[str] = []
        for index, argument in enumerate(arguments, 1):
            if not isinstance(argument, Variable) or argument.predicates or argument.group:
                raise JSONataError("S0208", argument.position, text_of(argument), value=index)
            parameters.append(argument.name)
        signature = self._signature() if self.at("<") else None
        self.advance("{")
        body = self.expression(0)
        self.advance("}")
        self.bound.update(parameters)
        mark_tail_calls(body)
        return Lambda(at, parameters, signature, body)

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
