"""A batch of an import, admitted at once: the rules of `rules.apply_entry` for `Add` by the application, for many ids.

Nothing but ids is made for each user, and the commands are the same few for one id and for thousands. What `Add` does
is done here too: the limits hold, a ban is lifted, a lasting mute stays, an open request is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from groups import policy
from groups.errors import GroupNotFound
from groups.events import MembersJoined, profile_of
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import Group, MemberCountChange, Restriction, Stream, stream_of
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.lifecycle.create import NEAR_LIMIT
from groups.service.membership.commands import Import, ImportOutcome, Outcome
from groups.store.bulk_import import BulkImportStore, FreeSeats
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore


@dataclass(slots=True)
class _Choice:
    """Who of a batch comes in, in order, and why the others do not."""

    outcomes: dict[UserId, Outcome]
    new: list[UserId] = field(default_factory=list)
    near_limit: list[UserId] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkImport:
    """Applies batches of imports."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    admissions: BulkImportStore
    admin_log: AdminLog
    hooks: Hooks
    limits: GroupLimits
    clock: Clock

    async def apply(self, tx: Tx, group_id: GroupId, batch: Import) -> ImportOutcome | DomainError:
        """Admit those of the batch who may come in, in order; where all are members, nothing is written."""
        if tx.attempt:
            # Another process changed the group while we looked around. This time its document is ours before we look;
            # at the first attempt only after it, so that others find it free for a good part of the time.
            await self.groups.touch(group_id, tx)
        user_ids = dict.fromkeys(batch.user_ids)
        of_group = self.groups.lookup(group_id)
        of_stream = self.streams.lookup(stream_of(group_id))
        of_seats = self.admissions.lookup_seats(group_id, user_ids)
        of_restrictions = self.admissions.lookup_restrictions(group_id, user_ids)
        of_requests = self.admissions.lookup_requests(group_id, user_ids)
        await self.database.look_up(tx, of_group, of_stream, of_seats, of_restrictions, of_requests)
        group, row = of_group.found, of_stream.found
        if group is None or row is None:
            return GroupNotFound()
        choice = self._choose(group, batch, of_seats.found)
        if choice.new:
            await self._write(group, row.stream, choice, of_restrictions.found, tx)
            if of_requests.found:
                await self.admissions.close_requests(group_id, choice.new, tx)
            if batch.mark is not None:
                mark, added = batch.mark, len(choice.new)
                await self.admin_log.count_imported(tx, group, mark.entry_id, mark.actor, added)
        return ImportOutcome(_in_order(batch, choice), group.member_count + len(choice.new))

    def _choose(self, group: Group, batch: Import, seats: Mapping[UserId, FreeSeats]) -> _Choice:
        # A dict, so that each id counts once and keeps its place.
        choice = _Choice(dict.fromkeys(batch.user_ids, "added"))
        outcomes, new = choice.outcomes, choice.new
        room = group.limit_of_members(self.limits) - group.member_count
        most = self.limits.groups_per_user
        for user_id in outcomes:
            seat = seats.get(user_id)
            if seat is not None and seat.is_member:
                outcomes[user_id] = "present"
            elif len(new) >= room:
                outcomes[user_id] = "member_limit_reached"
            elif seat is not None and seat.groups >= most:
                outcomes[user_id] = "groups_per_user_reached"
            else:
                new.append(user_id)
                if (seat.groups if seat is not None else 0) + NEAR_LIMIT >= most:
                    choice.near_limit.append(user_id)
        return choice

    async def _write(
        self,
        group: Group,
        stream: Stream,
        choice: _Choice,
        restrictions: Mapping[UserId, Restriction],
        tx: Tx,
    ) -> None:
        group_id, new, now = group.group_id, choice.new, self.clock.now()
        access = [restrictions[user_id] for user_id in new if user_id in restrictions]
        # The first write: whoever else changes the group's membership meets this one, before we insert in vain.
        await self.groups.update(group_id, {}, tx, joined=len(new))
        muted = {r.user_id: r.muted_until for r in access if r.muted_until is not None}
        await self.admissions.insert_members(
            group_id, new, joined_at=now, joined_seq=stream.head_seq, muted_until=muted, tx=tx
        )
        banned = [r for r in access if r.banned_at is not None]
        await self.admissions.lift_bans(banned, tx)
        await self.admissions.touch_users(choice.near_limit, tx)
        turnover = MemberCountChange(len(new), 0, 0, group.member_count + len(new), now)
        for counted in self.hooks.members_counted:
            await counted(group, turnover, tx)
        tx.publish(
            MembersJoined(
                at=now,
                group_id=group_id,
                is_channel=group.is_channel,
                user_ids=tuple(new),
                member_count=group.member_count + len(new),
                announce=policy.announces_membership(group),
                profile=profile_of(group, await self._more(group, tx)),
            )
        )

    async def _more(self, group: Group, tx: Tx) -> dict[str, object] | None:
        if self.hooks.profile is None or not group.is_channel:
            return None
        lookup = self.hooks.profile(group.group_id)
        await self.database.look_up(tx, lookup)
        return lookup.found


def _in_order(batch: Import, choice: _Choice) -> list[Outcome]:
    outcomes = choice.outcomes
    if len(outcomes) == len(batch.user_ids):
        return list(outcomes.values())
    told: list[Outcome] = []
    seen: set[UserId] = set()
    for user_id in batch.user_ids:
        outcome = outcomes[user_id]
        told.append("present" if outcome == "added" and user_id in seen else outcome)
        seen.add(user_id)
    return told
