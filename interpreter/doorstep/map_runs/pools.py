"""Workers that run batches of children: processes of this machine, and those of a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import InputError
from ..values.json_values import dumps

Done = Callable[["str | BaseException"], None]
"""Takes what `worker.run_batch` returned, or why there is nothing; called in any thread."""
_PATIENCE = 5.0
"""Seconds in which the threads of processes that were killed come to their end."""
_TRIES = 3
"""Workers on which a batch is tried: one that dies may have died of something else."""


class WorkerLost(Exception):  # noqa: N818  what it says happened, nobody did it wrong
    """The worker ended before it answered, again and again."""


class Pool(Protocol):
    """Some workers."""

    workers: int

    def submit(self, text: str, done: Done) -> None:
        """Run a batch on the next worker that is free."""

    def close(self) -> None:
        """Stop all work, at once; nothing is reported after this."""

    def wait(self) -> None:
        """Wait, seconds at most, until all has come to its end after that."""


class ProcessPool:
    """Processes of this machine, each of which runs `doorstep.map_runs.worker`.

    They import neither the caller's main module nor anything that the handlers do not need.
    """

    def __init__(self, workers: int | None = None) -> None:
        """`workers`: as many as there are processors by default."""
        self.workers = workers or os.cpu_count() or 1
        self._batches: queue.SimpleQueue[tuple[str, Done] | None] = queue.SimpleQueue()
        self._processes: set[subprocess.Popen[str]] = set()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, text: str, done: Done) -> None:
        """Run a batch in the next process that is free."""
        self._batches.put((text, done))

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        for _ in range(self.workers):
            self._batches.put(None)
        for process in list(self._processes):
            process.kill()
        self.wait()

    def wait(self) -> None:
        """Wait for the threads of processes that were killed."""
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _work(self) -> None:
        process: subprocess.Popen[str] | None = None
        while (batch := self._batches.get()) is not None and not self._closed:
            text, done = batch
            answer: str | BaseException = ""
            for _ in range(_TRIES):
                process = process or self._process()
                answer = _asked(process, text)
                if answer or self._closed:
                    break
                self._end(process)
                process = None
            if not self._closed:
                done(answer or WorkerLost(f"{_TRIES} processes ended while they ran it"))
        if process:
            self._end(process)

    def _end(self, process: subprocess.Popen[str]) -> None:
        self._processes.discard(process)
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was to be sent to it is lost with it
                if pipe:
                    pipe.close()
        process.wait()

    def _process(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        self._processes.add(process)
        _asked(process, dumps([str(Path(one or ".").resolve()) for one in sys.path]), answers=False)
        return process


def _asked(process: subprocess.Popen[str], line: str, *, answers: bool = True) -> str:
    """Return the answer of a process; empty when it has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline() if answers else ""
    except (OSError, ValueError):
        return ""


class DaskPool:
    """The workers of a Dask cluster: one that runs somewhere, or one of this machine's own."""

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        """`address`: the scheduler's HOST:PORT; else a cluster here with so many workers.

        Raises InputError when Dask is not installed, or nothing answers at the address.
        """
        try:
            import distributed
        except ModuleNotFoundError:
            raise InputError("Dask is not installed: pip install 'doorstep[dask]'") from None
        dask: Any = distributed
        # A server's log would have each connection that comes and goes.
        logging.getLogger("distributed").setLevel(logging.WARNING)
        self._cluster: Any = None
        if address is None:
            self._cluster = dask.LocalCluster(
                n_workers=workers or os.cpu_count() or 1,
                threads_per_worker=1,
                # Without an address it listens at port 8787, which another cluster may have.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=50,
            )
        try:
            self._client: Any = dask.Client(self._cluster or f"tcp://{address}", timeout="10s")
        except OSError as problem:
            raise InputError(f"no Dask scheduler answers at {address}: {problem}") from None
        self.workers = max(sum(self._client.nthreads().values()), 1)
        self._closed = False
        self._end = threading.Thread(target=self._let_go)
        self._futures: set[Any] = set()

    def submit(self, text: str, done: Done) -> None:
        """Run a batch on the next worker that is free; one that is lost is replaced."""
        future = self._client.submit(run_on_dask, text, pure=False, retries=_TRIES - 1)
        self._futures.add(future)

        def came(ended: Any) -> None:
            self._futures.discard(ended)
            if self._closed or ended.cancelled():
                return
            try:
                done(ended.result())
            except Exception as problem:  # noqa: BLE001  whatever Dask says of the worker
                done(problem)

        future.add_done_callback(came)

    def close(self) -> None:
        """Cancel what runs, and let go of the cluster."""
        self._closed = True
        # It takes seconds.
        self._end.start()

    def wait(self) -> None:
        """Wait until it has let go."""
        self._end.join(_PATIENCE)

    def _let_go(self) -> None:
        self._client.cancel(list(self._futures), force=True)
        self._client.close()
        if self._cluster:
            self._cluster.close(timeout=5)


def run_on_dask(text: str) -> str:
    """Run a batch on a Dask worker."""
    from distributed import get_worker

    from .worker import run_batch

    return run_batch(text, f"worker {get_worker().address}")
