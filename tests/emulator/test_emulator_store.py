"""The store's file: what it keeps, and what it says when it can't."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.engine.messages import Event, Fact
from doorstep_emulator import StoreError
from doorstep_emulator.store import database
from doorstep_emulator.store.sqlite import SqliteStore
from doorstep_emulator.store.store import ListQuery, Row

Opened = Callable[[str], SqliteStore]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "doorstep.db")


def execution(store: SqliteStore, name: str, **more: object) -> Row:
    fields: dict[str, Any] = {
        "machine": "m",
        "type": "STANDARD",
        "status": "RUNNING",
        "started": 1.5,
    }
    fields |= {"identity": "{}", "revision": "r"}
    fields |= {"id": store.next_id(), "arn": name, "name": name, **more}
    row = Row(**fields)
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
    store.schedule(row.id, Fact("succeeded", 9.0, "1", {"a": 1}))
    store.own_token("token", row.id)
    store.close()
    again = opened(file)
    assert again.row("one") == row
    assert again.journal(row.id) == entries
    assert list(again.documents("machine")) == [{"deep": [{"er": None}]}]
    assert again.scheduled(row.id) == [Fact("succeeded", 9.0, "1", {"a": 1})]
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


@pytest.mark.parametrize("count", [1, 60, 1000])
def test_the_ends_of_a_history_are_read_without_the_rest(
    file: str, opened: Opened, count: int
) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, count))
    store.append(row.id, [Fact("stopped", 2.5)])
    first, last = store.ends(row.id)
    assert (first.id, last.id) == (1, count)


def test_a_history_without_its_beginning_is_named_when_its_ends_are_read(
    file: str, opened: Opened
) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, 1000))
    store.commit()
    store._connection.execute("DELETE FROM journal WHERE first = 1")
    with pytest.raises(StoreError, match="chunk 0 of the journal of execution 1 is damaged"):
        store.ends(row.id)


def test_a_row_has_its_last_status_however_often_it_was_committed_before(
    file: str, opened: Opened
) -> None:
    store = opened(file)
    at_once, later = execution(store, "at once"), execution(store, "later")
    at_once.status, at_once.stopped = "SUCCEEDED", 3.5
    store.update(at_once)
    store.commit()
    another = execution(store, "another")
    later.status, later.stopped = "FAILED", 4.5
    store.update(later)
    store.close()
    again = opened(file)
    assert [again.row(row.arn) for row in (at_once, later, another)] == [at_once, later, another]
    assert again.damaged == {}


def test_executions_are_listed_by_what_is_asked_for(file: str, opened: Opened) -> None:
    store = opened(file)
    for number in range(4):
        execution(store, f"run-{number}")
    child = execution(store, "child", machine="m/label", map_run="run")
    child.status, child.redrives, child.stopped = "FAILED", 1, 3.0
    store.update(child)

    def names(query: ListQuery) -> list[str]:
        return [row.name for row in store.rows(query)]

    assert names(ListQuery(machine="m", limit=2)) == ["run-3", "run-2"]
    assert names(ListQuery(machine="m", before=3)) == ["run-1", "run-0"]
    assert names(ListQuery(map_run="run")) == ["child"]
    assert names(ListQuery(status="FAILED", redriven=True)) == ["child"]
    assert names(ListQuery(map_run="run", redriven=False)) == []


def test_a_second_server_is_refused(file: str, opened: Opened) -> None:
    store = opened(file)
    with pytest.raises(StoreError, match=r"another program uses .*doorstep\.db"):
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
    old.executescript(f"{database.MIGRATIONS[0]} PRAGMA user_version = 1;")
    given = {"id": 1, "arn": "an ARN", "machine": "m", "name": "n", "type": "STANDARD"}
    given |= {"status": "RUNNING", "started": 1.0, "identity": "{}", "revision": "r", "redrives": 0}
    places = ", ".join("?" for _ in given)
    old.execute(f"INSERT INTO executions ({', '.join(given)}) VALUES ({places})", [*given.values()])
    old.execute("INSERT INTO documents VALUES ('machine', 'm', ?)", [b'{"name":"m"}'])
    old.commit()
    old.close()
    store = opened(file)
    assert store.get("machine", "m") == {"name": "m"}
    row = store.row("an ARN")
    assert row is not None
    assert (row.name, row.clock, row.root) == ("n", "real", None)


def test_a_file_of_a_later_version_is_refused(file: str) -> None:
    filled(file)
    later = sqlite3.connect(file)
    later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(StoreError, match="written by a later Doorstep"):
        SqliteStore(file)


def test_a_full_disk_loses_nothing_and_is_waited_for(
    file: str, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.commit()
    # SQLite's own way to make a disk small.
    full = store._connection
    full.execute("PRAGMA max_page_count = 40")
    store.append(row.id, chunk(1, 5000))
    committing = threading.Thread(target=store.commit)
    committing.start()
    while store.trouble is None:
        assert committing.is_alive()
    assert "database or disk is full. See that its folder" in store.trouble
    assert caplog.messages == [f"nothing continues until this can be written: {store.trouble}"]
    full.execute("PRAGMA max_page_count = 100000")
    committing.join()
    assert store.trouble is None
    store.append(row.id, chunk(5001, 1))
    assert store.last_event(row.id) == 5001
    assert len(store.events(row.id, 1, 9999)) == 5001


# What can't be stored ----------------------------------------------------------------------------

UNBINDABLE = {
    "half of a surrogate pair": "a\ud800",
    "the other half": "\udc00a",
    "NUL": "a\0b",
    "an integer of more than 64 bits": 1 << 63,
    "a large negative one": -(1 << 63) - 1,
    "an object": {"a": 1},
    "a list": ["a"],
    "no number": float("nan"),
}


@pytest.mark.parametrize("value", UNBINDABLE.values(), ids=UNBINDABLE)
def test_a_value_that_can_not_be_stored_is_refused_at_once_by_its_place(
    file: str, opened: Opened, value: Any
) -> None:
    store = opened(file)
    with pytest.raises(StoreError, match="the trace of execution 1 can't be stored: a"):
        execution(store, "one", trace=value)
    with pytest.raises(StoreError, match="the token of execution 1 can't be stored"):
        store.own_token(value, 1)
    with pytest.raises(StoreError, match=r"the arn of the activity .* can't be stored"):
        store.put("activity", value, {})
    other = execution(store, "other")
    store.commit()
    assert store.take_refused() == {}
    assert store.rows(ListQuery()) == [other]


def test_a_value_beyond_the_limit_of_the_file_is_refused_at_once(file: str, opened: Opened) -> None:
    store = opened(file)
    store._longest = 100
    execution(store, "é" * 50)
    with pytest.raises(StoreError, match=r"the arn of execution 2 .*: 101 bytes, of 100 at most"):
        execution(store, "é" * 50 + "a")
    with pytest.raises(StoreError, match=r"the entries of execution 1 .* bytes, of 100 at most"):
        store.append(1, chunk(1, 5))


def test_what_a_commit_can_not_write_is_dropped_and_all_else_is_written(
    file: str, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(file)
    before = execution(store, "one")
    twice = execution(store, "one", trace="twice")
    store.append(twice.id, chunk(1, 3))
    store.put("activity", "a", {"name": "a"})
    after = execution(store, "two")
    store.append(after.id, chunk(1, 3))
    store.commit()
    assert store.trouble is None
    assert store.rows(ListQuery()) == [after, before]
    assert store.journal(twice.id) == []
    assert store.journal(after.id) == chunk(1, 3)
    assert store.get("activity", "a") == {"name": "a"}
    why = "UNIQUE constraint failed: executions.arn"
    assert caplog.messages == [f"what was to be stored of execution 2 is dropped: {why}"]
    assert store.take_refused() == {twice.id: why}
    assert store.take_refused() == {}


def test_an_execution_without_what_it_has_to_have_holds_up_no_other(
    file: str, opened: Opened
) -> None:
    store = opened(file)
    execution(store, "one", identity=None)
    store.put("activity", None, {})  # type: ignore[arg-type]
    other = execution(store, "two")
    store.commit()
    assert store.take_refused() == {1: "NOT NULL constraint failed: executions.identity"}
    assert store.refused_documents == ["the activity None"]
    assert store.rows(ListQuery()) == [other]


def test_a_row_that_is_larger_than_the_file_takes_holds_up_no_other(
    file: str, opened: Opened
) -> None:
    store = opened(file)
    large, small = execution(store, "large"), execution(store, "small")
    store._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5_000)
    store.append(large.id, chunk(1, 100))
    store.append(small.id, chunk(1, 1))
    store.commit()
    assert store.take_refused() == {large.id: "string or blob too big"}
    assert store.journal(small.id) == chunk(1, 1)


def test_the_journal_of_what_was_dropped_continues_where_the_file_ends(
    file: str, opened: Opened
) -> None:
    store = opened(file)
    row = execution(store, "one")
    store.append(row.id, chunk(1, 2))
    store.commit()
    store.append(row.id, chunk(3, 2))
    execution(store, "other", id=row.id)
    store.commit()
    assert list(store.take_refused()) == [row.id]
    store.append(row.id, chunk(3, 1))
    assert store.journal(row.id) == [*chunk(1, 2), *chunk(3, 1)]


def test_what_can_not_be_stored_is_not_there(file: str, opened: Opened) -> None:
    store = opened(file)
    assert store.row("\ud800") is None
    assert store.get("machine", "\ud800") is None
    assert not store.knows_token("\ud800")


@pytest.mark.parametrize("code", ["IOERR_WRITE", "READONLY", "CANTOPEN", "BUSY", "CORRUPT"])
def test_what_the_file_refuses_is_waited_for(
    file: str, opened: Opened, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    store = opened(file)
    row = execution(store, "one")
    problem = sqlite3.DatabaseError(code)
    problem.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
    write = store._transact
    monkeypatch.setattr(store, "_transact", lambda: raised(problem))
    monkeypatch.setattr(time, "sleep", lambda _: monkeypatch.setattr(store, "_transact", write))
    store.commit()
    assert store.take_refused() == {}
    assert store.row("one") == row


def raised(problem: Exception) -> None:
    raise problem
