"""The load generator: many connections that each send a prepared request, wait for the response, and send the next.

It writes prepared bytes of HTTP/1.1, and reads only the status and the length of a response: a client library would
cost more than the servers it measures. It runs in a process of its own and reports the processor time that it used, so
that a report can show that it was not the bottleneck.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Final, cast

import uvloop

from channels.bench.child import Child
from channels.bench.cpu import CpuSeconds

STALL_SECONDS: Final = 30.0
"""How long a run waits after its end for the last responses, before it counts them as missing."""


@dataclass(frozen=True, slots=True)
class Job:
    """The requests to send: each once, or in a cycle for `seconds`."""

    host: str
    port: int
    requests: Sequence[bytes]
    connections: int
    seconds: float
    is_cycle: bool


@dataclass(slots=True)
class Outcome:
    """The outcome of a job. `latencies` holds the seconds of each success (2xx); `cpu_seconds` is the generator's."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    missing: int = 0
    spent: CpuSeconds = field(default_factory=CpuSeconds)
    """Processor time of the server and of its database meanwhile."""

    @property
    def per_second(self) -> float:
        """Successes a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def busy(self) -> float:
        """The share of one core that the generator used."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def latency_text(self) -> str:
        """The median and the 99th percentile."""
        return f"p50 {self.quantile(0.5) * 1000:.1f} ms, p99 {self.quantile(0.99) * 1000:.1f} ms"

    def quantile(self, share: float) -> float:
        """The latency in seconds of this share of the successes, or less."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def refused(self) -> Counter[str]:
        """How often which other status came; `no response` is one of them."""
        found = Counter(
            {str(status): count for status, count in self.statuses.items() if not _is_ok(status)}
        )
        if self.missing:
            found["no response"] = self.missing
        return found

    def some(self) -> "Outcome":
        """This outcome, if there was any success; what was refused is in `refused`."""
        if not self.latencies:
            raise LoadFailed(f"no success; refused: {dict(self.refused)}")
        return self

    def only(self, *statuses: int) -> "Outcome":
        """This outcome, if every response had one of these statuses."""
        if self.missing or set(self.statuses) - set(statuses) or not self.latencies:
            said = ", ".join(f"{count} x {status}" for status, count in self.statuses.items())
            raise LoadFailed(f"responses: {said or 'none'}; missing: {self.missing}")
        return self


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of jobs that ran at the same time, in one process. `spent` stays empty."""
    whole = Outcome(
        seconds=max(each.seconds for each in outcomes),
        cpu_seconds=max(each.cpu_seconds for each in outcomes),
    )
    for each in outcomes:
        whole.latencies += each.latencies
        whole.statuses += each.statuses
        whole.missing += each.missing
    return whole


def _is_ok(status: int) -> bool:
    return 200 <= status < 300


class LoadFailed(Exception):
    """Raised wherever load is sent: the responses are not those of a working server, so nothing was measured."""


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    if body:
        lines += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return lines.encode() + b"\r\n" + body


class _Run:
    """The state that all connections of one job share."""

    def __init__(self, job: Job) -> None:
        self.requests = cycle(job.requests) if job.is_cycle else iter(job.requests)
        self.deadline = 0.0
        self.outcome = Outcome()
        self.busy = 0
        self.ended = asyncio.Event()


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._sent_at = 0.0
        self._buffer = b""
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def send_next(self) -> None:
        self._sent_at = time.perf_counter()
        if self._sent_at >= self._run.deadline:
            return
        following = next(self._run.requests, None)
        if following is not None:
            self._run.busy += 1
            self._is_waiting = True
            self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        place = buffer.find(b"Content-Length: ", 0, end + 2) if end >= 0 else -1
        length = int(buffer[place + 16 : buffer.find(b"\r\n", place)]) if place >= 0 else 0
        if end < 0 or len(buffer) < end + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        self._is_waiting = False
        run = self._run
        status = int(buffer[9:12])
        if _is_ok(status):
            run.outcome.latencies.append(time.perf_counter() - self._sent_at)
        run.outcome.statuses[status] += 1
        run.busy -= 1
        self.send_next()
        if not run.busy:
            run.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._run.outcome.missing += 1
            self._run.busy -= 1
            if not self._run.busy:
                self._run.ended.set()


async def drive(job: Job) -> Outcome:
    """Do the job in this process."""
    loop = asyncio.get_running_loop()
    run = _Run(job)
    pairs = [
        await loop.create_connection(lambda: _Caller(run), job.host, job.port)
        for _ in range(job.connections)
    ]
    cpu_before, started = time.process_time(), time.perf_counter()
    run.deadline = started + job.seconds
    for _, caller in pairs:
        caller.send_next()
    try:
        if run.busy:
            await asyncio.wait_for(run.ended.wait(), job.seconds + STALL_SECONDS)
    except TimeoutError:
        run.outcome.missing += run.busy
    run.outcome.seconds = time.perf_counter() - started
    run.outcome.cpu_seconds = time.process_time() - cpu_before
    for transport, _ in pairs:
        transport.close()
    return run.outcome


async def drive_all(jobs: Sequence[Job]) -> list[Outcome]:
    """Do these jobs at the same time in this process. Each outcome has the processor time of all."""
    return await asyncio.gather(*(drive(job) for job in jobs))


def _serve(pipe: Connection) -> None:
    while True:
        try:
            jobs = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(uvloop.run(drive_all(jobs)))
        # The other process decides what the error means. It would wait forever for a generator that died.
        except Exception as error:
            pipe.send(LoadFailed(repr(error)))


class Generator(Child):
    """A process that does one job after the other."""

    def __init__(self) -> None:
        super().__init__(_serve)

    async def drive(self, job: Job) -> Outcome:
        """Do the job in the process."""
        (outcome,) = await self.drive_all([job])
        return outcome

    async def drive_all(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Do these jobs at the same time in the process. Each outcome has the processor time of all."""
        outcomes: list[Outcome] | LoadFailed = await self.ask(jobs)
        if isinstance(outcomes, LoadFailed):
            raise outcomes
        return outcomes
