"""The application makes channels defaults, and takes that back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from channels.default_channels.errors import DefaultChannelLimitReached
from channels.default_channels.events import DefaultChannelsChanged
from channels.default_channels.models import DefaultChannel, Guard, Progress
from channels.default_channels.store import DefaultChannelStore
from channels.errors import ChannelNotFound
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from conversations.models import ConversationId, group_of
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.models import AdminAct, AdminAction, Group
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.write_locks import group_lock


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultChannels:
    """The default channels of the deployment."""

    database: Database
    channels: DefaultChannelStore
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    channel: ChannelGuard
    guard: AccessGuard
    admin_log: AdminLog
    limits: ChannelLimits
    clock: Clock

    async def set_default(self, actor: Actor, channel_id: GroupId) -> DefaultChannel:
        """Make the channel a default (the application); everybody is subscribed to it once, in the background.

        Repeating it changes nothing. People for whom it was decided earlier, when it was a default before, stay as they
        are. Publishes: DefaultChannelsChanged. Raises: ChannelNotFound; PermissionRefused; DefaultChannelLimitReached.
        """
        async with self.channel(channel_id):
            return await self.database.run(
                lambda tx: self._set(actor, channel_id, tx), group_lock(channel_id)
            )

    async def _set(self, actor: Actor, channel_id: GroupId, tx: Tx) -> DefaultChannel:
        group = await self._checked(actor, channel_id, tx)
        stored = {one.channel_id: one for one in await self.channels.list_all(tx)}
        before = stored.get(channel_id)
        if before is not None and before.is_on:
            return before
        defaults = [one for one in stored.values() if one.is_on]
        if len(defaults) >= self.limits.default_channels:
            raise DefaultChannelLimitReached(limit=self.limits.default_channels)
        # Deleting the channel conflicts here, and two of these calls in the guard.
        if not await self.touch_channel(channel_id, tx):
            raise ChannelNotFound
        guard = await self.channels.touch_guard(tx, numbers=0 if before else 1)
        await self._log(actor, group, tx, is_on=True)  # the entry of the sweep comes behind it
        channel = DefaultChannel(
            channel_id=channel_id,
            number=before.number if before else guard.last_number,
            is_on=True,
            since=self.clock.now(),
            set_by=actor.user_id,
            entry_id=self.admin_log.next_id(),
            progress=Progress(),
        )
        await self.channels.put(channel, tx)
        self._publish(guard, [*defaults, channel], tx)
        return channel

    async def unset_default(self, actor: Actor, channel_id: GroupId) -> None:
        """Make the channel no default any more (the application); nobody's subscription ends.

        A sweep that is under way stops. Repeating it changes nothing. Publishes: DefaultChannelsChanged.
        """
        async with self.channel(channel_id):
            await self.database.run(
                lambda tx: self._unset(actor, channel_id, tx), group_lock(channel_id)
            )

    async def _unset(self, actor: Actor, channel_id: GroupId, tx: Tx) -> None:
        group = await self._checked(actor, channel_id, tx)
        stored = {one.channel_id: one for one in await self.channels.list_all(tx)}
        before = stored.get(channel_id)
        if before is None or not before.is_on:
            return
        guard = await self.channels.touch_guard(tx)
        await self.channels.put(replace(before, is_on=False), tx)
        await self._log(actor, group, tx, is_on=False)
        rest = [one for one in stored.values() if one.is_on and one.channel_id != channel_id]
        self._publish(guard, rest, tx)

    async def list_defaults(self, actor: Actor) -> list[DefaultChannel]:
        """The default channels, the oldest first, with how far their sweeps are (the application)."""
        policy.check(policy.application_refusal(actor))
        defaults = [one for one in await self.channels.list_all() if one.is_on]
        return sorted(defaults, key=lambda one: (one.since, one.channel_id))

    async def _checked(self, actor: Actor, channel_id: GroupId, tx: Tx) -> Group:
        """The channel's group. Raises: GroupNotFound; PermissionRefused for everybody but the application."""
        access = await self.guard.access_of(actor, channel_id, tx)
        if not actor.is_app_admin:
            raise PermissionRefused("Only the application makes channels defaults")
        return access.group

    async def _log(self, actor: Actor, group: Group, tx: Tx, *, is_on: bool) -> None:
        act = AdminAct(
            actor,
            AdminAction.SETTINGS_CHANGED,
            None,
            {"default_channel": not is_on},
            {"default_channel": is_on},
        )
        await self.admin_log.record(tx, group, act)

    def _publish(self, guard: Guard, defaults: Sequence[DefaultChannel], tx: Tx) -> None:
        tx.publish(_changed(guard, defaults, self.clock))


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultChannelCleanup:
    """Forgets deleted channels (a hook of `groups`)."""

    channels: DefaultChannelStore
    clock: Clock

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`. Publishes: DefaultChannelsChanged, where there was a default."""
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None or not await self.channels.delete(channel_id, tx):
            return 0
        guard = await self.channels.touch_guard(tx)
        rest = [one for one in await self.channels.list_all(tx) if one.is_on]
        tx.publish(_changed(guard, rest, self.clock))
        return 1


def _changed(
    guard: Guard, defaults: Sequence[DefaultChannel], clock: Clock
) -> DefaultChannelsChanged:
    numbers = {one.channel_id: one.number for one in defaults}
    return DefaultChannelsChanged(at=clock.now(), version=guard.version, numbers=numbers)
