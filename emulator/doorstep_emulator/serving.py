"""Store, server and HTTP put together, from start to shutdown."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from doorstep.engine.identity import ACCOUNT, REGION
from doorstep.map_runs import ChildrenOwner, MapRun, NewExecutor, buckets_in, executor_named
from doorstep.runtime import Buckets
from doorstep.runtime.driver import Respond
from doorstep.runtime.handlers import Source

from .api import API
from .api.machines import create_state_machine, update_state_machine
from .arns import Caller
from .clock import Pace, RealTime
from .console import console_routes
from .console.live import Feeds
from .errors import StoreError
from .handlers import LiveHandlers, TestCases
from .http.app import Http, Lifespan, application
from .http.connections import Connection, most_connections
from .http.direct import Answers
from .http.others import Wsgi
from .programs import Definition
from .publish.sinks import Sinks
from .requests import ServerMachines
from .schedules import Scheduler
from .server import Server
from .store.sqlite import SqliteStore
from .store.store import Store


@dataclass(frozen=True, slots=True)
class Deployment:
    """A state machine that a server has from its start: of a file, not created by a client."""

    name: str
    definition: str
    """JSON text."""
    type: str = "STANDARD"


SCHEMES = ("postgresql://", "postgres://")
"""How the URL of a database begins."""
_IDLE = 60
"""Seconds that a connection stays open without a request: SDKs keep theirs about as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve."""

    host: str = "127.0.0.1"
    port: int = 8083
    """0: any that is free."""
    db: str = ":memory:"
    """The store's file, or the URL of a PostgreSQL database: `postgresql://…`."""
    deployments: Sequence[Deployment] = ()
    """State machines that are created, or updated, at the start."""
    handlers: Source | None = None
    """What answers the tasks: a `.py` file, a folder of them, or a module's name."""
    respond: Respond | None = None
    """Asked for an answer before the handlers: `doorstep.testing.Mocks` in tests."""
    mocks: Path | None = None
    """A MockConfigFile.json, for executions that are started as `ARN#TestCase`."""
    max_handlers: int = 64
    """How many handlers may run at a time."""
    executors: Mapping[str, str] = field(default_factory=dict)
    """Where children of distributed Maps run, by the names of Maps; `*`: of all others."""
    s3_root: Path | str | None = None
    """The folder that holds a folder for each S3 bucket."""
    buckets: Buckets | None = None
    """Buckets of a target of services: those that have no folder there."""
    scheduler: Scheduler | None = None
    """Knows what starts at certain times: `doorstep.services.scheduler`."""
    account: str = ACCOUNT
    region: str = REGION
    """Of requests that name none, and of `deployments`."""
    clock: str = "real"
    """Of executions that name none: real, virtual, or a speed such as 60."""
    lease: float = 30.0
    """On PostgreSQL: seconds until others take over what a server had that is silent."""
    fsync: bool = False
    """Let every commit reach the disk itself: survives a power cut, at a price."""
    events: tuple[str, ...] = ()
    """Where status changes go: files, URLs, `python:MODULE:FUNCTION`."""
    logs: tuple[str, ...] = ()
    """Where the log lines of executions go."""
    machines: ServerMachines | None = None
    """Lets requests of code in handlers, and rules of EventBridge, reach this server's machines."""
    others: Wsgi | None = None
    """Answers what is no request of Step Functions: a WSGI application of AWS's other services."""
    grace: int = 3
    """Seconds that a shutdown leaves to requests and handlers, and then to events and logs."""

    @property
    def owner(self) -> Caller:
        """Account and region."""
        return Caller(self.account, self.region)


def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the URL once requests are taken.

    Raises StoreError when the store can't be used, HandlerLoadError when the handlers do not load,
    SinkError when a target of events or logs can't be used, InputError when there is no such clock
    or the mocks can't be read, ApiError when a state machine is refused, OSError when the port is
    taken.
    """
    http, listening = _prepared(options)
    ready(_url(listening))
    http.run(sockets=[listening])


@contextlib.contextmanager
def running(options: Options | None = None) -> Iterator[str]:
    """Serve in threads of this process, for tests; yield the URL. Raises as `serve` does."""
    http, listening = _prepared(options or Options(port=0))
    thread = threading.Thread(target=http.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield _url(listening)
    finally:
        while not http.started and thread.is_alive():
            time.sleep(0.001)
        http.should_exit = True
        thread.join()


class _Http(uvicorn.Server):
    """uvicorn's server; when it is stopped it answers those that only wait, and exits with 0."""

    def __init__(
        self, config: uvicorn.Config, server: Server, grace: float, feeds: list[Feeds]
    ) -> None:
        """Make it; `feeds`: of pages that are open, and would be for ever."""
        super().__init__(config)
        self._feeds = feeds
        self._server = server
        self._grace = grace

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at once at the second signal."""
        # uvicorn's own raises the signal again at the end: the exit code would not be 0.
        if self.should_exit:
            self.force_exit = True
            self._server.leave(0)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests and answer those that there are."""
        self._server.leave(0 if self.force_exit else self._grace)
        for feed in self._feeds:
            feed.close()
        await super().shutdown(sockets)
        if self.force_exit:
            # uvicorn's own then leaves the application as it is.
            await self.lifespan.shutdown()


