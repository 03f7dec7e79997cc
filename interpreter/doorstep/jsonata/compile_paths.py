"""Paths: ``a.b[c > 1].d``, the heart of the language.

A path maps its steps over a list of items and gathers their results. The commonest kind, field
names off a variable or the context, is a loop over the names.

On a path with ``@$x``, ``#$i`` or ``%`` every value travels with the bindings made on its way, as a
tuple: a dict with the value under '@', bound variables under their names, and the inputs that a
``%`` means under its slot's label (https://docs.jsonata.org/path-operators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from .compile_filters import compile_group, compile_sort, compile_stages, tuple_env
from .compiler import Compiler, count_objects
from .evaluation import OBJECT, RUN, Compiled, Env, Evaluation
from .nodes import Array, Binary, Block, Literal, Name, Negate, Node, Object, Path, Sort, Variable
from .sequences import collapse, descend, gather, gather_last
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
    evaluate = _compile_steps(node, compiler, level + 1)
    if node.group is not None:
        group = compile_group(node.group.pairs, node.group.position, compiler, level + 1)
        return lambda context, env: group(evaluate(context, env), env)
    if node.keep_singleton or node.keep_array:
        compiler.keeps = True
        return lambda context, env: collapse(_kept(evaluate(context, env)))
    return lambda context, env: collapse(evaluate(context, env))


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
    read = compiler.compile(first, level)
    return lambda context, env: descend(read(context, env), names, env[RUN])


# -- steps: each maps a list of items to the next list


def _compile_steps(node: Path, compiler: Compiler, level: int) -> Compiled:
    """Return the items that all steps of a path lead to."""
    plain = list(takewhile(lambda step: not step.tuple, node.steps))
    if not plain and is_constructed(node.steps[0]):
        plain = node.steps[:1]
    start, rest = _compile_start(node.steps[0], plain, compiler, level)
    steps = [
        _compile_step(step, compiler, level, gather_last if step is node.steps[-1] else gather)
        for step in rest
    ]
    carries = len(plain) < len(node.steps)
    carry = _compile_tuple_steps(node, len(plain), compiler, level) if carries else None

    def evaluate(context: Value, env: Env) -> list[Value]:
        items = start(context, env)
        for step in steps:
            items = step(items, env) if items else Sequence()
        return items if carry is None else carry(items, env)

    return evaluate


def _compile_start(
    first: Node, plain: list[Node], compiler: Compiler, level: int
) -> tuple[Callable[[Value, Env], list[Value]], list[Node]]:
    """Return the items that a path starts at, and the plain steps that are left."""
    if is_constructed(first):
        array = compiler.compile(first, level)

        def start_at_array(context: Value, env: Env) -> list[Value]:
            value = array(context if isinstance(context, list) else [context], env)
            return value if isinstance(value, list) else Sequence()

        return start_at_array, plain[1:]
    if not isinstance(first, Variable):
        return (lambda context, _: context if isinstance(context, list) else [context]), plain
    if len(plain) < 2 or not _is_plain(first, Variable):
        return (lambda context, _: [context]), plain
    # The variable, with the names behind it, is commonly one object.
    names = list(takewhile(lambda step: _is_plain(step, Name), plain[1:-1]))
    read = compiler.compile(Path(first.position, [first, *names]) if names else first, level)

    def start_at_variable(context: Value, env: Env) -> list[Value]:
        value = read(context, env)
        return Sequence((value,)) if type(value) is dict else gather([value], env[RUN])

    return start_at_variable, plain[1 + len(names) :]


def is_constructed(node: Node) -> bool:
    """Return whether a first step is an array to start from, not something to do with each item."""
    return isinstance(node, Array | Block) and node.constructed


def _compile_step(node: Node, compiler: Compiler, level: int, finish: Gather) -> Walk:
    stages = compile_stages(node.stages, compiler, level)
    if isinstance(node, Sort):
        sort = compile_sort(node, compiler, level)
        return sort if stages is None else lambda items, env: stages(sort(items, env), env)
    if not isinstance(node, Name):
        compiler.uses_run = True
    evaluate, steps = compiler.compile_each(node, level), 1 + OBJECT * count_objects(node)

    def step(items: list[Value], env: Env) -> list[Value]:
        run = env[RUN]
        run.tick(steps * len(items))
        results = evaluate(items, env)
        if stages is not None:
            results = [stages(result, env) for result in results]
        return finish(results, run)

    return step


# -- tuples

Tuple = dict[str, Value]
TupleStep = Callable[[list[Value], list[Tuple] | None, Env], list[Tuple]]
"""Items (of the steps before the first tuple), tuples if there are any: the next tuples."""


def _compile_tuple_steps(node: Path, first: int, compiler: Compiler, level: int) -> Walk:
    """Return the steps that carry tuples; inside such a path, they are handed on."""
    steps = [_tuple_step(step, compiler, level) for step in node.steps[first:]]
    compiler.shares = True
    hands_on = node.tuple or node.group is not None

    def walk(items: list[Value], env: Env) -> list[Value]:
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
        return named if index is None else [{**t, index: i} for i, t in enumerate(named)]

    return step


def _map_step(node: Node, compiler: Compiler, level: int) -> TupleStep:
    evaluate, steps = compiler.compile(node, level), OBJECT * (1 + count_objects(node))
    compiler.uses_run = True

    def step(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        results: list[Tuple] = []
        run = env[RUN]
        for each in tuples if tuples is not None else [{"@": item} for item in items]:
            run.tick(steps)
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
