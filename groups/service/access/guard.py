"""The guard in front of every group: the one way to read a group and its messages for an actor.

A missing group and a group that the actor may not see raise the same error, so no caller can reveal the difference.
"""

from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import AccessContext, Group, Member, Message, stream_of
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessGuard:
    """Finds a group together with what the actor may do there."""

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
        found: tuple[Group | None, Member | None] | None = None,
    ) -> AccessContext:
        """The actor's access to the group; with `found`, neither group nor membership is read again."""
        if found is not None:
            group, member = found
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
        access = policy.access_of(actor, group, member, restriction)
        if not policy.may_see(group, access.effective_role):
            raise GroupNotFound
        return access

    async def read_access_of(
        self,
        actor: Actor,
        group_id: GroupId,
        tx: Tx | None = None,
        *,
        found: tuple[Group | None, Member | None] | None = None,
    ) -> AccessContext:
        """As `access_of`, for a group whose messages the actor may read."""
        access = await self.access_of(actor, group_id, tx, found=found)
        policy.check(policy.reading_refusal(access.group, access.effective_role))
        return access

    async def find_message(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx | None = None
    ) -> tuple[AccessContext, Message]:
        """A message that the actor may read, with what the actor may do in its group."""
        access = await self.read_access_of(actor, group_id, tx)
        message = await self.messages.find(access.group.stream_id, seq, tx)
        if message is None or seq <= policy.history_floor(access):
            raise MessageNotFound
        return access, message

    async def find_message_to_recall(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx
    ) -> tuple[AccessContext, Message, bool]:
        """As `find_message`, and whether the actor may recall the message in any case (`policy.may_always_recall`).

        Such a message is found whatever the group shows the actor now.
        """
        group = await self.groups.find_group(group_id, tx)
        member = await self.members.find_member(group_id, actor.user_id, tx)
        message = await self.messages.find(stream_of(group_id), seq, tx)
        if (
            group is not None
            and message is not None
            and policy.may_always_recall(group, message, actor.user_id)
        ):
            return policy.access_of(actor, group, member), message, True
        access = await self.read_access_of(actor, group_id, tx, found=(group, member))
        if message is None or seq <= policy.history_floor(access):
            raise MessageNotFound
        return access, message, False
