"""Votes in the polls of groups; channels use them for their posts."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, NamedTuple

from groups import policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled, PollClosed
from groups.events import MessageEdited
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import (
    AccessContext,
    AdminAct,
    AdminAction,
    Content,
    Group,
    Message,
    Poll,
    Tally,
    message_key,
    poll_of,
    post_id_of,
    stream_of,
)
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.write_locks import message_change_locks
from reactions.models import VOTE_PREFIX, Reaction, vote_text, votes_in
from reactions.polls.errors import NotAPoll
from reactions.polls.events import OwnVotes, PollChanged
from reactions.polls.service.state import VoteState
from reactions.service.engine import Asked, ReactionEngine, TallyCommand, TallyQueue
from reactions.service.group_batch import accesses_of_batch, holding_refusal


class Voted(NamedTuple):
    """A poll after a vote, its tally with the voter's own vote, and their access."""

    poll: Poll
    tally: Tally
    access: AccessContext


@dataclass(slots=True)
class _Command(TallyCommand):
    """A member's vote; without options, they take it back."""

    options: frozenset[int]
    actor: Actor
    group_id: GroupId


@dataclass(frozen=True, slots=True)
class _Target:
    """A group's message: its members may vote, and `poll.changed` is published."""

    group: Group
    message: Message | None
    accesses: Mapping[Actor, AccessContext]

    def refusal(self, command: _Command, state: VoteState) -> DomainError | None:
        access, message = self.accesses.get(command.actor), self.message
        is_adding = bool(command.options)
        refusal = holding_refusal(access, is_adding=is_adding)
        if refusal is not None or access is None:
            return refusal
        if message is None or message.seq <= policy.history_floor(access):
            return MessageNotFound()
        if message.recalled_at is not None:
            return MessageRecalled()
        return policy.voting_refusal(access, message) if is_adding else None

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Nobody counts the votes of a channel's posts together."""

    async def publish(self, state: VoteState, tally: Tally, now: datetime, tx: Tx) -> None:
        message = self.message
        if message is None or message.seq <= self.group.private_until_seq:
            # Those who watch the channel must not learn of a private poll.
            return
        own = tuple(
            OwnVotes(votes_in(texts), tuple(user_ids))
            for texts, user_ids in state.changed_holders().items()
        )
        poll = poll_of(message)
        assert poll is not None, "nothing else has votes"
        tx.publish(poll_changed(self.group, message.seq, poll, tally, now, own))


def poll_changed(
    group: Group, seq: int, poll: Poll, tally: Tally, now: datetime, own: tuple[OwnVotes, ...] = ()
) -> PollChanged:
    """Return the event of a poll whose votes are these now. Its counts are shown if everybody may see them."""
    is_public = poll.are_results_public(now)
    counts = tuple(tally.votes.get(option, 0) for option in range(len(poll.options)))
    return PollChanged(
        at=now,
        stream_id=group.stream_id,
        group_id=group.group_id,
        is_channel=group.is_channel,
        seq=seq,
        votes=counts if is_public else None,
        voters=tally.voters if is_public else None,
        closed=poll.is_closed(now),
        own=own,
    )


@dataclass(kw_only=True, slots=True)
class _VoteQueue(TallyQueue[_Command, VoteState, _Target, Voted]):
    """Votes in the polls of groups."""

    prefix: ClassVar[str] = VOTE_PREFIX

    def _state_of(
        self, key: str, tally: Tally | None, held: Mapping[UserId, Set[str]]
    ) -> VoteState:
        return VoteState(key, tally, held)

    def _apply_one(
        self,
        command: _Command,
        message: Message | None,
        state: VoteState,
        target: _Target,
        now: datetime,
    ) -> DomainError | None:
        refusal = target.refusal(command, state)
        if refusal is not None:
            return refusal
        if message is None or (poll := poll_of(message)) is None:
            return NotAPoll()
        if poll.is_closed(now):
            return PollClosed()
        refusal = _choosing_refusal(poll, command.options)
        if refusal is None:
            state.put(command.holder, command.options)
        return refusal

    def _answer(
        self,
        command: _Command,
        message: Message | None,
        state: VoteState,
        tally: Tally,
        target: _Target,
    ) -> Voted:
        poll = poll_of(message) if message is not None else None
        assert poll is not None, "it took the vote"
        mine = votes_in(state.held_by(command.holder))
        tally = replace(tally, mine=(), my_votes=mine)
        return Voted(poll, tally, target.accesses[command.actor])


def _choosing_refusal(poll: Poll, options: Collection[int]) -> DomainError | None:
    if len(options) > 1 and not poll.multiple:
        return _bad_options("the poll takes one option of each voter")
    if any(option >= len(poll.options) for option in options):
        return _bad_options(f"the poll has {len(poll.options)} options, counted from 0")
    return None


