"""The text of the Python function that an expression becomes: `codegen` says when and why.

What a node comes to is written as statements that give its value a name of its own. What has no
method here, and what its method finds unfit, is called as the closure that it is.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any, Final

from . import nodes
from .callables import Builtin
from .compile_calls import spine
from .compile_filters import compile_group, pick_item
from .compile_operators import ARITHMETIC, COMPARISONS
from .compile_paths import is_constructed, plain_names
from .compiler import Compiler
from .evaluation import OBJECT, OVERHEAD
from .nodes import Node
from .reads import Reads
from .values import SAFE, UNDEFINED, Value

STOP: Final = "raise JSONataError('U1001')"
"""Leaves the function: the closures then say what comes out."""
_BOOLEAN, _MAYBE, _WHOLE, _NUMBER, _TEXT, _OBJECT, _ANY = "bBinsox"
"""What is known of a value: a boolean; one or missing; an integer of at most 53 bits; a number or
missing; a text; an object; nothing."""
_PRESENT: Final = "biso"

Write = Callable[[str, str], None]


class Unfit(Exception):  # noqa: N818  a message to what is around, not an error
    """A node that stays a closure together with what is around it."""


class Writer:
    """Writes the body of a function of `data`, the bindings `g` and `run`, node by node."""

    def __init__(self, tree: Node, compiler: Compiler, *, metered: bool, keeps: bool) -> None:
        self.constants: list[Value] = []
        self.deepest = 0
        self._tree = tree
        self._compiler = compiler
        self._metered = metered
        self._keeps = keeps
        """Whether a field may hold a sequence that stays an array."""
        self._lines: list[str] = []
        self._indent = 2
        self._depth = 0
        self._context = "context"
        self._scope: dict[str, str] = {}
        self._free: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._names = 0

    def body(self, guarded: set[str], *, shares: bool) -> str:
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
        if self._metered and shares:
            self._write(f"run.allocate(written_size({result}, {{}}))")
        if self._metered:
            self._write(f"if run.left < 0 or run.room < 0: {STOP}")
        finished = self._kind(result) in (_BOOLEAN, _MAYBE, _TEXT, _OBJECT)
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
            result = self._closure(self._compiler.compile(node, level), [node], self._context)
        self._context = state[2]
        return result

    def _closure(self, evaluate: Any, read: list[Node], argument: str) -> str:
        """Call a closure; unfit if it may see variables that are bound later."""
        names = {path[0] for node in read for path in Reads(node).paths} & self._compiler.bound
        if names - self._scope.keys() or any(map(_ends_in_tail_call, read)):
            raise Unfit
        local = "".join(f", {self._constant(n)}: {self._scope[n]}" for n in sorted(names))
        env = f"{{**env{local}}}" if local else "env"
        return self._assign(f"{self._constant(evaluate)}({argument}, {env})")

    # -- text

    def _write(self, *lines: str) -> None:
        self._lines += [" " * self._indent + line for line in lines]

    def _name(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def _assign(self, text: str, kind: str = _ANY) -> str:
        name = self._name()
        self._write(f"{name} = {text}")
        self._kinds[name] = kind
        return name

    def _constant(self, value: Value, kind: str = _ANY) -> str:
        self.constants.append(value)
        name = f"k{len(self.constants) - 1}"
        self._kinds[name] = kind
        return name

    def _kind(self, name: str) -> str:
        return self._kinds.get(name, _ANY)

    def _truth(self, name: str) -> str:
        kind = self._kind(name)
        if kind == _BOOLEAN:
            return name
        return f"({name} is True)" if kind == _MAYBE else f"truthy({name}, run)"

    def _as_list(self, name: str) -> str:
        return self._assign(f"{name} if isinstance({name}, list) else [{name}]")

    def _charge(self, steps: str) -> None:
        """Count steps before what takes them is begun."""
        if self._metered:
            self._write(f"run.left -= {steps}", f"if run.left < 0: {STOP}")

    def _apart(self, write: Callable[..., Any], *arguments: Any) -> tuple[Any, list[str]]:
        """Return what is written one block deeper."""
        outer, self._lines = self._lines, []
        self._indent += 1
        result = write(*arguments)
        self._indent -= 1
        inner, self._lines = self._lines, outer
        return result, inner

    def _each(self, items: str, write: Write, steps: int) -> None:
        """Write a loop over items, so many steps each; ``write`` gets the item and its place."""
        item, place = self._name(), self._name() + "_"
        _, lines = self._apart(write, item, place)
        self._charge(f"len({items}) * {steps}")
        counted = any(place in line for line in lines)
        of = f"{place}, {item} in enumerate({items})" if counted else f"{item} in {items}"
        self._write(f"for {of}:")
        self._lines += lines

    # -- leaves and paths

    def _literal(self, node: nodes.Literal, _level: int) -> str:
        kind = {int: _WHOLE, str: _TEXT, bool: _BOOLEAN}.get(type(node.value), _ANY)
        large = kind == _WHOLE and not -SAFE <= node.value <= SAFE
        return self._constant(node.value, _ANY if large else kind)

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
            if self._keeps:
                kept = f"type({result}) is KeptSequence"
                self._write(f"if {kept}: {result} = collapse(Sequence({result}))")
            return result
        keeps = (node.keep_singleton or node.keep_array) and node.group is None
        sorts = any(step.stages and isinstance(step, nodes.Sort) for step in node.steps)
        if keeps or sorts or is_constructed(first) or any(step.tuple for step in node.steps):
            raise Unfit
        items, rest = self._start(node.steps, level)
        for step in rest:
            items = self._step(items, step, level, "gather_last" if step is rest[-1] else "gather")
        if node.group is not None:
            return self._group(node.group.pairs, node.group.position, items, level)
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
        if self._metered:
            self._write(f" run.left -= {1 + len(names)}")
        alone = f"Sequence([{last}])" if isinstance(rest[0], nodes.Sort) else f"[{last}]"
        self._write(f" {items} = {alone} if type({last}) is dict else gather([{last}], run)")
        return items, rest

    def _step(self, items: str, node: Node, level: int, finish: str) -> str:
        if isinstance(node, nodes.Sort):
            return self._sort(items, node, level)
        if isinstance(node, nodes.Name) and not node.stages:
            if self._metered:
                self._write(f"run.left -= len({items})")
            fields = f"fields_of({items}, {self._constant(node.value)}, run)"
            return self._assign(f"{finish}({fields}, run)")
        results, kinds = self._assign("[]"), []

        def each(item: str, _place: str) -> None:
            result = self._staged(self._value(node, level, item), node.stages, level)
            kinds.append(self._kind(result))
            self._write(f"{results}.append({result})")

        self._each(items, each, 1)
        plain = kinds[0] in _PRESENT
        return self._assign(f"Sequence({results})" if plain else f"{finish}({results}, run)")

    def _sort(self, items: str, node: nodes.Sort, level: int) -> str:
        columns, result = [self._assign("[]") for _ in node.terms], self._assign(items)

        def each(item: str, _place: str) -> None:
            for column, term in zip(columns, node.terms, strict=True):
                key = self._value(term.expression, level, item)
                self._write(f"{column}.append({key})")

        self._write(f"if len({items}) > 1:")
        self._lines += self._apart(self._each, items, each, OBJECT)[1]
        descending = self._constant([term.descending for term in node.terms])
        keys, at = ", ".join(columns), self._constant(node.position)
        self._write(f" {result} = order_items({items}, [{keys}], {descending}, {at}, run)")
        return result

    # -- predicates and grouping

    def _decorated(self, node: Node, name: str, level: int) -> str:
        """Write the predicates, the grouping and the ``[]`` behind what isn't a path."""
        result = self._staged(name, node.predicates, level + 1)
        if node.group is not None:
            return self._group(node.group.pairs, node.group.position, result, level + 1)
        if node.keep_array:
            return self._assign(f"keep({result})")
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
            if self._kind(test) not in (_BOOLEAN, _MAYBE):
                times = f"times_selected({test}, {place}, len({items}), run, {room})"
                self._write(f"elif {test} is not False and {test} is not U:")
                self._write(f" {selected} += [{item}] * {times}")

        self._each(items, each, 1)
        self._write(f"run.allocate(8 * len({selected}))")
        nothing = f"{selected} and {selected}[0] is U"
        return self._assign(f"Sequence() if {nothing} else Sequence({selected})")

    def _object(self, node: nodes.Object, level: int) -> str:
        return self._group(node.pairs, node.position, self._context, level + 1)

    def _group(self, pairs: list[tuple[Node, Node]], at: int, of: str, level: int) -> str:
        names = [k.value for k, _ in pairs if isinstance(k, nodes.Literal) and type(k.value) is str]
        if len(pairs) == 1 and not names:
            return self._grouped(*pairs[0], of, level)
        closure = compile_group(pairs, at, self._compiler, level)
        read = [part for pair in pairs for part in pair]
        if len(set(names)) < len(pairs):
            return self._closure(closure, read, of)
        result = self._name()
        self._write(f"if isinstance({of}, list):")
        grouped, lines = self._apart(self._closure, closure, read, of)
        self._lines += [*lines, f"{' ' * self._indent} {result} = {grouped}"]
        self._write("else:")
        values = [value for _, value in pairs]
        self._lines += self._apart(self._build, result, names, values, of, level)[1]
        self._kinds[result] = _OBJECT
        return result

    def _build(self, result: str, names: list[str], of: list[Node], context: str, at: int) -> None:
        """Write an object of the values of nodes, without what is missing."""
        if self._metered:
            self._write(f"run.left -= {OBJECT}")
        members = [
            (self._constant(n), self._value(v, at, context)) for n, v in zip(names, of, strict=True)
        ]
        self._write(f"{result} = {{{', '.join(f'{key}: {value}' for key, value in members)}}}")
        for key, value in members:
            if self._kind(value) not in _PRESENT:
                self._write(f"if {value} is U: del {result}[{key}]")

    def _grouped(self, key: Node, value: Node, of: str, level: int) -> str:
        items = self._assign(f"({of} or [U]) if isinstance({of}, list) else [{of}]")
        groups, result = self._assign("{}"), self._assign("{}", _OBJECT)

        def add(item: str, _place: str) -> None:
            name = self._value(key, level, item)
            self._write(
                f"if type({name}) is str:",
                f" if {name} in {groups}: {groups}[{name}].append({item})",
                f" else: {groups}[{name}] = [{item}]",
                f"elif {name} is not U: {STOP}",
            )

        def build(name: str, group: str) -> None:
            context = self._name()
            self._write(
                f"if {flat} and 0 < len({group}) < 128:",
                f" {context} = {group}",
                f" if len({group}) == 1: {context} = {group}[0]",
                f" else: run.room -= {OVERHEAD} + 8 * len({group})",
                f"else: {context} = concatenate({group}, run)",
            )
            member = self._value(value, level, context)
            self._write(f"if {member} is not U: {result}[{name}] = {member}")

        self._charge(str(OBJECT))
        flat = self._assign(f"is_flat({items})")
        self._each(items, add, OBJECT)
        name, group = self._name(), self._name()
        self._write(f"for {name}, {group} in {groups}.items():")
        self._lines += self._apart(build, name, group)[1]
        return result

    # -- operators

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
        tests = [f"type({side}) is int" for side in (left, right) if self._kind(side) != _WHOLE]
        slow = f"({details}, {left}, {right}"
        fast = f"{left} {symbol} {right} if {' and '.join(tests) or True} else "
        if arithmetic is None:
            return self._assign(f"{fast}in_order{slow}, run)", _MAYBE)
        slow = f"calculate{slow})"
        result = self._assign(slow if symbol in "/%" else fast + slow, _NUMBER)
        if symbol in "+-*":
            safe = f"type({result}) is not int or {-SAFE} <= {result} <= {SAFE}"
            self._write(f"if not ({safe}): {result} = {slow}")
        return result

    def _equality(self, symbol: str, left: str, right: str) -> str:
        kind, fixed = "int", _WHOLE
        if _TEXT in (self._kind(left), self._kind(right)):
            kind, fixed = "str", _TEXT
        tests = [f"type({s}) is {kind}" for s in (left, right) if self._kind(s) != fixed]
        if kind == "str":
            tests.append(f"len({left}) < 8192")
        slow = f"same({left}, {right}, run)"
        if symbol == "!=":
            slow = f"({left} is not U and {right} is not U and not {slow})"
        fast = f"{left} {symbol.rjust(2, '=')} {right}"
        return self._assign(f"{fast} if {' and '.join(tests) or True} else {slow}", _BOOLEAN)

    def _concatenation(self, left: str, right: str) -> str:
        style = self._constant(self._compiler.dialect.style)
        left, right = (
            self._assign(f"{side} if type({side}) is str else text_of(run, {side}, {style})", _TEXT)
            for side in (left, right)
        )
        self._write(f"run.allocate(len({left}) + len({right}))")
        return self._assign(f"{left} + {right}", _TEXT)

    def _branch(self, result: str, node: Node, level: int, *, truth: bool = False) -> str:
        """Write one branch of a condition, whose value becomes the result's; return its kind."""
        value, lines = self._apart(self._value, node, level)
        self._lines += lines
        self._write(f" {result} = {self._truth(value) if truth else value}")
        return self._kind(value)

    def _logic(self, node: nodes.Binary, level: int) -> str:
        left = self._value(node.left, level + 1)
        result = self._assign(self._truth(left), _BOOLEAN)
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
        return self._assign(f"-{operand} if type({operand}) is int else {slow}", _NUMBER)

    def _block(self, node: nodes.Block, level: int) -> str:
        outer, result = self._scope, "U"
        for part in node.expressions:
            if not isinstance(part, nodes.Bind):
                result = self._value(part, level + 1)
                continue
            # A function may hold the environment: what it sees must not change later.
            if part.name in self._scope or part.predicates or part.group or part.keep_array:
                raise Unfit
            result = self._value(part.value, level + 2)
            self._scope = {**self._scope, part.name: result}
        self._scope = outer
        return result

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
        if not tail and self._kind(result) == _ANY:
            finish = "keep" if keep_array else "collapse"
            self._write(f"if isinstance({result}, list): {result} = {finish}({result})")
        return result

    def _builtin(self, function: Builtin, values: list[str], deeper: int, context: str) -> str:
        signature = function.signature
        if function.name == "exists" and len(values) == 1:
            return self._assign(f"{values[0]} is not U", _BOOLEAN)
        arguments = f"{self._constant(signature.validate)}([{', '.join(values)}], {context})"
        if signature.text.startswith("<a<n>:") and len(values) == 1:
            arguments = f"([{values[0]}] if are_numbers({values[0]}) else {arguments})"
        call = f"{self._constant(function.implementation)}(run, *{arguments})"
        if signature.text.endswith((":n>", ":b>")):
            return self._assign(call, _NUMBER)
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
            if self._kind(value) in (_ANY, _TEXT):
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


def _ends_in_tail_call(node: Node | None) -> bool:
    match node:
        case nodes.Call():
            return node.tail
        case nodes.Condition():
            return _ends_in_tail_call(node.then) or _ends_in_tail_call(node.otherwise)
        case nodes.Block(expressions=[*_, last]):
            return _ends_in_tail_call(last)
    return False


_METHODS: Final[dict[type[Node], Callable[[Writer, Any, int], str]]] = {
    nodes.Literal: Writer._literal,
    nodes.Variable: Writer._variable,
    nodes.Name: Writer._field,
    nodes.Path: Writer._path,
    nodes.Object: Writer._object,
    nodes.Block: Writer._block,
    nodes.Binary: Writer._binary,
    nodes.Negate: Writer._negation,
    nodes.Condition: Writer._condition,
    nodes.Apply: Writer._apply,
    nodes.Call: Writer._call,
}
