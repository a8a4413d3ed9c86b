"""The guard in front of every group: the one way to read a group and its messages for an actor.

A missing group and a group that the actor may not see raise the same error, so no caller can reveal the difference.

In a transaction the actor may be about to write: then one command reads the group, the membership and the restrictions,
those of the application too.
"""

from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import AccessContext, Group, Member, Message, Restriction, stream_of
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessGuard:
    """Finds a group together with what the actor may do there."""

    database: Database
    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore
    messages: MessageStore
    clock: Clock

    async def access_of(
        self,
        actor: Actor,
        group_id: GroupId,
        tx: Tx | None = None,
        *,
        found: tuple[Group | None, Member | None] | None = None,
    ) -> AccessContext:
        """The actor's access to the group.

        With `found`, neither group nor membership is read again; that is for readers, outside a transaction.
        """
        restriction = None
        if tx is not None:
            group, member, restriction = await self._find_in(group_id, actor.user_id, tx)
        elif found is not None:
            group, member = found
        else:
            reading = self.members.find_member(group_id, actor.user_id)
            group = await self.groups.find_group(group_id)
            member = await reading
        if group is None:
            raise GroupNotFound
        if tx is None and member is None and not actor.is_app_admin:
            restriction = await self.restrictions.find_restriction(group_id, actor.user_id)
        now = self.clock.now() if tx is not None else None
        access = policy.access_of(actor, group, member, restriction, now)
        if not policy.may_see(group, access.effective_role):
            raise GroupNotFound
        return access

    async def _find_in(
        self, group_id: GroupId, user_id: UserId, tx: Tx
    ) -> tuple[Group | None, Member | None, Restriction | None]:
        """The group, and the user's membership and restrictions, with one command."""
        pair = group_id, user_id
        of_group = self.groups.query_group(group_id)
        of_members = self.members.query_cached_pairs([pair])
        of_restrictions = self.restrictions.query_pairs([pair])
        await self.database.fetch_together(of_group, of_members, of_restrictions, tx=tx)
        return of_group.result, of_members.result.get(pair), of_restrictions.result.get(pair)

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
        group, member, restriction = await self._find_in(group_id, actor.user_id, tx)
        message = await self.messages.find(stream_of(group_id), seq, tx)
        if group is None:
            raise GroupNotFound
        access = policy.access_of(actor, group, member, restriction, self.clock.now())
        if message is not None and policy.may_always_recall(group, message, actor.user_id):
            return access, message, True
        if not policy.may_see(group, access.effective_role):
            raise GroupNotFound
        policy.check(policy.reading_refusal(group, access.effective_role))
        if message is None or seq <= policy.history_floor(access):
            raise MessageNotFound
        return access, message, False
