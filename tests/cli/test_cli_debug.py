"""`doorstep debug`: one event printed, and the keys with which one steps."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import doorstep
from doorstep_cli.main import cli
from doorstep_cli.views.events import pretty
from doorstep_cli.views.moment import screen
from doorstep_cli.views.stepping import KEYS, DebugSession

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "examples" / "order"
DEFINITION = ORDER / "order.asl.json"
Keyboard = Callable[[str], str]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An order whose card is declined: ChargeCard fails, and the customer is told."""
    value = json.loads((ORDER / "declined.json").read_text("utf-8"))
    run = doorstep.run(DEFINITION, value, ORDER / "handlers.py", seed=1, start_time=0.0)
    file = tmp_path_factory.mktemp("debug") / "declined.json"
    file.write_text(json.dumps(run.history), "utf-8")
    return file


def debug(history: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["debug", str(history), *options])


# One event ---------------------------------------------------------------------------------------


def test_the_failure_is_printed_with_error_cause_and_what_was_asked(history: Path) -> None:
    result = debug(history, "--at", "failure")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "FAILED  event 21 of 29" in lines[0]
    assert lines[1].split() == ["TaskFailed", "ChargeCard"]
    assert lines[2:4] == ["error: CardDeclined", "  insufficient funds"]
    titles = [line for line in lines if not line.startswith(" ")]
    assert titles == ["error: CardDeclined", "input", "asked"]


def test_with_a_definition_there_are_the_stages_and_the_context(history: Path) -> None:
    result = debug(history, "--at", "17", "--definition", str(DEFINITION))
    titles = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert titles == [
        "input = afterInputPath",
        "afterResultSelector",
        "afterResultPath = output",
        "context",
    ]


