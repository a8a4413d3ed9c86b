"""Reactions to any messages: the queue, the rules and the counting, which all kinds of messages share.

A service decides who may react, and publishes the event (`ReactionTarget`); the rest happens here. There are two:
`ReactionService` for the messages of groups, and in a higher package `DialogueReactions` for one-to-one messages.

A batch reads the message's tally and the reactions of its callers, applies one command after the other to that state,
and writes the difference.

Promises:
    Exact counts (P4): reactions and tally change in one transaction, and two transactions on one message conflict in
    the tally's document.
    Flat cost: a batch of 256 callers on one message costs the database commands of one caller.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence, Set
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.clock import Clock
from groups.kernel.emoji_text import Emoji
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import GroupCommit, OnBatch, each_key
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import Message, Tallies, Tally, message_key, split_message_key
from groups.service.hooks import TalliesQuery, TallyQuery
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_lock
from reactions.errors import ReactionsFrozen
from reactions.models import ReactionRules, mine_of
from reactions.service.state import ReactionState
from reactions.store import MessageKeys, ReactionStore


@dataclass(slots=True)  # a frozen one takes three times as long to make, for every reaction
class ReactionCommand:
    """Adds an emoji of the holder to a message, or removes it (`is_adding` false)."""

    holder: UserId
    emoji: Emoji
    is_adding: bool


STEP: Final = 1_000  # documents a transaction: short enough not to delay others

C = TypeVar("C", bound=ReactionCommand)
C_contra = TypeVar("C_contra", bound=ReactionCommand, contravariant=True)


class ReactionTarget(Protocol[C_contra]):
    """One message in a transaction: decides who may react and by which rules, and publishes the event."""

    @property
    def rules(self) -> ReactionRules: ...

    def refusal(self, command: C_contra, state: ReactionState) -> DomainError | None:
        """Return why this command is refused; None: it is allowed."""

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Called with the number of new reactions: first ones, and those that replace another one."""

    async def publish(self, state: ReactionState, tally: Tally, now: datetime, tx: Tx) -> None:
        """Publish that the counts changed."""


OpenTarget = Callable[
    [Message | None, Sequence[C], Sequence[BatchedQuery[Any]], Tx],
    Awaitable[ReactionTarget[C] | type[DomainError]],
]
"""Opens the message of a batch of commands (None: it does not exist), and looks up the given queries.

Returns the class of the error for all commands where nobody can react; it need not look up the queries then.
"""
HoldersOf = Callable[[Sequence[C]], Collection[UserId]]
"""The users whose reactions a batch reads: the holders, and others that the event names."""


def holders_of(commands: Sequence[ReactionCommand]) -> Collection[UserId]:
    """Return the holders alone."""
    return {command.holder for command in commands}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionEngine:
    """The reactions of one database."""

    database: Database
    store: ReactionStore
    streams: StreamService
    clock: Clock
    on_batch: OnBatch | None = None

    # Reading: the caller checks whether the user may see the messages.

    async def tallies_of(
        self, user_id: UserId, stream_id: StreamId, seqs: Sequence[int]
    ) -> Tallies:
        """Return the tallies of the messages that have one, with the user's own emoji, with one command."""
        if not seqs:
            return Tallies()
        return await self.store.read(MessageKeys(stream_id, tuple(seqs)), user_id) or Tallies()

    def query_beside(
        self, messages: BatchedQuery[Sequence[Message]], user_ids: Sequence[UserId]
    ) -> TallyQuery:
        """Return a query for the same, for each of these users and the messages that another query finds."""
        return self.store.query(messages, user_ids)

    def query_pages(
        self, pages: Sequence[tuple[StreamId, Sequence[int], Sequence[UserId]]]
    ) -> TalliesQuery:
        """Return a query for the same, for messages of several streams and the users who read each."""
        return self.store.query_pages(pages)

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """Delete up to `STEP` reactions or tallies of an ended stream (a hook of `groups`). Returns how many."""
        return await self.store.delete_some(stream_id, STEP, tx)


@dataclass(kw_only=True, slots=True)
class ReactionQueue(Generic[C]):
    """Commands of one service; those for one message share a transaction. Metrics show the queue as `name`."""

    engine: ReactionEngine
    open_target: OpenTarget[C]
    holders_of: HoldersOf[C] = holders_of
    name: InitVar[str]
    _commits: GroupCommit[C, Tally] = field(init=False)

    def __post_init__(self, name: str) -> None:
        database, on_batch = self.engine.database, self.engine.on_batch
        self._commits = GroupCommit(
            database, each_key(self._apply), name=name, on_batch=on_batch, locks_of=_locks_of
        )

    def submit(self, stream_id: StreamId, seq: int, command: C) -> Awaitable[Tally]:
        """Apply the command and return the tally after it. A repeated command changes and publishes nothing."""
        return self._commits.submit(message_key(stream_id, seq), command)

    async def _apply(
        self, tx: Tx, key: str, commands: Sequence[C]
    ) -> Sequence[Tally | DomainError]:
        stream_id, seq = split_message_key(key)
        # The message first: if another process writes it, this transaction ends here and begins again.
        message = await self.engine.streams.touch_message(stream_id, seq, tx)
        query = self.engine.store.query([key], self.holders_of(commands))
        target = await self.open_target(message, commands, query.queries, tx)
        if isinstance(target, type):
            return [target() for _ in commands]
        state = ReactionState(key, query.counts_of(seq), query.held_on(seq))
        refusals = [_apply_one(command, message, state, target) for command in commands]
        tally = state.tally()
        await self._write(state, tally, target, tx)
        return [
            refusal or _with_mine(tally, state.held_by(command.holder))
            for command, refusal in zip(commands, refusals, strict=True)
        ]

    async def _write(
        self, state: ReactionState, tally: Tally, target: ReactionTarget[C], tx: Tx
    ) -> None:
        now, store = self.engine.clock.now(), self.engine.store
        removed, added = state.removed(), state.added(now)
        if not removed and not added:
            return
        # The tally first: if another process writes it, this transaction ends here, before the bulk.
        await store.put_tally(state.message_id, tally, tx)
        await store.delete_many(state.message_id, removed, tx)
        await store.insert_many(added, tx)
        if added:
            await target.on_added(len(added), now, tx)
        if state.counts_changed:
            await target.publish(state, tally, now, tx)

    async def close(self) -> None:
        """Wait until every submitted command is committed or refused."""
        await self._commits.close()


def _apply_one(
    command: C, message: Message | None, state: ReactionState, target: ReactionTarget[C]
) -> DomainError | None:
    refusal = target.refusal(command, state)
    if refusal is not None:
        return refusal
    if message is None:
        return MessageNotFound()
    if not command.is_adding:
        state.remove(command.holder, command.emoji)
        return None
    if message.recalled_at is not None:
        return MessageRecalled()
    if message.reactions_frozen:
        return ReactionsFrozen()
    return state.add(target.rules, command.holder, command.emoji)


def _with_mine(tally: Tally, own: Set[str]) -> Tally:
    if not own:
        return tally
    return Tally(counts=tally.counts, total=tally.total, mine=mine_of(tally, own))


def _locks_of(key: str) -> tuple[str, ...]:
    return (message_lock(*split_message_key(key)),)
