"""Decides who may write in a dialogue, for a whole batch, in the transaction that stores it.

Between users blocks decide; with a channel first the channel's own rules (`inbox_rules`). No refusal tells writers
whether they are blocked or a setting keeps them out.
"""

from collections.abc import Collection, Mapping
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
from conversations.service.inbox_rules import InboxRules, Writer
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.errors import DomainError
from groups.kernel.ids import RESERVED_USER_IDS, GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_NEAR_LIMIT: Final = 16
"""This close to a limit, a transaction that begins a dialogue writes the guard of the user whose limit it is, so that
transactions that race for the last place conflict."""


class WritePermission:
    """Refuses writers; the composition root replaces `inbox_rules` by those of channels."""

    def __init__(
        self,
        streams: StreamService,
        overlays: ConversationSettingsStore,
        blocks: BlockStore,
        groups: ConversationGroupStore,
        limits: ConversationLimits,
        inbox_rules: InboxRules,
    ) -> None:
        self._streams = streams
        self._overlays = overlays
        self._blocks = blocks
        self._groups = groups
        self._limits = limits
        self.inbox_rules = inbox_rules

    async def refusals(
        self, of_writers: Mapping[Writer, Dialogue], tx: Tx, *, is_begun: bool
    ) -> Mapping[Writer, DomainError | None]:
        """The refusal of each of the writers in the one dialogue, seen from their own side; None: they may write."""
        by_rules = await self._by_inbox_rules(of_writers, tx)
        blocks = await self._blocks.find_blocks(
            {
                pair
                for d in of_writers.values()
                for pair in ((d.user_id, d.peer_id), (d.peer_id, d.user_id))
            },
            tx,
        )
        refusals: dict[Writer, DomainError | None] = {}
        for writer, dialogue in of_writers.items():
            refusal = by_rules[writer]
            if isinstance(refusal, ConversationNotFound) and is_begun:
                refusal = await self._hidden_channel_refusal(refusal, dialogue, tx)
            elif refusal is None:
                refusal = _refusal_by_blocks(writer, dialogue, blocks, is_begun=is_begun)
                if refusal is None and not is_begun:
                    refusal = await self._refusal_to_begin(writer, dialogue, tx)
            refusals[writer] = refusal
        return refusals

    async def staff(self, dialogue: Dialogue, tx: Tx) -> tuple[UserId, ...]:
        """The users who read the dialogue for its channel; nobody where the other side is a user."""
        if dialogue.channel_id is None:
            return ()
        return await self.inbox_rules.staff(dialogue.channel_id, tx)

    async def _by_inbox_rules(
        self, of_writers: Mapping[Writer, Dialogue], tx: Tx
    ) -> Mapping[Writer, DomainError | None]:
        for dialogue in of_writers.values():
            if dialogue.channel_id is not None:
                return await self.inbox_rules.refusals(dialogue.channel_id, of_writers.keys(), tx)
        return dict.fromkeys(of_writers)

    async def _hidden_channel_refusal(
        self, refusal: DomainError, dialogue: Dialogue, tx: Tx
    ) -> DomainError:
        # They have talked, so the user knows of the channel; but a deleted channel took its threads along.
        channel = stream_of(GroupId(dialogue.peer_id))
        exists = channel in await self._streams.heads([channel], tx)
        return MessagesNotAccepted() if exists else refusal

    async def _refusal_to_begin(
        self, writer: Writer, dialogue: Dialogue, tx: Tx
    ) -> DomainError | None:
        return await self._too_many_dialogues(dialogue.user_id, tx) or await self._too_many_waiting(
            writer, dialogue, tx
        )

    async def _too_many_dialogues(self, user_id: UserId, tx: Tx) -> DomainError | None:
        limit = self._limits.dialogues_per_user
        held = len(await self._overlays.list_dialogues(user_id, limit=limit, tx=tx)) if limit else 0
        if held >= limit:
            return DialogueLimitReached(limit=limit)
        if held + _NEAR_LIMIT >= limit:
            await self._groups.touch_guard(user_id, tx)
        return None

    async def _too_many_waiting(
        self, writer: Writer, dialogue: Dialogue, tx: Tx
    ) -> DomainError | None:
        """Limits how many strangers may wait for one user's answer: they neither fill the list nor use up its limit.

        A channel accepts any number of users, as far as its settings allow them. The application always gets through.
        """
        if dialogue.channel_id is not None or dialogue.peer_id == dialogue.user_id:
            return None
        if writer.actor.is_app_admin:
            return None
        peer, limit = UserId(dialogue.peer_id), self._limits.unanswered_per_user
        waiting = (
            len(await self._overlays.list_unanswered(peer, limit=limit, tx=tx)) if limit else 0
        )
        if waiting >= limit:
            return UnansweredLimitReached(limit=limit)
        if waiting + _NEAR_LIMIT >= limit:
            await self._groups.touch_guard(peer, tx)
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
