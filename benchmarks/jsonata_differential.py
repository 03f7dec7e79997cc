"""Compare our JSONata with jsonata-js 2.0.6 on generated expressions and documents.

    python benchmarks/jsonata_differential.py [--pairs 5000] [--seed 1] [--jsonata DIRECTORY]

Needs node, and npm (which fetches jsonata 2.0.6 into a temporary directory) unless DIRECTORY has a
`node_modules/jsonata`. Prints every difference that `REASONS` doesn't explain, and exits with 1 if
there is one. Values, undefined, error codes, positions, tokens and messages are compared.

Not generated, because the difference is known: names of members that are integers (JavaScript puts
them first), years before 100 (its Date.UTC takes them for 1900 on), number pictures with an
exponent (zero and negative numbers make jsonata-js hang), and `$eval`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from doorstep.jsonata import UNDEFINED, JSONataError, Limits, is_function
from doorstep.jsonata import compile as compile_expression

Outcome = dict[str, Any]
"""``{"value": …}``, ``{}`` for undefined, or ``{"error": code, "message": …, …}``."""

RUNNER = """
const jsonata = require(process.argv[2] + '/node_modules/jsonata');
const lines = require('readline').createInterface({input: process.stdin});
const plain = (key, value) => typeof value === 'function' || (value && (value._jsonata_lambda
  || value._jsonata_function)) ? '<function>'
  : typeof value === 'number' && !Number.isFinite(value) ? '<' + value + '>' : value;