def _bad_options(reason: str) -> InvalidRequest:
    return InvalidRequest(reason, errors=[{"field": "options", "reason": reason}])


@dataclass(kw_only=True, slots=True)
class PollService:
    """The polls of groups."""

    engine: ReactionEngine
    access: BulkAccess
    guard: AccessGuard
    admin_log: AdminLog
    _queue: _VoteQueue = field(init=False)

    def __post_init__(self) -> None:
        self._queue = _VoteQueue(engine=self.engine, open_targets=self._open, name="votes")

    async def vote(
        self, actor: Actor, group_id: GroupId, seq: int, options: Collection[int]
    ) -> Voted:
        """Replace the actor's vote by these options; none take it back.

        A repeat changes and publishes nothing. Publishes: PollChanged, once for all commands of the transaction.
        Raises: NotAPoll; PollClosed; MessageRecalled; InvalidRequest, for options that cannot be chosen.
        """
        command = _Command(actor.user_id, frozenset(options), actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        accesses = await accesses_of_batch(self.access, batch, asked, tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            seen_by = accesses[commands[0].group_id]
            access = next(iter(seen_by.values()), None)
            targets[key] = (
                _Target(access.group, asked.message(key), seen_by)
                if access is not None
                else GroupNotFound
            )
        return targets

    def now(self) -> datetime:
        """Return the time by which polls are closed."""
        return self.engine.clock.now()

    async def close_poll(self, actor: Actor, group_id: GroupId, seq: int) -> Voted:
        """Close a poll now: it takes no more votes, and everybody sees the results. A closed one stays as it is.

        Users who may edit the message may close it. Publishes: MessageEdited; PollChanged.
        """

        async def work(tx: Tx) -> tuple[Poll, AccessContext]:
            access, message = await self.guard.find_message(actor, group_id, seq, tx)
            now, group = self.engine.clock.now(), access.group
            policy.check(policy.editing_refusal(access, message, now))
            if message.recalled_at is not None:
                raise MessageRecalled
            poll = poll_of(message)
            if poll is None:
                raise NotAPoll
            if poll.is_closed(now):
                return poll, access
            closed = await self.engine.streams.close_poll(message, now, tx)
            # A vote under way is committed before the closing or sees it.
            await self.engine.on_reactions_closed(message.stream_id, seq, tx)
            closed_poll = poll_of(closed)
            assert closed_poll is not None, "it still is a poll"
            tally = await self.engine.store.find_tally(message_key(message.stream_id, seq), tx)
            act = AdminAct(actor, AdminAction.POLL_CLOSED, post_id_of(group_id, seq))
            await self.admin_log.record(tx, group, act)
            tx.publish(
                MessageEdited(
                    at=now, group_id=group_id, is_channel=group.is_channel, message=closed
                )
            )
            tx.publish(poll_changed(group, seq, closed_poll, tally, now))
            return closed_poll, access

        stream_id = stream_of(group_id)
        poll, access = await self.engine.database.run(work, *message_change_locks(stream_id, seq))
        tallies = await self.engine.tallies_of(actor.user_id, stream_id, [seq])
        return Voted(poll, tallies.get(seq, Tally()), access)

    async def find_voted(
        self, places: Collection[tuple[StreamId, int]]
    ) -> dict[tuple[StreamId, int], Content]:
        """Return the contents of these messages, with one command: polls, and messages with buttons.

        The caller checks that a user may read them.
        """
        keys = {message_key(stream_id, seq): (stream_id, seq) for stream_id, seq in places}
        query = self.engine.streams.query_messages(list(keys))
        await self.engine.database.fetch_together(query)
        contents = {keys[key]: message.content for key, message in query.result.items()}
        return {place: content for place, content in contents.items() if content is not None}

    async def list_voters(
        self,
        actor: Actor,
        group_id: GroupId,
        seq: int,
        option: int,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Reaction], str | None]:
        """Return a page of the votes for an option, by user id; of no votes for an option that does not exist."""
        access, message = await self.guard.find_message(actor, group_id, seq)
        if message.recalled_at is not None:
            raise MessageRecalled
        poll = poll_of(message)
        if poll is None:
            raise NotAPoll
        tallies = await self.engine.tallies_of(actor.user_id, message.stream_id, [seq])
        has_voted = bool(tallies.own_votes.get(seq))
        now = self.engine.clock.now()
        policy.check(policy.listing_voters_refusal(access, poll, now, has_voted=has_voted))
        key = decode_cursor("voters", cursor, str)
        votes = await self.engine.store.list_holders(
            message_key(message.stream_id, seq),
            vote_text(option),
            after=str(key[0]) if key else "",
            limit=limit + 1,
        )
        votes, has_more = cut_page(votes, limit)
        return votes, encode_cursor("voters", votes[-1].user_id) if has_more else None

    async def close(self) -> None:
        await self._queue.close()
