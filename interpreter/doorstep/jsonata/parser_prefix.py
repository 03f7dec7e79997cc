"""What an expression can start with: names, literals, brackets, minus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from . import ancestry
from .errors import JSONataError
from .joining import binary, path_of
from .lexer import Token
from .nodes import (
    Array,
    Block,
    Descendants,
    Hole,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Parent,
    Path,
    Regex,
    Slot,
    Transform,
    Variable,
    Wildcard,
)
from .regex_pattern import compile_literal
from .tokens import TokenStream
from .values import number

_PREFIX_POWER: Final = 70


class PrefixParser(TokenStream, ABC):
    """The half of the parser that needs nothing on the left."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._labels = 0

    @abstractmethod
    def expression(self, power: int) -> Node:
        """An expression up to the first operator that binds no stronger."""

    def prefix(self, token: Token) -> Node:
        """The expression that starts with a token."""
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
                return Regex(at, compile_literal(token.value, at))
            case "end":
                self.defer(JSONataError("S0207", at, "(end)"))
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
        operand = self.expression(_PREFIX_POWER)
        if isinstance(operand, Literal) and type(operand.value) in (int, float):
            operand.value = -operand.value
            return operand
        node = Negate(at, operand)
        ancestry.pass_up(node, operand)
        return node

    def _block(self, at: int) -> Node:
        block = Block(at, [])
        while not self.at(")"):
            part = self.expression(0)
            block.expressions.append(part)
            ancestry.pass_up(block, part)
            first = part.steps[0] if isinstance(part, Path) else part
            if isinstance(first, Array | Block) and first.constructed:
                block.constructed = True
            if not self.at(";"):
                break
            self.advance(";")
        self.advance(")", infix=True)
        return block

    def _array(self, at: int) -> Node:
        array = Array(at, [])
        while not self.at("]"):
            item = self.expression(0)
            if self.at(".."):
                position = self.token.position
                self.advance("..")
                item = binary("..", position, item, self.expression(0))
            array.items.append(item)
            ancestry.pass_up(array, item)
            if not self.at(","):
                break
            self.advance(",")
            if self.at("]"):
                self.fail_prefix()
        self.advance("]", infix=True)
        return array

    def _object(self, at: int) -> Node:
        pairs = self.pairs()
        node = Object(at, pairs)
        for pair in pairs:
            for part in pair:
                ancestry.pass_up(node, part)
        return node

    def pairs(self) -> list[tuple[Node, Node]]:
        """``key: value, …}``."""
        pairs: list[tuple[Node, Node]] = []
        while not self.at("}"):
            key = self.expression(0)
            self.advance(":")
            pairs.append((key, self.expression(0)))
            if not self.at(","):
                break
            self.advance(",")
            if self.at("}"):
                self.fail_prefix()
        self.advance("}", infix=True)
        return pairs

    def _transform(self, at: int) -> Node:
        pattern = self.expression(0)
        self.advance("|")
        update = self.expression(0)
        delete = None
        if self.at(","):
            self.advance(",")
            delete = self.expression(0)
        self.advance("|")
        return Transform(at, pattern, update, delete)
