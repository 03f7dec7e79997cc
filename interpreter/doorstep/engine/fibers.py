"""Fibers: one line of execution each. The root is one, every branch and every iteration another.

A fiber's body is a generator that reads like the specification. It waits with `yield None`, which
returns the next message for it: a `Fact` about its open command, or a child `Fiber` that came to
rest. `yield failure` parks it: nothing could be done about the failure here. Parked and aborted
fibers stay, so that a redrive can continue from them: `Redriven` is then raised at
the `yield`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import Failure, InputError, StateFailed, data_limit_exceeded, runtime
from ..values.json_values import byte_length, java_doubles, text_of
from .messages import Command, Event, SetTimer, TimerName

if TYPE_CHECKING:
    from random import Random

    from .identity import Identity
    from .quotas import Quotas

_new_tuple = tuple.__new__
_COUNTS = 1_000_000
"""Whole numbers up to here count something, mostly: their text needs no encoder."""
LONG_TEXT = 4_096
_CHARACTERS_OF_STEP = 50
"""To write so many characters takes as long as a step of an evaluation."""

Body = Generator[StateFailed | None, Any, Any]


class StateLabel(Protocol):
    """What the engine knows of a state."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def type(self) -> str:
        """Its type."""


class Host(Protocol):
    """What fibers, and the states in them, need of the engine that runs them."""

    identity: Identity
    quotas: Quotas
    history: list[Event]
    last_event: int
    watch: Callable[[Fiber, Event], None] | None
    now: float
    pause_at: int
    input: Any
    started_at: float
    redriven_at: float
    redrives: int
    waiting: dict[str, Fiber]

    def wake(self, fiber: Fiber, message: Any) -> None:
        """Let a fiber run, once those before it have: with a fact, a child at rest, or Redriven."""

    def issue(self, command: Command) -> None:
        """Hand a command to the driver and remember it until it is settled."""

    def settle(self, key: str) -> None:
        """Forget a command that has its answer."""

    def abort(self, fiber: Fiber, because: int | None) -> None:
        """Stop a fiber and those below it where they are."""

    def spend(self, steps: int) -> None:
        """Account for the steps of an evaluation, or a text's characters."""

    def crash(self, problem: Exception) -> Failure:
        """Leave a problem that nobody foresaw to the driver; return how it fails the workflow."""

    def count_call(self, state: str) -> int:
        """Count one more call of a state; return how many there were before it."""


class Redriven(Exception):  # noqa: N818  a message to a body, not an error
    """The execution was redriven: do again what did not succeed, with fresh retry counters."""


class HistoryFull(Exception):  # noqa: N818
    """The history has reached its quota; no state can continue."""


