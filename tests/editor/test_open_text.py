"""Where things stand in a text, as clients count, and texts that clients change piece by piece.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification: a line
ends at a line feed, a carriage return, or both; columns are counted in units of an encoding.
"""

from __future__ import annotations

import cProfile
import json
import pstats
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the language server needs the extra `editor`")

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from doorstep_cli.editor.open_text import OpenText

URI = Path("/project/order.asl.json").as_uri()
MACHINE = '{"StartAt": "A", "States": {"A": {"Type": "Succed"}}}'
TEXTS = st.text(st.sampled_from("aé✅😀\n\r\t\x0b\x0c\x85\u2028\ufeff"), max_size=12)
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@given(TEXTS, st.sampled_from([*WIDTHS]))
def test_each_place_of_a_text_is_where_the_client_has_it(text: str, encoding: str) -> None:
    opened = OpenText(URI, written=text, encoding=encoding)
    codec, width = WIDTHS[encoding]
    for offset in range(len(opened.text) + 1):
        before = text[: offset + len(text) - len(opened.text)]
        if before.endswith("\r") and text[len(before) :].startswith("\n"):
            continue  # inside of a line's end
        *above, line = lines_of(before)
        place = types.Position(len(above), len(line.encode(codec)) // width)
        assert opened.position(offset) == place
        assert opened.offset(place) == offset


@given(TEXTS, TEXTS, st.integers(0, 12), st.integers(0, 12))
def test_a_part_that_the_client_replaces_is_replaced(
    text: str, new: str, first: int, last: int
) -> None:
    start, end = sorted(min(one, len(text)) for one in (first, last))
    if any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
        return
    places = [
        types.Position(
            len(lines_of(text[:at])) - 1, len(lines_of(text[:at])[-1].encode("utf-16-le")) // 2
        )
        for at in (start, end)
    ]
    change = types.TextDocumentContentChangePartial(types.Range(*places), new)
    changed = OpenText(URI, written=text).changed([change], 2)
    assert (changed.written, changed.version) == (text[:start] + new + text[end:], 2)


def test_beyond_the_end_of_a_line_is_its_end_and_beyond_the_last_the_end() -> None:
    opened = OpenText(URI, written="ab\r\ncd\n")
    assert opened.offset(types.Position(0, 99)) == 2
    assert opened.offset(types.Position(1, 99)) == 6
    assert opened.offset(types.Position(99, 0)) == 7


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_line_ends_hide_nothing(mark: str, end: str) -> None:
    for language, text in (
        ("json", MACHINE.replace(" {", f"{end} {{")),
        ("yaml", f"StartAt: A{end}States:{end}  A: {{Type: Succed}}{end}"),
    ):
        opened = OpenText(f"file:///a.{language}", language, 1, mark + text)
        (problem,) = opened.problems
        place = opened.position(problem.start)
        line = lines_of(mark + text)[place.line]
        assert line[place.character :].lstrip('"').startswith("Succed")


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\u2029"])
def test_what_ends_a_line_for_yaml_alone_moves_nothing(separator: str) -> None:
    text = f'Comment: "a{separator}b"\nStartAt: A\nStates:\n  A: {{Type: Succed}}\n'
    (problem,) = OpenText("file:///a.yaml", "yaml", 1, text).problems
    assert text[problem.start : problem.end] == "Succed"
    broken = OpenText("file:///a.yaml", "yaml", 1, text.replace("{Type", "{Type: ["))
    assert broken.position(broken.problems[0].start).line >= 3


def test_a_line_of_any_length_costs_no_more_than_many_lines() -> None:
    def calls(indent: int | None) -> int:
        states = {f"✅{number}": {"Type": "Succed"} for number in range(300)}
        machine = {"StartAt": "✅0", "States": states}
        text = json.dumps(machine, indent=indent, ensure_ascii=False)
        with cProfile.Profile() as profile:
            opened = OpenText(URI, "json", 1, text)
            assert len([opened.range(one.start, one.end) for one in opened.problems]) >= 300
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    calls(2)
    assert calls(None) < 1.2 * calls(2)


@pytest.mark.parametrize("language", ["asl", "asl-yaml", "yaml", "json", ""])
def test_the_language_of_a_text_without_a_name_is_its_own(language: str) -> None:
    text = (
        MACHINE if language in ("asl", "json", "") else "StartAt: A\nStates: {A: {Type: Succed}}\n"
    )
    assert len(OpenText("untitled:Untitled-1", language, 1, text).problems) == 1
