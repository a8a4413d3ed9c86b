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
        self, group: Group, authors: Collection[UserId], _: Tx
    ) -> Mapping[UserId, str]:
        """The names of the authors, if the channel signs its posts; authors without a name do not sign.

        The setting comes from memory, so where it is off a post costs no query more.
        """
        group_id = GroupId(group.group_id)
        profile = (await self.profiles.find_many([group_id])).get(group_id)
        if profile is None or not profile.signatures:
            return {}
        known = await self.users.find_users(authors)
        return {user_id: user.name for user_id, user in known.items()}

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
