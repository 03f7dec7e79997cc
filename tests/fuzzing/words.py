"""What stands in random definitions: values, paths, intrinsic calls, JSONata, names of errors."""

from __future__ import annotations

from hypothesis import strategies as st

numbers = st.integers(-3, 12) | st.sampled_from([0.5, -1.5, 1e21, 2**53, 10**30, -0.0, 1e-7])
texts = st.sampled_from(["", "a", "x", "7", "é😀", "null", "2025-01-01T00:00:30Z", '{"a":1}', "{}"])
scalars = st.none() | st.booleans() | numbers | texts | st.text(max_size=3)
members = st.sampled_from(["a", "b", "n", "list", "Error", "é", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=8,
)
inputs = st.fixed_dictionaries(
    {
        "a": values,
        "n": st.integers(-1, 9),
        "list": st.lists(values, max_size=4),
        "at": st.sampled_from(["2025-01-01T00:00:30Z", "2030-01-01T00:00:00.5+01:00", "soon"]),
    },
    optional={"b": values},
)

paths = st.sampled_from(
    [
        *("$", "$.a", "$.b", "$.n", "$.list", "$.at", "$.a.b", "$.list[0]", "$['a']", "$.list[5]"),
        *("$$", "$$.State.Name", "$$.Execution.Input.a", "$$.Map.Item.Value", "$$.Task.Token"),
        *("$v", "$v.a", "$w[0]"),
    ]
)
queries = paths | st.sampled_from(
    [
        *("$.list[*]", "$..a", "$.list[-1]", "$.list[0:2]", "$.list[?(@.a == 1)]", "$.list[0,1]"),
        *("$.list[?(@.a > 0 && @.b)]", "$.list.length()", "$.*", "$.list[?(@ =~ /x.*/)]"),
    ]
)
calls = st.sampled_from(
    [
        *("States.UUID()", "States.Array($.a, 1, 'x')", "States.ArrayLength($.list)"),
        *("States.Format('{} {}', $.a, $$.State.Name)", "States.MathAdd($.n, 3000000000)"),
        *("States.ArrayRange(0, $.n, 1)", "States.ArrayPartition($.list, $.n)"),
        *("States.JsonToString($)", "States.StringToJson($.a)", "States.MathRandom(1, $.n)"),
        *(
            "States.Hash($.a, 'SHA-256')",
            "States.Base64Decode($.a)",
            "States.JsonMerge($, $, false)",
        ),
        *("States.ArrayGetItem($.list, $.n)", "States.StringSplit($.a, ',')"),
        *("States.ArrayContains($.list, $.a)", "States.ArrayUnique($.list)"),
    ]
)


def query(*texts: str) -> st.SearchStrategy[str]:
    """JSONata as definitions have it."""
    return st.sampled_from([f"{{% {text} %}}" for text in texts])


safe = query(
    *("$states.input", "$states.input", "$states.input.n", "$states.input.list", "null", "true"),
    *("$string($states.input)", "$states.context.State.Name", "$count($states.input.list)", "2.5"),
    *("$uuid()", "$random()", "$now()", "$states.input.a = 1", "{'a': $states.input.n}", "[1..3]"),
)
risky = query(
    *(
        "$states.input.a",
        "$v",
        "$w.a",
        "$states.input.list[a = 1]",
        "$nothing",
        "1/0",
        "0/0",
        "$sum",
    ),
    *("$sum($states.input.list)", "$map($states.input.list, function($x) { $x.a })", "-1", "[]"),
    *("$range(0, $states.input.n, 1)", "$parse($states.input.a)", "$sort($states.input.list)"),
    *("$states.input ~> |$|{'b': 1}|", "$error('mine')", "$toMillis('x')", "'arn'", "/a/"),
    *("($f := function($n) { 1 + $f($n) }; $f(0))", "$states.input.list.a & 'x'"),
    *("$states.input.**.a", "$states.input{'k': a}", "$match('ab', /(a)(b)/)"),
)
expressions = st.one_of(safe, safe, safe, risky)
lists = query("$states.input.list", "[1..3]", "[]", "$states.input", "[$states.input.n, 'x']")
numeric = query("$states.input.n", "$count($states.input.list)", "30", "2.5", "'x'")
moments = query("$states.input.at", "$now()", "'2025-01-01T00:00:10Z'", "$string($states.input.n)")
conditions = query("$states.input.n > 3", "true", "false", "$states.input.a = 1", "$states.input.n")
of_result = expressions | st.just("{% $states.result %}")
of_error = expressions | st.just("{% $states.errorOutput.Error %}")
error_names = st.sampled_from(
    [
        *("States.ALL", "States.Timeout", "States.TaskFailed", "States.Runtime", "Boom"),
        *("States.HeartbeatTimeout", "States.QueryEvaluationError", "States.DataLimitExceeded"),
    ]
)

RESOURCES = [
    "arn:aws:lambda:us-east-1:123456789012:function:press",
    "arn:aws:states:us-east-1:123456789012:activity:stamp",
    "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "arn:aws:states:::ecs:runTask.sync",
    "arn:aws:states:::aws-sdk:s3:getObject",
    "arn:aws:states:::states:startExecution.sync:2",
    "arn:aws:states:::http:invoke",
]
WANTED = ("FunctionName", "QueueUrl", "MessageBody", "TaskDefinition", "StateMachineArn", "Input")
"""What the services' tasks need at least."""
