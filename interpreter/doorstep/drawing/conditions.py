"""Choice rules in short, as one would say them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..model.grammar import operator_of

_SIGNS = {
    "Equals": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "Matches": "matches",
}
_COMPARISON = re.compile(rf"(?:String|Numeric|Boolean|Timestamp)({'|'.join(_SIGNS)})(Path)?")


def condition(rule: Mapping[str, Any]) -> str:
    """A choice rule as one would say it: `$.total > 100 and not ($.vip = true)`."""
    if "Condition" in rule:
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    operator = operator_of(rule)
    operand = rule[operator]
    if operator == "Not":
        return f"not ({condition(operand)})"
    if operator in ("And", "Or"):
        return f" {operator.lower()} ".join(_inside(operand))
    if comparison := _COMPARISON.fullmatch(operator):
        sign, is_path = _SIGNS[comparison[1]], comparison[2]
        value = operand if is_path else json.dumps(operand, ensure_ascii=False)
        return f"{rule['Variable']} {sign} {value}"
    return f"{rule['Variable']} is {'' if operand else 'not '}{operator[2:].lower()}"


def _inside(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        text = condition(rule)
        yield f"({text})" if "And" in rule or "Or" in rule else text
