"""Paths: ``a.b[c > 1].d``, the heart of the language.

A path maps its steps over a list of items and gathers their results. The commonest kind, field
names off a variable or the context, is a loop over the names.

On a path with ``@$x``, ``#$i`` or ``%`` every value travels with the bindings made on its way, as a
tuple: a dict with the value under '@', bound variables under their names, and the inputs that a
``%`` means under its slot's label (https://docs.jsonata.org/path-operators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Nodes
from itertools import takewhile

from .compile_filters import Stage, compile_group, compile_sort, compile_stages, tuple_env
from .compiler import Column, Compiler
from .evaluation import GLOBALS, OBJECT, RUN, Compiled, Env, Evaluation
from .nodes import Array, Binary, Block, Literal, Name, Negate, Node, Object, Path, Sort, Variable
from .sequences import collapse, descend, fields_of, gather, gather_last
from .values import UNDEFINED, Constructed, KeptSequence, Sequence, TupleStream, Value

Gather = Callable[[list[Value], Evaluation], list[Value]]
Walk = Callable[[list[Value], Env], list[Value]]
"""Items to the items of the next step."""


def compile_path(node: Path, compiler: Compiler, level: int) -> Compiled:
    """Compile any path."""
    names = plain_names(node)
    if names is not None:
        compiler.deepest = max(compiler.deepest, level + 1)
        return _plain_path(node.steps[0], names, compiler, level + 1)
    # What is evaluated for each item may be the same value each time.
    compiler.shares = compiler.shares or any(
        not isinstance(step, Name | Sort) and may_share(step, "") for step in node.steps[1:]
    )
    if any(step.tuple for step in node.steps):
        evaluate = _at_context(node, compile_tuple_walk(node, compiler, level + 1))
    elif _is_plain(node.steps[0], Variable) and len(node.steps) > 1:
        evaluate = _compile_from_variable(node, compiler, level + 1)
    else:
        evaluate = _at_context(node, compile_walk(node.steps, compiler, level + 1))
    if node.group is not None:
        group = compile_group(node.group.pairs, node.group.position, compiler, level + 1)
        return lambda context, env: group(evaluate(context, env), env)
    if node.keep_singleton or node.keep_array:
        compiler.keeps = True
        return lambda context, env: collapse(_kept(evaluate(context, env)))
    return lambda context, env: collapse(evaluate(context, env))


def _at_context(node: Path, walk: Walk) -> Compiled:
    starts_at_items = not isinstance(node.steps[0], Variable)

    def evaluate(context: Value, env: Env) -> list[Value]:
        items = context if starts_at_items and isinstance(context, list) else [context]
        return walk(items, env)

    return evaluate


def _compile_from_variable(node: Path, compiler: Compiler, level: int) -> Compiled:
    """Compile a path whose first step, with the names behind it, is commonly one object."""
    first, *rest = node.steps
    names = list(takewhile(lambda step: _is_plain(step, Name), rest[:-1]))
    start = compiler.compile(Path(first.position, [first, *names]) if names else first, level)
    walk = _compile_steps(rest[len(names) :], compiler, level, whole=True)

    def evaluate(context: Value, env: Env) -> list[Value]:
        value = start(context, env)
        return walk(Sequence((value,)) if type(value) is dict else gather([value], env[RUN]), env)

    return evaluate


def _kept(items: list[Value]) -> list[Value]:
    if type(items) is Constructed:
        return KeptSequence([items])
    return KeptSequence(items) if isinstance(items, Sequence) else items


# -- field names off a variable or the context


def plain_names(node: Path) -> list[str] | None:
    """Return the field names, if there is nothing else behind a variable or the context."""
    if node.keep_singleton or node.keep_array or node.group is not None:
        return None
    names = node.steps[1:] if _is_plain(node.steps[0], Variable) else node.steps
    if not all(_is_plain(step, Name) for step in names):
        return None
    return [step.value for step in names if isinstance(step, Name)] or None


def _is_plain(step: Node, kind: type[Node]) -> bool:
    """Return whether a step is of a kind, and nothing follows it."""
    return type(step) is kind and not (step.stages or step.predicates or step.tuple or step.group)


def may_share(node: Node, own: str) -> bool:
    """Return whether values made for each of some items may hold the same, or something twice.

    They can't if they hold nothing but scalars and, each once, fields of the item, which is the
    variable `own`, or the context for "".
    """
    fields = list(_held(node, own))
    return None in fields or len(set(fields)) < len(fields)


def _held(node: Node, own: str) -> Iterator[str | None]:
    """Return which fields of the item a value holds; None: something else."""
    if node.predicates or node.stages or node.group:
        yield None
    elif isinstance(node, Object):
        for _, value in node.pairs:
            yield from _held(value, own)
    elif isinstance(node, Block) and len(node.expressions) == 1:
        yield from _held(node.expressions[0], own)
    elif isinstance(node, Path):
        names, first = plain_names(node), node.steps[0]
        of = first.name if isinstance(first, Variable) else ""
        yield names[0] if names and of == own else None
    elif not isinstance(node, Literal | Negate | Binary) or getattr(node, "operator", "") == "..":
        yield None


def _plain_path(first: Node, names: list[str], compiler: Compiler, level: int) -> Compiled:
    if not isinstance(first, Variable):
        return lambda context, env: descend(context, names, env[RUN])
    if first.name in compiler.bound or first.name in ("", "$"):
        read = compiler.compile(first, level)
        return lambda context, env: descend(read(context, env), names, env[RUN])
    variable = first.name
    return lambda _context, env: descend(env[GLOBALS].get(variable, UNDEFINED), names, env[RUN])


# -- steps: each maps a list of items to the next list


def compile_walk(nodes: Nodes[Node], compiler: Compiler, level: int, *, whole: bool = True) -> Walk:
    """Return all the steps from the first on; ``whole``: the path ends with them."""
    if not is_constructed(nodes[0]):
        return _compile_steps(nodes, compiler, level, whole=whole)
    head = compiler.compile(nodes[0], level)
    walk = _compile_steps(nodes[1:], compiler, level, whole=whole)

    def walk_array(items: list[Value], env: Env) -> list[Value]:
        array = head(items, env)
        return walk(array, env) if isinstance(array, list) else Sequence()

    return walk_array


def _compile_steps(nodes: Nodes[Node], compiler: Compiler, level: int, *, whole: bool) -> Walk:
    steps = [
        _compile_step(node, compiler, level, gather_last if whole and node is nodes[-1] else gather)
        for node in nodes
    ]

    def walk(items: list[Value], env: Env) -> list[Value]:
        for step in steps:
            if not items:
                return Sequence()
            items = step(items, env)
        return items

    return walk


def is_constructed(node: Node) -> bool:
    """Return whether a first step is an array to start from, not something to do with each item."""
    return isinstance(node, Array | Block) and node.constructed


def _compile_step(node: Node, compiler: Compiler, level: int, finish: Gather) -> Walk:
    stages = compile_stages(node.stages, compiler, level)
    if isinstance(node, Sort):
        sort = compile_sort(node, compiler, level)
        return sort if stages is None else lambda items, env: stages(sort(items, env), env)
    if isinstance(node, Name) and stages is None:
        return _name_step(node.value, finish)
    compiler.uses_run = True
    return _each_step(compiler.compile_each(node, level), stages, finish)


def _name_step(name: str, finish: Gather) -> Walk:
    def step(items: list[Value], env: Env) -> list[Value]:
        run = env[RUN]
        run.left -= len(items)
        return finish(fields_of(items, name, run), run)

    return step


def _each_step(evaluate: Column, stages: Stage | None, finish: Gather) -> Walk:
    def step(items: list[Value], env: Env) -> list[Value]:
        run = env[RUN]
        run.tick(len(items))
        results = evaluate(items, env)
        if stages is not None:
            results = [stages(result, env) for result in results]
        return finish(results, run)

    return step


# -- tuples

Tuple = dict[str, Value]
TupleStep = Callable[[list[Value], list[Tuple] | None, Env], list[Tuple]]
"""Items (of the steps before the first tuple), tuples if there are any: the next tuples."""


def compile_tuple_walk(node: Path, compiler: Compiler, level: int) -> Walk:
    """Return a path that carries tuples; inside such a path, it hands them on."""
    first = next(index for index, step in enumerate(node.steps) if step.tuple)
    if is_constructed(node.steps[0]):
        first = max(first, 1)
    plain = compile_walk(node.steps[:first], compiler, level, whole=False) if first else None
    steps = [_tuple_step(step, compiler, level) for step in node.steps[first:]]
    compiler.shares = True
    hands_on = node.tuple or node.group is not None

    def walk(items: list[Value], env: Env) -> list[Value]:
        if plain is not None:
            items = plain(items, env)
        tuples: list[Tuple] | None = None
        for step in steps if items else ():
            tuples = step(items, tuples, env)
        if hands_on:
            return TupleStream(tuples or ())
        return Sequence([each["@"] for each in tuples or ()])

    return walk


def _tuple_step(node: Node, compiler: Compiler, level: int) -> TupleStep:
    stages = compile_stages(node.stages, compiler, level)
    if isinstance(node, Sort):
        step = _sort_step(node, compiler, level)
    else:
        step = _map_step(node, compiler, level)
    if stages is None:
        return step

    def staged(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        return stages(TupleStream(step(items, tuples, env)), env)

    return staged


def _sort_step(node: Sort, compiler: Compiler, level: int) -> TupleStep:
    sort = compile_sort(node, compiler, level)
    index = node.index

    def step(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        if tuples is not None:
            return sort(TupleStream(tuples), env)
        named = [{"@": item} for item in sort(items, env)]
        if index is None:
            return named
        return [{**each, index: place} for place, each in enumerate(named)]

    return step


def _map_step(node: Node, compiler: Compiler, level: int) -> TupleStep:
    evaluate = compiler.compile(node, level)
    compiler.uses_run = True

    def step(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        results: list[Tuple] = []
        run = env[RUN]
        for each in tuples if tuples is not None else [{"@": item} for item in items]:
            run.tick(OBJECT)
            value = evaluate(each["@"], tuple_env(env, each))
            if isinstance(value, TupleStream):
                run.tick(OBJECT * len(value))
                results += [{**each, **inner} for inner in value]
            elif value is not UNDEFINED:
                values = value if isinstance(value, list) else [value]
                run.tick(OBJECT * len(values))
                results += [_bind(node, each, v, place) for place, v in enumerate(values)]
        return results

    return step


def _bind(node: Node, each: Tuple, value: Value, place: int) -> Tuple:
    """Return the tuple of one value of a step, with what the step binds."""
    result = {**each, "@": value}
    if node.focus is not None:
        result[node.focus] = value
        result["@"] = each["@"]
    if node.index is not None:
        result[node.index] = place
    if node.ancestor is not None:
        result[node.ancestor.label] = each["@"]
    return result