(async () => {
  for await (const line of lines) {
    const [text, data] = JSON.parse(line);
    let outcome;
    try {
      const value = await jsonata(text).evaluate(data);
      outcome = value === undefined ? {} : {value};
      JSON.stringify(outcome);  // a transform can make a cycle
    } catch (error) {
      outcome = {error: error.code || 'uncoded', message: error.message,
                 position: error.position, token: error.token};
    }
    console.log(JSON.stringify(outcome, plain));
  }
})();
"""

Reason = tuple[str, Callable[[str, Outcome, Outcome], bool]]


def _is_left_over(text: str, our: Outcome, their: Outcome) -> bool:
    if "error" not in our or our["error"] != their.get("error"):
        return False
    messages = [re.sub(r'"\w*"|undefined', "", each["message"] or "") for each in (our, their)]
    return messages[0] == messages[1]


REASONS: tuple[Reason, ...] = (
    (
        "jsonata-js fails with a bare JavaScript error where we continue or have a code",
        lambda text, our, their: their.get("error") == "uncoded",
    ),
    (
        "jsonata-js reports a position or token of an earlier call of the same function",
        _is_left_over,
    ),
    (
        "the value that a message shows is a function, or gathered",
        lambda text, our, their: "error" in our and our["error"] == their.get("error"),
    ),
    (
        "jsonata-js evaluates the parts of a constructor side by side: another error comes first",
        lambda text, our, their: (
            "error" in our and "error" in their and ("[" in text or "{" in text)
        ),
    ),
    (
        "jsonata-js hands undefined on as an item that a predicate was true for",
        lambda text, our, their: (
            "]" in text
            and (not our or our == {"value": []})
            and ("]." in text or set(map(str, their.get("value") or ())) == {"None"})
        ),
    ),
    (
        "base64 is of UTF-8 here, of the low bytes of UTF-16 there",
        lambda text, our, their: "base64encode" in text and not text.isascii(),
    ),
)


class Generator:
    """Random expressions: mostly meaningful, sometimes not."""

    NAMES = ("a", "b", "c", "d", "items", "name", "price", "x y")
    VARIABLES = ("v", "w")
    FUNCTIONS: ClassVar = {
        "sum": "N",
        "count": "A",
        "max": "N",
        "min": "N",
        "average": "N",
        "string": "E",
        "length": "S",
        "uppercase": "S",
        "lowercase": "S",
        "trim": "S",
        "substring": "Snn",
        "substringBefore": "SS",
        "substringAfter": "SS",
        "pad": "SnS",
        "contains": "SP",
        "split": "SP",
        "join": "LS",
        "replace": "SPS",
        "match": "SR",
        "number": "E",
        "abs": "n",
        "floor": "n",
        "ceil": "n",
        "round": "nn",
        "power": "nn",
        "sqrt": "n",
        "formatBase": "nn",
        "boolean": "E",
        "not": "E",
        "exists": "E",
        "append": "EE",
        "reverse": "A",
        "distinct": "A",
        "sort": "A",
        "zip": "AA",
        "keys": "E",
        "lookup": "ES",
        "spread": "E",
        "merge": "O",
        "type": "E",
        "map": "AF",
        "filter": "AF",
        "single": "AF",
        "reduce": "AG",
        "each": "OF",
        "sift": "OF",
        "formatNumber": "nK",
        "formatInteger": "nI",
        "base64encode": "S",
        "encodeUrlComponent": "S",
        "fromMillis": "mD",
        "clone": "O",
        "error": "S",
        "assert": "BS",
    }
    KINDS: ClassVar = {
        "K": ("#,##0.00", "0", "00%", "(0.0);-0", "#x#", "0.0.0", "###,##,#0.0#,#"),
        "I": ("w", "W", "Ww", "i", "I", "a", "A", "0", "000", "#,##0", "1;o", "w;o", "", "x"),
        "D": (
            "[Y]-[M01]-[D01]",
            "[FNn], [D1o] [MNn] [Y]",
            "[H01]:[m01]:[s01].[f001] [Z]",
            "[X0001]-W[W01]-[F1]",
            "[h]:[m] [PN]",
            "[d]/[w]/[x]/[xNn]",
            "[YI] [Mw] [Dwo]",
            "[Y,2-2][M,*-3]",
            "[z] [C] [E]",
            "[q]",
        ),
        "R": ("/a/", "/(a)(b)?/", "/[a-c]+/i", "/^\\\\w+$/m", "/\\\\d+/", "/(b|ab)c?/", "/x*/"),
    }

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def document(self, depth: int = 4) -> Any:
        """Return a JSON value with names that expressions use."""
        pick = self._random.random()
        if depth == 0 or pick < 0.25:
            return self._scalar()
        if pick < 0.5:
            return [self.document(depth - 1) for _ in range(self._random.randrange(4))]
        names = self._random.sample(self.NAMES, self._random.randrange(1, 5))
        return {name: self.document(depth - 1) for name in names}

    def _scalar(self) -> Any:
        numbers = (0, 1, 2, -3, 1.5, 10, 100.25, 1e21, 0.1, 123456789)
        texts = ("", "a", "abc", "b c", "1.2", "ä€", "true", "x1y22")
        return self._random.choice((*numbers, *numbers, *texts, *texts, True, False, None))

    def expression(self, depth: int) -> str:
        """Return any expression."""
        choice = self._random.choice
        if depth <= 0:
            return choice((self._literal, self._name, self._name, self._variable))()
        make = choice(
            (
                self._path,
                self._path,
                self._path,
                self._call,
                self._call,
                self._call,
                self._binary,
                self._binary,
                self._array,
                self._object,
                self._condition,
                self._block,
                self._chain,
                self._sorted,
                self._grouped,
                self._tuples,
                self._transform,
            )
        )
        return make(depth - 1)

    def _literal(self) -> str:
        return self._random.choice(
            ("0", "1", "2", "-1", "1.5", "'a'", '"abc"', "true", "null", "[]")
        )

    def _name(self) -> str:
        name = self._random.choice(self.NAMES)
        return f"`{name}`" if " " in name else name

    def _variable(self) -> str:
        return self._random.choice(("$", "$$", "$v", "$w"))

    def _step(self, depth: int) -> str:
        pick = self._random.random()
        if pick < 0.6:
            step = self._name()
        elif pick < 0.68:
            step = "*"
        elif pick < 0.72:
            step = "**"
        elif pick < 0.8:
            step = f"({self.expression(depth)})"
        elif pick < 0.87:
            step = self._array(depth)
        elif pick < 0.92:
            step = self._object(depth)
        elif pick < 0.96:
            step = "$"
        else:
            step = "%"
        return step + self._predicates(depth)

    def _predicates(self, depth: int) -> str:
        pick = self._random.random()
        if pick < 0.7:
            return ""
        if pick < 0.78:
            return f"[{self._random.randrange(-2, 3)}]"
        if pick < 0.83:
            return "[]"
        return f"[{self.expression(depth - 1)}]"

    def _path(self, depth: int) -> str:
        start = self._random.choice((self._name, self._name, self._name, self._variable))()
        steps = [self._step(depth) for _ in range(self._random.randrange(4))]
        return ".".join([start + self._predicates(depth), *steps])

    def _call(self, depth: int) -> str:
        name = self._random.choice(list(self.FUNCTIONS))
        kinds = self.FUNCTIONS[name]
        if self._random.random() < 0.08:
            kinds = kinds[:-1]
        arguments = [self._argument(kind, depth) for kind in kinds]
        return f"${name}({', '.join(arguments)})" + ("[0]" if self._random.random() < 0.05 else "")

    def _argument(self, kind: str, depth: int) -> str:
        if self._random.random() < 0.12:
            return self.expression(depth)
        choice = self._random.choice
        if kind in self.KINDS:
            text = choice(self.KINDS[kind])
            return text.replace("\\\\", "\\") if kind == "R" else json.dumps(text)
        match kind:
            case "n":
                return choice(
                    ("0", "1", "2", "-2", "1.5", "2.5", "10", "37", "1234.567", "0.005", "16")
                )
            case "m":
                return choice(("0", "1510067557121", "-30610224000000", "1577836799999", "1e12"))
            case "S":
                return choice(
                    ("'abc'", "''", "'a'", "'b c a'", "'x1y22'", "'ä€'", "' a  b '", self._name())
                )
            case "P":
                return choice(("'a'", "' '", "''", "/a/", "/[a-z]/i", "/(b)( )?/"))
            case "N":
                return choice(("[1,2,3]", "[1.1,2.2]", "5", "[]", "[0.1,0.2]", "price", "**.price"))
            case "L":
                return choice(("['a','b']", "'a'", "[]", "['x']", "name"))
            case "A":
                return choice(
                    (
                        "[3,1,2]",
                        "[1]",
                        "[]",
                        "['b','a','b']",
                        "[1,[1],1]",
                        "1",
                        "a",
                        "items",
                        "[1..4]",
                        "**",
                    )
                )
            case "O":
                return choice(("{'a':1,'b':'x'}", "{}", "[{'a':1},{'b':2}]", "$", "a"))
            case "B":
                return choice(("true", "false", "a"))
            case "F":
                parameters = choice(("$v", "$v, $w", ""))
                return f"function({parameters}){{{self.expression(depth)}}}"
            case "G":
                return f"function($v, $w){{{self.expression(depth)}}}"
        return self.expression(depth)

    def _binary(self, depth: int) -> str:
        operators = (
            "+",
            "-",
            "*",
            "/",
            "%",
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "&",
            "and",
            "or",
            "in",
        )
        operator = self._random.choice(operators)
        return f"{self._operand(depth)} {operator} {self._operand(depth)}"

    def _operand(self, depth: int) -> str:
        pick = self._random.random()
        if pick < 0.4:
            return self._literal()
        return self._name() if pick < 0.6 else f"({self.expression(depth)})"

    def _array(self, depth: int) -> str:
        items = [self.expression(depth - 1) for _ in range(self._random.randrange(4))]
        if self._random.random() < 0.2:
            items.append(f"{self._random.randrange(3)}..{self._random.randrange(5)}")
        return f"[{', '.join(items)}]"

    def _object(self, depth: int) -> str:
        keys = self._random.sample(("'k'", "'a'", "'l'", "name", "$string(a)"), 2)
        pairs = [f"{key}: {self.expression(depth - 1)}" for key in keys]
        return "{" + ", ".join(pairs[: self._random.randrange(3)]) + "}"

    def _condition(self, depth: int) -> str:
        parts = [self.expression(depth - 1) for _ in range(3)]
        text = f"({parts[0]}) ? ({parts[1]})"
        return text if self._random.random() < 0.3 else f"{text} : ({parts[2]})"

    def _block(self, depth: int) -> str:
        variable = self._random.choice(self.VARIABLES)
        return f"(${variable} := {self.expression(depth)}; {self.expression(depth)})"

    def _chain(self, depth: int) -> str:
        name = self._random.choice(
            ("sum", "count", "string", "keys", "distinct", "type", "reverse")
        )
        call = "()" if self._random.random() < 0.5 else ""
        return f"{self.expression(depth)} ~> ${name}{call}"

    def _sorted(self, depth: int) -> str:
        order = self._random.choice(("", "<", ">"))
        return f"{self._name()}^({order}{self._random.choice(('$', 'price', 'a', 'name, >price'))})"

    def _grouped(self, depth: int) -> str:
        key = self._random.choice(("name", "$string(price)", "'k'"))
        return f"{self._path(depth)}{{{key}: {self.expression(depth)}}}"

    def _tuples(self, depth: int) -> str:
        first, second = self._name(), self._name()
        return self._random.choice(
            (
                f"{first}#$v.{second}.[$v, $]",
                f"{first}@$v.{second}@$w[$v = $w].[$v, $w]",
                f"{first}.{second}.%.{self._name()}",
                f"{first}.{second}#$v[{self.expression(depth - 1)}].{{'v': $v}}",
                f"{first}.{second}[%.{self._name()} = 1]",
                f"{first}^({second})#$v.{{'v': $v, 's': $}}",
            )
        )

    def _transform(self, depth: int) -> str:
        update = f"{{'k': {self.expression(depth - 1)}}}"
        delete = self._random.choice(("", ", 'a'", ", ['a','b']"))
        return f"$ ~> |{self._path(depth - 1)}|{update}{delete}|"


def ours(text: str, data: Any) -> Outcome:
    """Return the outcome in our package."""
    try:
        value = compile_expression(text).evaluate(data, limits=Limits())
    except JSONataError as error:
        return {
            "error": error.code,
            "message": error.message,
            "position": error.position,
            "token": error.token,
        }
    return {} if value is UNDEFINED else {"value": _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [None if item is UNDEFINED else _plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "<Infinity>", -math.inf: "<-Infinity>"}.get(value, "<NaN>")
    return "<function>" if is_function(value) else value


def _same(ours: Any, theirs: Any) -> bool:
    """Equal as JSON; numbers to 15 digits, true is not 1; members in the same order."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-15)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(_same(ours[k], theirs[k]) for k in ours)
    return type(ours) is type(theirs) and bool(ours == theirs)


