"""String functions that take a regular expression, or a function that stands in for one.

Such a function takes a string and returns ``{match, start, end, groups, next}`` or nothing;
``next`` is a function that returns the same for what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil

from .callables import invoke
from .errors import JSONataError
from .fn_strings import to_string
from .regex import Matcher
from .regex_pattern import Match
from .run import OBJECT, Run
from .sequences import collapse
from .values import NUMBERS, UNDEFINED, Sequence, Undefined, Value, is_function, required


def _matches(run: Run, matcher: Value, text: str) -> Iterator[Match]:
    """All that a regular expression or a matcher function finds."""
    if isinstance(matcher, Matcher):
        yield from matcher.find_all(run, text)
        return
    found = _checked(invoke(matcher, [text], None, run))
    while found is not UNDEFINED:
        run.tick()
        yield Match(
            found.get("match", ""),
            found.get("start", 0),
            found.get("end", 0),
            found.get("groups", []),
        )
        found = _checked(invoke(found.get("next"), [], None, run))


def _found(run: Run, matcher: Value, text: str) -> Iterator[Match]:
    """Yield the matches, and count what it takes to hold them."""
    for found in _matches(run, matcher, text):
        run.tick(OBJECT + 2 * len(found.groups))
        run.allocate(len(found.text) * (1 + len(found.groups)))
        yield found


def _checked(found: Value) -> Value:
    """T1010 if it is something else than a matcher function returns."""
    if not found:
        return UNDEFINED
    is_match = isinstance(found, dict) and (
        type(found.get("start")) in NUMBERS
        or isinstance(found.get("groups"), list)
        or is_function(found.get("next"))
    )
    if not is_match:
        raise JSONataError("T1010")
    return found


def _limit(limit: float | Undefined, code: str, index: int) -> int | None:
    """How many at the most; None: all."""
    if isinstance(limit, Undefined):
        return None
    if limit < 0:
        raise JSONataError(code, value=limit, index=index)
    return ceil(limit)


def contains(run: Run, text: Value = UNDEFINED, token: Value = UNDEFINED) -> Value:
    """``$contains``."""
    if text is UNDEFINED:
        return UNDEFINED
    if type(required(token, 2)) is str:
        return token in text
    return next(_matches(run, token, text), None) is not None


def match(
    run: Run, text: Value = UNDEFINED, matcher: Value = UNDEFINED, limit: Value = UNDEFINED
) -> Value:
    """``$match``."""
    if text is UNDEFINED:
        return UNDEFINED
    most = _limit(limit, "D3040", 3)
    return Sequence(
        [
            {"match": found.text, "index": found.start, "groups": found.groups}
            for found in islice(_found(run, matcher, text), most)
        ]
    )


def split(
    run: Run, text: Value = UNDEFINED, separator: Value = UNDEFINED, limit: Value = UNDEFINED
) -> Value:
    """``$split``: at most ``limit`` parts, the rest is dropped."""
    if text is UNDEFINED:
        return UNDEFINED
    most = _limit(limit, "D3020", 3)
    if type(required(separator, 2)) is str:
        most = most if limit is UNDEFINED else int(limit)
        run.allocate(len(text))
        parts = text.split(separator) if separator else list(text)
        run.tick(len(parts))
        return parts[:most]
    parts, at = [], 0
    for found in islice(_found(run, separator, text), most):
        parts.append(text[at : found.start])
        at = found.end
    return parts if most is not None and len(parts) >= most else [*parts, text[at:]]


def replace(
    run: Run,
    text: Value = UNDEFINED,
    pattern: Value = UNDEFINED,
    replacement: Value = UNDEFINED,
    limit: Value = UNDEFINED,
) -> Value:
    """``$replace``: by a string, or by what a function makes of the match."""
    if text is UNDEFINED:
        return UNDEFINED
    if required(pattern, 2) == "":
        raise JSONataError("D3010", value=pattern, index=2)
    most = _limit(limit, "D3011", 4)
    if type(pattern) is str:
        if pattern not in text:
            return text
        replacement = to_string(run, required(replacement, 3))
        run.allocate(len(text) + text.count(pattern) * len(replacement))
        return text.replace(pattern, replacement, -1 if most is None else most)
    pieces, at = [], 0
    for found in islice(_found(run, pattern, text), most):
        pieces += [text[at : found.start], _replacement(run, replacement, found)]
        at = found.start + len(found.text)
        run.allocate(len(pieces[-1]))
    run.allocate(sum(map(len, pieces)))
    return "".join([*pieces, text[at:]])


def _replacement(run: Run, replacement: Value, found: Match) -> str:
    if type(replacement) is str:
        return _substitute(run, replacement, found)
    argument = {
        "match": found.text,
        "start": found.start,
        "end": found.end,
        "groups": found.groups,
    }
    result = invoke(replacement, [argument], None, run)
    result = collapse(result) if isinstance(result, list) else result
    if type(result) is not str:
        raise JSONataError("D3012", value=result)
    return result


def _substitute(run: Run, template: str, found: Match) -> str:
    """``$1`` … are groups, ``$0`` is the whole match, ``$$`` a dollar sign."""
    pieces, at = [], 0
    while (dollar := template.find("$", at)) >= 0:
        pieces.append(template[at:dollar])
        text, at = _reference(template, dollar + 1, found)
        run.tick()
        run.allocate(len(text))
        pieces.append(text)
    return "".join(pieces) + template[at:]


def _reference(template: str, at: int, found: Match) -> tuple[str, int]:
    """What the text behind a dollar sign stands for, and where it ends."""
    following = template[at : at + 1]
    if following == "$":
        return "$", at + 1
    if following == "0":
        return found.text, at + 1
    digits = template[at : at + len(str(len(found.groups) or 1))]
    while digits and not (digits.isascii() and digits.isdigit()):
        digits = digits[:-1]
    if len(digits) > 1 and int(digits) > len(found.groups):
        digits = digits[:-1]
    if not digits:
        return "$", at
    group = found.groups[int(digits) - 1] if 0 < int(digits) <= len(found.groups) else ""
    return "" if group is UNDEFINED else group, at + len(str(int(digits)))
