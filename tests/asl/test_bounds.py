"""Evaluations are bounded in steps and bytes; numbers and texts at the edges fail the workflow."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import doorstep
import doorstep.jsonpath.meter
from doorstep import jsonata
from doorstep.asl import context, dialect
from doorstep.asl.dialect import LIMITS, functions
from doorstep.jsonata import JSONataError, Limits
from doorstep.jsonata.regex.pattern import Pattern

HUGE = 10**400
TEXT = "x" * 200_000


def machine(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, **fields}}}


def filtered(condition: str, items: Any) -> doorstep.Execution:
    return doorstep.run(machine(Parameters={"a.$": f"$.l[?({condition})]"}), {"l": items})


def queried(expression: str, data: Any = None) -> doorstep.Execution:
    definition = machine(QueryLanguage="JSONata", Output=f"{{% {expression} %}}")
    return doorstep.run(definition, data or {})


def called(call: str, data: Any) -> doorstep.Execution:
    return doorstep.run(machine(Parameters={"a.$": call}), data)


# -- regular expressions


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("(a+)+$", "a" * 300 + "b", False),
        ("(a|a)*b", "a" * 300 + "b", True),
        ("(.*)(.*)(.*)(.*)(.*)x", "a" * 300, False),
        ("(a*)*b", "a" * 300, False),
        ("(?i)A+", "aaa", True),
        ("a b # blanks", "ab", False),
    ],
)
def test_a_filter_s_pattern_takes_no_way_twice(pattern: str, text: str, matches: bool) -> None:
    """A backtracking matcher would not end on the first four."""
    execution = filtered(f"@.a =~ /{pattern}/", [{"a": text}])
    assert execution.output == {"a": [{"a": text}] if matches else []}


def test_the_flags_of_a_filter_s_pattern_are_java_s() -> None:
    assert filtered("@.a =~ /a.B/is", [{"a": "a\nb"}]).output == {"a": [{"a": "a\nb"}]}
    assert filtered("@.a =~ /a.b/", [{"a": "a\nb"}]).output == {"a": []}
    assert filtered("@.a =~ /a b # text/x", [{"a": "ab"}]).output == {"a": [{"a": "ab"}]}


@pytest.mark.parametrize("pattern", [r"\p{Alpha}+", "a" * 25_000, "(" * 60 + "a" + ")" * 60, "("])
def test_a_pattern_that_is_not_supported_is_refused_when_the_definition_is(pattern: str) -> None:
    path = f"$.l[?(@.a =~ /{pattern}/)]"
    (diagnostic,) = doorstep.validate(machine(Parameters={"a.$": path}))
    assert diagnostic.code == "SCHEMA_VALIDATION_FAILED"


@pytest.mark.parametrize(
    "condition",
    [
        r"@.a =~ /(a+)+\1x/",  # a back reference: there is no bound but the steps
        "$..[?($..[?($..[?(@.x)])])]",
        "@.m in $.l[*].n && @.m in $.l[*].n",
    ],
)
def test_a_filter_that_takes_too_long_fails_the_execution(condition: str) -> None:
    items = [{"a": "a" * 200, "m": n, "n": -n} for n in range(900)]
    execution = filtered(condition, items)
    assert execution.error == "States.Runtime"
    assert "its evaluation takes more than 2,000,000 steps" in str(execution.cause)


@pytest.mark.parametrize("path", ["$" + "..*" * 6, "$.l" + "[0,0,0,0,0,0,0,0,0]" * 100])
def test_so_does_a_path_that_multiplies_what_it_finds(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorstep.jsonpath.meter, "MOST_STEPS", 100_000)
    deep = json.loads("[" * 190 + "]" * 190)
    execution = doorstep.run(machine(Parameters={"a.$": path}), {"l": deep})
    assert execution.error == "States.Runtime"


def test_a_pattern_of_jsonata_is_refused_with_the_expression() -> None:
    (diagnostic,) = doorstep.validate(
        machine(QueryLanguage="JSONata", Output="{% $match('a', /(a{1,900}){1,900}/) %}")
    )
    assert diagnostic.code == "INVALID_JSONATA_EXPRESSION"
    assert queried("$match('a', /a{1,2000}/).match").output == "a"


def test_rounds_that_look_alike_are_counted_apart() -> None:
    assert queried("$match('babaa', /(?:ba?){1,3}/).match").output == "baba"
    assert queried("$match('aaab', /((?:a|b)?)?((?:a|b)?)?b/).match").output == "aab"


def test_a_search_goes_on_where_it_has_not_been() -> None:
    ticks: list[int] = []
    text = "a" * 2_000
    assert Pattern("(a+)+b", "").search(text, 0, ticks.append) is None
    assert sum(ticks) < 40 * len(text)


# -- steps


DOUBLED = "($f := function($s,$n){$n = 0 ? $s : $f([[$s], [$s]], $n - 1)}; "
"""An array of 2 ** n arrays that takes only n."""
LONG = "($a := $pad('',6000000)&'a'; $b := $pad('',6000000)&'b'; "
HOSTILE = [
    "($f := function($x) { $f($x + 1) }; $f(1))",
    "$map([1..100000], function($a){ $map([1..800000], $type) })",
    DOUBLED + "$count($f([1], 60).*))",
    DOUBLED + "$boolean($f([false], 60)))",
    DOUBLED + "$string($f(['a'], 60)))",
    LONG + "$map([1..800000], function(){$a=$b}))",
    LONG + "$sort($map([1..99999], function($i){$i%2=0?$a:$b})))",
    "$map([1..800000], function($i){ $formatNumber($i, '#,##0.00') })",
    "($s := $pad('',600000); $map([1..800000], function($i){ $length($encodeUrl($s)) }))",
    "($s := $pad('',6000000,'[],'); $map([1..800000], function($i){ $parse('['&$s&'1]') }))",
    "$fromMillis(0, $pad('', 6000000, '[Y]'))",
    "[1..800000]@$a.[1..800000]@$b.($a*$b)",
    "[1..870000].{'a': $, 'b': {'c': $}}",
    r"$match($pad('',200000,'a') & 'b', /(a+)+\1$/)",
    "$reduce([1..100000], function($a,$b){ $append($a,$b) }, [])",
]


@pytest.mark.parametrize("expression", HOSTILE)
def test_an_expression_ends_after_so_many_steps_or_bytes(expression: str) -> None:
    spent: list[int] = []
    with pytest.raises(JSONataError) as caught:
        jsonata.compile(expression).evaluate(
            None,
            functions(lambda: Random(1)),
            limits=replace(LIMITS, steps=300_000),
            spent=spent.append,
        )
    assert caught.value.code == "U1001"
    assert len(spent) <= 1


def test_the_same_evaluation_takes_the_same_steps() -> None:
    expression = jsonata.compile("$sum($map([1..5000], function($n){ $n * 2 }))")
    spent: list[int] = []
    for _ in range(2):
        assert expression.evaluate(spent=spent.append) == 25_005_000
    assert spent[0] == spent[1] >= 5_000
    with pytest.raises(JSONataError, match="timeout"):
        expression.evaluate(limits=Limits(steps=spent[0] // 2))
    assert expression.evaluate(limits=Limits(steps=spent[0])) == 25_005_000


def test_a_short_evaluation_says_nothing_of_its_steps() -> None:
    spent: list[int] = []
    jsonata.compile("$map([1..3], function($n){ $n })").evaluate(spent=spent.append)
    assert spent == []


def test_an_evaluation_that_failed_says_what_it_took() -> None:
    spent: list[int] = []
    with pytest.raises(JSONataError):
        jsonata.compile("($map([1..2000], function($n){ $n }); $error('x'))").evaluate(
            spent=spent.append
        )
    assert len(spent) == 1


@pytest.mark.parametrize(
    "picture", ["'#' & $pad('',200000,',#') & '0'", "$pad('',200000,'#,') & '0.0,0'"]
)
def test_a_picture_is_read_once_however_many_groups_it_has(picture: str) -> None:
    """To count the digits behind each separator anew took minutes."""
    made = queried(f"$length($formatNumber(12.5, {picture}))")
    assert made.status == "SUCCEEDED"


def test_a_reduction_to_a_text_needs_no_more_room_than_the_text() -> None:
    made = queried("$length($reduce([1..20000], function($a, $b){ $a & $b & ',' }, ''))")
    assert made.output == 108_894


def test_a_slice_drops_the_places_that_it_names() -> None:
    assert queried("$count([1..20000][[0..299]])").output == 300


# -- bytes


REPEATED = ",".join(["$.t"] * 2_000)
LARGE: dict[str, Any] = {
    "States.Format": machine(
        Parameters={"a.$": f"States.Format('{'{}' * 2_000}',{REPEATED})"},
    ),
    "States.JsonToString": machine(
        Parameters={"a.$": f"States.JsonToString(States.Array({REPEATED}))"}
    ),
    "States.Hash": machine(Parameters={"a.$": f"States.Hash(States.Array({REPEATED}),'MD5')"}),
    "States.Array": machine(Parameters={"a.$": f"States.Array({REPEATED})"}),
    "Parameters": machine(Parameters={f"m{n}.$": "$" for n in range(1_000)}),
    "Assign": machine(Assign={f"m{n}.$": "$" for n in range(1_000)}),
    "indexes": machine(OutputPath=f"$.l[{','.join(['0'] * 5_000)}]"),
    "Output": machine(
        QueryLanguage="JSONata", Output={f"m{n}": "{% $states.input %}" for n in range(1_000)}
    ),
    "ItemSelector": {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "ItemsPath": "$.l",
                "ItemSelector": {f"m{n}.$": "$" for n in range(1_000)},
                "ItemProcessor": machine(),
                "End": True,
            }
        },
    },
}


@pytest.mark.parametrize("definition", LARGE.values(), ids=LARGE)
def test_what_would_be_much_too_large_is_not_built(definition: Any) -> None:
    """As a payload over the quota, which it would become."""
    execution = doorstep.run(definition, {"t": TEXT, "l": [TEXT[:9]]})
    if definition is LARGE["indexes"]:
        assert execution.status == "SUCCEEDED"
        return
    assert execution.error == "States.DataLimitExceeded"


@pytest.mark.parametrize(
    "expression",
    [
        "($s := $pad('',1000000); $join($map([1..1000], function($i){$s})))",
        "$map([1..1000], function($i){ $pad('',6000000) & $i })",
        "$map([1..800000], function($i){ $pad('',100) & $i })",
        "$states.input.l.{'a': $states.input}",
        "[" + ",".join(["$states.input"] * 1_000) + "]",
        "($s := $pad('',600000); $replace($s, / +/, $pad('',100000,'$0')))",
    ],
)
def test_an_expression_that_would_fill_the_memory_fails(expression: str) -> None:
    execution = queried(expression, {"t": TEXT, "l": list(range(3_000))})
    assert execution.error == "States.QueryEvaluationError"
    assert "memory limit exceeded" in str(execution.cause)


def test_none_of_it_takes_two_hundred_megabytes() -> None:
    """Peak of one process that runs them all, over what it takes to import everything."""
    pytest.importorskip("resource")
    program = """