def _prepared(options: Options) -> tuple[_Http, socket.socket]:
    pace, test_cases = Pace.of(options.clock), TestCases(options.mocks)
    executor = _executor(options)
    handlers = LiveHandlers(options.handlers)
    sinks, answers = Sinks(options.events, options.logs), Answers()
    with contextlib.ExitStack() as unless_ready:
        listening = _listen(options.host, options.port)
        unless_ready.callback(listening.close)
        store = _opened(options)
        unless_ready.callback(store.close)
        server = Server(
            store,
            handlers,
            sinks,
            calls=options.max_handlers,
            buckets=buckets_in(options.s3_root, options.buckets),
            pace=pace,
            respond=options.respond,
            test_cases=test_cases,
            api=API,
            scheduler=options.scheduler,
            new_map_run=partial(MapRun, executor=executor),
            after_commit=answers.send,
        )
        deploy(server, options.owner, options.deployments)
        if options.machines:
            options.machines.join(server, handlers)
        unless_ready.pop_all()
    feeds: list[Feeds] = []
    pages = partial(console_routes, server, options.owner, feeds)
    http = Http(server, answers, options.owner)
    config = uvicorn.Config(
        application(http, _lifespan(server), pages, options.others),
        http=partial(Connection, http),  # type: ignore[arg-type]
        limit_concurrency=most_connections(),
        timeout_keep_alive=_IDLE,
        log_config=None,
        access_log=False,
        log_level="warning",
        lifespan="on",
        # With 0 uvicorn complains of requests even when there are none.
        timeout_graceful_shutdown=max(options.grace, 1),
    )
    return _Http(config, server, options.grace, feeds), listening


def _executor(options: Options) -> NewExecutor:
    """Return where children run; raise InputError for what can't be.

    What answers tasks beside handlers does so in this process, and workers have the machine's time.
    """

    def why_here(run: ChildrenOwner) -> str | None:
        definition, clock = run.parent.journal.header.definition, run.parent.clock
        assert isinstance(definition, Definition)
        if options.respond or options.machines or definition.origin.test_case:
            return "mocks, services or functions of this process answer their tasks"
        return None if isinstance(clock, RealTime) else "their time is not the machine's"

    handlers = None if options.respond or options.machines else options.handlers
    return executor_named(options.executors, handlers, why_here)


def _opened(options: Options) -> Store:
    """Open the store; raise StoreError."""
    if not options.db.startswith(SCHEMES):
        return SqliteStore(options.db, fsync=options.fsync)
    try:
        # Imported here: few have the library.
        from .store.postgres_peers import PostgresStore
    except ImportError as missing:
        raise StoreError(f"--db postgresql://… needs {_what(missing)}") from None
    return PostgresStore(options.db, lease=options.lease)


def _what(missing: ImportError) -> str:
    if missing.name and missing.name.startswith("psycopg"):
        return "psycopg: pip install 'doorstep[postgres]'"
    # psycopg is there, and the library that it wraps is not.
    return f"libpq: pip install 'doorstep[postgres]' ({missing})"


def deploy(server: Server, owner: Caller, deployments: Iterable[Deployment]) -> None:
    """Create state machines, or update those that exist, before the server starts.

    Their placeholders (`${Name}`) may be left over, as in `doorstep run`. When the server has a
    target for logs, all their events are logged: a file can't ask for it.

    Raises ApiError for what CreateStateMachine and UpdateStateMachine refuse: a machine of the same
    name and another type is StateMachineAlreadyExists.
    """
    server.catalogue.lock()
    logging = {"loggingConfiguration": _everything(owner)} if server.sinks.logs else {}
    for deployment in deployments:
        arn = owner.arn("stateMachine", deployment.name)
        definition = {"definition": deployment.definition, **logging}
        machine = server.catalogue.machines.get(arn)
        if machine and machine.type == deployment.type:
            update_state_machine(
                server, owner, {"stateMachineArn": arn, **definition}, placeholders=True
            )
        else:
            role = f"arn:{owner.partition}:iam::{owner.account}:role/doorstep"
            request = {"name": deployment.name, "type": deployment.type, "roleArn": role}
            create_state_machine(server, owner, {**request, **definition}, placeholders=True)


def _everything(owner: Caller) -> dict[str, Any]:
    group = f"arn:{owner.partition}:logs:{owner.region}:{owner.account}:log-group:doorstep:*"
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    return {"level": "ALL", "includeExecutionData": True, "destinations": destinations}


def _lifespan(server: Server) -> Lifespan:
    """Return what runs the server's thread as long as the application lives."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        server.start()
        yield
        server.stop()

    return lifespan


def _listen(host: str, port: int) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # With the protocol named: asyncio sends without delay (TCP_NODELAY) on such sockets only.
    listening = socket.socket(family, kind, socket.IPPROTO_TCP)
    # Windows' SO_REUSEADDR is another: it lets two servers have the same port.
    exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
    listening.setsockopt(socket.SOL_SOCKET, exclusive or socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
