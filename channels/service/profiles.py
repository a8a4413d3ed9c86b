"""What channels have beyond their groups, kept in memory.

They are read with every call and changed rarely, so each process keeps them and forgets one
when an event says that it changed. A process may answer with what was true until the event reached it, moments
after the commit; nothing of it decides a permission.
"""

from collections.abc import Sequence
from sys import getsizeof
from typing import Final

from channels.errors import ChannelNotFound
from channels.models import ChannelProfile
from channels.store import ChannelStore
from groups.events import GroupDisbanded, GroupUpdated
from groups.kernel.byte_cache import ByteCache
from groups.kernel.events import Event
from groups.kernel.ids import GroupId

KEPT_BYTES: Final = 2 * 2**20  # of memory: some 700 channels


class ProfileCache:
    """The extras of channels by id."""

    def __init__(self, channels: ChannelStore) -> None:
        self._channels = channels
        self._kept: ByteCache[GroupId, ChannelProfile] = ByteCache("channels", KEPT_BYTES, _size_of)
        self._generation = 0

    async def get(self, channel_id: GroupId) -> ChannelProfile:
        """The channel's extras.

        Raises: ChannelNotFound when there is no such channel.
        """
        kept = self._kept.get(channel_id)
        return kept or (await self.get_many([channel_id]))[channel_id]

    async def get_many(self, channel_ids: Sequence[GroupId]) -> dict[GroupId, ChannelProfile]:
        """The extras of all these channels.

        Raises: ChannelNotFound when there is one that is none.
        """
        found = await self.find_many(channel_ids)
        if len(found) < len(set(channel_ids)):
            raise ChannelNotFound
        return found

    async def find_many(self, channel_ids: Sequence[GroupId]) -> dict[GroupId, ChannelProfile]:
        """The extras of those that are channels."""
        found = {i: kept for i in channel_ids if (kept := self._kept.get(i)) is not None}
        missing = [i for i in channel_ids if i not in found]
        if missing:
            generation = self._generation
            read = await self._channels.find_many(missing)
            found |= read
            # Not kept when something changed while we read: it may be this, and no second event would tell.
            if generation == self._generation:
                for channel_id, extras in read.items():
                    self._kept.put(channel_id, extras)
        return found

    def forget(self, channel_id: GroupId) -> None:
        """Read the channel again at the next call."""
        self._generation += 1
        self._kept.pop(channel_id)

    def forget_all(self) -> None:
        """Read everything again: events were lost."""
        self._generation += 1
        self._kept.clear()

    def on_events(self, events: Sequence[Event]) -> None:
        """Forget what the events say has changed; a change of the group alone is none of these."""
        for event in events:
            match event:
                case GroupUpdated() if event.changed.keys() & ChannelProfile.model_fields.keys():
                    self.forget(event.group_id)
                case GroupDisbanded():
                    self.forget(event.group_id)


def _size_of(_: GroupId, extras: ChannelProfile) -> int:
    return 2_500 + getsizeof(extras.organization) + getsizeof(extras.custom_data)