import resource, runpy, sys
import doorstep
names = runpy.run_path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for definition in names["LARGE"].values():
    doorstep.run(definition, {"t": names["TEXT"], "l": [1]})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, __file__], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(ran.stdout) * unit < 200 * 2**20


# -- depth


@pytest.mark.parametrize("operator", ["&", "+", "and", "or", "=", "~>", "*"])
@pytest.mark.parametrize("terms", [101, 200])
def test_a_chain_of_operators_fails_when_it_runs(operator: str, terms: int) -> None:
    """Fact 68: measured with 200 terms."""
    execution = queried(f" {operator} ".join(["1"] * terms))
    assert execution.error == "States.QueryEvaluationError"
    assert "Stack overflow" in str(execution.cause)


@pytest.mark.parametrize(
    "expression",
    [
        *(f" {operator} ".join(["1"] * 5_000) for operator in ("&", "+", "and", "or", "~>")),
        "$string" + "()" * 5_000,
        "(" * 5_000 + "1" + ")" * 5_000,
        "false ? 1 : " * 5_000 + "2",
        "-" * 5_000 + "2",
    ],
    ids=["&", "+", "and", "or", "~>", "calls", "brackets", "conditions", "signs"],
)
def test_a_deeper_one_is_refused_when_the_definition_is(expression: str) -> None:
    (diagnostic,) = doorstep.validate(
        machine(QueryLanguage="JSONata", Output=f"{{% {expression} %}}")
    )
    assert diagnostic.code == "INVALID_JSONATA_EXPRESSION"


