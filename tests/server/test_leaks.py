"""An hour's coming and going in a few seconds: what a client leaves behind when it has gone, which is nothing."""

import asyncio
import gc
import time
from collections import Counter
from dataclasses import replace
from typing import Final

import aiohttp
from aiohttp import web

from channels.server.realtime.hub import Hub
from channels.server.realtime.session import SocketSession
from channels.server.web.protocol import Connection
from groups.kernel.mongo import Database
from tests.api import PATIENCE_SECONDS, Api, User, a_channel, a_post, conversation_of
from tests.conftest import OpenApi

ROUND: Final = 20
ROUNDS: Final = 10
COUNTED: Final = (asyncio.Task, asyncio.TimerHandle, Connection, SocketSession, web.BaseRequest)


def alive() -> Counter[str]:
    """How many there are of each kind of thing that a leak would be made of."""
    gc.collect()
    found: Counter[str] = Counter()
    for thing in gc.get_objects():
        # By `type`: `isinstance` asks a weak proxy for its referent's class, and one whose referent is gone raises.
        kind = next((kind for kind in COUNTED if issubclass(type(thing), kind)), None)
        if kind is not None and not is_over(thing):
            found[kind.__name__] += 1
    return found


def is_over(thing: object) -> bool:
    """Whether it is done: a cancelled timer stays in the event loop's heap until a hundred of them are cleaned away."""
    if isinstance(thing, asyncio.Task):
        return thing.done()
    return isinstance(thing, asyncio.TimerHandle) and thing.cancelled()


async def a_visit(user: User, path: str) -> None:
    """Somebody comes, listens, watches, asks, is refused, and goes."""
    ears = await user.connect()
    await ears.frame()
    await ears.tell(type="watch", conversation_id=conversation_of(path))
    await user.get(f"{path}/posts")
    await user.get(f"{path}/inbox")
    await user.post(f"{path}/posts", {"kind": "text"})
    await user.call("POST", "/v1/media", data=b"")
    await user.get("/v1/channels?cursor=none")
    await ears.close()


async def visits(server: Api, path: str, times: int) -> None:
    """So many rounds of visitors, and the end of every connection of theirs."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        for _ in range(times):
            visitors = [replace(server.new_user("visitor"), http=http) for _ in range(ROUND)]
            await asyncio.gather(*(a_visit(visitor, path) for visitor in visitors))


async def open_cursors(database: Database) -> int:
    status = await database.collection("any").database.command("serverStatus")
    return int(status["metrics"]["cursor"]["open"]["total"])


def kept_by(hub: Hub) -> dict[str, int]:
    """How much the hub remembers of its sessions."""
    return {name: len(kept) for name, kept in vars(hub).items() if isinstance(kept, dict | set)}


async def test_users_that_came_and_went_leave_nothing_behind(
    api: OpenApi, database: Database
) -> None:
    server = await api()
    others = connections()  # of servers that the tests of this process share
    async with aiohttp.ClientSession() as http:
        ada = replace(server.new_user("ada"), http=http)
        path = await a_channel(ada)
        await a_post(ada, path)
    await visits(server, path, 2)  # what is made once is made by now
    await settled(others)
    before, cursors, kept = alive(), await open_cursors(database), kept_by(server.hub)

    async def left() -> list[object]:
        grown = alive() - before
        # The server has work of its own, which comes and goes; what each round leaves would be as many as the rounds.
        found: list[object] = [grown] if max(grown.values(), default=0) >= ROUNDS else []
        if kept_by(server.hub) != kept:
            found.append(kept_by(server.hub))
        if (open_now := await open_cursors(database)) > cursors + 1:
            found.append(f"{open_now} cursors, {cursors} before")
        return found

    await visits(server, path, ROUNDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    # A farewell takes its time on a busy machine; what leaks stays.
    while (found := await left()) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert not found


def connections() -> int:
    """How many there are in this process, and sessions on them."""
    found = alive()
    return found["SocketSession"] + found["Connection"]


async def settled(others: int) -> None:
    """Wait until no connection is left but those."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while connections() > others:
            await asyncio.sleep(0.1)
