"""``{key: value}``: objects, and grouping when there are several items."""

from __future__ import annotations

from collections.abc import Iterable

from .compile_filters import tuple_env
from .errors import JSONataError
from .nodes import Literal, Node, Object
from .run import OBJECT, RUN, Compiled, Env, Run
from .scope import Scope
from .sequences import concatenate
from .values import UNDEFINED, TupleStream, Value

Pairs = list[tuple[Compiled, Compiled]]


def compile_object(node: Object, scope: Scope, level: int) -> Compiled:
    """An object built of the context."""
    return compile_group(node.pairs, node.position, scope, level + 1)


def compile_group(
    nodes: list[tuple[Node, Node]], position: int, scope: Scope, level: int
) -> Compiled:
    """The object of the groups that the keys make of the input's items."""
    pairs = [(scope.compile(key, level), scope.compile(value, level)) for key, value in nodes]
    names = [key.value for key, _ in nodes if isinstance(key, Literal) and type(key.value) is str]

    def group(value: Value, env: Env) -> Value:
        if isinstance(value, TupleStream):
            return _group_tuples(pairs, value, env, position)
        return _group(pairs, value, env, position)

    if len(names) < len(nodes) or len(set(names)) < len(names):
        return group
    fields = list(zip(names, (value for _, value in pairs), strict=True))

    def build(context: Value, env: Env) -> Value:
        """Constant names and one item: the object at once."""
        if isinstance(context, list):
            return group(context, env)
        result = {}
        env[RUN].left -= OBJECT
        for name, field in fields:
            value = field(context, env)
            if value is not UNDEFINED:
                result[name] = value
        return result

    return build


def _group(pairs: Pairs, value: Value, env: Env, position: int) -> dict[str, Value]:
    items = (value or [UNDEFINED]) if isinstance(value, list) else [value]
    groups = _Groups(position)
    run = env[RUN]
    run.tick(OBJECT + len(items) * len(pairs))
    for item in items:
        for index, (key, _) in enumerate(pairs):
            groups.add(key(item, env), index, item)
    return _present(
        (name, pairs[index][1](concatenate(members, run), env))
        for name, (index, members) in groups.members.items()
    )


def _group_tuples(pairs: Pairs, tuples: TupleStream, env: Env, position: int) -> dict[str, Value]:
    groups = _Groups(position)
    env[RUN].tick(OBJECT + len(tuples) * (OBJECT + len(pairs)))
    for each in tuples or [{"@": UNDEFINED}]:
        inner = tuple_env(env, each)
        for index, (key, _) in enumerate(pairs):
            groups.add(key(each["@"], inner), index, each)
    return _present(
        (name, pairs[index][1](merged["@"], tuple_env(env, merged)))
        for name, (index, members) in groups.members.items()
        for merged in [_merge(members, env[RUN])]
    )


class _Groups:
    """Which pair made each name, and of which items."""

    def __init__(self, position: int) -> None:
        self._position = position
        self.members: dict[str, tuple[int, list[Value]]] = {}

    def add(self, name: Value, index: int, item: Value) -> None:
        """One item of a group; D1009 if another pair has the same name."""
        if name is UNDEFINED:
            return
        if type(name) is not str:
            raise JSONataError("T1003", self._position, value=name)
        owner, members = self.members.setdefault(name, (index, []))
        if owner != index:
            raise JSONataError("D1009", self._position, value=name)
        members.append(item)


def _present(fields: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    return {name: value for name, value in fields if value is not UNDEFINED}


def _merge(tuples: list[dict[str, Value]], run: Run) -> dict[str, Value]:
    """The tuples of a group as one: every binding an array of theirs."""
    names = {name: None for each in tuples for name in each}
    run.tick(len(tuples) * len(names))
    return {name: concatenate([t.get(name, UNDEFINED) for t in tuples], run) for name in names}