class Fiber:
    """One line of execution: where it is in the chain of events, its variables, its children."""

    __slots__ = (
        "aborted",
        "body",
        "calls",
        "draws",
        "ended",
        "engine",
        "env",
        "failure",
        "group",
        "index",
        "input_text",
        "item",
        "key",
        "last",
        "output",
        "parent",
        "path",
        "started",
        "state",
        "text",
        "value",
        "variable_bytes",
        "variables",
    )

    def __init__(self, engine: Host, parent: Fiber | None, path: str, index: int) -> None:
        self.engine = engine
        self.parent = parent
        self.path = path
        self.index = index
        self.last = 0
        """Id of the event that its next one follows: previousEventId."""
        self.calls = self.draws = 0
        self.key: str | None = None
        self.state: StateLabel | None = None
        """The state that it is in."""
        self.env: Any = parent.env if parent else None
        """The visit of the state that it is in, as expressions see it."""
        self.group: FiberGroup | None = None
        self.failure: StateFailed | None = None
        self.started = self.ended = self.aborted = False
        self.output: Any = None
        self.input_text: str | None = None
        """The execution's input as it was sent: the first StateEntered repeats it to the letter."""
        self.value: Any = self
        self.text = ""
        self.item: dict[str, Any] | None = parent.item if parent else None
        self.variables: dict[str, Any] = parent.variables if parent else {}
        self.variable_bytes: int = parent.variable_bytes if parent else 0
        """So long their texts are at the most."""
        self.body: Body

    def record(self, event_type: str, details: dict[str, Any] | None = None) -> int:
        """Add an event that the fiber's next event will follow; return its id (fact 400)."""
        engine = self.engine
        history = engine.history
        number = len(history) + 1
        if number >= engine.last_event:
            raise HistoryFull
        # As `Event(…)`, without the call of Python that a NamedTuple has for it.
        event = _new_tuple(Event, (number, self.last, event_type, engine.now, details))
        history.append(event)
        self.last = number
        if engine.watch:
            engine.watch(self, event)
        return number

    def record_leaf(
        self, event_type: str, details: dict[str, Any] | None = None, after: int | None = None
    ) -> int:
        """Add an event that nothing follows: the chain continues from where it was (fact 403)."""
        last = self.last
        if after is not None:
            self.last = after
        number = self.record(event_type, details)
        self.last = last
        return number

    def encode(self, value: Any, whose: str, did: str = "returned a result") -> str:
        """Return a value's JSON text, encoded once while it is passed on; check the payload quota.

        `whose`, `did`: the state or task that a States.DataLimitExceeded names, and what it did.

        Facts 315, 441 and 520.
        """
        if value is self.value:
            return self.text
        if self.input_text is not None:
            text, self.input_text = self.input_text, None
            return text
        text = written(value)
        if len(text) > LONG_TEXT:
            self.engine.spend(len(text) // _CHARACTERS_OF_STEP)
        limit = self.engine.quotas.payload_bytes
        # A character is four bytes at the most, so that short texts need no second encoding.
        if limit is not None and len(text) * 4 > limit and byte_length(text) > limit:
            raise data_limit_exceeded(whose, did)
        self.value, self.text = value, text
        return text

    def random(self) -> Random:
        """Return random numbers that depend on the seed and the place, not on interleaving."""
        self.draws += 1
        return self.engine.identity.random(f"{self.path}{self.draws}")

    # Waiting -----------------------------------------------------------------------------------

    def next_key(self) -> str:
        """Return the key of this fiber's next command."""
        self.calls += 1
        return f"{self.path}{self.calls}"

    def open(self, key: str) -> None:
        """Let facts about `key` reach this fiber."""
        self.key = key
        self.engine.waiting[key] = self

    def timer(self, key: str, name: TimerName, at: float) -> None:
        """Ask for a `due` fact at a time."""
        self.engine.issue(SetTimer(key, name, at))

    def close(self) -> None:
        """Settle the open command: late facts about it change nothing."""
        key, self.key = self.key, None
        if key is not None and self.engine.waiting.pop(key, None) is not None:
            self.engine.settle(key)

    def sleep_until(self, at: float) -> Body:
        """Wait for a moment, in epoch seconds."""
        key = self.next_key()
        self.open(key)
        try:
            self.timer(key, "delay", at)
            yield None
        finally:
            self.close()

    def pause(self) -> Body:
        """Let everybody else go first."""
        with suppress(Redriven):
            yield from self.sleep_until(self.engine.now)


class FiberGroup:
    """The children of one Parallel or one inline Map, and how far they have come.

    `begin(child)` returns the body of a child; at most `limit` children run at a time, started in
    order. `on_end(child, how)` records each one's end: Succeeded, Failed or Aborted.

    Facts 262 and 274.
    """

    __slots__ = (
        "after",
        "begin",
        "children",
        "count",
        "fiber",
        "limit",
        "on_end",
        "outputs",
        "path",
        "running",
        "started",
    )

    def __init__(
        self,
        fiber: Fiber,
        count: int,
        limit: int,
        begin: Callable[[Fiber], Body],
        on_end: Callable[[Fiber, str], int] | None = None,
    ) -> None:
        self.fiber = fiber
        self.path = fiber.next_key()
        self.count = count
        self.limit = limit
        self.begin = begin
        self.on_end = on_end
        self.started = 0
        self.children: dict[int, Fiber] = {}
        """Those that have not succeeded."""
        self.outputs: dict[int, Any] = {}
        self.running = 0
        self.after = fiber.last
        """The event that the next child's first one follows."""

    def gather(self) -> Generator[StateFailed | None, Any, list[Any]]:
        """Run all to their ends; return the outputs in order. Raises the first failure.

        Fact 263: the first failure ends the others. Fact 422: a final one leaves no events of
        theirs.
        """
        fiber = self.fiber
        fiber.group = self
        try:
            self._fill(fiber.last)
            while self.running or self.started < self.count:
                message = yield None
                if isinstance(message, Fiber):
                    self._came_to_rest(message)
                else:
                    fiber.close()
                    self._fill(self.after)
        except StateFailed as failed:
            self.abort(None if failed.final else fiber.last)
            raise
        finally:
            fiber.close()
        return [self.outputs[i] for i in range(self.count)]

    def redrive(self) -> None:
        """Continue every child that has not succeeded; the outputs of the others stay.

        Fact 504.
        """
        self.running = len(self.children)
        for child in self.children.values():
            child.aborted, child.failure = False, None
            child.last = self.fiber.last
            self.fiber.engine.wake(child, Redriven)

    def abort(self, because: int | None) -> None:
        """Stop every child that is not at rest.

        `because`: the event that the aborts follow, or None when they leave no events.

        Facts 108, 137 and 421.
        """
        for child in self.children.values():
            if not child.aborted:
                if because is not None and self.on_end:
                    child.last = because
                    self.on_end(child, "Aborted")
                child.engine.abort(child, because)

    def _fill(self, after: int) -> None:
        # Facts 420 and 430: concurrent children follow the start, later ones the last event of the
        # child before.
        self.after = after
        while self.running < self.limit and self.started < self.count:
            fiber, index = self.fiber, self.started
            if len(fiber.engine.history) >= fiber.engine.pause_at:
                self._pause()
                return
            child = Fiber(fiber.engine, fiber, f"{self.path}.{index}/", index)
            child.value, child.text = fiber.value, fiber.text
            child.last = after
            child.body = self.begin(child)
            self.children[index] = child
            self.started += 1
            self.running += 1
            fiber.engine.wake(child, None)

    def _pause(self) -> None:
        """Start the others once everybody else had a turn; children may come to rest meanwhile."""
        fiber = self.fiber
        if fiber.key is None:
            key = fiber.next_key()
            fiber.open(key)
            fiber.timer(key, "delay", fiber.engine.now)

    def _came_to_rest(self, child: Fiber) -> None:
        # Facts 420, 421, 430 and 431: an iteration's end follows its last state's event, and the
        # group's end that of the last child.
        self.running -= 1
        self.fiber.last = child.last
        failure = child.failure
        if failure is None:
            self.outputs[child.index] = child.output
            del self.children[child.index]
            if self.on_end:
                self.fiber.last = self.on_end(child, "Succeeded")
            self._fill(child.last)
            return
        if not failure.final:
            if self.on_end:
                self.on_end(child, "Failed")
            # Recorded: a Task that fails its branch or iteration is aborted as a state.
            if child.state and child.state.type == "Task":
                child.record_leaf("TaskStateAborted")
            child.aborted = True
        raise failure.passed_on()


def written(value: Any) -> str:
    """Return a value's JSON text; a value that JSON can't hold (too deep) fails the state."""
    if value.__class__ is int and -_COUNTS < value < _COUNTS:
        return str(value)
    try:
        text = text_of(value)
        return java_doubles(text) if "." in text else text
    except InputError as problem:
        raise runtime(str(problem)) from None
