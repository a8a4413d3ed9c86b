"""Traces: a span for each request, batch and database command, without a word of what was sent."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import structlog
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from channels.server import logs
from channels.server.run import _tracing
from channels.server.settings import Settings
from channels.server.startup import StartupError
from channels.server.tracing import Tracing
from tests.api import Api, User, a_chat_group, open_api, open_database
from tests.channels.test_before_post import a_reviewer

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def tracing(exporter: InMemorySpanExporter) -> AsyncIterator[Tracing]:
    tracing = Tracing(SimpleSpanProcessor(exporter))
    tracing.start()
    yield tracing
    await tracing.stop()


@pytest.fixture
async def server(tracing: Tracing, mongod_uri: str) -> AsyncIterator[Api]:
    async with AsyncExitStack() as stack:
        reviewer = await stack.enter_async_context(a_reviewer())
        # A connection of its own: those that were made before are not traced.
        database = await stack.enter_async_context(open_database(mongod_uri))
        database.batch_tracing = tracing
        yield await stack.enter_async_context(
            open_api(database, traced=tracing.served, options=reviewer.options())
        )


async def spans_of(
    exporter: InMemorySpanExporter, wanted: Callable[[ReadableSpan], bool]
) -> list[ReadableSpan]:
    """The finished spans like this, as soon as there are some."""
    async with asyncio.timeout(10):
        while not (found := [each for each in exporter.get_finished_spans() if wanted(each)]):
            await asyncio.sleep(0.01)
    return found


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    trace_id: int = span.context.trace_id
    return trace_id


def attribute(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


async def post(user: User, path: str, text: str, **headers: str) -> None:
    body = {"kind": "text", "text": text}
    made = await user.call("POST", f"{path}/messages", body, headers=headers)
    assert made.status == 201, made


async def test_a_request_its_commands_and_its_calls_are_one_trace_that_goes_on_from_its_caller(
    server: Api, exporter: InMemorySpanExporter
) -> None:
    ada = server.new_user("ada-of-the-secret")
    group = await a_chat_group(ada)
    exporter.clear()
    with suppress_http_instrumentation():  # of the test's own client
        await post(ada, group, "a secret text", traceparent=f"00-{TRACE}-{SPAN}-01")
    name = "POST /v1/groups/{group_id}/messages"
    [request] = await spans_of(
        exporter, lambda span: span.name == name and span.kind is SpanKind.SERVER
    )
    assert format(trace_of(request), "032x") == TRACE
    assert request.parent is not None
    assert format(request.parent.span_id, "016x") == SPAN
    assert attribute(request, "http.response.status_code") == 201
    assert attribute(request, "request_id")
    spans = exporter.get_finished_spans()
    of_request = [span for span in spans if trace_of(span) == trace_of(request)]
    assert any(span.kind is SpanKind.CLIENT and "POST" in span.name for span in of_request), (
        "the review is asked in the same trace"
    )
    # The commit is a trace of its own, which names the request.
    [batch] = await spans_of(exporter, lambda span: span.name == "commit posts")
    assert [link.context.trace_id for link in batch.links] == [trace_of(request)]
    assert batch.parent is None
    assert trace_of(batch) != trace_of(request)
    commands = [span for span in spans if trace_of(span) == trace_of(batch)]
    assert any(span.name.endswith(".commitTransaction") for span in commands), [
        span.name for span in commands
    ]
    # What was said, and by whom, is in none of them.
    assert "secret" not in " ".join(span.to_json() for span in spans)


async def test_the_span_of_a_batch_links_to_all_requests_that_it_serves(
    server: Api, exporter: InMemorySpanExporter
) -> None:
    ada = server.new_user("ada")
    group = await a_chat_group(ada)
    exporter.clear()
    await asyncio.gather(*(post(ada, group, f"{i}") for i in range(12)))
    batches = [span for span in exporter.get_finished_spans() if span.name == "commit posts"]
    requests = {
        span.context.span_id
        for span in exporter.get_finished_spans()
        if span.kind is SpanKind.SERVER and span.context
    }
    linked = [link.context.span_id for batch in batches for link in batch.links]
    assert sorted(linked) == sorted(requests)
    assert sum(int(str(attribute(batch, "batch.entries"))) for batch in batches) == 12


async def test_sockets_monitoring_and_background_work_make_no_traces_and_unknown_paths_no_names(
    server: Api, exporter: InMemorySpanExporter
) -> None:
    ada = server.new_user("ada")
    ears = await ada.socket()
    await ears.close()
    exporter.clear()
    for path in ("/healthz", "/readyz", "/metrics"):
        await server.bearer(None).get(path)
    await server.services.log.head.wait_beyond(10**9, 0.3)
    assert [
        span.name for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER
    ] == []
    assert not [
        span.name
        for span in exporter.get_finished_spans()
        if span.parent is None and attribute(span, "db.system") == "mongodb"
    ]
    await server.bearer(None).get("/v1/secret-path?secret=1")
    [unknown] = await spans_of(exporter, lambda span: span.kind is SpanKind.SERVER)
    assert unknown.name == "_OTHER other"
    assert "secret" not in unknown.to_json()


def test_a_line_of_the_log_has_the_ids_of_its_trace(
    exporter: InMemorySpanExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    tracing, root = Tracing(SimpleSpanProcessor(exporter)), logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        logs.configure("json", processors=[tracing.add_ids])
        with tracing.batch("posts", []):
            structlog.get_logger("channels").warning("within")
        structlog.get_logger("channels").warning("outside")
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()
    within, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    [span] = exporter.get_finished_spans()
    assert within["trace_id"] == format(trace_of(span), "032x")
    assert "trace_id" not in outside


def test_without_the_setting_nothing_of_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHANNELS_TRACING", "CHANNELS_MONGODB_URI"):
        monkeypatch.delenv(name, raising=False)
    assert _tracing(Settings.load()) is None
    program = (
        "import channels.server.run, sys; print([m for m in sys.modules if 'opentelemetry' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    # Where the extra is not installed, the start says how to install it.
    monkeypatch.setitem(sys.modules, "channels.server.tracing", None)
    with pytest.raises(StartupError, match="otel"):
        _tracing(Settings.load(tracing="otel"))
