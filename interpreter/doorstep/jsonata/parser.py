"""Tokens to a syntax tree: a Pratt parser that builds the tree as it goes.

What belongs together is put together at once: ``a.b[0]`` is one Path, predicates stand at their
step, and every ``%`` is resolved (ancestry) when its path is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

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
    path_of,
    text_of,
)
from .lexer import Lexer, Token
from .nodes import (
    Apply,
    Array,
    Bind,
    Block,
    Call,
    Condition,
    Descendants,
    Group,
    Hole,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Parent,
    Partial,
    Path,
    Placeholder,
    Regex,
    Slot,
    Sort,
    SortTerm,
    Transform,
    Variable,
    Wildcard,
)
from .signatures import Signature
from .values import number

POWERS: Final = {
    ".": 75,
    "[": 80,
    "{": 70,
    "(": 80,
    "@": 80,
    "#": 80,
    "?": 20,
    "+": 50,
    "-": 50,
    "*": 60,
    "/": 60,
    "%": 60,
    "=": 40,
    "<": 40,
    ">": 40,
    "^": 40,
    ":=": 10,
    "!=": 40,
    "<=": 40,
    ">=": 40,
    "~>": 40,
    "and": 30,
    "or": 25,
    "in": 40,
    "&": 50,
}
"""How strongly an infix operator binds; what is not here ends an expression."""

_PREFIX_POWER: Final = 70
_MAX_NESTING: Final = 128


def parse(source: str) -> tuple[Node, frozenset[str]]:
    """The tree of an expression and the names bound in it; JSONataError S… if it has none."""
    parser = Parser(source)
    return parser.parse(), frozenset(parser.bound)


class Parser:
    """One expression's parser: ``token`` is the one looked at."""

    def __init__(self, source: str) -> None:
        self._lexer = Lexer(source)
        self._labels = 0
        self._nesting = 0
        self._problem: JSONataError | None = None
        self.token = Token("end", "(end)", 0)
        self.bound: set[str] = set()

    def parse(self) -> Node:
        self._advance()
        tree = self._expression(0)
        if self.token.kind != "end":
            raise JSONataError("S0201", self.token.position, _token_text(self.token))
        if self._problem is not None:
            raise self._problem
        if isinstance(tree, Parent) or tree.seeking is not None:
            raise JSONataError("S0217", tree.position, type(tree).__name__.lower())
        return tree

    def _advance(self, expected: str | None = None, *, infix: bool = False) -> None:
        token = self.token
        if expected is not None and not (token.kind == "operator" and token.value == expected):
            code = "S0203" if token.kind == "end" else "S0202"
            raise JSONataError(code, token.position, _token_text(token), value=expected)
        self.token = self._lexer.next(infix=infix)
        if self.token.kind == "operator" and self.token.value in ("!", "~"):
            raise JSONataError("S0204", self.token.position, self.token.value)

    def _defer(self, problem: JSONataError) -> None:
        """A fault of meaning: it counts only if the whole is well formed."""
        self._problem = self._problem or problem

    def _joined(self, join: Callable[..., Node], left: Node, *parts: Any) -> Node:
        try:
            return join(left, *parts)
        except JSONataError as problem:
            self._defer(problem)
            return left

    def _at(self, operator: str) -> bool:
        return self.token.kind == "operator" and self.token.value == operator

    def _expression(self, power: int) -> Node:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise JSONataError("U1001", self.token.position, message=STACK_OVERFLOW)
        token = self.token
        self._advance(infix=True)
        left = self._prefix(token)
        while self.token.kind == "operator" and power < POWERS.get(self.token.value, 0):
            token = self.token
            self._advance()
            left = self._infix(token, left)
        self._nesting -= 1
        return left

    # -- what an expression can start with

    def _prefix(self, token: Token) -> Node:
        at = token.position
        match token.kind:
            case "name":
                return path_of(Name(at, token.value))
            case "variable":
                return Variable(at, token.value)
            case "number":
                return Literal(at, number(token.value))
            case "string" | "value":
                return Literal(at, token.value)
            case "regex":
                return Regex(at, token.value)
            case "end":
                self._defer(JSONataError("S0207", at, "(end)"))
                return Hole(at)
            case _:
                return self._prefix_operator(token)

    def _prefix_operator(self, token: Token) -> Node:
        at = token.position
        match token.value:
            case "and" | "or" | "in":
                return path_of(Name(at, token.value))
            case "-":
                return self._negation(at)
            case "*":
                return Wildcard(at)
            case "**":
                return Descendants(at)
            case "%":
                self._labels += 1
                return Parent(at, Slot(f"!{self._labels}"))
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
        operand = self._expression(_PREFIX_POWER)
        if isinstance(operand, Literal) and type(operand.value) in (int, float):
            operand.value = -operand.value
            return operand
        node = Negate(at, operand)
        ancestry.pass_up(node, operand)
        return node

    def _block(self, at: int) -> Node:
        block = Block(at, [])
        while not self._at(")"):
            part = self._expression(0)
            block.expressions.append(part)
            ancestry.pass_up(block, part)
            first = part.steps[0] if isinstance(part, Path) else part
            if isinstance(first, Array | Block) and first.constructed:
                block.constructed = True
            if not self._at(";"):
                break
            self._advance(";")
        self._advance(")", infix=True)
        return block

    def _array(self, at: int) -> Node:
        array = Array(at, [])
        while not self._at("]"):
            item = self._expression(0)
            if self._at(".."):
                position = self.token.position
                self._advance("..")
                item = binary("..", position, item, self._expression(0))
            array.items.append(item)
            ancestry.pass_up(array, item)
            if not self._at(","):
                break
            self._advance(",")
            if self._at("]"):
                self._fail_prefix()
        self._advance("]", infix=True)
        return array

    def _object(self, at: int) -> Node:
        pairs = self._pairs()
        node = Object(at, pairs)
        for pair in pairs:
            for part in pair:
                ancestry.pass_up(node, part)
        return node

    def _pairs(self) -> list[tuple[Node, Node]]:
        pairs: list[tuple[Node, Node]] = []
        while not self._at("}"):
            key = self._expression(0)
            self._advance(":")
            pairs.append((key, self._expression(0)))
            if not self._at(","):
                break
            self._advance(",")
            if self._at("}"):
                self._fail_prefix()
        self._advance("}", infix=True)
        return pairs

    def _fail_prefix(self) -> NoReturn:
        raise JSONataError("S0211", self.token.position, _token_text(self.token))

    def _transform(self, at: int) -> Node:
        pattern = self._expression(0)
        self._advance("|")
        update = self._expression(0)
        delete = None
        if self._at(","):
            self._advance(",")
            delete = self._expression(0)
        self._advance("|")
        return Transform(at, pattern, update, delete)

    # -- what can follow

    def _infix(self, token: Token, left: Node) -> Node:
        at = token.position
        match token.value:
            case ".":
                return self._joined(join_step, left, self._expression(POWERS["."]))
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
                right = self._expression(POWERS["~>"])
                node = Apply(at, left, right)
                node.keep_array = left.keep_array or right.keep_array
                return node
        return binary(token.value, at, left, self._expression(POWERS[token.value]))

    def _bound_name(self, operator: str) -> str:
        right = self._expression(POWERS[operator])
        if not isinstance(right, Variable):
            raise JSONataError("S0214", right.position, operator)
        self.bound.add(right.name)
        return right.name

    def _predicate(self, at: int, left: Node) -> Node:
        if self._at("]"):
            self._advance("]")
            return keep_array(left)
        condition = self._expression(0)
        self._advance("]", infix=True)
        return self._joined(add_filter, left, condition, at)

    def _group(self, at: int, left: Node) -> Node:
        pairs = self._pairs()
        if left.group is not None:
            self._defer(JSONataError("S0210", at))
        left.group = Group(pairs, at)
        return left

    def _sort(self, at: int, left: Node) -> Node:
        self._advance("(")
        path = left if isinstance(left, Path) else Path(left.position, [left])
        sort = Sort(at, [])
        while True:
            descending = self._at(">")
            if descending or self._at("<"):
                self._advance()
            term = self._expression(0)
            ancestry.pass_up(sort, term)
            sort.terms.append(SortTerm(term, descending))
            if not self._at(","):
                break
            self._advance(",")
        self._advance(")")
        return self._joined(add_order, path, sort)

    def _condition(self, at: int, test: Node) -> Node:
        then = self._expression(0)
        otherwise = None
        if self._at(":"):
            self._advance(":")
            otherwise = self._expression(0)
        node = Condition(at, test, then, otherwise)
        for part in (test, then, otherwise):
            if part is not None:
                ancestry.pass_up(node, part)
        return node

    def _bind(self, at: int, left: Node) -> Node:
        if not isinstance(left, Variable) or left.predicates or left.group:
            raise JSONataError("S0212", left.position, text_of(left))
        self.bound.add(left.name)
        value = self._expression(POWERS[":="] - 1)  # right associative
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
        while not self._at(")"):
            if self._at("?"):
                arguments.append(Placeholder(self.token.position))
                self._advance("?")
            else:
                arguments.append(self._expression(0))
            if not self._at(","):
                break
            self._advance(",")
            if self._at(")"):
                self._fail_prefix()
        self._advance(")", infix=True)
        return arguments

    def _lambda(self, at: int, arguments: list[Node]) -> Node:
        parameters: list[str] = []
        for index, argument in enumerate(arguments, 1):
            if not isinstance(argument, Variable) or argument.predicates or argument.group:
                raise JSONataError("S0208", argument.position, text_of(argument), value=index)
            parameters.append(argument.name)
        signature = self._signature() if self._at("<") else None
        self._advance("{")
        body = self._expression(0)
        self._advance("}")
        self.bound.update(parameters)
        mark_tail_calls(body)
        return Lambda(at, parameters, signature, body)

    def _signature(self) -> Signature:
        start, depth, text = self.token.position, 1, "<"
        while depth > 0 and not self._at("{") and self.token.kind != "end":
            self._advance()
            depth += self._at("<") - self._at(">")
            text += str(self.token.value)
        self._advance(">")
        try:
            return Signature(text)
        except JSONataError as error:
            error.position = start + (error.position or 0)
            raise


def _token_text(token: Token) -> Any:
    return token.value.pattern if token.kind == "regex" else token.value
