"""Fields that hold a number or a moment: written out, behind a path, or as a JSONata expression.

Every function here takes the fields of a state (or of its ItemReader …), returns a closure; the
texts of what goes wrong at run time are those recorded on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from ..errors import StateFailed, runtime
from ..jsonpath import PathNotFound
from ..model import MAX_SECONDS
from ..values.json_values import dumps
from ..values.timestamps import parse_timestamp
from . import jsonata_fields, jsonpath_fields
from .context import Closure, Env

_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_MOST = 2**31 - 1
"""java.lang.Integer, by the "integer" of the recorded texts; "long" in those of a Wait."""
_MOST_LONG = 2**63 - 1
_NOT_A_MOMENT = "ISO-8601 extended offset date-time format string"


def payload(value: Any, location: str, jsonata: bool) -> Closure:
    """Return a field that holds any JSON value, with expressions or `….$` members at any depth.

    Facts 324 and 326.
    """
    return jsonata_fields.value(value, location) if jsonata else jsonpath_fields.template(value)


def members(value: Any, location: str, jsonata: bool) -> Closure:
    """Return a field that holds an object, or in JSONata an expression that returns one."""
    if jsonata:
        return jsonata_fields.typed(value, location, "object")
    return jsonpath_fields.template(value)


def integer(fields: Mapping[str, Any], name: str, jsonata: bool, at: str = "") -> Closure:
    """Return an integer field, its …Path twin, or None when neither is there."""
    return _number(fields, name, jsonata, at, "integer")


def duration(fields: Mapping[str, Any], name: str, jsonata: bool) -> Closure | None:
    """TimeoutSeconds, HeartbeatSeconds: whole seconds; from a path at least one.

    Facts 144, 208 and 314; specification, Task State.
    """
    if name not in fields and f"{name}Path" not in fields:
        return None
    number = integer(fields, name, jsonata)
    if jsonata:
        return _queried_seconds(number, name)

    def seconds(env: Env) -> Any:
        value = number(env)
        if value is None:
            return None
        if value != int(value) or not 1 <= value <= _MOST:
            raise runtime(f"The value of {name}Path must be a positive integer: {dumps(value)}")
        return int(value)

    return seconds


def _queried_seconds(number: Closure, name: str, most: float = MAX_SECONDS) -> Closure:
    # Fact 144: the words, and that 0 is allowed, which a TimeoutSeconds may not be written as.
    def seconds(env: Env) -> Any:
        value = number(env)
        if value is not None and not 0 <= value <= most:
            problem = f"{name} must be between 0 and {MAX_SECONDS} but was: {dumps(value)}"
            raise jsonata_fields.failed(problem, name)
        return value

    return seconds


def _queried_integer(get: Closure, name: str, location: str) -> Closure:
    # Fact 144: a fraction is no integer; for other fields than TimeoutSeconds by analogy.
    def number(env: Env) -> Any:
        value = get(env)
        if value is None:
            return None
        if value == int(value):
            return int(value)
        problem = f"The {name} field cannot be parsed as an integer: {dumps(value)}"
        raise jsonata_fields.failed(problem, location)

    return number


def percentage(fields: Mapping[str, Any], name: str, jsonata: bool) -> Closure:
    """ToleratedFailurePercentage: 0 to 100, fractions allowed (facts 79 and 208)."""
    return _checked(
        _number(fields, name, jsonata, "", "float"),
        lambda value: 0 <= value <= 100,
        f"{name} must be between 0 and 100.",
    )


def count(fields: Mapping[str, Any], name: str, jsonata: bool) -> Closure:
    """Return an integer that can't be negative (facts 79 and 208)."""
    return _checked(
        integer(fields, name, jsonata), lambda value: value >= 0, f"{name} cannot be negative."
    )


def _checked(number: Closure, allowed: Callable[[float], bool], text: str) -> Closure:
    def checked(env: Env) -> Any:
        value = number(env)
        if value is not None and not allowed(value):
            raise runtime(text)
        return value

    return checked


