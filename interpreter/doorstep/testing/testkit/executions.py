"""An execution as a test looks at it: how it ended, which way it went, what each state did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from ...history import Visit, VisitOutcome, of_execution
from ...model.definition import workflow
from ...runtime import Callbacks, Execution
from ...values.did_you_mean import did_you_mean
from .calls import Call
from .picture import picture

_CHILDREN = 3
"""Pictures of children that are shown with that of their parent."""


class ObservedState:
    """All visits of one state in an execution; what is asked of one visit is of the last."""

    def __init__(self, name: str, visits: Sequence[Visit], inside: Sequence[Visit]) -> None:
        self.name = name
        self._visits = visits
        self._inside = inside

    @property
    def visits(self) -> int:
        """How often it was entered."""
        return len(self._visits)

    @property
    def retries(self) -> int:
        """How often its work was tried again, in all visits."""
        return sum(len(visit.retries) for visit in self._visits)

    @property
    def errors(self) -> list[str]:
        """The names of the errors of its work, retried ones included."""
        return [error for visit in self._visits for error in visit.errors]

    @property
    def outcome(self) -> VisitOutcome | None:
        """succeeded, caught, failed, aborted or in progress; None when it was never entered."""
        return self._visits[-1].outcome if self._visits else None

    @property
    def input(self) -> Any:
        """Its input, before InputPath."""
        return self._last.input

    @property
    def output(self) -> Any:
        """Its output; None when it was not left."""
        return self._last.output

    @property
    def next(self) -> str | None:
        """The state that it went on to; None at an end."""
        return self._last.following

    @property
    def assigned(self) -> dict[str, Any]:
        """The variables that it assigned."""
        return self._last.assigned

    @property
    def took(self) -> timedelta:
        """The modelled time from its entry to its latest event."""
        events = self._last.events
        return timedelta(seconds=round(events[-1].at - events[0].at, 3))

    @property
    def paths(self) -> list[list[str]]:
        """In a Parallel or inline Map, the states that each branch or iteration went through.

        Branches and iterations that were tried again are there again.
        """
        return [path for visit in self._visits for path in _lines(visit, self._inside)]

    def __getitem__(self, visit: int) -> ObservedState:
        """One visit, from 0."""
        return ObservedState(self.name, [self._visits[visit]], self._inside)

    def __repr__(self) -> str:
        return f"<State {self.name}: {self.visits} visits, {self.outcome or 'not reached'}>"

    @property
    def _last(self) -> Visit:
        if not self._visits:
            raise AssertionError(f"the state '{self.name}' was not reached")
        return self._visits[-1]


class ObservedExecution:
    """An execution and what a test may want to say of it. What it is asked is always of now."""

    def __init__(
        self,
        execution: Execution,
        children: Sequence[Execution],
        calls: Sequence[Call],
        callbacks: Callbacks,
    ) -> None:
        self.execution = execution
        self.callbacks = callbacks
        """`.send_task_success(token, output)`, `.send_task_failure(token, "Error", "cause")`, …"""
        self._children = children
        self._calls = calls

    @property
    def machine(self) -> str:
        """The name of its state machine; NAME/LABEL for an item of a distributed Map."""
        return self.execution.identity.machine_path

    @property
    def status(self) -> str:
        """NOT_STARTED, RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.execution.status

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.status == "SUCCEEDED"

    @property
    def failed(self) -> bool:
        """Whether it ended with an error of its own; timed out and aborted are other ends."""
        return self.status == "FAILED"

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.status == "RUNNING"

    @property
    def input(self) -> Any:
        """The input as a value."""
        return self.execution.engine.input

    @property
    def output(self) -> Any:
        """The output as a value; None unless it succeeded."""
        return self.execution.output

    @property
    def error(self) -> str | None:
        """The error's name, if it failed with one."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """The cause, if it failed with one."""
        return self.execution.cause

    @property
    def history(self) -> list[dict[str, Any]]:
        """The events as GetExecutionHistory returns them."""
        return self.execution.history

    @property
    def took(self) -> timedelta:
        """The modelled time from its first event to its last."""
        events = self.execution.events
        return timedelta(seconds=round(events[-1].at - events[0].at, 3)) if events else timedelta()

    @property
    def path(self) -> list[str]:
        """The states that it went through, those inside of a Parallel or Map left out."""
        return [one.name for one in of_execution(self.execution.events).all if one.parent is None]

    @property
    def children(self) -> list[ObservedExecution]:
        """The executions of distributed Maps and of local machines that it, or one of them, began.

        In the order in which they were started.
        """
        own: dict[Execution, list[Call]] = {child: [] for child in self._children}
        for call in self._calls:
            own.get(call.execution, []).append(call)
        return [
            ObservedExecution(child, _items(child, self._children), made, self.callbacks)
            for child, made in own.items()
        ]

    @property
    def calls(self) -> list[Call]:
        """The calls that its tasks and those of its children made, in order."""
        return list(self._calls)

    def called(self, name: str) -> list[Call]:
        """The calls of a function, a `service:action`, or a state."""
        return [call for call in self._calls if name in call.names]

    def state(self, name: str) -> ObservedState:
        """What became of a state, in a distributed Map over all of its items.

        Raises LookupError when the definition has none of this name.
        """
        scope = workflow(self.execution.journal.header.definition).scope
        names = [state.name for state in scope.walk()]
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise LookupError(f"the definition has no state '{name}'; {hint}")
        runs = self.execution, *_items(self.execution, self._children)
        visits = [one for run in runs for one in of_execution(run.events).all]
        return ObservedState(name, [one for one in visits if one.name == name], visits)

    @property
    def picture(self) -> str:
        """What happened, a state a line; beneath it the same of children that failed."""
        failed = [one for one in self._children if one.ended and one.status != "SUCCEEDED"]
        beneath = (f"{one.identity.machine_path}: {picture(one)}" for one in failed[:_CHILDREN])
        return "\n\n".join([picture(self.execution), *beneath])

    def __repr__(self) -> str:
        error = f", {self.error}" if self.error else ""
        return f"<Execution {self.execution.name}: {self.status}{error}>"


def _items(execution: Execution, started: Sequence[Execution]) -> list[Execution]:
    """The executions of its distributed Maps, and of those inside of these."""
    found: list[Execution] = []
    runs = _map_runs(execution)
    for child in started if runs else ():
        if child.identity.map_run in runs:
            runs |= _map_runs(child)
            found.append(child)
    return found


def _map_runs(execution: Execution) -> set[str]:
    started = (event for event in execution.events if event.type == "MapRunStarted")
    return {(event.details or {})["mapRunArn"] for event in started}


def _lines(around: Visit, visits: Iterable[Visit]) -> list[list[str]]:
    """The visits inside one of a group, those of a branch or iteration together."""
    lines: dict[int, list[str]] = {}
    line_of: dict[int, int] = {}
    for one in visits:
        if one.parent is around:
            before = one.entered.previous
            # Each line begins after an event that is no exit: its own start, or the group's.
            begun = line_of.get(before, one.entered.id)
            lines.setdefault(begun, []).append(one.name)
            if one.exited:
                line_of[one.exited.id] = begun
    return list(lines.values())
