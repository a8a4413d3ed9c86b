"""Calls on who runs a channel: admins, bans from reacting, the admin log; `invitations` ask somebody to."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from channels.errors import ChannelNotFound
from channels.routes.responses import ChannelIdText, SubscriberResponse, subscriber_response
from channels.service.admins import AdminService
from channels.service.subscribers import SubscriberService
from groups.errors import AdminLimitReached, MemberNotFound
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Response, delete, get, put
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import ID_BYTES, GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import AdminAction, AdminLogEntry, Grant, Member, User
from groups.routes.responses.fields import Instant, PatchBody
from groups.routes.responses.members import BanResponse
from groups.service.users import UserService

Grants = Annotated[
    list[Grant],
    Field(
        max_length=len(Grant),
        description="What the admin may do; the owner may do everything.",
        examples=[["post", "edit_posts"]],
    ),
]


class Appoint(PatchBody):
    """What an admin may do; left out, a new admin may do everything, and an admin keeps what he may."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grants": ["post", "pin_posts"]}]})

    grants: Grants | None = None


class AdminResponse(SubscriberResponse):
    """Owner or admin, and what he may do."""

    grants: list[Grant]


def admin_response(member: Member, user: User | None) -> AdminResponse:
    """The admin as answered."""
    shown = subscriber_response(member, user)
    return AdminResponse.model_construct(**dict(shown), grants=list(member.granted))


class LogQuery(PageQuery):
    """Which entries; of several filters all must fit."""

    action: AdminAction | None = None
    actor_id: Annotated[
        str | None, Field(max_length=ID_BYTES, description="Who did it: a user's id.")
    ] = None
    target_id: Annotated[
        str | None,
        Field(max_length=ID_BYTES, description="To whom or what: a user's id, or a `post_id`."),
    ] = None


class AdminLogEntryResponse(Response):
    """What somebody did to the channel.

    `before` and `after` hold what changed by name; a value of more than 400 bytes is cut and ends in an ellipsis.
    `by_app`: your back end did it, under this id.
    """

    entry_id: str
    action: AdminAction
    actor_id: UserId
    by_app: bool
    target_id: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    at: Instant


def _entry_response(entry: AdminLogEntry) -> AdminLogEntryResponse:
    return AdminLogEntryResponse(
        entry_id=entry.entry_id,
        action=entry.action,
        actor_id=entry.actor_id,
        by_app=entry.by_app,
        target_id=entry.target_id,
        before=entry.before,
        after=entry.after,
        at=entry.at,
    )


class RunningRoutes:
    """Who runs a channel."""

    tag = "Running a channel"

    def __init__(
        self, running: AdminService, subscribers: SubscriberService, users: UserService
    ) -> None:
        self._running = running
        self._subscribers = subscribers
        self._users = users

    async def _views(self, members: list[Member]) -> list[AdminResponse]:
        users = await self._users.find_users(member.user_id for member in members)
        return [admin_response(member, users.get(member.user_id)) for member in members]

    # --- admins ---------------------------------------------------------------------------------------------------

    @get("/v1/channels/{channel_id}/admins", errors=[ChannelNotFound, PermissionRefused, BadCursor])
    async def admins(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[AdminResponse]:
        """Owner and admins with their grants, by id (owner, admin)."""
        members, next_cursor = await self._running.list_admins(
            actor, GroupId(channel_id), limit=query.limit, cursor=query.cursor
        )
        return Page(items=await self._views(members), next_cursor=next_cursor)

    @put(
        "/v1/channels/{channel_id}/admins/{user_id}",
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound, AdminLimitReached],
    )
    async def appoint(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: Appoint | None
    ) -> AdminResponse:
        """Make a subscriber an admin at once, or change an admin's grants (owner); who must agree first is invited."""
        grants = frozenset(body.grants) if body and body.grants is not None else None
        membership = await self._subscribers.set_admin(
            actor, GroupId(channel_id), user_id, is_admin=True, grants=grants
        )
        if membership.member is None:
            raise MemberNotFound
        return (await self._views([membership.member]))[0]

    @delete(
        "/v1/channels/{channel_id}/admins/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound],
    )
    async def dismiss(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Make an admin a plain subscriber again (owner)."""
        await self._subscribers.set_admin(actor, GroupId(channel_id), user_id, is_admin=False)

    # --- bans from reacting ---------------------------------------------------------------------------------------

    @put(
        "/v1/channels/{channel_id}/reaction-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def ban_from_reacting(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> None:
        """Keep a user from reacting (owner, admin); he reads on, and may take back what he left."""
        await self._running.ban_from_reacting(actor, GroupId(channel_id), user_id, is_banned=True)

    @delete(
        "/v1/channels/{channel_id}/reaction-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def let_react(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Let a user react again (owner, admin)."""
        await self._running.ban_from_reacting(actor, GroupId(channel_id), user_id, is_banned=False)

    @get(
        "/v1/channels/{channel_id}/reaction-bans",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def reaction_bans(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """Who is kept from reacting, by id (owner, admin)."""
        bans, next_cursor = await self._running.list_reaction_bans(
            actor, GroupId(channel_id), limit=query.limit, cursor=query.cursor
        )
        items = [
            BanResponse(
                user_id=ban.user_id,
                banned_at=ban.reacting_banned_at,
                banned_by=ban.reacting_banned_by,
            )
            for ban in bans
        ]
        return Page(items=items, next_cursor=next_cursor)

    # --- admin log ------------------------------------------------------------------------------------------------

    @get(
        "/v1/channels/{channel_id}/admin-log",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def admin_log(
        self, actor: Actor, channel_id: ChannelIdText, query: LogQuery
    ) -> Page[AdminLogEntryResponse]:
        """Who did what to the channel, newest first (owner, admin); it never expires, and goes with the channel."""
        entries, next_cursor = await self._running.list_log(
            actor,
            GroupId(channel_id),
            action=query.action,
            actor_id=query.actor_id,
            target_id=query.target_id,
            limit=query.limit,
            cursor=query.cursor,
        )
        return Page(items=[_entry_response(entry) for entry in entries], next_cursor=next_cursor)
