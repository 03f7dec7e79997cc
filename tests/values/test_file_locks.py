"""The lock of a file on Windows: a stand-in for its C library, which locks bytes by process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import SimpleNamespace

import pytest

import doorstep
from doorstep.values.file_locks import lock

LK_NBLCK = 2


class Windows:
    """`msvcrt.locking`: locks from the position on; OSError EACCES for bytes that are locked."""

    def __init__(self) -> None:
        self.locked: dict[int, int] = {}

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(LK_NBLCK=LK_NBLCK, locking=self.locking)

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (LK_NBLCK, 1)
        at = position(descriptor)
        if at in self.locked:
            raise PermissionError(13, "Permission denied")
        self.locked[at] = descriptor


def position(descriptor: int) -> int:
    with FileIO(descriptor, closefd=False) as file:
        return file.tell()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    library = Windows()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", library.module())
    monkeypatch.setitem(sys.modules, "fcntl", None)
    yield library
    monkeypatch.undo()


def test_a_byte_behind_all_that_is_read_is_locked(windows: Windows, tmp_path: Path) -> None:
    with FileIO(tmp_path / "journal", "a+") as file:
        file.write(b"begun\n")
        assert lock(file)
        assert list(windows.locked) == [2**31 - 2]
        file.write(b"more\n")
        file.seek(0)
        assert file.read() == b"begun\nmore\n"


def test_a_second_process_is_refused(windows: Windows, tmp_path: Path) -> None:
    with FileIO(tmp_path / "journal", "a+") as first, FileIO(tmp_path / "journal", "a+") as second:
        assert lock(first)
        assert not lock(second)
        assert second.tell() == 0


def test_a_journal_is_locked_there_as_well(windows: Windows, tmp_path: Path) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    doorstep.start(definition, journal=tmp_path / "journal").close()
    assert len(windows.locked) == 1
    with pytest.raises(doorstep.InputError, match="another process runs the execution in"):
        doorstep.start(definition, journal=tmp_path / "journal")
