"""Generated code and closures: the same values, steps and bytes, and nothing beyond the limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.jsonata import Expression, JSONataError, Limits, is_function
from doorstep.jsonata.evaluation import DEFAULT_LIMITS, Evaluation
from doorstep.jsonata.values import OuterSequence


def hot(text: str) -> Expression:
    """Return the expression with its code."""
    expression = Expression(text)
    expression._generate()
    return expression


def exact(value: Any) -> Any:
    """Return a value in which true is not 1, 1.0 is not 1, and a kind of list is itself."""
    if isinstance(value, list):
        return (type(value), [exact(each) for each in value])
    if isinstance(value, dict):
        return [(name, exact(each)) for name, each in value.items()]
    return "function" if is_function(value) else (type(value), repr(value))


def outcome(evaluate: Any, data: Any, bindings: dict[str, Any], run: Evaluation) -> Any:
    """Return the value or the failure, the steps and the bytes that are left."""
    try:
        value = exact(evaluate(data, bindings, run))
    except JSONataError as error:
        value = (error.code, str(error))
        if error.code != "U1001":  # a limit is not the fault of a place
            value += (error.position, error.token)
    except (RecursionError, OverflowError, ValueError) as error:
        value = type(error)
    return value, run.left, run.room


def compare(text: str, data: Any, limits: Limits = DEFAULT_LIMITS) -> None:
    """Compare both ways of an expression."""
    try:
        expression = hot(text)
    except JSONataError:
        return
    if expression._deepest > limits.depth:
        return
    bindings = {"v": data, "n": 3, "s": "text", **({"$": data} if "$$" in text else {})}
    context = OuterSequence((data,)) if isinstance(data, list) else data
    ways = [
        outcome(way, context, bindings, Evaluation(limits, 0, lambda: 0.5))
        for way in (expression._by_closures, expression.code)
    ]
    assert ways[0] == ways[1], text


NAMES = st.sampled_from(("a", "b", "c", "items", "`ä ö`"))
NUMBERS = st.one_of(
    st.integers(-4, 30),
    st.sampled_from((0.5, 1.0, -0.0, 2.5, 1e300, 2**53, 2**53 + 1, -(2**60), float("nan"))),
)
SCALARS = st.one_of(
    NUMBERS, st.sampled_from(("", "x", "y", "ä", "𝄞", "10")), st.booleans(), st.none()
)
KEYS = st.sampled_from(("a", "b", "c", "items", "ä ö"))
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.lists(st.fixed_dictionaries({"a": SCALARS, "b": inner}), max_size=5),
    ),
    max_leaves=24,
)

LEAVES = st.one_of(
    NAMES,
    st.sampled_from(
        (
            *(
                "$v",
                "$",
                "$$",
                "$n",
                "$s",
                "$x",
                "$y",
                "$missing",
                "1",
                "0",
                "-2",
                "2.5",
                '"x"',
                '""',
            ),
            *(
                "true",
                "null",
                "$v.a",
                "$v.items.b",
                "a.b",
                "items.a",
                "*",
                "$v.a[]",
                "[]",
                "[1..3]",
            ),
            *("$v.items", "$.a", "9007199254740991", "%", "**", "$sum", "$string"),
        )
    ),
)
TEMPLATES = st.sampled_from(
    (
        *("{} + {}", "{} - {}", "{} * {}", "{} / {}", "{} % {}", "{} & {}", "{} = {}", "{} != {}"),
        *("{} < {}", "{} <= {}", "{} > {}", "{} >= {}", "{} and {}", "{} or {}", "{} in {}", "-{}"),
        *("({})", "({}; {})", "[{}, {}]", "[{}]", '{{"k": {}, "l": {}}}', '{{"k": {}, {}: {}}}'),
        *("{}[{}]", "{}.{}", "{}.({})", "{}[0]", "{}[-1]", "{}[]", "{} ? {} : {}", "{} ? {}"),
        *(
            "{}^({})",
            "{}^(>{}, {})",
            "{}{{{}: {}}}",
            '{}{{"k": {}}}',
            "{}.{{'k': {}}}",
            "{}[{}].{}",
        ),
        *("$map({}, function($x){{ {} }})", "$map({}, function($x, $y){{ [{}, $y] }})"),
        *("$filter({}, function($x){{ {} }})", "$filter({}, function($x, $y){{ {} }})"),
        *("$reduce({}, function($x, $y){{ {} }})", "$reduce({}, function($x, $y, $i){{ {} }}, {})"),
        *(
            "$sort({}, function($l, $r){{ $l.a > $r.a }})",
            "$sort({}, function($l, $r){{ $l < $r }})",
        ),
        *("$sort({})", "$sum({})", "$count({})", "$exists({})", "$not({})", "$string({})"),
        *(
            "$max({})",
            "$append({}, {})",
            "$uppercase({})",
            "$uppercase()",
            "$keys({})",
            "$number({})",
        ),
        *("$distinct({})", "$merge({})", "$join({}, {})", "$lookup({}, 'a')", "$contains({}, {})"),
        *("($x := {}; {})", "($x := {}; $y := {}; {})", "($x := {}; ($x := {}; {}) ; $x)"),
        *("($f := function($x){{ {} }}; $map({}, $f))", "{} ~> $sum()"),
        *("{} ~> $map(function($x){{{}}})", "$exists({}) = {}"),
        *(
            "($x := {}; $f := function(){{ $x }}; $x := {}; $f())",
            "{}.$x",
            "$v@$x.({})",
            "$v#$x[{}]",
        ),
        *(
            "$map({}, function($x){{ $map({}, function($y){{ {} }}) }})",
            "$map({}, function($x){{ {{'k': {}, 'l': $x}} }})",
            "$map({}, function($x)<n:n>{{ {} }})",
            "($f := function($x, $y){{ {} }}; $map({}, $f(?, {})))",
            "($f := {}.(function($x){{ {} }}); $map($f, function($g){{ $g({}) }}))",
            "{}[{} and {}]",
            "{} ~> ($sum ~> $string)",
        ),
        *("$each({}, function($x, $y){{ {} }})", "$sift({}, function($x){{ {} }})", "{}.[{}]"),
        *(
            "$map({}, function($x){{ $sum({}) }})",
            "$map({}, function($x){{ {} ? $keys({}) : {} }})",
        ),
    )
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(LEAVES)
    template = draw(TEMPLATES)
    holes = template.replace("{{", "").replace("}}", "").count("{}")
    parts = [draw(expressions(depth=depth - 1)) for _ in range(holes)]
    return template.format(*parts)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions(), DATA)
def test_generated_code_and_closures_come_to_the_same(text: str, data: Any) -> None:
    compare(text, data)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions(), DATA, st.integers(0, 60), st.integers(0, 600), st.integers(1, 12))
def test_generated_code_stops_at_the_limits_of_the_closures(
    text: str, data: Any, steps: int, room: int, depth: int
) -> None:
    compare(text, data, Limits(depth=depth, steps=steps, memory=room, total=room * 4))


def test_operators_conditions_and_names_become_code_without_closures() -> None:
    for text in (
        "$states.input.a.b",
        "$i < 10 and $s != 'x' ? 'small' : 'large' & $s",
        "(price * quantity) + $rate.percent",
        "$sum(items.price) = $count(items)",
    ):
        code: Any = hot(text).code
        assert "OUTER" not in code.__code__.co_names, text  # closures take an environment


@pytest.mark.parametrize(
    "text",
    [
        "$map([1, 2], function($x){ $string($x := 5) & $x })",
        "$sum($sum := [1, 2])",
    ],
)
def test_a_name_bound_between_two_reads_of_it_is_the_new_one(text: str) -> None:
    compare(text, None)


@pytest.mark.parametrize(
    "functions",
    ["[1, 2].(function($y){ $y + $ })", "$map([1, 2], function($x){ function($y){ $y + $x } })"],
)
def test_a_lambda_keeps_the_context_and_the_parameters_that_it_was_made_with(
    functions: str,
) -> None:
    text = f"($f := {functions}; $map($f, function($g){{ $g(10) }}))"
    assert hot(text).evaluate() == [11, 12]


def test_generating_code_takes_no_longer_for_what_nests() -> None:
    nests = ("{'a': ", "}"), ("$map([1], function($x){", "})"), ("x[", "]"), ("1 + ($x := ", ")")
    for head, tail in nests:
        assert hot(head * 40 + "1" + tail * 40).code is not None  # twice each would be for ever


def test_code_calls_the_callers_functions_once() -> None:
    calls: list[Any] = []

    def double(value: Any) -> Any:
        calls.append(value)
        return value * 2

    for text in ("$double(2) & $map([1], $double) & (1 - 'z')", "$map([2], $double) & (1 - 'z')"):
        expression = hot(text)
        calls.clear()
        with pytest.raises(JSONataError, match="T2002"):
            expression.evaluate(None, {"double": double})
        assert len(calls) == text.count("double")


def test_a_function_of_the_language_that_the_caller_replaces_is_the_callers() -> None:
    expression = hot("$sum([1, 2]) & $map([3], $string)")
    assert expression.evaluate() == "33"
    assert expression.evaluate(None, {"sum": lambda values: "s", "string": lambda v: "t"}) == "st"


def test_a_hot_expression_fails_with_the_code_position_and_token_of_a_cold_one() -> None:
    cold, warm = Expression("$x.a + 1"), hot("$x.a + 1")
    errors = []
    for expression in (cold, warm):
        try:
            expression.evaluate(None, {"x": {"a": "text"}})
        except JSONataError as error:
            errors.append((error.code, error.position, error.token, error.message))
    assert errors[0] == errors[1] == ("T2001", 6, "+", errors[0][3])


def test_names_in_an_expression_never_become_python() -> None:
    name = "x'); raise SystemExit(#"
    assert hot(f'`{name}`."__class__"').evaluate({name: {"__class__": 7}}) == 7
    assert hot("$data.run + $g + $U").evaluate(None, {"data": {"run": 1}, "g": 2, "U": 3}) == 6


def test_expressions_that_differ_in_constants_alone_share_a_code_object() -> None:
    first, second = hot("$i = 1"), hot("$i = 2")
    assert first.code is not None
    assert second.code is not None
    assert first.code.__code__ is second.code.__code__
    assert [each.evaluate(None, {"i": 2}) for each in (first, second)] == [False, True]


def test_an_expression_gets_code_when_it_is_evaluated_often_or_at_length() -> None:
    often, large, once = (Expression("$sum($v.a)") for _ in range(3))
    for _ in range(300):
        often.evaluate(None, {"v": [{"a": 1}]})
    large.evaluate(None, {"v": [{"a": 1}] * 2_000})
    once.evaluate(None, {"v": [{"a": 1}]})
    assert [each.code is not None for each in (often, large, once)] == [True, True, False]


def test_a_comparator_of_two_fields_sorts_as_it_does_when_it_is_called() -> None:
    items = [{"n": n % 3, "at": n} for n in range(7)]
    for test in ("$l.n > $r.n", "$l.n < $r.n", "$r.n < $l.n", "$r.n > $l.n"):
        by_key = Expression(f"$sort($v, function($l, $r){{ {test} }}).at")
        called = Expression(f"$sort($v, function($l, $r){{ ({test}) and true }}).at")
        assert by_key.evaluate(None, {"v": items}) == called.evaluate(None, {"v": items})
    mixed = Expression("$sort($v, function($l, $r){ $l.n > $r.n })")
    with pytest.raises(JSONataError, match="T2009"):
        mixed.evaluate(None, {"v": [{"n": 1}, {"n": "x"}]})