@pytest.mark.parametrize(
    ("expression", "output"),
    [
        ("$states.input" + ".a" * 5_000 + " ? 1 : 2", 2),
        ("$states.input" + "[0]" * 5_000, {"a": 1}),
        ("/* text */" * 5_000 + "2", 2),
    ],
    ids=["steps", "predicates", "comments"],
)
def test_what_is_only_long_works(expression: str, output: Any) -> None:
    assert queried(expression, {"a": 1}).output == output


@pytest.mark.parametrize("path", ["$" + ".*" * 5_000, "$" + "..a" * 5_000], ids=["star", "descent"])
def test_a_path_may_have_five_thousand_steps(path: str) -> None:
    assert doorstep.run(machine(Parameters={"a.$": path}), {}).output == {"a": []}


@pytest.mark.parametrize("operator", ["&&", "||"])
def test_a_filter_may_have_a_thousand_conditions(operator: str) -> None:
    assert filtered(operator.join(["@.a"] * 1_000), [{"a": 1}]).output == {"a": [{"a": 1}]}


def test_a_value_that_could_not_be_read_again_fails_its_state() -> None:
    placed = doorstep.run(machine(Result=1, ResultPath="$" + ".a" * 5_000), {})
    assert placed.error == "States.Runtime"
    nested = queried("($f := function($s,$n){$n = 0 ? $s : $f([[$s]], $n - 1)}; $f([1], 450))")
    assert nested.error == "States.QueryEvaluationError"


