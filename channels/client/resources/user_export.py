"""The export of a user, line by line, through lost connections.

Promises:
    Each line once: lines are yielded when the cursor behind them has come, and a connection that breaks before goes on
    from the last cursor.
    Complete: it ends when the server has said that it is the end, else with an error.
    Bounded: memory holds what is between two cursors, a page of the server.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import aiohttp

from channels.client.errors import NoAnswer, RateLimited, Unavailable
from channels.client.models import ExportLine
from channels.client.resources.base import Resource, parsed
from channels.client.transport import Transport, path_of


class UserExport(Resource):
    """All that the server stores of a user, as lines, the first of the type `start`.

    Lost connections and refusals for now are retried within the bounds of the client, counted from the last line.
    `cursor` is where to go on: it moves when all lines before it have been yielded, so store it, and a program that
    ended goes on with `client.users.export(cursor=…)`, without `start`.
    """

    def __init__(self, transport: Transport, user_id: str, cursor: str | None) -> None:
        super().__init__(transport)
        self._path = path_of("users", user_id, "export")
        self.cursor = cursor

    async def __aiter__(self) -> AsyncIterator[ExportLine]:
        began, failures = time.monotonic(), 0
        while True:
            error: NoAnswer | RateLimited | Unavailable
            page: list[ExportLine] = []
            try:
                async with aclosing(self._lines()) as lines:
                    async for line in lines:
                        if line.type not in {"cursor", "end"}:
                            page.append(line)
                            continue
                        for each in page:
                            yield each
                        page.clear()
                        began, failures = time.monotonic(), 0
                        if line.type == "end":
                            return
                        self.cursor = line.data["cursor"]
                error = NoAnswer("The export ended before its last line")
            except (NoAnswer, RateLimited, Unavailable) as reason:
                error = reason
            failures += 1
            wait = getattr(error, "retry_after_seconds", None)
            spent = time.monotonic() - began
            pause = self._transport.retries.next_pause(failures, spent, wait)
            if pause is None:
                raise error
            await asyncio.sleep(pause)

    async def _lines(self) -> AsyncGenerator[ExportLine, None]:
        query = {"cursor": self.cursor}
        async with self._transport.stream("GET", self._path, query=query) as body:
            async for line in _split(body):
                yield parsed(ExportLine, line)


async def _split(body: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a body, of any length; what a broken connection leaves of a line is none."""
    rest = b""
    async for piece in body.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
