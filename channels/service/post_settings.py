"""How a channel's settings sound in its posts, whichever route they take: signed or not, and whether they may go on.

Both are hooks of `groups`, which knows neither setting.
"""

from collections.abc import Collection, Mapping

from channels.service.profiles import ProfileCache
from channels.store import ChannelStore
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group
from groups.service.users import UserService


class PostSettings:
    """The settings `signatures` and `protect_content` at work."""

    def __init__(self, extras: ProfileCache, channels: ChannelStore, users: UserService) -> None:
        self._extras = extras
        self._channels = channels
        self._users = users

    async def signatures(
        self, group: Group, authors: Collection[UserId], _: Tx
    ) -> Mapping[UserId, str]:
        """The authors' names where the channel signs its posts; who never told a name does not sign.

        The setting comes from memory, so that posting costs no query more where it is off.
        """
        group_id = GroupId(group.group_id)
        extras = (await self._extras.find_many([group_id])).get(group_id)
        if extras is None or not extras.signatures:
            return {}
        known = await self._users.find_users(authors)
        return {user_id: user.name for user_id, user in known.items()}

    async def may_forward(self, group: Group, tx: Tx) -> bool:
        """Whether what is said in the group may be forwarded; read anew, since it decides a permission."""
        if not group.is_channel:
            return True
        extras = await self._channels.find(group.group_id, tx)
        return extras is None or not extras.protect_content
