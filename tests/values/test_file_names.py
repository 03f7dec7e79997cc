"""Names of files that every file system takes, and paths as texts.

Expected names: Windows' rules in "Naming Files, Paths, and Namespaces"
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file), judged by Python's own
`PureWindowsPath.is_reserved` and by what a Windows path makes of them.
"""

from __future__ import annotations

import ntpath
import os
import re
import sys
import warnings
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.coverage.reports import wanted_report
from doorstep.errors import HandlerLoadError, StateFailed
from doorstep.map_runs import buckets_in
from doorstep.runtime.handlers import Handlers
from doorstep.values.file_names import file_name, name_of, relative


def is_reserved(name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # os.path.isreserved from 3.13 on
        return PureWindowsPath(name).is_reserved()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("order-17", "order-17"),
        ("Überweisung", "Überweisung"),
        ("0b3c.f", "0b3c.f"),
        ("a:b", "a%3Ab"),
        ("con", "%63on"),
        ("NUL.json", "%4EUL.json"),
        ("com1", "%63om1"),
        ("console", "console"),
        ("order.", "order%2E"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("50%", "50%25"),
        ("a/b\\c", "a%2Fb%5Cc"),
    ],
)
def test_a_name_is_written_as_every_system_takes_it(name: str, expected: str) -> None:
    assert file_name(name) == expected
    assert name_of(expected) == name


@given(st.text(min_size=1), st.text(min_size=1))
def test_names_come_back_and_stay_apart_in_a_folder_that_knows_no_case(one: str, two: str) -> None:
    names = list(dict.fromkeys([one, one.lower(), one.upper(), one.swapcase(), two]))
    taken: dict[str, str] = {}
    files = [file_name(name, taken) for name in names]
    assert [name_of(file) for file in files] == names
    assert len({file.casefold() for file in files}) == len(names)
    assert [file_name(name, taken) for name in names] == files
    for file in files:
        assert PureWindowsPath(file).name == file
        assert not is_reserved(file)
        assert not file.endswith((".", " "))


@pytest.mark.parametrize("key", ["2026-01-31T08:00:00Z.json", "a\\b", "in/nul.txt", "what?", "x."])
def test_a_key_that_windows_takes_for_something_else_is_refused_there(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = buckets_in(tmp_path)
    assert buckets
    buckets.write("bucket", key, [b"1"])
    with buckets.open("bucket", key) as file:
        assert file.read() == b"1"
    monkeypatch.setattr(sys, "platform", "win32")
    buckets.write("bucket", "in/.keep/2026.json", [b"2"])
    with pytest.raises(StateFailed, match="can't be a file on Windows"):
        buckets.write("bucket", key, [b"2"])


def test_a_path_is_relative_with_slashes() -> None:
    assert relative(Path("tests") / "a" / "b.yaml", "tests") == "a/b.yaml"
    assert relative("a.yaml") == "a.yaml"


def test_a_path_on_another_drive_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "relpath", lambda path, start: ntpath.relpath("D:\\a", "C:\\b"))
    assert relative("/there/a.asl.json", "/here") == "/there/a.asl.json"


def test_the_colon_of_a_drive_belongs_to_the_path() -> None:
    assert wanted_report("html:C:\\out\\a.html") == ("html", Path("C:\\out\\a.html"))
    with pytest.raises(
        HandlerLoadError, match=re.escape("no handler file C:\\orders\\handlers.py")
    ):
        Handlers(["C:\\orders\\handlers.py"])


def test_a_hook_of_the_server_may_be_on_a_drive() -> None:
    sinks = pytest.importorskip("doorstep_emulator.publish.sinks", reason="needs doorstep[server]")
    with pytest.raises(Exception, match=re.escape("no handler file C:\\hooks.py")):
        sinks.target("python:C:\\hooks.py:called")
