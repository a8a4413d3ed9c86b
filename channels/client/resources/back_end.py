"""The event feed, webhooks, and the devices of a user."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from typing_extensions import Unpack

from channels.client.errors import NoAnswer, RateLimited, Unavailable
from channels.client.events import Event, parse_event
from channels.client.models import (
    Answer,
    ChangeWebhook,
    CreateWebhook,
    Delivery,
    Device,
    Page,
    Push,
    RegisterDevice,
    Replayed,
    Webhook,
    WebhookWithSecret,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, parsed
from channels.client.transport import Transport, path_of

WAIT_SECONDS: Final = 25
"""How long the server waits for the next event before it answers that there is none."""


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
    """`client.webhooks`: the webhooks of the deployment, for back ends, or of one channel with `channel_id`."""

    @staticmethod
    def _path(channel_id: str | None, *parts: object) -> tuple[object, ...]:
        above = () if channel_id is None else ("channels", channel_id)
        return (*above, "webhooks", *parts)

    async def create(
        self,
        *,
        channel_id: str | None = None,
        idempotency_key: str | None = None,
        **webhook: Unpack[CreateWebhook],
    ) -> WebhookWithSecret:
        """Create a webhook; without `event_types` it receives all. The `secret` is not shown again."""
        return await self._call(
            "POST",
            WebhookWithSecret,
            *self._path(channel_id),
            body=webhook,
            idempotency_key=idempotency_key,
        )

    def list(
        self, *, channel_id: str | None = None, limit: int | None = None
    ) -> Paged[Webhook, Page[Webhook]]:
        return self._list(Page[Webhook], *self._path(channel_id), limit=limit)

    async def get(self, webhook_id: str, *, channel_id: str | None = None) -> Webhook:
        return await self._get(Webhook, *self._path(channel_id, webhook_id))

    async def update(
        self, webhook_id: str, *, channel_id: str | None = None, **changes: Unpack[ChangeWebhook]
    ) -> Webhook:
        """Change it, or enable or disable it. When it is enabled again, what waits is sent."""
        path = self._path(channel_id, webhook_id)
        return await self._call("PATCH", Webhook, *path, body=changes)

    async def delete(self, webhook_id: str, *, channel_id: str | None = None) -> None:
        """Delete it, and its log of deliveries."""
        await self._do("DELETE", *self._path(channel_id, webhook_id))

    async def rotate_secret(
        self, webhook_id: str, *, channel_id: str | None = None, secret: str | None = None
    ) -> WebhookWithSecret:
        """Replace the secret, by yours or a new one. The old one signs too for 24 hours."""
        return await self._call(
            "POST",
            WebhookWithSecret,
            *self._path(channel_id, webhook_id, "rotate-secret"),
            body={} if secret is None else {"secret": secret},
            is_repeatable=False,
        )

    async def send_test(self, webhook_id: str, *, channel_id: str | None = None) -> Delivery:
        """Send an event of the type `webhook.test`. Read the delivery to see what was answered."""
        path = self._path(channel_id, webhook_id, "test")
        return await self._call("POST", Delivery, *path, is_repeatable=False)

    def deliveries(
        self,
        webhook_id: str,
        *,
        channel_id: str | None = None,
        status: Literal["waiting", "succeeded", "failed"] | None = None,
        limit: int | None = None,
    ) -> Paged[Delivery, Page[Delivery]]:
        """The deliveries, sent and waiting, newest events first."""
        path = self._path(channel_id, webhook_id, "deliveries")
        return self._list(Page[Delivery], *path, status=status, limit=limit)

    async def delivery(
        self, webhook_id: str, delivery_id: str, *, channel_id: str | None = None
    ) -> Delivery:
        """One delivery, with its last attempts."""
        path = self._path(channel_id, webhook_id, "deliveries", delivery_id)
        return await self._get(Delivery, *path)

    async def replay(
        self, webhook_id: str, delivery_id: str, *, channel_id: str | None = None
    ) -> Delivery:
        """Send a delivery again, with the same `webhook-id`. One that waits is sent now."""
        path = self._path(channel_id, webhook_id, "deliveries", delivery_id, "replay")
        return await self._call("POST", Delivery, *path, is_repeatable=False)

    async def replay_since(
        self, webhook_id: str, since: datetime | str, *, channel_id: str | None = None
    ) -> Replayed:
        """Send all events since an instant again. When `next_since` is not None, call again with it."""
        return await self._call(
            "POST",
            Replayed,
            *self._path(channel_id, webhook_id, "replay"),
            body={"since": since},
            is_repeatable=False,
        )


class Devices(Resource):
    """`client.devices`: the devices of the user that ring while no socket of theirs is open."""

    async def push(self) -> Push:
        """How this deployment sends notifications: the key for browsers, and whether it has a gateway."""
        return await self._get(Push, "push")

    def list(self, *, limit: int | None = None) -> Paged[Device, Page[Device]]:
        return self._list(Page[Device], "devices", limit=limit)

    async def get(self, device_id: str) -> Device:
        """A device. `NotFound` tells an app that it must register again."""
        return await self._get(Device, "devices", device_id)

    async def register(self, device_id: str, **device: Unpack[RegisterDevice]) -> Device:
        """Register a device under an id of the app's choice; again at each start of the app."""
        return await self._call("PUT", Device, "devices", device_id, body=device)

    async def remove(self, device_id: str) -> None:
        """Delete it, if there is one: when the user signs out."""
        await self._do("DELETE", "devices", device_id)