# -- numbers and texts at the edges


@pytest.mark.parametrize(
    "call",
    [
        "States.MathAdd($.n, 1)",
        "States.MathRandom($.n, 1)",
        "States.MathRandom(1, $.n)",
        "States.ArrayGetItem($.l, $.n)",
        "States.ArrayRange(1, $.n, 1)",
        "States.ArrayRange(1, 3, $.n)",
        "States.ArrayPartition($.l, $.n)",
    ],
)
@pytest.mark.parametrize("number", [HUGE, -HUGE, 1e300])
def test_an_intrinsic_function_takes_numbers_of_java_s_int(call: str, number: float) -> None:
    """As MathAdd, for which it was observed."""
    assert called(call, {"n": number, "l": [1]}).error == "States.Runtime"


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("States.Hash($.h, 'MD5')", hashlib.md5(b"a?").hexdigest()),
        ("States.Base64Encode($.h)", "YT8="),
    ],
)
def test_half_of_a_surrogate_pair_is_a_question_mark_in_bytes(call: str, result: str) -> None:
    """As in Java's String.getBytes."""
    assert called(call, {"h": "a\ud83d"}).output == {"a": result}


@pytest.mark.parametrize(
    "expression",
    [
        "$string($states.input.n)",
        "$floor($states.input.n)",
        "$formatInteger($states.input.n, 'w')",
        "$states.input.n & 'a'",
        "$replace('abc', 'b', 'c', $states.input.n)",
        "$match('abc', /b/, $states.input.n)",
        "$range(1, $states.input.n, 1)",
        "$random($states.input.n)",
        "$substring('abc', 0/0)",
    ],
)
def test_a_number_beyond_doubles_is_an_error_of_the_expression(expression: str) -> None:
    assert queried(expression, {"n": HUGE}).error == "States.QueryEvaluationError"


