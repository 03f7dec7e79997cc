"""What a server does first: everything that had not ended goes on where it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from .keeper import StoreKeeper, durable
from .store.store import Query, Row

log = logging.getLogger("doorstep")
_ALL = 1 << 62


def recover(keeper: StoreKeeper) -> list[str]:
    """Let all executions of the store continue; return the ARNs of those that are lost.

    Express ones are: AWS runs them at least once or at most once, never exactly once. One that
    can't be restored is set aside by name, and no other.
    """
    running = keeper.store.rows(Query(status="RUNNING", limit=_ALL))
    lost = [row for row in running if not durable(row)]
    for row in lost:
        keeper.store.remove(row)
        log.warning("lost, as Express executions are when the server ends: %s", row.arn)
    # The newest first: a nested execution is there before the one that waits for it, so that no
    # chain of them is restored in one another's midst.
    for row in running:
        if durable(row) and row.map_run is None:
            _each(keeper, row, lambda row: keeper.driver.find(row.arn))
    set_aside = _close_map_runs(keeper)
    for row in running:
        if row.map_run is not None and row.arn not in keeper.rows:
            if row.map_run in set_aside:
                keeper.stuck[row.arn] = (
                    f"{set_aside[row.map_run]}, whose map run it is in, is set aside"
                )
            else:
                # Its map run was over, and it was about to be stopped.
                _each(keeper, row, keeper.abort)
    return [row.arn for row in lost]


def _each(keeper: StoreKeeper, row: Row, act: Callable[[Row], object]) -> None:
    try:
        act(row)
    except Exception as problem:  # noqa: BLE001  whatever it is, it must not hold up the others
        keeper.rows.pop(row.arn, None)
        keeper.driver.executions.pop(row.arn, None)
        keeper.stuck[row.arn] = str(problem) or type(problem).__name__
        log.error("%s is set aside, it can't be continued: %s", row.arn, problem)


def _close_map_runs(keeper: StoreKeeper) -> dict[str, str]:
    """Close the map runs that nothing continues; return those whose executions are set aside."""
    set_aside: dict[str, str] = {}
    for document in keeper.store.documents("map run"):
        arn, execution = document["arn"], document["execution"]
        if execution in keeper.stuck:
            set_aside[arn] = execution
        elif document["status"] == "RUNNING" and arn not in keeper.map_runs:
            over = {"status": "ABORTED", "stopped": time.time()}
            keeper.store.put("map run", arn, document | over)
    return set_aside
