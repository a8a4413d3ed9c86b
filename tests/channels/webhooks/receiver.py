"""A receiver of webhooks on loopback, which answers as a test tells it to."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Final

from aiohttp import web

from channels.server.options import ServiceOptions
from tests.api import PATIENCE_SECONDS, Answer, Api, User

LOOPBACK: Final = ServiceOptions(webhook_allowed_networks=(ip_network("127.0.0.0/8"),))
"""The options of a server that may send to receivers of tests."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event = json.loads(self.body)
        assert isinstance(event, dict)
        return event

    @property
    def text(self) -> str:
        """The text of the post that the event tells of."""
        event = self.event
        shown = event.get("post") or event["message"]
        return str(shown["text"])


Reply = Callable[[Received], Awaitable[web.Response]]


async def _ok(_: Received) -> web.Response:
    return web.Response(status=204)


def answering(status: int, text: str = "", **headers: str) -> Reply:
    """Answers every request so."""

    async def reply(_: Received) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return reply


async def hanging(_: Received) -> web.Response:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


@dataclass(slots=True)
class Receiver:
    """Keeps what it receives, by path."""

    base: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    received: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        found = Received(request.path, dict(request.headers), (await request.read()).decode())
        # Lower case, as the specification names headers.
        found = Received(found.path, {k.lower(): v for k, v in found.headers.items()}, found.body)
        self.received[found.path].append(found)
        return await self.replies.get(found.path, _ok)(found)

    def url(self, path: str) -> str:
        return self.base + path

    async def wait_for(self, path: str, count: int) -> list[Received]:
        """The first requests to this path, once there are so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.received[path]) < count:
                await asyncio.sleep(0.01)
        return self.received[path][:count]

    async def wait_for_types(self, path: str, *types: str) -> None:
        """Wait until the last events of these types that were received are these, in this order."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                received = [each.event["type"] for each in self.received[path]]
                if [each for each in received if each in types][-len(types) :] == list(types):
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.base = f"http://{host}:{port}"
        yield receiver
    finally:
        await runner.cleanup()


async def a_webhook(user: User, path: str, url: str, *types: str, **body: Any) -> dict[str, Any]:
    """Create a webhook; returns it with its `secret`, and its `path`."""
    created = await user.post(f"{path}/webhooks", {"url": url, "event_types": list(types), **body})
    assert created.status == 201, created
    webhook = created.body
    assert isinstance(webhook, dict)
    return {**webhook, "path": f"{path}/webhooks/{webhook['webhook_id']}"}


async def until_delivery(
    user: User, webhook: Mapping[str, Any], is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The newest delivery for which this holds, once there is one."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed: Answer = await user.get(f"{webhook['path']}/deliveries")
            for item in listed.items:
                if is_so(item):
                    assert isinstance(item, dict)
                    return item
            await asyncio.sleep(0.02)


async def caught_up(api: Api) -> None:
    """Return when the consumer has written down all that is committed now."""
    await api.services.log.sequencer.run()
    await api.services.webhooks.consumer.catch_up()
