"""The verified badge: the application confirms a channel's name and organization.

Only the application gives the badge. When the owner or an admin changes the name or the organization, the same
transaction removes it (`groups.policy.loses_badge`). The badge is stored with the channel's group, which every list of
channels reads anyway.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from channels.errors import ChannelNotFound, channel_errors
from channels.store import ChannelStore
from groups.kernel.actor import Actor
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.service.lifecycle.reader import GroupReader
from groups.service.lifecycle.update import GroupChanges, UpdateService
from groups.service.write_locks import group_lock

UPDATER: Final = Actor(UserId("channels-update"), is_app_admin=True)
"""The actor in the admin log of changes that a newer version makes to stored data."""
MOVED_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedBadges:
    """Gives and removes the badge."""

    database: Database
    store: ChannelStore
    groups: GroupReader
    updates: UpdateService

    async def set_verified(self, actor: Actor, channel_id: GroupId, *, is_verified: bool) -> None:
        """Give the channel the badge, or remove it (the application); repeating it changes nothing.

        Publishes: GroupUpdated, when something changed.
        """
        with channel_errors():
            await self.database.run(
                lambda tx: self._set(actor, channel_id, is_verified, tx), group_lock(channel_id)
            )

    async def move_badges(self) -> None:
        """Move the badges that older versions stored with the channels to their groups; repeating it changes nothing.

        Publishes: GroupUpdated for each. After a crash, the badges moved until then stay moved.
        """
        while rows := await self.store.list_badges(MOVED_AT_ONCE):
            for channel_id, was_verified in rows:
                await self.database.run(partial(self._move_badge, channel_id, was_verified))

    async def _move_badge(self, channel_id: GroupId, was_verified: bool, tx: Tx) -> None:
        await self.store.drop_badge(channel_id, tx)
        if was_verified:
            await self._set(UPDATER, channel_id, True, tx)

    async def _set(self, actor: Actor, channel_id: GroupId, is_verified: bool, tx: Tx) -> None:
        if await self.store.find_profile(channel_id, tx) is None:
            raise ChannelNotFound
        if not actor.is_app_admin:
            await self.groups.get(actor, channel_id)  # not found, for users who may not see it
            raise PermissionRefused("Only the application verifies channels")
        changes = GroupChanges(verified=is_verified)
        await self.updates.update_in(actor, channel_id, changes, tx, for_channel=True)
