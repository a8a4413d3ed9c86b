"""Decides who may write in a dialogue, for a whole batch, in the transaction that stores it.

A business account writes only for its channels, and nobody writes to it. Between users blocks decide; with a channel
first the channel's own rules (`inbox_rules`). No refusal tells users whether they are blocked or a setting keeps them
out. A channel is told, since it writes to many and must know whom to leave out.

A channel begins a thread with a subscriber only. What that rests on is written, so that the end of the subscription, a
block, switching it off and other threads that the channel begins conflict with it: whichever is committed first holds.
"""

from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from conversations import policy
from conversations.errors import (
    ConversationNotFound,
    DialogueLimitReached,
    MessagesNotAccepted,
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
from groups.kernel.ids import RESERVED_USER_IDS, GroupId, StreamId, UserId
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
    threads: ThreadStore
    limits: ConversationLimits
    is_business: Callable[[UserId], bool]
    """Whether a user is a business account."""
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
        channel_id, subscribers = first.channel_id, cast(Collection[UserId], ())
        if channel_id is not None:
            by_rules, subscribers = await self.inbox_rules.decide(
                channel_id, [first.user_id], of_writers.keys(), tx
            )
        of_channel: DomainError | None = None
        own = {(dialogue.user_id, dialogue.peer_id) for dialogue in of_writers.values()}
        blocks = await self.blocks.find_blocks(own | {(peer, user) for user, peer in own}, tx)
        if any(writer.is_for_channel and by_rules[writer] is None for writer in of_writers):
            of_channel = policy.channel_message_refusal(
                first.user_id,
                settings or await self.settings_of(first, tx),
                is_begun=is_begun,
                is_subscriber=first.user_id in subscribers,
                is_blocked=(first.user_id, first.peer_id) in blocks,
            )
        refusals: dict[Writer, DomainError | None] = {}
        for writer, dialogue in of_writers.items():
            refusal = self._refusal_by_kind(writer, dialogue) or by_rules[writer]
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

    async def settings_of(self, dialogue: Dialogue, tx: Tx) -> ConversationSettings:
        conversation_id = dialogue.conversation_id
        stored = await self.settings.find_settings(dialogue.user_id, [conversation_id], tx)
        return stored.get(conversation_id, DEFAULT_SETTINGS)

    async def refusals_of_channel(
        self,
        writer: Writer,
        dialogues: Collection[Dialogue],
        begun: Container[StreamId],
        settings: Mapping[UserId, ConversationSettings],
        now: datetime,
        tx: Tx,
    ) -> tuple[Mapping[UserId, DomainError], int]:
        """Return why users get no message that the writer sends in the channel's name, in their order; others get it.

        Also returns how many threads the channel has begun today. `begun`: the streams that exist.
        """
        first = next(iter(dialogues))
        channel_id, users = GroupId(first.peer_id), [each.user_id for each in dialogues]
        by_rules, subscribers = await self.inbox_rules.decide(channel_id, users, [writer], tx)
        by_rule = by_rules[writer]
        if by_rule is not None:
            return dict.fromkeys(users, by_rule), 0
        blocks = await self.blocks.find_blocks([(user, channel_id) for user in users], tx)
        before = opened = await self.threads.count_opened(channel_id, now.date(), tx)
        refusals: dict[UserId, DomainError] = {}
        for dialogue in dialogues:
            user_id, is_begun = dialogue.user_id, dialogue.stream_id in begun
            refusal = policy.channel_message_refusal(
                user_id,
                settings.get(user_id, DEFAULT_SETTINGS),
                is_begun=is_begun,
                is_subscriber=user_id in subscribers,
                is_blocked=(user_id, channel_id) in blocks,
            )
            if refusal is None and not is_begun:
                refusal = policy.opening_refusal(opened, self.limits.opened_threads_per_day, now)
                opened += refusal is None
            if refusal is not None:
                refusals[user_id] = refusal
        return refusals, before

    async def hold_subscriptions(
        self, channel_id: GroupId, user_ids: Collection[UserId], tx: Tx
    ) -> None:
        """Conflict with the end of these users' subscriptions to the channel."""
        await self.settings.touch([(each, conversation_of(channel_id)) for each in user_ids], tx)

    async def record_openings(
        self,
        channel_id: GroupId,
        user_ids: Collection[UserId],
        now: datetime,
        tx: Tx,
        *,
        before: int | None = None,
    ) -> None:
        """Count threads that the channel begins with these users, and conflict with all that would refuse them.

        The guards of the channel and the users' settings of the dialogues are written anyway. `before`: how many it had
        begun today, where the caller has read and compared it. Raises: DailyThreadLimitReached.
        """
        today = now.date()
        if before is None:
            before = await self.threads.count_opened(channel_id, today, tx)
            refusal = policy.opening_refusal(before, self.limits.opened_threads_per_day, now)
            if refusal is not None:
                raise refusal
        await self.threads.put_opened(channel_id, today, before + len(user_ids), tx)
        await self.hold_subscriptions(channel_id, user_ids, tx)
        await self.blocks.touch_guards(user_ids, tx)

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
