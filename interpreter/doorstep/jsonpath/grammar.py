"""JSONPath text to steps, by the grammar of the library that AWS uses (Jayway JsonPath 2).

    path    = root { "." name | ".." step | step }          $.a['b'][0]   $$.State.Name   $var.x
    step    = name | "*" | "[*]" | "[0]" | "[-1,2]" | "[(@.length-1)]" | "[1:3]" | "['a','b']"
            | "[?(filter)]"

What that grammar takes for a name, it takes whole: ``$.list.length()`` is no call but a member
named ``length()``, which is then not found (recorded in awsdocs/aws-step-functions-developer-guide
#5). In dotted names a backslash escapes the next character (specification, Reference Paths); in
quoted ones it stands for itself (recorded: test_escape_sequence_parsing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import DoorstepError

# -- reading character by character

BLANK = " \t\r\n"


class ExpressionSyntaxError(DoorstepError):
    """An expression that AWS refuses when a definition is created.

    ``reason`` says what is wrong, ``position`` (from 0) where in ``text``; ``str()`` adds a caret.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        super().__init__(reason, text, position)

    def __str__(self) -> str:
        line = self.text.translate(dict.fromkeys(map(ord, BLANK), " "))
        return f"{self.reason}\n  {line}\n  {' ' * self.position}^"


class Scanner:
    """A text and how far it is read. Refusals are raised as ``refusal``, pointing into ``text``."""

    __slots__ = ("position", "refusal", "text")

    def __init__(self, text: str, refusal: type[ExpressionSyntaxError], position: int = 0) -> None:
        self.text = text
        self.refusal = refusal
        self.position = position

    def refused(self, reason: str, position: int | None = None) -> ExpressionSyntaxError:
        """Return the refusal to raise, pointing at what comes next unless a position is passed."""
        return self.refusal(reason, self.text, self.position if position is None else position)

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def at(self, *tokens: str) -> bool:
        """Return whether one of the tokens comes next."""
        return self.text.startswith(tokens, self.position)

    def take(self, token: str) -> bool:
        """Read the token if it comes next."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: str, reason: str) -> None:
        """Skip a token; raise the refusal with this reason when another comes."""
        if not self.take(token):
            raise self.refused(reason)

    def skip_blanks(self) -> None:
        """Skip blanks."""
        while not self.ended and self.text[self.position] in BLANK:
            self.position += 1

    def until(self, stops: str) -> str:
        """Read up to one of the stop characters, or to the end."""
        start = self.position
        while not self.ended and self.text[self.position] not in stops:
            self.position += 1
        return self.text[start : self.position]

    def quoted(self, closed_by: str, unclosed: str) -> str:
        """Read to an unescaped ``closed_by``, and over it; escapes stay as written."""
        start = self.position
        while not self.ended:
            character = self.text[self.position]
            if character == closed_by:
                self.position += 1
                return self.text[start : self.position - 1]
            self.position += 2 if character == "\\" else 1
        raise self.refused(unclosed, start - 1)


# -- steps

MAX_LENGTH = 16_384
MAX_FILTERS = 30
NAME = re.compile(r"(?:\\.|[^\\.\[ ])+", re.DOTALL)
OPERAND_NAME = re.compile(r"(?:\\.|\(\)|[^\\.\[\s()<>=~!&|])+", re.DOTALL)
_PLAIN = re.compile(r"\.([\w-]+)(?=[.\[]|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_INDEXES = re.compile(r"-?\d+(?: *, *-?\d+)*")
_FROM_END = re.compile(r"\(@\.length *- *([1-9]\d*)\)")
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::-?\d*)?")
_BIGGEST_INDEX = 2**31


class PathSyntaxError(ExpressionSyntaxError):
    """Not a JSONPath, or not one for the place where it stands."""


@dataclass(frozen=True, slots=True)
class Members:
    """``.a``, ``['a']``; with several names one object of them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elements:
    """``[0]``, ``[-1]``, ``[0,2]`` (fact 32)."""

    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """``[1:3]``; either bound may be absent, but not both. A step is ignored (fact 336)."""

    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class WildcardStep:
    """``.*``, ``[*]``: every value of an object, every item of an array (facts 31 and 34)."""


