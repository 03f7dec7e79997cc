"""Where services' calls go: moto in this process, an endpoint, or AWS itself when that is said."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from ..errors import DoorstepError

_DUMMY = {"AWS_ACCESS_KEY_ID": "doorstep", "AWS_SECRET_ACCESS_KEY": "doorstep"}
_REAL = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN")
"""Variables that would lead to a real account."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class Target:
    """One target of all services: `moto`, a URL, or `aws`."""

    def __init__(self, name: str, region: str = "us-east-1") -> None:
        """Check the name; raise DoorstepError with what can be said, or what is not installed."""
        self.name = name
        self.region = region
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

    @property
    def real(self) -> bool:
        """Whether calls leave this machine."""
        return self.name == "aws" or bool(self.url and urlsplit(self.url).hostname not in _LOCAL)

    def client(self, service: str) -> Any:
        """Return a client that fails at once: the workflow's Retry has to see each error."""
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": 1},
            inject_host_prefix=self.name == "aws",
            s3={"addressing_style": "path"} if self.url else None,
        )
        session = boto3.session.Session(region_name=self.region)
        own = {} if self.name == "aws" else _credentials()
        return session.client(service, endpoint_url=self.url, config=config, **own)

    @staticmethod
    @lru_cache(maxsize=1)
    def services() -> tuple[str, ...]:
        """Return botocore's names of all services."""
        import botocore.session

        return tuple(botocore.session.get_session().get_available_services())

    @contextlib.contextmanager
    def at_work(self, *, processes: bool = False) -> Iterator[None]:
        """Send what code in this process calls through boto3 to the target, for a while.

        With a local target the environment has no way to a real account: dummy credentials, the
        target's URL, no profile. `processes`: whether code in processes of its own calls services
        too; moto then listens on loopback for them.
        """
        if self.name == "aws":
            yield
            return
        variables = {**_DUMMY, "AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        variables["AWS_EC2_METADATA_DISABLED"] = "true"
        if self.url:
            variables["AWS_ENDPOINT_URL"] = self.url
        with contextlib.ExitStack() as until_end:
            until_end.enter_context(_environment(variables))
            until_end.enter_context(self._moto())
            until_end.enter_context(
                _environment(until_end.enter_context(self._listening(processes)))
            )
            yield

    @contextlib.contextmanager
    def _listening(self, processes: bool) -> Iterator[dict[str, str]]:
        if not processes or self.name != "moto":
            yield {}
            return
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            _, port = server.get_host_and_port()
            yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        finally:
            server.stop()

    def _moto(self) -> contextlib.AbstractContextManager[Any]:
        if self.name != "moto":
            return contextlib.nullcontext()
        from moto import mock_aws

        return mock_aws(config={"core": {"reset_boto3_session": False}})


def _credentials() -> dict[str, str]:
    return {"aws_access_key_id": "doorstep", "aws_secret_access_key": "doorstep"}


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*variables, *_REAL)}
    for name in _REAL:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
