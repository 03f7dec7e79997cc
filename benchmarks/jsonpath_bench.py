"""Measure paths and intrinsic calls, compared with jsonpath-ng in the same run.

python benchmarks/jsonpath_bench.py
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from jsonpath_ng.ext.parser import parse

from doorstep.intrinsics import compile_intrinsic
from doorstep.jsonpath import compile_path, compile_reference

DATA = {"a": {"b": [{"c": 1}, {"c": 2}]}, "c": {"i": 41}, "x": 0}
ITEMS = {"items": [{"n": n, "price": n % 20} for n in range(1000)]}


def cost(function: Callable[..., Any], *arguments: Any) -> float:
    """Return the microseconds of one call, the best of five rounds."""
    timer = timeit.Timer(lambda: function(*arguments))
    rounds = max(1, timer.autorange()[0] // 4)
    return min(timer.repeat(5, rounds)) / rounds * 1e6


def compare(what: str, ours: float, theirs: float) -> None:
    print(f"{what:40} {ours:9.2f} us   jsonpath-ng {theirs:9.2f} us   {theirs / ours:7.1f} x")


def main() -> None:
    for text in ("$", "$.x", "$.a.b[0].c"):
        compare(f"read {text}", cost(compile_path(text).get, DATA), cost(parse(text).find, DATA))
    for text in ("$.items[*].n", "$.items[?(@.price > 10)]", "$..n"):
        ours, theirs = compile_path(text).get, parse(text).find
        compare(f"1000 items: {text}", cost(ours, ITEMS), cost(theirs, ITEMS))
    for text in ("$.a.b[0].c", "$.items[?(@.price > 10)]"):
        compare(f"compile {text}", cost(compile_path.__wrapped__, text), cost(parse, text))
    put, update = compile_reference("$.c.i").put, parse("$.c.i").update
    compare("put $.c.i (theirs in place)", cost(put, DATA, 41), cost(update, DATA, 41))
    call = compile_intrinsic("States.MathAdd($.c.i, 1)", lambda path: compile_path(path).get)
    beyond = cost(call, DATA) - cost(compile_path("$.c.i").get, DATA)
    print(f"States.MathAdd($.c.i, 1) costs {beyond:.2f} us beyond its path")


if __name__ == "__main__":
    main()
