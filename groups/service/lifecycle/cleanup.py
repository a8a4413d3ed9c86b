"""Disbands groups, and deletes what they leave: members, conversations, messages, reactions, logs, bans.

Disbanding removes the group itself in one transaction, and answers at once for any size. From then on nobody sees the
rest. `CleanupService` deletes it in the background, in small steps, and continues after a crash where it stopped. Until
it is done the id stays taken, so a new group with the same id cannot inherit anything.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from groups import policy
from groups.events import GroupDisbanded
from groups.kernel.actor import Actor
from groups.kernel.background import cancel, repeat
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx, is_outage
from groups.limits import GroupLimits
from groups.models import Departure, DepartureKind, DepartureReason, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.hooks import Hooks
from groups.service.media.avatars import Avatars
from groups.service.membership.invitations import InvitationService
from groups.service.membership.sync import expiry_of
from groups.service.messages.stream import StreamService
from groups.service.stores import GroupStores
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore

STEP: Final = 1_000  # documents a transaction: short enough not to hold others up
LOOK_SECONDS: Final = 60.0
"""How often to look for groups that no process cleans up, because theirs died or never learnt that it disbanded one."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class CleanupService:
    """The background work of this process. Several processes may clean up the same group at once."""

    database: Database
    stores: GroupStores
    streams: StreamService
    admin_log: AdminLog
    hooks: Hooks
    limits: GroupLimits
    _tasks: dict[GroupId, asyncio.Task[None]] = field(init=False, default_factory=dict)
    _looking: asyncio.Task[None] | None = field(init=False, default=None)

    async def resume(self) -> None:
        """Continue what stopped processes left, now and from now on."""
        await self._start_left()
        self._looking = self._looking or asyncio.create_task(
            repeat(self._start_left, LOOK_SECONDS), name="cleanup-look"
        )

    def start(self, group_id: GroupId) -> None:
        """Delete the group's remains in the background."""
        if group_id not in self._tasks:
            task = asyncio.create_task(self._clear_with_retries(group_id), name="cleanup")
            self._tasks[group_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(group_id))

    async def _start_left(self) -> None:
        for group_id in await self.stores.groups.list_disbanded():
            self.start(group_id)

    async def wait(self) -> None:
        """Return when no cleanup is running (tests, graceful stop)."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            # As in `GroupCommit.close`: the callbacks that forget the tasks run now.
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Stop, also in the middle of a group; the next start resumes."""
        if self._looking is not None:
            await cancel(self._looking)
        await cancel(*self._tasks.values())
        await self.wait()

    async def _clear_with_retries(self, group_id: GroupId) -> None:
        while True:
            try:
                await self.clear(group_id)
            # An outage is our error or, from a plain read, one of the driver's, whose classes are not known here.
            except Exception as error:
                if not is_outage(error):
                    raise
                await asyncio.sleep(1)
            else:
                return

    async def clear(self, group_id: GroupId) -> None:
        """Delete the group's remains. Repeating it, also concurrently, changes nothing more.

        What an import has written so far are the remains of the group that it would become. While it holds its claim
        this does nothing.
        """
        now = self.database.clock.now()
        if not await self.database.run(
            lambda tx: self.stores.groups.take_remains(group_id, now, tx)
        ):
            return
        stream_id = stream_of(group_id)
        delete_members = partial(self._delete_members, group_id)
        while await self.database.run(partial(self._step, group_id, delete_members)):
            pass
        delete_messages = partial(self.streams.clear_some, stream_id)
        while await self.database.run(partial(self._step, group_id, delete_messages)):
            pass
        # After the messages: what adds something to a message for the first time also writes the message, so nothing is
        # added from now on where nothing was. The packages above see to what was there.
        for hook in self.hooks.stream_ended:
            await hook(stream_id)
        for delete_some in self.hooks.delete_of_stream:
            await self.streams.delete_remains(stream_id, delete_some)
        clear_log = partial(self.admin_log.clear, group_id)
        while await self.database.run(partial(self._step, group_id, clear_log)):
            pass
        await self.database.run(lambda tx: self._clear_rest(group_id, tx))
        # Last: a crash before this line only repeats what is idempotent.
        await self.database.run(lambda tx: self.stores.groups.forget_disbanded(group_id, tx))
        log.info("deleted the remains of group %s", group_id)

    async def _step(
        self, group_id: GroupId, delete_some: Callable[[Tx], Awaitable[bool]], tx: Tx
    ) -> bool:
        # Written in the same transaction: if another process has finished and a new group has taken the id, this
        # conflicts or matches nothing, and what belongs to the new group stays.
        return await self.stores.groups.touch_disbanded(group_id, tx) and await delete_some(tx)

    async def _delete_members(self, group_id: GroupId, tx: Tx) -> bool:
        members = await self.stores.members.list_of_group(group_id, after="", limit=STEP)
        ended = await self.stores.groups.find_disbanded(group_id, tx)
        if not members or ended is None:
            return False
        users = [member.user_id for member in members]
        # Until now members learnt from their membership that the group ended (`sync`).
        kind = DepartureKind.CHANNEL if ended.was_channel else DepartureKind.GROUP
        departures = [
            Departure(group_id, user, DepartureReason.DELETED, ended.at, kind) for user in users
        ]
        expires_at = expiry_of(ended.at, self.limits)
        await self.stores.changes.put_many_departures(departures, expires_at, tx)
        await self.stores.members.delete_many(group_id, users, tx)
        left = {group_id: users}
        for hook in self.hooks.members_left:
            of_hook = hook.query_leaving(left)
            await self.database.fetch_together(of_hook, tx=tx)
            await hook.members_left(left, of_hook.result, tx)
        return True

    async def _clear_rest(self, group_id: GroupId, tx: Tx) -> None:
        if await self.stores.groups.touch_disbanded(group_id, tx):
            await self.stores.restrictions.clear_group(group_id, tx)
            await self.stores.requests.clear_group(group_id, tx)
            await self.stores.invitations.clear_group(group_id, tx)
            await self.stores.invite_links.clear_group(group_id, tx)


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
