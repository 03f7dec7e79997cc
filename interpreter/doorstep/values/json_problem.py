"""What is wrong with a JSON text, in the words of AWS's parser (Jackson), and where.

AWS answers INVALID_JSON_DESCRIPTION with Jackson's message and Jackson's location in the text, e.g.
`Unrecognized token 'not': was expecting (JSON String, …)` at
`[Source: (String)"not JSON"; line: 1, column: 4]` (recorded: test_sfn_api_validation and
test_invalid_start_execution_input). Executions are read by a later Jackson, which does not repeat
the text: `redacted` (fact 129). The words and places are those that Jackson 2.17 was seen to use
(fact 366).
"""

from __future__ import annotations

import re

_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_END = "Unexpected end-of-input"
_VALID_VALUE = f"expected a valid value {_VALUES}"
_TOKEN = re.compile(r"[\w$]+")
_PLAIN = r'[^"\\\x00-\x1f]*'
_STRING = re.compile(rf'{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*')
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HEX = "0123456789abcdefABCDEF"
_WORDS = ("true", "false", "null")
_NOT_NUMBERS = ("NaN", "Infinity", "-Infinity")
_CLOSING = {"{": "}", "[": "]"}
_KINDS = {"{": "Object", "[": "Array"}
_ROOT = -1
"""Where the text as a whole begins, as JSONProblem.opened."""
_TOKEN_LENGTH = 256
_SOURCE_LENGTH = 500
_REDACTED = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
_AT_CHARACTER = (
    "Unexpected character (",
    "Unexpected close",
    "Illegal unquoted",
    "Unrecognized character",
)
"""Reasons of which a later Jackson says where the character stands, not what is behind it."""
_BLANK = re.compile(r"[ \t\r\n]*")


