"""What a server does first: everything that had not ended goes on where it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from .keeper import StoreKeeper, durable
from .store import Query, Row

log = logging.getLogger("doorstep")
_ALL = 1 << 62


def recover(keeper: StoreKeeper) -> list[str]:
    """Let all executions of the store go on; gives the ARNs of those that are lost.

    Express ones are: AWS runs them at least once or at most once, never exactly once.
    """
    running = keeper.store.rows(Query(status="RUNNING", limit=_ALL))[::-1]
    lost = [row for row in running if not durable(row)]
    for row in lost:
        keeper.store.remove(row)
        log.warning("lost, as Express executions are when the server ends: %s", row.arn)
    for row in running:
        if durable(row) and row.map_run is None:
            _attempt(keeper, row, partial(keeper.driver.find, row.arn))
    for row in running:
        if row.map_run is not None and row.arn not in keeper.rows:
            # Its map run was over, and it was about to be stopped.
            _attempt(keeper, row, partial(keeper.abort, row))
    _close_map_runs(keeper)
    return [row.arn for row in lost]


def _attempt(keeper: StoreKeeper, row: Row, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as problem:  # noqa: BLE001  whatever it is, it must not hold up the others
        keeper.stuck[row.arn] = str(problem)
        log.error("%s can't go on: %s", row.arn, problem)


def _close_map_runs(keeper: StoreKeeper) -> None:
    for document in keeper.store.documents("map run"):
        if document["status"] == "RUNNING" and document["arn"] not in keeper.map_runs:
            over = {"status": "ABORTED", "stopped": time.time()}
            keeper.store.put("map run", document["arn"], document | over)
