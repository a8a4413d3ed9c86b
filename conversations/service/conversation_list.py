"""The conversation list and the unread totals, computed on request with a fixed number of queries for any number."""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from conversations import policy
from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.models import (
    BUILT_IN_GROUPS,
    DEFAULT_SETTINGS,
    Conversation,
    ConversationId,
    ConversationSettings,
    ConversationType,
    Dialogue,
    GroupTotal,
    ListedConversation,
    Model,
    Unread,
    conversation_from,
    dialogue_conversation,
    group_of,
)
from conversations.service.guard import ConversationGuard, dialogues_among
from conversations.service.list_reader import ConversationListReader, ListSource
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import ID_BYTES, is_id
from groups.kernel.paging import count_fitting, cut_page, decode_cursor, encode_cursor, json_size
from groups.models import Head
from groups.service.access.membership_reader import MembershipReader, MembershipSummary


class ListFilter(Model):
    """Which conversations a list shows.

    `conversation_group`: None for any, "" for those in none of the user's own conversation groups.
    """

    conversation_group: str | None = None
    type: ConversationType | None = None
    only_unread: bool = False
    include_hidden: bool = False

    def admits(self, conversation: Conversation) -> bool:
        if conversation.is_hidden and not self.include_hidden:
            return False
        if self.only_unread and not conversation.unread_count:
            return False
        if self.type is not None and conversation.type is not self.type:
            return False
        name = self.conversation_group
        return name is None or policy.belongs_to(conversation, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationListService:
    """The conversation list and the unread totals of one user."""

    membership_reader: MembershipReader
    guard: ConversationGuard
    reader: ConversationListReader
    settings: ConversationSettingsStore
    groups: ConversationGroupStore
    clock: Clock

    async def list_conversations(
        self, actor: Actor, wanted: ListFilter, *, limit: int, cursor: str | None
    ) -> tuple[list[ListedConversation], str | None]:
        """Return a page of the actor's conversations: pinned ones first, then by last activity.

        The cursor is the position of the last one on the page. Conversations that do not move between two pages are
        neither skipped nor repeated, even if others move.
        """
        after = decode_cursor("conversations", cursor, int, int, str)
        await self._check_group(actor, wanted.conversation_group)
        source = await self.reader.read(actor)
        snapshot = source.snapshot
        keyed = [
            (policy.sort_key(conversation), conversation)
            for conversation in snapshot.conversations()
            if wanted.admits(conversation)
        ]
        if after is not None:
            keyed = [pair for pair in keyed if pair[0] > cast(policy.SortKey, after)]
        # A page is much shorter than the list, so only the page is sorted. Keys differ: conversations are not compared.
        keyed, has_more = cut_page(heapq.nsmallest(limit + 1, keyed), limit)
        page = await self._with_summaries(actor, source, [item for _, item in keyed])
        last = keyed[-1][0] if has_more else None
        fitting = count_fitting(map(_size_of, page))
        if fitting < len(page):
            page = page[:fitting]
            keys = {conversation.conversation_id: key for key, conversation in keyed}
            last = keys[page[-1].conversation.conversation_id]
        return page, encode_cursor("conversations", *last) if last is not None else None

    async def find_all(self, actor: Actor, wanted: ListFilter) -> list[Conversation]:
        """Return all of the actor's conversations that the filter admits, without texts, in no particular order.

        Raises: ConversationGroupNotFound.
        """
        await self._check_group(actor, wanted.conversation_group)
        snapshot = await self.guard.snapshot(actor, with_times=True)
        return [each for each in snapshot.conversations() if wanted.admits(each)]

    async def _check_group(self, actor: Actor, name: str | None) -> None:
        if not name or name in BUILT_IN_GROUPS:
            return
        if await self.groups.find_group(actor.user_id, name) is None:
            raise ConversationGroupNotFound

    async def _with_summaries(
        self, actor: Actor, source: ListSource, conversations: list[Conversation]
    ) -> list[ListedConversation]:
        """Add what only a page needs: titles, last messages, drafts and custom data."""
        ids = [conversation.conversation_id for conversation in conversations]
        with_texts = source.with_texts
        # Each is asked for before the first is awaited, so that one query finds them all.
        of_texts = [
            (key, self.settings.find_texts((actor.user_id, key)))
            for key in ids
            if with_texts is None or key in with_texts
        ]
        shown = source.shown or await self.reader.find_shown(actor, ids)
        texts = {key: found for key, texts in of_texts if (found := await texts) is not None}
        memberships, now = source.snapshot.memberships, self.clock.now()
        listed = []
        for conversation in conversations:
            key = conversation.conversation_id
            if conversation.group_id is None:
                [dialogue] = dialogues_among(actor.user_id, [key])
                summary = shown.summary_of_dialogue(dialogue)
            else:
                summary = shown.summary_of_group(actor, memberships[key])
            if summary is None:  # deleted meanwhile
                continue
            if key in texts:
                draft, custom_data = texts[key]
                settings = conversation.settings._replace(draft=draft, custom_data=custom_data)
                conversation = conversation._replace(settings=settings)
            if conversation.head_seq != summary.head.head_seq:
                conversation = conversation._replace(head_seq=summary.head.head_seq)
            listed.append(listed_conversation(conversation, summary, now))
        return listed

    async def get_conversation(
        self, actor: Actor, conversation_id: ConversationId
    ) -> ListedConversation:
        [found] = await self.get_conversations(actor, [conversation_id])
        if isinstance(found, ConversationNotFound):
            raise found
        return found

    async def get_conversations(
        self, actor: Actor, conversation_ids: Sequence[ConversationId]
    ) -> list[ListedConversation | ConversationNotFound]:
        """Return each conversation, hidden or not, or its own error, in the order asked for."""
        asked = [key for key in conversation_ids if is_id(key, ID_BYTES)]
        with_groups = [key for key in asked if group_of(key) is not None]
        in_groups, dialogues = await asyncio.gather(
            self._find_with_groups(actor, with_groups),
            self._find_dialogues(actor, [key for key in asked if key not in with_groups]),
        )
        found = {**in_groups, **dialogues}
        return [found.get(key) or ConversationNotFound() for key in conversation_ids]

    async def _find_with_groups(
        self, actor: Actor, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ListedConversation]:
        memberships, settings = await self.guard.find_group_conversations(actor, ids)
        if not memberships:
            return {}
        # The summaries hold the heads, which are read after the read cursors (see `ConversationGuard`).
        shown = await self.reader.find_shown(actor, memberships)
        return {
            key: listed_conversation(
                conversation_from(
                    actor.user_id,
                    key,
                    membership,
                    summary.head,
                    settings.get(key, DEFAULT_SETTINGS),
                ),
                summary,
                self.clock.now(),
            )
            for key, membership in memberships.items()
            if (summary := shown.summary_of_group(actor, membership)) is not None
        }

    async def _find_dialogues(
        self, actor: Actor, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ListedConversation]:
        found = await self.guard.find_conversations(actor, ids) if ids else []
        keys = [conversation.conversation_id for conversation in found]
        shown, now = await self.reader.find_shown(actor, keys), self.clock.now()
        listed = {
            conversation.conversation_id: listed_conversation(
                conversation._replace(head_seq=summary.head.head_seq), summary, now
            )
            for conversation, dialogue in zip(
                found, dialogues_among(actor.user_id, keys), strict=True
            )
            if (summary := shown.summary_of_dialogue(dialogue)) is not None
        }
        return listed | await self._find_switched_off(actor, [i for i in ids if i not in listed])

    async def _find_switched_off(
        self, actor: Actor, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ListedConversation]:
        """Find dialogues that a channel may not begin, since the user switched that off; no list shows them."""
        dialogues = dialogues_among(actor.user_id, ids)
        unbegun = {d.conversation_id: d for d in dialogues if d.channel_id is not None}
        if not unbegun:
            return {}
        stored = await self.settings.find_settings(actor.user_id, unbegun)
        listed: dict[ConversationId, ListedConversation] = {}
        for conversation_id, settings in stored.items():
            # One that had begun, and ended with its channel, is no longer there.
            if not settings.accept and not settings.read_seq:
                try:
                    listed[conversation_id] = await self.get_unbegun(
                        unbegun[conversation_id], settings
                    )
                except ConversationNotFound:
                    continue
        return listed

    async def get_unbegun(
        self, dialogue: Dialogue, settings: ConversationSettings
    ) -> ListedConversation:
        """Return a dialogue with a channel that has no message yet, with these settings."""
        channel_id = dialogue.channel_id
        channels = await self.membership_reader.find_groups([channel_id] if channel_id else [])
        channel = channels.get(channel_id) if channel_id is not None else None
        if channel is None:
            raise ConversationNotFound
        head = Head(0, False, 0)
        summary = MembershipSummary(channel.name, channel.face_url, head, None, channel.verified)
        conversation = dialogue_conversation(dialogue.conversation_id, head, settings)
        return listed_conversation(conversation, summary, self.clock.now())

    async def unread_totals(self, actor: Actor, *, include_muted: bool = False) -> Unread:
        """Return the unread totals, with those of the actor's conversation groups, without hidden conversations."""
        snapshot, groups = await asyncio.gather(
            self.guard.snapshot(actor), self.groups.list_groups(actor.user_id)
        )
        names = [group.name for group in groups]
        return policy.unread_totals(snapshot, names, self.clock.now(), include_muted=include_muted)

    async def list_groups(self, actor: Actor) -> list[GroupTotal]:
        """Return the actor's conversation groups with their totals, the built-in ones first."""
        snapshot, groups = await asyncio.gather(
            self.guard.snapshot(actor), self.groups.list_groups(actor.user_id)
        )
        names = [group.name for group in groups]
        return policy.group_totals(snapshot, names, self.clock.now())

    async def group_total(self, actor: Actor, name: str) -> GroupTotal:
        snapshot = await self.guard.snapshot(actor)
        return policy.group_totals(snapshot, [name], self.clock.now())[-1]


def _size_of(listed: ListedConversation) -> int:
    """Estimate the bytes of its JSON: the texts that users write, and a constant for the rest."""
    settings = listed.conversation.settings
    texts = (settings.draft, settings.custom_data, *settings.groups, listed.title, listed.face_url)
    # Most texts are short, and their JSON is at most six times as long as they are: this bound is enough for them.
    rough = 1_000 + 6 * sum(map(len, texts))
    return rough if rough < 4_000 else 1_000 + json_size(*texts)


def listed_conversation(
    conversation: Conversation, summary: MembershipSummary, now: datetime
) -> ListedConversation:
    """Return the conversation as lists show it now."""
    settings = conversation.settings
    is_muted = settings.is_muted(now)
    return ListedConversation(
        conversation,
        summary.title,
        summary.face_url,
        summary.last_message,
        summary.verified,
        summary.head.version,
        is_muted,
        settings.muted_until if is_muted and not settings.muted else None,
    )
