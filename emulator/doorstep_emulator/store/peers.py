"""Several servers on one store: who runs which executions, and what servers ask of one another.

A *timeline*, an execution with all that it starts, is run by one server, its owner. A request about
one that another server owns goes into that server's inbox; the answer is stored together with what
it has changed, so that whoever asked may wait for it however often a server dies: a request without
an answer has had no effect, and is asked of the next owner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from doorstep.errors import ApiError, DoorstepError
from doorstep.model.aws_errors import Refusal

from ..arns import Caller

Members = dict[str, Any]
Reply = Callable[[Any], None]
"""Takes an answer, or the exception that is one."""


@dataclass(frozen=True, slots=True)
class InboxRequest:
    """A request between servers."""

    id: int
    operation: str
    caller: Caller
    members: Members


@dataclass(frozen=True, slots=True)
class Offer:
    """A task that waits at another server for a worker."""

    owner: int
    execution: str
    """Its ARN."""
    key: str


class Peers:
    """The other servers, to the thread of this one: none, where a server has its store for itself.

    What is called *collected* becomes durable with the next commit of the store.
    """

    alone = True
    """Whether there are never others."""

    def start(self, news: Callable[[], None]) -> None:
        """Hold the lease; call `news`, in any thread, when others may have done something."""

    def close(self) -> None:
        """Hold it no more."""

    def standing(self) -> dict[str, Any]:
        """Return this server and its lease for /health. May be called from any thread."""
        return {}

    def lapsed(self) -> bool:
        """Return whether others have taken over what this server had."""
        return False

    def rejoin(self) -> None:
        """Begin again as a server that owns nothing."""

    def own(self, root: str, execution: int) -> None:
        """Be the owner of the timeline of a new execution: collected."""

    def release(self, root: str) -> None:
        """Own a timeline no more, as nothing in it runs: collected."""

    def disown(self, root: str) -> None:
        """Forget a timeline that another server turned out to have begun."""

    def owner(self, root: str) -> int | None:
        """Return which other server owns a timeline; None for this one, or none."""
        return None

    def is_over(self, server: int) -> bool:
        """Return whether a server's lease has passed, and what it owned may be taken."""
        return False

    def take(self, root: str) -> bool:
        """Own a timeline that no living server owns; return whether this one does now."""
        return True

    def take_over(self) -> Sequence[str] | None:
        """Own some timelines of servers that are over, and return them; None: all there are."""
        return None

    def lock_catalogue(self) -> None:
        """Let no other server change state machines or activities until the next commit."""

    def catalogue_changed(self) -> bool:
        """Return whether another server has changed one since this was asked last."""
        return False

    def ask(self, server: int, about: InboxRequest, reply: Reply) -> None:
        """Ask another server: collected. `reply` gets its answer."""
        raise NotImplementedError

    def withdraw(self, request: int) -> None:
        """Wait no more for an answer."""

    def settle(self) -> Sequence[tuple[InboxRequest, Reply]]:
        """Reply what was answered; return what was asked of servers that are over."""
        return ()

    def requests(self) -> Sequence[InboxRequest]:
        """Return what other servers have asked of this one since the last call."""
        return ()

    def answer(self, request: InboxRequest, outcome: Any) -> None:
        """Answer another server: collected."""
        raise NotImplementedError

    def others(self) -> Sequence[int]:
        """Return the other servers that live."""
        return ()

    def root_of_token(self, token: str) -> str | None:
        """Return the timeline of the task that had a token."""
        return None

    def has_task(self, token: str) -> bool:
        """Return whether another server runs the task that had a token."""
        return False

    def offer(self, execution: int, arn: str, key: str, activity: str) -> None:
        """Offer a task to workers at other servers: collected."""

    def withdraw_offers(self, execution: int, key: str | None = None) -> None:
        """Offer a task, or those of an execution, no more: collected."""

    def seek(self, activity: str) -> Offer | None:
        """Return a task that waits at another server, and that nobody else asks for just now."""
        return None


def as_document(outcome: Any) -> Members:
    """Return an answer, or the exception that is one, as a JSON object."""
    if isinstance(outcome, ApiError):
        members = getattr(outcome, "members", {})
        return {"code": outcome.code, "message": str(outcome), "members": members}
    if isinstance(outcome, BaseException):
        return {"problem": f"{type(outcome).__name__}: {outcome}"}
    return {"answer": outcome}


def of_document(document: Members) -> Any:
    """Return the answer, or the exception that is one, from a JSON object."""
    if "code" in document:
        code, message, members = document["code"], document["message"], document["members"]
        return Refusal(code, message, **members) if members else ApiError(code, message)
    if "problem" in document:
        return DoorstepError(document["problem"])
    return document["answer"]
