"""The executions in memory, and with them the timelines that this server owns."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from doorstep.engine.messages import Event

from .peers import Peers
from .store import ListQuery, Row, Store

_PAST, _PAST_EVENTS = 100, 2_000
"""How many ended Express executions stay in memory, and the most events of one."""


class HeldRows(dict[str, Row]):
    """Rows by ARN; a timeline is owned as long as one of its executions is held."""

    def __init__(self, peers: Peers) -> None:
        super().__init__()
        self._peers = peers
        self._living: Counter[str] = Counter()
        """How many executions are in each timeline, by its root."""
        self.past: deque[tuple[Row, Sequence[Event]]] = deque(maxlen=_PAST)
        """The last Express executions that ended: no store has them, people still want to look."""

    def listed(self, query: ListQuery, store: Store) -> list[Row]:
        """Return children of a map run: those that are stored, and those that are not yet."""
        own = {
            row.id: row for row in self.values() if row.condensable and row.map_run == query.map_run
        }
        stored = store.rows(replace(query, limit=query.limit + len(own)))
        rows = [row for row in own.values() if _matches(row, query)]
        rows += [row for row in stored if row.id not in own]
        return sorted(rows, key=lambda row: row.id, reverse=True)[: query.limit]

    def begin(self, row: Row) -> None:
        """Own the timeline of an execution that begins."""
        self._peers.own(row.timeline, row.id)

    def hold(self, row: Row) -> None:
        """Hold an execution that runs."""
        if row.arn not in self:
            self._living[row.timeline] += 1
        self[row.arn] = row

    def drop(self, arn: str, events: Sequence[Event]) -> None:
        """Let go of one that is over."""
        if row := self.pop(arn, None):
            if row.type == "EXPRESS" and not row.map_run and len(events) <= _PAST_EVENTS:
                self.past.append((row, events))
            self._living[row.timeline] -= 1
            self.release(row.timeline)

    def set_aside(self, row: Row) -> None:
        """Let go of one that can't continue; its timeline stays owned until this server ends."""
        if self.pop(row.arn, None) is None:
            self._living[row.timeline] += 1

    def leave(self, row: Row) -> None:
        """Let go of one that another server turned out to have begun."""
        self.pop(row.arn, None)
        del self._living[row.timeline]
        self._peers.disown(row.timeline)

    def offer(self, arn: str, key: str, activity: str) -> None:
        """Offer a task of an execution to the workers at all servers."""
        if row := self.get(arn):
            self._peers.offer(row.id, arn, key, activity)

    def withdraw_offer(self, arn: str, key: str) -> None:
        """Offer it no more."""
        if row := self.get(arn):
            self._peers.withdraw_offers(row.id, key)

    def release(self, root: str) -> None:
        """Leave a timeline to whoever wants it next, if nothing in it is held."""
        if not self._living[root]:
            del self._living[root]
            self._peers.release(root)

    def clear(self) -> None:
        """Let go of everything."""
        super().clear()
        self._living.clear()


def _matches(row: Row, query: ListQuery) -> bool:
    return (
        query.status in (None, row.status)
        and query.redriven in (None, row.redrives > 0)
        and (query.before is None or row.id < query.before)
    )
