"""What expressions see: the state's data, the variables, the context object, random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from ..engine import Fiber
from ..errors import StateFailed
from ..jsonata.values import UNDEFINED
from ..values.timestamps import format_timestamp
from .retry import Retrier, next_delay

VISIT_STEPS = 6_000_000
"""What all expressions together may take in one attempt of a state, or for one item of a Map."""

PROVIDED = "provided parameters"
"""What a state did whose parameters are too large (fact 317)."""


class Env:
    """One visit of one state, as its expressions see it."""

    # What most visits leave as it is stands here, where it costs them nothing.

    result: Any = UNDEFINED
    """$states.result."""
    error_output: Any = UNDEFINED
    """$states.errorOutput."""
    used: dict[int, int] | None = None
    """How often each of its retriers has been used; made for the first retry."""
    retries = 0
    """How many retries there were in this visit: $$.State.RetryCount."""
    first_key: str | None = None
    """The key of its first call."""
    map_run: tuple[str, int] | None = None
    """Key and redrives of the map run that this visit started."""
    token: str | None = None
    """$$.Task.Token."""
    entered = 0
    """Id of the StateEntered event."""
    spent = 0
    """Steps that evaluations have taken in this attempt, or for this item of a Map."""
    _random: Random | None = None
    _context: dict[str, Any] | None = None
    bound: dict[str, Any] | None = None
    """What `bindings` made; None where something in it has changed."""
    _variables: dict[str, Any] | None = None

    def __init__(self, fiber: Fiber, state: str, works: bool, raw: Any) -> None:
        self.fiber = fiber
        self.state = state
        self.works = works
        """Whether the state can be retried (Task, Parallel, Map): it then has a RetryCount."""
        self.raw = raw
        """The state's input before InputPath; $states.input."""
        self.data = raw
        """What `$` means in a path just now."""
        self.item = fiber.item
        """$$.Map.Item."""
        self.entered_at = fiber.engine.now

    def retry(self) -> None:
        """Begin a retry: children and map run of the failed attempt are not continued."""
        self.retries += 1
        self.fiber.group = None
        self.map_run = None
        self.spent = 0
        self.data = self.raw
        self._context = None

    def next_delay(self, retriers: Sequence[Retrier], failed: StateFailed) -> float | None:
        """Return the seconds until the next attempt; None when there is none."""
        self.used = self.used or {}
        return next_delay(self.used, retriers, failed, self.rng)

    def show_item(self, item: dict[str, Any] | None) -> None:
        """Set $$.Map.Item to this item; None: remove it."""
        self.item = item
        self.spent = 0
        self._context = None

    def redrive(self) -> None:
        """Begin after a redrive: retry counters start again, and what succeeded so far stays.

        Fact 302.
        """
        self.used, self.retries = None, 0
        self.data = self.raw
        self.spent = 0
        self._context = None

    def left(self) -> int:
        """Return how many steps the expressions of this attempt may still take."""
        return max(0, VISIT_STEPS - self.spent)

    def spend(self, steps: int) -> None:
        """Account for the steps of an evaluation."""
        self.spent += steps
        self.fiber.engine.spend(steps)

    def rng(self) -> Random:
        """Return the generator of this visit's random numbers."""
        if self._random is None:
            self._random = self.fiber.random()
        return self._random

    def draw(self) -> float:
        """Return a random number from 0 up to 1."""
        return self.rng().random()

    def new_token(self, key: str) -> str:
        """Return the task token of the command `key`; expressions see it from now on (fact 233)."""
        self.token = self.fiber.engine.identity.token(key)
        self._context = None
        return self.token

    def bindings(self) -> dict[str, Any]:
        """Return what the variables of expressions are bound to: $states has no context here.

        Made once, as far as nothing in it changes. Fact 327.
        """
        variables = self.fiber.variables
        if self.bound is None or self._variables is not variables:
            states = {"input": self.raw}
            if self.result is not UNDEFINED:
                states["result"] = self.result
            if self.error_output is not UNDEFINED:
                states["errorOutput"] = self.error_output
            self._variables = variables
            self.bound = {**variables, "states": states}
        return self.bound

    def context(self) -> dict[str, Any]:
        """Return the context object; built when first asked for (fact 340)."""
        if self._context is None:
            self._context = self._build()
        return self._context

    def _build(self) -> dict[str, Any]:
        # Facts 340 and 341: a synchronous Express execution has no RedriveCount, a Pass no
        # RetryCount.
        engine = self.fiber.engine
        identity = engine.identity
        execution: dict[str, Any] = {
            "Id": identity.arn,
            "Input": engine.input,
            "StartTime": format_timestamp(engine.started_at),
            "Name": identity.name,
            "RoleArn": identity.role,
        }
        if identity.type != "EXPRESS" or identity.asynchronous:
            execution["RedriveCount"] = engine.redrives
        if engine.redrives:
            execution["RedriveTime"] = format_timestamp(engine.redriven_at)
        state: dict[str, Any] = {
            "Name": self.state,
            "EnteredTime": format_timestamp(self.entered_at),
        }
        if self.works:
            state["RetryCount"] = self.retries
        context: dict[str, Any] = {
            "Execution": execution,
            "StateMachine": {"Id": identity.machine_arn, "Name": identity.machine_path},
            "State": state,
        }
        if self.token is not None:
            context["Task"] = {"Token": self.token}
        if self.item is not None:
            context["Map"] = {"Item": self.item}
        return context


Closure = Callable[[Env], Any]
"""A compiled field: its value in one visit of a state."""
Exit = tuple[Any, str | None, dict[str, Any] | None]
"""How a state ends: its output, the next state, the variables that are assigned."""
Leave = Callable[[Env, Any], Exit]
"""The compiled way out of a state, from a result."""
