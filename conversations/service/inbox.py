"""The conversation list and the unread totals: computed when asked for, at the same few queries for any number."""

import asyncio
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
    Shown,
    Unread,
)
from conversations.service.access import ConversationAccess, View
from conversations.store import ConversationGroupStore, OverlayStore
from groups.kernel.actor import Actor
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.service import MembershipReader


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
        name = self.conversation_group
        return name is None or policy.belongs_to(conversation, name)


class Inbox:
    """One user's list and totals."""

    def __init__(
        self,
        reader: MembershipReader,
        access: ConversationAccess,
        overlays: OverlayStore,
        groups: ConversationGroupStore,
    ) -> None:
        self._reader = reader
        self._access = access
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
        if wanted.type is ConversationType.C2C:
            await self._check_group(actor, wanted.conversation_group)
            return [], None
        view, _ = await asyncio.gather(
            self._access.view(actor, for_list=True),
            self._check_group(actor, wanted.conversation_group),
        )
        keyed = sorted(
            (
                (policy.sort_key(conversation), conversation)
                for conversation in view.conversations
                if wanted.admits(conversation)
            ),
            key=lambda pair: pair[0],
        )
        if after is not None:
            keyed = [pair for pair in keyed if pair[0] > cast(policy.SortKey, after)]
        keyed, has_more = cut_page(keyed[: limit + 1], limit)
        shown = await self._show(actor, view, [conversation for _, conversation in keyed])
        return shown, encode_cursor("conversations", *keyed[-1][0]) if has_more else None

    async def _check_group(self, actor: Actor, name: str | None) -> None:
        if not name or name in BUILT_IN_GROUPS:
            return
        if await self._groups.find(actor.user_id, name) is None:
            raise ConversationGroupNotFound

    async def _show(
        self, actor: Actor, view: View, conversations: list[Conversation]
    ) -> list[Shown]:
        """The conversations with what is read for a page only: titles, drafts, custom data."""
        seats = [view.seats[conversation.group_id] for conversation in conversations]
        ids = [conversation.conversation_id for conversation in conversations]
        cards, overlays = await asyncio.gather(
            self._reader.find_cards(actor, seats, view.heads),
            self._overlays.find_of_user(actor.user_id, ids),
        )
        shown = []
        for conversation_id, conversation in zip(ids, conversations, strict=True):
            card = cards.get(conversation.group_id)
            if card is None:  # disbanded since
                continue
            full = overlays.get(conversation_id, NO_OVERLAY)
            overlay = conversation.overlay._replace(draft=full.draft, custom_data=full.custom_data)
            shown.append(Shown(conversation._replace(overlay=overlay), *card))
        return shown

    async def get(self, actor: Actor, conversation_id: ConversationId) -> Shown:
        """One conversation, hidden or not.

        Raises: ConversationNotFound.
        """
        view = await self._access.find(actor, [conversation_id], with_last=True)
        cards = await self._reader.find_cards(actor, list(view.seats.values()), view.heads)
        for conversation in view.conversations:
            if conversation.group_id in cards:
                return Shown(conversation, *cards[conversation.group_id])
        raise ConversationNotFound

    async def unread(self, actor: Actor, *, include_muted: bool = False) -> Unread:
        """The actor's unread totals, also for each of his conversation groups; hidden conversations do not count."""
        view, groups = await asyncio.gather(
            self._access.view(actor), self._groups.list_of_user(actor.user_id)
        )
        names = [group.name for group in groups]
        return policy.unread_totals(view.conversations, names, include_muted=include_muted)

    async def list_groups(self, actor: Actor) -> list[GroupTotal]:
        """The actor's conversation groups with their totals, the built-in ones first."""
        view, groups = await asyncio.gather(
            self._access.view(actor), self._groups.list_of_user(actor.user_id)
        )
        built_in = [
            policy.group_total(view.conversations, name, built_in=True) for name in BUILT_IN_GROUPS
        ]
        own = [
            policy.group_total(view.conversations, group.name, built_in=False) for group in groups
        ]
        return built_in + own

    async def group_total(self, actor: Actor, name: str) -> GroupTotal:
        """The totals of one conversation group that the user made."""
        view = await self._access.view(actor)
        return policy.group_total(view.conversations, name, built_in=False)
