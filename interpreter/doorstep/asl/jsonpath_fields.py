"""JSONPath states: paths, intrinsic calls and payload templates compiled to closures over Env."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..engine import MOST_BYTES
from ..errors import StateFailed, data_limit_exceeded, runtime
from ..intrinsics import IntrinsicFailure, TooLarge, compile_intrinsic, parse_intrinsic
from ..jsonata.sequences import written_size
from ..jsonpath import (
    CompiledPath,
    ExpressionSyntaxError,
    IndexNotFound,
    NotAnArray,
    PathMeter,
    PathNotFound,
    Reach,
    compile_path,
)
from ..values.java import hash_order
from ..values.json_values import dumps
from .context import VISIT_STEPS, Closure, Env


def getter(text: str) -> Closure:
    """Return a path on the state's data, the context object or a variable; raise PathNotFound.

    Facts 334 and 342. Fact 335: to data that are null no path can be applied.
    """
    path = compile_path(text)
    return _searcher(path, path.search) if path.search else _from(path.root, text, path.get)


def _from(root: str, text: str, get: Callable[[Any], Any]) -> Closure:
    """Return what `get` makes of the root of the path `text`."""
    if root == "":

        def on_data(env: Env) -> Any:
            if (data := env.data) is None:
                raise runtime("Unable to apply Path transformation to null or empty input.")
            return get(data)

        return on_data
    if root == "$":
        return lambda env: get(env.context())

    def variable(env: Env) -> Any:
        try:
            value = env.fiber.variables[root]
        except KeyError:
            raise PathNotFound(text, f"No results for path: ${root}") from None
        return get(value)

    return variable


def _searcher(path: CompiledPath, search: Reach) -> Closure:
    """Return a path that may take many steps: they count with the state's other expressions."""
    look_up = _from(path.root, path.text, lambda value: value)

    def value(env: Env) -> Any:
        root, meter = look_up(env), PathMeter(path.text, env.left())
        try:
            return search(root, meter)
        finally:
            env.spend(meter.spent)

    return value


def whole_path(text: str) -> Closure:
    """Return a path in InputPath, OutputPath and the …Path fields: a miss is States.Runtime.

    Fact 321.
    """
    get = getter(text)
    if text == "$":
        return get
    if not compile_path(text).definite:
        get = bounded(get)

    def value(env: Env) -> Any:
        try:
            return get(env)
        except PathNotFound as miss:
            raise runtime(f"Invalid path '{text}' : {miss.reason}") from None

    return value


def field(text: str, name: str) -> Closure:
    """Return a path or intrinsic call as the value of the field `name` ("value.$", "ErrorPath").

    Fact 324. An intrinsic function that fails is States.Runtime, which nothing catches (fact 128;
    the specification's Appendix A has States.IntrinsicFailure, which no recording shows).
    """
    if text.startswith("$"):
        return _path_field(text, name)
    call = compile_intrinsic(text, lambda path: _argument(path, text))

    def value(env: Env) -> Any:
        try:
            return call(env)
        except IntrinsicFailure as failed:
            raise runtime(failed.cause) from None
        except TooLarge:
            raise _too_large(env) from None

    return value


def template(value: Any) -> Closure:
    """Return a payload template: members whose name ends in `.$` are evaluated, at every depth.

    Facts 51 and 324.
    """
    make = _template(value)
    if make is None:
        return lambda _: value
    return bounded(make) if _repeats(value) else make


def bounded(make: Closure) -> Closure:
    """Refuse a value that holds the same so often that its text would fill the memory.

    Its text is only written later; that it is too large is reported as it would be then
    (States.DataLimitExceeded of a Pass, recorded: test_start_large_input).
    """

    def value(env: Env) -> Any:
        made = make(env)
        if written_size(made, {}) > MOST_BYTES:
            raise _too_large(env)
        return made

    return value


def _too_large(env: Env) -> StateFailed:
    return data_limit_exceeded(env.state)


_FEW_STEPS = 256
"""Arguments that take no more are not counted."""
FEW = 8
"""So many members that are evaluated can't make a value too large."""


def _repeats(value: Any) -> bool:
    """Return whether many members are evaluated, or one that may repeat a value."""
    texts = list(_evaluated(value))
    return len(texts) > FEW or any(
        "States.Array(" in text or (text.startswith("$") and not compile_path(text).definite)
        for text in texts
    )


