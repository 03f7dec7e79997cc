"""The stores on which the emulator's tests run.

Every test runs on SQLite. The modules of BOTH run on PostgreSQL as well, and with
DOORSTEP_POSTGRES=all (in the nightly run) those of NIGHTLY, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

BOTH = (
    "test_emulator_condensed",
    "test_emulator_recovery",
    "test_emulator_tasks",
    "test_emulator_timelines",
)
NIGHTLY = (
    *("test_console", "test_emulator_around", "test_emulator_clock", "test_emulator_corpus"),
    *("test_emulator_equal", "test_emulator_executions", "test_emulator_executors"),
    "test_emulator_http",
    *("test_emulator_machines", "test_emulator_metrics", "test_emulator_operations"),
    *("test_emulator_pages", "test_emulator_sfn", "test_emulator_sinks"),
    *("test_emulator_testcases", "test_emulator_versions"),
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    chosen = module in BOTH or (os.environ.get("DOORSTEP_POSTGRES") == "all" and module in NIGHTLY)
    if chosen and not metafunc.definition.get_closest_marker("sqlite"):
        metafunc.parametrize("store", ["sqlite", "postgresql"], indirect=True, scope="module")


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A PostgreSQL for the tests of this process; skips where none can be had."""
    pytest.importorskip("psycopg", reason="doorstep[postgres] is not installed")
    from cluster import Cluster, Unavailable

    try:
        running = Cluster()
    except Unavailable as why:
        pytest.skip(str(why))
    yield running
    running.close()


@pytest.fixture(scope="session")
def schemas(cluster: object) -> Callable[[str], str]:
    """(name) → the URL of an own schema for each name; a new one for `:memory:`."""
    made: dict[str, str] = {}

    def url(name: str) -> str:
        key = f"{name}{len(made)}" if name == ":memory:" else name
        return made.setdefault(key, cluster.schema(f"s{len(made)}"))  # type: ignore[attr-defined]

    return url


@pytest.fixture(scope="module", autouse=True)
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let servers of this process store what they store in the one or the other."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield kind
        return
    schemas = request.getfixturevalue("schemas")
    from doorstep_emulator import serving
    from doorstep_emulator.store.postgres_peers import PostgresStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            serving, "_opened", lambda options: PostgresStore(schemas(options.db), lease=30.0)
        )
        yield kind


class Servers:
    """Servers that one after another have one store, and the folder of their handlers."""

    def __init__(self, folder: Path, client: Callable[..., Any], **options: Any) -> None:
        from doorstep_emulator import Options

        file, handlers = folder / "doorstep.db", folder / "handlers.py"
        self.folder, self._client = folder, client
        self.options = Options(port=0, db=str(file), handlers=str(handlers), grace=0, **options)

    @contextmanager
    def started(self, **changed: Any) -> Iterator[Any]:
        """Serve; yield a client."""
        from doorstep_emulator import running

        with running(replace(self.options, **changed)) as url:
            yield self._client(url)

    def create(self, name: str) -> None:
        """Create a file that handlers look for."""
        (self.folder / name).touch()

    def calls(self) -> list[str]:
        """Return the lines that handlers wrote into the file `calls`."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def servers_with(tmp_path: Path, aws: Callable[..., Any]) -> Callable[..., Servers]:
    """(text of handlers.py, **options) → servers one after another on one store."""

    def made(handlers: str, **options: Any) -> Servers:
        (tmp_path / "handlers.py").write_text(handlers)
        return Servers(tmp_path, aws, **options)

    return made
