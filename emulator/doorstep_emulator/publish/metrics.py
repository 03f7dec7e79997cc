"""Counts and times for Prometheus, at `/metrics`; named after CloudWatch's where it has them.

What changes with every event or request is counted as it happens; what the server has is read when
the metrics are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from doorstep.engine.messages import TERMINAL, Event

from ..store.store import Row

_EXECUTIONS = {
    "ExecutionStarted": ("started", "Executions that began"),
    "ExecutionSucceeded": ("succeeded", "Executions that succeeded"),
    "ExecutionFailed": ("failed", "Executions that failed"),
    "ExecutionTimedOut": ("timed_out", "Executions that timed out"),
    "ExecutionAborted": ("aborted", "Executions that were stopped"),
    "ExecutionRedriven": ("redriven", "Redrives of executions"),
}
_EXECUTION_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)

Health = dict[str, Any]
"""The members that `/health` returns."""

_GAUGES: tuple[tuple[str, str, Callable[[Health], float]], ...] = (
    ("open_executions", "Executions that run", lambda health: health["running"]),
    (
        "lost_executions",
        "Express executions lost at the last start",
        lambda health: len(health["lost"]),
    ),
    ("calls_in_flight", "Handlers that run", lambda health: health["calls"]["running"]),
    ("calls_waiting", "Calls that wait for a thread", lambda health: health["calls"]["waiting"]),
    ("open_activity_tasks", "Tasks without a worker", lambda health: health["activities"]["tasks"]),
    (
        "waiting_activity_polls",
        "Workers without a task",
        lambda health: health["activities"]["polls"],
    ),
)
_OF_SINKS = (
    (CounterMetricFamily, "sink_deliveries", "Documents that reached their target", "delivered"),
    (CounterMetricFamily, "sink_failures", "Documents given up or dropped", "failed"),
    (GaugeMetricFamily, "sink_waiting", "Documents that wait", "waiting"),
)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._executions = {
            kind: self._counter(f"executions_{name}", about, "state_machine_arn")
            for kind, (name, about) in _EXECUTIONS.items()
        }
        self._time = self._histogram(
            "execution_time_seconds",
            "From the start of an execution to its end",
            "state_machine_arn",
            _EXECUTION_SECONDS,
        )
        self._requests = self._counter("api_requests", "Requests answered", "operation", "code")
        self._latency = self._histogram(
            "api_latency_seconds", "From a request to its answer", "operation"
        )

    def count_events(self, row: Row, events: Sequence[Event]) -> None:
        """Count new events of an execution."""
        for event in events:
            if counter := self._executions.get(event.type):
                counter(row.machine).inc()
            if event.type in TERMINAL:
                self._time(row.machine).observe(event.at - row.started)

    def count_request(self, operation: str, code: str, seconds: float) -> None:
        """Count a request with its answer; `code`: OK or an error of the API."""
        self._requests(operation, code).inc()
        self._latency(operation).observe(seconds)

    def text(self, health: Health) -> bytes:
        """Return all metrics in Prometheus' text format; `health`: as `/health` returns it now."""
        read = CollectorRegistry()
        read.register(_Read(health))
        return generate_latest(read) + generate_latest(self._registry)

    # Of either, the one with certain labels: to find it anew takes longer than to count.

    def _counter(self, name: str, about: str, *labels: str) -> Callable[..., Counter]:
        return cache(Counter(f"doorstep_{name}", about, labels, registry=self._registry).labels)

    def _histogram(
        self,
        name: str,
        about: str,
        label: str,
        buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS,
    ) -> Callable[..., Histogram]:
        histogram = Histogram(
            f"doorstep_{name}", about, (label,), buckets=buckets, registry=self._registry
        )
        return cache(histogram.labels)


class _Read(Collector):
    """What is read from the server when the metrics are asked for."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        for name, about, read in _GAUGES:
            yield GaugeMetricFamily(f"doorstep_{name}", about, value=read(self._health))
        yield CounterMetricFamily(
            "doorstep_journal_commits",
            "Transactions written",
            value=self._health["store"]["commits"],
        )
        for kind, name, about, member in _OF_SINKS:
            family = kind(f"doorstep_{name}", about, labels=("sink",))
            for sink in self._health["sinks"]:
                family.add_metric((sink["target"],), sink[member])
            yield family
