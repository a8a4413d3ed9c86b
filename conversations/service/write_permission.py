"""Decides who may write in a dialogue, for a whole batch, in the transaction that stores it.

Between users blocks decide; with a channel first the channel's own rules (`inbox_rules`). No refusal tells users
whether they are blocked or a setting keeps them out. A channel is told, since it writes to many and must know whom to
leave out.

A channel begins a thread with a subscriber only. What that rests on is written, so that the end of the subscription, a
block, switching it off and other threads that the channel begins conflict with it: whichever is committed first holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from conversations.errors import (
    ConversationNotFound,
    DailyThreadLimitReached,
    DialogueLimitReached,
    MessagesNotAccepted,
    NotAccepted,
    PeerBlocked,
    UnansweredLimitReached,
)
from conversations.limits import ConversationLimits
from conversations.models import (
    DEFAULT_SETTINGS,
    ConversationSettings,
    Dialogue,
    conversation_of,
)
from conversations.service.inbox_rules import InboxRules, Writer, channel_exists
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.errors import DomainError
from groups.kernel.ids import RESERVED_USER_IDS, GroupId, UserId
from groups.kernel.mongo import Tx
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
    threads: ThreadStore
    limits: ConversationLimits
    inbox_rules: InboxRules

    async def refusals(
        self,
        of_writers: Mapping[Writer, Dialogue],
        tx: Tx,
        *,
        is_begun: bool,
        settings: ConversationSettings | None = None,
    ) -> Mapping[Writer, DomainError | None]:
        """Return the refusal of each writer in the one dialogue, seen from their own side; None: they may write.

        `settings`: those of the user of a thread, where the caller has read them already.
        """
        by_rules: Mapping[Writer, DomainError | None] = dict.fromkeys(of_writers)
        first = next(iter(of_writers.values()))
        channel_id, is_subscriber = first.channel_id, False
        if channel_id is not None:
            by_rules, is_subscriber = await self.inbox_rules.decide(
                channel_id, first.user_id, of_writers.keys(), tx
            )
        of_channel: DomainError | None = None
        own = {(dialogue.user_id, dialogue.peer_id) for dialogue in of_writers.values()}
        blocks = await self.blocks.find_blocks(own | {(peer, user) for user, peer in own}, tx)
        if any(writer.is_for_channel and by_rules[writer] is None for writer in of_writers):
            is_blocked = (first.user_id, first.peer_id) in blocks
            of_channel = await self._refusal_of_channel(
                first,
                settings,
                tx,
                is_begun=is_begun,
                is_blocked=is_blocked,
                is_member=is_subscriber,
            )
        refusals: dict[Writer, DomainError | None] = {}
        for writer, dialogue in of_writers.items():
            refusal = by_rules[writer]
            if isinstance(refusal, ConversationNotFound) and is_begun:
                # They wrote to each other, so the user knows of the channel, unless it was deleted since.
                if await channel_exists(self.streams, GroupId(dialogue.peer_id), tx):
                    refusal = MessagesNotAccepted()
            elif refusal is None and writer.is_for_channel:
                refusal = of_channel
            elif refusal is None:
                refusal = _refusal_by_blocks(writer, dialogue, blocks, is_begun=is_begun)
                if refusal is None and not is_begun:
                    refusal = await self.too_many_dialogues(dialogue.user_id, tx)
                    refusal = refusal or await self._too_many_waiting(writer, dialogue, tx)
            refusals[writer] = refusal
        return refusals

    async def _refusal_of_channel(
        self,
        dialogue: Dialogue,
        settings: ConversationSettings | None,
        tx: Tx,
        *,
        is_begun: bool,
        is_blocked: bool,
        is_member: bool,
    ) -> DomainError | None:
        """Return why the user gets no message of the channel; None: they get it.

        Of several reasons the one that says least about the user.
        """
        if settings is None:
            settings = await self.settings_of(dialogue, tx)
        needs_member = not is_begun or settings.begun_by_channel
        if needs_member and not is_member:
            return MessagesNotAccepted(NotAccepted.NOT_SUBSCRIBED)
        if is_blocked:
            return MessagesNotAccepted(NotAccepted.BLOCKED)
        if not settings.accept:
            return MessagesNotAccepted(NotAccepted.SWITCHED_OFF)
        return None

    async def settings_of(self, dialogue: Dialogue, tx: Tx) -> ConversationSettings:
        conversation_id = dialogue.conversation_id
        stored = await self.settings.find_settings(dialogue.user_id, [conversation_id], tx)
        return stored.get(conversation_id, DEFAULT_SETTINGS)

    async def hold_subscription(self, dialogue: Dialogue, tx: Tx) -> None:
        """Conflict with the end of the user's subscription to the channel of the dialogue."""
        if dialogue.channel_id is not None:
            key = (dialogue.user_id, conversation_of(dialogue.channel_id))
            await self.settings.touch(key, tx)

    async def record_opening(self, dialogue: Dialogue, now: datetime, tx: Tx) -> None:
        """Count a thread that the channel begins, and conflict with all that would refuse it.

        The guard of the channel and the user's settings of the dialogue are written anyway. Raises:
        DailyThreadLimitReached.
        """
        channel_id, today, limit = (
            dialogue.channel_id,
            now.date(),
            self.limits.opened_threads_per_day,
        )
        if channel_id is None:
            return
        opened = await self.threads.count_opened(channel_id, today, tx)
        if opened >= limit:
            midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
            raise DailyThreadLimitReached(
                limit=limit, retry_after_seconds=(midnight - now).total_seconds()
            )
        await self.threads.put_opened(channel_id, today, opened + 1, tx)
        await self.hold_subscription(dialogue, tx)
        await self.blocks.touch_guard(dialogue.user_id, tx)

    async def staff(self, dialogue: Dialogue, tx: Tx) -> tuple[UserId, ...]:
        """Return the users who read the dialogue for its channel; nobody if the other side is a user."""
        if dialogue.channel_id is None:
            return ()
        return await self.inbox_rules.staff(dialogue.channel_id, tx)

    async def too_many_dialogues(self, user_id: UserId, tx: Tx) -> DomainError | None:
        """Return the refusal if the user has as many dialogues as they may begin."""
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
    if not is_begun and other in RESERVED_USER_IDS:
        return ConversationNotFound()
    if (own, other) in blocks:
        return PeerBlocked()
    if (other, own) in blocks and not writer.actor.is_app_admin:
        return MessagesNotAccepted()
    return None
