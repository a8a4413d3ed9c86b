"""Decides who may write in a dialogue, for a whole batch, in the transaction that stores it.

A business account writes only for its channels, and nobody writes to it. Between users blocks decide; with a channel
first the channel's own rules (`inbox_rules`). No refusal tells users whether they are blocked or a setting keeps them
out. A channel is told, since it writes to many and must know whom to leave out.

A channel begins a thread with a subscriber only. What that rests on is written, so that the end of the subscription, a
block, switching it off and other threads that the channel begins conflict with it: whichever is committed first holds.
"""

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

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
    ConversationKey,
    ConversationSettings,
    Dialogue,
)
from conversations.service.inbox_rules import InboxQuery, InboxRules, Writer, channel_exists
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadKey, ThreadStore
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import NotTogether
from groups.kernel.errors import DomainError
from groups.kernel.ids import RESERVED_USER_IDS, GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import UserRestriction
from groups.policy import (
    active_restriction,
    named_person_refusal,
    person_refusal,
    restricted_refusal,
)
from groups.service.messages.stream import StreamService
from groups.service.moderation.restrictions import UserRestrictions

_NEAR_LIMIT: Final = 16
"""This close to a limit, a transaction that begins a dialogue writes the guard of the user whose limit it is, so that
transactions that race for the last place conflict."""
NO_OTHERS: Final[Mapping[UserId, int]] = {}


