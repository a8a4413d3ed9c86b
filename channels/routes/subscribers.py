"""Routes of subscribers: subscribing, importing, removing, banning, and giving the channel to another owner."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from channels.errors import ChannelNotFound
from channels.models import Channel, ChannelProfile
from channels.routes.importing import ImportLine, ImportProgress, ImportQuery, SubscriberImport
from channels.routes.responses import (
    AddedSubscriberResponse,
    ChannelIdText,
    ChannelResponse,
    SubscriberResponse,
    channel_fields,
    channel_response,
    member_of_channel_response,
)
from channels.service.channels import ChannelService
from channels.service.guard import ChannelGuard
from channels.subscriber_tags.routes.fields import Tag
from channels.subscriber_tags.service.tags import SubscriberTags
from groups.errors import (
    AdminLimitReached,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    GroupsPerUserReached,
    InvitationLimitReached,
    InvitationsPerUserReached,
    MemberLimitReached,
    MemberNotFound,
    NotAPerson,
    OwnerCannotLeave,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import (
    NdjsonBody,
    NdjsonStream,
    Rendered,
    Reply,
    delete,
    get,
    post,
    put,
)
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import AccessContext, Member
from groups.routes.members import MemberQuery, RemoveQuery
from groups.routes.responses.fields import json_of
from groups.routes.responses.invitations import invited_response
from groups.routes.responses.members import BanResponse, NewOwner, RemoveMember
from groups.service.membership.commands import Membership
from groups.service.membership.import_service import ImportService
from groups.service.membership.service import MembershipService
from groups.service.users import UserService


class SubscriberQuery(MemberQuery):
    """Selects subscribers."""

    tag: Annotated[
        Tag | None,
        Field(description="Only those who have this tag. It does not go with `q` and `staff`."),
    ] = None

    @model_validator(mode="after")
    def _selects_by_one(self) -> Self:
        if self.tag is not None and (self.q or self.staff):
            raise PydanticCustomError("tag", "tag does not go with q and staff")
        return self


class ChannelRendering:
    """Renders a channel as JSON once for all users who joined it in one batch.

    Their answers follow one another and hold the same group, stream head and time of joining, so keeping the last
    rendering is enough.
    """

    def __init__(self) -> None:
        self._last: tuple[Membership, ChannelProfile] | None = None
        self._json = b""

    def of(self, membership: Membership, profile: ChannelProfile) -> bytes:
        """The JSON of `channel_response` for this member."""
        if self._last is None or not _render_alike(membership, profile, *self._last):
            access = AccessContext(
                group=membership.group,
                member=membership.member,
                effective_role=membership.effective_role,
            )
            self._json = json_of(channel_fields(Channel(access, membership.stream, profile)))
            self._last = membership, profile
        return self._json


def _render_alike(
    one: Membership, profile: ChannelProfile, other: Membership, other_profile: ChannelProfile
) -> bool:
    mine, theirs = one.member, other.member
    return (
        one.group is other.group
        and one.stream is other.stream
        and profile is other_profile
        and mine is not None
        and theirs is not None
        and mine.role is theirs.role
        and mine.grants == theirs.grants
        and mine.joined_at == theirs.joined_at
        and mine.joined_seq == theirs.joined_seq
    )


@dataclass(kw_only=True, slots=True)
class SubscriberRoutes:
    """Subscriptions, bans and ownership: memberships of the channel's group."""

    tag = "Subscribers"

    channel: ChannelGuard
    channels: ChannelService
    memberships: MembershipService
    imports: ImportService
    users: UserService
    tags: SubscriberTags
    rendering: ChannelRendering = field(init=False, default_factory=ChannelRendering)

    @put(
        "/v1/channels/{channel_id}/subscription",
        errors=[
            ChannelNotFound,
            Banned,
            BusinessAccount,
            MemberLimitReached,
            GroupsPerUserReached,
        ],
    )
    async def subscribe(self, actor: Actor, channel_id: ChannelIdText) -> Rendered[ChannelResponse]:
        """Subscribe. Repeating it changes nothing."""
        async with self.channel(channel_id) as profile:
            membership = await self.memberships.join(actor, channel_id)
        return Rendered(self.rendering.of(membership, profile))

    @delete(
        "/v1/channels/{channel_id}/subscription",
        status=204,
        errors=[ChannelNotFound, OwnerCannotLeave],
    )
    async def unsubscribe(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Unsubscribe, which deletes your conversation. An owner transfers or deletes the channel instead."""
        async with self.channel(channel_id):
            await self.memberships.leave(actor, channel_id)

    @get("/v1/channels/{channel_id}/subscribers", errors=[ChannelNotFound, PermissionRefused])
    async def list_subscribers(
        self, actor: Actor, channel_id: ChannelIdText, query: SubscriberQuery
    ) -> Page[SubscriberResponse]:
        """The subscribers, by id, or those whom `q` finds or who have a `tag` (owner, admin).

        Subscribers do not see each other. A page by `tag` may be short and still have a cursor.
        """
        async with self.channel(channel_id):
            members, next_cursor = await self._listed(actor, channel_id, query)
        return Page(items=await self._responses(channel_id, members), next_cursor=next_cursor)

    async def _listed(
        self, actor: Actor, channel_id: GroupId, query: SubscriberQuery
    ) -> tuple[list[Member], str | None]:
        if query.tag is not None:
            return await self.tags.list_tagged(
                actor, channel_id, query.tag, limit=query.limit, cursor=query.cursor
            )
        return await self.memberships.list_members(
            actor,
            channel_id,
            limit=query.limit,
            cursor=query.cursor,
            words=query.q,
            staff_only=query.staff,
        )

    @post("/v1/channels/{channel_id}/subscribers", errors=[ChannelNotFound, PermissionRefused])
    async def import_subscribers(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        query: ImportQuery,
        lines: NdjsonBody[ImportLine],
    ) -> NdjsonStream[ImportProgress]:
        """Subscribe up to millions of users (the application's back end), with a line {"user_id": …} for each.

        The server takes the lines in batches and sends a line of progress when it has committed a batch. It skips blank
        lines. After a crash on either side, send the same lines again: users who subscribe already are `present`. In a
        full channel each further user is refused. The last line has `done`, or `error` where the import stopped early.
        Read while you send, or ask for `results=refused`, which is short: the server disconnects a client that does not
        read.
        """
        importing = SubscriberImport(lines, query)
        async with self.channel(channel_id):
            outcomes = await self.imports.begin(actor, channel_id, importing.batches())
        return NdjsonStream(importing.progress(outcomes))

    @put(
        "/v1/channels/{channel_id}/subscribers/{user_id}",
        also=[202],
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            NotAPerson,
            MemberLimitReached,
            GroupsPerUserReached,
            InvitationLimitReached,
            InvitationsPerUserReached,
        ],
    )
    async def add(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> Reply[AddedSubscriberResponse]:
        """Invite a user to subscribe (owner, admin), also to a private channel. This lifts a ban.

        202: they subscribe when they accept. Repeating it changes nothing. Users who blocked you or the channel, and
        users who declined not long ago, are not told, and you are answered the same. 200 for a subscriber, and for
        everybody whom the application's back end adds: it subscribes them at once.
        """
        async with self.channel(channel_id):
            membership = await self.memberships.add(actor, channel_id, user_id)
        if membership.member is not None:
            member = membership.member
            users = await self.users.find_users([member.user_id])
            response = SubscriberResponse.model_construct(
                **dict(member_of_channel_response(member, users.get(member.user_id))), tags=None
            )
            return Reply(AddedSubscriberResponse(response), 200)
        assert membership.invitation is not None  # adding makes a member, or invites
        return Reply(AddedSubscriberResponse(invited_response(membership.invitation)), 202)

    @delete(
        "/v1/channels/{channel_id}/subscribers/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, OwnerCannotLeave],
    )
    async def remove(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        user_id: UserIdText,
        query: RemoveQuery,
        body: RemoveMember | None,
    ) -> None:
        """Remove a subscriber (owner, admin). With `ban` the user cannot subscribe again.

        Send `ban` in the query or in a body: some clients send no body with DELETE.
        """
        ban = query.ban or (body is not None and body.ban)
        async with self.channel(channel_id):
            await self.memberships.remove(actor, channel_id, user_id, ban=ban)

    @get("/v1/channels/{channel_id}/bans", errors=[ChannelNotFound, PermissionRefused])
    async def bans(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """The banned users, by id (owner, admin)."""
        async with self.channel(channel_id):
            bans, next_cursor = await self.memberships.list_bans(
                actor, channel_id, limit=query.limit, cursor=query.cursor
            )
        items = [
            BanResponse(user_id=ban.user_id, banned_at=ban.banned_at, banned_by=ban.banned_by)
            for ban in bans
        ]
        return Page(items=items, next_cursor=next_cursor)

    @delete(
        "/v1/channels/{channel_id}/bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def unban(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Lift a ban (owner, admin). The user may then subscribe again."""
        async with self.channel(channel_id):
            await self.memberships.unban(actor, channel_id, user_id)

    @post(
        "/v1/channels/{channel_id}/owner",
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound, AdminLimitReached],
    )
    async def transfer(
        self, actor: Actor, channel_id: ChannelIdText, body: NewOwner
    ) -> ChannelResponse:
        """Make a subscriber the owner (owner). You stay as an admin who may do everything.

        When the channel has its full number of admins, the new owner must be one of them. Your open invitations end.
        """
        async with self.channel(channel_id):
            await self.memberships.transfer(actor, channel_id, body.user_id)
        return channel_response(await self.channels.get(actor, channel_id))

    async def _responses(
        self, channel_id: GroupId, members: Sequence[Member]
    ) -> list[SubscriberResponse]:
        users, tags = await asyncio.gather(
            self.users.find_users(member.user_id for member in members),
            self.tags.tags_of(channel_id, members),
        )
        return [
            SubscriberResponse.model_construct(
                **dict(member_of_channel_response(member, users.get(member.user_id))),
                tags=tags.get(member.user_id, ()),
            )
            for member in members
        ]
