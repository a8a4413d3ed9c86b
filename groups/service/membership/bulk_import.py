"""A batch of an import: what `transitions` does for an `Add` by the application's admin, for many ids at once.

The limits are those of `capacity`. A ban is lifted, a mute that outlives membership stays, an open join request is
closed, an open invitation to be a member ends. Nothing but ids is kept for each user, and the commands are the same few
for one id and for thousands.

With a `Selection`, nobody asked for the users: then a ban stays, and those who left, were removed or block the group
are passed over.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.limits import GroupLimits
from groups.models import (
    Group,
    InvitationEnd,
    MemberCountChange,
    Restriction,
    Role,
    Stream,
    stream_of,
)
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.hooks import BlockReader, Hooks
from groups.service.membership.capacity import (
    Capacity,
    UserCounts,
    capacity_of,
    members_joined,
)
from groups.service.membership.commands import (
    Import,
    ImportOutcome,
    Outcome,
    Selection,
    SelectionQuery,
)
from groups.service.membership.state import invitation_ended
from groups.service.stores import GroupStores


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkImport:
    """Applies batches of imports."""

    database: Database
    stores: GroupStores
    admin_log: AdminLog
    accounts: Accounts
    hooks: Hooks
    limits: GroupLimits
    clock: Clock

    async def apply(self, tx: Tx, group_id: GroupId, batch: Import) -> ImportOutcome | DomainError:
        """Admit the users of the batch in order; where all are members already, nothing is written."""
        if tx.is_retry:
            # Another process changed the group while we read. This time we write its document before we read. The
            # first attempt writes it only afterwards, so that others find it free for a good part of the time.
            await self.stores.groups.touch([group_id], tx)
        # A dict, so that each id counts once and keeps its place.
        outcomes: dict[UserId, Outcome] = dict.fromkeys(batch.user_ids, "added")
        of_group = self.stores.groups.query_group(group_id)
        of_stream = self.stores.streams.query_stream(stream_of(group_id))
        of_counts = self.stores.members.query_group_counts_beside(group_id, outcomes)
        of_added = self.stores.members.query_added_counts(outcomes)
        of_restrictions = self.stores.restrictions.query_restrictions(group_id, outcomes)
        of_requests = self.stores.requests.lookup_any(group_id, outcomes)
        of_invitations = self.stores.invitations.query_any(group_id, self.clock.now())
        of_profile = self.hooks.profile([group_id]) if self.hooks.profile else None
        also: list[BatchedQuery[Any]] = [of_profile] if of_profile else []
        unasked = None
        if batch.selection is not None:
            unasked = _Unasked.of(group_id, outcomes, batch.selection, self.stores, self.hooks)
            also += unasked.queries
        await self.database.fetch(
            tx,
            of_group,
            of_stream,
            of_counts,
            of_added,
            of_restrictions,
            of_requests,
            of_invitations,
            *also,
        )
        group, row = of_group.result, of_stream.result
        if group is None or row is None:
            return GroupNotFound()
        if unasked is not None:
            # Nobody is brought in unasked where a channel is as if absent.
            hidden = policy.suspended_refusal(group) if group.is_hidden else None
            if (refusal := unasked.selecting.refusal() or hidden) is not None:
                return refusal
        counts = of_counts.result
        users = UserCounts.of(
            self.limits,
            groups={user_id: known.groups for user_id, known in counts.items()},
            added_groups=of_added.result,
        )
        capacity = capacity_of(group, self.limits, users)
        present = {user_id for user_id, known in counts.items() if known.is_member}
        if unasked is not None:
            for user_id in unasked.excluded(of_restrictions.result) - present:
                outcomes.pop(user_id, None)
        new = _admit(capacity, outcomes, present, self.accounts.is_business)
        if unasked is not None:
            unasked.selecting.record(outcomes, tx)
        if new:
            profile = of_profile.result.get(group_id) if of_profile else None
            await self._write(group, row.stream, new, capacity, of_restrictions.result, profile, tx)
            if of_requests.result:
                await self._end_requests(group_id, new, tx)
            if of_invitations.result:
                await self._end_invitations(group, new, tx)
            if batch.mark is not None:
                mark = batch.mark
                await self.admin_log.count_imported(tx, group, mark.entry_id, mark.actor, len(new))
        return ImportOutcome(_in_order(batch, outcomes), capacity.member_count)

    async def _write(
        self,
        group: Group,
        stream: Stream,
        new: list[UserId],
        capacity: Capacity,
        restrictions: Mapping[UserId, Restriction],
        profile: dict[str, object] | None,
        tx: Tx,
    ) -> None:
        group_id, now = group.group_id, group.joining_time(self.clock.now())
        restricted = [restrictions[user_id] for user_id in new if user_id in restrictions]
        # The first write: another change of the group's membership conflicts here, before the members are inserted.
        await self.stores.groups.update(group_id, {}, tx, joined=len(new))
        muted = {r.user_id: r.muted_until for r in restricted if r.muted_until is not None}
        await self.stores.members.insert_plain(
            group_id, new, joined_at=now, joined_seq=stream.head_seq, muted_until=muted, tx=tx
        )
        self.stores.restrictions.put_many(
            [
                restriction.model_copy(
                    update={"banned_at": None, "banned_by": None, "left_at": None}
                )
                for restriction in restricted
                if restriction.banned_at is not None or restriction.left_at is not None
            ],
            tx,
        )
        self.stores.users.touch_many(capacity.users.guarded, tx)
        change = MemberCountChange(
            joined=len(new), left=0, removed=0, member_count=capacity.member_count, at=now
        )
        for counted in self.hooks.members_counted:
            await counted(group, change, tx)
        tx.publish(
            members_joined(
                group,
                new,
                member_count=capacity.member_count,
                profile=profile,
                at=now,
                by_others=True,
            )
        )

    async def _end_requests(self, group_id: GroupId, new: list[UserId], tx: Tx) -> None:
        """End the join requests of users who are members now; the links by which they asked have fewer that wait."""
        asked = await self.stores.requests.find_requests(group_id, new, tx)
        self.stores.requests.delete_requests({group_id: new}, tx)
        by_link = Counter(code for code in asked.values() if code is not None)
        for code, number in by_link.items():
            self.stores.invite_links.count(code, tx, uses=0, pending_requests=-number)

    async def _end_invitations(self, group: Group, new: list[UserId], tx: Tx) -> None:
        now = self.clock.now()
        made = await self.stores.invitations.find_open(group.group_id, Role.MEMBER, now, tx)
        ended = [made[user_id] for user_id in new if user_id in made]
        values = {"ended": InvitationEnd.ACCEPTED, "expires_at": now}
        self.stores.invitations.put_many([i.model_copy(update=values) for i in ended], tx)
        for invitation in ended:
            tx.publish(invitation_ended(invitation, group, InvitationEnd.ACCEPTED, now))


@dataclass(frozen=True, slots=True)
class _Unasked:
    """The look-ups of an import with a `Selection` about its users."""

    group_id: GroupId
    selecting: SelectionQuery
    of_departed: BatchedQuery[set[UserId]]
    of_blocks: BatchedQuery[set[tuple[str, str]]] | None

    @classmethod
    def of(
        cls,
        group_id: GroupId,
        user_ids: Collection[UserId],
        selection: Selection,
        stores: GroupStores,
        hooks: Hooks,
    ) -> "_Unasked":
        blocks: BlockReader | None = hooks.blocks
        pairs = [(user_id, group_id) for user_id in user_ids]
        return cls(
            group_id,
            selection.look_up(user_ids),
            stores.changes.query_departed(group_id, user_ids),
            blocks.query_blocks(pairs) if blocks else None,
        )

    @property
    def queries(self) -> list[BatchedQuery[Any]]:
        beside = [self.of_blocks] if self.of_blocks else []
        return [*self.selecting.queries, self.of_departed, *beside]

    def excluded(self, restrictions: Mapping[UserId, Restriction]) -> set[UserId]:
        """The users who are passed over."""
        blocking = {UserId(pair[0]) for pair in self.of_blocks.result} if self.of_blocks else set()
        refused = {
            user_id
            for user_id, restriction in restrictions.items()
            if restriction.banned_at is not None or restriction.left_at is not None
        }
        return {*self.selecting.excluded(), *self.of_departed.result, *blocking, *refused}


def _admit(
    capacity: Capacity,
    outcomes: dict[UserId, Outcome],
    present: Collection[UserId],
    is_business: Callable[[UserId], bool],
) -> list[UserId]:
    """Set the outcome of each user who does not come in; returns the others."""
    new: list[UserId] = []
    for user_id in outcomes:
        if user_id in present:
            outcomes[user_id] = "present"
        elif is_business(user_id):
            outcomes[user_id] = "not_a_person"
        elif (refusal := capacity.refusal(user_id)) is not None:
            outcomes[user_id] = refusal.code  # type: ignore[assignment]  # `Outcome` names the codes
        else:
            capacity.admit(user_id)
            new.append(user_id)
    return new


def _in_order(batch: Import, outcomes: Mapping[UserId, Outcome]) -> list[Outcome]:
    """The outcome of each id of the batch; an id that stands twice is a member already the second time."""
    if batch.selection is not None or len(outcomes) == len(batch.user_ids):
        return list(outcomes.values())
    answers: list[Outcome] = []
    seen: set[UserId] = set()
    for user_id in batch.user_ids:
        outcome = outcomes[user_id]
        answers.append("present" if outcome == "added" and user_id in seen else outcome)
        seen.add(user_id)
    return answers
