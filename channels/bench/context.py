"""What all cases share: the plan, the deployment, the load generator, users with tokens, channels with subscribers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from channels.bench.load import Generator, Job, LoadFailed, Outcome, request
from channels.bench.plan import Plan
from channels.bench.processes import Address, Deployment, Server
from channels.bench.store import BenchStore

APP: Final = "bench-app"
"""The application's back end, which owns every channel of the run."""
TOKEN_SECONDS: Final = 6 * 3600
SETUP_SECONDS: Final = 240.0
CALLERS: Final = 64  # connections for calls that prepare a case
UPLOAD_LINES: Final = 5_000  # lines of the import that are sent together


class ImportFailed(Exception):
    """The bulk import failed. The message holds its response."""


class NoSuchCall(ImportFailed):
    """The server does not offer the bulk import."""


@dataclass(slots=True)
class BenchContext:
    """The state of a run."""

    plan: Plan
    deployment: Deployment
    store: BenchStore
    generator: Generator
    server: Server
    say: Callable[[str], None]
    """Shows what is being done."""
    made: dict[int, str] = field(default_factory=dict)
    """Channels by their number of subscribers."""
    subscribed: list[str] = field(default_factory=list)
    """Users whom the subscribe case subscribed to `hot`, and who have not reacted yet."""
    hot: str = ""
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, user: str) -> str:
        """A token of the user; for `APP`, of the application's back end."""
        token = self._tokens.get(user)
        if token is None:
            claims: dict[str, Any] = {"sub": user, "exp": int(time.time()) + TOKEN_SECONDS}
            if user == APP:
                claims["scope"] = "admin"
            token = jwt.encode(claims, self.deployment.secret, algorithm="HS256")
            self._tokens[user] = token
        return token

    def request(self, method: str, path: str, user: str = APP, body: object = None) -> bytes:
        """The bytes of a request."""
        content = b"" if body is None else json.dumps(body).encode()
        return request(method, path, self.token(user), content)

    async def drive(
        self,
        requests: Sequence[bytes],
        *,
        connections: int,
        seconds: float | None = None,
        is_cycle: bool = False,
        address: Address | None = None,
        server: Server | None = None,
    ) -> Outcome:
        """Send the requests with the generator.

        Raises: LoadFailed.
        """
        where = address or (server or self.server).address
        length = self.plan.seconds if seconds is None else seconds
        job = Job(where.host, where.port, requests, connections, length, is_cycle)
        return await self.generator.drive(job)

    async def prepare(self, requests: Sequence[bytes], *, connections: int = CALLERS) -> None:
        """Send each request once; all must succeed.

        Raises: LoadFailed.
        """
        outcome = await self.drive(requests, connections=connections, seconds=SETUP_SECONDS)
        outcome.only(200, 201, 204)
        if len(outcome.latencies) < len(requests):
            raise LoadFailed(
                f"only {len(outcome.latencies)} of {len(requests)} calls finished in time"
            )

    async def channel(self, name: str, *, subscribers: int = 0) -> str:
        """Create a channel with this many subscribers besides its owner. Returns its name in paths."""
        body = {"channel_id": f"@TOA#_{name}", "name": name}
        await self.prepare([self.request("POST", "/v1/channels", APP, body)], connections=1)
        if subscribers:
            await self.import_users(name, (f"{name}-{number:07}" for number in range(subscribers)))
        return name

    async def post(self, channel: str, posts: int, *, text_bytes: int = 200) -> None:
        """Post this many texts to the channel."""
        body = {"kind": "text", "text": text_of(text_bytes)}
        path = f"/v1/channels/{channel}/posts"
        await self.prepare([self.request("POST", path, APP, body)] * posts, connections=1)

    async def import_users(
        self, channel: str, users: Iterable[str]
    ) -> tuple[dict[str, Any], float]:
        """Import the users into the channel. Returns the last line of the response, and the seconds.

        Raises: NoSuchCall; ImportFailed.
        """
        address = self.server.address
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=2**24)
        started = time.perf_counter()
        try:
            head = (
                f"POST /v1/channels/{channel}/subscribers HTTP/1.1\r\nHost: bench\r\n"
                f"Authorization: Bearer {self.token(APP)}\r\n"
                "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            writer.write(head.encode())
            sending = asyncio.create_task(_upload(writer, users))
            try:
                last = await _last_line(reader)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        finally:
            writer.close()
        return last, time.perf_counter() - started


def text_of(size_bytes: int) -> str:
    """A text of this size."""
    return ("The bridge is open again. " * (size_bytes // 26 + 1))[:size_bytes]


async def _upload(writer: asyncio.StreamWriter, users: Iterable[str]) -> None:
    lines: list[str] = []
    for user in users:
        lines.append(f'{{"user_id":"{user}"}}\n')
        if len(lines) == UPLOAD_LINES:
            await _send_chunk(writer, "".join(lines).encode())
            lines.clear()
    if lines:
        await _send_chunk(writer, "".join(lines).encode())
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _send_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _last_line(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    if status in {404, 405}:
        raise NoSuchCall(f"the server responds with {status}")
    if status != 200:
        raise ImportFailed(head.decode(errors="replace"))
    last = b""
    async for line in _lines(reader):
        last = line
    parsed: dict[str, Any] = json.loads(last)
    if not parsed.get("done"):
        raise ImportFailed(last.decode(errors="replace")[:500])
    return parsed


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a chunked body."""
    rest = b""
    while size := int(await reader.readline(), 16):
        data = rest + await reader.readexactly(size)
        await reader.readexactly(2)
        *whole, rest = data.split(b"\n")
        for line in whole:
            yield line


@asynccontextmanager
async def opened(*closables: Any) -> AsyncIterator[None]:
    """Close these objects at the end."""
    async with AsyncExitStack() as stack:
        for closable in closables:
            stack.callback(closable.close)
        yield
