"""Compare our JSONata with jsonata-python in one run: microseconds, and how many times faster.

    python benchmarks/jsonata_bench.py [--sizes 10 10000] [--threads]

jsonata-python (module `jsonata`) is optional: without it only our own figures are shown.
`--threads` also lets eight threads share expressions for a million evaluations.
"""

from __future__ import annotations

import argparse
import sys
import timeit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from doorstep.jsonata import compile as compile_expression

EXPRESSIONS = {
    "path": "$states.input.a.b",
    "arithmetic": "$i + 1",
    "filter": "$states.input.items[price > 10]",
    "$sum": "$sum($states.input.items.price)",
    "$map": "$map($states.input.items, function($v){ $v.price * 2 })",
    "object": '{"id": $states.input.a.b, "n": $i, "s": $states.input.a.b & "x"}',
}
SECONDS = 0.2
"""How long one measurement takes; the best of three counts."""


def bindings(size: int) -> dict[str, Any]:
    """Return variables like those of a state, with so many items."""
    items = [{"price": place % 23, "name": f"n{place}"} for place in range(size)]
    return {"states": {"input": {"a": {"b": "value"}, "items": items}}, "i": 1}


def microseconds(work: Callable[[], object]) -> float:
    """Return the best time of one call."""
    timer = timeit.Timer(work)
    count = max(1, int(SECONDS / max(timer.timeit(1), 1e-7)))
    return min(timer.repeat(3, count)) / count * 1e6


def reference(text: str, variables: dict[str, Any]) -> Callable[[], object] | None:
    """Return the same evaluation with jsonata-python, if it is installed."""
    limit = sys.getrecursionlimit()
    try:
        from jsonata import Jsonata
    except ImportError:
        return None
    sys.setrecursionlimit(limit)  # which importing it changes
    expression = Jsonata(text)
    frame = expression.create_frame()
    for name, value in variables.items():
        frame.bind(name, value)
    return lambda: expression.evaluate(None, frame)


def measure(size: int) -> None:
    """Print a line for each expression."""
    variables = bindings(size)
    for name, text in EXPRESSIONS.items():
        expression = compile_expression(text)
        ours = microseconds(lambda: expression.evaluate(None, variables))  # noqa: B023
        line = f"{size:6} {name:11} {ours:10.2f}"
        theirs = reference(text, variables)
        if theirs is not None:
            other = microseconds(theirs)
            line += f" {other:12.1f} {other / ours:8.1f} x"
        print(line)


def measure_compiling() -> None:
    """Print the microseconds to compile each expression."""
    for name, text in EXPRESSIONS.items():
        taken = microseconds(lambda: compile_expression(text))  # noqa: B023
        print(f"compile {name:11} {taken:8.1f}")


def share_between_threads(evaluations: int = 1_000_000, threads: int = 8) -> None:
    """Count wrong answers of expressions that all threads share."""
    factorial = compile_expression("($f := function($n){$n < 2 ? 1 : $n * $f($n - 1)}; $f($k))")
    path = compile_expression("$states.input.items[price = $k].name")

    def work(seed: int) -> int:
        wrong = 0
        variables = {**bindings(5), "k": seed % 5}
        wanted = [1, 1, 2, 6, 24][seed % 5]
        for _ in range(evaluations // threads // 2):
            wrong += factorial.evaluate(None, variables) != wanted
            wrong += path.evaluate(None, variables) != f"n{seed % 5}"
        return wrong

    with ThreadPoolExecutor(threads) as pool:
        wrong = sum(pool.map(work, range(threads)))
    print(f"{threads} threads, {evaluations} evaluations: {wrong} wrong")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 10_000])
    parser.add_argument("--threads", action="store_true")
    options = parser.parse_args()
    print(f"{'items':>6} {'expression':11} {'ours, µs':>10} {'jsonata-py':>12} {'faster':>8}")
    for size in options.sizes:
        measure(size)
    measure_compiling()
    if options.threads:
        share_between_threads()


if __name__ == "__main__":
    main()
