"""The executions in memory, and with them the timelines that this server owns."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from doorstep.engine.messages import Event

from .peers import Peers
from .store import Row

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
