"""Expressions that are evaluated often, as Python functions.

A function does what the closure of the same node does: it takes the same arguments, returns the
same values, counts the same steps and fails alike. It is one Python expression for all the nodes
below it that are operators, conditions, objects, names, calls or lambdas; what else there is below
stays a closure, and is compiled with functions inside where there are such nodes again.

All text that is compiled is our own: names, constants and closures of the expression are arguments
`k0`, `k1` …, so that expressions that differ in them alone share one code object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from . import callables, compile_filters, evaluation, nodes, sequences, values
from .compile_calls import call_at, lambda_code
from .compile_nodes import HANDLERS, array_of
from .compile_operators import ARITHMETIC, COMPARISONS, operation, placed
from .compile_paths import plain_names
from .compiler import Column, Compiler
from .evaluation import Compiled
from .nodes import Node
from .values import UNDEFINED, Value

_MOST_LEVELS: Final = 30
"""How deep a text nests at most; below, a function of its own begins."""


def generate(tree: Node, known: Compiler) -> Callable[..., Value]:
    """Return a whole expression as a function of the context, the bindings and the Evaluation.

    ``known``: what its closures were made with.
    """
    text = _Text(_Generator(HANDLERS, known.bound, known.dialect, keeps=known.keeps))
    value = f"v if type(v := {text.of(tree, 1)}) in PLAIN else finished(v)"
    return text.function("x0, g, r=UNMETERED", value, _OF_BINDINGS)


@dataclass(slots=True, eq=False)
class _Generator(Compiler):
    """Compiles what can be a function to one, and all else to closures."""

    made: dict[Node, tuple[Compiled, bool]] = field(default_factory=dict)
    """The closures that texts around them may need again, and whether they bind a name."""

    def compile(self, node: Node, level: int) -> Compiled:
        """Return the function or the closure of a node."""
        text = _Text(self)
        value = text.written(node, level)
        return text.function("x0, e", value) if value else self.closure(node, level)

    def closure(self, node: Node, level: int) -> Compiled:
        """Return the closure of a node."""
        if node not in self.made:
            outer, self.binds = self.binds, False
            self.made[node] = Compiler.compile(self, node, level), self.binds
            self.binds = outer
        made, binds = self.made[node]
        self.binds = self.binds or binds
        return made

    def compile_each(self, node: Node, level: int) -> Column:
        """Return what evaluates a node for each of some items."""
        text = _Text(self)
        return text.function("items, e", f"[{text.of(node, level)} for x0 in items]")

    def compile_test(self, node: Node, level: int) -> Column:
        """Return what selects those of some items for which a test is true."""
        text = _Text(self)
        test = text.truth(node, level, None)
        return text.function("items, e", f"[x0 for x0 in items if {test}]")


_OF_ENV: Final = {"g.": "g = e[GLOBALS]", " r)": "r = e[RUN]"}
_OF_BINDINGS: Final = {" e)": "e = {OUTER: None, GLOBALS: g, RUN: r}"}
"""What a text needs of an environment, or of the bindings; by how it shows that it does."""


class _Text:
    """Writes nodes as Python expressions of a context, `x0` at first, and the environment `e`."""

    def __init__(self, compiler: _Generator) -> None:
        self._compiler = compiler
        self._context = "x0"
        self._scope: dict[str, str] = {}
        """The names of lambdas' parameters in the text."""
        self._constants: list[Any] = []
        self._names = self._levels = self._closures = 0
        self._place: tuple[int, str] | None = None
        """The operator that errors are placed at, as its right side is written."""

    def function(
        self, parameters: str, value: str, more: Mapping[str, str] = _OF_ENV
    ) -> Callable[..., Any]:
        """Return the function of a text that is complete; ``more``: what it may need besides."""
        needed = "".join(f"{text}; " for name, text in more.items() if name in value)
        make = _make(f"def code({parameters}): {needed}return {value}", len(self._constants))
        return make(*self._constants)  # type: ignore[no-any-return]

    def of(self, node: Node, level: int) -> str:
        """Return the text of a node."""
        if self._levels == _MOST_LEVELS:
            return self._closure(self._compiler.compile(node, level))
        self._levels += 1
        text = self.written(node, level)
        self._levels -= 1
        return text or self._closure(self._compiler.closure(node, level))

    def written(self, node: Node, level: int) -> str | None:
        """Return the text of a node; None if it has to be a closure."""
        write = None if nodes.is_decorated(node) else _WRITERS.get(type(node))
        return write and write(self, node, level)

    def _closure(self, closure: Compiled) -> str:
        self._closures += 1
        if self._place is not None:
            closure = placed(closure, *self._place)
        return f"{self._constant(closure)}({self._context}, e)"

    def _constant(self, value: Any) -> str:
        """Name what is not text."""
        self._constants.append(value)
        return f"k{len(self._constants) - 1}"

    def _name(self) -> str:
        self._names += 1
        return f"x{self._names}"

    def _named(self, text: str) -> tuple[str, str]:
        """Return the name of a value, and the text that says the value for the first time."""
        if text.isidentifier():
            return text, text
        name = self._name()
        return name, f"{name} := {text}"

    # -- leaves and names

    def _literal(self, node: nodes.Literal, _level: int) -> str:
        return self._constant(node.value)

    def _variable(self, node: nodes.Variable, level: int) -> str:
        context = self._context
        if node.name == "":
            return f"({context}[0] if type({context}) is OuterSequence else {context})"
        if node.name in self._scope:
            return self._scope[node.name]
        name = self._constant(node.name)
        if node.name in self._compiler.bound:
            outer = self._constant(self._compiler.closure(node, level))
            return f"(e[{name}] if {name} in e else {outer}({context}, e))"
        default = self._compiler.dialect.functions.get(node.name, UNDEFINED)
        return f"g.get({name}, {self._constant(default)})"

    def _field(self, node: nodes.Name, _level: int) -> str:
        context, name = self._context, self._constant(node.value)
        slow = f"field_of({context}, {name}, r)"
        return f"({context}.get({name}, UNDEFINED) if type({context}) is dict else {slow})"

    def _path(self, node: nodes.Path, level: int) -> str | None:
        names = plain_names(node)
        if names is None or self._compiler.keeps:
            return None
        first, tests = node.steps[0], []
        text = self._context if isinstance(first, nodes.Name) else self.of(first, level + 1)
        start, named = value, _ = self._named(text)
        for name in names:
            tests.append(f"type({named}) is dict")
            value, named = self._named(f"{value}.get({self._constant(name)})")
        end = named.partition(" := ")[2].removesuffix(")")
        at, of = ("field_at_end", names[0]) if len(names) == 1 else ("descend", names)
        slow = f"{at}({start}, {self._constant(of)}, r)"
        return f"({end}, UNDEFINED) if {' and '.join(tests)} else {slow})"

    # -- operators

    def _binary(self, node: nodes.Binary, level: int) -> str:
        symbol = node.operator
        if symbol in ("and", "or"):
            return self._logic(node, level)
        place = self._place or (node.position, symbol)
        operate = self._constant(operation(symbol, *place, self._compiler.dialect))
        left, right = self.of(node.left, level + 1), self.of(node.right, level + 1)
        if symbol not in _PYTHON:
            return f"{operate}({left}, {right}, r)"
        (a, left), (b, right) = self._named(left), self._named(right)
        test = f"type({left}) is type({right}) is int"
        if isinstance(node.right, nodes.Literal) and b == right:
            kind = type(node.right.value)
            short = kind is str and symbol in ("=", "!=") and len(node.right.value) < 8192
            if kind is int or short:
                test = f"type({left}) is {kind.__name__}"
        slow = f"{operate}({a}, {b}, r)"
        fast = f"{a} {_PYTHON[symbol]} {b}"
        if symbol not in ARITHMETIC:
            return f"({fast} if {test} else {slow})"
        result, safe = self._name(), values.SAFE
        return f"({result} if {test} and {-safe} <= ({result} := {fast}) <= {safe} else {slow})"

    def _logic(self, node: nodes.Binary, level: int) -> str:
        outer = self._place
        place = outer or (node.position, node.operator)
        left = self.truth(node.left, level + 1, place)
        self._place = place
        right = self.truth(node.right, level + 1, place)
        self._place = outer
        return f"({left} {node.operator} {right})"

    def truth(self, node: Any, level: int, place: tuple[int, str] | None) -> str:
        """Write a value as True or False."""
        value = self.of(node, level)
        if nodes.is_test(node):
            return f"({value} is True)" if node.operator in COMPARISONS else value
        truth = "truthy" if place is None else self._constant(placed(values.truthy, *place))
        return f"{truth}({value}, r)"

    def _condition(self, node: nodes.Condition, level: int) -> str:
        test = self.truth(node.test, level + 1, self._place)
        then = self.of(node.then, level + 1)
        otherwise = "UNDEFINED" if node.otherwise is None else self.of(node.otherwise, level + 1)
        return f"({then} if {test} else {otherwise})"

    # -- compounds

    def _object(self, node: nodes.Object, level: int) -> str | None:
        names = compile_filters.constant_names(node.pairs)
        if names is None:
            return None
        outer, inner = self._context, self._name()
        self._context = inner
        fields = ", ".join(
            f"{self._constant(name)}: {self.of(value, level + 1)}"
            for name, (_, value) in zip(names, node.pairs, strict=True)
        )
        self._context = outer
        made = self._name()
        # Python evaluates what decides before what it decides about.
        context = f"({inner} := {outer} if type({outer}) in ONE else as_one({outer}, r))"
        object_ = f"UNDEFINED not in ({made} := {{{fields}}}).values()"
        return f"({made} if {context} is {inner} and {object_} else present({made}))"

    def _array(self, node: nodes.Array, level: int) -> str:
        items = ", ".join([self.of(item, level + 1) for item in node.items])
        return f"{self._constant(array_of(node))}([{items}], r)"

    def _call(self, node: nodes.Call, level: int) -> str | None:
        if self._place or not isinstance(node.procedure, nodes.Variable):
            return None
        name = node.procedure.name
        function = self.of(node.procedure, level + 1)
        arguments = ", ".join([self.of(argument, level + 1) for argument in node.arguments])
        if node.tail:
            place = f"{self._constant(node.position)}, {self._constant(name)}"
            return f"TailCall({function}, [{arguments}], {place})"
        call = self._constant(call_at(node.position, name, level, sequences.collapse))
        functions = {} if name in self._compiler.bound else self._compiler.dialect.functions
        builtin = functions.get(name)
        takes_numbers = builtin is not None and builtin.signature.text.startswith("<a<n>:")
        if builtin is None or not takes_numbers or len(node.arguments) != 1:
            return f"{call}({function}, [{arguments}], {self._context}, r)"
        value, same = self._name(), f"{function} is {self._constant(builtin)}"
        fast = f"{self._constant(builtin.implementation)}(r, {value})"
        numbers = (
            f"isinstance({value} := {arguments}, list) and NUMBERS.issuperset(map(type, {value}))"
        )
        slow = f"{call}({function}, [{value}], {self._context}, r)"
        return f"({fast} if {numbers} and {same} else {slow})"

    def _lambda(self, node: nodes.Lambda, _level: int) -> str | None:
        """Write a lambda as one of Python's, if no closure in it needs its environment."""
        if self._place or node in self._compiler.made:
            return None
        outer, closures, binds = self._scope, self._closures, self._compiler.binds
        names = [self._name() for _ in node.parameters]
        self._scope = {**outer, **dict(zip(node.parameters, names, strict=True))}
        body = self.of(node.body, 1)
        bound = [f"{name}={name}" for name in (self._context, *outer.values()) if name in body]
        self._scope, self._compiler.binds = outer, binds
        if self._closures > closures:
            return None
        code = self._constant(lambda_code(node))
        if len(names) == 1 and not node.tails:
            items = self._name()
            head, body = [items, *bound], f"[{body} for {names[0]} in {items}], True"
        else:
            head = [*(f"{name}=UNDEFINED" for name in names), "*_", *bound]
        return f"LambdaValue({code}, lambda {', '.join(head)}: {body})"

    def _block(self, node: nodes.Block, level: int) -> str | None:
        compiler = self._compiler
        outer, compiler.binds = compiler.binds, False
        text = self.of(node.expressions[0], level + 1) if len(node.expressions) == 1 else None
        needs_env, compiler.binds = compiler.binds, outer
        return None if needs_env else text


