"""The one way to get at a user's conversations: his memberships, their streams' heads, and what he set on them.

One-to-one conversations are among what he set: each has its document from its first message on, so they cost no query
of their own. One with a channel is there for as long as the channel's own stream is.

Many users ask at once, each for few conversations, and a command costs more than the rows it brings: so those who ask
for all of theirs share the queries. Measured with 256 users in 10 groups each: 1.7 ms of CPU
for one's totals without, 0.2 ms with it.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from conversations.errors import ConversationNotFound
from conversations.models import (
    NO_OVERLAY,
    UNTOUCHED,
    Conversation,
    ConversationId,
    ConversationSettings,
    Dialogue,
    Response,
    conversation_from,
    conversation_of,
    dialogue_conversation,
    dialogue_of,
    group_of,
)
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import Tx
from groups.kernel.request_batching import RequestBatcher
from groups.models import Head, MembershipRow, stream_of
from groups.service.access.membership_reader import MembershipReader

USERS_A_QUERY: Final = 16
"""Each may be in thousands of groups, so their rows are bounded by bounding them; most of the gain is had by then."""

Held = tuple[dict[ConversationId, MembershipRow], Mapping[ConversationId, ConversationSettings]]
"""The seats among some conversations, and what was set on them."""


class ConversationGuard:
    """Finds conversations; what is not there, or not the actor's, is not found.

    Heads are read last: they only grow, so `read_seq` never passes `head_seq`, whatever happens between the queries.
    """

    def __init__(self, reader: MembershipReader, overlays: ConversationSettingsStore) -> None:
        self._reader = reader
        self._overlays = overlays
        self._views = RequestBatcher(self._read_views, max_keys=USERS_A_QUERY)
        self._views_with_times = RequestBatcher(self._read_views_with_times, max_keys=USERS_A_QUERY)

    async def view(
        self, actor: Actor, tx: Tx | None = None, *, with_times: bool = False
    ) -> Response:
        """All conversations of the actor: three queries, however many there are and however many users ask at once.

        Drafts and custom data are not loaded; the instants of activity only `with_times`, outside a transaction.
        """
        user_id = actor.user_id
        if tx is not None:
            return (await self._read_views([user_id], tx))[user_id]
        view = await (self._views_with_times if with_times else self._views).find(user_id)
        assert view is not None, "every user has a view"
        return view

    async def _read_views(
        self, user_ids: Collection[UserId], tx: Tx | None = None, *, with_times: bool = False
    ) -> dict[UserId, Response]:
        if tx is None:
            seats, touched = await asyncio.gather(
                self._reader.list_memberships(user_ids, with_times=with_times),
                self._overlays.list_of_users(user_ids),
            )
        else:
            seats = await self._reader.list_memberships(user_ids, tx)
            touched = await self._overlays.list_of_users(user_ids, tx)
        dialogues = {
            user_id: dialogues_among(user_id, touched[user_id].dialogues) for user_id in touched
        }
        ids = {conversation_id for held in seats.values() for conversation_id in held}
        for held in dialogues.values():
            ids |= streams_of(held)
        heads = await self._reader.find_heads(ids, tx, with_times=with_times)
        return {
            user_id: Response(
                seats[user_id],
                touched.get(user_id, UNTOUCHED),
                heads,
                living(dialogues.get(user_id, ()), heads),
            )
            for user_id in user_ids
        }

    async def _read_views_with_times(self, user_ids: Collection[UserId]) -> dict[UserId, Response]:
        return await self._read_views(user_ids, with_times=True)

    async def hold(
        self, actor: Actor, conversation_ids: Sequence[ConversationId], tx: Tx | None = None
    ) -> Held:
        """The actor's seats among the conversations and all that he set on them; their heads are to be read next."""
        user_id = actor.user_id
        groups = [group_of(conversation_id) for conversation_id in conversation_ids]
        pairs = [(group_id, user_id) for group_id in groups if group_id is not None]
        if not pairs:
            return {}, {}
        if tx is None:
            found, overlays = await asyncio.gather(
                self._reader.find_memberships(pairs),
                self._overlays.find_of_user(user_id, conversation_ids),
            )
        else:
            found = await self._reader.find_memberships(pairs, tx)
            overlays = await self._overlays.find_of_user(user_id, conversation_ids, tx)
        return {conversation_of(group_id): seat for (group_id, _), seat in found.items()}, overlays

    async def find(
        self, actor: Actor, conversation_ids: Sequence[ConversationId], tx: Tx | None = None
    ) -> list[Conversation]:
        """Those of the conversations that the actor has, everything loaded; instants of activity in one-to-one only."""
        groups = [key for key in conversation_ids if group_of(key) is not None]
        talks = dialogues_among(actor.user_id, [k for k in conversation_ids if k not in groups])
        seats, overlays = await self.hold(actor, groups, tx)
        if talks:
            ids = [dialogue.conversation_id for dialogue in talks]
            held = await self._overlays.find_of_user(actor.user_id, ids, tx)
            talks = [dialogue for dialogue in talks if dialogue.conversation_id in held]
            overlays = {**overlays, **held}
        heads = await self._reader.find_heads(
            {*seats, *streams_of(talks)}, tx, with_times=bool(talks)
        )
        return [
            conversation_from(key, seat, heads[key], overlays.get(key, NO_OVERLAY))
            for key, seat in seats.items()
            if key in heads
        ] + [
            dialogue_conversation(key, head, overlays[key])
            for key, head in living(talks, heads).items()
        ]

    async def one(
        self, actor: Actor, conversation_id: ConversationId, tx: Tx | None = None
    ) -> Conversation:
        """The actor's conversation, everything loaded.

        Raises: ConversationNotFound.
        """
        found = await self.find(actor, [conversation_id], tx)
        if not found:
            raise ConversationNotFound
        return found[0]


def dialogues_among(user_id: UserId, conversation_ids: Sequence[ConversationId]) -> list[Dialogue]:
    """Those of the conversations that may be the user's dialogues."""
    found = (dialogue_of(user_id, conversation_id) for conversation_id in conversation_ids)
    return [dialogue for dialogue in found if dialogue is not None]


def streams_of(dialogues: Iterable[Dialogue]) -> set[StreamId]:
    """The streams whose heads tell whether the dialogues are there: a channel's own among them."""
    ids = {dialogue.stream_id for dialogue in dialogues}
    return ids | {stream_of(d.channel_id) for d in dialogues if d.channel_id is not None}


def living(
    dialogues: Iterable[Dialogue], heads: Mapping[StreamId, Head]
) -> dict[ConversationId, Head]:
    """The heads of those of the dialogues that are there, by what their user calls them."""
    return {
        dialogue.conversation_id: heads[dialogue.stream_id]
        for dialogue in dialogues
        if dialogue.stream_id in heads
        and (dialogue.channel_id is None or stream_of(dialogue.channel_id) in heads)
    }
