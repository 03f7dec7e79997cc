"""``| pattern | update, delete |``: a function that changes a copy of its argument."""

from __future__ import annotations

from .callables import Builtin, invoke
from .errors import JSONataError
from .functions import BUILTINS
from .nodes import Node, Transform
from .run import GLOBALS, Compiled, Env, Run
from .scope import Scope
from .signatures import Signature
from .values import UNDEFINED, Value, is_function

_SIGNATURE = Signature("<(oa):o>")


def compile_transform(node: Transform, scope: Scope, level: int) -> Compiled:
    """The transform as a function value."""
    scope.uses_run = scope.shares = True
    pattern = scope.compile(node.pattern, level + 1)
    update = scope.compile(node.update, level + 1)
    delete = scope.compile(node.delete, level + 1) if node.delete is not None else None

    def make(_context: Value, env: Env) -> Value:
        def transform(run: Run, value: Value) -> Value:
            if value is UNDEFINED:
                return UNDEFINED
            copy = _clone(value, env, run, node.position)
            matches = pattern(copy, env)
            for match in matches if isinstance(matches, list) else [matches]:
                if match is not UNDEFINED:
                    _update(match, update(match, env), node.update)
                    if delete is not None and node.delete is not None:
                        _delete(match, delete(match, env), node.delete)
            return copy

        return Builtin("", _SIGNATURE, transform, 1)

    return make


def _clone(value: Value, env: Env, run: Run, at: int) -> Value:
    """Through ``$clone``, which the caller may have replaced."""
    clone = env[GLOBALS].get("clone", BUILTINS["clone"])
    if not is_function(clone):
        raise JSONataError("T2013", at)
    return invoke(clone, [value], None, run)


def _update(match: Value, fields: Value, node: Node) -> None:
    if fields is UNDEFINED:
        return
    if not isinstance(fields, dict):
        raise JSONataError("T2011", node.position, value=fields)
    if isinstance(match, dict):
        match.update(fields)


def _delete(match: Value, names: Value, node: Node) -> None:
    if names is UNDEFINED:
        return
    listed = names if isinstance(names, list) else [names]
    if not all(type(name) is str for name in listed):
        raise JSONataError("T2012", node.position, value=names)
    if isinstance(match, dict):
        for name in listed:
            match.pop(name, None)
