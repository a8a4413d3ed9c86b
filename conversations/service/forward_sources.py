"""One-to-one messages as what is forwarded: where `groups` looks for a message that is in no group."""

from conversations.models import ConversationId, dialogue_of
from conversations.service.write_permission import WritePermission
from groups.errors import ForwardingNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.mongo import Tx
from groups.models import Message, stream_of
from groups.service.messages.stream import StreamService


class ForwardSources:
    """Messages of dialogues, for who is in them."""

    def __init__(self, streams: StreamService, admission: WritePermission) -> None:
        self._streams = streams
        self._admission = admission

    async def find(
        self, actor: Actor, conversation_id: ConversationId, seq: int, tx: Tx
    ) -> Message | None:
        """A message of one of the actor's dialogues, to be forwarded (a hook of `groups`); None where there is none.

        What a channel said is the channel's to keep from going on. Raises: ForwardingNotAllowed.
        """
        dialogue = dialogue_of(actor.user_id, conversation_id)
        if dialogue is None:
            return None
        channel_id = dialogue.channel_id
        if channel_id is not None:
            own = stream_of(channel_id)
            if own not in await self._streams.heads([own], tx):
                return None  # it is gone, and its threads are being cleared away
        message = await self._streams.find(dialogue.stream_id, seq, tx)
        if message is None or message.content is None or channel_id is None:
            return message
        is_own = message.sender_id == dialogue.user_id
        if not is_own and not await self._admission.inbox_rules.may_forward(channel_id, tx):
            raise ForwardingNotAllowed
        return message
