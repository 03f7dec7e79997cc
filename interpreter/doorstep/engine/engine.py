"""An execution is a function of its definition and the facts that reached it.

    definition --compile--> Program          facts (from the world, each with its time)
                               |                 |
                               v                 v
                        Engine.receive(fact) ------> history events
                               |
                               +--> commands (invoke a task, set a timer, start a map run, cancel)

Rule 1. The engine does no I/O: no clock, no randomness, no threads, no sleeping, no files. Time
        comes with the fact; what is random comes from the seed and the place that asks.
Rule 2. One fact at a time. The order of the facts is the only order there is.
Rule 3. What happens between two facts depends on nothing but the facts before: an engine that is
        given the same facts again has the same history, the same open commands, the same state.
Rule 4. A fact about what is already over changes nothing.
Rule 5. What failed is parked, not destroyed: a `redriven` fact continues from there.
Rule 6. `receive` raises nothing. What nobody foresaw fails the state, or else the execution, with
        States.Runtime, and is left in `fault` for the driver to report.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import Failure, crashed
from ..values.json_values import loads
from .fibers import LONG_TEXT, Fiber, HistoryFull, Redriven
from .identity import Identity
from .messages import TERMINAL, UNSUCCESSFUL, WHOLE, Cancel, Command, Event, Fact, Program, SetTimer
from .quotas import Quotas

EXECUTION = "execution"
"""The key of the timer that ends an execution as a whole."""

SLICE = 25_000
"""How much one fact may cause, in events, before the execution lets others go first.