@dataclass(frozen=True, slots=True)
class FilterStep:
    """``[?(expression)]``; the expression is ``text[start:end]`` (fact 30)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Descent:
    """``..``: the next step at every depth (fact 30)."""


Step = Members | Elements | Range | WildcardStep | FilterStep | Descent


def parse(text: str) -> tuple[str, tuple[Step, ...]]:
    """Return the root's name ("" is `$`, "$" is `$$`, else a variable) and the steps from there.

    Facts 334 and 342: `$` is the state's data, `$$` the context object, `$name` a variable. Fact
    35: there are no functions.
    """
    if len(text) > MAX_LENGTH:
        raise PathSyntaxError(f"A path has at most {MAX_LENGTH} characters", text[:60], 60)
    if text.count("?") > MAX_FILTERS:  # they may stand inside one another
        raise PathSyntaxError(f"A path has at most {MAX_FILTERS} filters", text, text.index("?"))
    scanner = Scanner(text.rstrip(), PathSyntaxError)
    scanner.expect("$", "Path must start with '$'")
    root = "$" if scanner.take("$") else _variable(scanner)
    steps = read_steps(scanner, NAME)
    if scanner.at(" ") and steps:
        raise scanner.refused(
            "Use bracket notion ['my prop'] if your property contains blank characters. "
            f"position: {scanner.position}"
        )
    if not scanner.ended:
        raise scanner.refused(
            f"Illegal character at position {scanner.position} expected '.' or '['"
        )
    return root, steps


def read_steps(scanner: Scanner, name: re.Pattern[str]) -> tuple[Step, ...]:
    """Read as many steps as there are; ``name`` matches a dotted name here."""
    steps: list[Step] = []
    while scanner.at(".", "["):
        if plain := _PLAIN.match(scanner.text, scanner.position):
            scanner.position = plain.end()
            steps.append(Members((plain[1],)))
            continue
        if scanner.take(".."):
            steps.append(Descent())
        else:
            scanner.take(".")
        steps.append(_step(scanner, name))
    return tuple(steps)


def definite(steps: tuple[Step, ...]) -> bool:
    """Return whether the steps lead to one value, not to a list of matches (fact 320)."""
    return all(
        isinstance(step, Members) or (isinstance(step, Elements) and len(step.indexes) == 1)
        for step in steps
    )


def reference(steps: tuple[Step, ...]) -> bool:
    """Return whether this is a Reference Path: single names and indexes from 0 only (fact 325)."""
    return all(
        (isinstance(step, Members) and len(step.names) == 1)
        or (isinstance(step, Elements) and len(step.indexes) == 1 and step.indexes[0] >= 0)
        for step in steps
    )


def _variable(scanner: Scanner) -> str:
    start = scanner.position
    name = scanner.until(".[")
    if name and not name.isidentifier():
        raise scanner.refused(f"Illegal character at position {start} expected '.' or '['", start)
    return name


def _step(scanner: Scanner, name: re.Pattern[str]) -> Step:
    if scanner.ended:
        raise scanner.refused("Path must not end with a '.' or '..'")
    if scanner.at("."):
        raise scanner.refused(f"Character '.' on position {scanner.position} is not valid.")
    if scanner.take("*"):
        return WildcardStep()
    if scanner.at("["):
        return _bracket(scanner)
    match = name.match(scanner.text, scanner.position)
    if match is None:
        raise scanner.refused(f"Could not parse token starting at position {scanner.position}")
    scanner.position = match.end()
    return Members((_ESCAPE.sub(r"\1", match[0]),))


def _bracket(scanner: Scanner) -> Step:
    opened = scanner.position
    scanner.position += 1
    scanner.skip_blanks()
    if scanner.at("'", '"'):
        return Members(_quoted_names(scanner))
    if scanner.at("?"):
        return _filter(scanner)
    inside = scanner.until("]").strip()
    scanner.expect("]", "Property has not been closed - missing closing ]")
    if inside == "*":
        return WildcardStep()
    if _INDEXES.fullmatch(inside):
        return Elements(tuple(_index(scanner, part, opened) for part in inside.split(",")))
    if match := _FROM_END.fullmatch(inside):
        return Elements((-_index(scanner, match[1], opened),))
    if (bounds := _SLICE.fullmatch(inside)) and (bounds[1] or bounds[2]):
        start, end = (_index(scanner, part, opened) if part else None for part in bounds.groups())
        return Range(start, end)
    raise scanner.refused(
        f"Could not parse token starting at position {opened}. Expected ?, ', 0-9, * ", opened
    )


def _index(scanner: Scanner, digits: str, position: int) -> int:
    if len(digits) > 12 or abs(int(digits)) >= _BIGGEST_INDEX:
        raise scanner.refused(
            f"Failed to parse token in ArrayIndexOperation: {digits[:40]}", position
        )
    return int(digits)


def _quoted_names(scanner: Scanner) -> tuple[str, ...]:
    names = []
    while True:
        quote = scanner.text[scanner.position : scanner.position + 1]
        if quote not in ("'", '"'):
            raise scanner.refused(f"Found empty property at index {scanner.position}")
        scanner.position += 1
        name = scanner.quoted(quote, f"Property has not been closed - missing closing {quote}")
        names.append(name.replace("\\" + quote, quote))
        scanner.skip_blanks()
        if scanner.take("]"):
            return tuple(names)
        scanner.expect(
            ",",
            "Property must be separated by comma or Property must be terminated close square "
            f"bracket at index {scanner.position}",
        )
        scanner.skip_blanks()


def _filter(scanner: Scanner) -> FilterStep:
    scanner.position += 1
    scanner.skip_blanks()
    scanner.expect("(", "A filter must start with '[?(' and end with ')]'")
    start = scanner.position
    end = _closing(scanner)
    scanner.skip_blanks()
    scanner.expect("]", "A filter must start with '[?(' and end with ')]'")
    return FilterStep(scanner.text, start, end)


def _closing(scanner: Scanner) -> int:
    """Read over the parenthesis that closes the filter; its position."""
    opened, depth = scanner.position - 1, 1
    while not scanner.ended:
        character = scanner.text[scanner.position]
        scanner.position += 1
        if character in "'\"":
            scanner.quoted(character, f"String not closed. Expected {character}")
        elif character == "/" and _begins_pattern(scanner):
            scanner.quoted("/", "Pattern not closed. Expected /")
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return scanner.position - 1
    raise scanner.refused("A filter must start with '[?(' and end with ')]'", opened)


def _begins_pattern(scanner: Scanner) -> bool:
    return scanner.text[: scanner.position - 1].rstrip().endswith("=~")