def _evaluated(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if _is_evaluated(name, member):
                yield member
            else:
                yield from _evaluated(member)
    elif isinstance(value, list):
        for item in value:
            yield from _evaluated(item)


def _path_field(text: str, name: str) -> Closure:
    # Fact 28: a path of a template that finds nothing is States.Runtime.
    get = getter(text)

    def value(env: Env) -> Any:
        try:
            return get(env)
        except IndexNotFound:
            # Fact 328: an index past the end of an array is null here.
            return None
        except PathNotFound:
            raise runtime(
                f"The JSONPath '{text}' specified for the field '{name}' "
                f"could not be found in the input '{_looked_in(text, env)}'"
            ) from None

    return value


def _argument(text: str, call: str) -> Closure:
    # Fact 352: so is one among the arguments of a function; fact 133: of what is no array.
    get = getter(text)

    def value(env: Env) -> Any:
        try:
            argument = get(env)
            if isinstance(argument, (list, dict, str)) and (steps := _cost(argument)) > _FEW_STEPS:
                env.spend(steps)
                if not env.left():
                    raise _too_long(call)
            return argument
        except NotAnArray as miss:
            raise runtime(miss.reason) from None
        except PathNotFound:
            raise runtime(
                f"The function '{call}' had the following error: "
                f"The JsonPath argument for the field '{text}' "
                f"could not be found in the input '{_looked_in(text, env)}'"
            ) from None

    return value


def _cost(value: list[Any] | dict[str, Any] | str) -> int:
    """Return about how many steps a function takes to go through an argument."""
    if isinstance(value, str):
        return len(value) >> 10
    first = next(iter(value.values() if isinstance(value, dict) else value), None)
    each = len(first) if isinstance(first, (list, dict)) else 0
    return len(value) * (1 + 4 * each)


def _too_long(call: str) -> StateFailed:
    return runtime(
        f"The function '{call}' had the following error: "
        f"the expressions of the state take more than {VISIT_STEPS:,} steps."
    )


def _looked_in(text: str, env: Env) -> str:
    return dumps(env.context() if text.startswith("$$") else env.data)


def unresolved(value: Any) -> list[str]:
    """Return what a service says of members whose names still end in `.$`, at any depth.

    Fact 146: they are looked at like those of a template, wherever they come from.
    """
    if isinstance(value, list):
        return [reason for item in value for reason in unresolved(item)]
    if not isinstance(value, dict):
        return []
    reasons = []
    for name, member in value.items():
        if name.endswith(".$") and not _is_evaluable(member):
            must = "must be a valid JSONPath or a valid intrinsic function call"
            reasons.append(f"The value for the field '{name}' {must}")
        reasons += unresolved(member)
    return reasons


def _is_evaluable(member: Any) -> bool:
    if not isinstance(member, str):
        return False
    try:
        compile_path(member) if member.startswith("$") else parse_intrinsic(member)
    except ExpressionSyntaxError:
        return False
    return True


def _template(value: Any) -> Closure | None:
    """Compile a template; None when nothing in it is to be evaluated: it then serves as it is."""
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        inner = [_template(item) for item in value]
        if not any(inner):
            return None
        items = [make or _constant(item) for make, item in zip(inner, value, strict=True)]
        return lambda env: [make(env) for make in items]
    return None


def _object(value: dict[str, Any]) -> Closure | None:
    paths = {name: text for name, text in value.items() if _is_evaluated(name, text)}
    evaluated = {name[:-2]: field(text, name) for name, text in paths.items()}
    written = {name: _template(member) for name, member in value.items() if name not in paths}
    if not evaluated and not any(written.values()):
        return None
    makers = evaluated | {name: make or _constant(value[name]) for name, make in written.items()}
    # Fact 329: what was evaluated comes after what stands there, in the order of a hash table.
    order = [(name, makers[name]) for name in (*written, *hash_order(evaluated))]
    if len(order) == 1:
        [(only, make_only)] = order
        return lambda env: {only: make_only(env)}
    return lambda env: {name: make(env) for name, make in order}


def _is_evaluated(name: str, member: Any) -> bool:
    # Fact 324: other keys are literal.
    return name.endswith(".$") and isinstance(member, str)


def _constant(value: Any) -> Closure:
    return lambda _: value
