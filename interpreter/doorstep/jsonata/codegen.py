"""Expressions that are evaluated often, as Python functions.

A function does what the closure of the same node does: it takes the same arguments, returns the
same values, counts the same steps and fails alike. It is one Python expression for all the nodes
below it that are operators, conditions, objects or names; what else there is below stays a
closure, and is compiled with functions inside where there are such nodes again.

All text that is compiled is our own: names, constants and closures of the expression are arguments
`k0`, `k1` …, so that expressions that differ in them alone share one code object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Final

from . import nodes
from .callables import finish, is_array_of_numbers
from .compile_calls import call_at
from .compile_filters import constant_names, finish_object
from .compile_nodes import HANDLERS
from .compile_operators import ARITHMETIC, COMPARISONS, operation, placed, truth_at
from .compile_paths import plain_names
from .compiler import Column, Compiler
from .evaluation import GLOBALS, OUTER, RUN, UNMETERED, Compiled, Env, Evaluation
from .nodes import Node
from .sequences import collapse, descend, field_at_end, field_of, finished
from .values import SAFE, UNDEFINED, OuterSequence, Undefined, Value, truthy

Code = Callable[[Value, Mapping[str, Value], Evaluation], Value]
"""A whole expression as a function of the context, the bindings and what it may use up."""

_MOST_LEVELS: Final = 40
"""How deep a text nests at most; below, a function of its own begins."""


def generate(tree: Node, known: Compiler) -> Code:
    """Return the function of a whole expression; ``known``: what its closures were made with."""
    generator = _Generator(HANDLERS, known.bound, known.dialect, keeps=known.keeps)
    text = _Text(generator, 1, run="r", bindings="g")
    value = text.of(tree, 1)
    env = " e = {OUTER: None, GLOBALS: g, RUN: r}\n" if "(c, e)" in value else ""
    code: Code = text.function(
        f"def code(c, g, r=UNMETERED):\n{env} v = {value}\n"
        " return v if type(v) in PLAIN else finished(v)"
    )
    return code


@dataclass(slots=True, eq=False)
class _Generator(Compiler):
    """Compiles what can be a function to one, and all else to closures."""

    made: dict[Node, tuple[Compiled, bool]] = field(default_factory=dict)
    """The closures that texts around them may need again, and whether they bind a name."""

    def compile(self, node: Node, level: int) -> Compiled:
        """Return the function or the closure of a node."""
        write = _COMPOUNDS.get(type(node))
        text = _Text(self, level)
        value = None if write is None or _is_decorated(node) else write(text, node, level)
        if value is None:
            return self.closure(node, level)
        code: Compiled = text.function(f"def code(c, e):\n return {value}")
        return code

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
        text = _Text(self, level, run="r", bindings="g")
        value = text.of(node, level)
        code: Column = text.function(
            f"def code(items, e):\n g, r = e[GLOBALS], e[RUN]\n return [{value} for c in items]"
        )
        return code

    def make_code(self, node: nodes.Lambda) -> Callable[[Value, Env], Callable[..., Value]] | None:
        """Return what makes a lambda's value a Python function as well."""
        if self.binds:  # the body changes its own environment, which a parameter would not see
            return None
        names = [f"x{place}" for place in range(len(node.parameters))]
        scope = dict(zip(node.parameters, names, strict=True))
        text = _Text(self, 1, run="r", bindings="g", scope=scope)
        value = text.of(node.body, 1)
        env = ""
        if "(c, e)" in value:
            bound = ", ".join(f"{text.constant(name)}: {local}" for name, local in scope.items())
            env = f"  e = {{OUTER: outer, GLOBALS: g, RUN: r, {bound}}}\n"
            value = f"finish({value}, None, r)"
        parameters = "".join(f"{name}=U, " for name in names)
        make: Callable[[Value, Env], Callable[..., Value]] = text.function(
            f"def code(c, outer):\n g, r = outer[GLOBALS], outer[RUN]\n"
            f" def call({parameters}*_):\n{env}  return {value}\n return call"
        )
        return make


