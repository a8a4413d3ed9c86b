"""The verified badge: the application vouches for a channel's name and organization, and nobody else does.

Whoever else changes either takes it off in the same transaction (`groups.policy.loses_badge`).

It is stored with the channel's group, which every list that shows a channel reads anyway.
"""

from functools import partial
from typing import Final

from channels.errors import ChannelNotFound, in_words_of_channels
from channels.store import ChannelStore
from groups.kernel.actor import Actor
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import GroupChanges, UpdateService
from groups.service.write_locks import group_lock

UPDATER: Final = Actor(UserId("channels-update"), is_app_admin=True)
"""In whose name the admin log has what a newer version changed in what is stored."""
MOVED_AT_ONCE: Final = 500


class Verification:
    """Gives the badge and takes it."""

    def __init__(
        self,
        database: Database,
        channels: ChannelStore,
        groups: GroupReader,
        updates: UpdateService,
    ) -> None:
        self._database = database
        self._channels = channels
        self._groups = groups
        self._updating = updates

    async def set(self, actor: Actor, channel_id: GroupId, *, is_verified: bool) -> None:
        """Give the channel the badge, or take it (the application's admin); again changes nothing.

        Publishes: GroupUpdated, when something changed. Raises: ChannelNotFound; PermissionRefused.
        """
        with in_words_of_channels():
            await self._database.run(
                lambda tx: self._set(actor, channel_id, is_verified, tx), group_lock(channel_id)
            )

    async def move_badges(self) -> None:
        """Give the groups the badges that stood with the channels once; again changes nothing.

        Publishes: GroupUpdated for each. A crash leaves those that were moved moved.
        """
        while rows := await self._channels.list_badges(MOVED_AT_ONCE):
            for channel_id, was_verified in rows:
                await self._database.run(partial(self._move_badge, channel_id, was_verified))

    async def _move_badge(self, channel_id: GroupId, was_verified: bool, tx: Tx) -> None:
        await self._channels.drop_badge(channel_id, tx)
        if was_verified:
            await self._set(UPDATER, channel_id, True, tx)

    async def _set(self, actor: Actor, channel_id: GroupId, is_verified: bool, tx: Tx) -> None:
        if await self._channels.find(channel_id, tx) is None:
            raise ChannelNotFound
        if not actor.is_app_admin:
            await self._groups.get(actor, channel_id)  # to whom it is hidden, it is not found
            raise PermissionRefused("Only the application verifies a channel")
        changes = GroupChanges(verified=is_verified)
        await self._updating.update_in(actor, channel_id, changes, tx, for_channel=True)
