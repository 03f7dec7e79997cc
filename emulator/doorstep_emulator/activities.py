"""Activities: tasks wait here for a worker, workers wait here for a task."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from doorstep.engine.messages import Invoke
from doorstep.errors import ApiError, HandlerLoadError
from doorstep.runtime import Running
from doorstep.runtime.clocks import Handle
from doorstep.runtime.handlers import Handlers
from doorstep.values.json_values import dumps

from .recorder import DriverOwner, Recorder
from .store.peers import Offer, Reply

_POLL_SECONDS = 60.0
"""How long a poll is held open (API reference, GetActivityTask)."""
_POLLERS = 1000
"""Workers that may wait for one activity at a time (fact 469)."""


@dataclass(frozen=True, slots=True, eq=False)
class Poll:
    """A worker that waits: GetActivityTask."""

    activity: str
    worker: str | None
    reply: Callable[[dict[str, Any]], None]


class Activities:
    """The queues of all activities."""

    def __init__(
        self,
        owner: DriverOwner,
        recorder: Recorder,
        handlers: Handlers,
        pick_up: Callable[[Offer, str | None, Reply], None],
    ) -> None:
        """`pick_up`: asks another server for a task, in the name of a worker."""
        self._owner = owner
        self._recorder = recorder
        self._catalogue = recorder.catalogue
        self._handlers = handlers
        self._pick_up = pick_up
        self._tasks: dict[str, deque[tuple[Running, Invoke]]] = defaultdict(deque)
        self._polls: dict[str, deque[Poll]] = defaultdict(deque)
        self._ends: dict[Poll, Handle] = {}
        """What answers each poll with nothing after a minute."""
        self._closed = False

    def is_there(self, invoke: Invoke) -> bool:
        """Return whether a task's activity was created, or a handler stands in for it."""
        return invoke.resource in self._catalogue.activities or self._has_handler(invoke)

    def take(self, execution: Running, invoke: Invoke, begun: bool) -> bool:
        """Queue a task unless a handler answers for the activity's worker.

        `begun`: a worker had picked the task up before a crash, and may still answer.
        """
        if invoke.integration.kind != "activity" or self._has_handler(invoke):
            return False
        self._owner.driver.expect(execution, invoke, token_of(execution, invoke))
        if not begun:
            tasks = self._tasks[invoke.resource]
            tasks.append((execution, invoke))
            self._match(invoke.resource)
            if tasks:
                self._recorder.rows.offer(execution.arn, invoke.key, invoke.resource)
        return True

    def _has_handler(self, invoke: Invoke) -> bool:
        try:
            return self._handlers.find(invoke) is not None
        except HandlerLoadError:
            # The call will report it.
            return True

    @property
    def open_tasks(self) -> int:
        """How many tasks wait for a worker. May be read from any thread."""
        queues = list(self._tasks.values())
        return sum(_waits(*task) for tasks in queues for task in [*tasks])

    @property
    def waiting_polls(self) -> int:
        """How many workers wait for a task. May be read from any thread."""
        return sum(map(len, list(self._polls.values())))

    def close(self) -> None:
        """Answer every worker with nothing, from now on at once."""
        self._closed = True
        for polls in self._polls.values():
            while polls:
                poll = polls.popleft()
                self._ends.pop(poll).cancel()
                poll.reply({})

    def poll(self, poll: Poll) -> None:
        """Answer with the next task, or after a minute with none (fact 235)."""
        if self._closed:
            poll.reply({})
            return
        polls = self._polls[poll.activity]
        if len(polls) >= _POLLERS:
            raise ApiError(
                "ActivityWorkerLimitExceeded",
                "The maximum number of workers concurrently polling for activity tasks has been "
                "reached.",
            )
        polls.append(poll)
        clock = self._owner.driver.clock
        self._ends[poll] = clock.call_at(clock.now() + _POLL_SECONDS, lambda: self._give_up(poll))
        self._match(poll.activity)
        self._seek(poll.activity)

    def seek(self) -> None:
        """Look for tasks at other servers that workers wait for here."""
        for activity in [activity for activity, polls in self._polls.items() if polls]:
            self._seek(activity)

    def _seek(self, activity: str) -> None:
        polls = self._polls[activity]
        while polls and (offer := self._recorder.peers.seek(activity)):
            poll = polls.popleft()
            self._ends.pop(poll).cancel()
            self._pick_up(offer, poll.worker, partial(self._picked_up, poll))

    def _picked_up(self, poll: Poll, outcome: Any) -> None:
        if isinstance(outcome, dict) and outcome:
            poll.reply(outcome)
        else:
            # It was over, or its server is: the worker waits for another one.
            self.poll(poll)

    def pick_up(self, execution: str, key: str, worker: str | None) -> dict[str, Any]:
        """Return a task for a worker at another server; {} when it does not wait any more."""
        for tasks in self._tasks.values():
            for task in tasks:
                if task[0].arn == execution and task[1].key == key:
                    tasks.remove(task)
                    return self._begin(*task, worker) if _waits(*task) else {}
        return {}

    def lose(self) -> None:
        """Forget all tasks: other servers have them."""
        self._tasks.clear()

    def leave(self, poll: Poll) -> None:
        """Forget a worker that has gone away."""
        if poll in self._polls[poll.activity]:
            self._polls[poll.activity].remove(poll)
            self._ends.pop(poll).cancel()

    def _give_up(self, poll: Poll) -> None:
        del self._ends[poll]
        self._polls[poll.activity].remove(poll)
        poll.reply({})

    def _match(self, activity: str) -> None:
        tasks, polls = self._tasks[activity], self._polls[activity]
        while tasks and (polls or not _waits(*tasks[0])):
            execution, invoke = tasks.popleft()
            if _waits(execution, invoke):
                poll = polls.popleft()
                self._ends.pop(poll).cancel()
                poll.reply(self._begin(execution, invoke, poll.worker))

    def _begin(self, execution: Running, invoke: Invoke, worker: str | None) -> dict[str, Any]:
        """Let a worker begin; return what it is answered."""
        self._recorder.rows.withdraw_offer(execution.arn, invoke.key)
        self._owner.driver.deliver(execution, "picked up", invoke.key, worker)
        return {"taskToken": token_of(execution, invoke), "input": dumps(invoke.arguments)}


def _waits(execution: Running, invoke: Invoke) -> bool:
    """Return whether a task still waits: it may have been timed out or stopped."""
    return invoke.key in execution.engine.waiting


def token_of(execution: Running, invoke: Invoke) -> str:
    """Return the task token of an activity's task."""
    source = f"{execution.arn}/{execution.identity.seed}/activity/{invoke.key}"
    return f"AQC{sha256(source.encode()).hexdigest()}"
