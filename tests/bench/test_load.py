"""The load generator counts the responses, and reports those that are missing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

import pytest

from channels.bench import load
from channels.bench.load import Job, LoadFailed, drive, drive_all, request, together

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Answer = Callable[[int], list[bytes]]


class Answering(asyncio.Protocol):
    """Answers the n-th request of all with these pieces, a moment apart. Closes the connection if there are none."""

    def __init__(self, answer: Answer, numbers: Iterator[int]) -> None:
        self._answer, self._numbers = answer, numbers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self._send(self._answer(next(self._numbers)))

    def _send(self, pieces: list[bytes]) -> None:
        if not pieces:
            self._transport.close()
            return
        self._transport.write(pieces[0])
        if pieces[1:]:
            asyncio.get_running_loop().call_later(0.001, self._send, pieces[1:])


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[int]:
    """A server with these answers. Yields its port."""
    numbers = count(1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(answer, numbers), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def job(port: int, calls: int, *, connections: int = 4, is_cycle: bool = False) -> Job:
    requests = [request("GET", f"/{number}", "token") for number in range(calls)]
    return Job("127.0.0.1", port, requests, connections, 5.0 if not is_cycle else 0.2, is_cycle)


async def test_each_request_is_sent_once_and_its_answer_counted() -> None:
    async with answering(lambda n: [OK]) as port:
        outcome = await drive(job(port, 50))
    assert outcome.statuses == {200: 50}
    assert len(outcome.latencies) == 50
    assert outcome.missing == 0
    assert outcome.only(200) is outcome


async def test_an_answer_in_pieces_is_one_answer() -> None:
    async with answering(lambda n: [OK[:7], OK[7:30], OK[30:-1], OK[-1:]]) as port:
        outcome = await drive(job(port, 10))
    assert outcome.statuses == {200: 10}


async def test_a_cycle_of_requests_lasts_as_long_as_asked() -> None:
    async with answering(lambda n: [OK]) as port:
        outcome = await drive(job(port, 2, is_cycle=True))
    assert len(outcome.latencies) > 2  # each request more than once
    assert 0.15 < outcome.seconds < 5
    assert outcome.per_second == len(outcome.latencies) / outcome.seconds


async def test_an_answer_that_does_not_come_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "STALL_SECONDS", 0.5)
    async with answering(lambda n: [OK] if n < 5 else []) as port:
        outcome = await drive(job(port, 20, connections=1))
    assert (len(outcome.latencies), outcome.missing) == (4, 1)
    with pytest.raises(LoadFailed, match="missing: 1"):
        outcome.only(200)


async def test_refusals_are_counted_and_are_no_successes() -> None:
    refusal = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
    async with answering(lambda n: [refusal if n % 5 == 0 else OK]) as port:
        outcome = await drive(job(port, 20))
    assert len(outcome.latencies) == 16
    assert outcome.per_second == 16 / outcome.seconds
    assert outcome.refused == {"503": 4}
    assert outcome.some() is outcome


async def test_a_load_without_any_success_failed() -> None:
    refusal = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
    async with answering(lambda n: [refusal]) as port:
        outcome = await drive(job(port, 3))
    with pytest.raises(LoadFailed, match=r"no success.*503"):
        outcome.some()


async def test_several_jobs_at_once_make_one_outcome() -> None:
    async with answering(lambda n: [OK]) as one, answering(lambda n: [OK] if n < 3 else []) as two:
        both = together(await drive_all([job(one, 5), job(two, 5, connections=1)]))
    assert both.statuses == {200: 7}
    assert len(both.latencies) == 7
    assert both.refused == {"no response": 1}


async def test_an_unexpected_status_fails_the_measurement() -> None:
    refusal = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
    async with answering(lambda n: [refusal if n == 3 else OK]) as port:
        outcome = await drive(job(port, 5, connections=1))
    with pytest.raises(LoadFailed, match="1 x 503"):
        outcome.only(200)