def test_lines_are_whole_however_long(tmp_path: Path) -> None:
    run = doorstep.run({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, "x" * 20_000)
    file = tmp_path / "history.json"
    file.write_text(json.dumps(run.history), "utf-8")
    assert f'  "{"x" * 20_000}"' in debug(file, "--at", "2").stdout.splitlines()


def test_json_is_the_moment(history: Path) -> None:
    result = debug(history, "--at", "21", "--definition", str(DEFINITION), "--format", "json")
    whole = json.loads(result.stdout)
    found = doorstep.moments(history, DEFINITION)
    assert whole == found[20].as_json()
    assert (whole["state"], whole["error"]) == ("ChargeCard", "CardDeclined")


def test_another_definition_is_noticed(history: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.asl.json"
    other.write_text(DEFINITION.read_text("utf-8").replace("charge_card", "charge"), "utf-8")
    printed = debug(history, "--at", "21", "--definition", str(other)).stdout
    assert "the definition differs from the history at event 19 in ChargeCard" in printed
    noted = debug(history, "--at", "21", "--definition", str(other), "--format", "json")
    assert "differs from the history at event 19" in noted.stderr
    assert "context" not in json.loads(noted.stdout)


def test_pages_may_be_given_in_any_order(history: Path, tmp_path: Path) -> None:
    events = json.loads(history.read_text("utf-8"))
    pages = [tmp_path / name for name in ("first.json", "second.json")]
    for page, part in zip(pages, (events[:10], events[10:]), strict=True):
        page.write_text(json.dumps(part), "utf-8")
    assert debug(pages[1], str(pages[0]), "--at", "1").stdout.splitlines()[0].count("1 of 29") == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "stdout is not a terminal; print one event with --at EVENT"),
        (("--at", "99"), "event 99 is not in the history, which has events 1 to 29"),
        (("--at", "x"), "'x' is not a number or `failure`"),
        (("--format", "json"), "--format json needs --at EVENT"),
    ],
)
def test_what_cannot_be_shown_is_told(history: Path, options: Any, told: str) -> None:
    result = debug(history, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_success_has_no_failure(tmp_path: Path) -> None:
    run = doorstep.run({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    file = tmp_path / "history.json"
    file.write_text(json.dumps(run.history), "utf-8")
    result = debug(file, "--at", "failure")
    assert "the history has no failure: the execution is SUCCEEDED" in result.stderr
    assert result.exit_code == 2


# Keys --------------------------------------------------------------------------------------------


@pytest.fixture
def session(history: Path) -> DebugSession:
    """One who stands at the first failure, event 21."""
    moments = doorstep.moments(history, DEFINITION)
    return DebugSession(moments, moments.first_failure or 0)


def pressed(session: DebugSession, keys: str) -> int:
    """The number of the event where the keys lead."""
    for key in keys.split():
        assert session.press({"ENTER": "\r", "RIGHT": "\x1b[C", "LEFT": "\x1b[D"}.get(key, key))
    return session.moments[session.index].event.id


# Event 18 enters ChargeCard, 23 NotifyFailure and 28 OrderFailed; 29 ends the execution.
@pytest.mark.parametrize(
    ("keys", "event"),
    [
        ("n", 22),
        ("p", 20),
        ("g 2 ENTER p", 1),
        ("RIGHT RIGHT LEFT", 22),
        ("N", 23),
        ("N N", 28),
        ("P", 18),
        ("P P", 10),
        ("f", 28),
        ("f f", 29),
        ("f f F", 28),
        ("f F", 21),
        ("g 1 ENTER / i n s u f f ENTER", 21),
        ("g 1 ENTER / c a r d d e c l ENTER", 21),
        ("g 1 7 ENTER", 17),
        ("g 1 7 \x7f ENTER", 1),
        ("g 5 \x1b", 21),
        ("/ o r d e r f ENTER", 28),
        ("/ M A P I T ENTER", 9),
        ("/ m a p i t ENTER / ENTER", 15),
        # The only match is where the search begins: it comes back there, after all other events.
        ("g 2 9 ENTER / e x e c u t i o n f ENTER", 29),
        ("g 1 ENTER / e x e c u t i o n s ENTER", 1),
    ],
)
def test_a_key_leads_to_an_event(session: DebugSession, keys: str, event: int) -> None:
    assert pressed(session, keys) == event
    assert session.message == ""


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("f f f", "no failure after this event"),
        ("g 9 9 ENTER", "'99' is not an event: they are numbered 1 to 29"),
        ("g 1 ENTER p", "this is the first event"),
        ("g 2 9 ENTER n", "this is the last event"),
        ("/ z z ENTER", "no state, type of event, error or cause contains 'zz'"),
        ("g 1 ENTER F", "no failure before this event"),
        ("y", "'y' does nothing; ? lists the keys"),
    ],
)
def test_a_key_that_leads_nowhere_says_so(session: DebugSession, keys: str, told: str) -> None:
    pressed(session, keys)
    assert session.message == told


@pytest.mark.parametrize(
    ("text", "event"),
    [("nnn", 24), ("g17\r", 17), ("\x1b[C\x1b[C\x1b[D", 22), ("/orderf\rpp", 26), ("gn5\x1bn", 22)],
)
def test_keys_that_arrive_together_all_count(session: DebugSession, text: str, event: int) -> None:
    assert session.type(text)
    assert session.index + 1 == event


def test_keys_after_a_quit_do_not_count(session: DebugSession) -> None:
    assert not session.type("nqn")
    assert session.index + 1 == 22


def test_q_quits(session: DebugSession) -> None:
    assert not session.press("q")


def shown(session: DebugSession, width: int = 100, height: int = 30) -> list[str]:
    console = Console(width=width, height=height, highlight=False)
    with console.capture() as captured:
        console.print(screen(session, width, height))
    return captured.get().splitlines()


def test_the_screen_opens_with_the_failure_and_the_keys(session: DebugSession) -> None:
    lines = shown(session)
    assert len(lines) == 30
    text = "\n".join(lines)
    assert "▶  21 TaskFailed  ChargeCard" in text
    assert "error: CardDeclined" in text
    assert "insufficient funds" in text
    assert '"FunctionName": "charge_card"' in text
    assert re.search(r"n/p event .* q quit", lines[-1])


@pytest.mark.parametrize(
    ("keys", "title", "told"),
    [
        ("i", "input · i closes", '"orderId": "order-1004"'),
        ("a", "asked · a closes", '"FunctionName": "charge_card"'),
        ("n o", "output · o closes", '"problem": {'),
        ("v", "variables · v closes", "{}"),
        ("c", "context · c closes", '"StateMachine": {'),
        ("d", "changes · d closes", '+ "CardDeclined"'),
        ("t", "failures · t closes", "CardDeclined"),
        ("?", "keys · ? closes", "next, previous failure"),
    ],
)
def test_a_pane_has_the_whole_of_it(
    session: DebugSession, keys: str, title: str, told: str
) -> None:
    pressed(session, keys)
    text = "\n".join(shown(session, height=60))
    assert title in text
    assert told in text
    pressed(session, keys[-1])
    assert title not in "\n".join(shown(session))


def test_the_table_of_failures_has_what_failed_in_children(session: DebugSession) -> None:
    session.inner = ["children of Each: 5 of 14 failed"]
    pressed(session, "t")
    assert "children of Each: 5 of 14 failed" in "\n".join(shown(session, height=60))


def test_a_long_pane_is_scrolled(session: DebugSession) -> None:
    pressed(session, "c \x1b[B \x1b[B")
    text = "\n".join(shown(session, height=12))
    assert '"Execution"' not in text
    assert '"Id"' in text


def test_a_question_shows_what_was_typed(session: DebugSession) -> None:
    pressed(session, "/ p a y")
    assert "state, type, error or cause: pay" in shown(session)[-1]


def test_eighty_columns_have_room_for_all_keys(session: DebugSession) -> None:
    lines = shown(session, 80, 24)
    assert lines[1].split() == ["TaskFailed", "ChargeCard"]
    assert lines[-1].rstrip().endswith("q quit")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (50, 10), (200, 60)])
