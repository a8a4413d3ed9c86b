"""Load at a fixed rate, from a process of its own: it does not wait for earlier answers.

A client that waits for each answer slows down with the server and never overloads it. This one sends on any idle
connection, and counts accepted and refused requests separately.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final, cast

import uvloop

STEP_SECONDS: Final = 0.005
PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rush:
    """A rate, a duration, and the requests to send in a cycle."""

    host: str
    port: int
    requests: Sequence[bytes]
    per_second: float
    seconds: float
    connections: int


@dataclass(slots=True)
class RushOutcome:
    """The outcome of a rush; latencies are seconds from sending a request to its whole answer."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    """Refusals without a `Retry-After` header."""
    unanswered: int = 0
    unsent: int = 0
    """Requests that were due while every connection waited for an answer."""
    seconds: float = 0.0


def quantile(latencies: Sequence[float], share: float) -> float:
    """The latency that this share of them does not reach."""
    return sorted(latencies)[min(len(latencies) - 1, int(share * len(latencies)))]


class _Caller(asyncio.Protocol):
    def __init__(self, outcome: RushOutcome, idle: "deque[_Caller]") -> None:
        self._outcome = outcome
        self._idle = idle
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.sent_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._idle.append(self)

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self.sent_at = time.perf_counter()
        self._transport.write(request)

    @property
    def is_closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        head, _, body = buffer.partition(b"\r\n\r\n")
        place = head.find(b"Content-Length: ")
        length = int(head[place + 16 :].partition(b"\r\n")[0]) if place >= 0 else 0
        if len(head) == len(buffer) or len(body) < length or self.sent_at is None:
            self._buffer = buffer
            return
        self._buffer = b""
        seconds, status = time.perf_counter() - self.sent_at, int(head[9:12])
        self.sent_at = None
        outcome = self._outcome
        outcome.statuses[status] += 1
        if status < 400:
            outcome.accepted.append(seconds)
        else:
            outcome.refused.append(seconds)
            outcome.without_retry_after += b"\r\nRetry-After: " not in head
        self._idle.append(self)


async def rush(job: Rush) -> RushOutcome:
    """Run the job in this process."""
    loop = asyncio.get_running_loop()
    outcome, idle = RushOutcome(), deque[_Caller]()
    callers = [
        (await loop.create_connection(lambda: _Caller(outcome, idle), job.host, job.port))[1]
        for _ in range(job.connections)
    ]
    started, due = time.perf_counter(), 0
    while (now := time.perf_counter()) < started + job.seconds:
        while due < (now - started) * job.per_second:
            # In turn, since the server closes idle connections, and the time to open a new one is not measured.
            while idle and idle[0].is_closed:
                idle.popleft()
            if idle:
                idle.popleft().send(job.requests[due % len(job.requests)])
            else:
                outcome.unsent += 1
            due += 1
        await asyncio.sleep(STEP_SECONDS)
    outcome.seconds = time.perf_counter() - started
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while any(caller.sent_at for caller in callers) and time.perf_counter() < deadline:
        await asyncio.sleep(STEP_SECONDS)
    outcome.unanswered = sum(caller.sent_at is not None for caller in callers)
    for caller in callers:
        caller.close()
    return outcome


def serve(pipe: Connection) -> None:
    """Run jobs until the pipe closes (the function of a `Child`)."""
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(uvloop.run(rush(job)))
