"""What is wrong with a JSON text, in Jackson's words (fact 366: Jackson 2.17.2 was asked)."""

from __future__ import annotations

import pytest

from doorstep.values import jackson

SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
VALUE = (
    "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
)


def refused(text: str) -> str:
    with pytest.raises(jackson.JSONProblem) as problem:
        jackson.loads(text, whole=False)
    return problem.value.redacted


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("007", "Invalid numeric value: Leading zeroes not allowed", "1, column: 2"),
        (
            "[-]",
            (
                "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to "
                "follow minus sign, for valid numeric value"
            ),
            "1, column: 3",
        ),
        (
            "[4.]",
            (
                "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed "
                "by a digit"
            ),
            "1, column: 3",
        ),
        (
            "[12.5E!]",
            (
                "Unexpected character ('!' (code 33)) in numeric value: Exponent indicator not "
                "followed by a digit"
            ),
            "1, column: 4",
        ),
        ("7e+", "Unexpected end-of-inputexpected a digit for number exponent", "1, column: 4"),
        ("-", "Unexpected end-of-inputNo digit following sign", "1, column: 2"),
        (
            "5kg",
            "Unexpected character ('k' (code 107)): Expected space separating root-level values",
            "1, column: 2",
        ),
        ("[9,}", "Unexpected character ('}' (code 125)): expected a value", "1, column: 4"),
        ("[9,]", f"Unexpected character (']' (code 93)): {VALUE}", "1, column: 4"),
        (
            "[\u2013]",
            f"Unexpected character ('\u2013' (code 8211 / 0x2013)): {VALUE}",
            "1, column: 2",
        ),
        (
            "{\n]",
            (
                f"Unexpected close marker ']': expected '}}' (for Object starting at {SOURCE}1, "
                "column: 1])"
            ),
            "2, column: 1",
        ),
        (
            "}",
            f"Unexpected close marker '}}': expected ']' (for root starting at {SOURCE}1])",
            "1, column: 1",
        ),
        ('{"k"', "Unexpected end-of-input within/between Object entries", "1, column: 5"),
        ("[8, ", "Unexpected end-of-input within/between Array entries", "1, column: 5"),
        ('{"ke', "Unexpected end-of-input in field name", "1, column: 5"),
        ('"ab\\', "Unexpected end-of-input in character escape sequence", "1, column: 5"),
        (
            '["\\u00g1"]',
            (
                "Unexpected character ('g' (code 103)): expected a hex-digit for character escape "
                "sequence"
            ),
            "1, column: 7",
        ),
        ('"\\%"', "Unrecognized character escape '%' (code 37)", "1, column: 3"),
        (
            '{"\t":1}',
            (
                "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using "
                "backslash to be included in name"
            ),
            "1, column: 3",
        ),
        (
            "[\x02]",
            (
                "Illegal character ((CTRL-CHAR, code 2)): only regular white space (\\r, \\n, \\t) "
                "is allowed between tokens"
            ),
            "1, column: 3",
        ),
        (
            "[1 // one\n]",
            (
                "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not "
                "recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"
            ),
            "1, column: 4",
        ),
        (
            "[NaN]",
            "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
            "1, column: 5",
        ),
    ],
)
def test_a_text_is_refused_in_the_words_of_jackson(text: str, message: str, place: str) -> None:
    assert refused(text) == f"{message}\n at {SOURCE}{place}]"


def test_a_long_unknown_word_is_named_in_part() -> None:
    assert refused("w" * 300).startswith(f"Unrecognized token '{'w' * 256}...': was expecting")


@pytest.mark.parametrize("text", ['{"a":1} and more', "[1]]", "12 13", '"a"b', "true-"])
def test_what_follows_a_value_is_refused_only_where_the_whole_text_is_read(text: str) -> None:
    jackson.loads(text, whole=False)
    with pytest.raises(jackson.JSONProblem, match="the end of the definition"):
        jackson.loads(text)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (r'["a,b:[{",{"k\"":[1,{}]},nope]', "Unrecognized token 'nope'", 30),
        ('{"a,":{"b":[[],"]"]},"c":nope}', "Unrecognized token 'nope'", 30),
        ('{"a":{"b":"}"},nope:1}', "Unexpected character ('n' (code 110))", 16),
        ('[[1],{"a":1} 2]', "Unexpected character ('2' (code 50))", 14),
        ('[{"a":1},"b" 2]', "Unexpected character ('2' (code 50))", 14),
        ('[{"a":"1,2","b" 2}]', "Unexpected character ('2' (code 50))", 17),
        ('["Infinity","NaN",NaN]', "Non-standard token 'NaN'", 22),
        ('["NaN",-Infinity]', "Non-standard token '-Infinity'", 17),
        (
            r'[["a\u00e9\n,",0],"b\x"]',
            "Unrecognized character escape 'x' (code 120)\n at [Source",
            22,
        ),
    ],
)
def test_a_fault_is_found_behind_whatever_is_json(text: str, message: str, column: int) -> None:
    """What comes before the fault is skipped, whatever stands in its strings."""
    assert refused(text).startswith(message)
    assert refused(text).endswith(f"line: 1, column: {column}]")
