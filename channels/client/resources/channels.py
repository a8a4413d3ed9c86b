"""Channels: their profiles, the directory, subscriptions, subscribers and admins."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Literal, cast

from pydantic import RootModel
from typing_extensions import Unpack

from channels.client.models import (
    AddedSubscriber,
    Admin,
    Ban,
    Channel,
    ChannelGone,
    ChannelMissing,
    ChannelPage,
    CreateChannel,
    DefaultChannel,
    DefaultChannelList,
    Grant,
    ImportProgress,
    Page,
    Subscriber,
    UpdateChannel,
)
from channels.client.paging import Paged
from channels.client.resources.base import Resource, ndjson, parsed
from channels.client.transport import path_of


class _Added(RootModel[AddedSubscriber]):
    pass


class Channels(Resource):
    """`client.channels`. A channel's id may be given without its prefix: `news` for `@TOA#_news`."""

    async def create(
        self, *, idempotency_key: str | None = None, **channel: Unpack[CreateChannel]
    ) -> Channel:
        """Make a channel; the caller owns it, or for a back end `owner_id`."""
        return await self._call(
            "POST", Channel, "channels", body=channel, idempotency_key=idempotency_key
        )

    async def get(self, channel_id: str) -> Channel:
        return await self._get(Channel, "channels", channel_id)

    async def find(self, channel_ids: Sequence[str]) -> list[Channel | ChannelMissing]:
        """Up to 50 channels, in this order; one that is not there has an `error`."""
        page = await self._get(ChannelPage, "channels", ids=list(channel_ids))
        return cast("list[Channel | ChannelMissing]", page.items)

    async def update(self, channel_id: str, **changes: Unpack[UpdateChannel]) -> Channel:
        return await self._call("PATCH", Channel, "channels", channel_id, body=changes)

    async def delete(self, channel_id: str) -> None:
        await self._do("DELETE", "channels", channel_id)

    def directory(
        self,
        q: str | None = None,
        *,
        sort: Literal["popular", "new", "active"] | None = None,
        limit: int | None = None,
    ) -> Paged[Channel, ChannelPage]:
        """The public channels, or those that the words `q` find. `limit` is the size of a page, here and elsewhere."""
        return self._paged(ChannelPage, Channel, "channels", q=q, sort=sort, limit=limit)

    def subscribed(
        self, *, updated_since: str | None = None, limit: int | None = None
    ) -> Paged[Channel | ChannelGone, ChannelPage]:
        """The caller's subscriptions; with the `sync_token` of the last page those that changed since, and ended."""
        return self._paged(
            ChannelPage,
            cast("type[Channel | ChannelGone]", Channel),
            *("channels",),
            subscribed=True,
            updated_since=updated_since,
            limit=limit,
        )

    def owned(self, *, limit: int | None = None) -> Paged[Channel, ChannelPage]:
        return self._paged(ChannelPage, Channel, "channels", owned=True, limit=limit)

    async def subscribe(self, channel_id: str) -> Channel:
        """Subscribe. Repeating it changes nothing."""
        return await self._call("PUT", Channel, "channels", channel_id, "subscription")

    async def unsubscribe(self, channel_id: str) -> None:
        """Unsubscribe. Repeating it changes nothing."""
        await self._do("DELETE", "channels", channel_id, "subscription")

    # --- those of others ----------------------------------------------------------------------------------------------

    def subscribers(
        self,
        channel_id: str,
        *,
        q: str | None = None,
        staff: bool | None = None,
        tag: str | None = None,
        limit: int | None = None,
    ) -> Paged[Subscriber, Page[Subscriber]]:
        path = ("channels", channel_id, "subscribers")
        return self._list(Page[Subscriber], *path, q=q, staff=staff, tag=tag, limit=limit)

    async def add_subscriber(self, channel_id: str, user_id: str) -> AddedSubscriber:
        """Add a user. Only a back end adds without asking them; from others it is an invitation."""
        added = await self._call("PUT", _Added, "channels", channel_id, "subscribers", user_id)
        return added.root

    async def remove_subscriber(self, channel_id: str, user_id: str, *, ban: bool = False) -> None:
        await self._do("DELETE", "channels", channel_id, "subscribers", user_id, query={"ban": ban})

    def bans(self, channel_id: str) -> Paged[Ban, Page[Ban]]:
        return self._list(Page[Ban], "channels", channel_id, "bans")

    async def unban(self, channel_id: str, user_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "bans", user_id)

    async def import_subscribers(
        self, channel_id: str, user_ids: Iterable[str] | AsyncIterable[str]
    ) -> AsyncIterator[ImportProgress]:
        """Add any number of users, as a back end, and yield the progress after each batch.

        The last one has `done` or an `error`. It is not retried; a second import finds those of the first present.
        """
        async with self._transport.stream(
            "POST",
            path_of("channels", channel_id, "subscribers"),
            data=_lines(user_ids),
            headers={"Content-Type": "application/x-ndjson"},
        ) as lines:
            async for line in lines:
                yield parsed(ImportProgress, line)

    def admins(self, channel_id: str) -> Paged[Admin, Page[Admin]]:
        return self._list(Page[Admin], "channels", channel_id, "admins")

    async def appoint(
        self, channel_id: str, user_id: str, grants: Sequence[Grant] | None = None
    ) -> Admin:
        """Make a subscriber an admin, or change the grants of one. Without `grants` a new admin has all."""
        body = {} if grants is None else {"grants": list(grants)}
        return await self._call("PUT", Admin, "channels", channel_id, "admins", user_id, body=body)

    async def dismiss(self, channel_id: str, user_id: str) -> None:
        await self._do("DELETE", "channels", channel_id, "admins", user_id)

    async def set_default(self, channel_id: str) -> DefaultChannel:
        """Make the channel a default: every person is subscribed once, old and new; for the application's back end."""
        return await self._call("PUT", DefaultChannel, "channels", channel_id, "default")

    async def unset_default(self, channel_id: str) -> None:
        """Make the channel no default any more; nobody's subscription ends."""
        await self._do("DELETE", "channels", channel_id, "default")

    async def defaults(self) -> list[DefaultChannel]:
        """The default channels, and how far subscribing everybody is; for the application's back end."""
        return (await self._get(DefaultChannelList, "default-channels")).items

    async def transfer(self, channel_id: str, user_id: str) -> Channel:
        """Make another user the owner."""
        return await self._call(
            "POST", Channel, "channels", channel_id, "owner", body={"user_id": user_id}
        )


def _lines(user_ids: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[bytes]:
    if isinstance(user_ids, AsyncIterable):
        return ndjson({"user_id": user_id} async for user_id in user_ids)
    return ndjson({"user_id": user_id} for user_id in user_ids)
