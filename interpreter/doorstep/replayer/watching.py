"""What expressions could see at each event of a replay, and the data flow of its states."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..asl.context import Env
from ..asl.data_flow import stages
from ..engine.engine import Engine
from ..engine.fibers import Fiber
from ..engine.messages import Event
from ..errors import StateFailed
from ..model.definition import State
from .identities import RecordedRandom, RepeatedRandom

_JOINED = ("ParallelStateSucceeded", "MapStateSucceeded")


@dataclass(frozen=True, slots=True)
class Sight:
    """The variables and the context object at an event; the visit that it belongs to."""

    variables: dict[str, Any]
    context: dict[str, Any]
    env: Env
    drawn: int
    """How many random numbers the visit had drawn."""


class Watch:
    """Told of every event (see `Engine.watch`), it keeps what could be seen then, by event id."""

    def __init__(self) -> None:
        self.sights: dict[int, Sight] = {}
        self.joined: dict[Env, Any] = {}
        """What the branches of a Parallel or the iterations of an inline Map gave."""

    def __call__(self, fiber: Fiber, event: Event) -> None:
        """Keep it; variables and context objects are replaced when they change, never altered."""
        env = fiber.env
        if env is None:
            return
        self.sights[event.id] = Sight(fiber.variables, env.context(), env, len(_given(env)))
        if event.type in _JOINED and fiber.group:
            self.joined[env] = [fiber.group.outputs[i] for i in range(fiber.group.count)]

    def flow(
        self, state: State, sight: Sight, engine: Engine, asked: Any, result: Any
    ) -> dict[str, Any]:
        """The stages of a visit, evaluated once more; those from one that fails on are left out.

        `sight`: when the state was entered, or its work began; `asked`: what it began with.
        """
        found: dict[str, Any] = {}
        with suppress(StateFailed):
            found.update(stages(state, _Twin(sight, engine), result, asked=asked))
        return found


def _given(env: Env) -> list[Any]:
    return env._random.given if isinstance(env._random, RecordedRandom) else []


class _Twin(Env):
    """A visit at its beginning: it sees what the visit saw, and draws the same random numbers."""

    __slots__ = ("_seen",)

    def __init__(self, sight: Sight, engine: Engine) -> None:
        fiber = Fiber(engine, None, "", 0)
        fiber.variables = sight.variables
        env = sight.env
        super().__init__(fiber, env.state, env.works, env.raw)
        self._seen = sight.context
        self._random = RepeatedRandom(_given(env)[sight.drawn :])

    def context(self) -> dict[str, Any]:
        """The context object as it was."""
        return self._seen
