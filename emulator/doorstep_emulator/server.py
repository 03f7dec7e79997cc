"""The server without HTTP: one thread that owns every engine, the clock and the store.

Requests are brought to that thread and answered once all that they changed is durable.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from doorstep.map_runs import MapRun
from doorstep.model.aws_model import check_request
from doorstep.runtime import Buckets, Driver, Running
from doorstep.runtime.driver import Respond
from doorstep.runtime.running import NewMapRun

from .activities import Activities
from .arns import Caller
from .catalogue import Catalogue
from .clock import REAL, Pace, ServerClock, Timelines
from .dispatch import Api, Dispatch, Waiting, answer, outcome_of
from .errors import Unavailable, guarded
from .handlers import LiveHandlers, TestCases
from .programs import Programs
from .publish.metrics import Metrics
from .publish.publisher import Publisher
from .publish.sinks import Sinks
from .recorder import Recorder
from .schedules import Scheduler, Schedules
from .store.peers import Members, Reply
from .store.store import Row, Store

log = logging.getLogger("doorstep")
_PATIENCE = 10.0
"""Seconds that `stop` waits, beyond the grace, for a disk that refuses to be written."""
_REST = 30.0
"""Seconds after which a thread with nothing to do looks at the time again: the machine may have
slept, or its clock may have been set.
"""
_GLANCE = 0.05
"""Seconds between looks at whether the last handler has ended."""


class PendingRequest:
    """A request that has no answer yet."""

    def __init__(self, clock: ServerClock, operation: Callable[[], Any]) -> None:
        self._clock, self._operation = clock, operation
        self._outcome: Any = None

    def perform(self) -> Any:
        """Do what is asked for."""
        self._outcome = self._operation()
        return self._outcome

    def withdraw(self) -> None:
        """Stop waiting for the answer. May be called from any thread."""
        self._clock.bring(self._leave)

    def _leave(self) -> None:
        if isinstance(self._outcome, Waiting):
            self._outcome.leave()


class Server:
    """Executions, state machines, activities, and the thread that they live in."""

    def __init__(
        self,
        store: Store,
        handlers: LiveHandlers,
        sinks: Sinks,
        *,
        calls: int = 64,
        buckets: Buckets | None = None,
        pace: Pace = REAL,
        respond: Respond | None = None,
        test_cases: TestCases | None = None,
        api: Api | None = None,
        scheduler: Scheduler | None = None,
        new_map_run: NewMapRun = MapRun,
        after_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the parts and connect them.

        `calls`: how many handlers may run at a time; `pace`: of executions that name none;
        `respond`: asked before the handlers; without it `test_cases` are; `api`: what it can be
        asked, by its executions as well; `scheduler`: knows what starts at certain times;
        `new_map_run`: makes the runs of distributed Maps;
        `after_commit`: called in
        the server's thread when answers that were waiting for a commit have been given.
        """
        self.pace = pace
        self.handlers_source = handlers.source
        self.handlers_described = handlers.named
        self.store = store
        self.sinks = sinks
        self.clock = ServerClock(calls)
        self.catalogue = Catalogue(store)
        self.programs = Programs(self.catalogue)
        self.timelines = Timelines(self.clock)
        self.schedules = Schedules(self.clock, self.timelines, pace, scheduler)
        self.metrics = Metrics()
        publisher = Publisher(self.metrics, sinks, self.programs)
        self.recorder = Recorder(
            self,
            store,
            self.catalogue,
            self.programs,
            self.timelines,
            publisher,
            after_commit,
        )
        nothing = Api({}, {}, (), (), ())
        self.dispatch = Dispatch(self, api or nothing, store, self.recorder)
        self.activities = Activities(self, self.recorder, handlers, self.dispatch.pick_up)
        self.test_cases = test_cases or TestCases(None)
        self._pending: dict[PendingRequest, Reply] = {}
        """The requests that have no answer yet."""
        self._expects_news = threading.Event()
        """Whether the thread is about to look at what other servers have done."""
        self.driver = Driver(
            self.clock,
            handlers,
            machines=self.programs,
            buckets=buckets,
            respond=respond or self.test_cases,
            persistence=self.recorder,
            elsewhere=self.activities.take,
            is_there=self.activities.is_there,
            isolated=True,
            new_map_run=new_map_run,
            api=self._answer if api else None,
        )
        self.lost: list[str] = []
        """ARNs of the Express executions that the last server left unfinished."""
        self.turned_at = time.monotonic()
        """When the thread last looked for something to do. May be read from any thread."""
        self._stopping = False
        self._grace = self._end = 0.0
        """How long `stop` waits for the sinks, and until when for calls that run."""
        self._thread = threading.Thread(target=self._run, name="doorstep", daemon=True)

    def start(self) -> None:
        """Continue what the store has, then do what is asked."""
        self.sinks.start()
        self._thread.start()
        self.store.peers.start(self._notice)

    def leave(self, grace: float) -> None:
        """Answer workers that wait, and make no more calls, as `stop` comes soon.

        It then waits for the calls that run, no longer than `grace` (seconds) from now.
        """
        self._grace, self._end = grace, time.monotonic() + grace
        self.clock.bring(self._leave)

    def stop(self) -> None:
        """Make all durable and close the store; what runs continues at the next start.

        What waits for a sink is delivered within `grace` (seconds), or dropped.
        """
        self.clock.bring(self._stop)
        self._thread.join(self._grace + _PATIENCE)
        self.sinks.close(self._grace)

    def ask(self, operation: Callable[[], Any], reply: Reply) -> PendingRequest:
        """Do something in the thread; `reply` is called once it is durable."""
        pending = PendingRequest(self.clock, operation)
        self.clock.bring(lambda: self._perform(pending, reply))
        return pending

    def once_done(self, answer: Callable[[], Members]) -> Waiting:
        """Return an answer for the time when what was asked for until now has been done."""
        clock = self.clock
        return Waiting(lambda reply: clock.bring(lambda: reply(outcome_of(answer))))

    def _answer(self, execution: Running, operation: str, request: Members, reply: Reply) -> None:
        """Answer an operation that an execution asks for, in the name of its account."""
        identity = execution.identity
        caller, perform = Caller(identity.account, identity.region), self.dispatch.perform
        answer(lambda: perform(operation, caller, check_request(operation, request)), reply)

    def row(self, arn: str) -> Row | None:
        """Return the row of an execution as it stands."""
        return self.recorder.rows.get(arn) or self.store.row(arn)

    def _perform(self, pending: PendingRequest, reply: Reply) -> None:
        def done(outcome: Any) -> None:
            if self._pending.pop(pending, None):
                reply(outcome)

        self._pending[pending] = reply
        answer(pending.perform, lambda outcome: self.recorder.safely(lambda: done(outcome)))

    def _notice(self) -> None:
        """Look at what other servers have done, soon. May be called from any thread."""
        if not self._expects_news.is_set():
            self._expects_news.set()
            self.clock.bring(self._look)

    def _look(self) -> None:
        self._expects_news.clear()
        if self.dispatch.look(self.lost):
            self._notice()
        self.activities.seek()

    def _begin_again(self) -> None:
        """Let go of all executions: others have taken them over while this server was silent."""
        log.error(
            "the lease of this server has passed, and other servers have taken over its "
            "executions: it begins again without them"
        )
        self._release_workers()
        self.recorder.lose()
        self.activities.lose()
        for pending, reply in list(self._pending.items()):
            del self._pending[pending]
            reply(Unavailable("The server lost its lease before it had an answer"))
        self.store.peers.rejoin()
        self.catalogue.refresh()
        self.recorder.commit()

    def _leave(self) -> None:
        self.activities.close()
        self.clock.hold()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        guarded(self._recover)
        continued = len(self.recorder.rows)
        log.info("started on %s; executions that continue: %d", self.store.path, continued)
        guarded(self.schedules.begin)
        while not self._stopping or self._waits_for_calls():
            guarded(self._turn)
        self._release_workers()
        self.store.peers.close()
        self.driver.close()
        self._log_the_end()

    def _release_workers(self) -> None:
        for run in list(self.recorder.map_runs.values()):
            guarded(run.release)

    def _recover(self) -> None:
        roots = self.store.peers.take_over()
        self.lost.extend(self.recorder.recover(roots))

    def _turn(self) -> None:
        self.turned_at = time.monotonic()
        self.recorder.commit()
        if self.store.fenced:
            self._begin_again()
        self.clock.turn(_GLANCE if self._stopping else _REST)

    def _waits_for_calls(self) -> bool:
        return self.clock.calls_in_flight > 0 and time.monotonic() < self._end

    def _log_the_end(self) -> None:
        rows = self.recorder.rows.values()
        stored = 0 if self.store.path == ":memory:" else sum(row.durable for row in rows)
        log.info(
            "stopped; executions that continue at the next start: %d, that are lost: %d; "
            "handlers that still run: %d",
            *(stored, len(rows) - stored, self.clock.calls_in_flight),
        )
