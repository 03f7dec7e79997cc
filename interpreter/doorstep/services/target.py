"""Where services' calls go: moto in this process, an endpoint, or AWS itself when that is said."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import DoorstepError
from .guard import environment, no_real_account

if TYPE_CHECKING:
    from .local_account import LocalAccount

_LOCAL = {"localhost", "127.0.0.1", "::1"}


class Target:
    """One target of all services: `moto`, a URL, or `aws`."""

    def __init__(
        self, name: str, region: str = "us-east-1", *, allow_network: bool = False
    ) -> None:
        """Check the name; raise DoorstepError with what can be said, or what is not installed.

        `allow_network`: whether code in handlers may reach AWS although the target is local.
        """
        self.name = name
        self.region = region
        self.allow_network = allow_network
        self.url = name if "://" in name else None
        if not (self.url or name in ("moto", "aws")):
            raise DoorstepError(
                f"--services {name} is not known; it is moto (in this process), a URL such as "
                "http://127.0.0.1:4566, or aws (your real account)"
            )
        missing = [
            one for one in ("boto3", "moto")[: 2 if name == "moto" else 1] if not find_spec(one)
        ]
        if missing:
            raise DoorstepError(
                f"--services {name} needs {' and '.join(missing)}: pip install 'doorstep[local]'"
            )
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.one_at_a_time = threading.RLock() if name == "moto" else contextlib.nullcontext()
        """Held by each call: moto's conditions are not checked and written in one step."""

    @property
    def real(self) -> bool:
        """Whether calls leave this machine."""
        return self.name == "aws" or bool(self.url and urlsplit(self.url).hostname not in _LOCAL)

    def client(self, service: str) -> Any:
        """Return the one client of a service, by botocore's name.

        It fails at once: the workflow's Retry has to see each error. Null members are sent as what
        they are by nobody: who calls checks them before.
        """
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": 1},
            inject_host_prefix=self.name == "aws",
            # What the environment names is for code in handlers.
            ignore_configured_endpoint_urls=True,
            s3={"addressing_style": "path"} if self.url else None,
        )
        own = {} if self.name == "aws" else _credentials()
        return self._session.client(service, endpoint_url=self.url, config=config, **own)

    @cached_property
    def _session(self) -> Any:
        import boto3

        if self.name == "moto":
            import moto.core  # noqa: F401  clients made before it would go past it
        return boto3.session.Session(region_name=self.region)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Botocore's names of all services."""
        return tuple(self._session.get_available_services())

    @contextlib.contextmanager
    def at_work(
        self, account: LocalAccount | None = None, *, processes: bool = False
    ) -> Iterator[None]:
        """Send what code in this process calls through boto3 to the target, for a while.

        `account`: the machines and functions of this process; what code calls on Step Functions and
        Lambda reaches these. `processes`: whether code in processes of its own calls services too;
        moto then listens on loopback for them.
        """
        if self.name == "aws":
            yield
            return
        variables = {"AWS_ENDPOINT_URL": self.url} if self.url else {}
        with contextlib.ExitStack() as until_end:
            if not (self.allow_network or self.real):
                until_end.enter_context(no_real_account(self.region))
            until_end.enter_context(environment(variables))
            if self.name == "moto":
                until_end.enter_context(_moto())
            until_end.enter_context(_no_former_session())
            if account is not None:
                until_end.enter_context(account.in_process())
            if processes and self.name == "moto":
                url = until_end.enter_context(_listening(account))
                until_end.enter_context(environment({"AWS_ENDPOINT_URL": url}))
            yield


@contextlib.contextmanager
def _no_former_session() -> Iterator[None]:
    """Take boto3's default session away for a while: it may have the user's real credentials."""
    import boto3

    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, None
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = before


def _moto() -> contextlib.AbstractContextManager[Any]:
    from moto import mock_aws

    return mock_aws(config={"core": {"reset_boto3_session": False}})


@contextlib.contextmanager
def _listening(account: LocalAccount | None) -> Iterator[str]:
    """Serve moto, and the account's machines and functions, to processes on this machine."""
    from werkzeug.serving import make_server

    application = wsgi()
    served = account.before(application) if account else application
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wsgi() -> Any:
    """Return moto as a WSGI application of all services."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request otherwise
    return DomainDispatcherApplication(create_backend_app)


def _credentials() -> dict[str, str]:
    return {"aws_access_key_id": "doorstep", "aws_secret_access_key": "doorstep"}