@pytest.mark.parametrize(
    "expression",
    [
        f"$parseInteger('{'9' * 5_000}', '0')",
        f"$parseInteger('{'z' * 5_000}', 'a')",
        f"$toMillis('{'9' * 5_000}', '[Y]')",
        f"$fromMillis(0, '[Y]', '{'9' * 5_000}')",
        f"$fromMillis(0, '[Y,*-{'9' * 5_000}]')",
        f"$fromMillis(0, '[H,{'9' * 500}]')",
    ],
)
def test_digits_without_end_are_no_error_of_python(expression: str) -> None:
    execution = queried(expression)
    assert execution.error in (None, "States.QueryEvaluationError")
    assert execution.status == ("FAILED" if execution.error else "SUCCEEDED")


@pytest.mark.parametrize("number", [HUGE, 2**63])
def test_a_wait_that_is_no_long_can_not_be_parsed(number: int) -> None:
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "SecondsPath": "$.n", "End": True}}}
    execution = doorstep.run(wait, {"n": number})
    assert execution.error == "States.Runtime"
    assert "cannot be parsed as a long value" in str(execution.cause)


@pytest.mark.parametrize("number", [10**300, 1e300])
def test_a_wait_in_jsonata_is_too_long(number: float) -> None:
    wait = {"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% $states.input %}"}
    execution = doorstep.run({"StartAt": "W", "States": {"W": {**wait, "End": True}}}, number)
    assert "Wait state delay is too long." in str(execution.cause)


@pytest.mark.parametrize("field", ["TimeoutSeconds", "HeartbeatSeconds"])
@pytest.mark.parametrize("number", [HUGE, 2**31, 1e300])
def test_a_timeout_is_an_integer(field: str, number: float) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}
    by_path = {**task, f"{field}Path": "$", "End": True}
    asked = {**task, "QueryLanguage": "JSONata", field: "{% $states.input %}", "End": True}
    for state, error in ((by_path, "States.Runtime"), (asked, "States.QueryEvaluationError")):
        execution = doorstep.run({"StartAt": "T", "States": {"T": state}}, number)
        assert execution.error == error


@pytest.mark.parametrize(
    "field", ["MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"]
)
def test_so_are_the_numbers_of_a_map(field: str) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {
        "Type": "Map",
        "ItemsPath": "$.l",
        "ItemProcessor": {**processor, **machine()},
        field: "$.n",
        "End": True,
    }
    execution = doorstep.run({"StartAt": "M", "States": {"M": state}}, {"n": HUGE, "l": [1]})
    assert execution.error == "States.Runtime"


def test_a_back_off_may_be_of_any_rate() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "BackoffRate": HUGE, "MaxDelaySeconds": 5}]
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}
    state = {**task, "Retry": retry, "End": True}

    def fail(_: Any) -> None:
        raise ValueError

    execution = doorstep.run({"StartAt": "T", "States": {"T": state}}, {}, {"f": fail})
    assert execution.error == "ValueError"


@pytest.mark.parametrize("fields", [{"Result": 10**5000}, {"Comment": [-(10**9999)]}])
def test_a_definition_with_digits_without_end_is_refused(fields: dict[str, Any]) -> None:
    """Given as an object: in a text, AWS's reader of JSON refuses it."""
    with pytest.raises(doorstep.DefinitionError, match="INVALID_JSON_DESCRIPTION"):
        doorstep.run(machine(**fields))


