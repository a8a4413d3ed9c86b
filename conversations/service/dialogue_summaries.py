"""What a list shows of one-to-one conversations: the other side's name and picture, and the last message."""

import asyncio
from collections.abc import Sequence

from conversations.models import ConversationId
from conversations.service.guard import dialogues_among
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from groups.models import Head
from groups.service.access.membership_reader import MembershipReader, MembershipSummary
from groups.service.messages.stream import StreamService
from groups.service.users import UserService


class DialogueSummaries:
    """Titles of the other sides: three queries, however many."""

    def __init__(
        self, reader: MembershipReader, streams: StreamService, users: UserService
    ) -> None:
        self._reader = reader
        self._streams = streams
        self._users = users

    async def find(
        self, actor: Actor, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, MembershipSummary]:
        """Those of the actor's dialogues that are there; who never told a name is shown by his id.

        A channel is shown also to who may no longer see it otherwise: they have talked, and it may go on answering.
        """
        dialogues = dialogues_among(actor.user_id, conversation_ids)
        if not dialogues:
            return {}
        channel_ids = [d.channel_id for d in dialogues if d.channel_id is not None]
        user_ids = [UserId(d.peer_id) for d in dialogues if d.channel_id is None]
        streams, channels, users = await asyncio.gather(
            self._streams.heads([dialogue.stream_id for dialogue in dialogues]),
            self._reader.find_groups(channel_ids),
            self._users.find_users(user_ids),
        )
        cards: dict[ConversationId, MembershipSummary] = {}
        for dialogue in dialogues:
            stream = streams.get(dialogue.stream_id)
            if stream is None:
                continue
            if dialogue.channel_id is not None:
                channel = channels.get(dialogue.channel_id)
                if channel is None:
                    continue
                title, face_url, verified = channel.name, channel.face_url, channel.verified
            else:
                user = users.get(UserId(dialogue.peer_id))
                title = (user.name if user else "") or dialogue.peer_id
                face_url, verified = user.face_url if user else "", False
            last = stream.last
            active_ms = round(last.at.timestamp() * 1000) if last is not None else 0
            head = Head(stream.head_seq, stream.is_channel, active_ms)
            cards[dialogue.conversation_id] = MembershipSummary(
                title, face_url, head, last, verified
            )
        return cards
