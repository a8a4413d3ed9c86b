"""Checks before calls on a channel: that the channel exists, and that the caller may read its inbox.

A channel is a group, so most calls on channels are calls on groups. Routes and services make them in a block:

    async with channel(channel_id) as profile:
        await memberships.join(actor, channel_id)

The block raises ChannelNotFound at its start when there is no such channel, which costs no database command while the
profile is in memory. Inside, it translates group errors into channel errors.
"""

from dataclasses import dataclass

from channels import policy
from channels.errors import raise_as_channel_error
from channels.models import ChannelProfile
from channels.service.profiles import ProfileCache
from conversations.models import Dialogue
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.service.access.guard import AccessGuard


@dataclass(slots=True)
class _ChannelBlock:
    profiles: ProfileCache
    channel_id: GroupId

    async def __aenter__(self) -> ChannelProfile:
        return await self.profiles.get(self.channel_id)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            raise_as_channel_error(error)


@dataclass(frozen=True, slots=True)
class ChannelGuard:
    """Makes the blocks in which channels are read and changed."""

    profiles: ProfileCache

    def __call__(self, channel_id: GroupId) -> _ChannelBlock:
        return _ChannelBlock(self.profiles, channel_id)


@dataclass(frozen=True, slots=True)
class InboxGuard:
    """Lets the owner, and the admins with the right to read the inbox, use a channel's inbox."""

    channel: ChannelGuard
    groups: AccessGuard

    async def check(self, actor: Actor, channel_id: GroupId) -> None:
        """Raise ChannelNotFound or PermissionRefused unless the actor may use the inbox."""
        async with self.channel(channel_id):
            access = await self.groups.access_of(actor, channel_id)
        refusal = policy.inbox_refusal(access)
        if refusal is not None:
            raise refusal

    async def thread(self, actor: Actor, channel_id: GroupId, user_id: UserId) -> Dialogue:
        """The channel's thread with the user, which may not have begun; raises as `check` does."""
        await self.check(actor, channel_id)
        return Dialogue(user_id, channel_id)
