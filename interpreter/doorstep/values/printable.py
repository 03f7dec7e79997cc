"""Texts of somebody else's, without what a terminal would take for orders.

Names, errors, causes and outputs come from foreign definitions and histories. ESC, CSI (U+009B),
BEL, CR and backspace move the cursor, set titles and colours or hide text; the overrides of writing
direction (U+202A to U+202E, U+2066 to U+2069) show it in another order; half of a surrogate pair
can't be written as UTF-8 at all.
"""

from __future__ import annotations

import re

CONTROL = r"\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""The characters that are replaced, for a regular expression's class: all but ESC, LF and TAB."""
_CONTROL = re.compile(rf"[\x1b{CONTROL}]")


def printable(text: str) -> str:
    """Return the text with its lines and tabs, and a sign in place of each control character."""
    return _CONTROL.sub(replaced, text)


def escaped(text: str) -> str:
    """Return the same JSON text: in strings, where such characters are, escapes say the same."""
    return _CONTROL.sub(lambda match: _escape(match[0]), text)


def replaced(match: re.Match[str]) -> str:
    """Return what stands in a text in place of a control character."""
    return _escape(match[0]) if "\ud800" <= match[0] <= "\udfff" else "�"


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}"
