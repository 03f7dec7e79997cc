"""Requests to the server from its own process: code in handlers, rules of EventBridge."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from doorstep.errors import ApiError
from doorstep.model.aws_model import REQUESTS, check_request
from doorstep.runtime.handlers import Handlers

from .arns import Caller
from .errors import Unavailable
from .server import Server
from .store.peers import Members

log = logging.getLogger("doorstep")
_PATIENCE = 60.0
"""Seconds until a request is given up: SDKs wait as long."""


class ServerMachines:
    """The server's machines, for `doorstep.services.LocalAccount`."""

    def __init__(self, owner: Caller) -> None:
        """Ask in the name of an account and region; a server joins before it starts."""
        self._owner = owner
        self._servers: list[Server] = []
        self._handlers = Handlers()

    def join(self, server: Server, handlers: Handlers) -> None:
        """Let requests reach a server and its handlers."""
        self._servers.append(server)
        self._handlers = handlers

    @property
    def handlers(self) -> Handlers:
        """What answers functions by their names."""
        return self._handlers

    def answer(self, operation: str, members: Members) -> Members:
        """Answer an operation once what it changed is durable; raise ApiError."""
        if operation not in REQUESTS or not self._servers:
            raise ApiError("UnknownOperationException", f"{operation} is not answered here")
        request, server = check_request(operation, members), self._servers[-1]
        answered: Future[Any] = Future()
        perform = partial(server.dispatch.perform, operation, self._owner, request)
        server.ask(perform, answered.set_result)
        try:
            outcome = answered.result(_PATIENCE)
        except TimeoutError:
            raise Unavailable from None
        if isinstance(outcome, BaseException):
            raise outcome
        return cast(Members, outcome)

    def send(self, operation: str, members: Members) -> None:
        """Let an operation be done, at once in the server's thread; log a refusal."""
        server = self._servers[-1]

        def do() -> None:
            try:
                request = check_request(operation, members)
                server.dispatch.perform(operation, self._owner, request)
            except ApiError as refused:
                log.warning("%s was refused: %s", operation, refused)

        if server.clock.here:
            do()
        else:
            server.clock.bring(do)
