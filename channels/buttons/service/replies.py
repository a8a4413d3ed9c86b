"""The text of a button or of a menu's entry, sent to the channel as the user's one-to-one message."""

from dataclasses import dataclass
from typing import Final

from conversations.models import Dialogue
from conversations.service.dialogues import DialogueService
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId, join_key
from groups.models import Button, Content, Kind

_KEY: Final = "press"
"""Begins the keys of these messages. They hold a character that no caller can send, so no caller has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySender:
    """Sends the texts of buttons."""

    dialogues: DialogueService

    async def send(
        self, actor: Actor, channel_id: GroupId, stream_id: StreamId, seq: int, button: Button
    ) -> int:
        """Send the text of a button of this message once; returns the seq of the user's message.

        The key of the message names the button, and is stored with it for ever. Publishes: DialoguePosted.
        Raises: what refuses the user's messages to the channel.
        """
        key = join_key(_KEY, stream_id, seq, button.key)
        content = Content(kind=Kind.TEXT, text=button.action.value)
        dialogue = Dialogue(actor.user_id, channel_id)
        return (await self.dialogues.post(actor, dialogue, content, key=key)).message.seq
