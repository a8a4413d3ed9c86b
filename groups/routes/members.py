"""The API of members: join, leave, add, change, remove, bans, ownership."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from groups.errors import (
    AdminLimitReached,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    GroupNotFound,
    GroupsPerUserReached,
    InvitationLimitReached,
    InvitationsPerUserReached,
    JoiningNotAllowed,
    JoinRequestsPerUserReached,
    MemberLimitReached,
    MemberNotFound,
    NotAPerson,
    NotForThisType,
    OwnerCannotLeave,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, Reply, delete, get, patch, post, put
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import AnyUserIdText, GroupIdText, UserIdText, user_or_caller
from groups.kernel.paging import Page, PageQuery
from groups.limits import GroupLimits
from groups.models import AccessContext, Member
from groups.routes.responses.groups import GroupResponse, group_response
from groups.routes.responses.invitations import invited_response
from groups.routes.responses.members import (
    AddedResponse,
    BanResponse,
    ChangeMember,
    JoinGroup,
    MemberResponse,
    NewOwner,
    RemoveMember,
    member_response,
)
from groups.service.lifecycle.reader import GroupReader
from groups.service.membership.service import Membership, MembershipService
from groups.service.users import UserService

QUERY_LENGTH: Final = 100


class MemberQuery(PageQuery):
    """Selects members."""

    q: Annotated[
        str,
        Field(
            max_length=QUERY_LENGTH,
            description="Only members whose id, name, or last word of the name begins with this. In names, case and"
            " accents do not matter. A page may be short and still have a cursor.",
        ),
    ] = ""
    staff: Annotated[bool, Field(description="Only the owner and the admins.")] = False


class RemoveQuery(Query):
    """How a member is removed."""

    ban: Annotated[bool, Field(description="The user cannot join again.")] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberRoutes:
    """The endpoints of members."""

    tag = "Members"

    groups: GroupReader
    membership: MembershipService
    users: UserService
    limits: GroupLimits

    def _group_response(self, membership: Membership) -> GroupResponse:
        group, member = membership.group, membership.member
        access = AccessContext(group=group, member=member, effective_role=membership.effective_role)
        return group_response(access, membership.stream, group.limit_of_members(self.limits))

    async def _member_response(self, member: Member) -> MemberResponse:
        return member_response(
            member, (await self.users.find_users([member.user_id])).get(member.user_id)
        )

    @put(
        "/v1/groups/{group_id}/members/me",
        also=[202],
        errors=[
            GroupNotFound,
            Banned,
            BusinessAccount,
            JoiningNotAllowed,
            MemberLimitReached,
            GroupsPerUserReached,
            JoinRequestsPerUserReached,
        ],
    )
    async def join(
        self, actor: Actor, group_id: GroupIdText, body: JoinGroup | None
    ) -> Reply[GroupResponse]:
        """Join a group.

        202 where the group requires approval: the request waits for the owner or an admin, and `role` is null.
        """
        text = body.text if body else ""
        joined = await self.membership.join(actor, group_id, text=text)
        return Reply(self._group_response(joined), 202 if joined.is_pending else 200)

    @delete(
        "/v1/groups/{group_id}/members/me", status=204, errors=[GroupNotFound, OwnerCannotLeave]
    )
    async def leave(self, actor: Actor, group_id: GroupIdText) -> None:
        """Leave a group; this deletes your conversation with it."""
        await self.membership.leave(actor, group_id)

    @get("/v1/groups/{group_id}/members", errors=[GroupNotFound, PermissionRefused])
    async def list_members(
        self, actor: Actor, group_id: GroupIdText, query: MemberQuery
    ) -> Page[MemberResponse]:
        """The members by id; in a channel only for the owner and the admins."""
        members, next_cursor = await self.membership.list_members(
            actor,
            group_id,
            limit=query.limit,
            cursor=query.cursor,
            words=query.q,
            staff_only=query.staff,
        )
        users = await self.users.find_users(member.user_id for member in members)
        items = [member_response(member, users.get(member.user_id)) for member in members]
        return Page(items=items, next_cursor=next_cursor)

    @get(
        "/v1/groups/{group_id}/members/{user_id}",
        errors=[GroupNotFound, PermissionRefused, MemberNotFound],
    )
    async def get_member(
        self, actor: Actor, group_id: GroupIdText, user_id: AnyUserIdText
    ) -> MemberResponse:
        """One member; `me` is the caller."""
        user_id = user_or_caller(user_id, actor.user_id)
        return await self._member_response(
            await self.membership.get_member(actor, group_id, user_id)
        )

    @put(
        "/v1/groups/{group_id}/members/{user_id}",
        also=[202],
        errors=[
            UserRestricted,
            ChannelSuspended,
            GroupNotFound,
            PermissionRefused,
            Banned,
            NotAPerson,
            MemberLimitReached,
            GroupsPerUserReached,
            InvitationLimitReached,
            InvitationsPerUserReached,
        ],
    )
    async def add(
        self, actor: Actor, group_id: GroupIdText, user_id: UserIdText
    ) -> Reply[AddedResponse]:
        """Add a user (owner, admin; any member of a Work group). It lifts a ban.

        202 where the user is asked first: they are invited, and become a member when they accept. So it is in a
        Community, for users who left the group by themselves, declined to join it or want nothing of you, and for users
        whom others added to many groups already. The application's back end adds anybody at once.
        """
        added = await self.membership.add(actor, group_id, user_id)
        if added.member is not None:
            return Reply(AddedResponse(await self._member_response(added.member)), 200)
        assert added.invitation is not None  # adding makes a member, or invites
        return Reply(AddedResponse(invited_response(added.invitation)), 202)

    @patch(
        "/v1/groups/{group_id}/members/{user_id}",
        errors=[
            GroupNotFound,
            MemberNotFound,
            PermissionRefused,
            NotForThisType,
            AdminLimitReached,
        ],
    )
    async def change(
        self, actor: Actor, group_id: GroupIdText, user_id: AnyUserIdText, body: ChangeMember
    ) -> MemberResponse:
        """Change a member's role (owner), mute (owner, admin) or name card (the member, owner, admin)."""
        user_id = user_or_caller(user_id, actor.user_id)
        changed = await self.membership.change(
            actor,
            group_id,
            user_id,
            role=body.role,
            mute_seconds=body.mute_seconds,
            name_card=body.name_card,
        )
        if changed.member is None:
            raise MemberNotFound
        return await self._member_response(changed.member)

    @delete(
        "/v1/groups/{group_id}/members/{user_id}",
        status=204,
        errors=[GroupNotFound, PermissionRefused, OwnerCannotLeave],
    )
    async def remove(
        self,
        actor: Actor,
        group_id: GroupIdText,
        user_id: UserIdText,
        query: RemoveQuery,
        body: RemoveMember | None,
    ) -> None:
        """Remove a member (owner, admin); with `ban` the user cannot join again.

        `ban` is accepted in the query and in the body: not every client sends a body with DELETE.
        """
        ban = query.ban or (body is not None and body.ban)
        await self.membership.remove(actor, group_id, user_id, ban=ban)

    @get("/v1/groups/{group_id}/bans", errors=[GroupNotFound, PermissionRefused])
    async def bans(
        self, actor: Actor, group_id: GroupIdText, query: PageQuery
    ) -> Page[BanResponse]:
        """The banned users (owner, admin)."""
        bans, next_cursor = await self.membership.list_bans(
            actor, group_id, limit=query.limit, cursor=query.cursor
        )
        items = [
            BanResponse(user_id=ban.user_id, banned_at=ban.banned_at, banned_by=ban.banned_by)
            for ban in bans
        ]
        return Page(items=items, next_cursor=next_cursor)

    @delete(
        "/v1/groups/{group_id}/bans/{user_id}",
        status=204,
        errors=[GroupNotFound, PermissionRefused],
    )
    async def unban(self, actor: Actor, group_id: GroupIdText, user_id: UserIdText) -> None:
        """Lift a ban (owner, admin); the user may join again."""
        await self.membership.unban(actor, group_id, user_id)

    @post(
        "/v1/groups/{group_id}/owner",
        errors=[GroupNotFound, PermissionRefused, MemberNotFound, AdminLimitReached],
    )
    async def transfer(self, actor: Actor, group_id: GroupIdText, body: NewOwner) -> GroupResponse:
        """Give the group to another member; you stay as admin. Your open invitations end."""
        await self.membership.transfer(actor, group_id, body.user_id)
        access, stream = await self.groups.get(actor, group_id)
        return group_response(access, stream, access.group.limit_of_members(self.limits))
