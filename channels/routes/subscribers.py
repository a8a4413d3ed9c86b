"""Calls on who subscribes to a channel and who owns it."""

from channels.errors import ChannelNotFound
from channels.routes.importing import ImportLine, ImportProgress, ImportQuery, Intake
from channels.routes.rendering import ChannelRendering
from channels.routes.responses import (
    ChannelIdText,
    ChannelResponse,
    SubscriberResponse,
    channel_response,
    subscriber_response,
)
from channels.service.channels import ChannelService
from channels.service.subscribers import SubscriberService
from groups.errors import (
    AdminLimitReached,
    Banned,
    GroupsPerUserReached,
    MemberLimitReached,
    MemberNotFound,
    OwnerCannotLeave,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Lines, Rendered, Stream, delete, get, post, put
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import Member
from groups.routes.members import MemberQuery, RemoveQuery
from groups.routes.responses.members import BanResponse, NewOwner, RemoveMember
from groups.service.membership.service import Membership
from groups.service.users import UserService


class SubscriberRoutes:
    """Subscriptions, bans, ownership."""

    tag = "Subscribers"

    def __init__(
        self, subscribers: SubscriberService, channels: ChannelService, users: UserService
    ) -> None:
        self._subscribers = subscribers
        self._channels = channels
        self._users = users
        self._rendering = ChannelRendering()

    async def _view(self, membership: Membership) -> SubscriberResponse:
        member = membership.member
        if member is None:
            raise MemberNotFound
        return (await self._views([member]))[0]

    async def _views(self, members: list[Member]) -> list[SubscriberResponse]:
        users = await self._users.find_users(member.user_id for member in members)
        return [subscriber_response(member, users.get(member.user_id)) for member in members]

    @put(
        "/v1/channels/{channel_id}/subscription",
        errors=[ChannelNotFound, Banned, MemberLimitReached, GroupsPerUserReached],
    )
    async def subscribe(self, actor: Actor, channel_id: ChannelIdText) -> Rendered[ChannelResponse]:
        """Subscribe; doing it again changes nothing."""
        channel = await self._subscribers.subscribe(actor, GroupId(channel_id))
        return Rendered(self._rendering.of(channel))

    @delete(
        "/v1/channels/{channel_id}/subscription",
        status=204,
        errors=[ChannelNotFound, OwnerCannotLeave],
    )
    async def unsubscribe(self, actor: Actor, channel_id: ChannelIdText) -> None:
        """Unsubscribe; the conversation goes with it. The owner transfers or deletes instead."""
        await self._subscribers.unsubscribe(actor, GroupId(channel_id))

    @get("/v1/channels/{channel_id}/subscribers", errors=[ChannelNotFound, PermissionRefused])
    async def list_subscribers(
        self, actor: Actor, channel_id: ChannelIdText, query: MemberQuery
    ) -> Page[SubscriberResponse]:
        """Who subscribes, by id (owner, admin): subscribers are hidden from each other."""
        members, next_cursor = await self._subscribers.list_subscribers(
            actor,
            GroupId(channel_id),
            limit=query.limit,
            cursor=query.cursor,
            prefix=query.q,
            staff_only=query.staff,
        )
        return Page(items=await self._views(members), next_cursor=next_cursor)

    @post("/v1/channels/{channel_id}/subscribers", errors=[ChannelNotFound, PermissionRefused])
    async def import_subscribers(
        self,
        actor: Actor,
        channel_id: ChannelIdText,
        query: ImportQuery,
        lines: Lines[ImportLine],
    ) -> Stream[ImportProgress]:
        """Subscribe users by the million (the application's back end), a line {"user_id": …} each.

        The lines are taken in batches, each committed before its line of progress is sent; blank ones are skipped.
        After a crash of either side send the same lines again: who is there already is `present`. Where the channel is
        full the rest is refused one by one. The last line has `done`, or `error` where it could not go on. Read while
        you send, or ask for `results=refused`, which is short: a client that reads nothing for a minute is cut off.
        """
        intake = Intake(lines, query)
        admissions = await self._subscribers.import_users(
            actor, GroupId(channel_id), intake.batches()
        )
        return Stream(intake.progress(admissions))

    @put(
        "/v1/channels/{channel_id}/subscribers/{user_id}",
        errors=[ChannelNotFound, PermissionRefused, MemberLimitReached, GroupsPerUserReached],
    )
    async def add(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> SubscriberResponse:
        """Subscribe a user (owner, admin): how one comes into a private channel; lifts a ban."""
        return await self._view(await self._subscribers.add(actor, GroupId(channel_id), user_id))

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
        """Remove a subscriber (owner, admin); with `ban` he cannot come back by himself.

        `ban` may stand in the query or in a body: not every client sends a body with DELETE.
        """
        ban = query.ban or (body is not None and body.ban)
        await self._subscribers.remove(actor, GroupId(channel_id), user_id, ban=ban)

    @get("/v1/channels/{channel_id}/bans", errors=[ChannelNotFound, PermissionRefused])
    async def bans(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """Who is banned (owner, admin)."""
        bans, next_cursor = await self._subscribers.list_bans(
            actor, GroupId(channel_id), limit=query.limit, cursor=query.cursor
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
        """Lift a ban (owner, admin); the user may subscribe again."""
        await self._subscribers.unban(actor, GroupId(channel_id), user_id)

    @post(
        "/v1/channels/{channel_id}/owner",
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound, AdminLimitReached],
    )
    async def transfer(
        self, actor: Actor, channel_id: ChannelIdText, body: NewOwner
    ) -> ChannelResponse:
        """Give the channel to a subscriber (owner); I stay as admin with all grants.

        Where there are as many admins as may be, only one of them can take it. Invitations that I made end.
        """
        await self._subscribers.transfer(actor, GroupId(channel_id), body.user_id)
        return channel_response(await self._channels.get(actor, GroupId(channel_id)))
