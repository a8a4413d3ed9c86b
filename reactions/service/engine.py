"""Reactions to any messages: the queue, the rules and the counting, which all kinds of messages share.

A service decides who may react, and publishes the events (`ReactionTarget`); the rest happens here. There are two:
`ReactionService` for the messages of groups, and in a higher package `DialogueReactions` for one-to-one messages.

A batch has commands for several messages. It reads the messages, their tallies and the reactions of its callers with
one database command, applies one reaction command after the other to that state, and writes the difference with one
database command for each collection.

Promises:
    Exact counts (P4): reactions and tally change in one transaction, and two transactions on one message conflict in
    the tally's document.
    Flat cost: a batch of 256 callers costs the database commands of one caller, on one message or on as many.

What a reaction (R) reads and another transaction (X) changes, under snapshot isolation:
    Every R writes the tally. An R that finds no tally, the first one to a message, writes the message too.
    X deletes the message for everyone, or freezes its reactions: it writes the message, and the tally if it finds one
    (`ReactionEngine.on_reactions_closed`). Both find the tally: they conflict in it. R finds none: they conflict in the
    message. Only X finds none: then a first R was committed after the snapshot of X, and X conflicts with that one in
    the message. So R is committed before X, or runs again and sees X. No reaction is announced after X.
    X allows reactions again, edits, pins or counts views: R does not depend on it, or was refused while it was true.
    X deletes an ended stream: first all messages, then the reactions, then the tallies (`ReactionStore.delete_some`).
    An R whose snapshot is older writes the message or the tally, and conflicts once that is deleted. If it is committed
    before, its tally still exists, and each step that deletes tallies looks for reactions first, in one snapshot. So
    nothing is left behind; a stream's remains are gone before a new one takes its id. This needs tallies that stay
    while their message exists.
    X ends the membership, bans, changes the settings or disbands the group: it reads nothing that R writes. R counts as
    before X; where a group is disbanded, its deletion follows as above.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.emoji_text import Emoji
from groups.kernel.errors import DomainError
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.models import Message, Tallies, Tally, message_key, split_message_key
from groups.service.hooks import TalliesQuery, TallyQuery
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_lock
from reactions.errors import ReactionsFrozen
from reactions.models import ReactionRules, mine_of
from reactions.service.state import ReactionState
from reactions.store import BatchQuery, MessageKeys, ReactionStore


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


@dataclass(frozen=True, slots=True)
class Asked:
    """Queries for the messages of a batch, by their keys, and for the reactions to them."""

    of_messages: BatchedQuery[dict[str, Message]]
    of_reactions: BatchQuery

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        return self.of_messages, *self.of_reactions.queries

    def message(self, key: str) -> Message | None:
        return self.of_messages.result.get(key)


OpenTargets = Callable[
    [Mapping[str, Sequence[C]], Asked, Tx],
    Awaitable[Mapping[str, ReactionTarget[C] | type[DomainError]]],
]
"""Opens the messages of a batch of commands, by their keys, and looks up what is `Asked` together with its own queries.

A message to which nobody can react may have the class of the error for all its commands.
"""
HoldersOf = Callable[[Sequence[C]], Collection[UserId]]
"""The users whose reactions to a message a batch reads: the holders, and others that the event names."""


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

    # Hooks of `groups`.

    async def on_reactions_closed(self, stream_id: StreamId, seq: int, tx: Tx) -> None:
        """Conflict with reactions that do not see yet that the message takes no more."""
        await self.store.touch_tally(message_key(stream_id, seq), tx)

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """Delete up to `STEP` reactions or tallies of an ended stream. Returns how many."""
        return await self.store.delete_some(stream_id, STEP, tx)


@dataclass(kw_only=True, slots=True)
class ReactionQueue(Generic[C]):
    """Commands of one service; those for any messages share transactions. Metrics show the queue as `name`."""

    engine: ReactionEngine
    open_targets: OpenTargets[C]
    holders_of: HoldersOf[C] = holders_of
    name: InitVar[str]
    _commits: GroupCommit[C, Tally] = field(init=False)

    def __post_init__(self, name: str) -> None:
        database, on_batch = self.engine.database, self.engine.on_batch
        self._commits = GroupCommit(
            database, self._apply, name=name, on_batch=on_batch, locks_of=_locks_of
        )

    def submit(self, stream_id: StreamId, seq: int, command: C) -> Awaitable[Tally]:
        """Apply the command and return the tally after it. A repeated command changes and publishes nothing."""
        return self._commits.submit(message_key(stream_id, seq), command)

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[C]]
    ) -> Mapping[str, Sequence[Tally | DomainError]]:
        holders = {key: self.holders_of(commands) for key, commands in batch.items()}
        reactions = self.engine.store.query_batch(holders)
        asked = Asked(self.engine.streams.query_messages(batch.keys()), reactions)
        targets = await self.open_targets(batch, asked, tx)
        now = self.engine.clock.now()
        outcomes: dict[str, Sequence[Tally | DomainError]] = {}
        for key, commands in batch.items():
            target = targets[key]
            if isinstance(target, type):
                outcomes[key] = [target() for _ in commands]
                continue
            message, held = asked.message(key), reactions.held_on(key, holders[key])
            state = ReactionState(key, reactions.counts_of(key), held)
            refusals = [_apply_one(command, message, state, target) for command in commands]
            tally = state.tally()
            await self._write(state, tally, target, now, tx)
            outcomes[key] = [
                refusal or _with_mine(tally, state.held_by(command.holder))
                for command, refusal in zip(commands, refusals, strict=True)
            ]
        return outcomes

    async def _write(
        self,
        state: ReactionState,
        tally: Tally,
        target: ReactionTarget[C],
        now: datetime,
        tx: Tx,
    ) -> None:
        store = self.engine.store
        removed, added = state.removed(), state.added(now)
        if not removed and not added:
            return
        # Message and tally first: if another process writes them, this transaction ends there, before the bulk.
        if not state.has_tally:
            self.engine.streams.touch_messages([state.message_id], tx)
        store.put_tally(state.message_id, tally, tx)
        store.delete(state.message_id, removed, tx)
        store.insert(added, tx)
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
