"""The profiles of channels, kept in memory.

Every call reads them and few change them. So each process keeps them, and forgets a profile when an event says that it
changed. Until the event arrives, moments after the commit, a process may answer with the old profile; nothing in it
decides a permission.
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
    """Channel profiles by id."""

    def __init__(self, store: ChannelStore) -> None:
        self._store = store
        self._kept: ByteCache[GroupId, ChannelProfile] = ByteCache("channels", KEPT_BYTES, _size_of)
        self._generation = 0

    async def get(self, channel_id: GroupId) -> ChannelProfile:
        """The channel's profile. Raises: ChannelNotFound."""
        profile = self._kept.get(channel_id)
        if profile is None:
            profile = (await self.find_many([channel_id])).get(channel_id)
        if profile is None:
            raise ChannelNotFound
        return profile

    async def find_many(self, channel_ids: Sequence[GroupId]) -> dict[GroupId, ChannelProfile]:
        found = {i: kept for i in channel_ids if (kept := self._kept.get(i)) is not None}
        missing = [i for i in channel_ids if i not in found]
        if missing:
            generation = self._generation
            read = await self._store.find_profiles(missing)
            found |= read
            # When anything changed during the read, nothing is kept: it may be one of these, and no second event comes.
            if generation == self._generation:
                for channel_id, profile in read.items():
                    self._kept.put(channel_id, profile)
        return found

    def forget(self, channel_id: GroupId) -> None:
        self._generation += 1
        self._kept.pop(channel_id)

    def forget_all(self) -> None:
        """Read all profiles anew: events were lost."""
        self._generation += 1
        self._kept.clear()

    def on_events(self, events: Sequence[Event]) -> None:
        """Forget the profiles that the events change; most changes of a group do not change its channel's profile."""
        for event in events:
            match event:
                case GroupUpdated() if event.changed.keys() & ChannelProfile.model_fields.keys():
                    self.forget(event.group_id)
                case GroupDisbanded():
                    self.forget(event.group_id)


def _size_of(_: GroupId, profile: ChannelProfile) -> int:
    return 2_500 + getsizeof(profile.organization) + getsizeof(profile.custom_data)