class _Text:
    """Writes nodes as Python expressions of the context `c` and the environment `e`."""

    def __init__(
        self,
        compiler: _Generator,
        level: int,
        run: str = "e[RUN]",
        bindings: str = "e[GLOBALS]",
        scope: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._compiler = compiler
        self._top = level
        self._run = run
        self._bindings = bindings
        self._scope = scope
        self._constants: list[Any] = []
        self._names = 0
        self._place: tuple[int, str] | None = None
        """The operator that errors are placed at, as its right side is written."""

    def function(self, body: str) -> Any:
        """Return the function of a text that is complete."""
        return _make(body, len(self._constants))(*self._constants)

    def of(self, node: Node, level: int) -> str:
        """Return the text of a node."""
        if level > self._top + _MOST_LEVELS:
            return self._closure(self._compiler.compile(node, level))
        write = None if _is_decorated(node) else _WRITERS.get(type(node))
        text = write and write(self, node, level)
        return text or self._closure(self._compiler.closure(node, level))

    def _closure(self, closure: Compiled) -> str:
        if self._place is not None:
            closure = placed(closure, *self._place)
        return f"{self.constant(closure)}(c, e)"

    def constant(self, value: Any) -> str:
        """Name what is not text."""
        self._constants.append(value)
        return f"k{len(self._constants) - 1}"

    def _name(self) -> str:
        self._names += 1
        return f"t{self._names}"

    # -- leaves and names

    def _literal(self, node: nodes.Literal, _level: int) -> str:
        return self.constant(node.value)

    def _variable(self, node: nodes.Variable, level: int) -> str:
        if node.name == "":
            return "(c[0] if type(c) is OuterSequence else c)"
        if node.name in self._scope:
            return self._scope[node.name]
        name = self.constant(node.name)
        if node.name in self._compiler.bound:
            outer = self._closure(self._compiler.closure(node, level))
            return f"(e[{name}] if {name} in e else {outer})"
        default = self._compiler.dialect.functions.get(node.name, UNDEFINED)
        return f"{self._bindings}.get({name}, {self.constant(default)})"

    def _field(self, node: nodes.Name, _level: int) -> str:
        name = self.constant(node.value)
        return f"(c.get({name}, U) if type(c) is dict else field_of(c, {name}, {self._run}))"

    def _path(self, node: nodes.Path, level: int) -> str | None:
        names = plain_names(node)
        if names is None or self._compiler.keeps:
            return None
        first, tests = node.steps[0], []
        start = value = "c" if isinstance(first, nodes.Name) else self._name()
        named = value if value == "c" else f"{value} := {self.of(first, level + 1)}"
        for name in names:
            tests.append(f"type({named}) is dict")
            get = f"{value}.get({self.constant(name)}"
            value = self._name()
            named = f"{value} := {get})"
        at, of = ("field_at_end", names[0]) if len(names) == 1 else ("descend", names)
        slow = f"{at}({start}, {self.constant(of)}, {self._run})"
        return f"({get}, U) if {' and '.join(tests)} else {slow})"

    # -- operators

    def _binary(self, node: nodes.Binary, level: int) -> str:
        symbol = node.operator
        if symbol in ("and", "or"):
            return self._logic(node, level)
        place = self._place or (node.position, symbol)
        operate = self.constant(operation(symbol, *place, self._compiler.dialect))
        left, right = self.of(node.left, level + 1), self.of(node.right, level + 1)
        if symbol not in _PYTHON:
            return f"{operate}({left}, {right}, {self._run})"
        a, b = self._name(), self._name()
        test = f"type({a} := {left}) is type({b} := {right}) is int"
        if isinstance(node.right, nodes.Literal):
            kind = type(node.right.value)
            if kind is int or (kind is str and symbol in _TESTS and len(node.right.value) < 8192):
                b, test = right, f"type({a} := {left}) is {kind.__name__}"
        slow = f"{operate}({a}, {b}, {self._run})"
        fast = f"{a} {_PYTHON[symbol]} {b}"
        if symbol not in ARITHMETIC:
            return f"({fast} if {test} else {slow})"
        result = self._name()
        return f"({result} if {test} and {-SAFE} <= ({result} := {fast}) <= {SAFE} else {slow})"

    def _logic(self, node: nodes.Binary, level: int) -> str:
        outer = self._place
        place = outer or (node.position, node.operator)
        left = self._truth(node.left, level + 1, place)
        self._place = place
        right = self._truth(node.right, level + 1, place)
        self._place = outer
        return f"({left} {node.operator} {right})"

    def _truth(self, node: Node, level: int, place: tuple[int, str] | None) -> str:
        """Write a value as True or False."""
        value = self.of(node, level)
        if isinstance(node, nodes.Binary) and not _is_decorated(node):
            if node.operator in _TESTS:
                return value
            if node.operator in COMPARISONS:
                return f"({value} is True)"
        truth = "truthy" if place is None else self.constant(partial(truth_at, *place))
        return f"{truth}({value}, {self._run})"

    def _condition(self, node: nodes.Condition, level: int) -> str:
        test = self._truth(node.test, level + 1, self._place)
        then = self.of(node.then, level + 1)
        otherwise = "U" if node.otherwise is None else self.of(node.otherwise, level + 1)
        return f"({then} if {test} else {otherwise})"

    # -- compounds

    def _object(self, node: nodes.Object, level: int) -> str | None:
        names = constant_names(node.pairs)
        if names is None:
            return None
        fields = ", ".join(
            f"{self.constant(name)}: {self.of(value, level + 1)}"
            for name, (_, value) in zip(names, node.pairs, strict=True)
        )
        closure = self._closure(self._compiler.closure(node, level))
        return f"({closure} if isinstance(c, list) else finish_object({{{fields}}}, {self._run}))"

    def _call(self, node: nodes.Call, level: int) -> str | None:
        if node.tail or self._place or not isinstance(node.procedure, nodes.Variable):
            return None
        call = self.constant(call_at(node, level, collapse))
        function = self.of(node.procedure, level + 1)
        arguments = [self.of(argument, level + 1) for argument in node.arguments]
        name, compiler = node.procedure.name, self._compiler
        builtin = None if name in compiler.bound else compiler.dialect.functions.get(name)
        if builtin is not None and builtin.signature.takes_numbers and len(arguments) == 1:
            value, same = self._name(), f"{function} is {self.constant(builtin)}"
            fast = f"{self.constant(builtin.implementation)}({self._run}, {value})"
            test = f"is_array_of_numbers({value} := {arguments[0]}) and {same}"
            return f"({fast} if {test} else {call}({function}, [{value}], c, {self._run}))"
        return f"{call}({function}, [{', '.join(arguments)}], c, {self._run})"

    def _block(self, node: nodes.Block, level: int) -> str | None:
        compiler = self._compiler
        outer, compiler.binds = compiler.binds, False
        text = self.of(node.expressions[0], level + 1) if len(node.expressions) == 1 else None
        needs_env, compiler.binds = compiler.binds, outer
        return None if needs_env else text


_COMPOUNDS: Final[dict[type[Node], Callable[[_Text, Any, int], str | None]]] = {
    nodes.Path: _Text._path,
    nodes.Binary: _Text._binary,
    nodes.Condition: _Text._condition,
    nodes.Object: _Text._object,
    nodes.Call: _Text._call,
}
_WRITERS: Final[dict[type[Node], Callable[[_Text, Any, int], str | None]]] = {
    **_COMPOUNDS,
    nodes.Literal: _Text._literal,
    nodes.Variable: _Text._variable,
    nodes.Name: _Text._field,
    nodes.Block: _Text._block,
}
_PYTHON: Final = {
    **{symbol: symbol for symbol in ("+", "-", "*", *COMPARISONS)},
    "=": "==",
    "!=": "!=",
}
"""Python's operators that do the same with two integers, and tests with texts."""
_TESTS: Final = frozenset(("=", "!=", "in", "and", "or"))
"""Operators that never come to anything but a boolean."""


def _is_decorated(node: Node) -> bool:
    return bool(node.predicates or node.group or node.keep_array)


@lru_cache(maxsize=1024)
def _make(body: str, constants: int) -> Callable[..., Any]:
    names = ", ".join(f"k{place}" for place in range(constants))
    scope: dict[str, Any] = {}
    text = f"def make({names}):\n " + body.replace("\n", "\n ") + "\n return code"
    exec(compile(text, "<jsonata>", "exec"), _RUNTIME, scope)  # noqa: S102  all of it is ours
    return scope["make"]  # type: ignore[no-any-return]


_RUNTIME: Final[dict[str, Any]] = {
    "GLOBALS": GLOBALS,
    "OUTER": OUTER,
    "OuterSequence": OuterSequence,
    "PLAIN": frozenset((str, int, bool, type(None), dict, list, Undefined)),
    "RUN": RUN,
    "U": UNDEFINED,
    "UNMETERED": UNMETERED,
    "descend": descend,
    "field_at_end": field_at_end,
    "field_of": field_of,
    "finish": finish,
    "finish_object": finish_object,
    "finished": finished,
    "is_array_of_numbers": is_array_of_numbers,
    "truthy": truthy,
}
"""What the text calls by name."""
