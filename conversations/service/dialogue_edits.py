"""What becomes of a one-to-one message that is there: edited, recalled.

Who changes a message writes it, so two who do conflict, and so does whoever reacts to it or clears it away.
"""

from conversations.errors import ConversationNotFound
from conversations.events import DialogueEdited, DialogueRecalled
from conversations.models import Dialogue, DialogueMessage
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import WritePermission
from groups.errors import MessageNotFound, MessageRecalled, RecallTooLate
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import Content, Message, stream_of
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_change_locks


class DialogueEdits:
    """Changes of messages. `for_channel` in a call: the actor speaks as the channel, which the desk must allow."""

    def __init__(
        self,
        database: Database,
        streams: StreamService,
        dialogues: DialogueService,
        admission: WritePermission,
        limits: GroupLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._streams = streams
        self._dialogues = dialogues
        self._admission = admission
        self._recall_seconds = limits.recall_seconds
        self._clock = clock

    async def edit(
        self,
        actor: Actor,
        dialogue: Dialogue,
        seq: int,
        content: Content,
        *,
        for_channel: bool = False,
    ) -> DialogueMessage:
        """Replace the content of one's own message; the same content again changes nothing. For a channel, any admin's.

        Publishes: DialogueEdited. Raises: MessageNotFound; PermissionRefused; MessageRecalled; whatever refuses a
        message.
        """
        self._streams.check_bounds(content)

        async def work(tx: Tx) -> DialogueMessage:
            message = await self._own(actor, dialogue, seq, tx, for_channel=for_channel)
            writer = Writer(actor, for_channel)
            refusals = await self._admission.refusals({writer: dialogue}, tx, is_begun=True)
            refusal = refusals[writer]
            if refusal is not None:
                raise refusal
            if message.recalled_at is not None:
                raise MessageRecalled
            new = await self._streams.described(actor, message, content, tx)
            if message.content == new:
                return DialogueMessage(dialogue, message)
            now = self._clock.now()
            edited = message.model_copy(update={"content": new, "edited_at": now})
            await self._streams.replace(message, edited, now, tx)
            if for_channel:
                await self._tell(actor, DialogueMessage(dialogue, edited), tx)
            staff = await self._dialogues.staff(dialogue, tx)
            tx.publish(self._dialogues.event_of(DialogueEdited, dialogue, staff, edited, now))
            return DialogueMessage(dialogue, edited)

        return await self._database.run(work, *message_change_locks(dialogue.stream_id, seq))

    async def recall(
        self, actor: Actor, dialogue: Dialogue, seq: int, *, for_channel: bool = False
    ) -> None:
        """Take a message back: one's own, for a while; for a channel, any of its own at any time.

        Twice changes nothing. Publishes: DialogueRecalled. Raises: MessageNotFound; PermissionRefused; RecallTooLate.
        """

        async def work(tx: Tx) -> None:
            message = await self._own(actor, dialogue, seq, tx, for_channel=for_channel)
            now = self._clock.now()
            age = (now - message.created_at).total_seconds()
            if not for_channel and age > self._recall_seconds:
                raise RecallTooLate
            if message.recalled_at is not None:
                return
            recalled = message.model_copy(update={"content": None, "recalled_at": now})
            await self._streams.replace(message, recalled, now, tx)
            if for_channel:
                await self._tell(actor, DialogueMessage(dialogue, recalled), tx)
            staff = await self._dialogues.staff(dialogue, tx)
            tx.publish(self._dialogues.event_of(DialogueRecalled, dialogue, staff, recalled, now))

        await self._database.run(work, *message_change_locks(dialogue.stream_id, seq))

    async def _tell(self, actor: Actor, said: DialogueMessage, tx: Tx) -> None:
        channel_id = said.dialogue.channel_id
        if channel_id is not None:
            await self._admission.inbox_rules.tell_change(actor, channel_id, said, tx)

    async def _own(
        self, actor: Actor, dialogue: Dialogue, seq: int, tx: Tx, *, for_channel: bool
    ) -> Message:
        channel_id = dialogue.channel_id
        if channel_id is not None:
            own = stream_of(channel_id)
            if own not in await self._streams.heads([own], tx):
                raise ConversationNotFound
        message = await self._streams.find(dialogue.stream_id, seq, tx)
        if message is None:
            await self._dialogues.check_there(actor, dialogue, for_channel=for_channel)
            raise MessageNotFound
        if message.sender_id != (dialogue.peer_id if for_channel else actor.user_id):
            raise PermissionRefused("Only its sender changes a message")
        return message
