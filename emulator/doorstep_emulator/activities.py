"""Activities: tasks wait here for a worker, workers wait here for a task."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from doorstep.engine.messages import Invoke
from doorstep.errors import ApiError, HandlerLoadError
from doorstep.runtime import Driver, Execution
from doorstep.runtime.clocks import Handle
from doorstep.values.json_values import dumps

from .catalogue import Catalogue

_POLL_SECONDS = 60.0
_POLLERS = 1000
"""Workers that may wait for one activity at a time."""


@dataclass(slots=True, eq=False)
class Poll:
    """A worker that waits: GetActivityTask."""

    activity: str
    worker: str | None
    reply: Callable[[dict[str, Any]], None]
    end: Handle | None = None
    """What answers with nothing after a minute."""


class Activities:
    """The queues of all activities."""

    driver: Driver

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._tasks: dict[str, deque[tuple[Execution, Invoke]]] = defaultdict(deque)
        self._polls: dict[str, deque[Poll]] = defaultdict(deque)
        self._closed = False

    def is_there(self, invoke: Invoke) -> bool:
        """Whether a task's activity was created, or a handler stands in for it."""
        return invoke.resource in self._catalogue.activities or self._has_handler(invoke)

    def take(self, execution: Execution, invoke: Invoke, begun: bool) -> bool:
        """Queue a task unless a handler answers for the activity's worker.

        `begun`: a worker had picked the task up before a crash, and may still answer.
        """
        if invoke.integration.kind != "activity" or self._has_handler(invoke):
            return False
        self.driver.expect(execution, invoke, token_of(execution, invoke))
        if not begun:
            self._tasks[invoke.resource].append((execution, invoke))
            self._match(invoke.resource)
        return True

    def _has_handler(self, invoke: Invoke) -> bool:
        try:
            return self.driver.handlers.find(invoke) is not None
        except HandlerLoadError:
            # The call will say so.
            return True

    @property
    def open_tasks(self) -> int:
        """How many tasks wait for a worker. May be asked from any thread."""
        queues = list(self._tasks.values())
        return sum(_waits(*task) for tasks in queues for task in [*tasks])

    @property
    def waiting_polls(self) -> int:
        """How many workers wait for a task. May be asked from any thread."""
        return sum(map(len, list(self._polls.values())))

    def close(self) -> None:
        """Answer every worker with nothing, from now on at once."""
        self._closed = True
        for polls in self._polls.values():
            while polls:
                poll = polls.popleft()
                _settle(poll)
                poll.reply({})

    def poll(self, poll: Poll) -> None:
        """Answer with the next task, or after a minute with none."""
        if self._closed:
            poll.reply({})
            return
        polls = self._polls[poll.activity]
        if len(polls) >= _POLLERS:
            told = (
                "The maximum number of workers concurrently polling for activity tasks has been "
                "reached."
            )
            raise ApiError("ActivityWorkerLimitExceeded", told)
        polls.append(poll)
        clock = self.driver.clock
        poll.end = clock.call_at(clock.now() + _POLL_SECONDS, lambda: self._give_up(poll))
        self._match(poll.activity)

    def leave(self, poll: Poll) -> None:
        """The worker has gone away."""
        if poll in self._polls[poll.activity]:
            self._polls[poll.activity].remove(poll)
            _settle(poll)

    def _give_up(self, poll: Poll) -> None:
        self._polls[poll.activity].remove(poll)
        poll.reply({})

    def _match(self, activity: str) -> None:
        tasks, polls = self._tasks[activity], self._polls[activity]
        while tasks and (polls or not _waits(*tasks[0])):
            execution, invoke = tasks.popleft()
            if _waits(execution, invoke):
                poll = polls.popleft()
                _settle(poll)
                self.driver.deliver(execution, "picked up", invoke.key, poll.worker)
                given = {"taskToken": token_of(execution, invoke), "input": dumps(invoke.arguments)}
                poll.reply(given)


def _waits(execution: Execution, invoke: Invoke) -> bool:
    """Whether a task still waits: it may have been timed out or stopped."""
    return invoke.key in execution.engine.waiting


def _settle(poll: Poll) -> None:
    if poll.end:
        poll.end.cancel()


def token_of(execution: Execution, invoke: Invoke) -> str:
    """The task token of an activity's task."""
    source = f"{execution.arn}/{execution.identity.seed}/activity/{invoke.key}"
    return f"AQC{sha256(source.encode()).hexdigest()}"
