"""Who answers a request: this server, or the one that runs the execution that it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .arns import Caller
from .recorder import Recorder
from .store.peers import InboxRequest, Members, Offer, Reply
from .store.store import Store


@dataclass(slots=True)
class Waiting:
    """An operation whose answer comes later; `leave` is called when nobody waits any more."""

    begin: Callable[[Reply], None]
    leave: Callable[[], None] = lambda: None


Operations = dict[str, Callable[[Any, Caller, Members], Members | Waiting]]
"""Operations of the API by their names; they take the server and the request's members."""


@dataclass(frozen=True, slots=True)
class Api:
    """What a server can be asked."""

    operations: Operations
    timelines: Mapping[str, Callable[[Any, Members], str | None]]
    """Of the operations that only the owner of an execution answers: the root of its timeline."""
    changing: Collection[str]
    """The operations that change state machines or activities."""
    apart: Collection[str]
    """Those that have nothing to do with machines: they need not be the latest."""
    claiming: Collection[str]
    """Those that let what has ended continue: somebody has to own it."""


def outcome_of(act: Callable[[], Any]) -> Any:
    """Return what an act returns, or the exception that it raises: either is an answer."""
    try:
        return act()
    except Exception as problem:  # noqa: BLE001
        return problem


def answer(act: Callable[[], Any], reply: Reply) -> None:
    """Answer with what an act returns or raises; or later, if it says so."""
    outcome = outcome_of(act)
    if isinstance(outcome, Waiting):
        outcome = outcome_of(partial(outcome.begin, reply))
        if outcome is None:
            return
    reply(outcome)


class Dispatch:
    """Requests, and what other servers have to do with them."""

    def __init__(self, server: Any, api: Api, store: Store, recorder: Recorder) -> None:
        """`server`: what operations take."""
        self._server = server
        self._api = api
        self._store = store
        self._peers = store.peers
        self._recorder = recorder
        self._catalogue = recorder.catalogue

    def perform(self, operation: str, caller: Caller, members: Members) -> Members | Waiting:
        """Answer an operation, or let another server answer it; raise ApiError."""
        if self._peers.alone:
            return self._api.operations[operation](self._server, caller, members)
        if operation in self._api.changing:
            self._catalogue.lock()
        elif operation not in self._api.apart:
            self._catalogue.refresh()
        find = self._api.timelines.get(operation)
        root = find(self._server, members) if find else None
        if root is not None and (owner := self._owner(root, operation)) is not None:
            about = InboxRequest(self._store.next_id(), operation, caller, members)
            return self._asked(owner, about)
        try:
            return self._api.operations[operation](self._server, caller, members)
        finally:
            if root is not None:
                self._recorder.rows.release(root)

    def _owner(self, root: str, operation: str) -> int | None:
        """Return the other server that owns a timeline; own it here if nobody living does."""
        owner = self._peers.owner(root)
        wanted = operation in self._api.claiming if owner is None else self._peers.is_over(owner)
        if not wanted:
            return owner
        if not self._peers.take(root):
            return self._peers.owner(root)
        self._recorder.recover([root])
        return None

    def _asked(self, owner: int, about: InboxRequest) -> Waiting:
        return Waiting(
            lambda reply: self._peers.ask(owner, about, reply),
            lambda: self._peers.withdraw(about.id),
        )

    def ask(self, server: int, operation: str, members: Members) -> Waiting:
        """Ask a certain server."""
        return self._asked(server, self._request(operation, members))

    def _request(self, operation: str, members: Members) -> InboxRequest:
        return InboxRequest(self._store.next_id(), operation, Caller("", ""), members)

    def pick_up(self, offer: Offer, worker: str | None, reply: Reply) -> None:
        """Ask for a task that is offered to workers everywhere."""
        members = {"executionArn": offer.execution, "key": offer.key, "worker": worker}
        self._peers.ask(offer.owner, self._request("PickUp", members), reply)

    def look(self, lost: list[str]) -> bool:
        """Do what other servers have left to do; return whether there may be more of it at once.

        `lost`: gets the Express executions that can't be continued.
        """
        if self._peers.lapsed():
            return False
        self._catalogue.refresh()
        for about, reply in self._peers.settle():
            # Nobody has answered, and nobody will: it is asked as if for the first time.
            self._answer(about, reply)
        for about in self._peers.requests():
            self._answer(about, partial(self._peers.answer, about))
        roots = self._peers.take_over()
        if roots:
            lost.extend(self._recorder.recover(roots))
        return bool(roots)

    def _answer(self, about: InboxRequest, reply: Reply) -> None:
        answer(partial(self.perform, about.operation, about.caller, about.members), reply)
