"""The access of many actors to one group or several, inside the caller's transaction.

A batch of a higher package, such as reactions to a message, asks once for all its callers: one command for any number.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import AccessContext, Group, Member, Restriction
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """Groups, and the memberships and restrictions of users in them."""

    of_groups: BatchedQuery[dict[GroupId, Group]]
    of_members: BatchedQuery[dict[tuple[GroupId, UserId], Member]]
    of_restrictions: BatchedQuery[dict[tuple[GroupId, UserId], Restriction]]
    now: datetime

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to send in the caller's command."""
        return self.of_groups, self.of_members, self.of_restrictions

    def accesses_of(
        self, actors: Collection[Actor], group_id: GroupId
    ) -> dict[Actor, AccessContext]:
        """As `BulkAccess.accesses_of`, for a group and users of the query."""
        group = self.of_groups.result.get(group_id)
        if group is None:
            return {}
        members, restrictions = self.of_members.result, self.of_restrictions.result
        accesses: dict[Actor, AccessContext] = {}
        for actor in actors:
            pair = group_id, actor.user_id
            access = _access_of(actor, group, members.get(pair), restrictions.get(pair), self.now)
            if access is not None:
                accesses[actor] = access
        return accesses


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAccess:
    """Finds a group together with what each of several actors may do there."""

    database: Database
    groups: GroupStore
    members: MemberStore
    restrictions: RestrictionStore
    clock: Clock

    def query(self, users: Mapping[GroupId, Collection[UserId]]) -> AccessQuery:
        """The access of users to several groups, to look up together with other things."""
        pairs = [(group_id, user_id) for group_id in users for user_id in users[group_id]]
        return AccessQuery(
            self.groups.query_groups(users.keys()),
            self.members.query_cached_pairs(pairs),
            self.restrictions.query_pairs(pairs),
            self.clock.now(),
        )

    async def find(self, users: Mapping[GroupId, Collection[UserId]], tx: Tx) -> AccessQuery:
        """The access of users to several groups, in one command."""
        query = self.query(users)
        await self.database.fetch_together(*query.queries, tx=tx)
        return query

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
        users, now = {actor.user_id for actor in actors}, self.clock.now()
        pairs = [(group_id, user_id) for user_id in users]
        of_group = self.groups.query_group(group_id)
        of_members = self.members.query_members(group_id, users)
        of_restrictions = self.restrictions.query_pairs(pairs)
        await self.database.fetch(tx, of_group, of_members, of_restrictions, *beside)
        group = of_group.result
        if group is None:
            return {}
        accesses: dict[Actor, AccessContext] = {}
        for actor in actors:
            member = of_members.result.get(actor.user_id)
            restriction = of_restrictions.result.get((group_id, actor.user_id))
            access = _access_of(actor, group, member, restriction, now)
            if access is not None:
                accesses[actor] = access
        return accesses

    def query_staff(
        self, group_ids: Collection[GroupId]
    ) -> BatchedQuery[dict[GroupId, dict[UserId, Member]]]:
        """The owners and admins of several groups, for `staff_accesses`."""
        return self.members.query_staff(group_ids)

    async def staff(self, group_id: GroupId, tx: Tx | None = None) -> list[AccessContext]:
        """The owner and the admins; none where there is no group."""
        group = await self.groups.find_group(group_id, tx)
        if group is None:
            return []
        return staff_accesses(group, await self.members.find_staff(group_id, tx))


def staff_accesses(group: Group | None, members: Iterable[Member]) -> list[AccessContext]:
    """The access of a group's owner and admins; none where there is no group."""
    if group is None:
        return []
    return [AccessContext(group, member, member.effective_role) for member in members]


def _access_of(
    actor: Actor,
    group: Group,
    member: Member | None,
    restriction: Restriction | None,
    now: datetime,
) -> AccessContext | None:
    """The actor's access; None: they may not see the group."""
    access = policy.access_of(actor, group, member, restriction, now)
    if not policy.may_see(group, access.effective_role):
        return None
    if restriction is None:
        return access
    from_reacting = restriction.reacting_banned_at is not None
    from_commenting = restriction.commenting_banned_at is not None
    if not (from_reacting or from_commenting):
        return access
    return replace(
        access, is_banned_from_reacting=from_reacting, is_banned_from_commenting=from_commenting
    )
