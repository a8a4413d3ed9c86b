"""Routes of a channel's admins: their rights, bans from reacting, the admin log, invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from channels.errors import ChannelNotFound
from channels.routes.responses import (
    ChannelIdText,
    MemberOfChannelResponse,
    member_of_channel_response,
)
from channels.service.guard import ChannelGuard
from groups.errors import (
    AdminLimitReached,
    AlreadyAdmin,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    GroupsPerUserReached,
    InvitationExpired,
    InvitationLimitReached,
    InvitationNotFound,
    InvitationsPerUserReached,
    MemberLimitReached,
    MemberNotFound,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, delete, get, post, put
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import ID_BYTES, GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import AdminAction, AdminLogEntry, Grant, Group, Invitation, Member, Role
from groups.routes.responses.fields import Instant, PatchBody
from groups.routes.responses.invitations import (
    AnswerToInvitation,
    InvitationResponse,
    InvitedRole,
    OwnGroupInvitationResponse,
    grants_in_order,
    invitation_response,
    own_group_invitation_response,
)
from groups.routes.responses.members import BanResponse
from groups.service.admin_log import AdminLog
from groups.service.membership.invitations import InvitationService
from groups.service.membership.service import MembershipService
from groups.service.users import UserService

Grants = Annotated[
    list[Grant],
    Field(
        max_length=len(Grant),
        description="The rights of the admin; the owner has all of them.",
        examples=[["post", "edit_posts"]],
    ),
]


class Appoint(PatchBody):
    """The rights of the admin. Without `grants` a new admin may do everything, and an admin keeps their rights."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grants": ["post", "pin_posts"]}]})

    grants: Grants | None = None


class AdminResponse(MemberOfChannelResponse):
    """The owner or an admin, and their rights."""

    grants: list[Grant]


class LogQuery(PageQuery):
    """Which entries; an entry must match every filter given."""

    action: AdminAction | None = None
    actor_id: Annotated[
        str | None, Field(max_length=ID_BYTES, description="The id of the user who did it.")
    ] = None
    target_id: Annotated[
        str | None,
        Field(
            max_length=ID_BYTES, description="The user or post it was done to: an id or `post_id`."
        ),
    ] = None


class AdminLogEntryResponse(Response):
    """One change to the channel, or one act of the application.

    `before` and `after` hold the changed values by name; a value of more than 400 bytes is cut and ends in an ellipsis.
    `by_app`: your back end made the change, under this id.
    """

    entry_id: str
    action: AdminAction
    actor_id: UserId
    by_app: bool
    target_id: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    at: Instant


def log_entry_response(entry: AdminLogEntry) -> AdminLogEntryResponse:
    """The response for an entry of a channel's admin log, or of the application's."""
    return AdminLogEntryResponse.model_validate(entry, from_attributes=True)