_WRITERS: Final[dict[type[Node], Callable[[_Text, Any, int], str | None]]] = {
    nodes.Literal: _Text._literal,
    nodes.Variable: _Text._variable,
    nodes.Name: _Text._field,
    nodes.Path: _Text._path,
    nodes.Binary: _Text._binary,
    nodes.Condition: _Text._condition,
    nodes.Object: _Text._object,
    nodes.Array: _Text._array,
    nodes.Call: _Text._call,
    nodes.Lambda: _Text._lambda,
    nodes.Block: _Text._block,
}
_PYTHON: Final = {
    **{symbol: symbol for symbol in ("+", "-", "*", *COMPARISONS)},
    "=": "==",
    "!=": "!=",
}
"""Python's operators that do the same with two integers, and tests with texts."""


@lru_cache(maxsize=1024)
def _make(code: str, constants: int) -> Callable[..., Any]:
    """Return what makes a function of its constants."""
    scope: dict[str, Any] = {}
    names = ", ".join(f"k{place}" for place in range(constants))
    text = f"def make({names}):\n {code}\n return code"
    exec(compile(text, "<jsonata>", "exec"), _RUNTIME, scope)  # noqa: S102  all of it is ours
    return scope["make"]  # type: ignore[no-any-return]


_RUNTIME: Final = {
    **vars(values),
    **vars(evaluation),
    **vars(sequences),
    **vars(callables),
    **vars(compile_filters),
    "ONE": frozenset((dict, values.Undefined)),
    "PLAIN": frozenset((str, int, bool, type(None), dict, list, values.Undefined)),
}
"""What the text calls by name."""
