"""Invitations to be an admin: the owner makes and revokes them, the invited user answers them, or they expire.

Every change is a command in the group's membership queue, so accepting, revoking, banning and the limit of admins never
race.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from groups import policy
from groups.events import InvitationEnd, InvitationEnded
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.kernel.paging import page_by_text
from groups.limits import GroupLimits
from groups.models import Grant, Group, Invitation
from groups.service.access.guard import AccessGuard
from groups.service.membership.commands import (
    AnswerInvitation,
    Invite,
    Membership,
    RevokeInvitation,
)
from groups.service.membership.queue import MembershipQueue, membership
from groups.store.groups import GroupStore
from groups.store.invitations import InvitationStore


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationService:
    """Makes, answers, revokes and lists invitations."""

    invitations: InvitationStore
    groups: GroupStore
    guard: AccessGuard
    queue: MembershipQueue
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
        """Accept and become an admin, and a member if the actor is none; or decline. An admin may accept again.

        Publishes: InvitationEnded; when accepted MembersJoined, MemberChanged.
        """
        return membership(await self.queue.submit(group_id, AnswerInvitation(actor, accept)))

    async def end_all(self, group: Group, now: datetime, tx: Tx) -> None:
        """Notify the owner and the invited users of a group that is being disbanded; `cleanup` deletes the documents.

        Inviting and answering also write the group, so they conflict with this transaction. At most
        `GroupLimits.admin_invitations` users are notified. Publishes: InvitationEnded.
        """
        most = self.limits.admin_invitations
        for user_id in await self.invitations.list_open_ids(group.group_id, now, most, tx):
            audience = (user_id, group.owner_id) if group.owner_id else (user_id,)
            tx.publish(
                InvitationEnded(
                    at=now,
                    group_id=group.group_id,
                    is_channel=group.is_channel,
                    user_id=user_id,
                    reason=InvitationEnd.DELETED,
                    audience=audience,
                )
            )

    async def list_of_group(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Invitation], str | None]:
        """A page of the group's open invitations, by user id."""
        access = await self.guard.access_of(actor, group_id)
        policy.check(policy.inviting_refusal(access, None))
        read = partial(self.invitations.list_of_group, group_id, self.clock.now())
        return await page_by_text("invitations", cursor, limit, read, lambda one: one.user_id)

    async def list_of_user(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[Invitation, Group]], str | None]:
        """A page of the actor's own open invitations by group id, each with its group.

        Invitations of disbanded groups are left out. An invitation reveals that its group exists, and its name.
        """
        read = partial(self.invitations.list_of_user, actor.user_id, self.clock.now())
        found, next_cursor = await page_by_text(
            "my invitations", cursor, limit, read, lambda one: one.group_id
        )
        if not found:
            return [], None
        groups = await self.groups.find_many([invitation.group_id for invitation in found])
        shown = [(i, groups[i.group_id]) for i in found if i.group_id in groups]
        return shown, next_cursor
