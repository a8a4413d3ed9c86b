"""The one way to get at a user's conversations: his memberships, their streams' heads, and what he set on them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.errors import ConversationNotFound
from conversations.models import (
    NO_OVERLAY,
    Conversation,
    ConversationId,
    Overlay,
    conversation_of,
    group_of,
)
from conversations.store import OverlayStore
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Tx
from groups.service import Head, MembershipReader, Seat


@dataclass(frozen=True, slots=True)
class View:
    """Conversations of one user, with the seats and heads they were made from."""

    conversations: list[Conversation]
    seats: dict[GroupId, Seat]
    heads: dict[StreamId, Head]


NOTHING: Final = View([], {}, {})


class ConversationAccess:
    """Finds conversations; what is not there, or not the actor's, is not found.

    Heads are read last: they only grow, so `read_seq` never passes `head_seq`, whatever happens between the queries.
    """

    def __init__(self, reader: MembershipReader, overlays: OverlayStore) -> None:
        self._reader = reader
        self._overlays = overlays

    async def view(self, actor: Actor, tx: Tx | None = None, *, for_list: bool = False) -> View:
        """All conversations of the actor: three queries, however many there are.

        Drafts and custom data are not loaded; last messages and instants of activity only `for_list`.
        """
        user_id = actor.user_id
        if tx is None:
            seats, overlays = await asyncio.gather(
                self._reader.list_seats(user_id, with_times=for_list),
                self._overlays.list_of_user(user_id),
            )
        else:
            seats = await self._reader.list_seats(user_id, tx, with_times=for_list)
            overlays = await self._overlays.list_of_user(user_id, tx)
        ids = [conversation_of(seat.group_id) for seat in seats]
        heads = await self._reader.find_heads(ids, tx, with_last=for_list)
        conversations = [
            conversation_from(key, seat, heads[key], overlays.get(key, NO_OVERLAY))
            for key, seat in zip(ids, seats, strict=True)
            if key in heads
        ]
        return View(conversations, {seat.group_id: seat for seat in seats}, heads)

    async def find(
        self,
        actor: Actor,
        conversation_ids: Sequence[ConversationId],
        tx: Tx | None = None,
        *,
        with_last: bool = False,
    ) -> View:
        """Those of the conversations that the actor has, everything loaded."""
        user_id = actor.user_id
        groups = [group_of(conversation_id) for conversation_id in conversation_ids]
        pairs = [(group_id, user_id) for group_id in groups if group_id is not None]
        if not pairs:
            return NOTHING
        if tx is None:
            found, overlays = await asyncio.gather(
                self._reader.find_seats(pairs),
                self._overlays.find_of_user(user_id, conversation_ids),
            )
        else:
            found = await self._reader.find_seats(pairs, tx)
            overlays = await self._overlays.find_of_user(user_id, conversation_ids, tx)
        seats = {conversation_of(group_id): seat for (group_id, _), seat in found.items()}
        heads = await self._reader.find_heads(seats, tx, with_last=with_last)
        conversations = [
            conversation_from(key, seat, heads[key], overlays.get(key, NO_OVERLAY))
            for key, seat in seats.items()
            if key in heads
        ]
        return View(conversations, {seat.group_id: seat for seat in seats.values()}, heads)

    async def one(
        self, actor: Actor, conversation_id: ConversationId, tx: Tx | None = None
    ) -> Conversation:
        """The actor's conversation, everything loaded.

        Raises: ConversationNotFound.
        """
        view = await self.find(actor, [conversation_id], tx)
        if not view.conversations:
            raise ConversationNotFound
        return view.conversations[0]


def conversation_from(
    conversation_id: ConversationId, seat: Seat, head: Head, overlay: Overlay
) -> Conversation:
    """The conversation that a membership, its stream's head and what was set on it make."""
    return Conversation(
        conversation_id,
        seat.group_id,
        head.is_channel,
        head.head_seq,
        seat.joined_seq,
        head.last.at if head.last else seat.joined_at,
        overlay,
    )
