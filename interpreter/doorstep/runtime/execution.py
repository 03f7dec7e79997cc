"""An execution on this machine: what its user sees of it, and may do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..engine import Event, Identity, states_of
from ..errors import DoorstepError
from ..history import ExecutionView, visits_of
from .answers import Duration, seconds
from .driver import Driver
from .invocation import Callbacks
from .running import EventListener, ItemCounts, Running

if TYPE_CHECKING:
    from ..history.child_failures import Lookup, Started


def started_by(execution: Execution, arn: str) -> Execution | None:
    """Return an execution that another one started, by its ARN."""
    running = execution._driver.find(arn)
    return Execution(execution._driver, running) if running else None


class Execution(ExecutionView):
    """An execution on this machine: how it stands, how it ended, and all that happened in it.

    `doorstep.run` returns one that has ended, `doorstep.start` one that has not begun: it continues
    while `wait` or `advance` lets time pass. As a context manager it closes its journal at the end.
    """

    def __init__(self, driver: Driver, running: Running) -> None:
        self._driver = driver
        self._running = running
        self._shared: Any = None
        self._output: Any = None

    # What there is to see ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The execution's name."""
        return self._running.name

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self._running.arn

    @property
    def identity(self) -> Identity:
        """Names, account, region and seed, as they stand in ARNs and in the context object."""
        return self._running.identity

    @property
    def machine(self) -> str:
        """The name of its state machine; NAME/LABEL for an item of a distributed Map."""
        return self._running.identity.machine_path

    @property
    def map_run(self) -> str | None:
        """The ARN of the map run that started it; None for others."""
        return self._running.identity.map_run

    @property
    def definition(self) -> Mapping[str, Any]:
        """The definition that it runs, as a value."""
        return self._running.journal.header.definition

    @property
    def events(self) -> list[Event]:
        """The history: events with `id`, `previous`, `type`, `at` (epoch seconds), `details`."""
        return self._running.events

    @property
    def output(self) -> Any:
        """The output as a JSON value; None unless it succeeded."""
        if self._running.output is not self._shared:
            # Of its text: the engine's may be a value of the definition, which others share.
            self._shared, self._output = self._running.output, super().output
        return self._output

    @property
    def picture(self) -> str:
        """What happened, as text: a line for each state that was entered, the latest sixty."""
        return super().picture if self.events else f"{self.name}: not started"

    @property
    def map_runs(self) -> Mapping[str, ItemCounts]:
        """How far the runs of its distributed Maps have come, by their ARNs.

        May be asked for from any thread.
        """
        runs = list(self._running.map_runs.values())
        return {run.command.arn: run.item_counts() for run in runs}

    def _resumed(self) -> Mapping[int, int]:
        return states_of(self._running.engine.program, self._running.journal)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Execution) and other._running is self._running

    def __hash__(self) -> int:
        return hash(self._running)

    def __repr__(self) -> str:
        error = f", {self.error}" if self.error else ""
        return f"<Execution {self.name}: {self.status}{error}>"

    # What may be done with it --------------------------------------------------------------------

    @property
    def callbacks(self) -> Callbacks:
        """Answers to whoever has a task token.

        `.send_task_success(token, output)`, `.send_task_failure(token, "Error", "cause")`,
        `.send_task_heartbeat(token)`; they take effect as time passes.
        """
        return Callbacks(self._driver.send_or_raise)

    def wait(self) -> Self:
        """Let time pass until it has ended, and return it.

        On the virtual clock it returns as well when nothing more can happen: somebody outside has
        to answer, and there is no timeout. On the real clock it waits for that.
        """
        self._driver.run(self._running)
        return self

    def advance(self, duration: Duration) -> None:
        """Let time pass, and what is due in it happen: seconds, a timedelta, or text like "2h".

        On the real clock it takes as long as it says.
        """
        self._driver.clock.advance(seconds(duration))

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """End it at once with status ABORTED (StopExecution); nothing happens if it has ended."""
        self._driver.stop(self._running, error, cause)

    @property
    def redrivable(self) -> bool:
        """Whether `redrive` can let it continue: it failed, timed out or was aborted."""
        return self._running.engine.redrivable

    def redrive(self) -> None:
        """Let it continue from where it failed (RedriveExecution) as time passes.

        What succeeded is not run again. Raises DoorstepError for one that has not failed, timed out
        or been aborted.
        """
        if not self.redrivable:
            raise DoorstepError(f"{self.name} can't be redriven: it is {self.status}")
        self._driver.redrive(self._running)

    def close(self) -> None:
        """Close its journal, if it has one: it can't continue after this."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


OnEvent = Callable[[Execution, Event], None]


def listener(on_event: OnEvent | None, driver: Callable[[], Driver]) -> EventListener | None:
    """Return what a driver calls with its events so that `on_event` gets `Execution`s."""
    if on_event is None:
        return None
    return lambda running, event: on_event(Execution(driver(), running), event)


def lookup_among(executions: Iterable[Execution]) -> Lookup:
    """Return what finds the children among executions that ran in this process."""
    # Imported here: only failures need it.
    from ..history.child_failures import ChildEvents

    unmatched = {one.arn: one for one in executions}

    def find(started: Started) -> list[ChildEvents]:
        arns = [arn for arn, one in unmatched.items() if started.arn in (arn, one.map_run)]
        found = [unmatched.pop(arn) for arn in arns]
        return [ChildEvents(one.name, one.arn, [*visits_of(one).entries.values()]) for one in found]

    return find
