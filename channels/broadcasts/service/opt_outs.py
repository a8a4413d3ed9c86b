"""Users opt out of a channel's broadcasts, and take that back: by a call, or by one word to the channel.

Promises:
    Theirs alone: neither the staff nor the application can undo it, and leaving the channel does not.
    At once: the word counts in the transaction that stores the message; a broadcast that runs reads opt-outs in the
    transaction of each of its steps, so the next step leaves the user out.
    Nothing else ends: posts and one-to-one messages go on.
"""

from dataclasses import dataclass

from channels.broadcasts.models import OptOut
from channels.broadcasts.policy import wants_broadcasts
from channels.broadcasts.store.opt_outs import OptOutStore
from channels.service.guard import ChannelGuard
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import Message
from groups.service.access.guard import AccessGuard


@dataclass(frozen=True, slots=True)
class WordsOfUsers:
    """Follows what users write to channels (a hook of `conversations`)."""

    store: OptOutStore

    def user_wrote(self, channel_id: GroupId, user_id: UserId, message: Message, tx: Tx) -> None:
        """Opt out on "stop", and take that back on "start". Any other message costs nothing."""
        wants = wants_broadcasts(message.content)
        if wants is None:
            return
        if wants:
            self.store.delete(channel_id, user_id, tx)
        else:
            self.store.put(channel_id, user_id, message.created_at, tx)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptOutService:
    """The opt-outs of the actor themselves, in channels that they see. Calling it twice changes nothing."""

    database: Database
    store: OptOutStore
    channel: ChannelGuard
    guard: AccessGuard

    async def find_opt_out(self, actor: Actor, channel_id: GroupId) -> OptOut | None:
        """The actor's opt-out; None where they get broadcasts. Raises: ChannelNotFound."""
        await self._check_sees(actor, channel_id)
        return await self.store.find(channel_id, actor.user_id)

    async def opt_out(self, actor: Actor, channel_id: GroupId) -> OptOut:
        """Send the actor no broadcasts of the channel any more. Raises: ChannelNotFound."""

        async def work(tx: Tx) -> None:
            await self.guard.access_of(actor, channel_id, tx)  # they must see the channel
            self.store.put(channel_id, actor.user_id, self.guard.clock.now(), tx)

        async with self.channel(channel_id):
            await self.database.run(work, _lock(channel_id, actor.user_id))
        found = await self.store.find(channel_id, actor.user_id)
        # None where they took it back at the same moment.
        return found or OptOut(channel_id, actor.user_id, self.guard.clock.now())

    async def opt_in(self, actor: Actor, channel_id: GroupId) -> None:
        """Send the actor broadcasts of the channel again. Raises: ChannelNotFound."""

        async def work(tx: Tx) -> None:
            self.store.delete(channel_id, actor.user_id, tx)

        await self._check_sees(actor, channel_id)
        await self.database.run(work, _lock(channel_id, actor.user_id))

    async def _check_sees(self, actor: Actor, channel_id: GroupId) -> None:
        async with self.channel(channel_id):
            await self.guard.access_of(actor, channel_id)


def _lock(channel_id: GroupId, user_id: UserId) -> str:
    return f"broadcast opt-out {channel_id} {user_id}"
