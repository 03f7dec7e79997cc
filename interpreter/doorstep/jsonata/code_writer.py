"""The text of the Python function that an expression becomes: `codegen` says when and why.

What a node comes to is written as statements that give its value a name of its own. What has no
method here, and what its method finds unfit, is called as the closure that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any, Final

from . import nodes
from .code_operations import Operations
from .code_text import ANY, BOOLEAN, MAYBE, STOP, TEXT, WHOLE, Unfit
from .compile_filters import compile_object, pick_item
from .compile_paths import is_constructed, plain_names
from .evaluation import OBJECT, Compiled
from .nodes import Node, inside
from .reads import Reads
from .values import SAFE, UNDEFINED


class Writer(Operations):
    """Writes the body of a function of `data`, the bindings `g` and `run`, node by node."""

    def body(self, guarded: set[str], *, metered: bool, shares: bool) -> str:
        """Return the statements; ``guarded``: names that must not be the caller's functions."""
        result = self._value(self._tree, 1)
        lines, self._lines = self._lines, []
        functions = self._compiler.dialect.functions
        for name in sorted(guarded):
            key = self._constant(name)
            test = f"{key} in g" if name in functions else f"callable(g.get({key}))"
            self._write(f"if {test}: {STOP}")
        for name, variable in self._free.items():
            default = self._constant(functions.get(name, UNDEFINED))
            self._write(f"{variable} = g.get({self._constant(name)}, {default})")
        used = "\n".join(lines)
        if "context" in used:
            self._write("context = OuterSequence((data,)) if type(data) is list else data")
        if "env" in used:
            self._write("env = {OUTER: None, GLOBALS: g, RUN: run}")
        self._lines += lines
        if metered and shares:
            self._write(f"run.allocate(written_size({result}, {{}}))")
        if metered:
            self._write(f"if run.left < 0 or run.room < 0: {STOP}")
        finished = self._kind(result) in (BOOLEAN, MAYBE, TEXT)
        rest = "" if finished else f" if type({result}) in PLAIN else finished({result})"
        self._write(f"return {result}{rest}")
        return "\n".join(self._lines)

    def _value(self, node: Node, level: int, context: str | None = None) -> str:
        """Write what evaluates a node, in a context of its own if there is one; name its value."""
        lines, size = self._lines, len(self._lines)
        state = self._indent, self._depth, self._context, self._scope
        self._context = context or self._context
        try:
            write = _METHODS.get(type(node))
            if write is None:
                raise Unfit
            result = write(self, node, level)
            if not isinstance(node, nodes.Path):
                result = self._decorated(node, result, level)
        except Unfit:
            self._lines = lines
            del lines[size:]
            self._indent, self._depth, _, self._scope = state
            if node is self._tree:
                raise
            result = self._closure(self._compiler.compile(node, level), node)
        self._context = state[2]
        return result

    def _closure(self, evaluate: Compiled, node: Node) -> str:
        """Call a closure; unfit if it may leave a call to the function that it ends."""
        names = {path[0] for path in Reads(node).paths} & self._compiler.bound
        if names - self._scope.keys() or any(getattr(part, "tail", False) for part in inside(node)):
            raise Unfit
        local = "".join(f", {self._constant(n)}: {self._scope[n]}" for n in sorted(names))
        env = f"{{**env{local}}}" if local else "env"
        return self._assign(f"{self._constant(evaluate)}({self._context}, {env})")

    # -- leaves and paths

    def _literal(self, node: nodes.Literal, _level: int) -> str:
        kind = {int: WHOLE, str: TEXT, bool: BOOLEAN}.get(type(node.value), ANY)
        large = kind == WHOLE and not -SAFE <= node.value <= SAFE
        return self._constant(node.value, ANY if large else kind)

    def _variable(self, node: nodes.Variable, _level: int) -> str:
        if node.name == "":
            return "data" if self._context == "context" else self._context
        if node.name in self._scope:
            return self._scope[node.name]
        return self._free.setdefault(node.name, f"v{len(self._free)}")

    def _field(self, node: nodes.Name, _level: int) -> str:
        of, name = self._context, self._constant(node.value)
        other = f"field_of({of}, {name}, run)"
        return self._assign(f"{of}.get({name}, U) if type({of}) is dict else {other}")

    def _fields(self, of: str, names: list[str]) -> str:
        """Write the fields off objects, one below the other; OTHER where there is no object."""
        result = self._name()
        for name in names:
            key = self._constant(name)
            self._write(f"{result} = {of}.get({key}, U) if type({of}) is dict else OTHER")
            of = result
        return result

    def _path(self, node: nodes.Path, level: int) -> str:
        first, names, level = node.steps[0], plain_names(node), level + 1
        if names is not None:
            start = self._context if isinstance(first, nodes.Name) else self._value(first, level)
            result = self._fields(start, names)
            of, slow = (names[0], "field_at_end") if len(names) == 1 else (names, "descend")
            slow = f"{slow}({start}, {self._constant(of)}, run)"
            self._write(f"if {result} is OTHER: {result} = {slow}")
            return result
        sorts = any(step.stages and isinstance(step, nodes.Sort) for step in node.steps)
        if sorts or is_constructed(first) or any(step.tuple for step in node.steps):
            raise Unfit
        items, rest = self._start(node.steps, level)
        for step in rest:
            items = self._step(items, step, level, "gather_last" if step is rest[-1] else "gather")
        if node.group is not None:
            return self._grouped(node.group.pairs, items, level)
        return self._assign(f"collapse({items})")

    def _start(self, steps: list[Node], level: int) -> tuple[str, list[Node]]:
        """Write the names that a path begins with; return the items they come to, and the rest."""
        first, *rest = steps
        if not isinstance(first, nodes.Variable) or first.stages:
            return self._as_list(self._context), steps
        names: list[str] = []
        while len(rest) > 1 and type(rest[0]) is nodes.Name and not rest[0].stages:
            names.append(rest[0].value)
            rest = rest[1:]
        start = self._value(first, level)
        last = self._fields(start, names) if names else start
        items = self._name()
        slow = f"follow({start}, {self._constant(names)}, run)"
        self._write(f"if {last} is OTHER: {items} = {slow}", "else:")
        self._write(f" run.left -= {1 + len(names)}", f" {items} = gather([{last}], run)")
        return items, rest

    def _step(self, items: str, node: Node, level: int, finish: str) -> str:
        if isinstance(node, nodes.Sort):
            return self._sort(items, node, level)
        if isinstance(node, nodes.Name) and not node.stages:
            self._write(f"run.left -= len({items})")
            fields = f"fields_of({items}, {self._constant(node.value)}, run)"
            return self._assign(f"{finish}({fields}, run)")
        results = self._assign("[]")

        def each(item: str, _place: str) -> None:
            result = self._staged(self._value(node, level, item), node.stages, level)
            self._write(f"{results}.append({result})")

        self._each(items, each, 1)
        return self._assign(f"{finish}({results}, run)")

    def _sort(self, items: str, node: nodes.Sort, level: int) -> str:
        columns, result = [self._assign("[]") for _ in node.terms], self._assign(items)

        def each(item: str, _place: str) -> None:
            for column, term in zip(columns, node.terms, strict=True):
                key = self._value(term.expression, level, item)
                self._write(f"{column}.append({key})")

        descending = self._constant([term.descending for term in node.terms])
        keys, at = ", ".join(columns), self._constant(node.position)
        with self._under(f"if len({items}) > 1:"):
            self._each(items, each, OBJECT)
            self._write(f"{result} = order_items({items}, [{keys}], {descending}, {at}, run)")
        return result

    # -- predicates and grouping

    def _decorated(self, node: Node, name: str, level: int) -> str:
        """Write the predicates and the grouping behind what isn't a path."""
        result = self._staged(name, node.predicates, level + 1)
        if node.group is not None:
            return self._grouped(node.group.pairs, result, level + 1)
        return self._assign(f"collapse({result})") if node.predicates else result

    def _staged(self, name: str, stages: Any, level: int) -> str:
        for stage in stages:
            if isinstance(stage, nodes.Index):
                raise Unfit
            place = stage.expression
            if isinstance(place, nodes.Literal) and type(place.value) in (int, float):
                pick = self._constant(pick_item(floor(place.value)))
                name = self._assign(f"{pick}({name}, None)")
            else:
                name = self._select(name, place, level)
        return name

    def _select(self, name: str, predicate: Node, level: int) -> str:
        items, selected = self._as_list(name), self._assign("[]")
        room = self._assign("run.room")

        def each(item: str, place: str) -> None:
            test = self._value(predicate, level, item)
            self._write(f"if {test} is True: {selected}.append({item})")
            if self._kind(test) not in (BOOLEAN, MAYBE):
                times = f"times_selected({test}, {place}, len({items}), run, {room})"
                self._write(f"elif {test} is not False and {test} is not U:")
                self._write(f" {selected} += [{item}] * {times}")

        self._each(items, each, 1)
        self._write(f"run.allocate(8 * len({selected}))")
        nothing = f"{selected} and {selected}[0] is U"
        return self._assign(f"Sequence() if {nothing} else Sequence({selected})")

    def _object(self, node: nodes.Object, level: int) -> str:
        names = [key.value for key, _ in node.pairs if isinstance(key, nodes.Literal)]
        if len(node.pairs) == 1 and not names:
            return self._grouped(node.pairs, self._context, level + 1)
        if {str} != set(map(type, names)) or len(set(names)) < len(node.pairs):
            raise Unfit
        result = self._name()
        closure = compile_object(node, self._compiler, level)
        with self._under(f"if isinstance({self._context}, list):"):
            self._write(f"{result} = {self._closure(closure, node)}")
        with self._under("else:"):
            self._write(f"run.left -= {OBJECT}")
            members = [
                (self._constant(name), self._value(value, level + 1))
                for name, (_, value) in zip(names, node.pairs, strict=True)
            ]
            text = ", ".join(f"{key}: {value}" for key, value in members)
            self._write(f"{result} = {{{text}}}")
            self._write(*(f"if {value} is U: del {result}[{key}]" for key, value in members))
        return result

    def _grouped(self, pairs: list[tuple[Node, Node]], of: str, level: int) -> str:
        (key, value), *others = pairs
        if others or isinstance(key, nodes.Literal):
            raise Unfit
        items = self._assign(f"({of} or [U]) if isinstance({of}, list) else [{of}]")
        groups, result = self._assign("{}"), self._assign("{}")

        def add(item: str, _place: str) -> None:
            name = self._value(key, level, item)
            self._write(
                f"if type({name}) is str:",
                f" if {name} in {groups}: {groups}[{name}].append({item})",
                f" else: {groups}[{name}] = [{item}]",
                f"elif {name} is not U: {STOP}",
            )

        self._charge(str(OBJECT))
        self._each(items, add, OBJECT)
        name, group = self._name(), self._name()
        with self._under(f"for {name}, {group} in {groups}.items():"):
            member = self._value(value, level, self._assign(f"concatenate({group}, run)"))
            self._write(f"if {member} is not U: {result}[{name}] = {member}")
        return result

    def _block(self, node: nodes.Block, level: int) -> str:
        result = "U"
        for part in node.expressions:
            result = self._value(part, level + 1)
        return result


_METHODS: Final[dict[type[Node], Callable[[Writer, Any, int], str]]] = {
    nodes.Literal: Writer._literal,
    nodes.Variable: Writer._variable,
    nodes.Name: Writer._field,
    nodes.Path: Writer._path,
    nodes.Object: Writer._object,
    nodes.Block: Writer._block,
    nodes.Binary: Writer._binary,
    nodes.Condition: Writer._condition,
    nodes.Apply: Writer._apply,
    nodes.Call: Writer._call,
}
