"""Whatever an expression asks for, its evaluation ends, and takes no more memory than it may."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

from hypothesis import strategies as st

import doorstep
from doorstep import DefinitionError

MOST_BYTES = 200_000_000
"""Of memory, beyond what there was before."""

sizes = st.sampled_from([0, 1, 7, 50, 1_000, 100_000])
letters = st.sampled_from(["a", "ab", "/", "*", "\\", "é", "😀"])
subjects = st.builds(lambda text, size, end: text * size + end, letters, sizes, letters).filter(
    lambda text: len(text) <= 200_000
)

patterns = st.lists(st.sampled_from(["*", "*", "a", "b", "/", "\\\\*", "ab"]), max_size=40).map(
    "".join
)
regexes = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "a|aa", "\\w", "a*", ".*", "[^b]"]),
    lambda inner: st.builds(
        lambda left, right, repeat: f"({left}{right}){repeat}",
        inner,
        inner,
        st.sampled_from(["", "*", "+", "?", "{2,}", "{1,2000}", "*?"]),
    ),
    max_leaves=6,
)

intrinsics = st.recursive(
    st.sampled_from(["$.t", "$.t", "$.n", "$.l", "7", "'x'"]),
    lambda inner: st.one_of(
        st.builds("States.Array({0}, {0}, {1})".format, inner, inner),
        st.builds("States.Format('{{}}{{}}', {0}, {0})".format, inner),
        st.builds("States.ArrayRange(0, {0}, 1)".format, inner),
        st.builds("States.ArrayPartition({0}, {1})".format, inner, inner),
        st.builds("States.StringSplit({0}, {1})".format, inner, inner),
        st.builds("States.Base64Encode({0})".format, inner),
        st.builds("States.JsonToString({0})".format, inner),
        st.builds("States.ArrayUnique({0})".format, inner),
        st.builds("States.MathAdd({0}, {1})".format, inner, inner),
    ),
    max_leaves=10,
)

jsonata = st.recursive(
    st.sampled_from(["$t", "$n", "$l", "[1..1000]", "[1..$n]", "'a'", "{'a': $t}"]),
    lambda inner: st.one_of(
        st.builds("({} & {})".format, inner, inner),
        st.builds("$join({0}.$string({1}))".format, inner, inner),
        st.builds("$pad({0}, {1})".format, inner, inner),
        st.builds("{0}.({1})".format, inner, inner),
        st.builds("$map({0}, function($x){{[$x, {1}]}})".format, inner, inner),
        st.builds("$reduce({0}, function($a, $b){{$a & $b}})".format, inner),
        st.builds("($f := function($x){{$f([$x, $x])}}; $f({0}))".format, inner),
        st.builds("($f := function($x){{$f($x) + $f($x)}}; $f({0}))".format, inner),
        st.builds("$replace({0}, 'a', {1})".format, inner, inner),
        st.builds("$sort({0})".format, inner),
        st.builds("$distinct($append({0}, {1}))".format, inner, inner),
    ),
    max_leaves=8,
)


def choice(pattern: str) -> dict[str, Any]:
    rule = {"Variable": "$.t", "StringMatches": pattern, "Next": "Done"}
    return {"Type": "Choice", "Choices": [rule], "Default": "Done"}


def passing(text: str) -> dict[str, Any]:
    return {"Type": "Pass", "Parameters": {"v.$": text}, "Next": "Done"}


def output(text: str) -> dict[str, Any]:
    bound = "$t := $states.input.t; $n := $states.input.n; $l := $states.input.l"
    expression = f"{{% ({bound}; {text}) %}}"
    return {"Type": "Pass", "QueryLanguage": "JSONata", "Output": expression, "Next": "Done"}


evaluations = st.fixed_dictionaries(
    {
        "state": patterns.map(choice)
        | regexes.map("$.l[?(@ =~ /{}/)]".format).map(passing)
        | regexes.map("$match($t, /{}/)".format).map(output)
        | intrinsics.map(passing)
        | jsonata.map(output),
        "text": subjects,
        "number": st.sampled_from([-1, 0, 1, 2, 1_000, 10**6, 10**9, 10**400]),
    }
)


def ends_within_its_bounds(state: dict[str, Any], text: str, number: int) -> None:
    """Run a state; an AssertionError if it takes too much memory. The law's patience ends it."""
    definition = {"StartAt": "A", "States": {"A": state, "Done": {"Type": "Succeed"}}}
    data = json.dumps({"t": text, "n": number, "l": [text, number, text]})
    if len(data) > 262_144:
        return
    tracemalloc.start()
    try:
        execution = doorstep.run(definition, input_json=data, seed=1)
        _, peak = tracemalloc.get_traced_memory()
    except DefinitionError:
        return
    finally:
        tracemalloc.stop()
    assert execution.ended
    assert peak < MOST_BYTES, f"{peak / 1e6:.0f} MB"
    assert "fault of Doorstep" not in str(execution.cause), execution.cause
