"""Lines in and lines out: how a body is cut, and how an answer ends that cannot go on."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.server.web.streams.ndjson import serve_stream
from groups.kernel.endpoint import (
    LINE_BYTES,
    Body,
    NdjsonBody,
    NdjsonStream,
    Response,
    endpoints_of,
    post,
)
from groups.kernel.errors import Unavailable

Serve = Callable[..., Awaitable[TestClient[web.Request, web.Application]]]
LONG = b"x" * LINE_BYTES


class Line(Body):
    """What a line would hold."""


class Told(Response):
    """A list of lines that came together; None in place of one that was too long."""

    lines: list[str | None]


class EchoRoutes:
    """Tells the lines that came, until one says how to go wrong."""

    tag = "Echo"

    @post("/echo")
    async def echo(self, lines: NdjsonBody[Line]) -> NdjsonStream[Told]:
        """Echo."""
        return NdjsonStream(self._echo(lines))

    async def _echo(self, lines: NdjsonBody[Line]) -> AsyncGenerator[Told, None]:
        async for chunk in lines.chunks:
            if b"broken" in chunk:
                raise ValueError("a secret of ours")
            if b"away" in chunk:
                raise Unavailable
            yield Told(lines=[line if line is None else line.decode() for line in chunk])


@pytest.fixture
async def serve(aiohttp_client: Any) -> TestClient[web.Request, web.Application]:
    (endpoint,) = endpoints_of(EchoRoutes())

    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve_stream(endpoint, request, {}, {"X-Request-Id": "r1"})

    app = web.Application()
    app.router.add_post("/echo", handle)
    client: TestClient[web.Request, web.Application] = await aiohttp_client(TestServer(app))
    return client


async def told_of(
    client: TestClient[web.Request, web.Application], *pieces: bytes
) -> list[dict[str, Any]]:
    """The answer to a body that comes in these pieces."""

    async def body() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece
            await asyncio.sleep(0)

    headers = {"Content-Type": "application/x-ndjson"}
    async with client.post("/echo", data=body(), headers=headers) as response:
        assert response.status == 200
        assert response.headers["X-Request-Id"] == "r1"
        return [json.loads(line) async for line in response.content]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a\nb"], ["a", "b"]),
        ([b"a", b"b\nc", b"\n"], ["ab", "c"]),
        ([b"\n\na\n"], ["", "", "a"]),
        ([b"a\r\n"], ["a\r"]),
        ([LONG + b"\na"], [LONG.decode(), "a"]),
        ([LONG + b"x\na"], [None, "a"]),
        ([b"a\n" + LONG, LONG, b"x\nb\n"], ["a", None, "b"]),
        ([LONG * 40], [None]),
        ([LONG * 40 + b"\n"], [None]),
        ([b""], []),
    ],
)
async def test_a_body_is_cut_into_its_lines_however_it_comes(
    serve: TestClient[web.Request, web.Application],
    pieces: list[bytes],
    lines: list[str | None],
) -> None:
    told = await told_of(serve, *pieces)
    assert [line for chunk in told for line in chunk["lines"]] == lines


async def test_an_error_in_the_middle_is_the_last_line(
    serve: TestClient[web.Request, web.Application], caplog: pytest.LogCaptureFixture
) -> None:
    away = (await told_of(serve, b"away\n"))[-1]
    assert away == {"error": {"code": Unavailable.code, "detail": Unavailable.summary}}
    broken = (await told_of(serve, b"broken\n"))[-1]
    assert broken["error"]["code"] == "internal_error"
    assert "secret" not in str(broken)
