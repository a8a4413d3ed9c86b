"""The end of a channel, by whichever route its group is disbanded (a hook of `groups`)."""

from dataclasses import dataclass

from channels.limits import Limits
from channels.store import ChannelStore
from groups.kernel.mongo import Tx
from groups.models import Group


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelEnd:
    """Removes disbanded channels."""

    channels: ChannelStore
    limits: Limits

    async def on_disbanded(self, group: Group, tx: Tx) -> None:
        if group.is_channel and await self.channels.delete(group.group_id, tx):
            await self.channels.count(-1, self.limits.channels, tx)
