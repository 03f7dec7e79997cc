"""Laws of the judge: order alone never matters to it, another cause always does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doorstep.values.json_values import dumps
from doorstep_conformance.compare import causally_same
from doorstep_conformance.values import same, unfolded

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events that each hang off an earlier one; some say the same."""
    count = draw(st.integers(2, 12))
    return [
        {
            "id": number,
            "previousEventId": draw(st.integers(0, number - 1)),
            "type": draw(st.sampled_from("ABC")),
        }
        for number in range(1, count + 1)
    ]


def interleaved(events: list[dict[str, Any]], data: st.DataObject) -> list[dict[str, Any]]:
    """The same events in another order that puts causes before what follows from them."""
    waiting, numbers, shown = list(events), {0: 0}, []
    while waiting:
        free = [event for event in waiting if event["previousEventId"] in numbers]
        event = data.draw(st.sampled_from(free))
        waiting.remove(event)
        numbers[event["id"]] = len(shown) + 1
        previous = numbers[event["previousEventId"]]
        shown.append(event | {"id": len(shown) + 1, "previousEventId": previous})
    return shown


@given(VALUES)
def test_a_value_never_differs_from_itself_nor_from_its_text(value: Any) -> None:
    assert same(value, value)
    assert same(unfolded({"output": value}), unfolded({"output": dumps(value)}))


@given(histories(), st.data())
def test_another_interleaving_is_causally_the_same(
    events: list[dict[str, Any]], data: st.DataObject
) -> None:
    assert causally_same(events, interleaved(events, data), frozenset())


@given(histories(), st.data())
def test_an_event_with_another_cause_is_not(
    events: list[dict[str, Any]], data: st.DataObject
) -> None:
    named = [event | {"type": str(event["id"])} for event in events]
    moved = interleaved(named, data)
    victim = moved[-1]
    others = [n for n in range(len(moved)) if n != victim["previousEventId"]]
    victim["previousEventId"] = data.draw(st.sampled_from(others))
    assert not causally_same(named, moved, frozenset())
