"""Messages of a channel to many of its subscribers in one call: each in the user's own thread.

Promises:
    Independent: who has blocked the channel or switched it off is refused, and the others get the message.
    Once: all messages of a call have its idempotency key, each in its own stream. So a call that is repeated, after a
    timeout or a crash in the middle, writes to those whom it did not reach, and returns the first message of the rest.
    Modest: the messages of one call are written a few at a time, so that it delays nobody else for long.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.models import Dialogue, DialogueMessage
from conversations.service.dialogues import DialogueService
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.models import Content, Source

AT_ONCE: Final = 4
"""Messages of one call that are written at the same time. Those that begin a thread wait for each other, since the
channel's threads of the day are counted exactly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxBatches:
    """Writes to many users in the name of a channel. The caller checks the actor's rights."""

    dialogues: DialogueService

    async def send(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_ids: Sequence[UserId],
        new: Content | Source,
        *,
        key: str | None,
        silent: bool,
    ) -> list[DialogueMessage | DomainError]:
        """Write the same to each of the users. Returns each message, or why it was refused, in the order of the users.

        Publishes: DialoguePosted, for each message.
        """
        free = asyncio.Semaphore(AT_ONCE)

        async def write(user_id: UserId) -> DialogueMessage | DomainError:
            dialogue = Dialogue(user_id, channel_id)
            async with free:
                try:
                    if isinstance(new, Source):
                        return await self.dialogues.forward(
                            actor, dialogue, new, key=key, silent=silent, for_channel=True
                        )
                    return await self.dialogues.post(
                        actor, dialogue, new, key=key, silent=silent, for_channel=True
                    )
                except DomainError as error:
                    return error

        return list(await asyncio.gather(*map(write, user_ids)))
