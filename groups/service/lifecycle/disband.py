"""Disbanding: a group of any size is gone for everyone at once; `cleanup` then deletes what it leaves."""

from dataclasses import dataclass

from groups import policy
from groups.events import GroupDisbanded
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.media.avatars import Avatars
from groups.service.membership.invitations import InvitationService
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, kw_only=True, slots=True)
class DisbandService:
    """Disbands groups."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    guard: AccessGuard
    avatars: Avatars
    invitations: InvitationService
    cleanup: CleanupService
    hooks: Hooks
    clock: Clock

    async def disband(self, actor: Actor, group_id: GroupId) -> None:
        """Disband the group; what it leaves is deleted in the background. Publishes: GroupDisbanded."""
        await self.database.run(lambda tx: self._disband(actor, group_id, tx), group_lock(group_id))
        # A crash before this line leaves the cleanup to another process, or to the next start.
        self.cleanup.start(group_id)

    async def _disband(self, actor: Actor, group_id: GroupId, tx: Tx) -> None:
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        policy.check(policy.disbanding_refusal(group, access.effective_role))
        now = self.clock.now()
        # Both in one transaction: a join writes the group and a post the stream, so both conflict with this.
        await self.groups.delete(group, now, tx)
        await self.avatars.release(group.face_url, now, tx)
        await self.streams.delete(group.stream_id, tx)
        await self.invitations.end_all(group, now, tx)
        for hook in self.hooks.disbanded:
            await hook(group, tx)
        tx.publish(GroupDisbanded(at=now, group_id=group_id, is_channel=group.is_channel))