class JSONProblem(Exception):  # noqa: N818  a problem of the text, not of ours
    """Where and why a text is not JSON.

    ``at`` counts characters from the start of the text; Jackson points behind what it has read:
    ``consumed`` characters further on. ``opened`` is where the object or array begins that has no
    end or another one, and ``{opened}`` in the reason stands for that place.
    """

    def __init__(
        self, reason: str, text: str, at: int, consumed: int = 0, opened: int | None = None
    ) -> None:
        self.reason, self.text, self.at, self.consumed = reason, text, at, consumed
        self.opened = opened
        self.message = self._message(reason, redacted=False)
        super().__init__(self.message)

    @property
    def redacted(self) -> str:
        """Message and location as a later Jackson has them, without the text (facts 129, 366)."""
        consumed = 0 if self.reason.startswith(_AT_CHARACTER) else self.consumed
        where = self._location(self.at, consumed, redacted=True)
        message = re.sub(r"JsonParser\.Feature\.(\w+)", r"`JsonReadFeature.\1`", self.reason)
        return f"{self._message(message, redacted=True)}\n at {where}"

    def _message(self, reason: str, *, redacted: bool) -> str:
        if self.opened is None:
            return reason
        return reason.replace("{opened}", self._location(self.opened, redacted=redacted))

    @property
    def line_column(self) -> tuple[int, int]:
        """Line and column of the offending character, from 1."""
        return line_column(self.text, self.at)

    @property
    def location(self) -> str:
        """The location as Jackson prints it."""
        return self._location(self.at, self.consumed)

    def _location(self, at: int, consumed: int = 0, *, redacted: bool = False) -> str:
        line, column = (1, 0) if at == _ROOT else line_column(self.text, at)
        source = self.text[:_SOURCE_LENGTH]
        left = len(self.text) - len(source)
        more = f"[truncated {left} chars]" if left else ""
        named = _REDACTED if redacted else f'(String)"{source}"{more}'
        place = "" if at == _ROOT and redacted else f", column: {column + consumed}"
        return f"[Source: {named}; line: {line}{place}]"


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def after_blanks(text: str, at: int) -> int:
    """Return the offset of the first character from here on that is no blank."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


class Reader:
    """Reads one value as Jackson does, only to say what is wrong with it and where (fact 366)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.opened: list[tuple[str, int]] = []
        """The brackets that are open, outermost first, with their offsets."""

    def problem(self) -> JSONProblem | None:
        """Read the first value of the text."""
        try:
            self._member()
            while self.opened:
                self._next()
        except JSONProblem as problem:
            return problem
        return None

    def unexpected(self, expected: str) -> JSONProblem:
        """Return that the next character is none of those that can be here."""
        return self._unexpected(f": {expected}", self.at, self.at)

    def _unexpected(self, rest: str, character_at: int, at: int) -> JSONProblem:
        described = _described(self.text[character_at])
        return JSONProblem(f"Unexpected character ({described}){rest}", self.text, at, 1)

    # -- objects and arrays

    def _next(self) -> None:
        """Read what follows a value or an opening bracket inside of a container."""
        bracket, opened = self.opened[-1]
        fresh = self.text[self.at - 1] == bracket and self.at - 1 == opened
        if self._blanks() == "":
            wanted = f"expected close marker for {_KINDS[bracket]} (start marker at {{opened}})"
            raise JSONProblem(f"{_END}: {wanted}", self.text, self.at, 0, opened)
        if self._closes():
            return
        if not fresh:
            if self.text[self.at] != ",":
                raise self.unexpected(f"was expecting comma to separate {_KINDS[bracket]} entries")
            self.at += 1
        self._member()

    def _member(self) -> None:
        """Read a value, and before it its name inside of an object."""
        if self.opened and self.opened[-1][0] == "{":
            if self._blanks_within() != '"':
                raise self.unexpected("was expecting double-quote to start field name")
            self._string("name", " in field name")
            if self._blanks_within() != ":":
                raise self.unexpected("was expecting a colon to separate field name and value")
            self.at += 1
        character = self._blanks_within()
        if character in _CLOSING:
            self.opened.append((character, self.at))
            self.at += 1
        else:
            self._scalar(character)

    def _closes(self) -> bool:
        """Read a closing bracket, if one comes next."""
        character = self.text[self.at]
        if character not in "}]":
            return False
        bracket, opened = self.opened[-1]
        if _CLOSING[bracket] != character:
            expected = (
                f"expected '{_CLOSING[bracket]}' (for {_KINDS[bracket]} starting at {{opened}})"
            )
            reason = f"Unexpected close marker '{character}': {expected}"
            raise JSONProblem(reason, self.text, self.at, 1, opened)
        self.opened.pop()
        self.at += 1
        return True

    def _blanks_within(self) -> str:
        character = self._blanks()
        if character == "":
            if not self.opened:
                raise JSONProblem(_END, self.text, self.at)
            place = f"within/between {_KINDS[self.opened[-1][0]]} entries"
            raise JSONProblem(f"{_END} {place}", self.text, self.at)
        return character

    def _blanks(self) -> str:
        """Read blanks; return the character behind them, "" at the end."""
        self.at = after_blanks(self.text, self.at)
        character = self.text[self.at : self.at + 1]
        if character and character < " ":
            only = "only regular white space (\\r, \\n, \\t) is allowed between tokens"
            reason = f"Illegal character ({_described(character)}): {only}"
            raise JSONProblem(reason, self.text, self.at, 1)
        if character == "/":
            unknown = (
                "(not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
            )
            raise self.unexpected(f"maybe a (non-standard) comment? {unknown}")
        return character

    # -- values

    def _scalar(self, character: str) -> None:
        if character == '"':
            self._string("string value", ": was expecting closing quote for a string value")
        elif character == "-" or character in "0123456789":
            self._number()
        else:
            self._word(character)

    def _string(self, place: str, unclosed: str) -> None:
        self.at += 1
        while True:
            match = _STRING.match(self.text, self.at)
            self.at = match.end() if match else self.at
            character = self.text[self.at : self.at + 1]
            if character == "":
                raise JSONProblem(f"{_END}{unclosed}", self.text, self.at)
            if character < " ":
                escaped = f"has to be escaped using backslash to be included in {place}"
                reason = f"Illegal unquoted character ({_described(character)}): {escaped}"
                raise JSONProblem(reason, self.text, self.at, 1)
            self.at += 1
            if character == '"':
                return
            self._escape()

    def _escape(self) -> None:
        letter = self._escaped()
        if letter == "u":
            for _ in range(4):
                if self._escaped() not in _HEX:
                    self.at -= 1
                    raise self.unexpected("expected a hex-digit for character escape sequence")
        elif letter not in '"\\/bfnrt':
            reason = f"Unrecognized character escape {_described(letter)}"
            raise JSONProblem(reason, self.text, self.at - 1, 1)

    def _escaped(self) -> str:
        if self.at == len(self.text):
            raise JSONProblem(f"{_END} in character escape sequence", self.text, self.at)
        self.at += 1
        return self.text[self.at - 1]

    def _number(self) -> None:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self._sign_alone()
        whole = self.at + len(match[1])
        self.at = match.end()
        following = self.text[self.at : self.at + 1]
        digits = match.group().removeprefix("-")
        if digits == "0" and following.isdecimal():
            reason = "Invalid numeric value: Leading zeroes not allowed"
            raise JSONProblem(reason, self.text, self.at)
        if following == "." and digits.isdecimal():
            raise self._digit_missing(whole, "Decimal point not followed by a digit")
        if following in ("e", "E") and "e" not in digits.lower():
            raise self._digit_missing(whole, "Exponent indicator not followed by a digit")
        if not self.opened and following and following not in " \t\r\n":
            raise self.unexpected("Expected space separating root-level values")

    def _sign_alone(self) -> JSONProblem:
        self.at += 1
        if self.at == len(self.text):
            return JSONProblem(f"{_END}No digit following sign", self.text, self.at)
        if self.text[self.at] == ".":
            return self.unexpected(_VALID_VALUE)
        if self.text[self.at] == "I":
            self.at -= 1
            return self._token_problem("-" + self._token(self.at + 1))
        digit = "expected digit (0-9) to follow minus sign, for valid numeric value"
        return self._unexpected(f" in numeric value: {digit}", self.at, self.at)

    def _digit_missing(self, whole: int, reason: str) -> JSONProblem:
        """Return that no digit follows a dot or exponent; Jackson points behind the whole part."""
        mark = self.at
        self.at += 1 + (reason[0] == "E" and self.text[mark + 1 : mark + 2] in ("+", "-"))
        if self.at < len(self.text):
            return self._unexpected(f" in numeric value: {reason}", self.at, whole)
        if reason[0] == "D":
            return self._unexpected(f" in numeric value: {reason}", mark, mark)
        return JSONProblem(f"{_END}expected a digit for number exponent", self.text, self.at)

    def _word(self, character: str) -> None:
        token = self._token(self.at)
        if token in _WORDS:
            self.at += len(token)
        elif token:
            raise self._token_problem(token)
        elif character in "}]" and not self.opened:
            other = "}" if character == "]" else "]"
            place = f"expected '{other}' (for root starting at {{opened}})"
            reason = f"Unexpected close marker '{character}': {place}"
            raise JSONProblem(reason, self.text, self.at, 1, _ROOT)
        elif character == "+":
            feature = "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS`"
            plus = f"JSON spec does not allow numbers to have plus signs: enable {feature} to allow"
            raise self._unexpected(f" in numeric value: {plus}", self.at, self.at + 1)
        else:
            in_array = character == "}" and self.opened[-1][0] == "["
            raise self.unexpected("expected a value" if in_array else _VALID_VALUE)

    def _token(self, at: int) -> str:
        match = _TOKEN.match(self.text, at)
        return match.group() if match else ""

    def _token_problem(self, token: str) -> JSONProblem:
        if token in _NOT_NUMBERS:
            allow = "enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS to allow"
            reason = f"Non-standard token '{token}': {allow}"
            return JSONProblem(reason, self.text, self.at, len(token))
        name = token[:_TOKEN_LENGTH] + "..." * (len(token) > _TOKEN_LENGTH)
        reason = f"Unrecognized token '{name}': was expecting {_VALUES}"
        return JSONProblem(reason, self.text, self.at, min(len(token), _TOKEN_LENGTH))


def _described(character: str) -> str:
    code = ord(character)
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    if code > 0xFFFF:  # Java looks at the first half of the pair, and prints it so
        return f"'?' (code {0xD7C0 + (code >> 10)} / {0xD7C0 + (code >> 10):#x})"
    return f"'{character}' (code {code}{f' / {code:#x}' if code > 255 else ''})"
