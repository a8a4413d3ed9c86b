"""A socket client as documented: it receives events, finds missed ones by seq, and reads those over REST."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from tests.faults.audit import posts_after
from tests.faults.deployment import token
from tests.faults.load import Clients


@dataclass(slots=True)
class Listener:
    """Connects to one of `urls`, and to the next one when that ends. `seen` are the posts its user saw, in order."""

    clients: Clients
    urls: Sequence[str]
    user: str
    channel: str
    seen: list[int] = field(default_factory=list)
    sessions: list[list[int]] = field(default_factory=list)
    """The seqs that each connection received."""
    closed_with: list[int | None] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def path(self) -> str:
        return f"/v1/channels/{self.channel}"

    async def run(self) -> None:
        """Listen until cancelled."""
        headers = {"Authorization": f"Bearer {token(self.user)}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            number = 0
            while True:
                url = self.urls[number % len(self.urls)]
                with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                    async with session.ws_connect(f"{url}/v1/socket", timeout=_PATIENCE) as socket:
                        await self._hear(socket)
                        self.closed_with.append(socket.close_code)
                self.ready.clear()
                number += 1
                await asyncio.sleep(0.05)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        received: list[int] = []
        async for message in socket:
            frame = json.loads(message.data)
            if frame["type"] == "ready":
                self.sessions.append(received)
                await self._repair()
                self.ready.set()
            elif frame["type"] == "event" and frame["event"]["type"] == "message.posted":
                if frame["event"]["stream_id"] != f"group_@TOA#_{self.channel}":
                    continue
                received.append(frame["event"]["seq"])
                if received[-1] == self._last + 1:
                    self.seen.append(received[-1])
                elif received[-1] > self._last:
                    await self._repair()

    @property
    def _last(self) -> int:
        return self.seen[-1] if self.seen else 0

    async def _repair(self) -> None:
        self.seen += [
            item["seq"] for item in await posts_after(self.clients, self.path, self._last)
        ]

    async def until(self, seq: int, seconds: float = 30) -> None:
        """Wait until the user was shown this post."""
        async with asyncio.timeout(seconds):
            while self._last < seq:
                await asyncio.sleep(0.02)

    def check(self, head: int) -> None:
        """Check that every post was shown once, in order, and that no connection repeated, swapped or skipped one."""
        assert self.seen == list(range(1, head + 1)), f"{self.user} saw {self.seen}"
        for received in self.sessions:
            assert (
                received == list(range(received[0], received[0] + len(received)))
                if received
                else True
            ), received


_PATIENCE = aiohttp.ClientWSTimeout(ws_receive=90, ws_close=5)
