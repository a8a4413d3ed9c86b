"""The guard in front of every group: the one way to get at a group and its messages on somebody's behalf.

It answers "absent" and "not yours to know" with the same error, so that no caller can forget the difference.
"""

from dataclasses import dataclass
from typing import Protocol

from groups import policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import AccessContext, EffectiveRole, Group, Member, Message
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore


class GroupAndMember(Protocol):
    """A group and an actor's membership in it, as they were read."""

    @property
    def group(self) -> Group | None:
        """The group, if it exists."""
        ...

    @property
    def member(self) -> Member | None:
        """The membership, if there is one."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessGuard:
    """Finds a group together with what the actor is to it."""

    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore
    messages: MessageStore

    async def access_of(
        self,
        actor: Actor,
        group_id: GroupId,
        tx: Tx | None = None,
        *,
        found: GroupAndMember | None = None,
    ) -> AccessContext:
        """The actor before the group; `found`: what was read of both a moment ago.

        Raises: GroupNotFound when there is none, or none for him.
        """
        if found is not None:
            group, member = found.group, found.member
        elif tx is None:
            reading = self.members.find_member(group_id, actor.user_id)
            group = await self.groups.find_group(group_id)
            member = await reading
        else:
            group = await self.groups.find_group(group_id, tx)
            member = await self.members.find_member(group_id, actor.user_id, tx)
        if group is None:
            raise GroupNotFound
        restriction = None
        if member is None and not actor.is_app_admin:
            restriction = await self.restrictions.find_restriction(group_id, actor.user_id, tx)
        effective_role = policy.effective_role_of(actor, member, restriction)
        if not policy.may_see(group, effective_role):
            raise GroupNotFound
        return AccessContext(group=group, member=member, effective_role=effective_role)

    async def read_access_of(
        self,
        actor: Actor,
        group_id: GroupId,
        tx: Tx | None = None,
        *,
        found: GroupAndMember | None = None,
    ) -> AccessContext:
        """The actor before a group whose messages he may read; `found` as in `access`.

        Raises: GroupNotFound; PermissionRefused; Banned.
        """
        access = await self.access_of(actor, group_id, tx, found=found)
        refusal = policy.reading_refusal(access.group, access.effective_role)
        if refusal is not None:
            raise refusal
        return access

    async def find_message(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx | None = None
    ) -> tuple[AccessContext, Message]:
        """The actor before the group, and a message of it that he may read.

        Raises: GroupNotFound; PermissionRefused; Banned; MessageNotFound, also of what was said before he may look.
        """
        access = await self.read_access_of(actor, group_id, tx)
        message = await self.messages.find(access.group.stream_id, seq, tx)
        if message is None or seq <= policy.history_floor(access):
            raise MessageNotFound
        return access, message

    @staticmethod
    def is_staff(access: AccessContext) -> bool:
        """Whether the actor runs the group: owner, admin, or the application."""
        return access.effective_role >= EffectiveRole.ADMIN
