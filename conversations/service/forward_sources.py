"""One-to-one messages as sources of forwards: `groups` looks here for a message that is in no group."""

from dataclasses import dataclass

from conversations.models import ConversationId, dialogue_of
from conversations.service.inbox_rules import channel_exists
from conversations.service.write_permission import WritePermission
from groups.errors import ForwardingNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.mongo import Tx
from groups.models import Message
from groups.service.messages.stream import StreamService


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSources:
    """Messages of dialogues, for the two sides."""

    streams: StreamService
    permission: WritePermission

    async def find(
        self, actor: Actor, conversation_id: ConversationId, seq: int, tx: Tx
    ) -> Message | None:
        """Find a message of one of the actor's dialogues, to be forwarded (a hook of `groups`).

        Raises: ForwardingNotAllowed, if the message is a channel's and the channel forbids it.
        """
        dialogue = dialogue_of(actor.user_id, conversation_id)
        if dialogue is None:
            return None
        channel_id = dialogue.channel_id
        if channel_id is not None and not await channel_exists(self.streams, channel_id, tx):
            return None
        message = await self.streams.find(dialogue.stream_id, seq, tx)
        if message is None or message.content is None or channel_id is None:
            return message
        is_own = message.sender_id == dialogue.user_id
        if not is_own and not await self.permission.inbox_rules.may_forward(channel_id, tx):
            raise ForwardingNotAllowed
        return message