class InviteAdmin(Body):
    """The user to invite, and their rights as an admin: all, unless `grants` is given."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "bob", "grants": ["post"]}]}
    )

    user_id: UserIdText
    grants: Annotated[Grants, Field(default_factory=lambda: list(Grant))]


class OwnInvitationResponse(Response):
    """An open invitation to you, to subscribe (`role` is `member`) or to be an admin.

    Of a private channel it shows nothing else.
    """

    channel_id: GroupId
    channel_name: str
    verified: bool
    role: InvitedRole
    grants: list[Grant]
    invited_at: Instant
    expires_at: Instant


def own_invitation_response(
    invitation: Invitation, group: Group
) -> OwnInvitationResponse | OwnGroupInvitationResponse:
    """The response for an invitation to the actor, to a channel or to a chat group."""
    if not group.is_channel:
        return own_group_invitation_response(invitation, group)
    return OwnInvitationResponse(
        channel_id=group.group_id,
        channel_name=group.name,
        verified=group.verified,
        role=Role.ADMIN if invitation.role is Role.ADMIN else Role.MEMBER,
        grants=grants_in_order(invitation.grants),
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


@dataclass(kw_only=True, slots=True)
class AdminRoutes:
    """Admins and invitations to be one, bans from reacting, the admin log."""

    tag = "Running a channel"

    channel: ChannelGuard
    memberships: MembershipService
    inviting: InvitationService
    log: AdminLog
    users: UserService

    @get("/v1/channels/{channel_id}/admins", errors=[ChannelNotFound, PermissionRefused, BadCursor])
    async def admins(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[AdminResponse]:
        """The owner and the admins with their rights, by id (owner, admin)."""
        async with self.channel(channel_id):
            members, next_cursor = await self.memberships.list_staff(
                actor, channel_id, limit=query.limit, cursor=query.cursor
            )
        return Page(items=await self._responses(members), next_cursor=next_cursor)

    @put(
        "/v1/channels/{channel_id}/admins/{user_id}",
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound, AdminLimitReached],
    )
    async def appoint(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText, body: Appoint | None
    ) -> AdminResponse:
        """Make a subscriber an admin at once, or change an admin's rights (owner). To ask them first, invite them."""
        grants = frozenset(body.grants) if body and body.grants is not None else None
        async with self.channel(channel_id):
            membership = await self.memberships.change(
                actor, channel_id, user_id, role=Role.ADMIN, grants=grants
            )
        if membership.member is None:
            raise MemberNotFound
        [response] = await self._responses([membership.member])
        return response

    @delete(
        "/v1/channels/{channel_id}/admins/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused, MemberNotFound],
    )
    async def dismiss(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Make an admin a plain subscriber again (owner)."""
        async with self.channel(channel_id):
            await self.memberships.change(actor, channel_id, user_id, role=Role.MEMBER)

    @put(
        "/v1/channels/{channel_id}/reaction-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def ban_from_reacting(
        self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText
    ) -> None:
        """Ban a user from reacting (owner, admin). They may still read, and remove their own reactions."""
        async with self.channel(channel_id):
            await self.memberships.ban_from_reacting(actor, channel_id, user_id, is_banned=True)

    @delete(
        "/v1/channels/{channel_id}/reaction-bans/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def let_react(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Let a user react again (owner, admin)."""
        async with self.channel(channel_id):
            await self.memberships.ban_from_reacting(actor, channel_id, user_id, is_banned=False)

    @get(
        "/v1/channels/{channel_id}/reaction-bans",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def reaction_bans(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """The users who are banned from reacting, by id (owner, admin)."""
        async with self.channel(channel_id):
            bans, next_cursor = await self.memberships.list_reaction_bans(
                actor, channel_id, limit=query.limit, cursor=query.cursor
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

    @get(
        "/v1/channels/{channel_id}/admin-log",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def admin_log(
        self, actor: Actor, channel_id: ChannelIdText, query: LogQuery
    ) -> Page[AdminLogEntryResponse]:
        """The changes to the channel, newest first (owner, admin). They are kept until the channel is deleted."""
        async with self.channel(channel_id):
            entries, next_cursor = await self.log.list_entries(
                actor,
                channel_id,
                action=query.action,
                actor_id=query.actor_id,
                target_id=query.target_id,
                limit=query.limit,
                cursor=query.cursor,
            )
        return Page(items=[log_entry_response(e) for e in entries], next_cursor=next_cursor)

    @post(
        "/v1/channels/{channel_id}/invitations",
        status=201,
        errors=[
            UserRestricted,
            ChannelSuspended,
            ChannelNotFound,
            PermissionRefused,
            AlreadyAdmin,
            Banned,
            InvitationLimitReached,
            InvitationsPerUserReached,
        ],
    )
    async def invite(
        self, actor: Actor, channel_id: ChannelIdText, body: InviteAdmin
    ) -> InvitationResponse:
        """Invite a user, subscriber or not, to be an admin (owner). All their devices receive `channel.invited`.

        Repeating it changes nothing. With other grants, or when the last one has expired, it makes a new invitation.
        The devices of a user who does not subscribe receive one event in the time that an invitation is open. A user
        who blocked you or the channel, or does not subscribe and declined not long ago, is not told, and you are
        answered the same. To invite a subscriber, see `PUT /v1/channels/{channel_id}/subscribers/{user_id}`.
        """
        async with self.channel(channel_id):
            invited = await self.inviting.invite(
                actor, channel_id, body.user_id, frozenset(body.grants)
            )
        assert invited.invitation is not None  # inviting makes one, or raises
        return invitation_response(invited.invitation)

    @get(
        "/v1/channels/{channel_id}/invitations",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def invitations(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[InvitationResponse]:
        """The open invitations, by user id (owner, admin). Those to be an admin are shown to the owner alone."""
        async with self.channel(channel_id):
            found, next_cursor = await self.inviting.list_of_group(
                actor, channel_id, limit=query.limit, cursor=query.cursor
            )
        return Page(items=[invitation_response(i) for i in found], next_cursor=next_cursor)

    @delete(
        "/v1/channels/{channel_id}/invitations/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def revoke(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Remove an invitation (owner, admin). Only the owner removes one to be an admin.

        Without an invitation this changes nothing.
        """
        async with self.channel(channel_id):
            await self.inviting.revoke(actor, channel_id, user_id)

    @post(
        "/v1/channels/{channel_id}/invitations/me",
        status=204,
        errors=[
            ChannelNotFound,
            InvitationNotFound,
            InvitationExpired,
            Banned,
            BusinessAccount,
            AdminLimitReached,
            MemberLimitReached,
            GroupsPerUserReached,
        ],
    )
    async def answer(
        self, actor: Actor, channel_id: ChannelIdText, body: AnswerToInvitation
    ) -> None:
        """Accept your invitation, which makes you a subscriber, and an admin if you are invited as one; or decline it.

        Nobody is told that you declined to subscribe.
        """
        async with self.channel(channel_id):
            await self.inviting.answer(actor, channel_id, accept=body.accept)

    @get("/v1/invitations", errors=[BadCursor])
    async def own_invitations(
        self, actor: Actor, query: PageQuery
    ) -> Page[OwnInvitationResponse | OwnGroupInvitationResponse]:
        """The channels that invite you to subscribe or to be an admin, and the chat groups that invite you, by id."""
        found, next_cursor = await self.inviting.list_of_user(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [own_invitation_response(invitation, group) for invitation, group in found]
        return Page(items=items, next_cursor=next_cursor)

    async def _responses(self, members: Sequence[Member]) -> list[AdminResponse]:
        users = await self.users.find_users(member.user_id for member in members)
        return [
            AdminResponse.model_construct(
                **dict(member_of_channel_response(member, users.get(member.user_id))),
                grants=list(member.granted),
            )
            for member in members
        ]