def _number(fields: Mapping[str, Any], name: str, jsonata: bool, at: str, kind: str) -> Closure:
    # Facts 79, 275 and 278: what a path finds has to be a number, or one written as a text.
    if jsonata and name in fields:
        queried = jsonata_fields.typed(fields[name], f"{at}{name}", "number")
        return _queried_integer(queried, name, f"{at}{name}") if kind == "integer" else queried
    path = fields.get(f"{name}Path")
    if path is None:
        fixed = fields.get(name)
        return lambda _: fixed
    get = jsonpath_fields.whole_path(path)

    def number(env: Env) -> Any:
        value = get(env)
        # A number in a string is taken as well (recorded for MaxItemsPath).
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        # A Java int: what is beyond it is not one, whatever it would mean.
        whole = isinstance(value, int) and -_MOST <= value <= _MOST
        fits = whole or (kind == "float" and isinstance(value, int | float))
        if not fits or isinstance(value, bool):
            text = value if isinstance(value, str) else dumps(value)
            raise runtime(
                f'The {name}Path field refers to value "{text}" which is not a valid {kind}: {path}'
            )
        return value

    return number


def failure_text(path: str, name: str) -> Closure:
    """ErrorPath, CausePath: a string (specification, Fail State); null is as good as none.

    Fact 265.
    """
    get = jsonpath_fields.field(path, name)

    def text(env: Env) -> Any:
        value = get(env)
        if value is None or isinstance(value, str):
            return value
        problem = f'The {name} field refers to value "{dumps(value)}" which is not a valid string'
        raise runtime(f"{problem}: {path}")

    return text


def wait_until(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], float]:
    """Return when a Wait ends, in epoch seconds: after Seconds, or at a Timestamp (fact 261)."""
    if "Timestamp" in fields or "TimestampPath" in fields:
        moment = _timestamp(fields, jsonata)
    else:
        seconds = _seconds(fields, jsonata)
        # From when the state was entered: a redrive does not wait again.
        moment = lambda env: float(env.entered_at + min(seconds(env), _MOST_LONG))  # noqa: E731

    def until(env: Env) -> float:
        at = moment(env)
        # In whole milliseconds, since sums of doubles are off by less.
        if round(at - env.entered_at, 3) >= env.fiber.engine.quotas.wait_seconds:
            raise runtime("Wait state delay is too long.")
        return at

    return until


def _seconds(fields: Mapping[str, Any], jsonata: bool) -> Closure:
    # Facts 47, 145 and 208: a number from 0 on, not a list of one.
    path = fields.get("SecondsPath")
    if path is None:
        number = integer(fields, "Seconds", jsonata)
        # Fact 261: a wait that is too long says so itself.
        return _queried_seconds(number, "Seconds", inf) if jsonata else number
    get = _referenced(path, "SecondsPath")

    def seconds(env: Env) -> Any:
        value = get(env)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST_LONG:
            text = value if isinstance(value, str) else dumps(value)
            raise runtime(
                f"The SecondsPath parameter cannot be parsed as a long value: {path} == {text}"
            )
        if value < 0:
            raise runtime(
                f"The SecondsPath parameter references a negative value: {path} == {value}"
            )
        return value

    return seconds


def _referenced(path: str, name: str) -> Closure:
    # Facts 47 and 145: null is as good as nothing.
    get = jsonpath_fields.getter(path)

    def value(env: Env) -> Any:
        try:
            referenced = get(env)
        except PathNotFound:
            referenced = None
        if referenced is None:
            raise runtime(f"The {name} parameter does not reference an input value: {path}")
        return referenced

    return value


def _timestamp(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], float]:
    # Facts 48 and 260: what can't be read fails the state. Fact 145: small letters in JSONata.
    get, path = _timestamp_source(fields, jsonata)

    def until(env: Env) -> float:
        text = get(env)
        moment = parse_timestamp(text, any_case=jsonata) if isinstance(text, str) else None
        if moment is None:
            raise _no_moment(text if isinstance(text, str) else dumps(text), path)
        seconds, nanoseconds = moment
        return seconds + nanoseconds / 1e9

    return until


def _timestamp_source(
    fields: Mapping[str, Any], jsonata: bool
) -> tuple[Callable[[Env], Any], str | None]:
    path = fields.get("TimestampPath")
    if path is not None:
        return _referenced(path, "TimestampPath"), path
    if jsonata:
        return jsonata_fields.typed(fields["Timestamp"], "Timestamp", "string"), None
    fixed = fields["Timestamp"]
    return (lambda _: fixed), None


def _no_moment(text: str, path: str | None) -> StateFailed:
    # Fact 48: the words are recorded (test_wait_timestamp_path, test_wait_timestamp_jsonata).
    if path is None:
        return jsonata_fields.failed(
            f"The Timestamp field cannot be parsed as an {_NOT_A_MOMENT}: {text}", "Timestamp"
        )
    return runtime(
        f"The TimestampPath parameter does not reference a valid {_NOT_A_MOMENT}: {path} == {text}"
    )