# -- one state


HEAVY = "$count([1..3000].($ + 1))"


@pytest.fixture
def lower_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the steps: none of it takes long."""
    monkeypatch.setattr(dialect, "LIMITS", replace(LIMITS, steps=LIMITS.steps // 100))
    monkeypatch.setattr(context, "VISIT_STEPS", 3 * LIMITS.steps // 100)


@pytest.mark.usefixtures("lower_bounds")
def test_the_expressions_of_one_state_have_bounds_together() -> None:
    fields = {f"f{i}": f"{{% {HEAVY} %}}" for i in range(100)}
    assert doorstep.run(machine(QueryLanguage="JSONata", Output=f"{{% {HEAVY} %}}")).output == 3000
    execution = doorstep.run(machine(QueryLanguage="JSONata", Output=fields))
    assert (execution.status, execution.error) == ("FAILED", "States.QueryEvaluationError")
    assert "'Output/f" in (execution.cause or "")


@pytest.mark.usefixtures("lower_bounds")
@pytest.mark.parametrize("path", ["$..b", "$.l[?(@.a =~ /(a+)+b/)]", "$.l[?(@.a in $..b)]"])
def test_paths_count_with_them(path: str) -> None:
    """Hundreds of searching paths, each within its own bound, would take minutes together."""
    items = [{"a": "a" * 20} for _ in range(50)]
    one = machine(Parameters={"a.$": path})
    assert doorstep.run(one, {"l": items}).output == {"a": []}
    many = machine(Parameters={f"a{n}.$": path for n in range(1_000)})
    execution = doorstep.run(many, {"l": items})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


@pytest.mark.usefixtures("lower_bounds")
def test_every_state_and_every_item_has_them_anew(chain: Any, each: Any) -> None:
    heavy = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": f"{{% {HEAVY} %}}"}
    execution = doorstep.run(chain({f"S{i}": heavy for i in range(30)}))
    assert execution.status == "SUCCEEDED"
    items = each({"A": {"Type": "Pass"}})
    items |= {"QueryLanguage": "JSONata", "ItemSelector": {"n": f"{{% {HEAVY} %}}"}}
    execution = doorstep.run(chain({"Each": items}), list(range(30)))
    assert execution.status == "SUCCEEDED"


@pytest.mark.parametrize(
    "call",
    [
        "States.ArrayContains($.w,$.w)",
        "States.ArrayUnique($.w)",
        "States.Hash($.w,'MD5')",
        "States.JsonToString($.w)",
        "States.Format('{}',$.w)",
    ],
)
def test_the_functions_of_one_state_have_bounds_together(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(context, "VISIT_STEPS", 100_000)
    items = [{"a": "a" * 60, "b": index} for index in range(100)]
    few = machine(Parameters={f"a{index}.$": call for index in range(5)})
    assert doorstep.run(few, {"w": items}).status == "SUCCEEDED"
    many = machine(Parameters={f"a{index}.$": call for index in range(500)})
    execution = doorstep.run(many, {"w": items})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "the expressions of the state take more than" in (execution.cause or "")


@pytest.mark.parametrize(
    "call",
    [
        "States.ArrayContains({}, 1)",
        "States.ArrayUnique({})",
        "States.Hash({}, 'MD5')",
        "States.JsonToString({})",
        "States.Format('{{}}', {})",
    ],
)
def test_functions_that_write_out_their_arguments_do_so_up_to_a_size(call: str) -> None:
    """A value that an array holds thousands of times is small in memory, and large in writing."""
    many = f"States.Array({', '.join(['$.x'] * 100)})"
    large = machine(Parameters={"v.$": call.format(many)})
    execution = doorstep.run(large, {"x": "a" * 50_000})
    assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")
    counted = machine(Parameters={"v.$": f"States.ArrayLength({many})"})
    assert doorstep.run(counted, {"x": "a" * 50_000}).output == {"v": 100}
