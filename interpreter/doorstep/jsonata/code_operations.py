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
        if symbol in ("in", ".."):
            raise Unfit
        left = self._value(node.left, level + 1)
        if symbol in ("and", "or"):
            result = self._assign(self._truth(left), BOOLEAN)
            test = result if symbol == "and" else f"not {result}"
            self._branch(f"if {test}:", result, node.right, level + 1, truth=True)
            return result
        right = self._value(node.right, level + 1)
        if symbol == "&":
            return self._concatenation(left, right)
        if symbol in ("=", "!="):
            return self._equality(symbol, left, right)
        arithmetic = ARITHMETIC.get(symbol)
        operate = self._constant(arithmetic or COMPARISONS[symbol])
        slow = f"{operate}, {self._constant(symbol)}, {self._constant(node.position)}"
        slow += f", {left}, {right}"
        tests = [f"type({side}) is int" for side in (left, right) if self._kind(side) != WHOLE]
        fast = f"{left} {symbol} {right} if {' and '.join(tests) or True} else "
        if arithmetic is None:
            return self._assign(f"{fast}in_order({slow}, run)", MAYBE)
        slow = f"calculate({slow})"
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
        slow = f"{'same' if symbol == '=' else 'different'}({left}, {right}, run)"
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

    def _branch(
        self, head: str, result: str, node: Node, level: int, *, truth: bool = False
    ) -> str:
        """Write one branch of a condition, whose value becomes the result's; return its kind."""
        with self._under(head):
            value = self._value(node, level)
            self._write(f"{result} = {self._truth(value) if truth else value}")
        return self._kind(value)

    def _condition(self, node: nodes.Condition, level: int) -> str:
        test = self._truth(self._value(node.test, level + 1))
        result = self._name()
        kind = self._branch(f"if {test}:", result, node.then, level + 1)
        if node.otherwise is None:
            self._write(f"else: {result} = U")
        elif kind == self._branch("else:", result, node.otherwise, level + 1):
            self._kinds[result] = kind
        return result

    # -- calls

    def _apply(self, node: nodes.Apply, level: int) -> str:
        right: Any = node.right
        arguments = [node.left, *right.arguments]
        return self._call(nodes.Call(node.position, right.procedure, arguments), level)

    def _call(self, node: nodes.Call, level: int) -> str:
        name = node.procedure.name if isinstance(node.procedure, nodes.Variable) else ""
        function = self._compiler.dialect.functions.get(name)
        if name in self._compiler.bound or type(function) is not Builtin:
            raise Unfit
        if node.tail and node.group:
            raise Unfit
        self.deepest = max(self.deepest, self._depth + level)
        deeper = 0 if node.tail else level
        if name in ("map", "filter", "reduce") and _is_plain(node.arguments[1:]):
            result = self._loop(name, node.arguments, level, deeper)
        else:
            values = [self._value(argument, level + 1) for argument in node.arguments]
            result = self._builtin(function, values, deeper, "None" if node.tail else self._context)
        if not node.tail and self._kind(result) == ANY:
            self._write(f"if isinstance({result}, list): {result} = collapse({result})")
        return result

    def _builtin(self, function: Builtin, values: list[str], deeper: int, context: str) -> str:
        signature = function.signature
        arguments = f"{self._constant(signature.validate)}([{', '.join(values)}], {context})"
        if signature.text.startswith("<a<n>:") and len(values) == 1:
            arguments = f"([{values[0]}] if are_numbers({values[0]}) else {arguments})"
        call = f"{self._constant(function.implementation)}(run, *{arguments})"
        if signature.text.endswith((":n>", ":b>")):
            return self._assign(call, NUMBER)
        self._write(f"run.depth += {deeper}")
        result = self._assign(call)
        self._write(f"run.depth -= {deeper}")
        return result

    def _inline(self, function: Any, arguments: list[str], deeper: int) -> str:
        """Write the body of a function, its parameters the names of the arguments."""
        outer, depth = self._scope, self._depth
        values = [*arguments, *["U"] * len(function.parameters)]
        self._scope = {**outer, **dict(zip(function.parameters, values, strict=False))}
        self._depth += deeper
        self.deepest = max(self.deepest, self._depth + spine(function.body) - 1)
        result = self._value(function.body, 1)
        self._scope, self._depth = outer, depth
        return result

    def _loop(self, name: str, arguments: list[Node], level: int, deeper: int) -> str:
        """Write a call of ``$map``, ``$filter`` or ``$reduce`` with a function written out."""
        function: Any = arguments[1]
        most, size = (3, 2) if name == "reduce" else (2, len(function.parameters))
        if len(arguments) > most or len(function.parameters) != size:
            raise Unfit
        start = self._value(arguments[2], level + 1) if len(arguments) > 2 else "U"
        value = self._value(arguments[0], level + 1)
        present = f"[] if {value} is U else [{value}]"
        items = self._assign(f"{value} if isinstance({value}, list) else {present}")
        self._write(f"run.depth += {deeper}")
        if name == "reduce":
            result = self._reduce(function, start, value, items, deeper)
        else:
            result = self._assign(f"U if {value} is U else Sequence()")

            def each(item: str, place: str) -> None:
                value = self._inline(function, [item, place, items], deeper)
                test = self._truth(value) if name == "filter" else f"{value} is not U"
                self._write(f"if {test}: {result}.append({item if name == 'filter' else value})")

            self._each(items, each, 2 if size == 1 else 4)
        self._write(f"run.depth -= {deeper}")
        return result

    def _reduce(self, function: Any, start: str, value: str, items: str, deeper: int) -> str:
        self._write(f"if is_function({start}): {STOP}")
        self._charge(f"len({items})")
        room = self._assign("run.room")
        if start != "U":
            both = f"[{start}, *{items}]"
            items = self._assign(f"{items} if {start} is U or {value} is U else {both}")
        result = self._assign(f"{items}[0] if {items} else U")

        def each(item: str, _place: str) -> None:
            value = self._inline(function, [result, item], deeper)
            self._write(f"{result} = {value}")
            if self._kind(value) in (ANY, TEXT):
                self._write(f"if isinstance({result}, list): {result} = collapse({result})")
                self._write(f"elif type({result}) is str: run.room = {room} - len({result})")

        self._each(self._assign(f"{items}[1:]"), each, 3)
        return result


def _is_plain(arguments: list[Node]) -> bool:
    """Return whether an argument that is called is a function written out, and nothing else."""
    function = arguments[0] if arguments else None
    return isinstance(function, nodes.Lambda) and not (
        function.signature or function.predicates or function.group
    )
