"""Modelled time by itself: what holds it back, what wakes it, and threads that ask it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.runtime.clocks import Agenda, Handle
from doorstep_emulator.clock import Pace, ServerClock, Timeline

HOUR = 3600.0


class SetClock(ServerClock):
    """A machine's clock that somebody sets."""

    def __init__(self) -> None:
        super().__init__(calls=1)
        self.time = 1_000_000.0

    def exact(self) -> float:
        return self.time


def turn(clock: ServerClock, times: int = 4) -> None:
    """Let the server's thread do all that there is."""
    for _ in range(times):
        clock.turn(0)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def line(clock: SetClock) -> Timeline:
    return Timeline(clock, Pace.of("virtual"), "arn")


def test_time_jumps_to_what_is_next_in_the_order_of_its_time(
    clock: SetClock, line: Timeline
) -> None:
    done: list[float] = []
    for hours in (3, 1, 2):
        line.call_at(clock.time + hours * HOUR, lambda: done.append(line.now() - clock.time))
    turn(clock, 8)
    assert done == [HOUR, 2 * HOUR, 3 * HOUR]


def test_time_does_not_jump_before_what_was_brought_is_done(
    clock: SetClock, line: Timeline
) -> None:
    done: list[str] = []
    line.call_at(clock.time + HOUR, lambda: done.append("later"))
    turn(clock, 1)
    line.call_at(clock.time, lambda: done.append("now"))
    assert not line.act()
    turn(clock)
    assert done == ["now", "later"]


def test_time_does_not_jump_to_what_was_cancelled(clock: SetClock, line: Timeline) -> None:
    line.call_at(clock.time + HOUR, lambda: None).cancel()
    turn(clock)
    assert line.now() == clock.time


def test_a_limit_waits_for_somebody_outside_and_is_due_once_nobody_is_there(
    clock: SetClock, line: Timeline
) -> None:
    there, done = [True], list[str]()
    line.expect(lambda: bool(there))
    line.call_at(clock.time + HOUR, lambda: done.append("limit"), limit=True)
    turn(clock)
    assert done == []
    there.clear()
    line.look()
    turn(clock)
    assert done == ["limit"]


def test_a_clock_that_is_set_back_takes_no_time_back(clock: SetClock, line: Timeline) -> None:
    line.not_before(clock.time + HOUR)
    before = line.now()
    clock.time -= HOUR
    assert line.now() == before
    line.call_at(before + 1, lambda: None)
    turn(clock)
    assert line.now() == before + 1


def test_time_that_runs_faster_runs_as_the_machine_s_while_a_call_runs(clock: SetClock) -> None:
    line = Timeline(clock, Pace.of("60"), "arn")
    answered = threading.Event()
    began = line.now()
    clock.time += 1
    assert line.now() - began == 60
    line.invoke(answered.wait, lambda _: None, None)
    clock.time += 1
    assert line.now() - began == 61
    answered.set()
    clock.turn(10)
    clock.time += 1
    assert line.now() - began == 121


@pytest.mark.parametrize("pace", ["virtual", "36000"])
def test_what_many_threads_ask_for_is_done_once_each_and_not_before_its_time(pace: str) -> None:
    clock = ServerClock(calls=1)
    line = Timeline(clock, Pace.of(pace), "arn")
    done: list[tuple[int, int]] = []
    broken: list[str] = []
    last = [line.now()]

    def asked(who: int, number: int, at: float) -> Callable[[], None]:
        def act() -> None:
            if not last[0] <= line.now() >= at:
                broken.append(f"{line.now()} after {last}, before {at}")
            last[0] = line.now()
            done.append((who, number))

        return act

    def ask(who: int) -> None:
        for number in range(200):
            at = line.now() + number % 3
            line.call_at(at, asked(who, number, at), limit=number % 2 == 0)

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    while len(done) < 800:
        clock.turn(10)
    for thread in threads:
        thread.join()
    assert broken == []
    assert sorted(done) == [(who, number) for who in range(4) for number in range(200)]


def test_an_agenda_lets_go_of_what_was_cancelled() -> None:
    agenda = Agenda()
    kept = Handle(lambda: None)
    agenda.add(5e9, kept)
    for at in range(100_000):
        handle = Handle(lambda: None)
        agenda.add(1e9 + at, handle)
        handle.cancel()
    assert len(agenda) < 5_000
    assert agenda.next_time() == 5e9
    assert agenda.take() is kept


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_modelled_time_is_not_moved_when_the_machine_s_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: float
) -> None:
    clock = ServerClock(calls=1)
    line = Timeline(clock, Pace.of("60"), "arn")
    turn(clock)
    began, real = line.now(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert 0 <= line.now() - began < HOUR
    turn(clock)
    (message,) = caplog.messages
    assert message.startswith(f"the machine's clock was set: this server's is ahead by {-step:.0f}")
