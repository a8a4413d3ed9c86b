"""The calls on memberships: join, add, leave, remove, ban, roles, mutes, ownership, and lists of members.

Every change goes through one queue for each group (`queue`), so limit and count are exact under any race, and a hot
channel admits thousands of users a second.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from groups import policy
from groups.errors import MemberNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, page_by_text
from groups.models import Grant, JoinRequest, Member, Restriction, Role
from groups.service.access.guard import AccessGuard
from groups.service.membership.commands import (
    Add,
    Approve,
    BanFromCommenting,
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
from groups.service.membership.queue import MembershipQueue, membership
from groups.service.membership.search import MemberSearch
from groups.store.join_requests import JoinRequestStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore

__all__ = ["Membership", "MembershipService"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MembershipService:
    """Members of groups. Every call but the lists is one command in the group's queue."""

    members: MemberStore
    restrictions: RestrictionStore
    requests: JoinRequestStore
    search: MemberSearch
    guard: AccessGuard
    queue: MembershipQueue

    async def join(self, actor: Actor, group_id: GroupId, *, text: str = "") -> Membership:
        """Make the actor a member, or store a join request where the group requires approval (`is_pending`).

        Joining twice changes nothing. Publishes: MembersJoined or JoinRequested.
        """
        return membership(await self.queue.submit(group_id, Join(actor, text)))

    async def add(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Make another user a member, or invite them; by the owner or an admin this also lifts a ban.

        `member` of the result is None where the user is invited (`invitation`): in a channel, and in a chat group that
        they left, of whose adder they want nothing, or when others added them to too many groups. Only the application
        makes anybody a member without their word. Publishes: MembersJoined or MemberInvited.
        """
        return membership(await self.queue.submit(group_id, Add(actor, user_id)))

    async def leave(self, actor: Actor, group_id: GroupId) -> Membership:
        """End the actor's membership and conversation, if there is one. Publishes: MembersLeft."""
        return membership(await self.queue.submit(group_id, Leave(actor)))

    async def remove(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, ban: bool = False
    ) -> Membership:
        """Remove a member; with `ban` any user, who then cannot join again. Publishes: MembersLeft."""
        return membership(await self.queue.submit(group_id, Remove(actor, user_id, ban)))

    async def unban(self, actor: Actor, group_id: GroupId, user_id: UserId) -> None:
        """Lift a ban, which does not make the user a member. Without a ban this changes nothing."""
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

        `grants` needs the role of admin with it; a new admin holds all where it is None.
        Publishes: MemberChanged, when something changed.
        """
        command = UpdateMember(actor, user_id, role, mute_seconds, name_card, grants)
        return membership(await self.queue.submit(group_id, command))

    async def ban_from_reacting(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, is_banned: bool
    ) -> None:
        """Ban a user, member or not, from adding reactions, or lift that ban. Repeating it changes nothing.

        The user may still read, and remove their reactions. The ban outlives the membership.
        """
        await self.queue.submit(group_id, BanFromReacting(actor, user_id, is_banned))

    async def ban_from_commenting(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, is_banned: bool
    ) -> None:
        """Ban a user from commenting, member or not, or lift that ban; doing it again changes nothing."""
        await self.queue.submit(group_id, BanFromCommenting(actor, user_id, is_banned))

    async def transfer(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Make another member the owner. The former owner becomes an admin with all grants.

        In a Work group, which has no admins, they become a member. At the limit of admins, only an admin can become the
        owner. Invitations that the former owner made end: only an owner appoints admins.
        Publishes: GroupUpdated, MemberChanged twice, InvitationEnded.
        """
        return membership(await self.queue.submit(group_id, Transfer(actor, user_id)))

    async def approve(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Membership:
        """Approve a join request. Publishes: MembersJoined."""
        return membership(await self.queue.submit(group_id, Approve(actor, user_id)))

    async def refuse(self, actor: Actor, group_id: GroupId, user_id: UserId) -> None:
        """Refuse a join request, or withdraw the actor's own. Publishes: JoinRefused."""
        await self.queue.submit(group_id, Refuse(actor, user_id))

    async def get_member(self, actor: Actor, group_id: GroupId, user_id: UserId) -> Member:
        """One membership: the actor's own, or another's where the actor may list members."""
        access = await self.guard.access_of(actor, group_id)
        if user_id != actor.user_id:
            policy.check(policy.listing_refusal(access))
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
        words: str = "",
        staff_only: bool = False,
    ) -> tuple[list[Member], str | None]:
        """A page of members by user id; or of those whose id or name `words` fit, in the order of `MemberSearch`."""
        policy.check(policy.listing_refusal(await self.guard.access_of(actor, group_id)))
        if words and not staff_only:
            return await self.search.search(group_id, words, limit=limit, cursor=cursor)
        key = decode_cursor("members", cursor, str)
        after = str(key[0]) if key else ""
        if staff_only:
            members = await self._staff_after(group_id, after)
            if words:
                members = await self.search.among(members, words)
        else:
            members = await self.members.list_of_group(group_id, after=after, limit=limit + 1)
        members, has_more = cut_page(members, limit)
        return members, encode_cursor("members", members[-1].user_id) if has_more else None

    async def find_listed(
        self, actor: Actor, group_id: GroupId, user_ids: Collection[UserId]
    ) -> list[Member]:
        """Those of the users who are members, by user id, for an actor who may list members."""
        policy.check(policy.listing_refusal(await self.guard.access_of(actor, group_id)))
        found = await self.members.find_members(group_id, user_ids)
        return sorted(found.values(), key=_user_id)

    async def list_staff(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """A page of the owner and the admins by user id; only they may list each other."""
        policy.check(policy.staff_refusal(await self.guard.access_of(actor, group_id)))
        key = decode_cursor("staff", cursor, str)
        members = await self._staff_after(group_id, str(key[0]) if key else "")
        members, has_more = cut_page(members, limit)
        return members, encode_cursor("staff", members[-1].user_id) if has_more else None

    async def _staff_after(self, group_id: GroupId, user_id: str) -> list[Member]:
        """The owner and the admins with greater user ids; the limit of admins bounds them."""
        staff = await self.members.find_staff(group_id)
        return sorted((m for m in staff if m.user_id > user_id), key=lambda m: m.user_id)

    async def list_reaction_bans(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        await self._check_may_manage(actor, group_id)
        read = partial(self.restrictions.list_reaction_bans, group_id)
        return await page_by_text("reaction bans", cursor, limit, read, _user_id)

    async def list_comment_bans(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        await self._check_may_manage(actor, group_id)
        read = partial(self.restrictions.list_comment_bans, group_id)
        return await page_by_text("comment bans", cursor, limit, read, _user_id)

    async def list_bans(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Restriction], str | None]:
        await self._check_may_manage(actor, group_id)
        read = partial(self.restrictions.list_bans, group_id)
        return await page_by_text("bans", cursor, limit, read, _user_id)

    async def list_requests(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[JoinRequest], str | None]:
        await self._check_may_manage(actor, group_id)
        read = partial(self.requests.list_of_group, group_id)
        return await page_by_text("requests", cursor, limit, read, _user_id)

    async def list_group_ids(self, user_id: UserId) -> list[GroupId]:
        """The ids of the groups the user is in, for the delivery of events."""
        return await self.members.list_group_ids(user_id)

    async def close(self) -> None:
        await self.queue.close()

    async def _check_may_manage(self, actor: Actor, group_id: GroupId) -> None:
        policy.check(policy.managing_refusal(await self.guard.access_of(actor, group_id)))


def _user_id(one: Restriction | JoinRequest | Member) -> str:
    return one.user_id
