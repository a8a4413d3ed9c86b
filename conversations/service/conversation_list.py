"""The conversation list and the unread totals: computed when asked for, at the same few queries for any number."""

import asyncio
import heapq
from collections.abc import Sequence
from typing import cast

from conversations import policy
from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.models import (
    BUILT_IN_GROUPS,
    NO_OVERLAY,
    Conversation,
    ConversationId,
    ConversationType,
    GroupTotal,
    Model,
    Response,
    Shown,
    Unread,
    conversation_from,
    group_of,
)
from conversations.service.dialogue_summaries import DialogueSummaries
from conversations.service.guard import ConversationGuard
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.ids import ID_BYTES, is_id
from groups.kernel.paging import count_fitting, cut_page, decode_cursor, encode_cursor, json_size
from groups.service.access.membership_reader import MembershipReader, MembershipSummary


class ListFilter(Model):
    """Which conversations. `conversation_group` "" means in none that the user made; None does not ask."""

    conversation_group: str | None = None
    type: ConversationType | None = None
    only_unread: bool = False
    include_hidden: bool = False

    def admits(self, conversation: Conversation) -> bool:
        """Whether the list shows the conversation."""
        if conversation.is_hidden and not self.include_hidden:
            return False
        if self.only_unread and not conversation.unread_count:
            return False
        if self.type is not None and conversation.type is not self.type:
            return False
        name = self.conversation_group
        return name is None or policy.belongs_to(conversation, name)


