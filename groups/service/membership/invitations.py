"""Invitations to be an admin or a member: made, revoked, listed, answered by the invited user, or expired.

The owner invites admins. An invitation to be a member is what `MembershipService.add` makes of a user who has a say in
it first.

Every change is a command in the group's membership queue, so accepting, revoking, banning and the limit of admins never
race.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.kernel.paging import ReadAfter, page_by_text
from groups.limits import GroupLimits
from groups.models import EffectiveRole, Grant, Group, Invitation, InvitationEnd, Role
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.membership.commands import (
    AnswerInvitation,
    Invite,
    Membership,
    RevokeInvitation,
)
from groups.service.membership.queue import MembershipQueue, membership
from groups.service.membership.state import invitation_ended
from groups.store.groups import GroupStore
from groups.store.invitations import InvitationStore


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationService:
    """Makes, answers, revokes and lists invitations."""

    invitations: InvitationStore
    groups: GroupStore
    guard: AccessGuard
    queue: MembershipQueue
    hooks: Hooks
    limits: GroupLimits
    clock: Clock

    async def invite(
        self, actor: Actor, group_id: GroupId, user_id: UserId, grants: frozenset[Grant]
    ) -> Membership:
        """Invite a user, member or not, to be an admin. Repeating an open invitation changes nothing.

        Other grants, or an expired invitation, make a new one with its full time. Publishes: AdminInvited.
        """
        return membership(await self.queue.submit(group_id, Invite(actor, user_id, grants)))

    async def revoke(self, actor: Actor, group_id: GroupId, user_id: UserId) -> None:
        """Revoke an invitation; where there is none this changes nothing. Publishes: InvitationEnded."""
        await self.queue.submit(group_id, RevokeInvitation(actor, user_id))

    async def answer(self, actor: Actor, group_id: GroupId, *, accept: bool) -> Membership:
        """Accept and become a member, and an admin if invited as one; or decline. Accepting again changes nothing.

        Publishes: InvitationEnded; when accepted MembersJoined, MemberChanged.
        """
        return membership(await self.queue.submit(group_id, AnswerInvitation(actor, accept)))

    async def end_all(self, group: Group, now: datetime, tx: Tx) -> None:
        """Notify the owner and the invited users of a group that is being disbanded; `cleanup` deletes the documents.

        Inviting and answering also write the group, so they conflict with this transaction. The limits of open
        invitations bound how many users are notified. Publishes: InvitationEnded.
        """
        for role in (Role.ADMIN, Role.MEMBER):
            found = await self.invitations.find_open(group.group_id, role, now, tx)
            for invitation in found.values():
                tx.publish(invitation_ended(invitation, group, InvitationEnd.DELETED, now))

    async def list_of_group(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Invitation], str | None]:
        """A page of the group's open invitations, by user id; those to be an admin only for the owner."""
        access = await self.guard.access_of(actor, group_id)
        policy.check(policy.managing_refusal(access))
        is_owner = access.effective_role >= EffectiveRole.OWNER
        roles = (Role.ADMIN, Role.MEMBER) if is_owner else (Role.MEMBER,)
        read = partial(self.invitations.list_of_group, group_id, self.clock.now(), roles=roles)
        return await page_by_text("invitations", cursor, limit, read, lambda one: one.user_id)

    async def list_of_user(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[Invitation, Group]], str | None]:
        """A page of the actor's own open invitations by group id, each with its group.

        Those of disbanded groups and hidden channels are left out, and those of groups and inviters whom the actor
        blocks. An invitation reveals that its group exists, and its name.
        """
        read = partial(self.invitations.list_of_user, actor.user_id, self.clock.now())
        return await self._page_of_user(actor, read, limit=limit, cursor=cursor)

    def query_first(
        self, user_ids: Collection[UserId]
    ) -> BatchedQuery[dict[UserId, list[Invitation]] | None]:
        """The queries of `list_first`, for users who ask at the same time, to send together with others."""
        return self.invitations.query_first(user_ids, self.clock.now())

    async def list_first(
        self, actor: Actor, found: Mapping[UserId, Sequence[Invitation]] | None, *, limit: int
    ) -> tuple[list[tuple[Invitation, Group]], str | None]:
        """The first page of `list_of_user`, of what `query_first` found."""
        if found is None:
            return await self.list_of_user(actor, limit=limit, cursor=None)
        own = found.get(actor.user_id, ())

        async def read(*, after: str, limit: int) -> list[Invitation]:
            return list(own[:limit])

        return await self._page_of_user(actor, read, limit=limit, cursor=None)

    async def _page_of_user(
        self, actor: Actor, read: ReadAfter[Invitation], *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[Invitation, Group]], str | None]:
        found, next_cursor = await page_by_text(
            "my invitations", cursor, limit, read, lambda one: one.group_id
        )
        if not found:
            return [], None
        groups = await self.groups.find_many([invitation.group_id for invitation in found])
        blocked = await self._blocked(actor.user_id, found)
        shown = [
            (invitation, groups[invitation.group_id])
            for invitation in found
            if invitation.group_id in groups
            and not groups[invitation.group_id].is_hidden
            and blocked.isdisjoint((invitation.group_id, invitation.invited_by))
        ]
        return shown, next_cursor

    async def _blocked(self, user_id: UserId, found: Sequence[Invitation]) -> set[str]:
        """The groups and inviters of these invitations whom the user blocks."""
        if not found or self.hooks.blocks is None:
            return set()
        ids = {i.group_id for i in found} | {i.invited_by for i in found}
        pairs = await self.hooks.blocks.find_blocks([(user_id, each) for each in ids])
        return {blocked for _, blocked in pairs}
