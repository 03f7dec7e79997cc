"""Who may read what executions were given: files that Doorstep makes are their owner's."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
import doorstep
from doorstep_cli.commands import serve
from doorstep_emulator.publish.sinks import target
from doorstep_emulator.store.sqlite import SqliteStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folder's rights decide")
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
Make = Callable[[Path], None]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path | str) -> str:
    return oct(stat.S_IMODE(os.stat(path).st_mode))


def make_store(path: Path) -> None:
    store = SqliteStore(str(path))
    assert {mode(f"{path}{name}") for name in ("-wal", "-commits")} == {"0o600"}
    store.close()


def make_journal(path: Path) -> None:
    doorstep.run(PASS, journal=path)


def make_sink(path: Path) -> None:
    target(str(path)).take([{"a": 1}])


@pytest.mark.parametrize("make", [make_store, make_journal, make_sink])
def test_a_file_that_is_made_is_its_owner_s(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "file")
    assert mode(tmp_path / "file") == "0o600"


@pytest.mark.parametrize("make", [make_journal, make_sink])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o640)
    make(path)
    assert mode(path) == "0o640"


def test_a_store_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    SqliteStore(str(path)).close()
    path.chmod(0o640)
    SqliteStore(str(path)).close()
    assert mode(path) == "0o640"


def test_a_log_that_is_moved_away_is_made_again_for_its_owner(tmp_path: Path) -> None:
    log = target(str(tmp_path / "log"))
    (tmp_path / "log").unlink()
    log.take([{"a": 1}])
    assert mode(tmp_path / "log") == "0o600"


def test_the_state_folder_is_its_owner_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert mode(Path(serve._state_file()).parent) == "0o700"
