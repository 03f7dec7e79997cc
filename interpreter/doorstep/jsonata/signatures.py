"""Function signatures such as ``<s-n?:s>``: what arguments a function takes.

A signature becomes a pattern over the letters of the argument types (``values.symbol``), as in
jsonata-js; what it says about one combination of types is worked out once and remembered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .errors import JSONataError
from .values import UNDEFINED, Value, symbol

_PLURALS: Final = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}
_LETTERS: Final = {
    **{letter: f"[{letter}m]" for letter in "snblo"},
    "a": "[asnblfom]",
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}


@dataclass(slots=True)
class Parameter:
    """One parameter: the types it takes, and what may stand in for it."""

    type: str
    pattern: str
    context: re.Pattern[str] | None = None
    subtype: str | None = None


class Signature:
    """A parsed signature; immutable but for what it remembers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parameters = _parse(text)
        self._pattern = re.compile("".join(f"({p.pattern})" for p in self.parameters) + r"\Z")
        self.takes_numbers = text.startswith("<a<n>:")
        """Whether it is of functions that take an array of numbers, and nothing else."""
        self._plans: dict[type | tuple[type, ...], tuple[str, ...] | None] = {}
        """Argument types → the letters of each parameter; None: such arguments pass as they are."""

    def validate(self, arguments: list[Value], context: Value) -> list[Value]:
        """Return the arguments as the function takes them; T0410, T0411, T0412 if it does not."""
        types = type(arguments[0]) if len(arguments) == 1 else tuple(map(type, arguments))
        try:
            plan = self._plans[types]
        except KeyError:
            plan = self._plans[types] = self._plan(arguments)
        if plan is None:
            return arguments
        if plan == ("a",):
            return [_as_array(arguments[0], "a", "a", self.parameters[0], 1)]
        return self._fill(plan, arguments, context)

    def _plan(self, arguments: list[Value]) -> tuple[str, ...] | None:
        symbols = "".join(map(symbol, arguments))
        match = self._pattern.match(symbols)
        if match is None:
            raise self._mismatch(arguments, symbols)
        groups = match.groups()
        return None if self._passes(groups) else groups

    def _passes(self, groups: tuple[str, ...]) -> bool:
        """Return whether no argument needs wrapping, a look inside, or the context instead."""
        present = sum(map(bool, groups))
        return all(
            parameter.context is None and at >= present
            if not letters
            else len(letters) == 1
            and (parameter.type != "a" or (letters in "am" and parameter.subtype is None))
            for at, (parameter, letters) in enumerate(zip(self.parameters, groups, strict=True))
        )

    def _fill(self, plan: tuple[str, ...], arguments: list[Value], context: Value) -> list[Value]:
        filled: list[Value] = []
        at = 0
        for parameter, letters in zip(self.parameters, plan, strict=True):
            if letters:
                argument = arguments[at] if at < len(arguments) else UNDEFINED
                for letter in letters:
                    at += 1
                    if parameter.type == "a":
                        argument = _as_array(arguments[at - 1], letter, letters, parameter, at)
                    filled.append(argument)  # as in jsonata-js, ``n+`` repeats its first
            elif parameter.context is None:
                filled.append(arguments[at] if at < len(arguments) else UNDEFINED)
                at += 1
            elif parameter.context.match(symbol(context)):
                filled.append(context)
            else:
                raise JSONataError("T0411", value=context, index=at + 1)
        return filled

    def _mismatch(self, arguments: list[Value], symbols: str) -> JSONataError:
        """Return the T0410 of the first argument that fits no parameter."""
        pattern, good = "", 0
        for parameter in self.parameters:
            pattern += parameter.pattern
            match = re.match(pattern, symbols)
            if match is None:
                break
            good = match.end()
        value = arguments[good] if good < len(arguments) else UNDEFINED
        return JSONataError("T0410", value=value, index=good + 1)


def _as_array(
    argument: Value, letter: str, letters: str, parameter: Parameter, index: int
) -> Value:
    """Return the argument of an array parameter: single values are arrays of one."""
    if letter == "m":
        return UNDEFINED
    subtype = parameter.subtype
    if subtype is not None:
        fits = _all_are(argument, subtype[:1]) if letter == "a" else letters == subtype
        if not fits:
            plural = _PLURALS.get(subtype, subtype)
            raise JSONataError("T0412", value=argument, index=index, type=plural)
    return argument if letter == "a" else [argument]


def _all_are(items: list[Value], letter: str) -> bool:
    return all(symbol(item) == letter for item in items)


def _parse(text: str) -> list[Parameter]:
    parameters: list[Parameter] = []
    at = 1
    while at < len(text) and text[at] != ":":
        letter = text[at]
        last = parameters[-1] if parameters else Parameter("", "")
        if letter in _LETTERS:
            parameters.append(Parameter(letter, _LETTERS[letter]))
        elif letter == "-":
            last.context = re.compile(last.pattern)
            last.pattern += "?"
        elif letter in "?+":
            last.pattern += letter
        elif letter == "(":
            end = _closing(text, at, "(", ")")
            choice = text[at + 1 : end]
            if "<" in choice:
                raise JSONataError("S0402", at, value=choice)
            parameters.append(Parameter(f"({choice})", f"[{re.escape(choice)}m]"))
            at = end
        elif letter == "<":
            if last.type not in ("a", "f"):
                raise JSONataError("S0401", at, value=last.type)
            end = _closing(text, at, "<", ">")
            last.subtype = text[at + 1 : end]
            at = end
        at += 1
    return parameters


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    depth = 1
    for at in range(start + 1, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at
    return len(text)
