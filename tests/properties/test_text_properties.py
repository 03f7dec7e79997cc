"""Texts of values are the same with orjson (the extra `fast`) and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import InputError
from doorstep.values import json_values
from doorstep.values.json_values import dumps, text_of
from doorstep_conformance import OWN_CASES, answer, load_cases

pytest.importorskip("orjson", reason="orjson is not installed: pip install 'doorstep[fast]'")
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "cases"

texts = st.text(st.characters(codec=None)) | st.sampled_from(["3e-4", "0.00001", "\ud800", "e+1"])
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
atoms = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    atoms, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=50
)


@given(values)
def test_a_value_has_one_text(value):
    assert text_of(value) == dumps(value)


@pytest.mark.parametrize(
    "number", [5e-324, 1e-7, 9.9e-5, 1e-4, 1e15, 1e16, 1e17, 1e21, 1e22, 1.7e308]
)
def test_a_number_at_the_border_of_a_notation_has_one_text(number):
    assert text_of({"n": [number, -number]}) == dumps({"n": [number, -number]})


class Names(list):
    """What users derive from JSON's types."""


@pytest.mark.parametrize("value", [Names(["a"]), {1: "one"}, (1, 2), {"a": 2**64}, -(2**70)])
def test_a_value_that_orjson_has_another_idea_of_has_one_text(value):
    assert text_of(value) == dumps(value)


def test_an_orjson_that_writes_numbers_otherwise_is_not_used(tmp_path):
    """orjson 3.11.5 and before, which a user may have, wrote 1e16 without its sign."""
    (tmp_path / "orjson.py").write_text("def dumps(value):\n    return b'1e16'\n")
    script = "from doorstep.values.json_values import orjson; print(orjson)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment)
    assert ran.stdout.split() == [b"None"], ran.stderr


def nested(levels, inside, wrap):
    for _ in range(levels):
        inside = wrap(inside)
    return inside


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner, "b": 0}])
@pytest.mark.parametrize("inside", [[], {}, [0], {"n": 1}, "text"])
def test_it_is_as_deep_as_a_value_may_be(wrap, inside):
    most = json_values.MAX_DEPTH - isinstance(inside, list | dict)
    assert text_of(nested(most, inside, wrap)) == dumps(nested(most, inside, wrap))
    with pytest.raises(InputError, match="more than 200 levels"):
        text_of(nested(most + 1, inside, wrap))


@pytest.mark.parametrize("folder", [OWN_CASES, CORPUS], ids=["own", "recorded"])
def test_cases_are_answered_alike_without_it(folder, monkeypatch):
    if not folder.is_dir():
        pytest.skip(f"the recorded cases are not here: {folder}")
    cases = list(load_cases(folder))
    fast = [dumps(answer(case)) for case in cases]
    monkeypatch.setattr(json_values, "orjson", None)
    slow = [dumps(answer(case)) for case in cases]
    rows = zip(cases, fast, slow, strict=True)
    differing = [(case, without) for case, with_it, without in rows if with_it != without]
    # Some hold UUIDs that are drawn anew, or the times of files that are made anew.
    assert [case.id for case, without in differing if dumps(answer(case)) == without] == []
    assert len(differing) < len(cases) / 20
