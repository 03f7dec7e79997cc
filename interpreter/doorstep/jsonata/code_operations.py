"""Operators and calls as Python text: the values of their operands and arguments have names."""

from __future__ import annotations

from typing import Any

from . import nodes
from .callables import Builtin
from .code_text import ANY, BOOLEAN, MAYBE, NUMBER, STOP, TEXT, WHOLE, Text, Unfit
from .compile_calls import spine
from .compile_operators import ARITHMETIC, COMPARISONS
from .nodes import Node
from .values import SAFE


class Operations(Text):
    """What a node comes to that combines the values of others."""

    def _binary(self, node: nodes.Binary, level: int) -> str:
        symbol = node.operator
        if symbol in ("and", "or"):
            return self._logic(node, level)
        if symbol in ("in", ".."):
            raise Unfit
        left, right = self._value(node.left, level + 1), self._value(node.right, level + 1)
        if symbol == "&":
            return self._concatenation(left, right)
        if symbol in ("=", "!="):
            return self._equality(symbol, left, right)
        arithmetic = ARITHMETIC.get(symbol)
        operate = self._constant(arithmetic or COMPARISONS[symbol])
        details = f"{operate}, {self._constant(symbol)}, {self._constant(node.position)}"
        tests = [f"type({side}) is int" for side in (left, right) if self._kind(side) != WHOLE]
        slow = f"({details}, {left}, {right}"
        fast = f"{left} {symbol} {right} if {' and '.join(tests) or True} else "
        if arithmetic is None:
            return self._assign(f"{fast}in_order{slow}, run)", MAYBE)
        slow = f"calculate{slow})"
        result = self._assign(slow if symbol in "/%" else fast + slow, NUMBER)
        if symbol in "+-*":
            safe = f"type({result}) is not int or {-SAFE} <= {result} <= {SAFE}"
            self._write(f"if not ({safe}): {result} = {slow}")
        return result

    def _equality(self, symbol: str, left: str, right: str) -> str:
        kind, fixed = "int", WHOLE
        if TEXT in (self._kind(left), self._kind(right)):
            kind, fixed = "str", TEXT
        tests = [f"type({s}) is {kind}" for s in (left, right) if self._kind(s) != fixed]
        if kind == "str":
            tests.append(f"len({left}) < 8192")
        slow = f"same({left}, {right}, run)"
        if symbol == "!=":
            slow = f"({left} is not U and {right} is not U and not {slow})"
        fast = f"{left} {symbol.rjust(2, '=')} {right}"
        return self._assign(f"{fast} if {' and '.join(tests) or True} else {slow}", BOOLEAN)

    def _concatenation(self, left: str, right: str) -> str:
        style = self._constant(self._compiler.dialect.style)
        left, right = (
            self._assign(f"{side} if type({side}) is str else text_of(run, {side}, {style})", TEXT)
            for side in (left, right)
        )
        self._write(f"run.allocate(len({left}) + len({right}))")
        return self._assign(f"{left} + {right}", TEXT)

    def _branch(self, result: str, node: Node, level: int, *, truth: bool = False) -> str:
        """Write one branch of a condition, whose value becomes the result's; return its kind."""
        value, lines = self._apart(self._value, node, level)
        self._lines += lines
        self._write(f" {result} = {self._truth(value) if truth else value}")
        return self._kind(value)

    def _logic(self, node: nodes.Binary, level: int) -> str:
        left = self._value(node.left, level + 1)
        result = self._assign(self._truth(left), BOOLEAN)
        self._write(f"if {'' if node.operator == 'and' else 'not '}{result}:")
        self._branch(result, node.right, level + 1, truth=True)
        return result

    def _condition(self, node: nodes.Condition, level: int) -> str:
        test = self._truth(self._value(node.test, level + 1))
        result = self._name()
        self._write(f"if {test}:")
        kind = self._branch(result, node.then, level + 1)
        if node.otherwise is None:
            self._write(f"else: {result} = U")
            return result
        self._write("else:")
        if kind == self._branch(result, node.otherwise, level + 1):
            self._kinds[result] = kind
        return result

    def _negation(self, node: nodes.Negate, level: int) -> str:
        operand, at = self._value(node.operand, level + 1), self._constant(node.position)
        slow = f"negate({operand}, {at})"
        return self._assign(f"-{operand} if type({operand}) is int else {slow}", NUMBER)

    # -- calls

    def _apply(self, node: nodes.Apply, level: int) -> str:
        return self._calling(node.right, [node.left], level, keep_array=node.keep_array)

    def _call(self, node: nodes.Call, level: int) -> str:
        return self._calling(node, [], level, keep_array=node.keep_array)

    def _calling(self, node: Any, first: list[Node], level: int, *, keep_array: bool) -> str:
        tail = node.tail and not first
        name = node.procedure.name if isinstance(node.procedure, nodes.Variable) else ""
        function = self._compiler.dialect.functions.get(name)
        if name in self._compiler.bound or type(function) is not Builtin:
            raise Unfit
        if tail and (node.group or node.keep_array):
            raise Unfit
        self.deepest = max(self.deepest, self._depth + level)
        arguments, deeper = [*first, *node.arguments], 0 if tail else level
        if name in ("map", "filter", "reduce") and len(arguments) > 1 and _is_plain(arguments[1]):
            write = self._reduce if name == "reduce" else self._map
            result = write(name, arguments, level, deeper)
        else:
            values = [self._value(argument, level + 1) for argument in arguments]
            result = self._builtin(function, values, deeper, "None" if tail else self._context)
        if not tail and self._kind(result) == ANY:
            finish = "keep" if keep_array else "collapse"
            self._write(f"if isinstance({result}, list): {result} = {finish}({result})")
        return result

    def _builtin(self, function: Builtin, values: list[str], deeper: int, context: str) -> str:
        signature = function.signature
        if function.name == "exists" and len(values) == 1:
            return self._assign(f"{values[0]} is not U", BOOLEAN)
        arguments = f"{self._constant(signature.validate)}([{', '.join(values)}], {context})"
        if signature.text.startswith("<a<n>:") and len(values) == 1:
            arguments = f"([{values[0]}] if are_numbers({values[0]}) else {arguments})"
        call = f"{self._constant(function.implementation)}(run, *{arguments})"
        if signature.text.endswith((":n>", ":b>")):
            return self._assign(call, NUMBER)
        if self._metered:
            self._write(f"run.depth += {deeper}")
        result = self._assign(call)
        if self._metered:
            self._write(f"run.depth -= {deeper}")
        return result

    def _inline(self, function: Any, arguments: list[str], deeper: int) -> str:
        """Write the body of a function, its parameters the names of the arguments."""
        outer, depth = self._scope, self._depth
        given = [*arguments, *["U"] * len(function.parameters)]
        self._scope = {**outer, **dict(zip(function.parameters, given, strict=False))}
        self._depth += deeper
        self.deepest = max(self.deepest, self._depth + spine(function.body) - 1)
        result = self._value(function.body, 1)
        self._scope, self._depth = outer, depth
        return result

    def _begin(self, argument: Node, level: int, deeper: int) -> tuple[str, str]:
        """Begin a block for an argument that is not missing; return its items and the result."""
        value = self._value(argument, level + 1)
        result = self._assign("U")
        self._write(f"if {value} is not U:")
        self._indent += 1
        self._write(f"run.depth += {deeper}")
        return self._as_list(value), result

    def _end(self, deeper: int) -> None:
        self._write(f"run.depth -= {deeper}")
        self._indent -= 1

    def _map(self, name: str, arguments: list[Node], level: int, deeper: int) -> str:
        function: Any = arguments[1]
        if len(arguments) > 2:
            raise Unfit
        items, result = self._begin(arguments[0], level, deeper)
        self._write(f"{result} = Sequence()")

        def each(item: str, place: str) -> None:
            value = self._inline(function, [item, place, items], deeper)
            condition = self._truth(value) if name == "filter" else f"{value} is not U"
            appended = item if name == "filter" else value
            self._write(f"if {condition}: {result}.append({appended})")

        self._each(items, each, 2 if len(function.parameters) == 1 else 4)
        self._end(deeper)
        return result

    def _reduce(self, _name: str, arguments: list[Node], level: int, deeper: int) -> str:
        function: Any = arguments[1]
        if len(arguments) > 3 or len(function.parameters) < 2:
            raise Unfit
        start = self._value(arguments[2], level + 1) if len(arguments) > 2 else "U"
        self._write(f"if is_function({start}): {STOP}")
        items, result = self._begin(arguments[0], level, deeper)
        self._charge(f"len({items})")
        room = self._assign("run.room")
        skipped = self._assign(f"1 if {start} is U and {items} else 0")
        self._write(f"{result} = {items}[0] if {skipped} else {start}")
        rest = self._assign(f"{items}[1:] if {skipped} else {items}")

        def each(item: str, place: str) -> None:
            at = f"({place} + {skipped})" if len(function.parameters) > 2 else "U"
            value = self._inline(function, [result, item, at, items], deeper)
            self._write(f"{result} = {value}")
            if self._kind(value) in (ANY, TEXT):
                self._write(f"if isinstance({result}, list): {result} = collapse({result})")
                self._write(f"elif type({result}) is str: run.room = {room} - len({result})")

        self._each(rest, each, 3)
        self._end(deeper)
        return result


def _is_plain(node: Node) -> bool:
    """Return whether an argument that is called is a function written out, and nothing else."""
    return isinstance(node, nodes.Lambda) and not (
        node.signature or node.predicates or node.group or node.keep_array
    )
