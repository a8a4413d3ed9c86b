"""Calls on channels: create, find, show, change, delete."""

from typing import Annotated

from pydantic import Field

from channels.errors import BadChannelId, ChannelIdTaken, ChannelLimitReached, ChannelNotFound
from channels.models import Channel, expand_channel_id
from channels.routes.views import (
    ChannelIdText,
    ChannelMissing,
    ChannelView,
    CreateChannel,
    UpdateChannel,
    channel_view,
)
from channels.service import ChannelService
from groups.errors import GroupNotFound, GroupsPerUserReached, NotForThisType
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post
from groups.kernel.errors import (
    BadCursor,
    DomainError,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
)
from groups.kernel.ids import GroupId
from groups.kernel.paging import Page, PageQuery
from groups.limits import IDS_PER_CALL
from groups.routes.groups import split_ids
from groups.routes.views import ItemError
from groups.service.directory import Sort


class ChannelQuery(PageQuery):
    """Which channels; without a filter, the directory."""

    ids: Annotated[
        str | None,
        Field(
            max_length=8192, description=f"Up to {IDS_PER_CALL} channel ids, separated by commas."
        ),
    ] = None
    subscribed: Annotated[bool, Field(description="Those I subscribe to.")] = False
    owned: Annotated[bool, Field(description="Those I own.")] = False
    q: Annotated[
        str,
        # The database takes no pattern that holds NUL.
        Field(
            max_length=100, pattern=r"^[^\x00]*$", description="Words in name, id or introduction."
        ),
    ] = ""
    sort: Sort = "popular"


class ChannelRoutes:
    """Channels."""

    tag = "Channels"

    def __init__(self, channels: ChannelService) -> None:
        self._channels = channels

    @post(
        "/v1/channels",
        status=201,
        errors=[
            BadChannelId,
            FieldTooLong,
            PermissionRefused,
            ChannelIdTaken,
            ChannelLimitReached,
            GroupNotFound,
            NotForThisType,
            GroupsPerUserReached,
            IdempotencyConflict,
        ],
    )
    async def create(self, actor: Actor, body: CreateChannel, key: IdempotencyKey) -> ChannelView:
        """Create a channel that I own; with `group_id`, make a Community group of mine one."""
        return channel_view(await self._channels.create(actor, body.to_new(), key=key))

    @get("/v1/channels", errors=[BadCursor])
    async def list_channels(
        self, actor: Actor, query: ChannelQuery
    ) -> Page[ChannelView | ChannelMissing]:
        """The directory, the channels I subscribe to or own, or each of the named ones.

        `ids` wins over `subscribed`, that over `owned`, that over the directory with `q` and `sort`.
        """
        if query.ids is not None:
            ids = [expand_channel_id(text) for text in split_ids(query.ids)]
            found = await self._channels.get_many(actor, ids)
            return Page(items=[_item(i, item) for i, item in zip(ids, found, strict=True)])
        limit, cursor = query.limit, query.cursor
        if query.subscribed:
            page = await self._channels.list_subscribed(actor, limit=limit, cursor=cursor)
        elif query.owned:
            page = await self._channels.list_owned(actor, limit=limit, cursor=cursor)
        else:
            page = await self._channels.search(
                actor, words=query.q, sort=query.sort, limit=limit, cursor=cursor
            )
        channels, next_cursor = page
        return Page(items=[channel_view(c) for c in channels], next_cursor=next_cursor)

    @get("/v1/channels/{channel_id}", errors=[ChannelNotFound])
    async def get_channel(self, actor: Actor, channel_id: ChannelIdText) -> ChannelView:
        """A channel as I see it."""
        return channel_view(await self._channels.get(actor, GroupId(channel_id)))

    @patch("/v1/channels/{channel_id}", errors=[ChannelNotFound, PermissionRefused, FieldTooLong])
    async def update(
        self, actor: Actor, channel_id: ChannelIdText, body: UpdateChannel
    ) -> ChannelView:
        """Change profile or settings (owner, admin); every subscriber hears `channel.updated`."""
        changes = body.to_changes()
        return channel_view(await self._channels.update(actor, GroupId(channel_id), changes))

    @delete("/v1/channels/{channel_id}", status=204, errors=[ChannelNotFound, PermissionRefused])
    async def delete_channel(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Delete a channel (owner); every subscriber hears `channel.deleted`."""
        await self._channels.delete(actor, GroupId(channel_id))


def _item(channel_id: GroupId, item: Channel | DomainError) -> ChannelView | ChannelMissing:
    if isinstance(item, DomainError):
        return ChannelMissing(channel_id=channel_id, error=ItemError.of(item))
    return channel_view(item)
