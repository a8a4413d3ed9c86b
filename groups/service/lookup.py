"""Many actors before one group, inside a caller's transaction: the guard of `access` for a whole batch.

A batch of a higher package (reactions to a message) asks once for all its callers, so its cost does not grow with them.
"""

from collections.abc import Collection

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.models import Standing
from groups.store import GroupStore, MemberStore


class GroupLookup:
    """Finds a group together with what each of several actors is to it."""

    def __init__(self, groups: GroupStore, members: MemberStore) -> None:
        self._groups = groups
        self._members = members

    async def standings(
        self, actors: Collection[Actor], group_id: GroupId, tx: Tx
    ) -> dict[Actor, Standing]:
        """Each of the actors before the group; who is absent here must not know of it, or there is none.

        By actor, not by user: the same user may come with and without the application's rights.
        """
        group = await self._groups.find(group_id, tx)
        if group is None:
            return {}
        users = {actor.user_id for actor in actors}
        members = await self._members.find_many(group_id, users, tx)
        strangers = users - members.keys()
        restrictions = (
            await self._members.find_restrictions(group_id, strangers, tx) if strangers else {}
        )
        standings: dict[Actor, Standing] = {}
        for actor in actors:
            member = members.get(actor.user_id)
            rank = policy.rank_of(actor, member, restrictions.get(actor.user_id))
            if policy.may_see(group, rank):
                standings[actor] = Standing(group=group, member=member, rank=rank)
        return standings
