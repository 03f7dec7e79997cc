"""The driver: hands a fact to the engine, journals it and its events, carries out the commands.

It is the same for both clocks, and the only place where an execution meets the world.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from ..engine import (
    ENDED,
    Cancel,
    Command,
    Event,
    Fact,
    FactKind,
    FindActivity,
    Header,
    Invoke,
    Program,
    SetTimer,
    StartMapRun,
    replay,
)
from ..errors import DoorstepError, crashed
from .answers import Answer, Duration, seconds
from .clocks import AT_ONCE, Clock, MainClock
from .handlers import Handlers
from .invocation import LAMBDA_SECONDS, Context, call, checked, context_of
from .nested import Cuts
from .pending_answers import accept, deliver_held, expire, release, take_answer
from .persistence import InMemory
from .running import Api, Buckets, EventListener, NewMapRun, Persistence, Running, Startable
from .step_functions import native

log = logging.getLogger("doorstep")
# A library's log is silent until somebody listens (logging's own advice to libraries).
log.addHandler(logging.NullHandler())
FAULT = "%s met a fault of Doorstep"
"""The message with which the log has the traceback of what nobody foresaw."""
_new_tuple = tuple.__new__
Respond = Callable[[Running, Invoke], Answer | None]
"""Asked before handlers and workers; None leaves the call to them."""


class Driver:
    """Runs executions on a clock, with handlers for their tasks."""

    def __init__(
        self,
        clock: MainClock,
        handlers: Handlers,
        *,
        machines: Mapping[str, Startable] | None = None,
        buckets: Buckets | None = None,
        on_event: EventListener | None = None,
        respond: Respond | None = None,
        persistence: Persistence | None = None,
        elsewhere: Callable[[Running, Invoke, bool], bool] | None = None,
        is_there: Callable[[Invoke], bool] | None = None,
        isolated: bool = False,
        new_map_run: NewMapRun | None = None,
        api: Api | None = None,
    ) -> None:
        """Make a driver without executions.

        | | |
        |---|---|
        | buckets | what distributed Maps read their items from, and write their results to |
        | elsewhere | (execution, call, begun before a crash) → whether somebody else answers it |
        | is_there | whether the activity of a task exists; without it every one does |
        | isolated | a DoorstepError ends the execution too, instead of reaching `run`'s caller |
        | new_map_run | makes the run of a distributed Map |
        | api | answers the operations of `aws-sdk:sfn` |
        """
        self.clock = clock
        self.handlers = handlers
        self.machines = {} if machines is None else machines
        self.buckets = buckets
        self.persistence = persistence or InMemory()
        self.executions: dict[str, Running] = {}
        self.on_event = on_event
        self._of_listener: Exception | None = None
        """What `on_event` raised last: it reaches whoever lets time pass."""
        self.respond = respond
        self.elsewhere = elsewhere
        self._is_there = is_there
        self._isolated = isolated
        self._new_map_run = new_map_run
        self.api = api
        self._cuts = Cuts(self)
        self._tokens: dict[str, tuple[Running, str]] = {}

    def start(
        self, program: Program, header: Header, text: str, clock: Clock | None = None
    ) -> Running:
        """Start an execution with an input's JSON text; `run` then lets it continue.

        `clock`: its own time, if that is not the driver's.
        """
        execution = Running(program, header, clock or self.clock)
        self.executions[execution.arn] = execution
        begin = partial(self.deliver, execution, "started", "", text)
        execution.beginning = execution.clock.call_at(AT_ONCE, begin)
        return execution

    def withdraw(self, execution: Running) -> bool:
        """Forget an execution that has not begun; False when it has."""
        if execution.beginning is None:
            return False
        execution.beginning.cancel()
        self.forget(execution)
        return True

    @property
    def knows_machines(self) -> bool:
        """Whether a machine that is not among `machines` does not exist."""
        return bool(self.machines) or self.api is not None

    def find(self, arn: str) -> Running | None:
        """Return the execution with this ARN, if there is one."""
        return self.executions.get(arn) or self.persistence.find(arn)

    def forget(self, execution: Running) -> None:
        """Let go of an execution that is over; it stays stored."""
        self.executions.pop(execution.arn, None)
        for token in execution.tokens:
            self._tokens.pop(token, None)

    def close(self) -> None:
        """Let go of where the executions are stored; they can't continue after this."""
        self.persistence.close()

    def run(self, execution: Running) -> None:
        """Let time pass until the execution has ended, or nothing more can happen to it."""
        self.clock.run(lambda: execution.engine.status in ENDED)

    def stop(self, execution: Running, error: str | None = None, cause: str | None = None) -> None:
        """StopExecution (fact 100); one that has not begun begins before."""
        if execution.beginning:
            begin = execution.beginning.act
            execution.beginning.cancel()
            begin()
        deliver_held(self, execution)
        self.deliver(execution, "stopped", "", {"error": error, "cause": cause})

    def redrive(self, execution: Running) -> None:
        """RedriveExecution: `run` continues it from where it failed (facts 500 and 501)."""
        self.executions[execution.arn] = execution
        self.deliver(execution, "redriven")

    def deliver(self, execution: Running, kind: FactKind, key: str = "", data: Any = None) -> None:
        """Let a fact reach an execution, now."""
        if execution.set_aside:
            return
        engine, execution.beginning = execution.engine, None
        # The machine's clock may be set back; the time of a history never goes back.
        fact = _new_tuple(Fact, (kind, max(engine.now, execution.clock.now()), key, data))
        before = len(engine.history)
        if execution.jobs and kind in ("succeeded", "failed"):
            # It is answered, be it by somebody with its token: that does not cut its child off.
            execution.jobs.pop(key, None)
        commands, events = engine.receive(fact), engine.history[before:]
        if engine.fault:
            problem, engine.fault = engine.fault, None
            log.error(FAULT, execution.arn, exc_info=problem)
        try:
            self.persistence.journaled(execution, (fact, *events))
        except Exception as problem:
            if not self._isolated:
                raise
            if kind != "crashed":
                # What can't be stored has not reached the execution.
                execution.engine = replay(engine.program, execution.journal)
                self.crash(execution, problem)
                return
            self._set_aside(execution, problem)
        execution.journal.entries.extend((fact, *events))
        self.persistence.safely(self._act, execution, commands, events)
        if execution.jobs:
            # Not only after it is stored, but together with it: a crash leaves no child behind.
            for command in commands:
                if isinstance(command, Cancel):
                    self._cuts.cut(execution, command.key)
        if kind == "submitted":
            execution.submitted.add(key)
            release(self, execution, key)

    def abandon(self, execution: Running, problem: Exception) -> None:
        """Let an execution fail that can't be stored: whoever waits for it is notified."""
        self._set_aside(execution, problem)
        engine = execution.engine
        before = len(engine.history)
        fact = Fact("crashed", engine.now, "", asdict(crashed(problem)))
        commands, events = engine.receive(fact), engine.history[before:]
        execution.journal.entries.extend((fact, *events))
        self.persistence.safely(self._act, execution, commands, events, True)

    def _set_aside(self, execution: Running, problem: Exception) -> None:
        execution.set_aside = True
        self.persistence.set_aside(execution, problem)

    def _act(
        self,
        execution: Running,
        commands: list[Command],
        events: list[Event],
        abandoned: bool = False,
    ) -> None:
        if execution.set_aside and not abandoned:
            # That from which this follows is not stored.
            return
        if self.on_event:
            try:
                for event in events:
                    self.on_event(execution, event)
            except Exception as problem:
                self._of_listener = problem
                raise
        try:
            self.carry_out(execution, commands)
        except Exception as problem:  # noqa: BLE001
            self._contain(execution, problem)
        if execution.when_ended and execution.ended:
            ended, execution.when_ended = execution.when_ended, None
            ended(execution)

    def set_apart(self, execution: Running) -> Running:
        """Return an execution that is only looked at: nothing reaches it."""
        execution.set_aside = True
        return execution

    def guard(self, execution: Running, act: Callable[..., object], *arguments: Any) -> None:
        """Do something for an execution: what it raises ends that execution, and nothing else."""
        if execution.set_aside:
            return
        try:
            act(*arguments)
        except Exception as problem:  # noqa: BLE001
            self._contain(execution, problem)

    def _contain(self, execution: Running, problem: Exception) -> None:
        theirs = isinstance(problem, DoorstepError) or problem is self._of_listener
        if theirs and not self._isolated:
            raise problem
        self.crash(execution, problem)

    def crash(self, execution: Running, problem: BaseException) -> None:
        """Let an execution fail because of what nobody foresaw."""
        log.error(FAULT, execution.arn, exc_info=problem)
        self.deliver(execution, "crashed", data=asdict(crashed(problem)))

    def send(self, token: str, kind: FactKind, data: Any = None, after: Duration = 0) -> bool:
        """SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat; False when that task is over.

        A task is over with the first end that is sent, even if its request has no answer yet. May
        be called from any thread. Raises KeyError for a token that no task has had.

        Facts 233 and 468.
        """
        if not self.is_open(token):
            return False
        execution, key = self._tokens[token]
        # In the clock's thread, as persistence is used by that alone; and there it comes before the
        # answer of the handler that sends.
        if kind != "heartbeat" and not after:
            execution.ending.add(key)
        return execution.clock.submit(
            partial(accept, self, execution, kind, key, data, seconds(after))
        )

    def is_open(self, token: str) -> bool:
        """Return whether the task with this token waits; raise KeyError if no task has had it."""
        if token not in self._tokens and self.persistence.knows_token(token):
            return False
        execution, key = self._tokens[token]
        return execution.awaits(key)

    def send_or_raise(self, token: str, kind: FactKind, data: Any, after: Duration) -> None:
        """Call `send`; raise DoorstepError for an unknown token, or one whose task is over."""
        try:
            sent = self.send(token, kind, data, after)
        except KeyError:
            raise DoorstepError(f"no task has the token {token!r}") from None
        if not sent:
            raise DoorstepError(f"the task with the token {token!r} is over")

    # Commands ------------------------------------------------------------------------------------

    def carry_out(self, execution: Running, commands: Iterable[Command]) -> None:
        """Do what the engine asks for."""
        for command in commands:
            # Not `match`, which takes ten times as long for each that it is not.
            if isinstance(command, Invoke):
                self.invoke(execution, command)
            elif isinstance(command, SetTimer):
                if not execution.ended:  # Most end in the step in which they begin.
                    self._set_timer(execution, command)
            elif isinstance(command, Cancel):
                self._cancel(execution, command.key)
            elif isinstance(command, FindActivity):
                there = self._is_there is None or self._is_there(command.invoke)
                self.later(execution, "looked up", command.key, there)
            else:
                self._start_map_run(execution, command)

    def _set_timer(self, execution: Running, timer: SetTimer) -> None:
        key, name, at = timer
        timers = execution.timers.setdefault(key, {})
        if name in timers:
            timers[name].cancel()
        due = partial(expire, self, execution, timer)
        timers[name] = execution.clock.call_at(at, due, limit=name != "delay")

    def _cancel(self, execution: Running, key: str) -> None:
        for handle in execution.timers.pop(key, {}).values():
            handle.cancel()
        execution.held.pop(key, None)
        execution.ending.discard(key)
        if run := execution.map_runs.get(key):
            run.abort()
        if execution.jobs:
            self._cuts.cut(execution, key)

    def _start_map_run(self, execution: Running, command: StartMapRun) -> None:
        run = execution.map_runs.get(command.key)
        if run is None:
            if self._new_map_run is None:
                raise DoorstepError("this driver was made without map runs")
            run = execution.map_runs[command.key] = self._new_map_run(self, execution, command)
            run.restore(self.persistence.children(execution, command))
        run.start(command)

    def expect(self, execution: Running, invoke: Invoke, *tokens: str) -> None:
        """Let these tokens and the task's own stand for the call from now on."""
        task_tokens = (invoke.token, *tokens) if invoke.token else tokens
        if task_tokens:
            self.persistence.expected(execution, task_tokens)
            self._tokens |= dict.fromkeys(task_tokens, (execution, invoke.key))
            execution.tokens.update(task_tokens)

    def open_tokens(self, execution: Running) -> list[tuple[str, str]]:
        """Return the task tokens that somebody else is to answer with, each with its state."""
        waiting = execution.engine.waiting
        return [
            (token, fiber.env.state)
            for token in sorted(execution.tokens)
            if (fiber := waiting.get(self._tokens[token][1])) and fiber.env and token[:4] != "arn:"
        ]

    def leave_open(self, execution: Running, invoke: Invoke) -> None:
        """Leave the call to somebody outside: whoever has its token (fact 101)."""
        execution.clock.expect(lambda: invoke.key in execution.engine.waiting)

    def invoke(self, execution: Running, invoke: Invoke, *, begun: bool = False) -> None:
        """Make a call; `begun`: it was made before, a worker had picked it up, and is lost."""
        if invoke.token:
            self.expect(execution, invoke)
        answer = self.respond(execution, invoke) if self.respond else None
        if answer is None and self.elsewhere and self.elsewhere(execution, invoke, begun):
            self.leave_open(execution, invoke)
            return
        if invoke.integration.kind == "activity" and not begun:
            self.later(execution, "picked up", invoke.key)
        answered = partial(self.guard, execution, take_answer, self, execution, invoke)
        if answer is not None:
            answer = checked(invoke, execution.identity, answer)
            execution.clock.call_at(AT_ONCE, partial(answered, answer))
        elif not native(self, execution, invoke):
            identity = execution.engine.identity
            made = partial(call, self.handlers, invoke, identity, self._context, execution)
            begin = execution.clock.invoke
            if invoke.token:
                # Whoever gets it may send it at once, and to another server.
                self.persistence.safely(begin, made, answered, invoke.timeout)
            else:
                begin(made, answered, invoke.timeout)

    def _context(self, execution: Running, invoke: Invoke, request_id: str) -> Context:
        clock, now = execution.clock, execution.clock.now()
        context = context_of(
            execution.identity,
            invoke,
            request_id,
            remaining=lambda: now + (invoke.timeout or LAMBDA_SECONDS) - clock.now(),
            send=self.send_or_raise,
            now=now,
        )
        # With this a call without a token sends its heartbeats.
        self._tokens[context.idempotency_key] = execution, invoke.key
        execution.tokens.add(context.idempotency_key)
        return context

    def later(self, execution: Running, kind: FactKind, key: str, data: Any = None) -> None:
        """Let a fact reach an execution once what is being done is done."""
        execution.clock.call_at(AT_ONCE, partial(self.deliver, execution, kind, key, data))
