"""Traces by OpenTelemetry: a span for each request, for each batch of writes, and for each database command in them.

`channels.server.run` imports it only when `CHANNELS_TRACING=otel`, so that a server without traces neither needs the
libraries nor pays for them. The exporter and the sampler are configured by the standard `OTEL_…` variables.

Promises:
    A span of ours names routes, never paths: no id of a user, group or channel, no query and no text is in it. (An
    error of the database may name a key.)
    A request continues the trace of its `traceparent` header.
    The span of a batch links to the requests that it serves: each waited for it, and none is its only cause.
    Commands of the database outside of any request or batch, such as the change stream's, make no traces.
    The collector never delays a request: spans are sent by a thread, and dropped when too many wait.
"""

import asyncio
import weakref
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from aiohttp import web
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from channels.server.web.protocol import Serve
from channels.server.web.request import Request
from channels.server.web.router import Router
from channels.server.web.server import OPERATIONS, SOCKET_PATH, UNROUTED
from groups.kernel.errors import DomainError

MOST_LINKS: Final = 128  # of a batch, as the SDK's own limit
CLOSE_MILLISECONDS: Final = 3_000  # that a collector has for the last spans when the server stops


class _WithinOthers(Sampler):
    """Drops spans that belong to no other one; of the rest decides the given sampler."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        return f"WithinOthers({self._sampler.get_description()})"


class Tracing:
    """The traces of this process, from `start` to `stop`. The database's client is connected in between."""

    def __init__(self, processor: SpanProcessor | None = None) -> None:
        """`processor` takes the finished spans; None: they are sent as the `OTEL_EXPORTER_OTLP_…` variables say."""
        resource = Resource.create()
        if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: "channels"}))
        # The sampler is the one that the environment names.
        self._provider = TracerProvider(resource=resource)
        self._database_provider = TracerProvider(
            resource=resource, sampler=_WithinOthers(self._provider.sampler)
        )
        processor = processor or BatchSpanProcessor(OTLPSpanExporter())
        for provider in (self._provider, self._database_provider):
            provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("channels")
        self._propagator = TraceContextTextMapPropagator()
        self._callers: MutableMapping[asyncio.Future[Any], SpanContext] = (
            weakref.WeakKeyDictionary()
        )

    def start(self) -> None:
        """Trace the clients that are made from now on: of the database, and of calls to other servers."""
        PymongoInstrumentor().instrument(tracer_provider=self._database_provider)
        AioHttpClientInstrumentor().instrument(
            tracer_provider=self._provider, url_filter=_without_query
        )

    async def stop(self) -> None:
        """Send the last spans, for at most `CLOSE_MILLISECONDS`."""
        PymongoInstrumentor().uninstrument()
        AioHttpClientInstrumentor().uninstrument()
        # In a thread, since it waits for the collector.
        await asyncio.to_thread(self._provider.force_flush, CLOSE_MILLISECONDS)
        await asyncio.to_thread(self._provider.shutdown)

    def served(self, serve: Serve, router: Router) -> Serve:
        """`serve`, in a span for each request but those of sockets and of monitoring."""

        async def traced(request: web.BaseRequest) -> web.StreamResponse:
            route = _route_of(request, router)
            if route == SOCKET_PATH or route in OPERATIONS:
                return await serve(request)
            # Methods of unknown routes are whatever clients send.
            method = request.method if route != UNROUTED else "_OTHER"
            with self._tracer.start_as_current_span(
                f"{method} {route}",
                context=self._propagator.extract(request.headers, Context()),
                kind=SpanKind.SERVER,
                attributes={"http.request.method": method, "http.route": route},
            ) as span:
                response = await serve(request)
                span.set_attribute("http.response.status_code", response.status)
                if isinstance(request, Request):
                    span.set_attribute("request_id", request.request_id)
                if response.status >= 500:
                    span.set_status(StatusCode.ERROR)
                return response

        return traced

    def submitted(self, caller: asyncio.Future[Any]) -> None:
        """Remember the span that waits for this entry of a batch."""
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            self._callers[caller] = context

    @staticmethod
    def add_ids(_: object, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Add the ids of the current trace and span to a line of the log (a processor of structlog)."""
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            entry["trace_id"] = format(context.trace_id, "032x")
            entry["span_id"] = format(context.span_id, "016x")
        return entry

    @contextmanager
    def batch(self, name: str, callers: Sequence[asyncio.Future[Any]]) -> Iterator[None]:
        """The span of a batch: a trace of its own, with links to those who wait for it."""
        waiting = [self._callers[caller] for caller in callers if caller in self._callers]
        # Without the context of the task: that of whichever request happened to begin it.
        with self._tracer.start_as_current_span(
            f"commit {name}",
            context=Context(),
            attributes={"batch.entries": len(callers)},
            links=[Link(context) for context in waiting[:MOST_LINKS]],
        ):
            yield


def _route_of(request: web.BaseRequest, router: Router) -> str:
    try:
        return router.find(request.method, request.rel_url.raw_path).route.path
    except DomainError:
        return UNROUTED


def _without_query(url: Any) -> str:
    return str(url.with_query(None).with_user(None))
