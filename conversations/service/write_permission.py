"""Decides who may write in a dialogue, for a whole batch, in the transaction that stores it.

A business account writes only for its channels, and nobody writes to it. Between users blocks decide; with a channel
first the channel's own rules (`inbox_rules`). No refusal tells writers whether they are blocked or a setting keeps them
out.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from conversations.errors import (
    ConversationNotFound,
    DialogueLimitReached,
    MessagesNotAccepted,
    PeerBlocked,
    UnansweredLimitReached,
)
from conversations.limits import ConversationLimits
from conversations.models import Dialogue
from conversations.service.inbox_rules import InboxRules, Writer, channel_exists
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.errors import DomainError
from groups.kernel.ids import RESERVED_USER_IDS, GroupId, UserId
from groups.kernel.mongo import Tx
from groups.policy import named_person_refusal, person_refusal
from groups.service.messages.stream import StreamService

_NEAR_LIMIT: Final = 16
"""This close to a limit, a transaction that begins a dialogue writes the guard of the user whose limit it is, so that
transactions that race for the last place conflict."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WritePermission:
    """Refuses writers."""

    streams: StreamService
    settings: ConversationSettingsStore
    blocks: BlockStore
    groups: ConversationGroupStore
    limits: ConversationLimits
    is_business: Callable[[UserId], bool]
    """Whether a user is a business account."""
    inbox_rules: InboxRules

    async def refusals(
        self, of_writers: Mapping[Writer, Dialogue], tx: Tx, *, is_begun: bool
    ) -> Mapping[Writer, DomainError | None]:
        """Return the refusal of each writer in the one dialogue, seen from their own side; None: they may write."""
        by_rules: Mapping[Writer, DomainError | None] = dict.fromkeys(of_writers)
        channel_id = next(iter(of_writers.values())).channel_id
        if channel_id is not None:
            by_rules = await self.inbox_rules.refusals(channel_id, of_writers.keys(), tx)
        own = {(dialogue.user_id, dialogue.peer_id) for dialogue in of_writers.values()}
        blocks = await self.blocks.find_blocks(own | {(peer, user) for user, peer in own}, tx)
        refusals: dict[Writer, DomainError | None] = {}
        for writer, dialogue in of_writers.items():
            refusal = self._refusal_by_kind(writer, dialogue) or by_rules[writer]
            if isinstance(refusal, ConversationNotFound) and is_begun:
                # They wrote to each other, so the user knows of the channel, unless it was deleted since.
                if await channel_exists(self.streams, GroupId(dialogue.peer_id), tx):
                    refusal = MessagesNotAccepted()
            elif refusal is None:
                refusal = _refusal_by_blocks(writer, dialogue, blocks, is_begun=is_begun)
                if refusal is None and not is_begun:
                    refusal = await self._too_many_dialogues(dialogue.user_id, tx)
                    refusal = refusal or await self._too_many_waiting(writer, dialogue, tx)
            refusals[writer] = refusal
        return refusals

    def _refusal_by_kind(self, writer: Writer, dialogue: Dialogue) -> DomainError | None:
        """One-to-one messages are between persons, and between a person and a channel."""
        if writer.is_for_channel:
            return named_person_refusal(self.is_business(dialogue.user_id))
        is_peer_business = dialogue.channel_id is None and self.is_business(
            UserId(dialogue.peer_id)
        )
        return person_refusal(writer.actor.is_business) or named_person_refusal(is_peer_business)

    async def staff(self, dialogue: Dialogue, tx: Tx) -> tuple[UserId, ...]:
        """Return the users who read the dialogue for its channel; nobody if the other side is a user."""
        if dialogue.channel_id is None:
            return ()
        return await self.inbox_rules.staff(dialogue.channel_id, tx)

    async def _too_many_dialogues(self, user_id: UserId, tx: Tx) -> DomainError | None:
        limit = self.limits.dialogues_per_user
        held = len(await self.settings.list_dialogues(user_id, limit=limit, tx=tx)) if limit else 0
        if held >= limit:
            return DialogueLimitReached(limit=limit)
        if held + _NEAR_LIMIT >= limit:
            await self.groups.touch_guard(user_id, tx)
        return None

    async def _too_many_waiting(
        self, writer: Writer, dialogue: Dialogue, tx: Tx
    ) -> DomainError | None:
        """Limit how many strangers wait for one user's answer: they neither fill the list nor use up its limit.

        A channel accepts any number of users, as far as its settings allow them. The application is never refused.
        """
        if dialogue.channel_id is not None or dialogue.peer_id == dialogue.user_id:
            return None
        if writer.actor.is_app_admin:
            return None
        peer, limit = UserId(dialogue.peer_id), self.limits.unanswered_per_user
        waiting = len(await self.settings.list_unanswered(peer, limit=limit, tx=tx)) if limit else 0
        if waiting >= limit:
            return UnansweredLimitReached(limit=limit)
        if waiting + _NEAR_LIMIT >= limit:
            await self.groups.touch_guard(peer, tx)
        return None


def _refusal_by_blocks(
    writer: Writer, dialogue: Dialogue, blocks: Collection[tuple[str, str]], *, is_begun: bool
) -> DomainError | None:
    own, other = dialogue.user_id, dialogue.peer_id
    if writer.is_for_channel:
        own, other = UserId(other), own
    if not is_begun and (writer.is_for_channel or other in RESERVED_USER_IDS):
        return ConversationNotFound()
    if (own, other) in blocks and not writer.is_for_channel:
        return PeerBlocked()
    if (other, own) in blocks and (writer.is_for_channel or not writer.actor.is_app_admin):
        return MessagesNotAccepted()
    return None
