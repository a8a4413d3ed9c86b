"""Who may write in a dialogue: asked for a whole batch, in the transaction that stores it.

Between users it is who blocks whom; with a channel first the channel's own rules (`inbox_rules`). Nothing here tells
a writer whether he is blocked or a setting keeps him out.
"""

from collections.abc import Mapping
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
"""So close to a limit who begins a dialogue writes the guard of whose limit it is: who race for the last conflict."""


class WritePermission:
    """Refuses writers. `inbox_rules` are the rules of channels."""

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
        """Why each of the writers may not write in the one dialogue, seen from his own side; None: he may."""
        refusals = dict(await self._rules(of_writers, tx))
        blocks = await self._blocks.find_many(
            {
                pair
                for d in of_writers.values()
                for pair in ((d.user_id, d.peer_id), (d.peer_id, d.user_id))
            },
            tx,
        )
        for writer, dialogue in of_writers.items():
            own, other = dialogue.user_id, dialogue.peer_id
            if writer.is_for_channel:
                own, other = UserId(other), own
            refusal = refusals[writer]
            if isinstance(refusal, ConversationNotFound) and is_begun:
                # They have talked, so he knows of it; but a channel that is gone took its threads along.
                channel = stream_of(GroupId(dialogue.peer_id))
                if channel in await self._streams.heads([channel], tx):
                    refusals[writer] = MessagesNotAccepted()
            elif refusal is not None:
                continue
            elif (writer.is_for_channel and not is_begun) or (
                not is_begun and other in RESERVED_USER_IDS
            ):
                refusals[writer] = ConversationNotFound()
            elif (own, other) in blocks and not writer.is_for_channel:
                refusals[writer] = PeerBlocked()
            elif (other, own) in blocks and (
                writer.is_for_channel or not writer.actor.is_app_admin
            ):
                refusals[writer] = MessagesNotAccepted()
            elif not is_begun:
                refusals[writer] = await self._beginning_refusal(
                    dialogue.user_id, tx
                ) or await self._flood_refusal(writer, dialogue, tx)
        return refusals

    async def _rules(
        self, of_writers: Mapping[Writer, Dialogue], tx: Tx
    ) -> Mapping[Writer, DomainError | None]:
        for dialogue in of_writers.values():
            if dialogue.channel_id is not None:
                return await self.inbox_rules.refusals(dialogue.channel_id, of_writers.keys(), tx)
        return dict.fromkeys(of_writers)

    async def _beginning_refusal(self, user_id: UserId, tx: Tx) -> DomainError | None:
        limit = self._limits.dialogues_per_user
        held = len(await self._overlays.list_dialogues(user_id, limit=limit, tx=tx)) if limit else 0
        if held >= limit:
            return DialogueLimitReached(limit=limit)
        if held + _NEAR_LIMIT >= limit:
            await self._groups.touch_guard(user_id, tx)
        return None

    async def _flood_refusal(
        self, writer: Writer, dialogue: Dialogue, tx: Tx
    ) -> DomainError | None:
        """So many may wait for one user's answer: a flood of strangers neither fills his list nor uses up his limit.

        A channel takes as many as there are users; its setting says from whom. The application always gets through.
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
