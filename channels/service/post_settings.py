"""Applies the channel's signature and forwarding settings to its posts, through two hooks of `groups`.

`groups` knows neither setting.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from channels.service.profiles import ProfileCache
from channels.store import ChannelStore
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group
from groups.service.users import UserService


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The settings `signatures` and `protect_content`."""

    profiles: ProfileCache
    store: ChannelStore
    users: UserService

    async def signatures(
        self, authors: Mapping[GroupId, Collection[UserId]], _: Tx
    ) -> Mapping[GroupId, Mapping[UserId, str]]:
        """The names of the authors, where the channel signs its posts; authors without a name do not sign.

        The setting comes from memory, so where it is off a post costs no query more.
        """
        profiles = await self.profiles.find_many(list(authors))
        signing = {i: authors[i] for i, profile in profiles.items() if profile.signatures}
        if not signing:
            return {}
        known = await self.users.find_users({user for users in signing.values() for user in users})
        return {
            channel_id: {user: known[user].name for user in users if user in known}
            for channel_id, users in signing.items()
        }

    async def shows_owner(self, group: Group, tx: Tx) -> bool:
        """Whether everybody may know the channel's owner: where it signs its posts."""
        profile = await self.store.find_profile(group.group_id, tx)
        return profile is not None and profile.signatures

    async def may_forward(self, group: Group, tx: Tx) -> bool:
        """Whether messages of the group may be forwarded; read in the transaction, since it decides a permission."""
        if not group.is_channel:
            return True
        profile = await self.store.find_profile(group.group_id, tx)
        return profile is None or not profile.protect_content
