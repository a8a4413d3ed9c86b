"""Suspensions of channels by the application: readable, where nothing is added any more, or hidden, as if absent.

Promises:
    Everywhere: the suspension is stored with the group, which every command reads; `policy.may_see` hides the channel,
    and `policy.suspended_refusal` keeps it as it is.
    Flat: nothing is written for a subscriber. Lists of conversations, unread totals, `sync`, search and the feed leave
    out a hidden channel since its stream is marked, in the same transaction.
    Reversible: when the suspension is lifted, members, posts, read cursors and counts are as they were.
"""

from dataclasses import dataclass

from groups import policy
from groups.events import GroupReinstated, GroupSuspended
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.models import AdminAct, AdminAction, Suspension, SuspensionMode
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspensions:
    """Suspends groups that are channels; the caller knows that they are."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    guard: AccessGuard
    admin_log: AdminLog
    clock: Clock

    async def suspend(
        self, actor: Actor, group_id: GroupId, *, mode: SuspensionMode, reason: str
    ) -> None:
        """Suspend the channel, or change how it is suspended (the application); the same again changes nothing.

        Publishes: GroupSuspended. Raises: GroupNotFound; PermissionRefused.
        """
        await self.database.run(
            lambda tx: self.suspend_in(actor, group_id, tx, mode=mode, reason=reason),
            group_lock(group_id),
        )

    async def suspend_in(
        self, actor: Actor, group_id: GroupId, tx: Tx, *, mode: SuspensionMode, reason: str
    ) -> None:
        """As `suspend`, in the caller's transaction."""
        access = await self.guard.access_of(actor, group_id, tx)
        policy.check(policy.suspending_refusal(access))
        group, before, now = access.group, access.group.suspension, self.clock.now()
        if before is not None and (before.mode, before.reason) == (mode, reason):
            return
        suspension = Suspension(mode=mode, reason=reason, at=now, by=actor.user_id)
        await self.groups.update(group_id, {"suspension": suspension}, tx, changed_at=now)
        is_hidden = mode is SuspensionMode.HIDDEN
        if is_hidden is not group.is_hidden:
            await self.streams.hide(group.stream_id, tx, hidden=is_hidden)
        act = AdminAct(
            actor, AdminAction.CHANNEL_SUSPENDED, None, _shown(before), _shown(suspension)
        )
        await self.admin_log.record_twice(tx, group, act)
        tx.publish(
            GroupSuspended(
                at=now,
                group_id=group_id,
                is_channel=group.is_channel,
                owner_id=group.owner_id,
                mode=mode,
                reason=reason,
                version=group.version + 1,
            )
        )

    async def lift(self, actor: Actor, group_id: GroupId) -> None:
        """End the suspension (the application); without one nothing changes. Publishes: GroupReinstated.

        Raises: GroupNotFound; PermissionRefused.
        """

        async def work(tx: Tx) -> None:
            access = await self.guard.access_of(actor, group_id, tx)
            policy.check(policy.suspending_refusal(access))
            group, now = access.group, self.clock.now()
            if group.suspension is None:
                return
            await self.groups.update(group_id, {"suspension": None}, tx, changed_at=now)
            if group.is_hidden:
                await self.streams.hide(group.stream_id, tx, hidden=False)
            before = _shown(group.suspension)
            act = AdminAct(actor, AdminAction.CHANNEL_REINSTATED, None, before)
            await self.admin_log.record_twice(tx, group, act)
            tx.publish(
                GroupReinstated(
                    at=now,
                    group_id=group_id,
                    is_channel=group.is_channel,
                    version=group.version + 1,
                )
            )

        await self.database.run(work, group_lock(group_id))


def _shown(suspension: Suspension | None) -> dict[str, object]:
    """The suspension, for the admin log."""
    if suspension is None:
        return {}
    return {"mode": suspension.mode.value, "reason": suspension.reason}
