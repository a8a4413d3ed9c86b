"""The API of invitations to chat groups; a channel has the same calls, and one more to invite admins."""

from dataclasses import dataclass

from groups.errors import (
    AdminLimitReached,
    Banned,
    BusinessAccount,
    GroupNotFound,
    GroupsPerUserReached,
    InvitationExpired,
    InvitationNotFound,
    MemberLimitReached,
    NotForThisType,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import delete, get, post
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupIdText, UserIdText
from groups.kernel.paging import Page, PageQuery
from groups.routes.responses.invitations import (
    AnswerToInvitation,
    InvitationResponse,
    invitation_response,
)
from groups.service.membership.invitations import InvitationService


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationRoutes:
    """The endpoints of invitations of a group."""

    tag = "Members"

    inviting: InvitationService

    @get("/v1/groups/{group_id}/invitations", errors=[GroupNotFound, PermissionRefused, BadCursor])
    async def list_invitations(
        self, actor: Actor, group_id: GroupIdText, query: PageQuery
    ) -> Page[InvitationResponse]:
        """The open invitations, by user id (owner, admin)."""
        found, next_cursor = await self.inviting.list_of_group(
            actor, group_id, limit=query.limit, cursor=query.cursor
        )
        return Page(items=[invitation_response(one) for one in found], next_cursor=next_cursor)

    @delete(
        "/v1/groups/{group_id}/invitations/{user_id}",
        status=204,
        errors=[GroupNotFound, PermissionRefused, NotForThisType],
    )
    async def revoke_invitation(
        self, actor: Actor, group_id: GroupIdText, user_id: UserIdText
    ) -> None:
        """Remove an invitation (owner, admin; whoever invited). Without one this changes nothing."""
        await self.inviting.revoke(actor, group_id, user_id)

    @post(
        "/v1/groups/{group_id}/invitations/me",
        status=204,
        errors=[
            GroupNotFound,
            InvitationNotFound,
            InvitationExpired,
            Banned,
            BusinessAccount,
            AdminLimitReached,
            MemberLimitReached,
            GroupsPerUserReached,
        ],
    )
    async def answer_invitation(
        self, actor: Actor, group_id: GroupIdText, body: AnswerToInvitation
    ) -> None:
        """Accept your invitation, which makes you a member, or decline it. `GET /v1/invitations` lists yours."""
        await self.inviting.answer(actor, group_id, accept=body.accept)
