"""Workflows drawn as SVG: nothing overlaps, no line crosses a box, no text leaves its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorstep.definitions import load
from doorstep.drawing import Mark, draw, svg
from doorstep.drawing.layout import (
    NAME,
    SMALL,
    SMALL_LINE,
    Box,
    Line,
    Picture,
    layout,
    width,
    wrapped,
)
from doorstep.model.definition import workflow

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/*.asl.json"))
SAMPLES = sorted((ROOT.parent / "shared" / "samples").glob("*.asl.json"))
SVG = "{http://www.w3.org/2000/svg}"
PASS = {"Type": "Pass"}

Rectangle = tuple[float, float, float, float]


def picture(definition: Any) -> Picture:
    return layout(draw(workflow(definition), "flow"))


def drawn(definition: Any, marks: dict[str, Mark] | None = None) -> ElementTree.Element:
    return ElementTree.fromstring("\n".join(svg(draw(workflow(definition), "flow", marks))))


def frames(whole: Picture) -> Iterator[Picture]:
    """A picture and those in its boxes."""
    yield whole
    for box in whole.boxes:
        if box.inside:
            yield from frames(box.inside)


def rectangle(box: Box) -> Rectangle:
    return box.x, box.y, box.x + box.width, box.y + box.height


def labels(lines: list[Line]) -> Iterator[Rectangle]:
    for text in (line.label for line in lines):
        if text:
            half = max(width(line, SMALL) for line in text.lines) / 2
            foot = text.y + len(text.lines) * SMALL_LINE
            yield text.x - half, text.y, text.x + half, foot


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def points(line: Line) -> Iterator[tuple[float, float]]:
    """Points all along a line, as svg.py draws it."""
    for x, top, foot in line.parts:
        yield from ((x, top + (foot - top) * n / 10) for n in range(11))
    for (x, _, foot), (below, top, _) in pairwise(line.parts):
        for n in range(11):
            t = n / 10
            across = 3 * t**2 - 2 * t**3
            middle = (foot + top) / 2
            down = (1 - t) ** 3 * foot + 3 * (1 - t) * t * middle + t**3 * top
            yield x + (below - x) * across, down


def inside(point: tuple[float, float], box: Box) -> bool:
    left, top, right, foot = rectangle(box)
    return left + 1 < point[0] < right - 1 and top + 1 < point[1] < foot - 1


def assert_readable(whole: Picture) -> None:
    for frame in frames(whole):
        rectangles = [*map(rectangle, frame.boxes), *labels(frame.lines)]
        assert not [pair for pair in combinations(rectangles, 2) if overlap(*pair)]
        for line in frame.lines:
            assert not [p for p in points(line) for box in frame.boxes if inside(p, box)]
        for box in frame.boxes:
            assert all(width(text, NAME) <= box.width for text in box.name)
            if box.inside:
                around = rectangle(box)
                assert all(
                    around[0] < inner.x and inner.x + inner.width < around[2]
                    for inner in box.inside.boxes
                )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_readable(path: Path) -> None:
    assert_readable(picture(load(path).definition))


@pytest.mark.skipif(not SAMPLES, reason="../shared/samples is not there")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_samples_are_readable(path: Path) -> None:
    assert_readable(picture(load(path).definition))


@example([[0], [1, 1, 1], [0]])
@given(st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=3), min_size=2, max_size=8))
def test_whatever_leads_where_it_is_readable(targets: list[list[int]]) -> None:
    states = {
        f"State{number}": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.a", "IsNull": True, "Next": f"State{target % len(targets)}"}
                for target in leads
            ],
        }
        for number, leads in enumerate(targets)
    }
    assert_readable(picture({"StartAt": "State0", "States": states}))


def test_a_state_stands_below_all_that_lead_to_it_but_for_loops(
    chain: Callable[..., Any],
) -> None:
    rules = [{"Variable": "$.a", "IsNull": True, "Next": name} for name in ("A", "D")]
    again = {"Type": "Choice", "Choices": rules, "Default": "C"}
    whole = picture(chain({"A": PASS, "B": again, "C": PASS, "D": PASS}))
    tops = {box.node.name: box.y for box in whole.boxes if box.node}
    assert tops["A"] < tops["B"] < tops["C"] < tops["D"]
    names = {box.node.id: box.node.name for box in whole.boxes if box.node}
    upward = [line.edge for line in whole.lines if line.upward]
    assert [(names[edge.start], names[edge.end]) for edge in upward] == [("B", "A")]


def test_branches_stand_side_by_side_in_the_frame_of_their_state(
    chain: Callable[..., Any],
) -> None:
    both = {"Type": "Parallel", "Branches": [chain({name: PASS}) for name in ("L", "R")]}
    _, frame, _ = picture(chain({"Both": both})).boxes
    assert frame.inside
    left, right = frame.inside.boxes
    assert left.x + left.width < right.x
    assert left.y == right.y


def test_loops_leave_and_reach_the_middle_of_the_right_side_with_room_for_two_lines_each() -> None:
    rules = [{"Variable": "$.n", "NumericEquals": n, "Next": "Again"} for n in range(2)]
    again = {"Type": "Choice", "Choices": rules, "Default": "Done"}
    states = {"Again": again, "Done": {"Type": "Succeed"}}
    whole = picture({"StartAt": "Again", "States": states})
    (box,) = [box for box in whole.boxes if box.name == ["Again"]]
    loops = [line for line in whole.lines if line.edge.start == line.edge.end]
    for loop in loops:
        ((x, top, foot),) = loop.parts
        assert (x, (top + foot) / 2) == (box.x + box.width, box.y + box.height / 2)
    first, second = (loop.label for loop in loops)
    assert first
    assert second
    assert second.y - first.y == 2 * SMALL_LINE


def test_catchers_are_dashed(chain: Callable[..., Any]) -> None:
    catcher = {"ErrorEquals": ["Broken"], "Next": "On"}
    work = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Catch": [catcher]}
    paths = drawn(chain({"Work": work, "On": PASS})).iter(f"{SVG}path")
    classes = [path.get("class") for path in paths]
    assert classes.count("line dashed") == 1
    assert classes.count("line") == 3


def test_a_picture_has_a_title_for_those_who_do_not_see_it(chain: Callable[..., Any]) -> None:
    root = drawn(chain({"A": PASS}))
    assert root.findtext(f"{SVG}title") == root.get("aria-label") == "flow"
    assert [title.text for title in root.iter(f"{SVG}title")] == ["flow", "A (Pass)"]


def test_it_is_for_light_and_dark_screens_and_has_no_scripts(chain: Callable[..., Any]) -> None:
    root = drawn(chain({"A": PASS}))
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "title", "style", "rect", "g", "path", "text",
    }  # fmt: skip


def test_names_and_links_are_text(chain: Callable[..., Any]) -> None:
    name = '<script>"&\x01'
    marks = {f"/States/{name}": Mark("covered", link='#"><x')}
    root = drawn({"StartAt": name, "States": {name: {**PASS, "End": True}}}, marks)
    assert '<script>"&�' in [text.text for text in root.iter(f"{SVG}text")]
    assert [link.get("href") for link in root.iter(f"{SVG}a")] == ['#"><x']


def test_a_thousand_states_are_drawn(chain: Callable[..., Any]) -> None:
    whole = picture(chain({f"S{number}": PASS for number in range(1000)}))
    tops = [box.y for box in whole.boxes]
    assert tops == sorted(set(tops))


def test_the_same_definition_is_the_same_picture() -> None:
    program = (
        "import sys; from pathlib import Path; from doorstep.drawing import draw, svg;"
        "from doorstep.model.definition import workflow; from doorstep.definitions import load;"
        "print(*svg(draw(workflow(load(Path(sys.argv[1])).definition), 'flow')))"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", program, str(ROOT / "examples/order/order.asl.json")],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Charge", ["Charge"]),
        ("CheckInventoryAvailability", ["CheckInventory", "Availability"]),
        ("a-name_with/marks", ["a-name_with/", "marks"]),
        ("one two three four five six seven eight", ["one two three", "four five six…"]),
        ("x" * 60, ["x" * 14, "x" * 12 + "…"]),
    ],
)
def test_a_text_is_broken_where_it_may_be(text: str, lines: list[str]) -> None:
    assert wrapped(text, 120, NAME) == lines


def test_a_condition_that_is_cut_is_whole_where_one_points_at_it() -> None:
    rule = {"Variable": "$.lock.holder", "StringEquals": "x" * 60, "Next": "A"}
    pick = {"Type": "Choice", "Choices": [rule], "Default": "A"}
    root = drawn({"StartAt": "Pick", "States": {"Pick": pick, "A": {"Type": "Succeed"}}})
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert f'$.lock.holder = "{"x" * 60}"' in titles
    assert "x" * 60 not in "".join(text.text or "" for text in root.iter(f"{SVG}text"))
