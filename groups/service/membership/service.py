"""The life of a membership: joining, being added, leaving, being removed or banned, roles, mutes, ownership.

Everything that changes who is in a group goes through one group-commit lane per group (`service.roster` applies a
batch), so the limit and the count are exact under any race, and a hot channel admits thousands a second.
"""

from dataclasses import dataclass
from functools import partial

from groups import policy
from groups.errors import MemberNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, page_by_text
from groups.models import AccessContext, Grant, JoinRequest, Member, Restriction, Role
from groups.service.access.guard import AccessGuard
from groups.service.membership.commands import (
    Add,
    Approve,
    BanFromReacting,
    Join,
    Leave,
    Membership,
    Refuse,
    Remove,
    Transfer,
    Unban,
    UpdateMember,
)
from groups.service.membership.queue import MembershipQueue
from groups.store.join_requests import JoinRequestStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore

__all__ = ["Membership", "MembershipService"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MembershipService:
    """Members of groups. Every call but the lists is one entry of the group's lane."""

    members: MemberStore
    restrictions: RestrictionStore
    requests: JoinRequestStore
    guard: AccessGuard
    queue: MembershipQueue

    async def join(self, actor: Actor, group_id: GroupId, *, text: str = "") -> Membership:
        """Make the actor a member, or ask for it where the group wants approval (`is_pending` then).

        Joining twice changes nothing and publishes nothing. Publishes: MembersJoined or JoinRequested.
        Raises: GroupNotFound; Banned; JoiningNotAllowed; MemberLimitReached; GroupsPerUserReached.
        """
        return await self.queue.submit(group_id, Join(actor, text))

    async def add(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Make another user a member; owner and admins thereby lift his ban.

        Publishes: MembersJoined. Raises: as `join`; PermissionRefused.
        """
        return await self.queue.submit(group_id, Add(actor, user_id))

    async def leave(self, actor: Actor, group_id: GroupId) -> Membership:
        """End the actor's membership, and with it his conversation; leaving when absent changes nothing.

        Publishes: MembersLeft. Raises: GroupNotFound; OwnerCannotLeave.
        """
        return await self.queue.submit(group_id, Leave(actor))

    async def remove(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, ban: bool = False
    ) -> Membership:
        """End another's membership; with `ban` he cannot come back by himself, member before or not.

        Publishes: MembersLeft. Raises: GroupNotFound; PermissionRefused; OwnerCannotLeave.
        """
        return await self.queue.submit(group_id, Remove(actor, user_id, ban))

    async def unban(self, actor: Actor, group_id: GroupId, user_id: UserId) -> None:
        """Lift a ban; the user is not thereby a member. Lifting none changes nothing.

        Raises: GroupNotFound; PermissionRefused.
        """
        await self.queue.submit(group_id, Unban(actor, user_id))

    async def change(
        self,
        actor: Actor,
        group_id: GroupId,
        user_id: UserId,
        *,
        role: Role | None = None,
        mute_seconds: int | None = None,
        name_card: str | None = None,
        grants: frozenset[Grant] | None = None,
    ) -> Membership:
        """Change a member's role (admin or member), mute (0 ends it) or name card; None leaves each as it is.

        `grants` are those of an admin and need the role with them; a new admin holds all where none are named.
        Publishes: MemberChanged, when something changed. Raises: GroupNotFound; MemberNotFound; PermissionRefused;
        NotForThisType; AdminLimitReached.
        """
        command = UpdateMember(actor, user_id, role, mute_seconds, name_card, grants)
        return await self.queue.submit(group_id, command)

    async def ban_from_reacting(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, is_banned: bool
    ) -> None:
        """Keep a user, member or not, from adding reactions, or let him again; again changes nothing.

        He may still read, and take back what he left. Leaving and coming back does not shake it off.
        Raises: GroupNotFound; PermissionRefused.
        """
        await self.queue.submit(group_id, BanFromReacting(actor, user_id, is_banned))

    async def transfer(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Give the group to another member; the former owner stays as admin with all grants.

        In a Work group, which has no admins, he stays as member. Where there are as many admins as may be, only one
        of them can take it. Invitations that the former owner made end with it: only an owner appoints admins.
        Publishes: GroupUpdated, MemberChanged twice, InvitationEnded. Raises: GroupNotFound; PermissionRefused;
        MemberNotFound; AdminLimitReached.
        """
        return await self.queue.submit(group_id, Transfer(actor, user_id))

    async def approve(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Admit a user who asked to join.

        Publishes: MembersJoined. Raises: as `add`; JoinRequestNotFound.
        """
        return await self.queue.submit(group_id, Approve(actor, user_id))

    async def refuse(self, actor: Actor, group_id: GroupId, user_id: UserId) -> None:
        """Turn a join request down, or withdraw one's own.

        Publishes: JoinRefused. Raises: GroupNotFound; PermissionRefused; JoinRequestNotFound.
        """
        await self.queue.submit(group_id, Refuse(actor, user_id))

    # --- lists ----------------------------------------------------------------------------------------------------

    async def get_member(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Member:
        """One membership: one's own, or another's where members are listed.

        Raises: GroupNotFound; PermissionRefused; MemberNotFound.
        """
        access = await self.guard.access_of(actor, group_id)
        if user_id != actor.user_id:
            self._check_may_list(access)
        member = await self.members.find_member(group_id, user_id)
        if member is None:
            raise MemberNotFound
        return member

    async def list_members(
        self,
        actor: Actor,
        group_id: GroupId,
        *,
        limit: int,
        cursor: str | None,
        prefix: str = "",
        staff_only: bool = False,
    ) -> tuple[list[Member], str | None]:
        """A page of members by user id; `prefix` narrows it to ids that begin so.

        Raises: GroupNotFound; PermissionRefused (in a channel, to all but owner and admins).
        """
        self._check_may_list(await self.guard.access_of(actor, group_id))
        key = decode_cursor("members", cursor, str)
        after = str(key[0]) if key else ""
        if staff_only:
            staff = sorted(await self.members.find_staff(group_id), key=lambda m: m.user_id)
            members = [member for member in staff if member.user_id > after]
        else:
            members = await self.members.list_of_group(
                group_id, after=after, limit=limit + 1, prefix=prefix
            )
        members, has_more = cut_page(members, limit)
        return members, encode_cursor("members", members[-1].user_id) if has_more else None

    async def list_staff(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """A page of owner and admins by user id, for themselves.

        Raises: GroupNotFound; PermissionRefused.
        """
        refusal = policy.staff_refusal(await self.guard.access_of(actor, group_id))
        if refusal is not None:
            raise refusal
        key = decode_cursor("staff", cursor, str)
        after = str(key[0]) if key else ""
        # All at once: the limit of admins bounds them.
        staff = sorted(await self.members.find_staff(group_id), key=lambda m: m.user_id)
        page, has_more = cut_page([member for member in staff if member.user_id > after], limit)
        return page, encode_cursor("staff", page[-1].user_id) if has_more else None

    async def list_reaction_bans(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        """A page of users who are kept from reacting, by id.

        Raises: GroupNotFound; PermissionRefused.
        """
        await self._check_may_manage(actor, group_id)
        read = partial(self.restrictions.list_reaction_bans, group_id)
        return await page_by_text("reaction bans", cursor, limit, read, _user_id)

    async def list_bans(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        """A page of banned users, by id.

        Raises: GroupNotFound; PermissionRefused.
        """
        await self._check_may_manage(actor, group_id)
        read = partial(self.restrictions.list_bans, group_id)
        return await page_by_text("bans", cursor, limit, read, _user_id)

    async def list_requests(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[JoinRequest], str | None]:
        """A page of users who wait for approval, by id.

        Raises: GroupNotFound; PermissionRefused.
        """
        await self._check_may_manage(actor, group_id)
        read = partial(self.requests.list_of_group, group_id)
        return await page_by_text("requests", cursor, limit, read, _user_id)

    async def list_group_ids(self, user_id: UserId) -> list[GroupId]:
        """The ids of the groups the user is in, for whoever delivers to him."""
        return await self.members.list_group_ids(user_id)

    async def close(self) -> None:
        """Wait until every submitted change is committed or refused."""
        await self.queue.close()

    @staticmethod
    def _check_may_list(access: AccessContext) -> None:
        refusal = policy.listing_refusal(access)
        if refusal is not None:
            raise refusal

    async def _check_may_manage(self, actor: Actor, group_id: GroupId) -> None:
        refusal = policy.managing_refusal(await self.guard.access_of(actor, group_id))
        if refusal is not None:
            raise refusal


def _user_id(one: Restriction | JoinRequest) -> str:
    return one.user_id
