"""A law, the search for a case that breaks it, and the file that such a case becomes."""

from __future__ import annotations

import json
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

Case = dict[str, Any]
"""Arguments of a law's check: JSON, so that a failing one can be stored."""

REGRESSIONS = Path(__file__).parents[1] / "regressions"
WITHOUT_HURRY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    # The last failure that hypothesis runs is then the smallest one.
    report_multiple_bugs=False,
)


@dataclass(frozen=True, slots=True)
class Law:
    """What holds for every case."""

    check: Callable[..., None]
    """Takes the members of a case; raises for one that breaks the law."""
    cases: st.SearchStrategy[Case] | None = None
    """None: the check takes a `seed`, and draws what it needs from that."""
    round: int = 1
    """Examples of a round; what hypothesis remembers of them grows with their number."""
    patience: float = 60
    """Seconds after which an example counts as one that never ends."""


class NeverEnded(Exception):  # noqa: N818  what it says about an example
    """An example took longer than the law's patience."""


def broken_case(law: Law, number: int, examples: int) -> Case | None:
    """Look for a case that breaks the law; the same number (a seed) draws the same examples."""
    failing: str | None = None

    def check(case: Case) -> None:
        nonlocal failing
        text = json.dumps(case)
        try:
            with ended_within(law.patience):
                law.check(**case)
        except Exception:
            failing = text
            raise

    examine = lambda: check({"seed": number})  # noqa: E731
    if law.cases is not None:
        # A function of its own for every round: hypothesis decorates each once only.
        examine = settings(WITHOUT_HURRY, max_examples=examples)(
            seed(number)(given(law.cases)(check))
        )
    try:
        examine()
    except Exception:
        traceback.print_exc()
        if failing is None:
            raise
        found: Case = json.loads(failing)
        return found
    return None


@contextmanager
def ended_within(seconds: float) -> Iterator[None]:
    """Raise NeverEnded for what takes longer, also where that exception is swallowed."""
    late = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal late
        late = True
        raise NeverEnded(f"it had not ended after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, interrupt)
    # Again every second: what is interrupted may catch all exceptions and continue.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if late:
        raise NeverEnded(f"it was interrupted after {seconds} seconds")


def write_case(name: str, case: Case, folder: Path) -> Path:
    """Write a case that broke the law of this name; from then on the tests check it."""
    text = json.dumps(case, indent=1, sort_keys=True) + "\n"
    file = folder / f"{name}-{sha256(text.encode()).hexdigest()[:10]}.json"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def check_file(laws: dict[str, Law], file: Path) -> None:
    """Check the case of a file again; raises if it breaks its law."""
    law = laws[file.stem.rpartition("-")[0]]
    with ended_within(law.patience):
        law.check(**json.loads(file.read_text()))
