"""A PostgreSQL of its own in a temporary folder, for tests and for the kill test.

PostgreSQL refuses to run as root: it then runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

_USERS = ("postgres", "nobody")


class Unavailable(Exception):  # noqa: N818  what PostgreSQL is
    """Why no PostgreSQL can be started here."""


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; raise Unavailable."""
    beside = shutil.which("initdb")
    folders = [*_installed(), *([Path(beside).parent] if beside else [])]
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise Unavailable("PostgreSQL is not installed (Debian: apt-get install postgresql)")


def _installed() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(found, key=lambda path: int(path.parent.name), reverse=True)


def _user() -> str | None:
    """Return the user to run it as; None for this one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise Unavailable("PostgreSQL does not run as root, and there is no user to run it as")


class Cluster:
    """A running PostgreSQL."""

    def __init__(self, *, fsync: bool = False) -> None:
        """Make it and start it; raise Unavailable. `fsync`: it waits for the disk."""
        self._bin = programs()
        self._user = _user()
        self._fsync = fsync
        self.folder = Path(tempfile.mkdtemp(prefix="doorstep-pg-"))
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._data = self.folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._run("initdb", "-D", self._data, "-A", "trust", "-U", "doorstep", "--no-sync")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Its database."""
        return f"postgresql://doorstep@127.0.0.1:{self.port}/postgres"

    def schema(self, name: str) -> str:
        """Return a URL under which another schema is used than by others."""
        return f"{self.url}?options=-cdoorstep.schema%3D{name}"

    def start(self) -> None:
        """Start it, and wait until it answers; raise Unavailable."""
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "max_connections": 200}
        options |= {"unix_socket_directories": self.folder}
        if not self._fsync:
            # What is killed loses nothing by that; only a machine would.
            options |= {"fsync": "off"}
        settings = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._data), *settings]
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                # Until the last process of one that was killed is gone, it refuses to start.
                self._process = self._begin(command)
            with contextlib.suppress(psycopg.Error):
                psycopg.connect(self.url).close()
                return
            time.sleep(0.05)
        raise Unavailable(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-500:]}")

    def _begin(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, user=self._user, cwd=self.folder
            )

    def kill(self) -> None:
        """Kill all of it with SIGKILL, as the end of the machine would."""
        assert self._process is not None
        children = f"/proc/{self._process.pid}/task/{self._process.pid}/children"
        # The postmaster first: it would begin to recover.
        own = Path(children).read_text().split() if Path(children).exists() else []
        self._process.kill()
        for child in own:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stop it and delete its folder."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        ran = self._ask(program, *arguments)
        if ran.returncode:
            raise Unavailable(f"{program} failed: {ran.stderr.decode()[-500:]}")

    def _ask(self, program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        command: Sequence[str] = [str(self._bin / program), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, user=self._user, cwd=self.folder, check=False
        )
