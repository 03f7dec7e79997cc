"""Store, server and HTTP put together, from start to shutdown."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from doorstep.drivers.driver import Respond
from doorstep.identity import ACCOUNT, REGION

from .app import application
from .arns import Caller
from .deploying import Deployment, deploy
from .handlers import LiveHandlers
from .server import Server
from .sqlite import SqliteStore
from .timelines import Pace

_GRACE = 3
"""Seconds that a shutdown leaves to requests that are being answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve."""

    host: str = "127.0.0.1"
    port: int = 8083
    """0: any that is free."""
    db: str = ":memory:"
    """The store's file."""
    machines: Sequence[Deployment] = ()
    """State machines that are created, or brought up to date, at the start."""
    handlers: str | None = None
    """What answers the tasks: a `.py` file, a folder of them, or a module's name."""
    respond: Respond | None = None
    """Asked for an answer before the handlers, in tests; `doorstep.mocks.Mocks` for example."""
    calls: int = 64
    """How many handlers may run at a time."""
    bucket: Path | None = None
    """The folder that holds a folder for each S3 bucket."""
    account: str = ACCOUNT
    region: str = REGION
    """Of requests that name none, and of `machines`."""
    clock: str = "real"
    """Of executions that name none: real, virtual, or a speed such as 60."""
    fsync: bool = False
    """Let every commit reach the disk itself: survives a power cut, at a price."""

    @property
    def owner(self) -> Caller:
        """Account and region."""
        return Caller(self.account, self.region)


def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told the URL once requests are taken.

    Raises StoreError when the store can't be used, HandlerLoadError when the handlers do not load,
    InputError when there is no such clock, ApiError when a state machine is refused, OSError when
    the port is taken.
    """
    http, listening = _prepared(options)
    ready(_url(listening))
    http.run(sockets=[listening])


@contextlib.contextmanager
def running(options: Options | None = None) -> Iterator[str]:
    """A server in threads of this process, for tests; gives its URL. Raises as `serve` does."""
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


def _prepared(options: Options) -> tuple[uvicorn.Server, socket.socket]:
    pace = Pace.of(options.clock)
    handlers = LiveHandlers(options.handlers)
    with contextlib.ExitStack() as unless_ready:
        listening = _listen(options.host, options.port)
        unless_ready.callback(listening.close)
        store = SqliteStore(options.db, fsync=options.fsync)
        unless_ready.callback(store.close)
        server = Server(
            store,
            handlers,
            calls=options.calls,
            bucket=options.bucket,
            pace=pace,
            respond=options.respond,
        )
        deploy(server, options.owner, options.machines)
        unless_ready.pop_all()
    app = application(server, options.owner)
    app.router.lifespan_context = _lifespan(server)
    config = uvicorn.Config(
        app, log_level="warning", lifespan="on", timeout_graceful_shutdown=_GRACE
    )
    return uvicorn.Server(config), listening


def _lifespan(
    server: Server,
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    """The server's thread lives as long as the application."""

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
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
