"""The access of many actors to one group, inside the caller's transaction.

A batch of a higher package, such as reactions to a message, asks once for all its callers: one command for any number.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import AccessContext
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAccess:
    """Finds a group together with what each of several actors may do there."""

    database: Database
    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore

    async def accesses_of(
        self,
        actors: Collection[Actor],
        group_id: GroupId,
        tx: Tx,
        *,
        beside: Sequence[BatchedQuery[Any]] = (),
    ) -> dict[Actor, AccessContext]:
        """The access of each of the actors to the group. Actors who may not see it are absent.

        The keys are actors, not users: the same user may act with and without the application's rights. `beside` are
        other queries to send in the same command.
        """
        users = {actor.user_id for actor in actors}
        of_group = self.groups.query_group(group_id)
        of_members = self.members.query_members(group_id, users)
        of_restrictions = self.restrictions.query_restrictions(group_id, users)
        await self.database.fetch(tx, of_group, of_members, of_restrictions, *beside)
        group = of_group.result
        if group is None:
            return {}
        accesses: dict[Actor, AccessContext] = {}
        for actor in actors:
            member = of_members.result.get(actor.user_id)
            restriction = of_restrictions.result.get(actor.user_id)
            access = policy.access_of(actor, group, member, restriction)
            if policy.may_see(group, access.effective_role):
                is_banned = restriction is not None and restriction.reacting_banned_at is not None
                accesses[actor] = (
                    replace(access, is_banned_from_reacting=True) if is_banned else access
                )
        return accesses

    async def staff(self, group_id: GroupId, tx: Tx) -> list[AccessContext]:
        """The owner and the admins; none where there is no group."""
        group = await self.groups.find_group(group_id, tx)
        if group is None:
            return []
        members = await self.members.find_staff(group_id, tx)
        return [AccessContext(group, member, member.effective_role) for member in members]
