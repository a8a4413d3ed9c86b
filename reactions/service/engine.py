"""Reactions to any messages, and votes in polls: the queue and the counting, which all of them share.

`TallyQueue` counts what users hold on messages: emoji (`ReactionQueue`), or options of polls (`reactions.polls`). A
service decides who may react or vote, and publishes the events (`TallyTarget`); the rest happens here. There are four:
`ReactionService` and `PollService` for the messages of groups, and in higher packages `DialogueReactions` for
one-to-one messages, and `AcknowledgementService`.

A batch has commands for several messages. It reads the messages, their tallies and what its callers hold with one
database command, applies one command after the other to that state, and writes the difference with one database command
for each collection.

Promises:
    Exact counts (P4): reactions and tally change in one transaction, and two transactions on one message conflict in
    the tally's document.
    Flat cost: a batch of 256 callers costs the database commands of one caller, on one message or on as many.

Votes are reactions here: all that is said of them is true of votes, and closing a poll is freezing its reactions.

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

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.kernel.text.emoji import Emoji
from groups.models import Message, Tallies, Tally, message_key, split_message_key
from groups.service.hooks import TalliesQuery, TallyQuery
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_lock
from reactions.errors import ReactionsFrozen
from reactions.models import ReactionRules, mine_of
from reactions.service.state import ReactionState, TallyState
from reactions.store import BatchQuery, MessageKeys, ReactionStore


@dataclass(slots=True)  # a frozen one takes three times as long to make, for every reaction
class TallyCommand:
    """Changes what the holder holds on a message."""

    holder: UserId


@dataclass(slots=True)
class ReactionCommand(TallyCommand):
    """Adds an emoji of the holder to a message, or removes it (`is_adding` false)."""

    emoji: Emoji
    is_adding: bool


STEP: Final = 1_000  # documents a transaction: short enough not to delay others

C = TypeVar("C", bound=TallyCommand)
C_contra = TypeVar("C_contra", bound=TallyCommand, contravariant=True)
RC = TypeVar("RC", bound=ReactionCommand)
RC_contra = TypeVar("RC_contra", bound=ReactionCommand, contravariant=True)
S = TypeVar("S", bound=TallyState)
S_contra = TypeVar("S_contra", bound=TallyState, contravariant=True)
R = TypeVar("R")


class TallyTarget(Protocol[C_contra, S_contra]):
    """One message in a transaction: decides who may change what they hold on it, and publishes the event."""

    def refusal(self, command: C_contra, state: S_contra) -> DomainError | None:
        """Return why this command is refused; None: it is allowed."""

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Called with how much users hold newly: first reactions or votes, and those that replace another one."""

    async def publish(self, state: S_contra, tally: Tally, now: datetime, tx: Tx) -> None:
        """Publish that the counts changed."""


class ReactionTarget(TallyTarget[RC_contra, ReactionState], Protocol[RC_contra]):
    """A message to which users react by its rules."""

    @property
    def rules(self) -> ReactionRules: ...


T = TypeVar("T", bound=TallyTarget[Any, Any])


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
    Awaitable[Mapping[str, T | type[DomainError]]],
]
"""Opens the messages of a batch of commands, by their keys, and looks up what is `Asked` together with its own queries.

A message to which nobody can react may have the class of the error for all its commands.
"""
HoldersOf = Callable[[Sequence[C]], Collection[UserId]]
"""The users whose reactions to a message a batch reads: the holders, and others that the event names."""


def holders_of(commands: Sequence[TallyCommand]) -> Collection[UserId]:
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

    async def delete_reactions(
        self, stream_id: StreamId, seqs: Sequence[int], tx: Tx
    ) -> Sequence[int]:
        """Delete up to `STEP` reactions to these messages. Returns the messages that have none any more, nor a tally.

        The message is deleted in the same transaction. Reactions that do not see that conflict: they write the tally,
        or where there is none the message.
        """
        keys = [message_key(stream_id, seq) for seq in seqs]
        return seqs if await self.store.delete_of_messages(keys, STEP, tx) else ()

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """Delete up to `STEP` reactions or tallies of an ended stream. Returns how many."""
        return await self.store.delete_some(stream_id, STEP, tx)