@dataclass(frozen=True, slots=True)
class PermissionQuery:
    """What decides who may write in several dialogues, and what else their messages change."""

    of_blocks: BatchedQuery[set[tuple[str, str]]]
    of_settings: BatchedQuery[dict[ConversationKey, ConversationSettings]] | None
    """Of the users, in threads with channels."""
    of_rules: InboxQuery | None
    of_opened: BatchedQuery[dict[GroupId, int]] | None
    of_restrictions: BatchedQuery[dict[UserId, UserRestriction]]
    """Of the writers, by the application."""
    now: datetime
    _staff: dict[GroupId, tuple[UserId, ...]] = field(default_factory=dict, init=False)

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to send in the caller's command."""
        optional = self.of_settings, self.of_opened
        of_rules = self.of_rules.queries if self.of_rules is not None else ()
        given = [query for query in optional if query is not None]
        return [self.of_blocks, self.of_restrictions, *given, *of_rules]

    def restricted_refusal(self, actor: Actor) -> DomainError | None:
        """Why the application lets the actor write nothing; None: they may."""
        restriction = self.of_restrictions.result.get(actor.user_id)
        return restricted_refusal(active_restriction(actor, restriction, self.now))

    def settings_of(self, dialogue: Dialogue) -> ConversationSettings:
        """The settings of the user of a thread."""
        if self.of_settings is None:
            return DEFAULT_SETTINGS
        key = dialogue.user_id, dialogue.conversation_id
        return self.of_settings.result.get(key, DEFAULT_SETTINGS)

    def absent_settings(self, dialogue: Dialogue) -> Container[ConversationKey]:
        """The settings of a thread's user, if none are stored; nothing where that was not looked up."""
        key = dialogue.user_id, dialogue.conversation_id
        if dialogue.channel_id is None or self.of_settings is None:
            return ()
        return () if key in self.of_settings.result else (key,)

    def staff(self, dialogue: Dialogue) -> tuple[UserId, ...]:
        """The users who read the dialogue for its channel; nobody if the other side is a user."""
        channel_id = dialogue.channel_id
        if channel_id is None or self.of_rules is None:
            return ()
        if channel_id not in self._staff:
            self._staff[channel_id] = self.of_rules.staff(channel_id)
        return self._staff[channel_id]

    @property
    def opened(self) -> Mapping[GroupId, int]:
        """How many threads the channels that write have begun today, where they have begun any."""
        return self.of_opened.result if self.of_opened is not None else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class WritePermission:
    """Refuses writers."""

    database: Database
    streams: StreamService
    settings: ConversationSettingsStore
    blocks: BlockStore
    groups: ConversationGroupStore
    threads: ThreadStore
    limits: ConversationLimits
    is_business: Callable[[UserId], bool]
    """Whether a user is a business account."""
    restrictions: UserRestrictions
    inbox_rules: InboxRules

    def query(
        self, of_streams: Iterable[Mapping[Writer, Dialogue]], now: datetime
    ) -> PermissionQuery:
        """What decides about writers in several dialogues, each seen from their own side."""
        pairs: set[tuple[str, str]] = set()
        users: dict[GroupId, set[UserId]] = {}
        threads: dict[ConversationKey, None] = {}
        opening: set[GroupId] = set()
        writing: set[UserId] = set()
        for of_writers in of_streams:
            for writer, dialogue in of_writers.items():
                user_id, peer_id, channel_id = *dialogue, dialogue.channel_id
                pairs |= {(user_id, peer_id), (peer_id, user_id)}
                writing.add(writer.actor.user_id)
                if channel_id is not None:
                    users.setdefault(channel_id, set()).update((user_id, writer.actor.user_id))
                    threads[user_id, dialogue.conversation_id] = None
                    if writer.is_for_channel:
                        opening.add(channel_id)
        return PermissionQuery(
            self.blocks.query_blocks(pairs),
            self.settings.query_settings_of_keys(threads) if threads else None,
            self.inbox_rules.query(users) if users else None,
            self.threads.query_opened(opening, now.date()) if opening else None,
            self.restrictions.query(writing),
            now,
        )

    async def refusals(
        self, of_writers: Mapping[Writer, Dialogue], tx: Tx, *, is_begun: bool
    ) -> Mapping[Writer, DomainError | None]:
        """Return the refusal of each writer in the one dialogue, seen from their own side; None: they may write."""
        found = self.query([of_writers], self.streams.clock.now())
        await self.database.fetch_together(*found.queries, tx=tx)
        return await self.refusals_in(found, of_writers, tx, is_begun=is_begun)

    async def refusals_in(
        self,
        found: PermissionQuery,
        of_writers: Mapping[Writer, Dialogue],
        tx: Tx,
        *,
        is_begun: bool,
        begins: Mapping[UserId, int] = NO_OTHERS,
    ) -> Mapping[Writer, DomainError | None]:
        """As `refusals`, of what was looked up; it looks up more only where a dialogue begins or a channel is gone.

        `begins`: how many dialogues of each user may begin in the transaction, where that is more than this one.
        Raises: NotTogether, where such a user is near a limit.
        """
        by_rules: Mapping[Writer, DomainError | None] = dict.fromkeys(of_writers)
        first = next(iter(of_writers.values()))
        channel_id, subscribers = first.channel_id, cast(Collection[UserId], ())
        if channel_id is not None and found.of_rules is not None:
            by_rules, subscribers = found.of_rules.decide(
                channel_id, [first.user_id], of_writers.keys()
            )
        of_channel: DomainError | None = None
        blocks = found.of_blocks.result
        if any(writer.is_for_channel and by_rules[writer] is None for writer in of_writers):
            of_channel = policy.channel_message_refusal(
                first.user_id,
                found.settings_of(first),
                is_begun=is_begun,
                is_subscriber=first.user_id in subscribers,
                is_blocked=(first.user_id, first.peer_id) in blocks,
            )
        refusals: dict[Writer, DomainError | None] = {}
        for writer, dialogue in of_writers.items():
            refusal = self._refusal_by_kind(writer, dialogue)
            refusal = refusal or found.restricted_refusal(writer.actor) or by_rules[writer]
            if isinstance(refusal, ConversationNotFound) and is_begun:
                # They wrote to each other, so the user knows of the channel, unless it was deleted since.
                if await channel_exists(self.streams, GroupId(dialogue.peer_id), tx):
                    refusal = MessagesNotAccepted()
            elif refusal is None and writer.is_for_channel:
                refusal = of_channel
            elif refusal is None:
                refusal = _refusal_by_blocks(writer, dialogue, blocks, is_begun=is_begun)
                if refusal is None and not is_begun:
                    refusal = await self.too_many_dialogues(dialogue.user_id, tx, begins)
                    refusal = refusal or await self._too_many_waiting(writer, dialogue, tx, begins)
            refusals[writer] = refusal
        return refusals

    def hold_subscriptions(self, threads: Collection[ThreadKey], tx: Tx) -> None:
        """Conflict with the end of the subscriptions of users to channels that write to them."""
        self.settings.hold_memberships(list(threads), tx)

    def record_openings(
        self,
        threads: Collection[ThreadKey],
        counted: Collection[ThreadKey],
        before: Mapping[GroupId, int],
        now: datetime,
        tx: Tx,
    ) -> None:
        """Count threads that channels begin, and conflict with all that would refuse them.

        The guards of the channels and the users' settings of the dialogues are written anyway. `counted` are those for
        the limit of a day, and `before` how many each channel had begun today, which the caller has read and compared.
        """
        more = Counter(channel_id for channel_id, _ in counted)
        after = {channel_id: before.get(channel_id, 0) + n for channel_id, n in more.items()}
        if after:
            self.threads.put_opened(after, now.date(), tx)
        self.hold_subscriptions(threads, tx)
        self.settings.mark_begun(counted, tx)
        self.blocks.write_guards({user_id for _, user_id in threads}, tx)

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

    async def too_many_dialogues(
        self, user_id: UserId, tx: Tx, begins: Mapping[UserId, int] = NO_OTHERS
    ) -> DomainError | None:
        """Return the refusal if the user has as many dialogues as they may begin."""
        limit = self.limits.dialogues_per_user
        held = len(await self.settings.list_dialogues(user_id, limit=limit, tx=tx)) if limit else 0
        if held >= limit:
            return DialogueLimitReached(limit=limit)
        await self._guard_limit(user_id, held, limit, begins, tx)
        return None

    async def _guard_limit(
        self, user_id: UserId, held: int, limit: int, begins: Mapping[UserId, int], tx: Tx
    ) -> None:
        """Conflict with transactions that may use the last places of the limit too.

        A transaction that uses several places always does, and leaves those near the limit to transactions that use one
        each. So it and some that do not conflict with it stay below the limit together.
        """
        number = begins.get(user_id, 1)
        is_near = held + number - 1 + _NEAR_LIMIT >= limit
        if number > 1 and is_near:
            raise NotTogether
        if number > 1 or is_near:
            await self.groups.touch_guard(user_id, tx)

    async def _too_many_waiting(
        self, writer: Writer, dialogue: Dialogue, tx: Tx, begins: Mapping[UserId, int]
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
        await self._guard_limit(peer, waiting, limit, begins, tx)
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
