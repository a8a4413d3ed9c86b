"""Routes of channels: create, find, show, change, verify, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from channels.errors import (
    BadChannelId,
    ChannelIdTaken,
    ChannelLimitReached,
    ChannelNotFound,
    ChannelsPerOwnerReached,
    SyncTokenExpired,
)
from channels.models import Channel
from channels.routes.responses import (
    ChannelGone,
    ChannelIdText,
    ChannelMissing,
    ChannelResponse,
    CreateChannel,
    UpdateChannel,
    channel_response,
)
from channels.service.channels import ChannelService
from channels.service.subscriptions import Subscriptions
from channels.service.verified_badges import VerifiedBadges
from groups.errors import (
    ChannelSuspended,
    GroupNotFound,
    GroupsPerUserReached,
    MediaNotFound,
    NotForThisType,
    UserRestricted,
    WrongMediaKind,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import IdempotencyKey, delete, get, patch, post, put
from groups.kernel.errors import (
    BadCursor,
    DomainError,
    FieldTooLong,
    IdempotencyConflict,
    PermissionRefused,
)
from groups.kernel.ids import GroupId, UserIdText
from groups.kernel.paging import Page, PageQuery, page_of_ids
from groups.limits import IDS_PER_CALL
from groups.models import Departure, expand_channel_id
from groups.routes.responses.fields import ItemError, split_ids
from groups.service.lifecycle.directory import Sort


class ChannelQuery(PageQuery):
    """Which channels; without a filter, those of the directory. Filters that do not combine are refused together."""

    ids: Annotated[
        str | None,
        Field(
            max_length=8192, description=f"Up to {IDS_PER_CALL} channel ids, separated by commas."
        ),
    ] = None
    subscribed: Annotated[bool, Field(description="The channels to which you subscribe.")] = False
    updated_since: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            description="With `subscribed`: only the channels that changed since, and the subscriptions that ended."
            " The `sync_token` of the previous list, or an RFC 3339 time.",
            examples=["2026-01-31T12:00:00Z"],
        ),
    ] = None
    owned: Annotated[bool, Field(description="The channels that you own.")] = False
    suspended: Annotated[
        bool,
        Field(description="The channels that are suspended, by id (the application's back end)."),
    ] = False
    every: Annotated[
        bool,
        Field(
            alias="all",
            description="All channels, private ones too (the application's back end), with `q` and `sort`.",
        ),
    ] = False
    q: Annotated[
        str,
        # The database takes no pattern that holds NUL.
        Field(
            max_length=100,
            pattern=r"^[^\x00]*$",
            description="Words in the name, id or introduction.",
        ),
    ] = ""
    sort: Sort = "popular"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.updated_since is not None and (not self.subscribed or self.ids is not None):
            raise PydanticCustomError(
                "updated_since", "updated_since needs subscribed=true, and no ids"
            )
        lists = (self.ids is not None, self.subscribed, self.owned, self.suspended, self.every)
        if sum(lists) > 1:
            raise PydanticCustomError(
                "one_list", "give at most one of ids, subscribed, owned, suspended and all"
            )
        # `sort` has a default, so what counts is whether it was sent.
        is_search = bool(self.q) or "sort" in self.model_fields_set
        if is_search and any(lists) and not self.every:
            raise PydanticCustomError(
                "search",
                "q and sort search the directory: leave out ids, subscribed, owned and suspended",
            )
        return self


class UserChannelQuery(PageQuery):
    """Which channels of a user."""

    owned: Annotated[bool, Field(description="Only those that the user owns.")] = False


class ChannelPage(Page[ChannelResponse | ChannelMissing | ChannelGone]):
    """A page of channels. The last page of your subscriptions has a `sync_token` for the next `updated_since`."""

    sync_token: str | None = None


@dataclass(kw_only=True, slots=True)
class ChannelRoutes:
    """Channels."""

    tag = "Channels"

    channels: ChannelService
    subscriptions: Subscriptions
    verified_badges: VerifiedBadges

    @post(
        "/v1/channels",
        status=201,
        errors=[
            UserRestricted,
            ChannelSuspended,
            BadChannelId,
            FieldTooLong,
            PermissionRefused,
            ChannelIdTaken,
            ChannelLimitReached,
            ChannelsPerOwnerReached,
            GroupNotFound,
            NotForThisType,
            GroupsPerUserReached,
            MediaNotFound,
            WrongMediaKind,
            IdempotencyConflict,
        ],
    )
    async def create(
        self, actor: Actor, body: CreateChannel, key: IdempotencyKey
    ) -> ChannelResponse:
        """Create a channel that you own, or with `group_id` make a Community group of yours a channel.

        The application may create it for another owner (`owner_id`), who is its first subscriber.
        """
        return channel_response(await self.channels.create(actor, body.to_new(), key=key))

    @get("/v1/channels", errors=[BadCursor, PermissionRefused, SyncTokenExpired])
    async def list_channels(self, actor: Actor, query: ChannelQuery) -> ChannelPage:
        """List the directory, the channels to which you subscribe, those that you own, or those named by `ids`.

        Give one of `ids`, `subscribed`, `owned` and `suspended`; two of them are refused. Without them, `q` and `sort`
        search the directory, or all channels with `all`. A device that was offline asks with `updated_since` for the
        subscriptions that changed or ended meanwhile.
        """
        if query.ids is not None:
            named = [expand_channel_id(text) for text in split_ids(query.ids)]

            async def read(
                ids: Sequence[GroupId],
            ) -> list[ChannelResponse | ChannelMissing | ChannelGone]:
                found = await self.channels.get_many(actor, ids)
                return [_item(i, item) for i, item in zip(ids, found, strict=True)]

            items, next_cursor = await page_of_ids(named, query.cursor, read)
            return ChannelPage(items=items, next_cursor=next_cursor)
        limit, cursor = query.limit, query.cursor
        if query.subscribed:
            return await self._subscribed(actor, query)
        if query.owned:
            page = await self.channels.list_owned(actor, limit=limit, cursor=cursor)
        elif query.suspended:
            page = await self.channels.list_suspended(actor, limit=limit, cursor=cursor)
        else:
            page = await self.channels.search(
                actor,
                words=query.q,
                sort=query.sort,
                limit=limit,
                cursor=cursor,
                with_private=query.every,
            )
        channels, next_cursor = page
        return ChannelPage(items=[channel_response(c) for c in channels], next_cursor=next_cursor)

    async def _subscribed(self, actor: Actor, query: ChannelQuery) -> ChannelPage:
        limit, cursor = query.limit, query.cursor
        if query.updated_since is None:
            found = await self.subscriptions.list_all(actor, limit=limit, cursor=cursor)
        else:
            found = await self.subscriptions.list_changed(
                actor, query.updated_since, limit=limit, cursor=cursor
            )
        items: list[ChannelResponse | ChannelMissing | ChannelGone] = [
            ChannelGone(channel_id=item.group_id, gone=item.reason, gone_at=item.at)
            if isinstance(item, Departure)
            else channel_response(item)
            for item in found.items
        ]
        return ChannelPage(items=items, next_cursor=found.next_cursor, sync_token=found.sync_token)

    @get("/v1/users/{user_id}/channels", errors=[PermissionRefused], tag="Users")
    async def channels_of_user(
        self, actor: Actor, user_id: UserIdText, query: UserChannelQuery
    ) -> Page[ChannelResponse]:
        """The channels to which a user subscribes, or those that they own, as they see them (the application)."""
        channels, next_cursor = await self.channels.list_of_user(
            actor, user_id, owned=query.owned, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[channel_response(c) for c in channels], next_cursor=next_cursor)

    @get("/v1/channels/{channel_id}", errors=[ChannelNotFound])
    async def get_channel(self, actor: Actor, channel_id: ChannelIdText) -> ChannelResponse:
        """One channel."""
        return channel_response(await self.channels.get(actor, channel_id))

    @patch(
        "/v1/channels/{channel_id}",
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            FieldTooLong,
            MediaNotFound,
            WrongMediaKind,
        ],
    )
    async def update(
        self, actor: Actor, channel_id: ChannelIdText, body: UpdateChannel
    ) -> ChannelResponse:
        """Change the profile or settings (owner, admin). Every subscriber receives `channel.updated`.

        A new name or organization removes the verified badge, until the application gives it again.
        """
        return channel_response(await self.channels.update(actor, channel_id, body.to_changes()))

    @delete("/v1/channels/{channel_id}", status=204, errors=[ChannelNotFound, PermissionRefused])
    async def delete_channel(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Delete a channel (owner). Every subscriber receives `channel.deleted`."""
        await self.channels.delete(actor, channel_id)

    @put("/v1/channels/{channel_id}/verified", errors=[ChannelNotFound, PermissionRefused])
    async def verify(self, actor: Actor, channel_id: ChannelIdText) -> ChannelResponse:
        """Give a channel the verified badge (the application's back end).

        The badge confirms the name and the organization. It goes when the owner or an admin changes either.
        """
        await self.verified_badges.set_verified(actor, channel_id, is_verified=True)
        return channel_response(await self.channels.get(actor, channel_id))

    @delete(
        "/v1/channels/{channel_id}/verified",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def unverify(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Remove the verified badge of a channel (the application's back end)."""
        await self.verified_badges.set_verified(actor, channel_id, is_verified=False)


def _item(channel_id: GroupId, item: Channel | DomainError) -> ChannelResponse | ChannelMissing:
    if isinstance(item, DomainError):
        return ChannelMissing(channel_id=channel_id, error=ItemError.of(item))
    return channel_response(item)
