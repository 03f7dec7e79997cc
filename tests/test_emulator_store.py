"""The store's file: what it keeps, and what it says when it can't."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.events import Event, Fact
from doorstep_emulator import StoreError, schema
from doorstep_emulator.sqlite import SqliteStore
from doorstep_emulator.store import Query, Row

Opened = Callable[[str], SqliteStore]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "doorstep.db")


def execution(store: SqliteStore, name: str, **more: object) -> Row:
    fields = {"machine": "m", "type": "STANDARD", "status": "RUNNING", "started": 1.5}
    fields |= {"identity": "{}", "revision": "r"}
    row = Row(id=store.next_id(), arn=name, name=name, **{**fields, **more})  # type: ignore[arg-type]
    store.begin(row)
    return row


def chunk(first: int, count: int) -> list[Fact | Event]:
    events = [
        Event(first + n, n, "PassStateEntered", 2.25, {"name": "é\ud800"}) for n in range(count)
    ]
    return [Fact("due", 2.25, "1", "delay"), *events]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens stores and closes them at the end, whatever becomes of the test."""
    with ExitStack() as stack:

        def store(file: str) -> SqliteStore:
            found = SqliteStore(file)
            stack.callback(found._connection.close)
            return found

        yield store


def test_what_was_committed_is_there_again(file: str, opened: Opened) -> None:
    store = opened(file)
    row = execution(store, "one")
    entries = [*chunk(1, 250), *chunk(251, 3)]
    store.append(row.id, entries[:251])
    store.append(row.id, entries[251:])
    store.put("machine", "a", {"deep": [{"er": None}]})
    store.promise(row.id, Fact("succeeded", 9.0, "1", {"a": 1}))
    store.own_token("token", row.id)
    store.close()
    again = opened(file)
    assert again.row("one") == row
    assert again.journal(row.id) == entries
    assert list(again.documents("machine")) == [{"deep": [{"er": None}]}]
    assert again.promises(row.id) == [Fact("succeeded", 9.0, "1", {"a": 1})]
    assert again.knows_token("token")
    assert not again.knows_token("other")
    assert again.next_id() > row.id


def test_what_was_not_committed_never_happened(file: str, opened: Opened) -> None:
    store = opened(file)
    execution(store, "committed")
    store.commit()
    execution(store, "not")
    assert store.row("not") is None
    assert store.row("committed") is not None


def test_a_journal_goes_on_in_the_next_process(file: str, opened: Opened) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, 3))
    store.close()
    again = opened(file)
    again.append(row.id, chunk(4, 2))
    assert [event.id for event in again.events(row.id, 1, 99)] == [1, 2, 3, 4, 5]
    assert again.last_event(row.id) == 5


def test_a_part_of_a_long_history_is_read(file: str, opened: Opened) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, 1000))
    assert [event.id for event in store.events(row.id, 298, 302)] == [298, 299, 300, 301, 302]


def test_executions_are_listed_by_what_is_asked_for(file: str, opened: Opened) -> None:
    store = opened(file)
    for number in range(4):
        execution(store, f"run-{number}")
    child = execution(store, "child", machine="m/label", map_run="run")
    child.status, child.redrives, child.stopped = "FAILED", 1, 3.0
    store.update(child)

    def names(query: Query) -> list[str]:
        return [row.name for row in store.rows(query)]

    assert names(Query(machine="m", limit=2)) == ["run-3", "run-2"]
    assert names(Query(machine="m", before=3)) == ["run-1", "run-0"]
    assert names(Query(map_run="run")) == ["child"]
    assert names(Query(status="FAILED", redriven=True)) == ["child"]
    assert names(Query(map_run="run", redriven=False)) == []


def test_a_second_server_is_refused(file: str, opened: Opened) -> None:
    store = opened(file)
    with pytest.raises(StoreError, match=r"another server uses .*doorstep\.db"):
        SqliteStore(file)
    store.close()
    SqliteStore(file).close()


def filled(file: str) -> None:
    store = SqliteStore(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, 1000))
    store.close()


@pytest.mark.parametrize("keep", [100, 4096, 50_000])
def test_a_file_whose_end_is_missing_is_named(file: str, keep: int) -> None:
    filled(file)
    data = Path(file).read_bytes()
    Path(file).write_bytes(data[:keep])
    with pytest.raises(StoreError, match=r"doorstep\.db can't be used"):
        SqliteStore(file)


def test_a_file_with_a_damaged_page_is_named(file: str) -> None:
    filled(file)
    with open(file, "r+b") as damaged:
        damaged.seek(3 * 4096)
        damaged.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=r"doorstep\.db can't be used"):
        SqliteStore(file)


def test_a_damaged_entry_is_named_when_it_is_read(file: str, opened: Opened) -> None:
    filled(file)
    data = Path(file).read_bytes()
    Path(file).write_bytes(data.replace(b"PassStateEntered", b"PassStateEntrred", 1))
    store = opened(file)
    with pytest.raises(StoreError, match=r"chunk \d of the journal of execution 1 is damaged"):
        store.journal(1)


def test_a_file_of_something_else_is_left_alone(file: str) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(StoreError, match="not a file of Doorstep's"):
        SqliteStore(file)


def test_a_text_file_is_left_alone(file: str) -> None:
    Path(file).write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"doorstep\.db can't be used"):
        SqliteStore(file)
    assert Path(file).read_text() == "not a database " * 100


def test_a_file_of_an_earlier_version_is_brought_up_to_date(file: str, opened: Opened) -> None:
    old = sqlite3.connect(file)
    old.executescript(f"{schema.MIGRATIONS[0]} PRAGMA user_version = 1;")
    given = {"id": 1, "arn": "an ARN", "machine": "m", "name": "n", "type": "STANDARD"}
    given |= {"status": "RUNNING", "started": 1.0, "identity": "{}", "revision": "r", "redrives": 0}
    places = ", ".join("?" for _ in given)
    old.execute(f"INSERT INTO executions ({', '.join(given)}) VALUES ({places})", [*given.values()])
    old.commit()
    old.close()
    row = opened(file).row("an ARN")
    assert row is not None
    assert (row.name, row.clock, row.root) == ("n", "real", None)


def test_a_file_of_a_later_version_is_refused(file: str) -> None:
    filled(file)
    later = sqlite3.connect(file)
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(StoreError, match="written by a later Doorstep"):
        SqliteStore(file)


def test_a_full_disk_loses_nothing(file: str, opened: Opened) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.commit()
    # SQLite's own way to make a disk small.
    full = store._connection
    full.execute("PRAGMA max_page_count = 40")
    store.append(row.id, chunk(1, 5000))
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            store.commit()
    full.execute("PRAGMA max_page_count = 100000")
    store.append(row.id, chunk(5001, 1))
    store.commit()
    assert store.last_event(row.id) == 5001
    assert len(store.events(row.id, 1, 9999)) == 5001