def test_it_fits_on_every_screen(session: DebugSession, width: int, height: int) -> None:
    for pane in ("", "input", "context", "changes", "keys"):
        session.pane = pane
        lines = shown(session, width, height)
        assert len(lines) == height
        assert max(map(len, lines)) <= width


def test_a_foreign_text_gives_a_terminal_no_orders() -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E\x1b[2J"}}}
    found = doorstep.moments(doorstep.run(definition, {"k\x9b": "v\x1b\x9b"}).history)
    for pane in ("", "input", "changes"):
        text = "\n".join(shown(DebugSession(found, 1, pane)))
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_an_error_without_a_cause_is_shown() -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "Sad"}}}
    found = doorstep.moments(doorstep.run(definition).history)
    text = "\n".join(shown(DebugSession(found, found.first_failure or 0)))
    assert "error: Sad" in text
    assert "no cause" in text


def test_every_key_is_explained() -> None:
    assert set("npNPfFtg/iaovcd?q") <= set("".join(KEYS))


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"a": 1}, ['{"a": 1}']),
        ({"a": [1, 2], "b": "x" * 12}, ["{", '  "a": [1, 2],', f'  "b": "{"x" * 12}"', "}"]),
        (
            [{"a": 1}, {"b": "x" * 9}],
            ["[", '  {"a": 1},', "  {", '    "b": "xxxxxxxxx"', "  }", "]"],
        ),
        ([], ["[]"]),
    ],
)
def test_json_takes_no_more_lines_than_it_needs(value: Any, lines: list[str]) -> None:
    assert pretty(value, 18) == lines


# On a terminal -----------------------------------------------------------------------------------


@pytest.fixture
def terminal(history: Path) -> Iterator[Keyboard]:
    """`doorstep debug` on a pseudo terminal: presses a key, and gives what is then drawn."""
    pty = pytest.importorskip("pty", reason="Windows has no pseudo terminals")
    termios = pytest.importorskip("termios", reason="Windows has no pseudo terminals")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    program = "from doorstep_cli.main import entry; entry()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "debug", str(history)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as running:
        os.close(theirs)

        def press(key: str) -> str:
            # A key that is pressed before the program asks for one is thrown away.
            while termios.tcgetattr(ours)[3] & termios.ICANON:
                select.select([ours], [], [], 0.01)
            os.write(ours, key.encode())
            return drawn(ours)

        drawn(ours)
        yield press
        os.close(ours)
        running.terminate()


def drawn(terminal: int) -> str:
    """What a terminal is sent up to the end of a screen, or until the program leaves it."""
    sent = b""
    while not re.search(rb"quit\s*$|\x1b\[\?1049l", re.sub(rb"\x1b\[[\d;]*m", b"", sent)):
        assert select.select([terminal], [], [], 30)[0], sent
        sent += os.read(terminal, 65536)
    return re.sub(r"\x1b\[[\d;]*m", "", sent.decode())


def test_keys_of_a_terminal_step_through_the_execution(terminal: Keyboard) -> None:
    assert "▶  22 TaskStateExited  ChargeCard" in terminal("n")
    assert "▶  21 TaskFailed  ChargeCard" in terminal("\x1b[D")
    assert "▶  24 " in terminal("nnn")
    assert "▶  20 " in terminal("g20\r")
    assert "changes · d closes" in terminal("d")
    # The screen that was there before comes back.
    assert "\x1b[?1049l" in terminal("q")
