"""The event feed, webhooks, and the devices of a user.

Webhooks and devices are answered as plain dictionaries, with the fields of the API's reference.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from channels.client.errors import NoAnswer, RateLimited, Unavailable
from channels.client.events import Event, parse_event
from channels.client.models import Answer, Page
from channels.client.paging import Paged
from channels.client.resources.base import Resource, parsed
from channels.client.transport import Transport, path_of

WAIT_SECONDS: Final = 25
"""How long the server waits for the next event before it answers that there is none."""


class Object(Answer):
    """An answer whose fields are in `model_extra`."""


class FeedPage(Answer):
    """Events in order, and the cursor that goes on after them."""

    items: list[dict[str, Any]]
    cursor: str

    @property
    def events(self) -> list[Event]:
        return [parse_event(item) for item in self.items]


class EventFeed(Resource):
    """All events of a deployment or of a channel, in order, from a cursor on. It never ends.

    It survives restarts and lost connections of the server for any time, and ends with other errors: `Expired`
    (`events_expired`) when it was away for too long. `cursor` is where to go on: it moves when all events of a page
    have been yielded, so store it, and after a crash skip events whose `event_id` you have worked on.
    """

    def __init__(
        self,
        transport: Transport,
        after: str | None,
        types: Sequence[str] | None,
        channel_id: str | None,
        limit: int | None,
    ) -> None:
        super().__init__(transport)
        self.cursor = after
        self._filter = {"types": types, "channel_id": channel_id, "limit": limit}

    async def pages(self) -> AsyncIterator[FeedPage]:
        """Page after page, also those without events, which move the cursor on as well."""
        failures = 0
        while True:
            # Without a cursor the first page begins now, and must not wait: its cursor is what holds the place.
            wait = WAIT_SECONDS if self.cursor is not None else 0
            query = {**self._filter, "after": self.cursor, "wait": wait}
            try:
                answered = await self._transport.send(
                    "GET", path_of("events"), query=query, timeout_seconds=WAIT_SECONDS + 15
                )
            except (NoAnswer, Unavailable, RateLimited):
                failures += 1
                await asyncio.sleep(self._transport.retries.pause_seconds(min(failures, 10)))
                continue
            failures = 0
            page = parsed(FeedPage, answered.body)
            yield page
            self.cursor = page.cursor

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for page in self.pages():
            for event in page.events:
                yield event


class Events(Resource):
    """`client.events(after="start")`: the feed, for back ends and for admins with the grant `read_events`."""

    def __call__(
        self,
        after: str | None = None,
        *,
        types: Sequence[str] | None = None,
        channel_id: str | None = None,
        limit: int | None = None,
    ) -> EventFeed:
        """The events after a cursor; `start`: from the oldest that is kept; None: from now on."""
        return EventFeed(self._transport, after, types, channel_id, limit)


class Webhooks(Resource):
    """`client.webhooks`: endpoints that receive events, of the deployment, or of one channel with `channel_id`."""

    @staticmethod
    def _path(channel_id: str | None, *parts: object) -> tuple[object, ...]:
        above = () if channel_id is None else ("channels", channel_id)
        return (*above, "webhooks", *parts)

    async def create(
        self,
        url: str,
        *,
        channel_id: str | None = None,
        event_types: Sequence[str] = (),
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Make an endpoint; without `event_types` it receives all. The answer has its `secret`."""
        made = await self._call(
            "POST",
            Object,
            *self._path(channel_id),
            body={"url": url, "event_types": list(event_types), **fields},
            idempotency_key=idempotency_key,
        )
        return made.model_dump()

    def list(self, *, channel_id: str | None = None) -> Paged[dict[str, Any], Page[dict[str, Any]]]:
        return self._list(Page[dict[str, Any]], *self._path(channel_id))

    async def get(self, webhook_id: str, *, channel_id: str | None = None) -> dict[str, Any]:
        return (await self._get(Object, *self._path(channel_id, webhook_id))).model_dump()

    async def update(
        self, webhook_id: str, *, channel_id: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        path = self._path(channel_id, webhook_id)
        return (await self._call("PATCH", Object, *path, body=changes)).model_dump()

    async def delete(self, webhook_id: str, *, channel_id: str | None = None) -> None:
        await self._do("DELETE", *self._path(channel_id, webhook_id))


class Devices(Resource):
    """`client.devices`: the devices that ring for the user."""

    def list(self) -> Paged[dict[str, Any], Page[dict[str, Any]]]:
        return self._list(Page[dict[str, Any]], "devices")

    async def register(self, device_id: str, **device: Any) -> dict[str, Any]:
        """Register a device under an id of its own, or confirm it. Repeating it changes nothing."""
        return (await self._call("PUT", Object, "devices", device_id, body=device)).model_dump()

    async def remove(self, device_id: str) -> None:
        await self._do("DELETE", "devices", device_id)
