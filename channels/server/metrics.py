"""Metrics for Prometheus at `/metrics`. Each application has a registry of its own."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from groups.kernel.byte_cache import cached_bytes

_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class _KeptBytes(Collector):
    """The sizes of the caches of this process."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "channels_cache_bytes", "Estimated memory of a cache", labels=["cache"]
        )
        for name, size in sorted(cached_bytes().items()):
            family.add_metric([name], size)
        yield family


class Metrics:
    """The counters of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "channels_request_seconds",
            "Requests by method, route and status",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Finding a series by its labels costs more than counting in it.
        self._series: dict[tuple[str, str, int], Histogram] = {}
        self._batches = Histogram(
            "channels_commit_batch_entries",
            "Callers served by one group-commit transaction",
            ["lane"],
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self._waiting = Gauge(
            "channels_commit_waiting_entries",
            "Callers waiting after the last group-commit batch",
            ["lane"],
            registry=self.registry,
        )
        self._refusals = Counter(
            "channels_refusals",
            "Refused requests and socket frames by error code",
            ["code"],
            registry=self.registry,
        )
        self.events_reach = Gauge(
            "channels_events_reach",
            "1 while events of other processes reach this one, else 0",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_KeptBytes())
        self.sockets = Gauge(
            "channels_sockets", "Authenticated sockets now open", registry=self.registry
        )
        self.frames = Counter("channels_frames", "Frames handed to sockets", registry=self.registry)
        self.slow_sockets = Counter(
            "channels_slow_sockets", "Sockets closed for reading too slowly", registry=self.registry
        )
        self.slow_readers = Counter(
            "channels_slow_readers",
            "Connections closed for reading too slowly, sockets not counted",
            registry=self.registry,
        )
        self.unsent_bytes = Gauge(
            "channels_unsent_bytes",
            "Bytes waiting for clients to read them, sockets not counted",
            registry=self.registry,
        )
        self.tasks = Gauge(
            "channels_tasks", "Unfinished asyncio tasks of this process", registry=self.registry
        )
        self.places = Gauge(
            "channels_places",
            "Requests that this process accepts at once before it sheds load",
            registry=self.registry,
        )
        self.at_work = Gauge(
            "channels_requests_at_work",
            "Requests in progress",
            registry=self.registry,
        )
        self.clock_offset = Gauge(
            "channels_clock_offset_seconds",
            "How far this machine's clock is ahead of the database's, which the server uses",
            registry=self.registry,
        )
        self.picture_worker_deaths = Gauge(
            "channels_picture_worker_deaths",
            "Image worker processes that died since the start",
            registry=self.registry,
        )
        self.waiting_for_own = Gauge(
            "channels_requests_waiting_for_own",
            "Requests waiting for other requests of the same user",
            registry=self.registry,
        )
        self.waiting_for_document = Gauge(
            "channels_writes_waiting_for_document",
            "Writes waiting for another write of this process to the same document",
            registry=self.registry,
        )
        self.event_lag = Histogram(
            "channels_event_lag_seconds",
            "Seconds from an event until this process receives it",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        key = method, route, status
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._requests.labels(method, route, str(status))
        series.observe(seconds)

    def batch(self, lane: str, entries: int, waiting: int) -> None:
        """Count one group-commit batch, and the entries that wait for the next ones."""
        self._batches.labels(lane).observe(entries)
        self._waiting.labels(lane).set(waiting)

    def refusal(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