class ConversationListService:
    """One user's list and totals."""

    def __init__(
        self,
        reader: MembershipReader,
        cards: DialogueSummaries,
        guard: ConversationGuard,
        overlays: ConversationSettingsStore,
        groups: ConversationGroupStore,
    ) -> None:
        self._reader = reader
        self._cards = cards
        self._guard = guard
        self._overlays = overlays
        self._groups = groups

    async def list_conversations(
        self, actor: Actor, wanted: ListFilter, *, limit: int, cursor: str | None
    ) -> tuple[list[Shown], str | None]:
        """A page of the actor's conversations: pinned ones first, then by last activity.

        The cursor is the place of the last one shown, so others may move meanwhile without hiding or repeating any that
        did not. Raises: BadCursor; ConversationGroupNotFound.
        """
        after = decode_cursor("conversations", cursor, int, int, str)
        view, _ = await asyncio.gather(
            self._guard.view(actor, with_times=True),
            self._check_group(actor, wanted.conversation_group),
        )
        keyed = [
            (policy.sort_key(conversation), conversation)
            for conversation in view.conversations()
            if wanted.admits(conversation)
        ]
        if after is not None:
            keyed = [pair for pair in keyed if pair[0] > cast(policy.SortKey, after)]
        # A page is much shorter than the list: not all of it needs an order. Keys differ, so nothing else is compared.
        keyed, has_more = cut_page(heapq.nsmallest(limit + 1, keyed), limit)
        shown = await self._show(actor, view, [conversation for _, conversation in keyed])
        last = keyed[-1][0] if has_more else None
        fitting = count_fitting(map(_size_of, shown))
        if fitting < len(shown):
            shown = shown[:fitting]
            keys = {conversation.conversation_id: key for key, conversation in keyed}
            last = keys[shown[-1].conversation.conversation_id]
        return shown, encode_cursor("conversations", *last) if last is not None else None

    async def _check_group(self, actor: Actor, name: str | None) -> None:
        if not name or name in BUILT_IN_GROUPS:
            return
        if await self._groups.find(actor.user_id, name) is None:
            raise ConversationGroupNotFound

    async def _show(
        self, actor: Actor, view: Response, conversations: list[Conversation]
    ) -> list[Shown]:
        """The conversations with what is read for a page only: titles, last messages, drafts, custom data."""
        ids = [conversation.conversation_id for conversation in conversations]
        cards, talks, overlays = await asyncio.gather(
            self._reader.find_summaries(actor, [view.seats[i] for i in ids if i in view.seats]),
            self._cards.find(actor, [i for i in ids if i in view.dialogues]),
            self._overlays.find_of_user(actor.user_id, ids),
        )
        shown = []
        for conversation in conversations:
            if conversation.group_id is None:
                card = talks.get(conversation.conversation_id)
            else:
                card = cards.get(conversation.group_id)
            if card is None:  # disbanded since
                continue
            full = overlays.get(conversation.conversation_id, NO_OVERLAY)
            # But for the texts, what was read before the heads: a cursor read beside them might have passed them.
            overlay = conversation.overlay._replace(draft=full.draft, custom_data=full.custom_data)
            as_shown = conversation._replace(overlay=overlay, head_seq=card.head.head_seq)
            shown.append(_shown(as_shown, card))
        return shown

    async def get(self, actor: Actor, conversation_id: ConversationId) -> Shown:
        """One conversation, hidden or not.

        Raises: ConversationNotFound.
        """
        [found] = await self.get_many(actor, [conversation_id])
        if isinstance(found, ConversationNotFound):
            raise found
        return found

    async def get_many(
        self, actor: Actor, conversation_ids: Sequence[ConversationId]
    ) -> list[Shown | ConversationNotFound]:
        """Each of the conversations, hidden or not, or its own refusal, in the order asked for."""
        asked = [key for key in conversation_ids if is_id(key, ID_BYTES)]
        groups = [key for key in asked if group_of(key) is not None]
        rooms, talks = await asyncio.gather(
            self._rooms_among(actor, groups),
            self._talks_among(actor, [key for key in asked if key not in groups]),
        )
        found = {**rooms, **talks}
        return [found.get(key) or ConversationNotFound() for key in conversation_ids]

    async def _rooms_among(
        self, actor: Actor, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, Shown]:
        seats, overlays = await self._guard.hold(actor, ids)
        if not seats:
            return {}
        # Their heads, too, after the cursors.
        cards = await self._reader.find_summaries(actor, list(seats.values()))
        return {
            key: _shown(
                conversation_from(key, seat, card.head, overlays.get(key, NO_OVERLAY)), card
            )
            for key, seat in seats.items()
            if (card := cards.get(seat.group_id)) is not None
        }

    async def _talks_among(
        self, actor: Actor, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, Shown]:
        held = await self._guard.find(actor, ids) if ids else []
        if not held:
            return {}
        cards = await self._cards.find(actor, [talk.conversation_id for talk in held])
        return {
            talk.conversation_id: _shown(talk._replace(head_seq=card.head.head_seq), card)
            for talk in held
            if (card := cards.get(talk.conversation_id)) is not None
        }

    async def unread(self, actor: Actor, *, include_muted: bool = False) -> Unread:
        """The actor's unread totals, also for each of his conversation groups; hidden conversations do not count."""
        view, groups = await asyncio.gather(
            self._guard.view(actor), self._groups.list_of_user(actor.user_id)
        )
        names = [group.name for group in groups]
        return policy.unread_totals(view, names, include_muted=include_muted)

    async def list_groups(self, actor: Actor) -> list[GroupTotal]:
        """The actor's conversation groups with their totals, the built-in ones first."""
        view, groups = await asyncio.gather(
            self._guard.view(actor), self._groups.list_of_user(actor.user_id)
        )
        return policy.group_totals(view, [group.name for group in groups])

    async def group_total(self, actor: Actor, name: str) -> GroupTotal:
        """The totals of one conversation group that the user made."""
        return policy.group_totals(await self._guard.view(actor), [name])[-1]


def _size_of(shown: Shown) -> int:
    """About how many bytes of JSON it has: what users write, and some for the rest."""
    overlay = shown.conversation.overlay
    texts = (overlay.draft, overlay.custom_data, *overlay.groups, shown.title, shown.face_url)
    # Most are short, and their JSON at most six times as long as they are: to know that is enough.
    rough = 1_000 + 6 * sum(map(len, texts))
    return rough if rough < 4_000 else 1_000 + json_size(*texts)


def _shown(conversation: Conversation, card: MembershipSummary) -> Shown:
    return Shown(conversation, card.title, card.face_url, card.last_message, card.verified)
