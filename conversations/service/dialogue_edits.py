"""Edits and deletions of one-to-one messages."""

from dataclasses import dataclass
from datetime import datetime

from conversations.errors import ConversationNotFound
from conversations.events import DialogueEdited, DialogueEvent, DialogueRecalled
from conversations.models import Dialogue, DialogueMessage
from conversations.service.dialogues import DialogueService, dialogue_event
from conversations.service.inbox_rules import Writer, channel_exists
from conversations.service.write_permission import WritePermission
from groups.errors import MessageNotFound, RecallTooLate
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import Content, Message
from groups.service.messages.stream import StreamService


@dataclass(frozen=True, slots=True)
class _Target:
    """A dialogue's message that the actor may change."""

    writer: Writer
    dialogue: Dialogue
    message: Message
    permission: WritePermission

    @property
    def takes_buttons(self) -> bool:
        return self.writer.is_for_channel

    async def record(self, changed: Message, now: datetime, tx: Tx) -> None:
        channel_id = self.dialogue.channel_id
        if self.writer.is_for_channel and channel_id is not None:
            message = DialogueMessage(self.dialogue, changed)
            rules = self.permission.inbox_rules
            await rules.tell_change(self.writer.actor, channel_id, message, tx)
        staff = await self.permission.staff(self.dialogue, tx)
        kind = DialogueEdited if changed.recalled_at is None else DialogueRecalled
        tx.publish(dialogue_event(kind, self.dialogue, staff, changed, now))

    def event_of(self, changed: Message, now: datetime) -> DialogueEvent:
        return dialogue_event(DialogueEdited, self.dialogue, (), changed, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueEdits:
    """Changes of messages. `for_channel` in a call: the actor speaks as the channel, if its inbox rules allow it."""

    streams: StreamService
    dialogues: DialogueService
    permission: WritePermission
    limits: GroupLimits
    clock: Clock

    async def edit(
        self,
        actor: Actor,
        dialogue: Dialogue,
        seq: int,
        content: Content,
        *,
        for_channel: bool = False,
    ) -> DialogueMessage:
        """Replace the content of a message that the actor wrote; for a channel, of one that any admin wrote.

        The same content again changes nothing. Publishes: DialogueEdited.
        """
        writer = Writer(actor, for_channel)

        async def open_message(tx: Tx) -> _Target:
            target = await self._open(writer, dialogue, seq, tx)
            refusals = await self.permission.refusals({writer: dialogue}, tx, is_begun=True)
            refusal = refusals[writer]
            if refusal is not None:
                raise refusal
            return target

        edited, _ = await self.streams.edit(actor, dialogue.stream_id, seq, content, open_message)
        return DialogueMessage(dialogue, edited)

    async def recall(
        self, actor: Actor, dialogue: Dialogue, seq: int, *, for_channel: bool = False
    ) -> None:
        """Delete a message for both sides: its sender, for a while; a channel, at any time.

        Repeating it changes nothing. Publishes: DialogueRecalled.
        """
        writer = Writer(actor, for_channel)

        async def open_message(tx: Tx) -> _Target:
            target = await self._open(writer, dialogue, seq, tx)
            age = (self.clock.now() - target.message.created_at).total_seconds()
            if not for_channel and age > self.limits.recall_seconds:
                raise RecallTooLate
            return target

        await self.streams.recall(dialogue.stream_id, seq, open_message)

    async def _open(self, writer: Writer, dialogue: Dialogue, seq: int, tx: Tx) -> _Target:
        """Open the message. Raises: PermissionRefused, if the writer did not send it."""
        actor, for_channel = writer.actor, writer.is_for_channel
        channel_id = dialogue.channel_id
        if channel_id is not None and not await channel_exists(self.streams, channel_id, tx):
            raise ConversationNotFound
        message = await self.streams.find(dialogue.stream_id, seq, tx)
        if message is None:
            await self.dialogues.check_there(actor, dialogue, for_channel=for_channel)
            raise MessageNotFound
        if message.sender_id != (dialogue.peer_id if for_channel else actor.user_id):
            raise PermissionRefused("Only its sender changes a message")
        return _Target(writer, dialogue, message, self.permission)
