"""Metrics for Prometheus at `/metrics`. Each application has a registry of its own."""

from collections.abc import Iterable, Iterator
from functools import partial
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
from groups.kernel.event_log.consumer import Consumer

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
        registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self._requests = histogram(
            "channels_request_seconds",
            "Requests by method, route and status",
            ["method", "route", "status"],
            buckets=_SECONDS,
        )
        # Finding a series by its labels costs more than counting in it.
        self._series: dict[tuple[str, str, int], Histogram] = {}
        self._batches = histogram(
            "channels_commit_batch_entries",
            "Callers served by one group-commit transaction",
            ["lane"],
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
        )
        self._waiting = gauge(
            "channels_commit_waiting_entries",
            "Callers waiting after the last group-commit batch",
            ["lane"],
        )
        self._refusals = counter(
            "channels_refusals", "Refused requests and socket frames by error code", ["code"]
        )
        self.events_reach = gauge(
            "channels_events_reach", "1 while events of other processes reach this one, else 0"
        )
        ProcessCollector(registry=registry)
        registry.register(_KeptBytes())
        self.registry = registry
        self.sockets = gauge("channels_sockets", "Authenticated sockets now open")
        self.frames = counter("channels_frames", "Frames handed to sockets")
        self.slow_sockets = counter(
            "channels_slow_sockets", "Sockets closed for reading too slowly"
        )
        self.slow_readers = counter(
            "channels_slow_readers",
            "Connections closed for reading too slowly, sockets not counted",
        )
        self.unsent_bytes = gauge(
            "channels_unsent_bytes", "Bytes waiting for clients to read them, sockets not counted"
        )
        self.tasks = gauge("channels_tasks", "Unfinished asyncio tasks of this process")
        self.places = gauge(
            "channels_places", "Requests that this process accepts at once before it sheds load"
        )
        self.at_work = gauge("channels_requests_at_work", "Requests in progress")
        self.clock_offset = gauge(
            "channels_clock_offset_seconds",
            "How far this machine's clock is ahead of the database's, which the server uses",
        )
        self.picture_worker_deaths = gauge(
            "channels_picture_worker_deaths", "Image worker processes that died since the start"
        )
        self.waiting_for_own = gauge(
            "channels_requests_waiting_for_own",
            "Requests waiting for other requests of the same user",
        )
        self.waiting_for_document = gauge(
            "channels_writes_waiting_for_document",
            "Writes waiting for another write of this process to the same document",
        )
        self.uncounted = gauge(
            "channels_uncounted_seconds",
            "Age of the oldest count for insights that this process found and has not added up",
        )
        self._pushes = counter(
            "channels_push_notifications",
            "Notifications by platform and outcome (sent, gone, failed, later), each attempt counted",
            ["platform", "outcome"],
        )
        self.push_waiting = gauge(
            "channels_push_waiting_seconds",
            "How long the oldest job of push notifications that is due has been waiting",
        )
        self._reviews = counter(
            "channels_reviews",
            "Reviews of messages before they are stored, by outcome; failed and skipped ones were not reviewed",
            ["outcome"],
        )
        self.identity_keys_age = gauge(
            "channels_identity_keys_age_seconds",
            "Age of the keys of the identity provider; 0 without one, and before the first ones are here",
        )
        self.identity_failures = counter(
            "channels_identity_fetch_failures",
            "Fetches of the identity provider's keys that failed",
        )
        self._log_lag = gauge(
            "channels_log_lag_seconds",
            "Age of what a consumer of the event log still has to read, where this process reads for it",
            ["consumer"],
        )
        self._log_lost = gauge(
            "channels_log_lost_transactions",
            "Transactions whose events expired before a consumer of this process read them",
            ["consumer"],
        )
        self.unsequenced = gauge(
            "channels_log_unsequenced_seconds",
            "Age of the oldest event that this process found without a position in the log, and could not give one",
        )
        self.feed_readers = gauge(
            "channels_feed_readers", "Requests that wait for events of the feed, or follow them"
        )
        self._webhook_attempts = counter(
            "channels_webhook_attempts", "Attempts to deliver an event to a webhook", ["result"]
        )
        self._webhooks_disabled = counter(
            "channels_webhooks_disabled", "Webhooks that this process disabled", ["reason"]
        )
        self.webhook_overdue = gauge(
            "channels_webhook_overdue_seconds",
            "How long the delivery that has been due the longest waits to be sent",
        )
        self.webhook_streams_waiting = gauge(
            "channels_webhook_streams_waiting",
            "Streams of webhooks in which deliveries wait, also to be tried again",
        )
        self.search_indexed = gauge(
            "channels_search_indexed_share",
            "Share of older messages that searches find after an upgrade; 1 is all of them",
        )
        self.event_lag = histogram(
            "channels_event_lag_seconds",
            "Seconds from an event that this process needs until it receives it",
            buckets=_SECONDS,
        )

    def follow_consumers(self, consumers: Iterable[Consumer]) -> None:
        """Show how far the consumers of the event log are."""
        for consumer in consumers:
            self._log_lag.labels(consumer.name).set_function(
                partial(getattr, consumer, "lag_seconds")
            )
            self._log_lost.labels(consumer.name).set_function(partial(getattr, consumer, "lost"))

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

    def webhook_attempt(self, result: str) -> None:
        self._webhook_attempts.labels(result).inc()

    def webhook_disabled(self, reason: str) -> None:
        self._webhooks_disabled.labels(reason).inc()

    def pushes(self, platform: str, outcome: str, number: int) -> None:
        """Count what became of notifications."""
        self._pushes.labels(platform, outcome).inc(number)

    def review(self, outcome: str) -> None:
        self._reviews.labels(outcome).inc()

    def refusal(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)