def their_outcomes(pairs: list[tuple[str, Any]], directory: Path) -> list[Outcome]:
    """Return the outcomes of all pairs in jsonata-js, in one process."""
    lines = "".join(json.dumps(pair) + "\n" for pair in pairs)
    with tempfile.NamedTemporaryFile("w", suffix=".js") as script:
        script.write(RUNNER)
        script.flush()
        done = subprocess.run(
            ["node", script.name, str(directory)],
            input=lines,
            capture_output=True,
            text=True,
            check=True,
        )
    return [json.loads(line) for line in done.stdout.splitlines()]


def explanation(text: str, our: Outcome, their: Outcome) -> str | None:
    """Return why two outcomes differ, if that is known."""
    return next((reason for reason, applies in REASONS if applies(text, our, their)), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jsonata", type=Path)
    parser.add_argument("--verbose", action="store_true", help="show explained differences too")
    options = parser.parse_args()
    if shutil.which("node") is None or (options.jsonata is None and shutil.which("npm") is None):
        print("skipped: this needs node and npm")
        return 0
    source = random.Random(options.seed)
    generator = Generator(source)
    pairs = [
        (generator.expression(source.randrange(1, 5)), generator.document())
        for _ in range(options.pairs)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.jsonata or Path(temporary)
        if options.jsonata is None:
            command = ["npm", "install", "--silent", "--prefix", temporary, "jsonata@2.0.6"]
            subprocess.run(command, check=True)
        theirs = their_outcomes(pairs, directory)
    return report(pairs, theirs, verbose=options.verbose)


def report(pairs: list[tuple[str, Any]], theirs: list[Outcome], *, verbose: bool) -> int:
    """Print the differences; return 1 if one is not explained."""
    explained: Counter[str] = Counter()
    unexplained = 0
    kinds: Counter[str] = Counter()
    for (text, data), their in zip(pairs, theirs, strict=True):
        our = ours(text, data)
        kinds["error" if "error" in their else "value" if their else "undefined"] += 1
        if _same(our, their):
            continue
        reason = explanation(text, our, their)
        if reason is not None:
            explained[reason] += 1
            if verbose:
                print(f"[{reason}]\n{text}\n  ours  {our}\n  theirs {their}")
            continue
        unexplained += 1
        print(f"{text}\n  on    {json.dumps(data)}\n  ours  {our}\n  theirs {their}")
    print(
        f"{len(pairs)} pairs ({dict(kinds)}), {unexplained} differences not explained; explained:"
    )
    for reason, count in explained.most_common():
        print(f"  {count:5} {reason}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