@dataclass(kw_only=True, slots=True)
class TallyQueue(ABC, Generic[C, S, T, R]):
    """Commands of one service; those for any messages share transactions. Metrics show the queue as `name`."""

    prefix: ClassVar[str] = ""
    """The prefix of the texts that it counts (`reactions.models.prefix_of`); empty: emoji."""

    engine: ReactionEngine
    open_targets: OpenTargets[C, T]
    holders_of: HoldersOf[C] = holders_of
    name: InitVar[str]
    _commits: GroupCommit[C, R] = field(init=False)

    def __post_init__(self, name: str) -> None:
        database, on_batch = self.engine.database, self.engine.on_batch
        self._commits = GroupCommit(
            database, self._apply, name=name, on_batch=on_batch, locks_of=_locks_of
        )

    def submit(self, stream_id: StreamId, seq: int, command: C) -> Awaitable[R]:
        """Apply the command and return what is so after it. A repeated command changes and publishes nothing."""
        return self._commits.submit(message_key(stream_id, seq), command)

    @abstractmethod
    def _state_of(self, key: str, tally: Tally | None, held: Mapping[UserId, Set[str]]) -> S:
        """Return the state of the message before the batch, with what its holders hold."""

    @abstractmethod
    def _apply_one(
        self, command: C, message: Message | None, state: S, target: T, now: datetime
    ) -> DomainError | None:
        """Apply the command to the state, or return why not."""

    @abstractmethod
    def _answer(self, command: C, message: Message | None, state: S, tally: Tally, target: T) -> R:
        """Return the answer to a command that was applied, after the whole batch."""

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[C]]
    ) -> Mapping[str, Sequence[R | DomainError]]:
        holders = {key: self.holders_of(commands) for key, commands in batch.items()}
        found = self.engine.store.query_batch(holders)
        asked = Asked(self.engine.streams.query_messages(batch.keys()), found)
        targets = await self.open_targets(batch, asked, tx)
        now = self.engine.clock.now()
        outcomes: dict[str, Sequence[R | DomainError]] = {}
        for key, commands in batch.items():
            target = targets[key]
            if isinstance(target, type):
                outcomes[key] = [target() for _ in commands]
                continue
            held = found.held_on(key, holders[key], prefix=self.prefix)
            message, state = asked.message(key), self._state_of(key, found.tally_of(key), held)
            refusals = [
                self._apply_one(command, message, state, target, now) for command in commands
            ]
            tally = state.tally()
            await self._write(state, tally, target, now, tx)
            outcomes[key] = [
                refusal or self._answer(command, message, state, tally, target)
                for command, refusal in zip(commands, refusals, strict=True)
            ]
        return outcomes

    async def _write(self, state: S, tally: Tally, target: T, now: datetime, tx: Tx) -> None:
        store = self.engine.store
        removed, added = state.removed(), state.added(now)
        if not removed and not added:
            return
        # Message and tally first: if another process writes them, this transaction ends there, before the bulk.
        if not state.has_tally:
            self.engine.streams.touch_messages([state.message_id], tx)
        store.put_tally(state.message_id, state.stored_counts(), tx)
        store.delete(state.message_id, removed, tx)
        store.insert(added, tx)
        if added:
            await target.on_added(len(added), now, tx)
        if state.counts_changed:
            await target.publish(state, tally, now, tx)

    async def close(self) -> None:
        """Wait until every submitted command is committed or refused."""
        await self._commits.close()


@dataclass(kw_only=True, slots=True)
class ReactionQueue(TallyQueue[RC, ReactionState, ReactionTarget[RC], Tally], Generic[RC]):
    """Reactions of one service; the answer is the tally with the holder's own emoji."""

    def _state_of(
        self, key: str, tally: Tally | None, held: Mapping[UserId, Set[str]]
    ) -> ReactionState:
        return ReactionState(key, tally.counts if tally is not None else None, held)

    def _apply_one(
        self,
        command: RC,
        message: Message | None,
        state: ReactionState,
        target: ReactionTarget[RC],
        now: datetime,
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

    def _answer(
        self,
        command: RC,
        message: Message | None,
        state: ReactionState,
        tally: Tally,
        target: ReactionTarget[RC],
    ) -> Tally:
        own = state.held_by(command.holder)
        if not own:
            return tally
        return Tally(counts=tally.counts, total=tally.total, mine=mine_of(tally, own))


def _locks_of(key: str) -> tuple[str, ...]:
    return (message_lock(*split_message_key(key)),)
