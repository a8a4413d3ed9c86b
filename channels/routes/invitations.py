"""Routes of invitations to be an admin of a channel."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from channels.errors import ChannelNotFound
from channels.routes.admins import Grants
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from groups.errors import (
    AdminLimitReached,
    AlreadyAdmin,
    Banned,
    GroupsPerUserReached,
    InvitationExpired,
    InvitationLimitReached,
    InvitationNotFound,
    MemberLimitReached,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, delete, get, post
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupId, UserId, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.models import Grant, Group, Invitation
from groups.routes.responses.fields import Instant
from groups.service.membership.invitations import InvitationService


class InviteAdmin(Body):
    """The user to invite, and what they may do as an admin: everything, unless `grants` is given."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "bob", "grants": ["post"]}]}
    )

    user_id: UserIdText
    grants: Annotated[Grants, Field(default_factory=lambda: list(Grant))]


class AnswerToInvitation(Body):
    """Whether I accept or decline."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accept": True}]})

    accept: bool


class InvitationResponse(Response):
    """An open invitation to be an admin."""

    user_id: UserId
    grants: list[Grant]
    invited_by: UserId
    invited_at: Instant
    expires_at: Instant


class OwnInvitationResponse(Response):
    """An open invitation to me. Of a private channel it shows nothing else."""

    channel_id: GroupId
    channel_name: str
    verified: bool
    grants: list[Grant]
    invited_at: Instant
    expires_at: Instant


def _in_order(grants: frozenset[Grant]) -> list[Grant]:
    return [grant for grant in Grant if grant in grants]


def _invitation_response(invitation: Invitation) -> InvitationResponse:
    return InvitationResponse(
        user_id=invitation.user_id,
        grants=_in_order(invitation.grants),
        invited_by=invitation.invited_by,
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


def _own_invitation_response(invitation: Invitation, group: Group) -> OwnInvitationResponse:
    return OwnInvitationResponse(
        channel_id=group.group_id,
        channel_name=group.name,
        verified=group.verified,
        grants=_in_order(invitation.grants),
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
    )


@dataclass(kw_only=True, slots=True)
class InvitationRoutes:
    """Invitations to be an admin."""

    tag = "Running a channel"

    channel: ChannelGuard
    inviting: InvitationService

    @post(
        "/v1/channels/{channel_id}/invitations",
        status=201,
        errors=[ChannelNotFound, PermissionRefused, AlreadyAdmin, Banned, InvitationLimitReached],
    )
    async def invite(
        self, actor: Actor, channel_id: ChannelIdText, body: InviteAdmin
    ) -> InvitationResponse:
        """Invite a user, subscriber or not, to be an admin (owner). All their devices receive `channel.invited`.

        Repeating it changes nothing. With other grants, or when the last one has expired, it makes a new invitation.
        """
        async with self.channel(channel_id):
            invited = await self.inviting.invite(
                actor, channel_id, body.user_id, frozenset(body.grants)
            )
        assert invited.invitation is not None  # inviting makes one, or raises
        return _invitation_response(invited.invitation)

    @get(
        "/v1/channels/{channel_id}/invitations",
        errors=[ChannelNotFound, PermissionRefused, BadCursor],
    )
    async def invitations(
        self, actor: Actor, channel_id: ChannelIdText, query: PageQuery
    ) -> Page[InvitationResponse]:
        """The open invitations, by user id (owner)."""
        async with self.channel(channel_id):
            found, next_cursor = await self.inviting.list_of_group(
                actor, channel_id, limit=query.limit, cursor=query.cursor
            )
        return Page(items=[_invitation_response(i) for i in found], next_cursor=next_cursor)

    @delete(
        "/v1/channels/{channel_id}/invitations/{user_id}",
        status=204,
        errors=[ChannelNotFound, PermissionRefused],
    )
    async def revoke(self, actor: Actor, channel_id: ChannelIdText, user_id: UserIdText) -> None:
        """Remove an invitation (owner). Without one this changes nothing."""
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
            AdminLimitReached,
            MemberLimitReached,
            GroupsPerUserReached,
        ],
    )
    async def answer(
        self, actor: Actor, channel_id: ChannelIdText, body: AnswerToInvitation
    ) -> None:
        """Accept my invitation, which makes me an admin and a subscriber, or decline it."""
        async with self.channel(channel_id):
            await self.inviting.answer(actor, channel_id, accept=body.accept)

    @get("/v1/invitations", errors=[BadCursor])
    async def own_invitations(self, actor: Actor, query: PageQuery) -> Page[OwnInvitationResponse]:
        """The channels that invite me to be an admin, by id."""
        found, next_cursor = await self.inviting.list_of_user(
            actor, limit=query.limit, cursor=query.cursor
        )
        items = [_own_invitation_response(invitation, group) for invitation, group in found]
        return Page(items=items, next_cursor=next_cursor)