As much as the whole history of a Standard execution: only long evaluations, large texts and what
has no such quota (Express, a lifted quota) are cut into slices.
"""
_STEPS_OF_EVENT = 10
"""Steps of an evaluation that take as long as an event does."""

_MOMENT = 0.0005
"""Seconds: times have milliseconds, and a sum of two may be off by less than this."""

_NONE = Failure()
_new_tuple = tuple.__new__
_ABORTABLE = ("Task", "Wait", "Parallel", "Map")


class Engine:
    """One execution: facts in, history and commands out."""

    def __init__(self, program: Program, identity: Identity, quotas: Quotas) -> None:
        self.program = program
        self.identity = identity
        self.quotas = quotas
        self.last_event = quotas.last_event
        self.history: list[Event] = []
        self.watch: Callable[[Fiber, Event], None] | None = None
        """Called with every event of a fiber when it is recorded; changes nothing."""
        self.fault: Exception | None = None
        """What the last facts met that nobody foresaw."""
        self.pause_at = SLICE
        """The length of the history at which fibers pause."""
        self.status = "NOT_STARTED"
        self.output: Any = None
        self.failure = _NONE
        self.input: Any = None
        self.started_at = self.now = 0.0
        self.redriven_at = 0.0
        self.redrives = 0
        self.waiting: dict[str, Fiber] = {}
        self.open: dict[str, dict[str, Command]] = {}
        self._calls: dict[str, int] = {}
        self._commands: list[Command] = []
        self._ready: deque[tuple[Fiber, Any]] = deque()
        self._root = Fiber(self, None, "", 0)

    def receive(self, fact: Fact) -> list[Command]:
        """Take in one fact; return what is to be done now. `history` has grown by what follows."""
        self.now = fact.at
        self.pause_at = len(self.history) + SLICE
        self._commands = []
        try:
            self._take_in(fact)
            self._run()
        except HistoryFull:
            self._history_full()
        except Exception as problem:  # noqa: BLE001  rule 6
            self._ready.clear()
            self._end("ExecutionFailed", self.crash(problem), self._last_id)
        return self._commands

    def _take_in(self, fact: Fact) -> None:
        # Facts 94, 100 and 401: what ends an execution from outside follows no event.
        kind, _, key, data = fact
        match kind:
            case _ if kind != "due" and (fiber := self.waiting.get(key)):
                self._ready.append((fiber, fact))
            case "started" if self.status == "NOT_STARTED":
                self._start(data)
            case "redriven" if self.redrivable:
                self._redrive()
            case "stopped" if self.status == "RUNNING":
                self._end("ExecutionAborted", Failure(**(data or {})), previous=0)
            case "crashed" if self.status in ("NOT_STARTED", "RUNNING"):
                self._end("ExecutionFailed", Failure(**data), self._last_id)
            case "due" if key == EXECUTION and self.status == "RUNNING":
                self._end("ExecutionTimedOut", Failure("States.Timeout"), previous=0)
            case "due":
                self._expire(fact)

    def crash(self, problem: Exception) -> Failure:
        """Leave a problem that nobody foresaw to the driver; return how it fails the workflow."""
        self.fault = problem
        return crashed(problem)

    @property
    def redrivable(self) -> bool:
        """Whether a `redriven` fact can continue it: it failed, and the history has room.

        Fact 500.
        """
        return self.status in UNSUCCESSFUL and len(self.history) < self.last_event - 1

    def pending(self) -> Iterator[Command]:
        """Return the commands without an answer yet, to be carried out again after a crash."""
        for commands in self.open.values():
            yield from commands.values()

    def dismiss(self) -> None:
        """Let go of its lines of execution: no fact may reach it any more.

        Without the circles of engine, fibers and visits it is freed as soon as nobody holds it. The
        collector takes a tenth of a large map run's time, and comes late where many failed.
        """
        root = self._root
        if root.started:
            root.body.close()
        root.env = root.group = root.failure = None
        del self._root

    # For fibers ----------------------------------------------------------------------------------

    def wake(self, fiber: Fiber, message: Any) -> None:
        """Let a fiber run, once those before it have: with a fact, a child at rest, or Redriven."""
        self._ready.append((fiber, message))

    def issue(self, command: Command) -> None:
        """Hand a command to the driver and remember it until it is settled."""
        self._commands.append(command)
        name = command.name if isinstance(command, SetTimer) else ""
        self.open.setdefault(command.key, {})[name] = command

    def count_call(self, state: str) -> int:
        """Count one more call of a state; return how many there were before it."""
        before = self._calls.get(state, 0)
        self._calls[state] = before + 1
        return before

    def spend(self, steps: int) -> None:
        """Account for the steps of an evaluation, or a text's characters."""
        self.pause_at -= steps // _STEPS_OF_EVENT

    def settle(self, key: str) -> None:
        """Forget a command that has its answer, and cancel the timers that guarded it."""
        commands = self.open.pop(key, {})
        if any(commands):
            self._commands.append(Cancel(key))

    def abort(self, fiber: Fiber, because: int | None) -> None:
        """Stop a fiber and those below it where they are; they stay, for a redrive.

        Facts 108, 137 and 421: what was in flight has one Aborted event, which nothing follows.
        """
        fiber.aborted = True
        state = fiber.state
        if because is not None and state and state.type in _ABORTABLE:
            fiber.record_leaf(f"{state.type}StateAborted", after=because)
        if fiber.group:
            fiber.group.abort(because)
        if fiber.key in self.waiting:
            del self.waiting[fiber.key]
            self.open.pop(fiber.key, None)
            self._commands.append(Cancel(fiber.key))

    # The life of the execution -------------------------------------------------------------------

    def _start(self, text: str) -> None:
        # Facts 401 and 441: ExecutionStarted is a leaf, so that the first entry follows event 0 as
        # well; it repeats the input to the letter.
        root = self._root
        self.status, self.started_at = "RUNNING", self.now
        self.input = loads(text)
        if self.identity.map_run is not None and len(text) <= LONG_TEXT:
            # A map run has written it: it is as a task's arguments are written.
            root.value, root.text = self.input, text
        else:
            root.input_text = text
        root.record_leaf(
            "ExecutionStarted",
            {
                "input": text,
                "inputDetails": WHOLE,
                "roleArn": self.identity.role,
            },
        )
        self._limit_time()
        root.body = self.program.run(root, self.input)
        self.wake(root, None)

    def _limit_time(self) -> None:
        # Facts 94 and 521: TimeoutSeconds, at most a year, or five minutes of an Express execution.
        longest = self.quotas.execution_seconds
        seconds = min(self.program.timeout or longest, longest)
        self.issue(_new_tuple(SetTimer, (EXECUTION, "timeout", self.now + seconds)))

    def _expire(self, fact: Fact) -> None:
        # All that is due at this moment is due now: tasks that time out together were recorded
        # as timed out, each of them, before the first one's failure aborts the others (fact 108).
        if fact.key not in self.waiting:
            return
        self._ready.extend(
            (self.waiting[timer.key], fact._replace(key=timer.key, data=timer.name))
            for commands in self.open.values()
            for timer in commands.values()
            if isinstance(timer, SetTimer)
            and timer.at <= fact.at + _MOMENT
            and timer.key != EXECUTION
        )

    def _redrive(self) -> None:
        # Facts 501 and 502: the history continues, and the limit begins anew.
        root = self._root
        self.redrives += 1
        self.redriven_at = self.now
        self.status, self.failure = "RUNNING", _NONE
        root.last = self.history[-1].id
        root.record("ExecutionRedriven", {"redriveCount": self.redrives})
        root.failure, root.aborted = None, False
        self._limit_time()
        self.wake(root, Redriven)

    def _run(self) -> None:
        ready = self._ready
        while ready:
            fiber, message = ready.popleft()
            # A message may be about what is over: an answered call, an aborted child.
            if isinstance(message, Fact):
                over = message.key not in self.waiting
            else:
                over = isinstance(message, Fiber) and message.aborted
            if fiber.aborted or over:
                continue
            try:
                if message is Redriven and fiber.started:
                    request = fiber.body.throw(Redriven())
                else:
                    started, fiber.started = fiber.started, True
                    request = fiber.body.send(message if started else None)
            except StopIteration as end:
                fiber.ended, fiber.output = True, end.value
            else:
                if request is None:
                    continue
                fiber.failure = request
            if fiber.parent and fiber.ended:
                # Its parent runs before anyone else, so that an iteration's end stands
                # next to its last state's in the history.
                ready.appendleft((fiber.parent, fiber))
            elif fiber.parent:
                ready.append((fiber.parent, fiber))
            elif fiber.failure:
                self._end("ExecutionFailed", fiber.failure.failure, fiber.last)
            else:
                self._succeed(fiber)

    def _succeed(self, root: Fiber) -> None:
        self.output = root.output
        details = {"output": root.text, "outputDetails": WHOLE}
        self._close("ExecutionSucceeded", details, root.last)
        self.dismiss()

    def _end(self, event_type: str, failure: Failure, previous: int) -> None:
        # Fact 402: ExecutionFailed follows the event that failed.
        self.failure = failure
        self._close(event_type, failure.details(), previous)

    @property
    def _last_id(self) -> int:
        return len(self.history)

    def _history_full(self) -> None:
        # Fact 99: the last event of a Standard execution; an Express one has none such, and is
        # timed out (fact 458).
        limit = self.quotas.history_events
        if limit is None:
            self._end("ExecutionTimedOut", Failure("States.Timeout"), previous=0)
            return
        cause = f"The execution reached the maximum number of history events ({limit})."
        self._end("ExecutionFailed", Failure("States.Runtime", cause), self._last_id)

    def _close(self, event_type: str, details: dict[str, Any], previous: int) -> None:
        event = len(self.history) + 1, previous, event_type, self.now, details
        self.history.append(_new_tuple(Event, event))
        self.status = TERMINAL[event_type]
        self._ready.clear()
        self.waiting.clear()
        self._commands.extend([_new_tuple(Cancel, (key,)) for key in self.open])
        self.open.clear()
